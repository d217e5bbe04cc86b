"""A comparison of two reports as text: the answer first, then what it rests on."""

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table

from oomadvisor.model import Headroom
from oomadvisor.model.comparison import Comparison, OperationCheck, ValueCheck
from oomadvisor.present.numbers import kernel_words
from oomadvisor.present.text import heading, indented, plain, to_text

ANSWERS = {
    "passing": ("IN FORCE, AND PASSING", "bold green"),
    "not passing": ("IN FORCE, BUT NOT PASSING", "bold red"),
    "not in force": ("NOT IN FORCE", "bold red"),
    "not decidable": ("NOT DECIDABLE", "cyan"),
}


def render_comparison(comparison: Comparison, *, width: int, colour: bool) -> str:
    """Return the comparison as text of ``width`` columns; escape sequences only with ``colour``."""
    word, style = ANSWERS[comparison.result]
    parts: list[RenderableType] = [plain(word, style), indented(plain(_sentence(comparison.why)))]
    if comparison.old_kills:
        parts.append(indented(plain(_old_kills(comparison.old_kills))))
    if comparison.values:
        parts.append(heading("The advised values"))
        for value in comparison.values:
            parts.append(indented(plain(_value_words(value))))
            if value.note:
                parts.append(indented(plain(value.note), by=4))
    elif comparison.after is not None:
        parts.append(heading("The advised values"))
        parts.append(indented(plain("The plan writes none; what is to be done by hand cannot be read off a report.")))
    if comparison.marks:
        parts.append(heading("The marks, foretold and now"))
        parts.append(indented(_marks_table(comparison), plain(_marks_words(comparison))))
    if comparison.operations:
        parts.append(heading("What the next request would do"))
        parts.append(indented(_operations_table(comparison.operations)))
    if comparison.headroom is not None:
        parts.append(heading("Headroom"))
        parts.append(indented(plain(_headroom_words(comparison))))
    if comparison.free:
        parts.append(heading("Free memory, before and now"))
        parts.append(indented(*_free_tables(comparison)))
    if comparison.notes:
        parts.append(heading("Odd"))
        parts += [indented(plain(f"- {note}")) for note in comparison.notes]
    parts.append(Padding(plain(_what_was_compared(comparison), "dim"), (1, 0, 0, 0)))
    return to_text(Group(*parts), width=width, colour=colour)


def _old_kills(kills: int) -> str:
    was = "kill that is" if kills == 1 else "kills that are"
    return f"The second report holds {kills} {was} not in the first, from while the values were not in force."


def _sentence(text: str) -> str:
    """Return ``text`` as a sentence; the name of a setting at its beginning keeps its small letter."""
    first = text.split()[0]
    return f"{text if '.' in first else text[:1].upper() + text[1:]}."


def _value_words(value: ValueCheck) -> str:
    state = {True: "in force", False: "NOT in force", None: "not told"}[value.in_force]
    known = f"now {value.now} ({value.basis})" if value.now is not None else "now: the report does not tell"
    return f"{value.name}: {state}. Before {value.before or 'not known'}, advised {value.advised}, {known}."


def _marks_table(comparison: Comparison) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    table.add_column("zone, mark", no_wrap=True)
    for name in ("before", "foretold", "now"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row in comparison.marks:
        pages = (row.before_pages, row.foretold_pages, row.now_pages)
        table.add_row(f"{row.zone} {row.mark.upper()}", *map(str, pages), "" if row.met else "differs")
    return table


def _marks_words(comparison: Comparison) -> str:
    met = sum(row.met for row in comparison.marks)
    if met == len(comparison.marks):
        return f"All {met} marks are as foretold, to the page."
    return f"{met} of {len(comparison.marks)} marks are as foretold; another value is in force."


def _operations_table(rows: tuple[OperationCheck, ...]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    for name in ("operation", "before", "now"):
        table.add_column(name, no_wrap=name != "operation")
    for row in rows:
        before = "unknown" if row.min_before is None else _passing(row.min_before, bool(row.high_before))
        table.add_row(row.operation.title, before, _passing(row.min_now, row.high_now))
    return table


def _passing(at_min: bool, at_high: bool) -> str:
    if at_high and at_min:
        return "passes"
    return "passes at MIN only: thin" if at_min else "FAILS"


def _headroom_words(comparison: Comparison) -> str:
    now, promised = comparison.headroom, comparison.promised
    assert now is not None
    what = "more processes that stay alive" if now.processes else "such requests in a row"
    text = f"{_range(now)} {what} ({now.operation})"
    if promised is None or promised.children is None or now.children is None:
        return f"{text}."
    if now.children >= promised.children:
        return f"{text}; promised were {_range(promised)}."
    if comparison.result == "not in force":
        return f"{text}; promised were {_range(promised)} with the advised values."
    return (
        f"{text}; promised were {_range(promised)} on the free memory of then. What was started since, and what broke "
        "up since, has been taken from it."
    )


def _range(room: Headroom) -> str:
    if room.children_high is not None and room.children_high != room.children:
        return f"{room.children} to {room.children_high}"
    return str(room.children)


def _free_tables(comparison: Comparison) -> list[RenderableType]:
    orders = max(len(row.now_blocks) for row in comparison.free)
    top = max(
        (
            n
            for row in comparison.free
            for blocks in (row.before_blocks, row.now_blocks)
            for n, c in enumerate(blocks)
            if c
        ),
        default=0,
    )
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    table.add_column("zone", no_wrap=True)
    table.add_column("pages", justify="right", no_wrap=True)
    for order in range(min(top + 1, orders)):
        table.add_column(f"2^{order}", justify="right", no_wrap=True)
    for row in comparison.free:
        for name, pages, blocks in (
            (f"{row.zone} before", row.before_pages, row.before_blocks),
            (f"{row.zone} now", row.now_pages, row.now_blocks),
        ):
            cells = [str(blocks[order]) if order < len(blocks) else "-" for order in range(min(top + 1, orders))]
            table.add_row(name, "-" if pages is None else str(pages), *cells)
    return [table]


def _what_was_compared(comparison: Comparison) -> str:
    before = comparison.before.incident
    text = f"Before: {before.file}:{before.line}, {kernel_words(comparison.before)}."
    if comparison.after is None:
        return text
    after = comparison.after.incident
    kind = "its /proc files" if after.kind == "mem-info" and after.request == before.request else f"line {after.line}"
    return f"{text} After: {after.file}, {kind}."
