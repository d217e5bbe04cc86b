"""Changes that somebody has in mind, tried on a report: the verdict before and after, and what else they move."""

from typing import Literal

from oomadvisor.model.base import Frozen
from oomadvisor.model.state import Operation, SystemState
from oomadvisor.model.verdict import Replay, Thresholds, Verdict
from oomadvisor.model.verification import Change, Verification, VerificationClass

EffectUnit = Literal["pages", "kB", "blocks", "pageblocks", "zones", "state"]


class Effect(Frozen):
    """Something beside the verdict that a change moves. ``about``: the zone or the size of block that is meant.

    ``before``/``after``: a number in ``unit``, or words (``state``, ``zones``); None where it is not known.
    ``source``: the kernel function, or the formula, that it comes from.
    """

    id: str
    title: str
    about: str | None = None
    unit: EffectUnit
    before: int | str | None
    after: int | str | None
    source: str


class OperationTrial(Frozen):
    """Another operation, at MIN and HIGH before and after; with pages freed at unknown places at worst."""

    operation: Operation
    min_before: bool
    min_after: bool
    high_before: bool
    high_after: bool


class ZoneVerdicts(Frozen):
    """One test (zone, mark, order) before and after. A side is None when that kernel has no such zone or order."""

    zone: str
    mark: str
    order: int
    before: Verdict | None
    after: Verdict | None
    worst: Verdict | None = None


class Trial(Frozen):
    """What the simulator says about a set of changes. ``verification.worst`` and ``ZoneVerdicts.worst`` are set only
    where pages come back at unknown places.

    ``steps_before``/``steps_after``: the operation block by block at MIN. ``operation`` None: the report does not tell
    what was asked for. ``notes``: what must be known to read the result.
    """

    state: SystemState
    changes: tuple[Change, ...]
    operation: Operation | None
    instead: Operation | None = None
    verification: Verification
    notes: tuple[str, ...] = ()
    verdicts: tuple[ZoneVerdicts, ...] = ()
    steps_before: Replay | None = None
    steps_after: Replay | None = None
    others: tuple[OperationTrial, ...] = ()
    effects: tuple[Effect, ...] = ()
    solved: tuple["Solved", ...] = ()
    sweep: "Sweep | None" = None


class Solved(Frozen):
    """The values of one knob at which operations pass, exact for the snapshot. ``in_test`` False: at every value the
    verdict is the same, because the test does not read the knob.
    """

    knob: str
    in_test: bool
    current_low: int | None
    current_high: int | None
    default: int | None
    rows: tuple[Thresholds, ...]


class SweepPoint(Frozen):
    """One value of the knob: what becomes of the operation, and the price.

    ``headroom`` is None for a kernel on which the count was not measured.
    """

    value: int
    class_: VerificationClass
    passes_min: bool
    passes_low: bool
    passes_high: bool
    headroom: int | None
    headroom_high: int | None = None
    atomic_pages: int
    note: str | None = None


class Segment(Frozen):
    """All values from ``low`` to ``high`` have this class and pass at these marks."""

    low: int
    high: int
    class_: VerificationClass
    passes_min: bool
    passes_low: bool
    passes_high: bool


class Sweep(Frozen):
    """A knob moved from ``low`` to ``high``: the exact segments, and points to draw."""

    knob: str
    low: int
    high: int
    operation: str
    segments: tuple[Segment, ...]
    points: tuple[SweepPoint, ...]


__all__ = [
    "Effect",
    "EffectUnit",
    "OperationTrial",
    "Segment",
    "Solved",
    "Sweep",
    "SweepPoint",
    "Trial",
    "ZoneVerdicts",
]
