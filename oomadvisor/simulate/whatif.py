"""A set of changes replayed: the verdict before and after, and its class (docs/verification.md)."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache, partial

from oomadvisor.model import MARKS, Mark, Operation, Replay
from oomadvisor.model.verification import VerificationClass
from oomadvisor.simulate.change import AddSwap, Change, FreePages, SetOperation, apply
from oomadvisor.simulate.headroom import children_range, children_that_stay
from oomadvisor.simulate.replay import operation_passes, replay
from oomadvisor.simulate.scatter import Scatter, scatter
from oomadvisor.simulate.snapshot import Snapshot, asked_by

CHILDREN_DRAWN = 100
"""Children are not counted further than this in a drawn layout: more than enough, and the count costs time."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a set of changes does to an operation.

    ``before``/``after``: replays at MIN, LOW and HIGH; with pages freed at unknown positions ``after`` is the best
    case and ``worst`` the worst. ``estimate``: how many of ``draws`` random layouts pass at HIGH, and
    ``estimate_min`` at MIN. ``snapshot``: after the changes (in the best case), ``worst_snapshot``: in the worst.
    """

    verification: VerificationClass
    before: tuple[Replay, ...]
    after: tuple[Replay, ...]
    worst: tuple[Replay, ...]
    draws: int
    estimate_min: int | None
    estimate_high: int | None
    headroom_before: int
    headroom: int
    headroom_draws: tuple[int, ...]
    operation: Operation
    snapshot: Snapshot
    worst_snapshot: Snapshot

    def passes(self, mark: Mark) -> bool:
        return next(r.ok for r in self.after if r.mark == mark)

    @property
    def children(self) -> tuple[int, int]:
        """The least and the largest headroom: of the layouts drawn, else of the worst and the best case, else of the
        ways in which blocks are split.
        """
        if self.headroom_draws:
            return min(self.headroom, self.headroom_draws[0]), self.headroom_draws[-1]
        if self.worst:
            return self.headroom, max(self.headroom, *children_range(self.snapshot, self.operation))
        return children_range(self.snapshot, self.operation)


def what_if(snap: Snapshot, operation: Operation, changes: tuple[Change, ...], *, draws: int | None = None) -> Outcome:
    """Replay ``operation`` before and after ``changes``. Raises NotReplayable when a value does not fit the kernel."""
    after, target, freed = snap, operation, 0
    for change in changes:
        if isinstance(change, SetOperation):
            target = change.operation
        elif isinstance(change, FreePages):
            freed += change.pages
        elif not isinstance(change, AddSwap):
            after = apply(after, change)
    before = _replays(snap, operation)
    if freed:
        after = asked_by(after, target)
        spread = scatter(after, freed, target.orders, **({} if draws is None else {"draws": draws}))
        return _bounded(snap, before, target, spread, _children_before(snap, operation))
    return Outcome(
        verification=classify(snap, after, target),
        before=before,
        after=_replays(after, target),
        worst=(),
        draws=0,
        estimate_min=None,
        estimate_high=None,
        headroom_before=_children_before(snap, operation),
        headroom=children_that_stay(after, target),
        headroom_draws=(),
        operation=target,
        snapshot=after,
        worst_snapshot=after,
    )


def classify(before: Snapshot, after: Snapshot, target: Operation) -> VerificationClass:
    """Return the class of a change whose result is one exact snapshot.

    *certain*: every block of the operation passes at HIGH, whichever way blocks are chosen (from the smallest or from
    the largest that fits), and a single page after them. *marginal*: all that at MIN, or at HIGH one way only.
    Otherwise *harmful* when a mark or reserve rose, so that the test got stricter, else *no effect*.
    """
    after = asked_by(after, target)
    if passes_both_ways(after, (*target.orders, 0), "high"):
        return "certain"
    if operation_passes(after, (*target.orders, 0), "min"):
        return "marginal"
    return "harmful" if _worse(before, after) else "no effect"


def broken(before: Snapshot, after: Snapshot, operations: Iterable[Operation]) -> tuple[Operation, ...]:
    """Return the operations that pass at MIN before and not after: what a change takes away."""
    return tuple(
        operation
        for operation in operations
        if operation_passes(asked_by(before, operation), operation.orders, "min")
        and not operation_passes(asked_by(after, operation), operation.orders, "min")
    )


def passes_both_ways(snap: Snapshot, orders: tuple[int, ...], mark: Mark) -> bool:
    """Return whether an operation passes both when the smallest and when the largest block that fits is split."""
    return operation_passes(snap, orders, mark, "smallest") and operation_passes(snap, orders, mark, "largest")


def _worse(before: Snapshot, after: Snapshot) -> bool:
    if [z.name for z in before.zones] != [z.name for z in after.zones]:
        return False  # other zones: their marks cannot be compared one by one
    return any(
        new.mark_min > old.mark_min or new.mark_high > old.mark_high or new.reserve > old.reserve
        for old, new in zip(before.zones, after.zones, strict=True)
    )


@lru_cache(maxsize=8)  # the state before is the same for every change that is tried on it
def _replays(snap: Snapshot, operation: Operation) -> tuple[Replay, ...]:
    return tuple(replay(snap, operation, mark) for mark in MARKS)


@lru_cache(maxsize=8)
def _children_before(snap: Snapshot, operation: Operation) -> int:
    return children_that_stay(snap, operation)


def _bounded(
    snap: Snapshot, before: tuple[Replay, ...], target: Operation, spread: Scatter, headroom_before: int
) -> Outcome:
    """Judge a change with a best and a worst case: the same class in both is that class, else *bounded*."""
    classes = {classify(snap, s, target) for s in (*spread.worst, spread.best)}
    alike = Counter(_as_seen(draw, target) for draw in spread.draws)
    children = ((children_that_stay(s, target, CHILDREN_DRAWN), times) for s, times in alike.items())
    worst = min(spread.worst, key=lambda s: sum(operation_passes(s, target.orders, mark) for mark in MARKS))
    return Outcome(
        verification=classes.pop() if len(classes) == 1 else "bounded",
        before=before,
        after=_replays(spread.best, target),
        worst=_replays(worst, target),
        draws=len(spread.draws),
        estimate_min=_share(alike, partial(operation_passes, orders=target.orders, mark="min")),
        estimate_high=_share(alike, partial(passes_both_ways, orders=target.orders, mark="high")),
        headroom_before=headroom_before,
        headroom=children_that_stay(worst, target),
        headroom_draws=tuple(sorted(count for count, times in children for _ in range(times))),
        operation=target,
        snapshot=spread.best,
        worst_snapshot=worst,
    )


def _share(alike: Counter[Snapshot], ok: Callable[[Snapshot], bool]) -> int | None:
    return sum(times for snap, times in alike.items() if ok(snap)) if alike else None


def _as_seen(snap: Snapshot, operation: Operation) -> Snapshot:
    """Return what an operation sees of a snapshot: one of single pages only how many there are, not in which blocks."""
    if max(operation.orders) > 0:
        return snap
    return snap.with_zones(tuple(replace(z, blocks=(z.listed, *(0,) * (len(z.blocks) - 1))) for z in snap.zones))
