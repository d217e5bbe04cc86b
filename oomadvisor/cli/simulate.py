"""``oomadvisor simulate``: a change that the user has in mind, tried before it is made."""

from typing import TYPE_CHECKING, Annotated

import typer

from oomadvisor.cli import options
from oomadvisor.cli.changes import Range, Wishes, resolved_changes, sysctl_name, sysctl_range
from oomadvisor.cli.inputs import Inputs, Wanted, pick
from oomadvisor.cli.longrun import run_days
from oomadvisor.cli.output import Colour, check_target, coloured, columns, to_stderr, write_result

if TYPE_CHECKING:
    from oomadvisor.facts import Assessment
    from oomadvisor.longrun import LongRun
    from oomadvisor.model.trial import Trial

DEFAULT_SEEDS = 3

Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Set a sysctl, as in vm.min_free_kbytes=2039, vm.lowmem_reserve_ratio='256 32' or "
        "vm.min_free_kbytes=default. It can be given several times.",
        show_default=False,
    ),
]
Frees = Annotated[
    list[str] | None,
    typer.Option(
        "--free",
        metavar="SOURCE=SIZE",
        help="Give memory back whose place is not known, as in tmpfs=16M. SOURCE is tmpfs, page-cache, process or "
        "slab; SIZE ends in k, M, G or p (pages).",
        show_default=False,
    ),
]
Gives = Annotated[
    list[str] | None,
    typer.Option(
        "--give",
        metavar="ZONE:ORDER=COUNT",
        help="Give free blocks whose place is known, as in Normal:2=30 (30 blocks of 16 kB).",
        show_default=False,
    ),
]


def simulate(
    report: options.OptionalReport = None,
    sets: Sets = None,
    frees: Frees = None,
    gives: Gives = None,
    swap: Annotated[
        str | None, typer.Option("--swap", metavar="SIZE", help="Switch on this much swap.", show_default=False)
    ] = None,
    realtime: Annotated[
        bool, typer.Option("--realtime", help="Let the failing task run under SCHED_FIFO or SCHED_RR.")
    ] = False,
    instead: Annotated[
        str | None,
        typer.Option(
            "--instead",
            metavar="OPERATION",
            help="Let the task do this instead: vfork, for example, where it forks.",
            show_default=False,
        ),
    ] = None,
    max_order: Annotated[
        int | None,
        typer.Option("--max-order", metavar="N", help="A kernel built with this MAX_ORDER.", show_default=False),
    ] = None,
    one_zone: Annotated[bool, typer.Option("--one-zone", help="A kernel built without a DMA zone of its own.")] = False,
    operation: Annotated[
        str | None,
        typer.Option(
            "--operation",
            metavar="OPERATION",
            help="What the task does: fork, exec, vfork, fork+exec, order:N (one block), or request (what the report "
            "asks for). Without it: what the device does all day, as the report tells it.",
            show_default=False,
        ),
    ] = None,
    sweep: Annotated[
        str | None,
        typer.Option(
            "--sweep",
            metavar="NAME=LOW..HIGH",
            help="Move a sysctl over a range: where the answer changes, with a chart.",
            show_default=False,
        ),
    ] = None,
    solve: Annotated[
        list[str] | None,
        typer.Option(
            "--solve",
            metavar="NAME",
            help="Find the exact values of a sysctl at which each zone and mark passes. It can be given several times.",
            show_default=False,
        ),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(
            "--days",
            metavar="N",
            min=1,
            help="Run a model of the box for so many days under a described load, as it is and with --set, side by "
            "side. A sysctl that is given more than once makes a setting of each.",
            show_default=False,
        ),
    ] = None,
    start: Annotated[
        options.StartFrom, typer.Option("--from", help="With --days: begin at boot, or in the state of the report.")
    ] = options.StartFrom.boot,
    mix: Annotated[
        str | None,
        typer.Option(
            "--mix", metavar="FILE", help="With --days: the load, as a YAML file (docs/longrun.md).", show_default=False
        ),
    ] = None,
    seeds: Annotated[
        int, typer.Option("--seeds", metavar="N", min=1, help="With --days: how many runs of each setting.")
    ] = DEFAULT_SEEDS,
    form: Annotated[
        options.ExplainFormat, typer.Option("--format", help="The form of the result.")
    ] = options.ExplainFormat.text,
    incident: options.Incident = None,
    sysctl: options.Sysctl = None,
    proc: options.Proc = None,
    kernel: options.Kernel = None,
    output: options.Output = None,
    force: options.Force = False,
    color: options.Color = Colour.auto,
    width: options.Width = None,
) -> None:
    """Try a change on a report before making it: the verdict before and after, exactly as the kernel would decide.

    All changes are applied together. Without any, the state is shown as it is. --sweep and --solve start from the state
    with the changes applied. Of a log with several incidents the first event is taken.

    With --days a model of the allocator is driven by a load instead, to show how free blocks develop under settings
    that are made before memory is full.

    The exit code is 0 when the result was written, whatever it says.
    """
    wishes = Wishes(
        tuple(sets or ()), tuple(frees or ()), tuple(gives or ()), swap, realtime, instead, max_order, one_zone
    )
    if days is None and (mix is not None or start is not options.StartFrom.boot or seeds != DEFAULT_SEEDS):
        raise typer.BadParameter("they belong to --days.", param_hint="--mix, --from, --seeds")
    others = Wishes(wishes.sets) != wishes or operation or sweep or solve
    if days is not None and others:
        raise typer.BadParameter("a long run takes --set only, no other change or question.", param_hint="--days")
    moved = None if sweep is None else sysctl_range(sweep)
    solved = [sysctl_name(name, "--solve") for name in solve or ()]
    inputs = Inputs(report, sysctl, tuple(proc or ()), kernel)
    check_target(output, force=force)
    picked = pick(inputs, Wanted.by_options(incident, every=False))
    if days is not None:
        result = run_days(picked.states[0], wishes.sets, days, mix, start, seeds)
        write_result(_long_text(result, form, columns(width, output), coloured(color, output)), output, force=force)
        return
    from oomadvisor.facts import assess

    trial = _tried(assess(picked.states[0]), wishes, operation, solved, moved)
    if form is options.ExplainFormat.json:
        from oomadvisor.present.json import dumps
        from oomadvisor.present.trial_json import trial_json

        text = dumps(trial_json(trial))
    else:
        from oomadvisor.present.trial import render_trial

        text = render_trial(trial, width=columns(width, output), colour=coloured(color, output))
    write_result(text, output, force=force)
    if picked.others:
        to_stderr(f"The log holds {picked.found} incidents; --incident N picks another.")


def _long_text(result: "LongRun", form: options.ExplainFormat, width: int, colour: bool) -> str:
    from oomadvisor.present.longrun import longrun_json, render_longrun

    if form is options.ExplainFormat.json:
        from oomadvisor.present.json import dumps

        return dumps(longrun_json(result))
    return render_longrun(result, width=width, colour=colour)


def _tried(
    assessment: "Assessment", wishes: Wishes, name: str | None, solved: list[str], moved: Range | None
) -> "Trial":
    """Resolve what was asked for and try it. Raises typer.BadParameter when it makes no sense on this report."""
    from oomadvisor.trial import NotSolvable, Questions, UnknownOperation, operation_named, try_out
    from oomadvisor.verify import NotProposable

    try:
        operation = operation_named(assessment, name)
    except UnknownOperation as error:
        raise typer.BadParameter(f"{error}.", param_hint="--operation") from None
    changes = resolved_changes(assessment, wishes)
    questions = Questions(tuple(solved), None if moved is None else (moved.knob, moved.low, moved.high))
    try:
        return try_out(assessment, changes, operation, questions)
    except (NotProposable, NotSolvable) as error:
        raise typer.BadParameter(f"{error}.", param_hint="the change" if wishes != Wishes() else None) from None
