"""The input itself, as far as the page refers to it: lines in their context, so that every number has its place."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from oomadvisor.model import Frozen, Incident, IncidentAdvice, Origin

CONTEXT_LINES = 3
MOST_LINES = 1500
MOST_COLUMNS = 400
"""A longer line is cut in the page: what matters stands in its beginning."""

Wanted = dict[str, set[int]]
Lines = Mapping[str, Mapping[int, str]]
"""Text of inputs: file name as the user wrote it, line counted from 1, text without its end."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of an input. ``cited``: something in the page was read there. ``gap``: lines before it are left out."""

    number: int
    text: str
    cited: bool
    gap: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """The lines of one file that the page shows; ``id`` begins the anchors of its lines."""

    file: str
    id: str
    rows: tuple[Row, ...]


def wanted_lines(advice: IncidentAdvice) -> Wanted:
    """Return the lines that a page on ``advice`` shows: the report, and the neighbourhood of whatever is cited."""
    wanted: Wanted = {}
    incident = advice.state.incident
    first = max(incident.line - CONTEXT_LINES, 1)
    last = min(incident.last_line + CONTEXT_LINES, first + MOST_LINES)
    wanted[incident.file] = set(range(first, last + 1))
    for file, cited in cited_lines(advice).items():
        near = wanted.setdefault(file, set())
        for line in sorted(cited)[:MOST_LINES]:
            near |= set(range(max(line - CONTEXT_LINES, 1), line + CONTEXT_LINES + 1))
    return wanted


def cited_lines(advice: IncidentAdvice) -> Wanted:
    """Return the lines that something in the advice was read from."""
    cited: Wanted = {}
    for origin in _origins(advice):
        cited.setdefault(origin.file, set()).add(origin.line)
    incident = advice.state.incident
    cited.setdefault(incident.file, set()).update(_lines_of(incident))
    return cited


def listings(advice: IncidentAdvice, lines: Lines, prefix: str) -> tuple[Listing, ...]:
    """Return the listing of each file whose lines are known, the report first."""
    cited = cited_lines(advice)
    own = advice.state.incident.file
    found = []
    for number, (file, wanted) in enumerate(sorted(wanted_lines(advice).items(), key=lambda item: item[0] != own)):
        known = lines.get(file, {})
        rows: list[Row] = []
        before = 0
        for line in sorted(wanted & known.keys()):
            text = known[line]
            shown = text if len(text) <= MOST_COLUMNS else f"{text[:MOST_COLUMNS]} …"
            rows.append(Row(line, shown, line in cited.get(file, ()), gap=line != before + 1 and bool(rows)))
            before = line
        if rows:
            found.append(Listing(file, f"{prefix}-{number}", tuple(rows)))
    return tuple(found)


def _origins(value: object) -> Iterator[Origin]:
    if isinstance(value, Origin):
        yield value
    elif isinstance(value, Frozen):
        for name in type(value).model_fields:
            yield from _origins(getattr(value, name))
    elif isinstance(value, tuple):
        for one in value:
            yield from _origins(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _origins(one)


def _lines_of(incident: Incident) -> Iterable[int]:
    yield incident.line
    yield from incident.lines.values()
    yield from (frame.line for frame in incident.backtrace)
    yield from (task.line for task in incident.tasks)
    yield from (kill.line for kill in incident.kills)
