"""One value for a fleet: the one that makes most incidents certain, harms least, and changes the reserve least."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from oomadvisor.fleet.coverage import Coverage, kept_pages
from oomadvisor.fleet.curve import Counts, Curve, Interval
from oomadvisor.fleet.knob import Knob
from oomadvisor.simulate import SetSysctl, Snapshot, apply
from oomadvisor.simulate.change import with_reserve_ratio
from oomadvisor.simulate.price import pcp_margin_pages, safe_burst_pages

NEARLY = 95
"""Percent of the most certain incidents that another value must reach to be worth a line of its own."""

Boxes = Mapping[Snapshot, int]
"""How many incidents there are of each kind of box and setting."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a value keeps back on the boxes of a fleet, least and most, in kB, now and then.

    ``change_kb``: the sum over all incidents of how far it moves, which is what the choice makes small. ``boxes``: of
    so many incidents it is known.
    """

    boxes: int
    before_low_kb: int
    before_high_kb: int
    after_low_kb: int
    after_high_kb: int
    change_kb: int


@dataclass(frozen=True, slots=True)
class ZoneMarks:
    """A zone's marks and its reserve against the requests in question, in pages, before and after."""

    zone: str
    before: tuple[int, int, int]
    after: tuple[int, int, int]
    reserve_before: int
    reserve_after: int


@dataclass(frozen=True, slots=True)
class BoxMarks:
    """What a value makes of one kind of box: of ``incidents`` incidents, with ``ram_kb`` in the zones in question."""

    incidents: int
    ram_kb: int
    kept_before_kb: int | None
    kept_after_kb: int | None
    zones: tuple[ZoneMarks, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """A value with all that is said about it. ``kept`` None: it is not known of any box."""

    value: int
    counts: Counts
    kept: Kept | None


@dataclass(frozen=True, slots=True)
class Other:
    """Another value that somebody may prefer, and why: in a word or two, and in full."""

    short: str
    why: str
    point: Point


@dataclass(frozen=True, slots=True)
class Choice:
    """The value, from ``low`` to ``high`` the values beside it that do as well.

    ``asked``: the value was named by the user, not chosen. ``floor``: no smaller value was looked at, and ``below``:
    what the best of those would have been. ``others``: values that somebody may prefer.
    """

    knob: Knob
    point: Point
    low: int
    high: int
    asked: bool
    floor: int
    below: Point | None
    others: tuple[Other, ...]
    boxes: tuple[BoxMarks, ...]

    @property
    def good(self) -> bool:
        """Whether it helps, and more than it harms."""
        return self.point.counts.helped > self.point.counts.hurt


def choose(
    curve: Curve, coverages: Sequence[Coverage], *, asked: int | None = None, floor: int = 0, most_boxes: int = 5
) -> Choice | None:
    """Return the choice, or None when no value from ``floor`` on helps any incident.

    Most certain comes first, then least harmful (cases and bystanders together), then the smallest change in what is
    kept back; of values that are alike even then the largest, which keeps most. Where nothing can be certain, most
    marginal stands for it. ``asked``: take this value, whatever it does.
    """
    boxes = Counter(one.box for one in coverages if one.box is not None)
    floor = max(floor, curve.knob.low)
    free, lowest = _best(curve.intervals), _best(_from(curve.intervals, floor))
    value = asked if asked is not None else _least_change(curve.knob, boxes, lowest, coverages)
    if value is None:
        return None
    low, high = _plateau(curve, value, 0 if value < floor else floor)
    below = None
    if free and asked is None and _runs(free)[0][0] < floor and free[0].counts != curve.at(value):
        below = _point(curve, boxes, _runs(free)[-1][1])
    point = _point(curve, boxes, value)
    return Choice(
        knob=curve.knob,
        point=point,
        low=low,
        high=high,
        asked=asked is not None,
        floor=floor,
        below=below,
        others=_others(curve, boxes, coverages, point, floor),
        boxes=tuple(_marks(curve.knob, box, count, value) for box, count in _largest(boxes, most_boxes)),
    )


def smallest_safe(coverages: Iterable[Coverage], burst_pages: int) -> int:
    """Return the smallest vm.min_free_kbytes at which a burst of so many single pages stays safe on every box.

    A box whose own kernel sets less by default counts with its default. Kernels whose interrupts were not measured do
    not count.
    """
    boxes = {(one.box, one.default) for one in coverages if one.box is not None and one.box.family.measured}
    found = 0
    for box, default in boxes:
        needed = -(-32 * (burst_pages + pcp_margin_pages(box)) // 5)
        while needed and safe_burst_pages(box, needed - 1) >= burst_pages:
            needed -= 1
        found = max(found, needed if default is None else min(needed, default))
    return found


def _least_change(
    knob: Knob, boxes: Boxes, best: Sequence[Interval] | None, coverages: Sequence[Coverage]
) -> int | None:
    if not best:
        return None
    return -min((_change(boxes, knob, value), -value) for value in _candidates(best, coverages))[1]


def _from(intervals: Iterable[Interval], floor: int) -> list[Interval]:
    """Return the intervals as far as they lie at or above ``floor``."""
    return [one._replace(low=max(one.low, floor)) for one in intervals if one.high >= floor]


def goodness(counts: Counts, *, certain: bool) -> tuple[int, int]:
    """Return what decides first, smallest best: how many are helped, then how many are harmed."""
    return -(counts.certain if certain else counts.marginal), counts.hurt


def _best(intervals: Iterable[Interval]) -> list[Interval] | None:
    """Return the intervals that help most and harm least; None when none helps."""
    intervals = list(intervals)
    certain = any(one.counts.certain for one in intervals)
    if not certain and not any(one.counts.marginal for one in intervals):
        return None
    least = min(goodness(one.counts, certain=certain) for one in intervals)
    return [one for one in intervals if goodness(one.counts, certain=certain) == least]


def _runs(intervals: Iterable[Interval]) -> list[tuple[int, int]]:
    """Return neighbours as one range."""
    runs: list[tuple[int, int]] = []
    for one in intervals:
        if runs and runs[-1][1] + 1 == one.low:
            runs[-1] = runs[-1][0], one.high
        else:
            runs.append((one.low, one.high))
    return runs


def _plateau(curve: Curve, value: int, floor: int) -> tuple[int, int]:
    """Return the range around ``value`` that helps and harms as many, from ``floor`` on."""
    now = curve.at(value)
    certain = now.certain > 0
    whole = _from(curve.intervals, floor)
    alike = [one for one in whole if goodness(one.counts, certain=certain) == goodness(now, certain=certain)]
    return next((low, high) for low, high in _runs(alike) if low <= value <= high)


def _candidates(best: Iterable[Interval], coverages: Iterable[Coverage]) -> set[int]:
    """Return the values that can change least: the sum of distances turns at the values of the boxes and at the ends.

    What a value keeps back grows with it (or shrinks, with a ratio), so between two of these it only grows or shrinks.
    """
    places = {value for one in coverages for value in one.present or ()}
    found: set[int] = set()
    for low, high in _runs(best):
        found |= {low, high, *(value for value in places if low <= value <= high)}
    return found


def _change(boxes: Boxes, knob: Knob, value: int) -> int:
    """Return the sum over all incidents of how far the value moves what is kept back, in kB."""
    moved = 0
    for box, count in boxes.items():
        before, after = kept_pages(box, knob, None), kept_pages(box, knob, value)
        if before is not None and after is not None:
            moved += count * abs(after - before) * box.page_kb
    return moved


def _point(curve: Curve, boxes: Boxes, value: int) -> Point:
    pairs = [
        (before * box.page_kb, after * box.page_kb, count)
        for box, count in boxes.items()
        if (before := kept_pages(box, curve.knob, None)) is not None
        and (after := kept_pages(box, curve.knob, value)) is not None
    ]
    if not pairs:
        return Point(value, curve.at(value), None)
    befores, afters, counts = zip(*pairs, strict=True)
    kept = Kept(
        boxes=sum(counts),
        before_low_kb=min(befores),
        before_high_kb=max(befores),
        after_low_kb=min(afters),
        after_high_kb=max(afters),
        change_kb=sum(count * abs(after - before) for before, after, count in pairs),
    )
    return Point(value, curve.at(value), kept)


def _largest(boxes: Boxes, most: int) -> list[tuple[Snapshot, int]]:
    """Return the kinds of box with the most incidents; of equal ones the smaller first, so that the order is stable."""
    ordered = sorted(boxes.items(), key=lambda pair: (-pair[1], pair[0].present, _marks_of(pair[0])))
    return ordered[:most]


def _marks_of(box: Snapshot) -> tuple[tuple[int, int, int], ...]:
    return tuple((zone.mark_min, zone.mark_low, zone.mark_high) for zone in box.zones)


def _marks(knob: Knob, box: Snapshot, incidents: int, value: int) -> BoxMarks:
    index = next((zone.index for zone in box.zones if zone.name == knob.zone), None)
    after = box
    if knob.zone is None:
        after = apply(box, SetSysctl(knob.sysctl, (value,)))
    elif index is not None and index < len(box.zone_names) - 1:
        after = with_reserve_ratio(box, index, value)
    pages = kept_pages(box, knob, None), kept_pages(box, knob, value)
    return BoxMarks(
        incidents=incidents,
        ram_kb=sum(zone.present for zone in box.zones) * box.page_kb,
        kept_before_kb=None if pages[0] is None else pages[0] * box.page_kb,
        kept_after_kb=None if pages[1] is None else pages[1] * box.page_kb,
        zones=tuple(
            ZoneMarks(old.name, marks, new_marks, old.reserve, new.reserve)
            for old, new, marks, new_marks in zip(box.zones, after.zones, _marks_of(box), _marks_of(after), strict=True)
        ),
    )


def _others(curve: Curve, boxes: Boxes, coverages: Sequence[Coverage], point: Point, floor: int) -> tuple[Other, ...]:
    """Return other values worth a look: what harms nothing, what helps more, nearly as much for less of a change, the
    kernel's default, what is set now.
    """
    found: dict[int, tuple[str, str]] = {}
    counts, intervals = point.counts, _from(curve.intervals, floor)
    if counts.hurt:
        best = _best(one for one in intervals if not one.counts.hurt)
        if best:
            found[_nearest(best, point.value)] = "harms nothing", "the best of those that harm nothing"
    gains = [one.counts.helped - one.counts.hurt for one in intervals]
    if gains and max(gains) > counts.helped - counts.hurt:
        alike = [one for one, gain in zip(intervals, gains, strict=True) if gain == max(gains)]
        found.setdefault(_nearest(alike, point.value), ("helps more", "helps more, if at MIN only"))
    nearly = [
        one
        for one in intervals
        if one.counts.certain * 100 >= NEARLY * counts.certain and one.counts.hurt <= counts.hurt
    ]
    if counts.certain and nearly:
        value = _least_change(curve.knob, boxes, nearly, coverages)
        if value is not None and _change(boxes, curve.knob, value) < _change(boxes, curve.knob, point.value):
            why = f"at least {NEARLY} % of the certain ones, for less of a change"
            found.setdefault(value, ("nearly as many", why))
    defaults = Counter(one.default for one in coverages if one.default is not None)
    for default, count in sorted(defaults.items(), key=lambda pair: (-pair[1], pair[0]))[:1]:
        found.setdefault(default, ("default", f"the kernel's default at {count} of {len(coverages)}"))
    for (low, _), count in most_common(present_settings(coverages))[:1]:
        found.setdefault(low, (f"now at {count}", f"set now at {count} of {len(coverages)}"))
    return tuple(
        Other(short, why, _point(curve, boxes, value))
        for value, (short, why) in sorted(found.items())
        if value != point.value
    )


def _nearest(intervals: Iterable[Interval], value: int) -> int:
    """Return the value of the intervals that is nearest to ``value``."""
    return min((min(max(one.low, value), one.high) for one in intervals), key=lambda near: (abs(near - value), near))


def present_settings(coverages: Iterable[Coverage]) -> Counter[tuple[int, int]]:
    """Return how many incidents there are with each interval of the present value, where it is known."""
    return Counter(one.present for one in coverages if one.present is not None)


def most_common(counter: Counter[tuple[int, int]]) -> list[tuple[tuple[int, int], int]]:
    """Return the entries, most first; of equal ones the smaller value first."""
    return sorted(counter.items(), key=lambda pair: (-pair[1], pair[0]))
