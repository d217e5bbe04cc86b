"""A fleet as text for a terminal: the answer first, then its proof, then whom it leaves out."""

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from oomadvisor.fleet.choice import Choice
from oomadvisor.fleet.curve import Counts
from oomadvisor.fleet.overview import Overview, Signature, Table
from oomadvisor.fleet.query import Answer
from oomadvisor.fleet.solve import Grid, Solved, Unhelped
from oomadvisor.fleet.solve import Group as FleetGroup
from oomadvisor.present import fleet_words as words
from oomadvisor.present.printable import printable
from oomadvisor.present.text import STYLES, heading, indented, plain, to_text

BAR_CELLS = 20
LONGEST_CELL = 400
"""Of a longer value of a query the beginning is shown; JSON and CSV have all of it."""
SHORT = ("certain", "marg.", "none", "harm", "bound.", "open")
ROOM = "room: how many more of the operation fit one after another, in the middle of the incidents that pass."
LEGEND = "marg.: marginal; none: no effect; harm: harmful; open: not decidable from the report."


def render_solved(solved: Solved, *, width: int, colour: bool) -> str:
    """Return the answer about one knob as text of ``width`` columns; escape sequences only with ``colour``."""
    parts: list[RenderableType] = [
        plain(
            f"One value for {words.plural(solved.incidents, 'incident')} · {solved.knob.name} · {solved.folder}", "bold"
        ),
        plain(words.what_words(solved)),
        plain(words.copies_words(solved.incidents, solved.occurrences)),
    ]
    parts += [plain(f"Only those with {one}", "dim") for one in solved.where]
    if not solved.finished:
        parts.append(plain(words.unfinished_words(), "bold"))
    choice = solved.choice
    parts += (
        [heading("No value"), indented(plain(words.no_choice_words(solved)))]
        if choice is None
        else _chosen(solved, choice)
    )
    parts += _curve(solved)
    if choice is not None:
        parts += [heading("Values side by side"), indented(_points(solved, choice), plain(ROOM, "dim"))]
        parts += [heading("At this value, by cause"), indented(_groups(solved.by_cause, "cause"))]
        parts += [heading("At this value, by kernel"), indented(_groups(solved.by_kernel, "kernel"))]
    parts += _unhelped(solved.unhelped)
    return to_text(Group(*parts), width=width, colour=colour)


def _chosen(solved: Solved, choice: Choice) -> list[RenderableType]:
    counts = choice.point.counts
    result, setting = words.result_words(counts), words.command(solved, choice)
    lines: list[RenderableType] = [
        plain(f"{choice.knob.name} = {choice.point.value}", "bold"),
        *([] if setting is None else [indented(plain(setting), by=4)]),
        plain(f"{result[:1].upper()}{result[1:]}."),
    ]
    lines += [plain(f"WARNING: {one}", "bold red") for one in words.warnings(solved)]
    why = [plain(one) for one in words.reasons(solved)]
    price: list[RenderableType] = []
    if choice.point.kept is not None:
        price.append(plain(words.price_words(choice, choice.point.kept)))
    if choice.boxes:
        price += [Text(""), _marks(choice)]
    return [
        heading(words.choice_title(choice)),
        indented(*lines),
        *([heading("Why this value"), indented(*why)] if why else []),
        *([heading("What it costs"), indented(*price)] if price else []),
    ]


def _marks(choice: Choice) -> RichTable:
    table = _table(
        ("incidents", "r"), ("zone", "l"), ("min low high now, pages", "r"), ("then", "r"), ("kept, kB", "r")
    )
    for box in choice.boxes:
        for n, zone in enumerate(box.zones):
            kept = "-" if box.kept_before_kb is None else f"{box.kept_before_kb} → {box.kept_after_kb}"
            if choice.knob.zone is not None:
                now, then = f"reserve {zone.reserve_before}", f"reserve {zone.reserve_after}"
            else:
                now, then = " ".join(map(str, zone.before)), " ".join(map(str, zone.after))
            table.add_row("" if n else str(box.incidents), plain(zone.zone), now, then, "" if n else kept)
    return table


def _curve(solved: Solved) -> list[RenderableType]:
    rows, left_out = words.curve_rows(solved)
    shown = _shown_classes(row.interval.counts for row in rows)
    table = _table(("values", "r"), *((SHORT[n], "r") for n in shown), ("", "l"))
    for row in rows:
        counts = row.interval.counts
        table.add_row(
            words.range_words(row.interval.low, row.interval.high),
            *(str(counts[n]) for n in shown),
            _bar(counts),
        )
    notes = [plain(f"█ certain, ▒ marginal, · the rest. {LEGEND}", "dim")]
    if left_out:
        notes.append(plain(f"{left_out} more intervals lie between these; --format json has all of them.", "dim"))
    return [heading("The curve"), indented(table, *notes)]


def _bar(counts: Counts) -> Text:
    whole = max(counts.cases, 1)
    certain = counts.certain * BAR_CELLS // whole
    helped = counts.helped * BAR_CELLS // whole
    text = Text("█" * certain, style=STYLES["certain"])
    text.append("▒" * (helped - certain), style=STYLES["marginal"])
    text.append("·" * (BAR_CELLS - helped), style="dim")
    return text


def _points(solved: Solved, choice: Choice) -> RichTable:
    pairs = words.points(choice)
    shown = _shown_classes(point.counts for point, _ in pairs)
    table = _table(
        ("value", "r"), *((SHORT[n], "r") for n in shown), ("kept, kB", "r"), ("room", "r"), ("what", "wrap")
    )
    for point, why in pairs:
        kept, room = point.kept, solved.room.get(point.value)
        table.add_row(
            Text(str(point.value), style="bold" if point is choice.point else ""),
            *(str(point.counts[n]) for n in shown),
            "-" if kept is None else words.span_kb(kept.after_low_kb, kept.after_high_kb).removesuffix(" kB"),
            "-" if room is None else str(room.middle),
            plain(why),
        )
    return table


def _groups(groups: Sequence[FleetGroup], name: str) -> RichTable:
    shown = _shown_classes(group.counts for group in groups)
    table = _table((name, "wrap"), *((SHORT[n], "r") for n in shown), ("best for these", "r"))
    for group in groups:
        best = "none" if group.best is None else words.range_words(*group.best)
        if not group.counts.cases:
            best = "bystanders"
        table.add_row(plain(group.name), *(str(group.counts[n]) for n in shown), best)
    return table


def _unhelped(groups: Sequence[Unhelped]) -> list[RenderableType]:
    if not groups:
        return []
    parts: list[RenderableType] = [heading("Not helped, and what would help them")]
    for one in groups[: words.MOST_UNHELPED]:
        title = plain(f"{one.count} × ", "bold")
        title.append(f"[{one.class_.upper()}] ", style=STYLES[one.class_])
        title.append(printable(one.signature_text))
        lines: list[RenderableType] = [plain(f"for example {one.example.input}:{one.example.line}")]
        if one.why and one.class_ == "not decidable":
            lines.append(plain(f"{one.why[:1].upper()}{one.why[1:]}."))
        lines.append(plain(f"Instead: {words.unhelped_words(one)}"))
        parts += [indented(title), indented(*lines, by=6)]
    if len(groups) > words.MOST_UNHELPED:
        parts.append(
            indented(plain(f"and {len(groups) - words.MOST_UNHELPED} more signatures; --format json has all.", "dim"))
        )
    return parts


def render_grid(grid: Grid, folder: str, *, width: int, colour: bool) -> str:
    """Return the points of a grid as text, best first."""
    names = [knob.name for knob in grid.knobs]
    shown = _shown_classes(point.counts for point in grid.points)
    letters = [chr(ord("A") + n) for n in range(len(names))]
    table = _table(*((one, "r") for one in letters), *((SHORT[n], "r") for n in shown), ("harmed", "r"))
    for n, point in enumerate(grid.points):
        style = "" if n else "bold"
        cells = [*map(str, point.values), *(str(point.counts[n]) for n in shown), str(point.counts.harmed)]
        table.add_row(*(Text(cell, style=style) for cell in cells))
    best = grid.points[0]
    setting = ", ".join(f"{name} = {value}" for name, value in zip(names, best.values, strict=True))
    said = f"{setting}: {words.result_words(best.counts)}."
    if not best.counts.helped:
        said = "No point of this grid helps any of these incidents."
    parts: list[RenderableType] = [
        plain(f"Several values together · {folder}", "bold"),
        plain(f"{words.plural(len(grid.points), 'point')}, each judged with all of its values set, on every incident."),
        heading("The best point"),
        indented(plain(said)),
        heading("All points, best first"),
        indented(
            plain(", ".join(f"{letter}: {name}" for letter, name in zip(letters, names, strict=True))),
            table,
            plain("harmed: bystanders that pass now and would not.", "dim"),
        ),
    ]
    return to_text(Group(*parts), width=width, colour=colour)


def render_overview(overview: Overview, *, width: int, colour: bool) -> str:
    """Return the overview as text."""
    parts: list[RenderableType] = [
        plain(f"{words.plural(overview.incidents, 'incident')} · {overview.folder}", "bold"),
        plain(words.read_words(overview)),
        plain(words.copies_words(overview.incidents, overview.occurrences)),
    ]
    if not overview.finished:
        parts.append(plain(words.unfinished_words(), "bold"))
    if overview.signatures:
        parts.append(heading("By signature"))
        parts += [_signature(one, overview.incidents) for one in overview.signatures]
        left = overview.signatures_found - len(overview.signatures)
        if left:
            parts.append(indented(plain(f"and {left} more signatures; --limit N shows more.", "dim")))
    for table in overview.tables:
        parts += _counted(table, overview.incidents)
    parts += [heading("Over time"), *_days(overview)]
    if overview.unreadable:
        parts += [heading("Inputs that could not be read")]
        parts += [indented(plain(f"{one.input}: {one.reason or one.state}")) for one in overview.unreadable]
        left = overview.unreadable_inputs - len(overview.unreadable)
        if left:
            parts.append(indented(plain(f"and {left} more; --limit N shows more.", "dim")))
    if overview.warnings:
        parts += [
            heading("Warnings while reading"),
            indented(plain(", ".join(f"{c} × {name}" for name, c in overview.warnings))),
        ]
    return to_text(Group(*parts), width=width, colour=colour)


def _signature(one: Signature, whole: int) -> RenderableType:
    title = plain(f"{one.incidents} ({words.percent(one.incidents, whole)})  ", "bold")
    title.append(printable(one.text))
    lines: list[RenderableType] = [
        plain(one.example_summary),
        plain(f"for example {one.example_input}:{one.example_line}", "dim"),
    ]
    if one.fix_title is not None:
        of = "" if one.of_fix == one.incidents else f", for {one.of_fix} of them"
        lines.append(plain(f"First fix: {one.fix_title} [{(one.fix_class or '').upper()}]{of}"))
    return indented(title, indented(*lines, by=4))


def _counted(table: Table, whole: int) -> list[RenderableType]:
    if not table.rows:
        return []
    causes = table.name != "first_cause"
    what = words.table_title(table.name).removeprefix("By ")
    shown = _table(("incidents", "r"), ("", "l"), (what, "wrap"), *([("first cause", "wrap")] if causes else []))
    most = max(row.incidents for row in table.rows)
    for row in table.rows:
        shown.add_row(
            f"{row.incidents}  {words.percent(row.incidents, whole):>7}",
            "█" * max(row.incidents * BAR_CELLS // most, 1),
            plain(row.value or "not known"),
            *([plain(words.cause_words(row))] if causes else []),
        )
    parts: list[RenderableType] = [heading(words.table_title(table.name)), indented(shown)]
    left = table.values - len(table.rows)
    if left > 0:
        parts.append(indented(plain(f"and {left} more; --limit N shows more.", "dim")))
    return parts


def _days(overview: Overview) -> list[RenderableType]:
    parts: list[RenderableType] = []
    for days in (overview.days, overview.days_without_year):
        if days:
            most = max(count for _, count in days)
            shown = _table(("day", "l"), ("incidents", "r"), ("", "l"))
            for day, count in days:
                shown.add_row(day, str(count), "█" * max(count * BAR_CELLS // most, 1))
            parts.append(indented(shown))
    return [*parts, indented(plain(f"Of the incidents: {words.time_words(overview)}"))]


def render_answer(answer: Answer, *, width: int, colour: bool) -> str:
    """Return the answer to a query as a table, or row by row where a table would be wider than ``width`` columns."""
    rows = [[_cell(value) for value in row] for row in answer.rows]
    widths = [max(map(len, column)) for column in zip(map(printable, answer.columns), *rows, strict=True)]
    if sum(widths) + 2 * len(widths) <= width:
        table = _table(*((name, "l") for name in answer.columns))
        for row in rows:
            table.add_row(*map(Text, row))
        return to_text(table, width=width, colour=colour)
    room = max(map(len, map(printable, answer.columns)))
    parts: list[RenderableType] = []
    for number, row in enumerate(rows, 1):
        parts.append(plain(f"row {number}", "bold"))
        parts += [indented(plain(f"{name:{room}}  {cell}")) for name, cell in zip(answer.columns, row, strict=True)]
    return to_text(Group(*parts), width=width, colour=colour)


def _cell(value: object) -> str:
    text = "-" if value is None else printable(str(value))
    return text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…"


def _shown_classes(counts: Iterable[Counts]) -> list[int]:
    """Return the classes that have a column: the first four, and those of the others that occur."""
    listed = list(counts)
    return [n for n in range(6) if n < 4 or any(one[n] for one in listed)]


def _table(*columns: tuple[str, str]) -> RichTable:
    """Return an empty table; each column has a heading, and ``r`` (right), ``l`` (left) or ``wrap``."""
    table = RichTable(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1), collapse_padding=True)
    for name, kind in columns:
        table.add_column(
            plain(name), justify="right" if kind == "r" else "left", no_wrap=kind != "wrap", overflow="fold"
        )
    return table
