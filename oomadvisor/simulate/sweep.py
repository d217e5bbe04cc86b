"""One knob moved over a range: the exact values at which the answer changes, and points in between to draw."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from oomadvisor.model import Operation
from oomadvisor.model.state import MIN_FREE_KBYTES
from oomadvisor.model.trial import Segment, Sweep, SweepPoint
from oomadvisor.model.verification import VerificationClass
from oomadvisor.simulate.change import with_min_free_kbytes, with_reserve_ratio
from oomadvisor.simulate.headroom import children_range
from oomadvisor.simulate.price import atomic_pages
from oomadvisor.simulate.replay import operation_passes
from oomadvisor.simulate.snapshot import Snapshot, asked_by
from oomadvisor.simulate.whatif import classify

MOST_POINTS = 24


class _Answer(NamedTuple):
    """What makes two values the same. A class that only says which way the bound moved depends on the present value."""

    class_: VerificationClass
    passes_min: bool
    passes_low: bool
    passes_high: bool


def sweep(
    snap: Snapshot,
    operation: Operation,
    knob: str,
    low: int,
    high: int,
    *,
    marked: dict[int, str] | None = None,
    zone: int | None = None,
) -> Sweep:
    """Move vm.min_free_kbytes, or the lowmem_reserve_ratio of the zone with index ``zone``, from ``low`` to ``high``.

    Every answer is monotone in the knob (a larger mark or reserve never passes where a smaller one failed), so two
    values with the same answer have it all the way between them, and the edges are found by bisection. ``marked``:
    values worth a point of their own, each with the word that says why.
    """
    at: Callable[[int], Snapshot]
    snap = asked_by(snap, operation)
    if zone is None:
        assert knob == MIN_FREE_KBYTES

        def at(value: int) -> Snapshot:
            return with_min_free_kbytes(snap, value)
    else:

        def at(value: int) -> Snapshot:
            return with_reserve_ratio(snap, zone, value)

    @cache
    def answer(value: int) -> _Answer:
        after = at(value)
        passes = (operation_passes(after, operation.orders, mark) for mark in ("min", "low", "high"))
        class_ = classify(snap, after, operation)
        if not snap.family.measured and class_ in ("certain", "marginal"):
            class_ = "not decidable"  # the test passes, and what this kernel does after it was never run
        return _Answer(class_, *passes)

    segments = tuple(
        Segment(low=first, high=last, **answer(first)._asdict()) for first, last in _edges(answer, low, high)
    )
    words = {value: word for value, word in (marked or {}).items() if low <= value <= high}
    points = []
    for value in _values(segments, low, high, words):
        after = at(value)
        least, most = children_range(after, operation) if snap.family.measured else (None, None)
        points.append(
            SweepPoint(
                value=value,
                headroom=least,
                headroom_high=None if least == most else most,
                atomic_pages=atomic_pages(after),
                note=words.get(value),
                **answer(value)._asdict(),
            )
        )
    return Sweep(knob=knob, low=low, high=high, operation=operation.id, segments=segments, points=tuple(points))


def _edges(answer: Callable[[int], _Answer], low: int, high: int) -> list[tuple[int, int]]:
    """Return the first and last value of each stretch with one answer."""
    stretches = []
    first = low
    while first <= high:
        last = _last_with(answer, first, high)
        stretches.append((first, last))
        first = last + 1
    return stretches


def _last_with(answer: Callable[[int], _Answer], first: int, high: int) -> int:
    """Return the last value up to ``high`` whose answer is that of ``first``."""
    if answer(high) == answer(first):
        return high
    same, other = first, high
    while other - same > 1:
        middle = (same + other) // 2
        if answer(middle) == answer(first):
            same = middle
        else:
            other = middle
    return same


def _values(segments: tuple[Segment, ...], low: int, high: int, marked: dict[int, str]) -> list[int]:
    """Return the ends of the segments, the marked values, and powers of two while there is room."""
    chosen = {low, high, *marked}
    for segment in segments:
        chosen |= {segment.low, segment.high}
    power = 1
    while power <= high and len(chosen) < MOST_POINTS:
        if power >= low:
            chosen.add(power)
        power *= 2
    return sorted(chosen)
