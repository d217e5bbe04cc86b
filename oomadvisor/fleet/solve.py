"""One setting for a fleet: the curve, the choice, what it does to each cause and kernel, and what it does not help."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from math import prod

from oomadvisor.fleet.choice import (
    Choice,
    Point,
    choose,
    goodness,
    most_common,
    present_settings,
    smallest_safe,
)
from oomadvisor.fleet.coverage import Coverage, Said
from oomadvisor.fleet.curve import Counts, Curve, counted, curve
from oomadvisor.fleet.knob import Knob
from oomadvisor.fleet.processes import covered, in_processes, looked, said
from oomadvisor.fleet.query import Fleet
from oomadvisor.simulate import Snapshot

MOST_POINTS = 64
"""A grid of several knobs has at most so many points; each is judged on every incident."""

HELPED = ("certain", "marginal")


class TooManyPoints(ValueError):
    """A grid has more points than are judged; the text says how many."""


Done = Callable[[str, int, int], None]
"""Told what is being done, how many incidents of it are finished, and of how many."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which incident it is, without its state."""

    incident: str
    kernel: str
    cause: str
    signature: str
    signature_text: str
    input: str
    line: int


@dataclass(frozen=True, slots=True)
class Room:
    """How many more of its operation fit at a value, counted over the cases that pass there: the least, and the one in
    the middle. ``cases``: of so many it was counted.
    """

    cases: int
    least: int
    middle: int


@dataclass(frozen=True, slots=True)
class Group:
    """The incidents of one cause or kernel: what the value does to them, and the values that would do best for them.

    ``best``: the range that makes most of them certain and harms least; None where no value helps one.
    """

    name: str
    counts: Counts
    curve: Curve
    best: tuple[int, int] | None
    best_counts: Counts | None


@dataclass(frozen=True, slots=True)
class OwnFix:
    """What would help an incident instead: the best of its own fixes that is not the same knob."""

    id: str
    title: str
    class_: str


@dataclass(frozen=True, slots=True)
class Unhelped:
    """Incidents of one signature that the value does not help, with one example."""

    signature: str
    signature_text: str
    class_: str
    why: str
    count: int
    example: Place
    fix: OwnFix | None
    fix_count: int


@dataclass(frozen=True, slots=True)
class Solved:
    """All that is said about one knob of a fleet. ``choice`` None: no value helps.

    ``occurrences``: the places in the logs where the incidents stand. ``room``: by value, of the choice and the others.
    ``burst_pages``: the burst that the floor keeps safe; None where there is no floor. ``below``: of a zone's ratio
    what the entries of the zones below it are, each combination once.
    """

    knob: Knob
    folder: str
    where: tuple[str, ...]
    incidents: int
    occurrences: int
    finished: bool
    curve: Curve
    choice: Choice | None
    room: dict[int, Room]
    present: tuple[tuple[tuple[int, int], int], ...]
    present_unknown: int
    floor: int
    burst_pages: int | None
    by_cause: tuple[Group, ...]
    by_kernel: tuple[Group, ...]
    unhelped: tuple[Unhelped, ...]
    undecided: tuple[tuple[str, int], ...]
    kernels: tuple[tuple[str, int], ...]
    below: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class GridPoint:
    """Values of several knobs, set together, and what they do. ``moved_permille``: the sum over all
    incidents and values of how far they are from what the box has, in permille of that.
    """

    values: tuple[int, ...]
    counts: Counts
    moved_permille: int


@dataclass(frozen=True, slots=True)
class Grid:
    """A few points of several knobs, each judged on every incident, best first."""

    knobs: tuple[Knob, ...]
    points: tuple[GridPoint, ...]


def solve(
    fleet: Fleet,
    knob: Knob,
    incidents: Sequence[str],
    where: Sequence[str] = (),
    *,
    asked: int | None = None,
    floor: int | None = None,
    burst_pages: int | None = None,
    workers: int = 0,
    done: Done = lambda _what, _count, _all: None,
) -> Solved:
    """Return everything about ``knob`` for these incidents.

    ``floor``: no smaller value is recommended; without it, for vm.min_free_kbytes, it is the smallest at which a burst
    of ``burst_pages`` stays safe. ``asked``: a value to look at instead of choosing one.
    """
    places, coverages = _covered(fleet, knob, incidents, workers, done)
    whole = curve(knob, coverages)
    by_burst = floor is None and knob.zone is None and burst_pages is not None
    if floor is None:
        floor = smallest_safe(coverages, burst_pages) if by_burst and burst_pages is not None else knob.low
    choice = choose(whole, coverages, asked=asked, floor=floor)
    points: list[Point] = [] if choice is None else [choice.point, *(other.point for other in choice.others)]
    value = None if choice is None else choice.point.value
    room = _rooms(fleet, knob, [point.value for point in points], incidents, workers, done)
    grouped = partial(_groups, coverages=coverages, knob=knob, value=value, floor=floor)
    copies = fleet.ask(
        "SELECT coalesce(sum(copies), 0)::BIGINT FROM incidents WHERE incident IN (SELECT unnest(?))", [list(incidents)]
    )
    present = present_settings(coverages)
    undecided = Counter(
        told.why
        for one in coverages
        if one.role == "case" and (told := one.stretches[0].said).class_ == "not decidable"
    )
    return Solved(
        knob=knob,
        folder=str(fleet.folder),
        where=tuple(where),
        incidents=len(places),
        occurrences=int(copies.rows[0][0]),
        finished=fleet.finished,
        curve=whole,
        choice=choice,
        room=room,
        present=tuple(most_common(present)),
        present_unknown=len(coverages) - sum(present.values()),
        floor=floor,
        burst_pages=burst_pages if by_burst else None,
        by_cause=grouped([place.cause for place in places]),
        by_kernel=grouped([place.kernel for place in places]),
        unhelped=_unhelped(fleet, knob, value, places, coverages),
        undecided=tuple(sorted(undecided.items(), key=lambda pair: (-pair[1], pair[0]))),
        kernels=tuple(sorted(Counter(place.kernel for place in places).items(), key=lambda p: (-p[1], p[0]))),
        below=tuple(sorted({one.below for one in coverages if one.box is not None})),
    )


def solve_grid(
    fleet: Fleet,
    knobs: Sequence[Knob],
    values: Sequence[Sequence[int]],
    incidents: Sequence[str],
    *,
    workers: int = 0,
    done: Done = lambda _what, _count, _all: None,
) -> Grid:
    """Return every combination of the values, all of them set together on every incident; best first.

    An empty row of values is filled from the knob's own curve. Raises TooManyPoints.
    """
    given = [tuple(sorted(set(row))) for row in values]
    fixed = prod(len(row) for row in given if row)
    open_ = sum(not row for row in given)
    share = max(int((MOST_POINTS / fixed) ** (1 / open_) + 1e-9), 1) if open_ and fixed <= MOST_POINTS else 1
    rows = [
        row or _axis(knob, _covered(fleet, knob, incidents, workers, done)[1], share)
        for knob, row in zip(knobs, given, strict=True)
    ]
    points = [tuple(zip(knobs, combination, strict=True)) for combination in product(*rows)]
    if len(points) > MOST_POINTS:
        raise TooManyPoints(f"{len(points)} points are more than {MOST_POINTS}; name fewer values")
    sums, moved = [Counts()] * len(points), [0] * len(points)
    states = (one.state for one in fleet.states(incidents))
    for role, answers in in_processes(
        partial(said, points), states, workers, lambda count: done("Judging the grid", count, len(incidents))
    ):
        for n, (told, changes) in enumerate(answers):
            sums[n] = sums[n].plus(counted(role, told))
            moved[n] += changes
    found = [
        GridPoint(tuple(value for _, value in point), total, changes)
        for point, total, changes in zip(points, sums, moved, strict=True)
    ]
    certain = any(one.counts.certain for one in found)
    ordered = sorted(found, key=lambda one: (goodness(one.counts, certain=certain), one.moved_permille, one.values))
    return Grid(tuple(knobs), tuple(ordered))


def _axis(knob: Knob, coverages: Sequence[Coverage], most: int) -> tuple[int, ...]:
    """Return values of one knob that are worth a row: the best alone, what is set now, the default, and the ends of
    the ranges between which most is gained or lost.
    """
    whole = curve(knob, coverages)
    choice = choose(whole, coverages)
    found: list[int] = [] if choice is None else [choice.point.value]
    found += [low for (low, _), _ in most_common(present_settings(coverages))[:1]]
    defaults = Counter(one.default for one in coverages if one.default is not None)
    found += [value for value, _ in sorted(defaults.items(), key=lambda pair: (-pair[1], pair[0]))[:1]]
    steps = zip(whole.intervals, whole.intervals[1:], strict=False)
    ends = sorted(steps, key=lambda pair: (-abs(pair[0].counts.helped - pair[1].counts.helped), pair[0].high))
    found += [value for before, after in ends for value in (before.high, after.low)]
    return tuple(sorted(list(dict.fromkeys([*found, knob.low]))[:most]))


def _covered(
    fleet: Fleet, knob: Knob, incidents: Sequence[str], workers: int, done: Done
) -> tuple[list[Place], list[Coverage]]:
    """Return the incidents with their step functions, in the order of their identity."""
    places: list[Place] = []

    def states() -> Iterator[str]:
        for one in fleet.states(incidents):
            cause, kernel = one.cause or "unknown", one.kernel or "unknown"
            places.append(Place(one.incident, kernel, cause, one.signature, one.signature_text, one.input, one.line))
            yield one.state

    told = in_processes(
        partial(covered, knob),
        states(),
        workers,
        lambda count: done(f"Every value of {knob.name}", count, len(incidents)),
    )
    known: dict[Snapshot | None, Snapshot | None] = {}
    # Boxes of one kind come back from the processes as many copies; one of them is enough.
    coverages = [replace(one, box=known.setdefault(one.box, one.box)) for one in told]
    ordered = sorted(zip(places, coverages, strict=True), key=lambda pair: pair[0].incident)
    return [place for place, _ in ordered], [one for _, one in ordered]


def _rooms(
    fleet: Fleet,
    knob: Knob,
    values: Sequence[int],
    incidents: Sequence[str],
    workers: int,
    done: Done,
) -> dict[int, Room]:
    """Return how much room there is at each value, over the cases that pass there."""
    if not values:
        return {}
    children: dict[int, list[int]] = {value: [] for value in values}
    states = (one.state for one in fleet.states(incidents))
    for role, answers in in_processes(
        partial(looked, knob, values), states, workers, lambda count: done("Counting the room", count, len(incidents))
    ):
        for value, (told, count) in zip(values, answers, strict=True):
            if role == "case" and told.class_ in HELPED and count is not None:
                children[value].append(count)
    return {
        value: Room(len(counts), min(counts), sorted(counts)[len(counts) // 2])
        for value, counts in children.items()
        if counts
    }


def _groups(
    names: Sequence[str], coverages: Sequence[Coverage], knob: Knob, value: int | None, floor: int
) -> tuple[Group, ...]:
    by_name: dict[str, list[Coverage]] = {}
    for name, one in zip(names, coverages, strict=True):
        by_name.setdefault(name, []).append(one)
    found = []
    for name, own in by_name.items():
        whole = curve(knob, own)
        best = choose(whole, own, floor=floor, most_boxes=0)
        found.append(
            Group(
                name=name,
                counts=whole.at(knob.low if value is None else value),
                curve=whole,
                best=None if best is None else (best.low, best.high),
                best_counts=None if best is None else best.point.counts,
            )
        )
    return tuple(sorted(found, key=lambda one: (-one.counts.cases - one.counts.bystanders, one.name)))


def _unhelped(
    fleet: Fleet, knob: Knob, value: int | None, places: Sequence[Place], coverages: Sequence[Coverage]
) -> tuple[Unhelped, ...]:
    """Return the cases that do not pass at the value, by signature and class, most first."""
    groups: dict[tuple[str, str], list[tuple[Place, Said]]] = {}
    for place, one in zip(places, coverages, strict=True):
        told = one.at(knob.low if value is None else value)
        if one.role == "case" and told.class_ not in HELPED:
            groups.setdefault((place.signature, told.class_), []).append((place, told))
    fixes = _own_fixes(fleet, knob, [place.incident for found in groups.values() for place, _ in found])
    result = []
    for (signature, class_), found in groups.items():
        own = Counter(fix for place, _ in found if (fix := fixes.get(place.incident)) is not None)
        best = min(own.items(), key=lambda pair: (-pair[1], pair[0].id), default=(None, 0))
        example = min((place for place, _ in found), key=lambda place: (place.input, place.line))
        why = Counter(told.why for _, told in found)
        result.append(
            Unhelped(
                signature=signature,
                signature_text=example.signature_text,
                class_=class_,
                why=min(why.items(), key=lambda pair: (-pair[1], pair[0]))[0],
                count=len(found),
                example=example,
                fix=best[0],
                fix_count=best[1],
            )
        )
    return tuple(sorted(result, key=lambda one: (-one.count, one.signature, one.class_)))


def _own_fixes(fleet: Fleet, knob: Knob, incidents: Sequence[str]) -> dict[str, OwnFix]:
    """Return the best fix of each incident that does not turn the same knob."""
    rows = fleet.ask(
        "SELECT incident, id, title, class FROM fixes WHERE incident IN (SELECT unnest(?)) "
        "AND NOT list_contains(list_transform(changes, lambda one: one.knob), ?) "
        "QUALIFY row_number() OVER (PARTITION BY incident ORDER BY rank) = 1",
        [list(incidents), knob.sysctl],
    ).rows
    return {incident: OwnFix(id_, title, class_) for incident, id_, title, class_ in rows}
