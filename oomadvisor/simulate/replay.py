"""An operation replayed block by block over the zone list, as the allocator would serve it."""

from oomadvisor.model import MARKS, LadderStep, Mark, Operation, Replay, ReplayStep, Verdict
from oomadvisor.simulate.blocks import Choice
from oomadvisor.simulate.lists import FreeLists, lists_of, serve
from oomadvisor.simulate.snapshot import Snapshot, ZoneSnapshot, asked_by


def zone_verdict(
    snap: Snapshot, zone: ZoneSnapshot, order: int, mark: Mark, *, taken: FreeLists | None = None
) -> Verdict:
    """Return the watermark test of one request in one zone, with every comparison (page_alloc.c: zone_watermark_ok).

    ``taken``: the zone's lists after blocks were taken out of them.
    """
    check = snap.family.attempt_check(
        zone.free if taken is None else taken.free,
        zone.blocks if taken is None else taken.blocks,
        order,
        zone.mark(mark),
        zone.reserve,
        flags=snap.privileges(mark),
        kinds=zone.kinds,
        bits=snap.bits,
        smp=snap.smp,
    )
    return Verdict(
        zone=zone.name,
        node=zone.node,
        mark=mark,
        order=order,
        ok=check.ok,
        failed_at_order=check.failed_at,
        remaining_pages=check.remaining,
        bound_pages=check.bound,
        short_by_pages=check.short,
        steps=tuple(
            LadderStep(order=s.order, remaining_pages=s.remaining, bound_pages=s.bound, ok=s.ok) for s in check.steps
        ),
    )


def order_verdicts(snap: Snapshot, orders: tuple[int, ...]) -> tuple[Verdict, ...]:
    """Return the test for each zone, mark and distinct order, first-tried zone first."""
    return tuple(
        zone_verdict(snap, zone, order, mark) for zone in snap.zones for mark in MARKS for order in sorted(set(orders))
    )


def operation_passes(snap: Snapshot, orders: tuple[int, ...], mark: Mark, choice: Choice = "smallest") -> bool:
    """Return whether every block of an operation is found, each taken before the next is asked for.

    They are asked for with the snapshot's mask; :func:`asked_by` gives it that of an operation.
    """
    lists = lists_of(snap, mark)
    return all(serve(lists, order, choice) is not None for order in orders)


def replay(snap: Snapshot, operation: Operation, mark: Mark, choice: Choice = "smallest") -> Replay:
    """Replay ``operation`` at ``mark``; stops at the first block that no zone gives.

    Each step holds the verdict of every zone as it was found at that moment.
    """
    steps: list[ReplayStep] = []
    snap = asked_by(snap, operation)
    lists = lists_of(snap, mark)
    for step in operation.steps:
        verdicts = tuple(zone_verdict(snap, zone.zone, step.order, mark, taken=zone) for zone in lists)
        served = serve(lists, step.order, choice)
        name = None if served is None else served.zone.name
        steps.append(ReplayStep(order=step.order, what=step.what, zone=name, verdicts=verdicts))
        if served is None:
            return Replay(operation=operation.id, mark=mark, ok=False, steps=tuple(steps))
    return Replay(operation=operation.id, mark=mark, ok=True, steps=tuple(steps))
