"""Exact thresholds instead of trial values: the settings at which a request or an operation passes."""

from collections.abc import Callable, Sequence
from functools import partial

from oomadvisor.kernel.marks import ZoneMarks
from oomadvisor.kernel.words import INT_MAX
from oomadvisor.model import MARKS, Mark, Operation, Thresholds
from oomadvisor.model.state import LOWMEM_RESERVE_RATIO, MIN_FREE_KBYTES
from oomadvisor.simulate.change import marks_at, with_min_free_kbytes, with_reserve_ratio
from oomadvisor.simulate.lists import lists_of, serve
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
    return _largest(snap.page_kb, lambda value: ok(with_min_free_kbytes(snap, value)))


def _largest(page_kb: int, ok: Callable[[int], bool], near: int = 1) -> int | None:
    """Return the largest value in kB at which ``ok`` holds; looked for first around the page ``near``."""
    if not ok(0):
        return None
    if ok(INT_MAX):
        return INT_MAX
    passing, failing, step = 0, INT_MAX // page_kb, 1
    at = min(max(near, 1), failing - 1)
    if ok(at * page_kb):
        passing = at
        while (at := min(passing + step, failing)) < failing and ok(at * page_kb):
            passing, step = at, step * 2
        failing = at
    else:
        failing = at
        while (at := max(failing - step, 0)) > 0 and not ok(at * page_kb):
            failing, step = at, step * 2
        passing = at
    while failing - passing > 1:
        middle = (passing + failing) // 2
        if ok(middle * page_kb):
            passing = middle
        else:
            failing = middle
    return passing * page_kb + page_kb - 1


def _passing_at(
    snap: Snapshot, orders: tuple[int, ...], mark: Mark, marks: Callable[[int], Sequence[ZoneMarks]]
) -> Callable[[int], bool]:
    """Return whether ``orders`` pass as a function of vm.min_free_kbytes; ``marks`` gives those of all zones.

    The same as :func:`operation_passes` on the snapshot of :func:`with_min_free_kbytes`, which need not be made.
    """
    lists, which = lists_of(snap, mark), MARKS.index(mark)
    placed = [(zone, snap.place(zone.zone)) for zone in lists]

    def passes(min_free_kbytes: int) -> bool:
        at = marks(min_free_kbytes)
        for zone, place in placed:
            zone.begin(at[place][which] + zone.zone.boost)
        return all(serve(lists, order, "smallest") is not None for order in orders)

    return passes


def largest_passing(snap: Snapshot, orders: tuple[int, ...], mark: Mark, *, every_zone: bool = False) -> int | None:
    """Return the largest vm.min_free_kbytes at which ``orders`` pass at ``mark``.

    In some zone: block by block over the zone list. In every zone: each zone alone must serve the whole operation.
    """
    marks = partial(marks_at, snap)
    parts = [snap.with_zones((zone,)) for zone in snap.zones] if every_zone else [snap]
    values = [_largest(snap.page_kb, _passing_at(part, orders, mark, marks)) for part in parts]
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
    marks = partial(marks_at, snap)
    near: dict[Mark, int] = {}
    for part, zone in _parts(asked_by(snap, operation)):
        at_min: int | None = None
        for mark in MARKS:
            # LOW is five quarters of MIN, and HIGH six: where the one is known the others are near. The list passes
            # where its best zone does, or not far above.
            guess = near.get(mark, 1) if zone is None or at_min is None else at_min * 4 // (4 + MARKS.index(mark))
            largest = _largest(snap.page_kb, _passing_at(part, operation.orders, mark, marks), guess // snap.page_kb)
            at_min = largest if mark == "min" else at_min
            near[mark] = max(near.get(mark, 1), largest or 1)
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
