"""Settings as facts: what is known of the sysctls, where the request would pass, what the marks keep."""

from oomadvisor.facts.assess import Assessment
from oomadvisor.facts.kinds import CommitFact, ReserveFact, ThresholdFact, TunableFact
from oomadvisor.facts.share import permille
from oomadvisor.model import Mark, Operation, SystemState
from oomadvisor.model.state import MIN_FREE_KBYTES
from oomadvisor.simulate import Snapshot
from oomadvisor.simulate.overcommit import commit_state, largest_fork
from oomadvisor.simulate.price import price

TIGHT = 4
"""A limit below this part of RAM is worth a word: a daemon of ordinary size is then refused a fork."""


def tunable_facts(state: SystemState) -> list[TunableFact]:
    facts = []
    for name in sorted(state.tunables):
        tunable = state.tunables[name]
        low, high, default = tunable.low, tunable.high, tunable.default
        facts.append(
            TunableFact(
                origin=tunable.origin,
                key=name,
                name=name,
                low=low,
                high=high,
                default=default,
                source=tunable.source,
                above_default=None if low is None or default is None else low > default,
                below_default=None if high is None or default is None else high < default,
                of_default_permille=permille(low, default),
            )
        )
    return facts


def threshold_fact(assessment: Assessment) -> ThresholdFact:
    request, workload = assessment.state.operation, assessment.state.workload

    def solved(operation: Operation | None, mark: Mark, *, alone: bool = False) -> int | None:
        """Return the least over the zones each alone, or the value of the zone list; None when it was not solved."""
        values = (
            -1 if row.largest is None else row.largest
            for row in assessment.thresholds
            if operation is not None
            and row.operation == operation.id
            and (row.zone is not None) is alone
            and row.mark == mark
        )
        return min(values, default=None)

    return ThresholdFact(
        request_min_kb=solved(request, "min"),
        request_high_kb=solved(request, "high"),
        request_high_every_kb=solved(request, "high", alone=True),
        workload_min_kb=solved(workload, "min"),
        workload_high_kb=solved(workload, "high"),
    )


def commit_fact(state: SystemState) -> CommitFact | None:
    """Return what overcommit would promise; None where the report lacks the counters or the kernel is not 2.6.31."""
    commit = commit_state(state)
    if commit is None:
        return None
    limit = largest_fork(commit)
    low, high = (None if pages is None else pages * state.page_kb // 1024 for pages in limit)
    ram = sum(commit.present)
    return CommitFact(
        mode=commit.overcommit_memory,
        totalreserve_pages=commit.totalreserve_pages,
        largest_fork_low_mb=low,
        largest_fork_high_mb=high,
        tight=limit.best is not None and limit.best * TIGHT < ram,
    )


def reserve_fact(snap: Snapshot, state: SystemState) -> ReserveFact | None:
    tunable = state.tunables.get(MIN_FREE_KBYTES)
    if tunable is None or tunable.low is None or not snap.whole:
        return None
    cost = price(snap, tunable.low)
    spinning = cost.spinning_zones
    return ReserveFact(
        origin=tunable.origin,
        atomic_pages=cost.atomic_pages,
        floor_pages=cost.floor_pages,
        above_floor_pages=cost.above_floor_pages,
        safe_burst_pages=cost.safe_burst_pages,
        spins=bool(spinning),
        spinning_zone=spinning[0] if spinning else None,
        spinning_now=any(z.name in spinning and z.free <= z.mark_high for z in snap.zones),
        free_pages=sum(z.free for z in snap.zones),
        min_pages=sum(z.mark_min for z in snap.zones),
        unmet=sum(z.free for z in snap.zones) < sum(z.mark_min for z in snap.zones),
        min_free_kb=tunable.low,
        ram_permille=permille(tunable.low, snap.all_pages * state.page_kb),
    )
