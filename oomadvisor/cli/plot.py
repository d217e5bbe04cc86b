"""``oomadvisor plot``: one picture, for a ticket or a mail."""

import os
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oomadvisor.cli import options
from oomadvisor.cli.extras import PLOT, need
from oomadvisor.cli.inputs import Inputs, Wanted
from oomadvisor.cli.output import check_target, to_stderr, write_result
from oomadvisor.present.printable import printable

if TYPE_CHECKING:
    from oomadvisor.model import IncidentAdvice, SystemState
    from oomadvisor.present.charts import Chart


class Picture(str, Enum):
    """The pictures."""

    memory = "memory"
    blocks = "blocks"
    ladder = "ladder"
    fixes = "fixes"
    rates = "rates"
    sweep = "sweep"
    timeline = "timeline"


FORMS = (".svg", ".png")


def plot(
    report: options.Report,
    picture: Annotated[
        Picture,
        typer.Argument(metavar="|".join(one.value for one in Picture), help="What to draw.", show_default=False),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the picture to this file; its name ends in .svg or .png. Without it, SVG goes to standard "
            "output.",
            show_default=False,
        ),
    ] = None,
    operation: Annotated[
        str | None,
        typer.Option(
            "--operation",
            metavar="OPERATION",
            help="Of a sweep: what the task does, as in 'simulate'. Without it: what the device does all day.",
            show_default=False,
        ),
    ] = None,
    incident: options.Incident = None,
    sysctl: options.Sysctl = None,
    proc: options.Proc = None,
    kernel: options.Kernel = None,
    force: options.Force = False,
) -> None:
    """Draw one picture of a report, as SVG or PNG.

    memory: who holds it. blocks: what is free, by size. ladder: the watermark test, comparison by comparison. fixes:
    headroom before and after each. rates: what was measured. sweep: every vm.min_free_kbytes. timeline: the incidents
    of the log. Of a log with several incidents the first event is drawn.
    """
    if output is not None and output.suffix not in FORMS:
        raise typer.BadParameter(f"{printable(output.name)} ends in neither .svg nor .png.", param_hint="-o")
    if operation is not None and picture is not Picture.sweep:
        raise typer.BadParameter("it belongs to the picture 'sweep' only.", param_hint="--operation")
    inputs, wanted = Inputs(report, sysctl, tuple(proc or ()), kernel), Wanted.by_options(incident, every=False)
    check_target(output, force=force)
    need(PLOT, "plot")
    from oomadvisor.cli.page import pick_with_moments
    from oomadvisor.parse import InputError
    from oomadvisor.present.charts import timeline_chart
    from oomadvisor.present.charts.draw import png, standing_alone, warm_up

    warm_up()
    picked, moments = pick_with_moments(inputs, wanted)
    if picture is Picture.timeline:
        chart = timeline_chart(moments, found=picked.found)
        lacking = "holds one incident only, which makes no timeline"
    else:
        chart = _chart(picked.states[0], picture, operation)
        lacking = f"lacks the numbers that the picture '{picture.value}' shows"
    if chart is None:
        raise InputError(printable(report), lacking)
    write_result(
        png(chart) if output is not None and output.suffix == ".png" else standing_alone(chart), output, force=force
    )
    if picked.others and picture is not Picture.timeline:
        to_stderr(f"The log holds {picked.found} incidents; --incident N picks another.")


def _chart(state: "SystemState", picture: Picture, operation: str | None) -> "Chart | None":
    if picture is Picture.sweep:
        return _sweep(state, operation)
    from oomadvisor.present import charts

    return {
        Picture.memory: charts.memory_chart,
        Picture.blocks: charts.blocks_chart,
        Picture.ladder: charts.ladder_chart,
        Picture.fixes: charts.fixes_chart,
        Picture.rates: charts.rates_chart,
    }[picture](_advice(state))


def _advice(state: "SystemState") -> "IncidentAdvice":
    from oomadvisor.advise import advise
    from oomadvisor.book import book_for_advice

    return advise(state, book_for_advice((), os.environ))


def _sweep(state: "SystemState", name: str | None) -> "Chart | None":
    from oomadvisor.facts import assess
    from oomadvisor.model.state import MIN_FREE_KBYTES
    from oomadvisor.present.charts import sweep_chart
    from oomadvisor.present.html.slider import range_kb
    from oomadvisor.simulate import snapshot
    from oomadvisor.simulate.answers import answers, kept
    from oomadvisor.trial import UnknownOperation, operation_named

    try:
        operation = operation_named(assess(state), name) or state.operation
    except UnknownOperation as error:
        raise typer.BadParameter(f"{error}.", param_hint="--operation") from None
    snap = None if operation is None else snapshot(state, operation)
    if snap is None or operation is None or not snap.whole:
        return None
    high = range_kb(state)
    (answered,) = answers(snap, [operation], high)
    return sweep_chart(answered, kept(snap, high), operation, state.tunables.get(MIN_FREE_KBYTES))
