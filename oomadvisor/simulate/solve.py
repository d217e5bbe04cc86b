"""Exact thresholds instead of trial values: the settings at which a request or an operation passes."""

from collections.abc import Callable
from functools import partial

from oomadvisor.kernel.words import INT_MAX
from oomadvisor.model import MARKS, Mark, Operation, Thresholds
from oomadvisor.model.state import LOWMEM_RESERVE_RATIO, MIN_FREE_KBYTES
from oomadvisor.simulate.change import with_min_free_kbytes, with_reserve_ratio
from oomadvisor.simulate.replay import operation_passes
from oomadvisor.simulate.snapshot import Snapshot, asked_by


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
    page_kb = snap.page_kb
    while ok(with_min_free_kbytes(snap, failing * page_kb)):
        passing = failing
        failing *= 2
    while failing - passing > 1:
        middle = (passing + failing) // 2
        if ok(with_min_free_kbytes(snap, middle * page_kb)):
            passing = middle
        else:
            failing = middle
    return passing * page_kb + page_kb - 1


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


def smallest_reserve_ratio(snap: Snapshot, index: int, ok: Callable[[Snapshot], bool]) -> int | None:
    """Return the smallest lowmem_reserve_ratio of the zone ``index`` at which ``ok`` holds; None when none will do.

    A larger ratio makes the reserve smaller, so ``ok`` is monotone: false up to some value, true from there on. The
    values run from 1 (what the kernel makes of anything smaller) to INT_MAX.
    """
    if not ok(with_reserve_ratio(snap, index, INT_MAX)):
        return None
    failing, passing = 0, INT_MAX
    while passing - failing > 1:
        middle = (failing + passing) // 2
        if ok(with_reserve_ratio(snap, index, middle)):
            passing = middle
        else:
            failing = middle
    return passing


def thresholds(snap: Snapshot, operation: Operation) -> tuple[Thresholds, ...]:
    """Return the values of vm.min_free_kbytes at which an operation passes: each zone alone, then the list."""
    rows = []
    for part, zone in _parts(asked_by(snap, operation)):
        for mark in MARKS:
            largest = largest_passing(part, operation.orders, mark)
            rows.append(
                Thresholds(
                    knob=MIN_FREE_KBYTES,
                    operation=operation.id,
                    zone=zone,
                    mark=mark,
                    smallest=None if largest is None else 0,
                    largest=largest,
                )
            )
    return tuple(rows)


def reserve_thresholds(snap: Snapshot, operation: Operation) -> tuple[Thresholds, ...]:
    """Return the values of each zone's lowmem_reserve_ratio at which an operation passes: that zone alone, the list.

    Only zones that keep something from the request's class zone have one that matters.
    """
    rows = []
    snap = asked_by(snap, operation)
    for zone in snap.zones:
        if zone.index >= snap.class_zone_index:
            continue
        for part, name in ((snap.with_zones((zone,)), zone.name), (snap, None)):
            for mark in MARKS:
                ok = partial(operation_passes, orders=operation.orders, mark=mark)
                smallest = smallest_reserve_ratio(part, zone.index, ok)
                rows.append(
                    Thresholds(
                        knob=f"{LOWMEM_RESERVE_RATIO}[{snap.zone_names[zone.index]}]",
                        operation=operation.id,
                        zone=name,
                        mark=mark,
                        smallest=smallest,
                        largest=None if smallest is None else INT_MAX,
                    )
                )
    return tuple(rows)


def _parts(snap: Snapshot) -> tuple[tuple[Snapshot, str | None], ...]:
    """Return each zone alone, and last the whole list."""
    return (*((snap.with_zones((zone,)), zone.name) for zone in snap.zones), (snap, None))
