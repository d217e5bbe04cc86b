"""What a fleet holds: incidents by signature, cause, kernel, label and day, each counted once."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from oomadvisor.fleet.query import Fleet, label_value
from oomadvisor.fleet.when import Known, day_of

COLUMNS = ("kind", "kernel", "arch", "comm", "order", "operation", "caller", "zone", "victim", "first_cause", "input")
"""What incidents can be counted by besides their labels."""
MOST_DAYS = 62
"""More days than this are counted by month."""
MOST_LABELS = 3
"""So many labels are counted by without being asked for."""


class NoSuchColumn(ValueError):
    """Incidents cannot be counted by this; the text says by what they can."""


@dataclass(frozen=True, slots=True)
class Row:
    """Incidents that have a value in common; ``value`` None: it is not known of these. ``cause``: their most frequent
    first cause, of so many of them.
    """

    value: str | None
    incidents: int
    copies: int
    cause: str | None
    of_cause: int


@dataclass(frozen=True, slots=True)
class Table:
    """Incidents by one column, most first. ``values``: how many different ones there are, shown or not."""

    name: str
    rows: tuple[Row, ...]
    values: int


@dataclass(frozen=True, slots=True)
class Signature:
    """Incidents that went the same way, with one example and the fix that comes first for most of them."""

    signature: str
    text: str
    cause: str | None
    operation: str | None
    zone: str | None
    order: int | None
    caller: str | None
    incidents: int
    copies: int
    kernels: int
    example_input: str
    example_line: int
    example_summary: str
    fix: str | None
    fix_title: str | None
    fix_class: str | None
    of_fix: int


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An input that could not be read, or not to its end."""

    input: str
    state: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it. ``occurrences``: places in the logs; what is more than ``incidents`` tells of the same ones again.

    ``days``: incidents by day, or by month where there are many days; ``days_without_year`` apart, because they have no
    place among the others. ``times``: how many incidents bear which kind of time.
    """

    folder: str
    finished: bool
    incidents: int
    occurrences: int
    inputs: int
    bytes: int
    lines: int
    unreadable_inputs: int
    signatures: tuple[Signature, ...]
    signatures_found: int
    tables: tuple[Table, ...]
    days: tuple[tuple[str, int], ...]
    days_without_year: tuple[tuple[str, int], ...]
    times: tuple[tuple[Known, int], ...]
    unreadable: tuple[Unreadable, ...]
    reasons: tuple[tuple[str, int], ...]
    warnings: tuple[tuple[str, int], ...]


def overview(fleet: Fleet, by: Sequence[str] = (), most: int = 20) -> Overview:
    """Return the overview; ``most`` rows of each table.

    ``by``: columns of :data:`COLUMNS`, or ``label:NAME``. Raises NoSuchColumn.
    """
    labels = [row[0] for row in fleet.ask("SELECT DISTINCT unnest(map_keys(labels)) FROM incidents ORDER BY 1").rows]
    wanted = list(dict.fromkeys(["first_cause", "kernel", "kind", *by]))
    if not by:
        wanted += [f"label:{name}" for name in labels[:MOST_LABELS]]
    tables = tuple(_table(fleet, name, labels, most) for name in wanted)
    ((incidents, occurrences),) = fleet.ask("SELECT count(*), coalesce(sum(copies), 0)::BIGINT FROM incidents").rows
    ((inputs, size, lines, bad),) = fleet.ask(
        "SELECT count(*), coalesce(sum(size), 0)::BIGINT, coalesce(sum(lines), 0)::BIGINT, "
        "count(*) FILTER (state <> 'finished') FROM inputs"
    ).rows
    signatures = tuple(Signature(*row) for row in fleet.ask(_SIGNATURES, [most]).rows)
    ((found,),) = fleet.ask("SELECT count(DISTINCT signature) FROM incidents").rows
    unreadable = fleet.ask(
        "SELECT input, state, reason FROM inputs WHERE state <> 'finished' ORDER BY input LIMIT ?", [most]
    ).rows
    reasons = fleet.ask(
        "SELECT coalesce(reason, 'unknown'), count(*) FROM inputs WHERE state <> 'finished' GROUP BY 1 "
        "ORDER BY 2 DESC, 1 LIMIT ?",
        [most],
    ).rows
    warnings = fleet.ask("SELECT code, count(*) FROM warnings GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?", [most]).rows
    days, without_year, times = _days(fleet)
    return Overview(
        folder=str(fleet.folder),
        finished=fleet.finished,
        incidents=incidents,
        occurrences=occurrences,
        inputs=inputs,
        bytes=size,
        lines=lines,
        unreadable_inputs=bad,
        signatures=signatures,
        signatures_found=found,
        tables=tables,
        days=days,
        days_without_year=without_year,
        times=times,
        unreadable=tuple(Unreadable(*row) for row in unreadable),
        reasons=tuple((reason, count) for reason, count in reasons),
        warnings=tuple((code, count) for code, count in warnings),
    )


_SIGNATURES = """
WITH fixed AS (
  SELECT one.*, fix.title AS fix_title
  FROM incidents AS one LEFT JOIN fixes AS fix ON fix.incident = one.incident AND fix.rank = 1
), by_fix AS (
  SELECT signature, first_fix, min(fix_title) AS title, first_fix_class AS class, count(*) AS many,
    row_number() OVER (PARTITION BY signature ORDER BY count(*) DESC, first_fix, first_fix_class) AS place
  FROM fixed WHERE first_fix IS NOT NULL GROUP BY signature, first_fix, first_fix_class
), grouped AS (
  SELECT signature, any_value(signature_text) AS text, any_value(first_cause) AS cause,
    any_value(operation) AS operation, any_value(zone) AS zone, any_value("order") AS "order",
    any_value(caller) AS caller, count(*) AS incidents, sum(copies)::BIGINT AS copies,
    count(DISTINCT kernel) AS kernels, min(struct_pack(input := input, line := line, summary := summary)) AS example
  FROM incidents GROUP BY signature
)
SELECT signature, text, cause, operation, zone, "order", grouped.caller, incidents, copies, kernels,
  example.input, example.line, example.summary, first_fix, title, class, coalesce(many, 0)
FROM grouped LEFT JOIN by_fix USING (signature)
WHERE place IS NULL OR place = 1
ORDER BY incidents DESC, signature LIMIT ?
"""


def _table(fleet: Fleet, name: str, labels: Sequence[str], most: int) -> Table:
    if name.startswith("label:"):
        label = name.removeprefix("label:")
        if label not in labels:
            there = ", ".join(f"label:{one}" for one in labels) or "none: the fleet was read without --label"
            raise NoSuchColumn(f"there is no label '{label}'; there are {there}")
        column = label_value(label)
    elif name in COLUMNS:
        column = f'"{name}"'
    else:
        raise NoSuchColumn(f"'{name}' is nothing to count by; there are {', '.join(COLUMNS)} and label:NAME")
    rows = fleet.ask(
        f"WITH named AS (SELECT CAST({column} AS VARCHAR) AS value, copies, first_cause FROM incidents), "
        "by_cause AS (SELECT value, first_cause, count(*) AS many, row_number() OVER (PARTITION BY value "
        "ORDER BY count(*) DESC, first_cause) AS place FROM named WHERE first_cause IS NOT NULL "
        "GROUP BY value, first_cause), "
        "grouped AS (SELECT value, count(*) AS incidents, sum(copies)::BIGINT AS copies FROM named GROUP BY value) "
        "SELECT grouped.value, incidents, grouped.copies, first_cause, coalesce(many, 0) FROM grouped LEFT JOIN "
        "by_cause ON grouped.value IS NOT DISTINCT FROM by_cause.value AND place = 1 "
        "ORDER BY incidents DESC, grouped.value NULLS LAST LIMIT ?",
        [most],
    ).rows
    ((values,),) = fleet.ask(f"SELECT count(DISTINCT coalesce(CAST({column} AS VARCHAR), '')) FROM incidents").rows
    return Table(name, tuple(Row(*row) for row in rows), values)


def _days(
    fleet: Fleet,
) -> tuple[tuple[tuple[str, int], ...], tuple[tuple[str, int], ...], tuple[tuple[Known, int], ...]]:
    days: Counter[str] = Counter()
    without_year: Counter[str] = Counter()
    times: Counter[Known] = Counter()
    for time, count in fleet.ask("SELECT time, count(*) FROM incidents GROUP BY time").rows:
        day = day_of(time)
        times[day.known] += count
        if day.text is not None:
            (days if day.known == "day" else without_year)[day.text] += count
    return (
        _by_month(days, len("2011-06")),
        _by_month(without_year, len("06")),
        tuple(sorted(times.items(), key=lambda pair: (-pair[1], pair[0]))),
    )


def _by_month(days: Counter[str], month: int) -> tuple[tuple[str, int], ...]:
    if len(days) > MOST_DAYS:
        months: Counter[str] = Counter()
        for day, count in days.items():
            months[day[:month]] += count
        days = months
    return tuple(sorted(days.items()))
