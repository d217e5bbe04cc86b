"""The sentences about a fleet that text, page and exported files share."""

from collections.abc import Iterator
from dataclasses import dataclass

from oomadvisor.fleet.choice import Choice, Kept, Point
from oomadvisor.fleet.curve import Counts, Interval
from oomadvisor.fleet.overview import Overview, Row
from oomadvisor.fleet.solve import Room, Solved, Unhelped
from oomadvisor.fleet.when import Known
from oomadvisor.kernel.words import INT_MAX

CLASSES = ("certain", "marginal", "no effect", "harmful", "bounded", "not decidable")
MOST_CURVE_ROWS = 16
MOST_UNHELPED = 12

TIME_WORDS: dict[Known, str] = {
    "day": "with a date",
    "day without year": "with a day and no year",
    "since boot": "with the time since boot only",
    "time of day": "with the time of day only",
    "none": "without any time",
}


def percent(count: int, whole: int) -> str:
    """Return a share with one decimal, rounded; of nothing it is ``-``.

    >>> percent(256, 277), percent(1, 1), percent(0, 0)
    ('92.4 %', '100.0 %', '-')
    """
    if not whole:
        return "-"
    permille = (count * 1000 + whole // 2) // whole
    return f"{permille // 10}.{permille % 10} %"


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return a number with its word.

    >>> plural(1, "copy", "copies"), plural(2, "log")
    ('1 copy', '2 logs')
    """
    return f"{count} {one if count == 1 else many or one + 's'}"


def range_words(low: int, high: int) -> str:
    """Return a range of values; that of the kernel's largest number is open.

    >>> range_words(0, 19), range_words(7, 7), range_words(8, 2**31 - 1)
    ('0–19', '7', '8 and more')
    """
    if high >= INT_MAX:
        return f"{low} and more"
    return str(low) if low == high else f"{low}–{high}"


def span_kb(low: int, high: int) -> str:
    return f"{low} kB" if low == high else f"{low}–{high} kB"


def by_class(counts: Counts) -> tuple[tuple[str, int], ...]:
    """Return the classes of the cases with their numbers."""
    return tuple(zip(CLASSES, counts[:6], strict=True))


def result_words(counts: Counts) -> str:
    """Say what a value does, in one sentence."""
    parts = [f"{name} for {count}" for name, count in by_class(counts)[1:] if count]
    rest = f"; {', '.join(parts)}" if parts else ""
    return f"certain for {counts.certain} of {counts.cases} incidents ({percent(counts.certain, counts.cases)}){rest}"


def what_words(solved: Solved) -> str:
    """Say what was looked at."""
    cases, bystanders = solved.curve.intervals[0].counts.cases, solved.curve.intervals[0].counts.bystanders
    words = [f"{plural(cases, 'incident')} that a value could help"]
    if bystanders:
        words.append(
            f"{bystanders} beside them that pass the check as they are (healthy pictures of the memory, kills that "
            "were about something else): they can only be harmed"
        )
    return "; ".join(words) + "."


def copies_words(incidents: int, occurrences: int) -> str:
    """Say how many of what the logs hold tell of the same incident again."""
    if occurrences == incidents:
        return "No incident stands in the logs twice."
    again = plural(occurrences - incidents, "place", "places")
    return f"{again} in the logs tell of an incident that another one tells of already; each counts once."


def unfinished_words() -> str:
    return "The run that read the logs did not come to its end: these are the incidents it had found by then."


def command(solved: Solved, choice: Choice) -> str | None:
    """Return the line for a shell that sets the value now; None where the boxes differ in what is written along."""
    if len(solved.below) > 1:
        return None
    value = " ".join(map(str, (*(entry for row in solved.below for entry in row), choice.point.value)))
    return f"echo {value} > /proc/sys/{choice.knob.sysctl.replace('.', '/')}"


def choice_title(choice: Choice) -> str:
    """Return the heading above the value."""
    if choice.asked:
        return "The value you named"
    return "Set this" if choice.good else "The best value, and not a good one"


def reasons(solved: Solved) -> Iterator[str]:
    """Yield why the value is this one. Nothing is said of a value that the user named."""
    choice = solved.choice
    if choice is None or choice.asked:
        return
    knob, counts = choice.knob, choice.point.counts
    start = f" from {choice.floor} on" if choice.floor > knob.low else ""
    most = "certain" if counts.certain else "marginal"
    number = counts.certain or counts.marginal
    none = "" if counts.certain else "No value makes any incident certain. "
    yield (
        f"{none}No value{start} makes more incidents {most} than {number} of {counts.cases}, "
        + ("and of those that do none harms fewer." if counts.hurt else "and this one harms nothing.")
    )
    if choice.low == choice.high:
        yield f"It is the only value{start} that does."
    else:
        does = f"Every value from {choice.low} to {choice.high} does as well"
        if choice.point.kept is not None and choice.point.kept.change_kb == 0:
            yield f"{does}; at {choice.point.value} nothing changes in what is kept back."
        else:
            what = "interrupts" if knob.zone is None else f"zone {knob.zone}"
            yield f"{does}; {choice.point.value} changes least in what is kept for {what}, summed over all boxes."
    if solved.burst_pages is not None and choice.below is not None:
        yield (
            f"Smaller values are left out: below {solved.floor} a burst of {solved.burst_pages} pages (a network with "
            f"64 buffers of 2 kB) is no longer sure of its memory. {choice.below.value} would be "
            f"{result_words(choice.below.counts)}. --floor 0 takes them in."
        )


def warnings(solved: Solved) -> Iterator[str]:
    """Yield what must be known before the value is set anywhere."""
    choice = solved.choice
    if choice is None:
        return
    counts = choice.point.counts
    if counts.hurt and counts.hurt >= counts.helped:
        yield f"It harms {counts.hurt} and helps {counts.helped}: this is no value for the whole fleet."
    if counts.harmful:
        worse = f", and {counts.breaks} of them lose something that passed" if counts.breaks else ""
        yield (
            f"Harmful to {plural(counts.harmful, 'incident')}: the marks or reserves of these boxes rise, so that the "
            f"test gets stricter{worse}."
        )
    if counts.harmed:
        yield f"{plural(counts.harmed, 'bystander')} would fail that pass now."
    if counts.weakened:
        yield f"{plural(counts.weakened, 'bystander')} would pass at MIN only, and pass at HIGH now."
    room = solved.room.get(choice.point.value)
    if room is not None and room.least == 0 and counts.certain:
        yield (
            "At some incidents the operation passes once and no further one that stays alive: the value stops the kill "
            "of the report, and leaves no room."
        )


def price_words(choice: Choice, kept: Kept) -> str:
    """Say what is kept back before and after."""
    before, after = span_kb(kept.before_low_kb, kept.before_high_kb), span_kb(kept.after_low_kb, kept.after_high_kb)
    if choice.knob.zone is None:
        return f"When memory runs low, interrupts can take {after}; now it is {before}, depending on the box."
    return f"Zone {choice.knob.zone} keeps {after} from requests that other zones may serve; now it is {before}."


def room_words(room: Room) -> str:
    """Say how many more fit."""
    return f"{room.middle} more in the middle, {room.least} at least"


def no_choice_words(solved: Solved) -> str:
    """Say why there is no value."""
    start = f" from {solved.floor} on" if solved.floor > solved.knob.low else ""
    free = any(one.counts.helped for one in solved.curve.intervals)
    said = f"No value of {solved.knob.name}{start} helps any of these incidents."
    if free:
        said += f" Smaller ones would help some; below {solved.floor} interrupts are no longer sure of their memory."
    return said


@dataclass(frozen=True, slots=True)
class CurveRow:
    """A row of the curve: an exact interval, and a word where its values are worth a look."""

    interval: Interval
    note: str


def curve_rows(solved: Solved) -> tuple[tuple[CurveRow, ...], int]:
    """Return intervals of the curve, and how many are left out: of many those that hold a value with a name, and those
    at which the number of certain ones has fallen by another eighth.
    """
    intervals = solved.curve.intervals
    named = named_values(solved)
    places = {value: next(n for n, one in enumerate(intervals) if one.low <= value <= one.high) for value in named}
    chosen = set(range(len(intervals)))
    if len(intervals) > MOST_CURVE_ROWS:
        most = max(one.counts.certain for one in intervals)
        chosen = {0, len(intervals) - 1, *places.values()}
        for eighth in range(8):
            bound = most * (8 - eighth) / 8
            falls = [n for n, one in enumerate(intervals) if one.counts.certain >= bound and most]
            chosen |= {falls[-1]} if falls else set()
    rows = tuple(
        CurveRow(intervals[n], "; ".join(f"{value}: {named[value]}" for value in sorted(named) if places[value] == n))
        for n in sorted(chosen)
    )
    return rows, len(intervals) - len(rows)


def named_values(solved: Solved) -> dict[int, str]:
    """Return the values that a reader looks for, each with a word."""
    choice = solved.choice
    if choice is None:
        return {low: f"now at {count}" for (low, _), count in solved.present[:1]}
    return {
        **{other.point.value: other.short for other in choice.others},
        choice.point.value: "asked for" if choice.asked else "recommended",
    }


def points(choice: Choice) -> list[tuple[Point, str]]:
    """Return the chosen value and the others, by value, each with a word."""
    chosen = (choice.point, "asked for" if choice.asked else "recommended")
    return sorted([chosen, *((o.point, o.why) for o in choice.others)], key=lambda pair: pair[0].value)


def unhelped_words(one: Unhelped) -> str:
    """Say what would help instead."""
    if one.fix is None:
        return "no fix of their own is proved"
    of = "" if one.fix_count == one.count else f" (for {one.fix_count} of them)"
    return f"{one.fix.title} [{one.fix.class_.upper()}]{of}"


def read_words(overview: Overview) -> str:
    """Say what was read."""
    size = overview.bytes
    unit = next((unit for unit in ("B", "kB", "MB", "GB") if size < 10_000 or not (size := size // 1000)), "TB")
    bad = f", {overview.unreadable_inputs} of them not readable" if overview.unreadable_inputs else ""
    return f"{plural(overview.inputs, 'input')} ({size} {unit}, {plural(overview.lines, 'line')}){bad}."


def time_words(overview: Overview) -> str:
    """Say of how many incidents the time is known."""
    parts = [f"{count} {TIME_WORDS[known]}" for known, count in overview.times]
    return f"{', '.join(parts)}." if parts else ""


def table_title(name: str) -> str:
    """Return the heading of a table."""
    words = {
        "first_cause": "By cause",
        "kernel": "By kernel",
        "kind": "By kind of event",
        "arch": "By architecture",
        "comm": "By task",
        "caller": "By caller",
        "input": "By input",
    }
    return words.get(name, f"By {name.removeprefix('label:')}")


def cause_words(row: Row) -> str:
    """Say which first cause most incidents of a row have."""
    if row.cause is None:
        return "-"
    return row.cause if row.of_cause == row.incidents else f"{row.cause} ({row.of_cause})"
