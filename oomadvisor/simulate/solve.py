"""Exact thresholds instead of trial values: the largest setting at which a request or an operation passes."""

from collections.abc import Callable

from oomadvisor.kernel.words import INT_MAX
from oomadvisor.model import MARKS, Mark, Operation, Thresholds
from oomadvisor.model.state import MIN_FREE_KBYTES
from oomadvisor.simulate.change import with_min_free_kbytes
from oomadvisor.simulate.replay import operation_passes
from oomadvisor.simulate.snapshot import Snapshot

PAGE_KB = 4


def largest_min_free_kbytes(snap: Snapshot, ok: Callable[[Snapshot], bool]) -> int | None:
    """Return the largest min_free_kbytes at which ``ok`` holds, or None when it does not even hold at 0.

    INT_MAX, the largest that the kernel stores, when every value will do: HighMem's MIN has a ceiling of its own.

    ``ok`` must be monotone: true up to some value, false above. Every comparison of the watermark test is (a larger
    mark never passes where a smaller one failed), and so is an operation whose blocks are taken in sequence over
    the zone list as long as each zone's own verdicts are; the property test compares with brute force. Values act
    in steps of one page (4 kB: the handler stores kB, setup_per_zone_wmarks shifts by 2), so the last kB of the
    step is returned.
    """
    if not ok(with_min_free_kbytes(snap, 0)):
        return None
    if ok(with_min_free_kbytes(snap, INT_MAX)):
        return INT_MAX
    passing, failing = 0, 1
    while ok(with_min_free_kbytes(snap, failing * PAGE_KB)):
        passing = failing
        failing *= 2
    while failing - passing > 1:
        middle = (passing + failing) // 2
        if ok(with_min_free_kbytes(snap, middle * PAGE_KB)):
            passing = middle
        else:
            failing = middle
    return passing * PAGE_KB + PAGE_KB - 1


def largest_passing(snap: Snapshot, orders: tuple[int, ...], mark: Mark, *, every_zone: bool = False) -> int | None:
    """Return the largest vm.min_free_kbytes at which ``orders`` pass at ``mark``.

    In some zone: block by block over the zone list. In every zone: each zone alone must serve the whole operation.
    """
    if not every_zone:
        return largest_min_free_kbytes(snap, lambda s: operation_passes(s, orders, mark))
    values = [
        largest_min_free_kbytes(snap.with_zones((zone,)), lambda s: operation_passes(s, orders, mark))
        for zone in snap.zones
    ]
    return None if any(v is None for v in values) else min(v for v in values if v is not None)


def thresholds(snap: Snapshot, operation: Operation) -> tuple[Thresholds, ...]:
    """Return the largest passing vm.min_free_kbytes of an operation: each zone alone, then the list."""
    rows = []
    for zone in snap.zones:
        alone = snap.with_zones((zone,))
        rows += [
            Thresholds(
                knob=MIN_FREE_KBYTES,
                operation=operation.id,
                zone=zone.name,
                mark=mark,
                largest=largest_passing(alone, operation.orders, mark),
            )
            for mark in MARKS
        ]
    rows += [
        Thresholds(
            knob=MIN_FREE_KBYTES,
            operation=operation.id,
            zone=None,
            mark=mark,
            largest=largest_passing(snap, operation.orders, mark),
        )
        for mark in MARKS
    ]
    return tuple(rows)
