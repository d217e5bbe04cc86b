"""A change applied to a state, and what the kernel would then have decided.

Nothing here invents a number: every result follows from the free lists, marks and reserves of the report and from the
functions of :mod:`oomadvisor.kernel`. Where the report leaves something open, the result is an interval.
"""

from oomadvisor.simulate.change import (
    AddSwap,
    FreeBlocks,
    FreePages,
    JoinZones,
    NotReplayable,
    SetMaxOrder,
    SetOperation,
    SetRealtime,
    SetSysctl,
    apply,
)
from oomadvisor.simulate.headroom import children_that_stay
from oomadvisor.simulate.overcommit import (
    CommitState,
    LargestFork,
    commit_state,
    fork_refused,
    largest_fork,
    with_blocks_taken,
    with_changes,
)
from oomadvisor.simulate.replay import order_verdicts, replay
from oomadvisor.simulate.snapshot import Snapshot, ZoneSnapshot, asked_by, snapshot, snapshots
from oomadvisor.simulate.solve import largest_passing, thresholds
from oomadvisor.simulate.whatif import Outcome, classify, what_if

__all__ = [
    "AddSwap",
    "CommitState",
    "FreeBlocks",
    "FreePages",
    "JoinZones",
    "LargestFork",
    "NotReplayable",
    "Outcome",
    "SetMaxOrder",
    "SetOperation",
    "SetRealtime",
    "SetSysctl",
    "Snapshot",
    "ZoneSnapshot",
    "apply",
    "asked_by",
    "children_that_stay",
    "classify",
    "commit_state",
    "fork_refused",
    "largest_fork",
    "largest_passing",
    "order_verdicts",
    "replay",
    "snapshot",
    "snapshots",
    "thresholds",
    "what_if",
    "with_blocks_taken",
    "with_changes",
]
