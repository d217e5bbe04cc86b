"""``oomadvisor fleet report`` and ``fleet solve``: questions about a fleet that was read."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oomadvisor.cli import options
from oomadvisor.cli.exit_codes import ExitCode
from oomadvisor.cli.export import ExportFormat, read_conf_file, summary_lines, written
from oomadvisor.cli.extras import FLEET_ASK, PAGE, need
from oomadvisor.cli.output import Colour, check_target, coloured, columns, to_stderr, write_result
from oomadvisor.cli.progress import bar
from oomadvisor.present.printable import printable

if TYPE_CHECKING:
    from oomadvisor.fleet.knob import Knob
    from oomadvisor.fleet.query import Fleet
    from oomadvisor.fleet.solve import Done, Grid, Solved

BURST_RULE = "burst-does-not-fit"
IN_PROCESS = 24
"""So few incidents are judged sooner than other processes are started."""
KNOB = re.compile(r"(?P<name>[A-Za-z0-9_./\[\]-]{1,80})(?:=(?P<values>\d{1,10}(?:,\d{1,10}){0,63}))?", re.ASCII)
LABEL = re.compile(r"(?P<name>[^=]{1,200})=(?P<value>.*)", re.DOTALL)


class ReportFormat(str, Enum):
    """The forms of an overview; ``csv`` is for --sql."""

    text = "text"
    json = "json"
    html = "html"
    csv = "csv"


class SolveFormat(str, Enum):
    """The forms of an answer."""

    text = "text"
    json = "json"
    html = "html"


Out = Annotated[
    Path,
    typer.Argument(metavar="OUT", help="The folder that 'oomadvisor fleet INPUT... -o OUT' wrote.", show_default=False),
]
Where = Annotated[
    str | None,
    typer.Option(
        "--where",
        metavar="SQL",
        help="Only incidents for which this condition on the view 'incidents' holds, as in \"kernel LIKE '2.6.31%'\".",
        show_default=False,
    ),
]
Labels = Annotated[
    list[str] | None,
    typer.Option(
        "--label",
        metavar="NAME=VALUE",
        help="Only incidents from inputs with this label. It can be given several times; all must hold.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to ``oomadvisor fleet``."""
    app.command(
        short_help="Say what a fleet holds.",
        epilog="""\b
Examples:
  oomadvisor fleet report OUT
  oomadvisor fleet report OUT --by label:firmware --by zone
  oomadvisor fleet report OUT --format html -o fleet.html
  oomadvisor fleet report OUT --sql "SELECT kernel, count(*) FROM incidents GROUP BY 1"
""",
    )(report)
    app.command(
        short_help="Find one setting for a whole fleet.",
        epilog="""\b
Examples:
  oomadvisor fleet solve OUT --knob vm.min_free_kbytes
  oomadvisor fleet solve OUT --knob vm.min_free_kbytes --label firmware=1.2 --format html -o curve.html
  oomadvisor fleet solve OUT --knob vm.min_free_kbytes --value 2039 --export patch -o fix.patch
  oomadvisor fleet solve OUT --knob vm.min_free_kbytes=1024,2039 --knob 'vm.lowmem_reserve_ratio[DMA]=32,256'
""",
    )(solve)


def report(
    out: Out,
    form: Annotated[
        ReportFormat, typer.Option("--format", help="The form of the result; csv is for --sql.")
    ] = ReportFormat.text,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            metavar="COLUMN",
            help="Count by this, too: label:NAME, or a column such as zone or comm. It can be given several times.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=100_000, help="Rows of each table.")] = 20,
    sql: Annotated[
        str | None,
        typer.Option(
            "--sql",
            metavar="QUERY",
            help="Ask this instead, in DuckDB's SQL, of the views incidents, occurrences, fixes, verdicts, warnings "
            "and inputs. It can read nothing else, and write nothing.",
            show_default=False,
        ),
    ] = None,
    output: options.Output = None,
    force: options.Force = False,
    color: options.Color = Colour.auto,
    width: options.Width = None,
) -> None:
    """Report what a fleet holds: incidents by signature, cause, kernel, label and day, and inputs not readable.

    An incident that several logs tell of counts once; how often that was so is said.
    """
    need(FLEET_ASK, "fleet report", extra="fleet")
    if (form is ReportFormat.csv) != (sql is not None) and form not in (ReportFormat.text, ReportFormat.json):
        hint = "csv is for --sql; text, json or html was expected." if sql is None else "--sql gives text, json or csv."
        raise typer.BadParameter(hint, param_hint="--format")
    if sql is not None and by:
        raise typer.BadParameter("a query counts for itself; give one or the other.", param_hint="--by")
    if form is ReportFormat.html:
        need(PAGE, "--format html")
    check_target(output, force=force)
    fleet = opened(out)
    if sql is not None:
        write_result(_answered(fleet, sql, form, columns(width, output), coloured(color, output)), output, force=force)
        return
    from oomadvisor.fleet.overview import NoSuchColumn, overview

    try:
        found = overview(fleet, tuple(by or ()), limit)
    except NoSuchColumn as error:
        raise typer.BadParameter(f"{printable(str(error))}.", param_hint="--by") from None
    if not found.incidents:
        to_stderr(f"{printable(str(out))} holds no incident.")
    if form is ReportFormat.json:
        from oomadvisor.present.fleet_json import overview_json
        from oomadvisor.present.json import dumps

        text = dumps(overview_json(found))
    elif form is ReportFormat.html:
        from oomadvisor.present.html.fleet import overview_page

        text = overview_page(found)
    else:
        from oomadvisor.present.fleet_text import render_overview

        text = render_overview(found, width=columns(width, output), colour=coloured(color, output))
    write_result(text, output, force=force)


def solve(
    out: Out,
    knobs: Annotated[
        list[str],
        typer.Option(
            "--knob",
            metavar="NAME[=V,V...]",
            help="The sysctl: vm.min_free_kbytes, or vm.lowmem_reserve_ratio[ZONE]. Given several times, or with "
            "values, it makes a grid of at most 64 points.",
            show_default=False,
        ),
    ],
    value: Annotated[
        int | None,
        typer.Option(
            "--value",
            metavar="N",
            min=0,
            max=2**31 - 1,
            help="Look at this value instead of choosing one.",
            show_default=False,
        ),
    ] = None,
    floor: Annotated[
        int | None,
        typer.Option(
            "--floor",
            metavar="N",
            min=0,
            max=2**31 - 1,
            help="Recommend no smaller value. Without it, for vm.min_free_kbytes: the smallest at which a burst of a "
            "small network stays safe.",
            show_default=False,
        ),
    ] = None,
    where: Where = None,
    labels: Labels = None,
    form: Annotated[SolveFormat, typer.Option("--format", help="The form of the result.")] = SolveFormat.text,
    export: Annotated[
        ExportFormat | None,
        typer.Option("--export", help="Write the value as a file for a device instead.", show_default=False),
    ] = None,
    sysctl_conf: Annotated[
        str | None,
        typer.Option(
            "--sysctl-conf",
            metavar="FILE",
            help="With --export patch: the file that the patch changes.",
            show_default=False,
        ),
    ] = None,
    rollback: Annotated[bool, typer.Option("--rollback", help="With --export: write the way back instead.")] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            metavar="N",
            min=0,
            max=256,
            help="Processes; 0 is this one. Without it: one a core.",
            show_default=False,
        ),
    ] = None,
    rule_dirs: options.RuleDirs = None,
    output: options.Output = None,
    force: Annotated[
        bool, typer.Option("--force", help="Let -o replace a file that exists, and --export write what harms.")
    ] = False,
    color: options.Color = Colour.auto,
    width: options.Width = None,
) -> None:
    """Solve for one setting that would have prevented most incidents of a fleet, judged incident by incident.

    Every incident is replayed as a single fix is, at both sides of every value at which its verdict turns. Shown are
    the number of incidents of each class at every value, the value to set with its reasons and its price, and the
    incidents that it does not help, with what would help them.
    """
    need(FLEET_ASK, "fleet solve", extra="fleet")
    wanted = [_knob(text) for text in knobs]
    grid = len(wanted) > 1 or bool(wanted[0][1])
    if len({knob for knob, _ in wanted}) < len(wanted):
        raise typer.BadParameter("a knob was named twice; give its values as one list.", param_hint="--knob")
    if grid and (export or value is not None or floor is not None or form is SolveFormat.html):
        raise typer.BadParameter(
            "a grid is shown as text or json; ask for one knob to choose and export.", param_hint="--knob"
        )
    if export is None and (sysctl_conf is not None or rollback):
        raise typer.BadParameter("they belong to --export.", param_hint="--sysctl-conf, --rollback")
    if sysctl_conf is not None and export is not ExportFormat.patch:
        raise typer.BadParameter("only a patch has a file to change; add --export patch.", param_hint="--sysctl-conf")
    if form is SolveFormat.html:
        need(PAGE, "--format html")
    check_target(output, force=force)
    conf = None if sysctl_conf is None else read_conf_file(sysctl_conf)
    conditions, incidents, fleet = _selection(out, where, labels or [])
    count = _workers(workers, len(incidents))
    if grid:
        with _progress() as done:
            points = _grid(fleet, wanted, incidents, count, done)
        write_result(
            _written_grid(points, form, str(out), columns(width, output), coloured(color, output)), output, force=force
        )
        return
    with _progress() as done:
        solved = _solved(fleet, wanted[0][0], incidents, conditions, value, floor, rule_dirs or (), count, done)
    if export is not None:
        write_result(_exported(solved, export, conf, sysctl_conf, rollback=rollback, force=force), output, force=force)
        return
    if form is SolveFormat.json:
        from oomadvisor.present.fleet_json import solved_json
        from oomadvisor.present.json import dumps

        text = dumps(solved_json(solved))
    elif form is SolveFormat.html:
        from oomadvisor.present.html.fleet import solved_page

        text = solved_page(solved)
    else:
        from oomadvisor.present.fleet_text import render_solved

        text = render_solved(solved, width=columns(width, output), colour=coloured(color, output))
    write_result(text, output, force=force)


def opened(out: Path) -> "Fleet":
    """Return the fleet in a folder. Raises InputError when there is none that can be read."""
    from oomadvisor.fleet.query import Fleet, NoFleet
    from oomadvisor.parse.errors import InputError

    try:
        return Fleet(out)
    except NoFleet as error:
        raise InputError(str(out), str(error)) from error


def _answered(fleet: "Fleet", sql: str, form: ReportFormat, width: int, colour: bool) -> str:
    from oomadvisor.fleet.query import QueryError

    try:
        answer = fleet.ask_user(sql)
    except QueryError as error:
        raise typer.BadParameter(_said(error), param_hint="--sql") from None
    if form is ReportFormat.text:
        from oomadvisor.present.fleet_text import render_answer

        return render_answer(answer, width=width, colour=colour)
    from oomadvisor.present.fleet_json import answer_csv, answer_json

    return answer_csv(answer) if form is ReportFormat.csv else answer_json(answer)


def _said(error: Exception) -> str:
    return "\n".join(map(printable, str(error).split("\n")))


def _knob(text: str) -> "tuple[Knob, tuple[int, ...]]":
    """Return what ``--knob`` asks for: a knob, and the values of a grid if there are any."""
    from oomadvisor.fleet.knob import NoSuchKnob, knob_named

    match = KNOB.fullmatch(text.strip())
    if match is None:
        raise typer.BadParameter(
            f"'{printable(text)}' is no knob; vm.min_free_kbytes, or vm.min_free_kbytes=1024,2039 was expected.",
            param_hint="--knob",
        )
    name = match["name"].replace("/", ".")
    if not name.startswith("vm."):
        name = f"vm.{name}"
    try:
        knob = knob_named(name)
    except NoSuchKnob as error:
        raise typer.BadParameter(f"{printable(str(error))}.", param_hint="--knob") from None
    values = tuple(int(word) for word in (match["values"] or "").split(",") if word)
    for one in values:
        if not knob.low <= one <= knob.high:
            raise typer.BadParameter(
                f"{one} is no value of {name}; {knob.low} to {knob.high} was expected.", param_hint="--knob"
            )
    return knob, values


def _selection(out: Path, where: str | None, labels: list[str]) -> "tuple[tuple[str, ...], list[str], Fleet]":
    """Return the conditions, the incidents for which all of them hold, and the fleet."""
    from oomadvisor.fleet.query import QueryError, label_condition

    conditions, said = [], []
    for text in labels:
        match = LABEL.fullmatch(text)
        if match is None:
            raise typer.BadParameter(
                f"'{printable(text)}' is not NAME=VALUE, as in firmware=1.2.", param_hint="--label"
            )
        conditions.append(label_condition(match["name"], match["value"]))
        said.append(f"the label {match['name']} = {match['value']}")
    fleet = opened(out)
    chosen = set(fleet.selected())
    try:
        for condition in [*conditions, *([] if where is None else [where])]:
            chosen &= set(fleet.selected(condition))
    except QueryError as error:
        raise typer.BadParameter(_said(error), param_hint="--where") from None
    if where is not None:
        said.append(where)
    if not chosen:
        held = "no incident" if not said else "no incident for which the selection holds"
        to_stderr(f"{printable(str(out))} holds {held}; nothing can be solved for.")
        raise typer.Exit(ExitCode.NO_INCIDENT)
    return tuple(said), sorted(chosen), fleet


def _workers(asked: int | None, incidents: int) -> int:
    if asked is not None:
        return asked
    if incidents <= IN_PROCESS:
        return 0
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _progress() -> "Iterator[Done]":
    with bar("Reading the fleet") as move:
        yield lambda what, count, whole: move(count / max(whole, 1), f"{what}: {count} of {whole}")


def _solved(
    fleet: "Fleet",
    knob: "Knob",
    incidents: list[str],
    where: tuple[str, ...],
    value: int | None,
    floor: int | None,
    rule_dirs: Sequence[str],
    workers: int,
    done: "Done",
) -> "Solved":
    from oomadvisor.fleet.solve import solve as solved

    if value is not None and value < knob.low:
        raise typer.BadParameter(f"{knob.name} is {knob.low} or more.", param_hint="--value")
    return solved(
        fleet,
        knob,
        incidents,
        where,
        asked=value,
        floor=floor,
        burst_pages=_burst_pages(rule_dirs),
        workers=workers,
        done=done,
    )


def _burst_pages(rule_dirs: Sequence[str]) -> int | None:
    """Return the burst that a recommended value keeps safe: the one that the rules warn of; None without that rule."""
    from oomadvisor.book import book_for_advice

    rule = next((rule for rule in book_for_advice(tuple(rule_dirs), os.environ).rules if rule.id == BURST_RULE), None)
    pages = None if rule is None else rule.params.get("burst_pages")
    return pages if isinstance(pages, int) else None


def _grid(
    fleet: "Fleet", wanted: "list[tuple[Knob, tuple[int, ...]]]", incidents: list[str], workers: int, done: "Done"
) -> "Grid":
    from oomadvisor.fleet.solve import TooManyPoints, solve_grid

    try:
        return solve_grid(
            fleet, [knob for knob, _ in wanted], [values for _, values in wanted], incidents, workers=workers, done=done
        )
    except TooManyPoints as error:
        raise typer.BadParameter(f"{error}.", param_hint="--knob") from None


def _written_grid(grid: "Grid", form: SolveFormat, folder: str, width: int, colour: bool) -> str:
    if form is SolveFormat.json:
        from oomadvisor.present.fleet_json import grid_json
        from oomadvisor.present.json import dumps

        return dumps(grid_json(grid, folder))
    from oomadvisor.present.fleet_text import render_grid

    return render_grid(grid, folder, width=width, colour=colour)


def _exported(
    solved: "Solved", form: ExportFormat, conf: bytes | None, name: str | None, *, rollback: bool, force: bool
) -> bytes:
    from oomadvisor.export.fleet import NotExportable, fleet_plan

    try:
        plan = fleet_plan(solved, force=force)
    except NotExportable as error:
        raise typer.BadParameter(f"{printable(str(error))}.", param_hint="--export") from None
    for line in summary_lines(plan):
        to_stderr(printable(line))
    text = written(plan, form, conf, name, rollback=rollback)
    if not text:
        to_stderr(f"oomadvisor: nothing to change: {printable(name or 'the file')} holds it already.")
    return text
