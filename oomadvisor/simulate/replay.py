"""An operation replayed block by block over the zone list, as the allocator would serve it."""

from oomadvisor.model import MARKS, LadderStep, Mark, Operation, Replay, ReplayStep, Verdict
from oomadvisor.simulate.blocks import Choice, take_block
from oomadvisor.simulate.snapshot import Snapshot, ZoneSnapshot


def zone_verdict(snap: Snapshot, zone: ZoneSnapshot, order: int, mark: Mark) -> Verdict:
    """Return the watermark test of one request in one zone, with every comparison (page_alloc.c: zone_watermark_ok).

    A real-time task is tested with ALLOC_HARDER at MIN, and only there: the last look at HIGH drops it
    (page_alloc.c: gfp_to_alloc_flags, __alloc_pages_may_oom).
    """
    check = snap.family.watermark_check(
        zone.free,
        zone.blocks,
        order,
        zone.mark(mark),
        zone.reserve,
        harder=snap.realtime and mark == "min",
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


def passes(snap: Snapshot, zone: ZoneSnapshot, order: int, mark: Mark) -> bool:
    """Return only whether the test passes and a block exists: the quick form of :func:`zone_verdict`."""
    return snap.family.zone_watermark_ok(
        zone.free,
        zone.blocks,
        order,
        zone.mark(mark),
        zone.reserve,
        harder=snap.realtime and mark == "min",
        bits=snap.bits,
        smp=snap.smp,
    ) and any(zone.blocks[order:])


def serve(snap: Snapshot, order: int, mark: Mark, choice: Choice) -> tuple[Snapshot, str] | None:
    """Take one block from the first zone that passes; return the state after it and the zone's name, or None."""
    for position, zone in enumerate(snap.zones):
        if passes(snap, zone, order, mark):
            blocks = take_block(zone.blocks, order, choice)
            if blocks is not None:
                zones = (*snap.zones[:position], zone.with_blocks(blocks), *snap.zones[position + 1 :])
                return snap.with_zones(zones), zone.name
    return None


def operation_passes(snap: Snapshot, orders: tuple[int, ...], mark: Mark, choice: Choice = "smallest") -> bool:
    """Return whether every block of an operation is found, each taken before the next is asked for."""
    for order in orders:
        served = serve(snap, order, mark, choice)
        if served is None:
            return False
        snap = served[0]
    return True


def replay(snap: Snapshot, operation: Operation, mark: Mark, choice: Choice = "smallest") -> Replay:
    """Replay ``operation`` at ``mark``; stops at the first block that no zone gives.

    Each step holds the verdict of every zone as it was found at that moment.
    """
    steps = []
    for step in operation.steps:
        verdicts = tuple(zone_verdict(snap, zone, step.order, mark) for zone in snap.zones)
        served = serve(snap, step.order, mark, choice)
        steps.append(ReplayStep(order=step.order, what=step.what, zone=served and served[1], verdicts=verdicts))
        if served is None:
            return Replay(operation=operation.id, mark=mark, ok=False, steps=tuple(steps))
        snap = served[0]
    return Replay(operation=operation.id, mark=mark, ok=True, steps=tuple(steps))
