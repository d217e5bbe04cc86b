"""One value for a fleet: the one that makes most incidents certain, harms least, and changes the reserve least."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from oomadvisor.fleet.coverage import Coverage, kept_pages
from oomadvisor.fleet.curve import Counts, Curve, Interval
from oomadvisor.fleet.knob import Knob
from oomadvisor.simulate import SetSysctl, Snapshot, apply
from oomadvisor.simulate.change import with_reserve_ratio

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
    """Another value that somebody may prefer, and why."""

    why: str
    point: Point


@dataclass(frozen=True, slots=True)
class Choice:
    """The value, from ``low`` to ``high`` the values beside it that do as well.

    ``asked``: the value was named by the user, not chosen. ``others``: values that somebody may prefer.
    """

    knob: Knob
    point: Point
    low: int
    high: int
    asked: bool
    others: tuple[Other, ...]
    boxes: tuple[BoxMarks, ...]

    @property
    def good(self) -> bool:
        """Whether it helps, and more than it harms."""
        return self.point.counts.helped > self.point.counts.hurt


def choose(
    curve: Curve, coverages: Sequence[Coverage], *, asked: int | None = None, most_boxes: int = 5
) -> Choice | None:
    """Return the choice, or None when no value helps any incident.

    Most certain comes first, then least harmful (cases and bystanders together), then the smallest change in what is
    kept back; of values that are alike even then the largest, which keeps most. Where nothing can be certain, most
    marginal stands for it. ``asked``: take this value, whatever it does.
    """
    boxes = Counter(one.box for one in coverages if one.box is not None)
    if asked is not None:
        low, high = _plateau(curve, asked)
        point = _point(curve, boxes, asked)
    else:
        best = _best(curve.intervals)
        if best is None:
            return None
        kept_least = min(
            ((_change(boxes, curve.knob, value), -value) for value in _candidates(curve, best, coverages)),
        )
        value = -kept_least[1]
        low, high = _plateau(curve, value)
        point = _point(curve, boxes, value)
    marks = tuple(_marks(curve.knob, box, count, point.value) for box, count in _largest(boxes, most_boxes))
    others = _others(curve, boxes, coverages, point)
    return Choice(curve.knob, point, low, high, asked is not None, others, marks)


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


def _plateau(curve: Curve, value: int) -> tuple[int, int]:
    """Return the range around ``value`` that helps and harms as many."""
    now = curve.at(value)
    certain = now.certain > 0
    alike = [one for one in curve.intervals if goodness(one.counts, certain=certain) == goodness(now, certain=certain)]
    return next((low, high) for low, high in _runs(alike) if low <= value <= high)


def _candidates(curve: Curve, best: Iterable[Interval], coverages: Iterable[Coverage]) -> set[int]:
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


def _others(curve: Curve, boxes: Boxes, coverages: Sequence[Coverage], point: Point) -> tuple[Other, ...]:
    """Return other values worth a look: what harms nobody, what helps more, the kernel's default, what is set now."""
    found: dict[int, str] = {}
    counts = point.counts
    if counts.hurt:
        harmless = [one for one in curve.intervals if not one.counts.hurt and one.counts.helped]
        if harmless:
            best = _best(harmless) or []
            found[_nearest(best, point.value)] = "harms nothing"
    more = max(curve.intervals, key=lambda one: (one.counts.helped - one.counts.hurt, -one.counts.hurt))
    if more.counts.helped - more.counts.hurt > counts.helped - counts.hurt:
        alike = [one for one in curve.intervals if one.counts == more.counts]
        found.setdefault(_nearest(alike, point.value), "helps more, at least at MIN")
    defaults = Counter(one.default for one in coverages if one.default is not None and one.role == "case")
    for default, count in sorted(defaults.items(), key=lambda pair: (-pair[1], pair[0]))[:1]:
        found.setdefault(default, f"the kernel's default for {count} of {sum(defaults.values())}")
    for (low, _), count in most_common(present_settings(coverages))[:1]:
        found.setdefault(low, f"set now at {count} of {len(coverages)}")
    return tuple(
        Other(why, _point(curve, boxes, value)) for value, why in sorted(found.items()) if value != point.value
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
