"""The pages about a fleet, in the clothes of the report page: one file each, that fetches nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from oomadvisor import __version__
from oomadvisor.fleet.choice import Choice
from oomadvisor.fleet.curve import Counts
from oomadvisor.fleet.overview import Overview, Table
from oomadvisor.fleet.solve import Group, Solved
from oomadvisor.kernel.words import INT_MAX
from oomadvisor.present import fleet_words as words
from oomadvisor.present.charts.chart import Chart
from oomadvisor.present.charts.fleet import bars_chart, curve_chart, days_chart
from oomadvisor.present.html.page import drawn, render_file

TAIL = 1.15
"""The curve is drawn to so many times the largest value with a name."""
CLASS_COLUMNS = ("certain", "marginal", "no effect", "harmful", "bounded", "not decidable", "bystanders harmed")


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of texts. ``numeric``: the columns that hold numbers; ``prose``: the last column holds sentences."""

    title: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()
    sortable: bool = False
    prose: bool = False


def solved_page(solved: Solved) -> str:
    """Return the page about one knob."""
    choice, knob = solved.choice, solved.knob
    result = "" if choice is None else f"{words.result_words(choice.point.counts)}."
    rows, left_out = words.curve_rows(solved)
    return render_file(
        "fleet_solve.html",
        title=f"{knob.name}: one value for {words.plural(solved.incidents, 'incident')}",
        words=words,
        version=__version__,
        solved=solved,
        choice=choice,
        heading=None if choice is None else words.choice_title(choice),
        commands=() if choice is None else tuple(line for line in (words.command(solved, choice),) if line),
        result=f"{result[:1].upper()}{result[1:]}",
        reasons=tuple(words.reasons(solved)),
        warnings=tuple(words.warnings(solved)),
        curve=drawn(_curve(solved)),
        points=None if choice is None else _points(solved, choice),
        boxes=None if choice is None or not choice.boxes else _boxes(choice),
        groups=[]
        if choice is None
        else [
            _groups(solved.by_cause, "At this value, by cause", "cause"),
            _groups(solved.by_kernel, "At this value, by kernel", "kernel"),
        ],
        unhelped=_unhelped(solved) if solved.unhelped else None,
        intervals=_intervals(rows),
        left_out=left_out,
    )


def overview_page(overview: Overview) -> str:
    """Return the page about what a fleet holds."""
    return render_file(
        "fleet_report.html",
        title=f"{words.plural(overview.incidents, 'incident')} in {words.plural(overview.inputs, 'input')}",
        words=words,
        version=__version__,
        overview=overview,
        pictures=[drawn(chart) for chart in _charts(overview)],
        tables=_tables(overview),
    )


def _curve(solved: Solved) -> Chart:
    named = words.named_values(solved)
    largest = max((value for value in named if value < INT_MAX), default=0)
    falls = [one.high for one in solved.curve.intervals if one.counts.certain and one.high < INT_MAX]
    largest = max(largest, min(max(falls, default=0), 4 * largest if largest else INT_MAX))
    high = min(max(int(largest * TAIL), solved.knob.low + 16), INT_MAX)
    title = f"Incidents by class at every {solved.knob.name}"
    return curve_chart(solved.curve, "curve", title, sorted(named.items()), high)


def _columns(counts: Iterable[Counts]) -> tuple[int, ...]:
    """Return the classes that have a column: the first four, and those of the others that occur."""
    listed = [_all_cells(one) for one in counts]
    return tuple(n for n in range(len(CLASS_COLUMNS)) if n < 4 or any(row[n] for row in listed))


def _all_cells(counts: Counts) -> tuple[int, ...]:
    return (*counts[:6], counts.harmed)


def _by_class(
    grid: Grid, rows: Sequence[tuple[Counts, tuple[str, ...], tuple[str, ...]]], *, behind: Sequence[int] = ()
) -> Grid:
    """Return the grid with rows of counts: what stands before them, and behind them. ``behind``: which columns behind
    them hold numbers. Of the grid's columns the empty one stands for those of the classes.
    """
    shown = _columns(counts for counts, _, _ in rows)
    place = grid.columns.index("")
    columns = (*grid.columns[:place], *(CLASS_COLUMNS[n] for n in shown), *grid.columns[place + 1 :])
    cells = tuple((*before, *(str(_all_cells(counts)[n]) for n in shown), *after) for counts, before, after in rows)
    numeric = frozenset({*grid.numeric, *range(place, place + len(shown)), *(place + len(shown) + n for n in behind)})
    return replace(grid, columns=columns, rows=cells, numeric=numeric)


def _points(solved: Solved, choice: Choice) -> Grid:
    rows = []
    for point, why in words.points(choice):
        room = solved.room.get(point.value)
        kept = "-" if point.kept is None else words.span_kb(point.kept.after_low_kb, point.kept.after_high_kb)
        rows.append((point.counts, (str(point.value),), (kept, "-" if room is None else str(room.middle), why)))
    caption = f"Values of {choice.knob.name}, and how many incidents are of each class there"
    grid = Grid("", caption, ("value", "", "kept", "room", "what it is"), (), numeric=frozenset({0}), prose=True)
    return _by_class(grid, rows, behind=(0, 1))


def _boxes(choice: Choice) -> Grid:
    rows = []
    for box in choice.boxes:
        for zone in box.zones:
            kept = "-" if box.kept_before_kb is None else f"{box.kept_before_kb} → {box.kept_after_kb}"
            marks = (
                f"{name} {old} → {new}"
                for name, old, new in zip(("min", "low", "high"), zone.before, zone.after, strict=True)
            )
            reserve = f"{zone.reserve_before} → {zone.reserve_after}"
            rows.append((str(box.incidents), f"{box.ram_kb // 1024} MB", zone.zone, ", ".join(marks), reserve, kept))
    columns = ("incidents", "RAM", "zone", "marks, pages", "reserve, pages", "kept, kB")
    caption = "The kinds of box with the most incidents; RAM is that of the zones that may serve the requests"
    return Grid("", caption, columns, tuple(rows), numeric=frozenset({0, 1, 3, 4, 5}))


def _groups(groups: Sequence[Group], title: str, name: str) -> Grid:
    rows = []
    for group in groups:
        best = "none" if group.best is None else words.range_words(*group.best)
        certain = "-" if group.best_counts is None else str(group.best_counts.certain)
        rows.append((group.counts, (group.name,), (best, certain)))
    caption = "What the value does to each, and what would be best for each alone"
    grid = Grid(title, caption, (name, "", "best for these", "certain there"), (), sortable=True)
    return _by_class(grid, rows, behind=(0, 1))


def _intervals(rows: Sequence[words.CurveRow]) -> Grid:
    grid = Grid("", "Every value of an interval does the same", ("values", "", "worth a look"), ())
    return _by_class(
        grid,
        [(row.interval.counts, (words.range_words(row.interval.low, row.interval.high),), (row.note,)) for row in rows],
    )


def _unhelped(solved: Solved) -> Grid:
    rows = tuple(
        (
            str(one.count),
            one.class_,
            one.signature_text,
            f"{one.example.input}:{one.example.line}",
            words.unhelped_words(one),
        )
        for one in solved.unhelped
    )
    columns = ("incidents", "class", "signature", "for example", "instead")
    return Grid("", "By signature and class, most first", columns, rows, numeric=frozenset({0}), prose=True)


def _charts(overview: Overview) -> list[Chart]:
    whole = overview.incidents
    rows = [(_short(one.cause, one.operation, one.order, one.zone), one.incidents) for one in overview.signatures]
    charts = [bars_chart("signatures", "By signature", "signature", rows, overview.signatures_found, whole)]
    for number, table in enumerate(overview.tables):
        pairs = [(row.value or "not known", row.incidents) for row in table.rows]
        title = words.table_title(table.name)
        charts.append(bars_chart(f"table-{number}", title, title.removeprefix("By "), pairs, table.values, whole))
    said = words.time_words(overview)
    charts.append(days_chart("days", "Over time", overview.days, said))
    charts.append(days_chart("days-without-year", "Over time, year not known", overview.days_without_year, said))
    return [chart for chart in charts if chart is not None]


def _short(cause: str | None, operation: str | None, order: int | None, zone: str | None) -> str:
    known = [cause or "no cause", operation, None if order is None else f"order {order}", zone]
    return ", ".join(word for word in known if word)


def _tables(overview: Overview) -> list[Grid]:
    whole = overview.incidents
    signatures = tuple(
        (
            str(one.incidents),
            words.percent(one.incidents, whole),
            one.text,
            f"{one.example_input}:{one.example_line}",
            "-" if one.fix_title is None else f"{one.fix_title} [{one.fix_class}], for {one.of_fix}",
        )
        for one in overview.signatures
    )
    columns = ("incidents", "share", "signature", "for example", "first fix of most")
    found = [
        Grid(
            "Signatures",
            "Cause, operation, zone, order and caller; most first",
            columns,
            signatures,
            numeric=frozenset({0, 1}),
            sortable=True,
            prose=True,
        )
    ]
    found += [_counted(table, whole) for table in overview.tables]
    if overview.unreadable:
        rows = tuple((one.input, one.state, one.reason or "-") for one in overview.unreadable)
        more = overview.unreadable_inputs - len(rows)
        caption = "The run went on without them" + (f"; {more} more are not shown" if more else "")
        found.append(Grid("Inputs that could not be read", caption, ("input", "state", "reason"), rows, prose=True))
    if overview.warnings:
        codes = tuple((code, str(count)) for code, count in overview.warnings)
        found.append(Grid("Warnings while reading", "By code", ("code", "warnings"), codes, numeric=frozenset({1})))
    return [grid for grid in found if grid.rows]


def _counted(table: Table, whole: int) -> Grid:
    rows = tuple(
        (
            row.value or "not known",
            str(row.incidents),
            words.percent(row.incidents, whole),
            str(row.copies - row.incidents),
            words.cause_words(row),
        )
        for row in table.rows
    )
    title = words.table_title(table.name)
    columns = (title.removeprefix("By "), "incidents", "share", "told again", "most frequent first cause")
    more = table.values - len(rows)
    caption = f"{title}, most first" + (f"; {more} more are not shown" if more > 0 else "")
    return Grid(title, caption, columns, rows, numeric=frozenset({1, 2, 3}), sortable=True)
