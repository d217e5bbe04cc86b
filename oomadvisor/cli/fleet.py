"""``oomadvisor fleet``: many logs into tables. What reads the tables registers its commands beside it."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from oomadvisor.cli import options
from oomadvisor.cli.exit_codes import ExitCode
from oomadvisor.cli.extras import FLEET, need
from oomadvisor.cli.inputs import KERNEL_VERSION
from oomadvisor.cli.output import OutputError, to_stderr, write_result
from oomadvisor.present.printable import printable

if TYPE_CHECKING:
    from oomadvisor.fleet.engine import Engine
    from oomadvisor.fleet.inputs import Input, Unlisted
    from oomadvisor.fleet.run import Progress

RUN = "run"
REASONS_SHOWN = 5
MOST_WORKERS = 256


class _RunsByDefault(TyperGroup):
    """A group whose first word may be an INPUT: then ``run`` is meant. A file called like a command is ``./report``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [RUN, *args]
        return super().parse_args(ctx, args)


fleet_app = typer.Typer(
    cls=_RunsByDefault,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Read many logs into tables, and ask about all of them.\n\n"
    "'oomadvisor fleet INPUT... -o OUT' is the same as 'oomadvisor fleet run INPUT... -o OUT'; 'oomadvisor fleet run "
    "--help' shows its options.",
    epilog="""\b
Examples:
  oomadvisor fleet logs/ -o fleet
  oomadvisor fleet 's3://bucket/serial/**/*.gz' --label '{site}/{firmware}/*.gz' -o fleet
  oomadvisor fleet logs/ -o fleet --resume
""",
)


@fleet_app.command(
    name=RUN,
    short_help="Read many logs into tables (the default).",
    epilog="""\b
Examples:
  oomadvisor fleet logs/ more.tar.gz 'old/*.log' -o fleet
  oomadvisor fleet s3://bucket/serial -o fleet --label '{firmware}/{box}/*.log'
  oomadvisor fleet logs/ -o fleet --scheduler tcp://10.0.0.7:8786
""",
)
def run(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Logs: files, folders, globs, archives (tar, zip, gz, xz, bz2, zst, also inside each other), or URLs "
            "of fsspec such as s3://bucket/folder.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="OUT", help="The folder to make, with the tables.", show_default=False),
    ],
    label: Annotated[
        str | None,
        typer.Option(
            "--label",
            metavar="PATTERN",
            help="Take labels from the end of each path: '{site}/{firmware}/box-{serial}.log'. * stands for anything.",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=0,
            max=MOST_WORKERS,
            metavar="N",
            help="Processes to work with; 0 does everything in this one. Without it: one for each processor.",
            show_default=False,
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            "--scheduler",
            metavar="ADDRESS",
            help="Use the workers of this Dask scheduler, as in tcp://10.0.0.7:8786.",
            show_default=False,
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with OUT where the run before stopped.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace OUT, when it is a fleet, by a new one.")] = False,
    kernel: options.Kernel = None,
    rule_dirs: options.RuleDirs = None,
) -> None:
    """Read many logs, advise on every incident in them, and keep the results as tables in the folder OUT.

    Inputs that cannot be read are listed in the table "inputs" with the reason, and do not stop the run. Ctrl-C stops
    it; --resume goes on without doing anything twice. docs/fleet.md describes the tables.
    """
    need(FLEET, "fleet", "fleet")
    if scheduler is not None and workers is not None:
        raise typer.BadParameter("it cannot be given together with --scheduler.", param_hint="--workers")
    if resume and force:
        raise typer.BadParameter("it cannot be given together with --resume.", param_hint="--force")
    if kernel is not None and not KERNEL_VERSION.fullmatch(kernel):
        text = f"'{printable(kernel)}' is not a kernel version; something like 2.6.31 was expected."
        raise typer.BadParameter(text, param_hint="--kernel")
    from oomadvisor.book import book_for_advice
    from oomadvisor.fleet.dataset import Dataset, DatasetError
    from oomadvisor.fleet.engine import EngineLostError
    from oomadvisor.fleet.expert import rules_of
    from oomadvisor.fleet.labels import LabelError, label_pattern
    from oomadvisor.fleet.run import Run
    from oomadvisor.fleet.work import Options

    if label is not None:
        try:
            label_pattern(label)
        except LabelError as error:
            raise typer.BadParameter(f"{printable(str(error))}.", param_hint="--label") from None
    rules = rules_of(book_for_advice(rule_dirs or (), os.environ))
    wanted = Options(label=label, kernel=kernel)
    dataset = Dataset(out, {"label": label, "kernel": kernel, "rules": rules.name})
    found, unlisted = _listed(inputs)
    try:
        dataset.begin(resume=resume, force=force)
    except DatasetError as error:
        raise typer.BadParameter(f"{printable(str(error))}.", param_hint="-o") from None
    except OSError as error:
        raise OutputError(f"{out}: not written: {error.strerror or error}") from error
    doing = Run(dataset, found, unlisted)
    try:
        doing.plan()
        with _engine(wanted, rules, workers, scheduler) as engine, _shown() as tell:
            doing.go(engine, tell)
    except EngineLostError as error:
        to_stderr(f"oomadvisor: {printable(str(error))}. {_so_far(doing.progress)}")
        raise typer.Exit(ExitCode.BROKEN_OFF) from None
    except KeyboardInterrupt:
        to_stderr(f"Stopped. {_so_far(doing.progress)}")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    except OSError as error:
        raise OutputError(f"{out}: not written: {error.strerror or error}") from error
    _report(doing.progress, out)


def _listed(texts: list[str]) -> "tuple[list[Input], list[Unlisted]]":
    """Return the inputs that the names stand for. A name that stands for nothing is wrong usage."""
    from oomadvisor.fleet.inputs import Input, UnknownInputError, inputs_of

    try:
        listed = [one for text in texts for one in inputs_of(text)]
    except UnknownInputError as error:
        raise typer.BadParameter(f"{printable(str(error))}.", param_hint="INPUT") from None
    return [o for o in listed if isinstance(o, Input)], [o for o in listed if not isinstance(o, Input)]


def _engine(wanted: Any, rules: Any, workers: int | None, scheduler: str | None) -> "Engine":
    from oomadvisor.fleet.engine import InProcess, OnDask

    count = workers if workers is not None else min(os.cpu_count() or 1, MOST_WORKERS)
    if scheduler is None and count == 0:
        return InProcess(wanted, rules)
    return OnDask(wanted, rules, workers=count, scheduler=scheduler)


@contextmanager
def _shown() -> "Iterator[Callable[[Progress], None]]":
    """Show how far the run is, for a person at a terminal and nobody else."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda _progress: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Shown

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    began = time.monotonic()
    with Shown(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("Starting", total=None)
        start: list[Progress] = []

        def tell(now: "Progress") -> None:
            start[:] = start or [now]
            seconds = max(time.monotonic() - began, 0.001)
            rate = (now.incidents - start[0].incidents) / seconds
            speed = (now.done_bytes - start[0].done_bytes) / seconds / 1e6
            text = f"{now.inputs} inputs, {now.incidents} incidents, {rate:.0f}/s, {speed:.1f} MB/s"
            shown.update(task, total=max(now.all_bytes, 1), completed=now.done_bytes, description=text)

        yield tell


def _so_far(progress: "Progress") -> str:
    return (
        f"{progress.inputs} inputs with {progress.incidents} incidents are finished; the same command with --resume "
        "goes on from there."
    )


def _report(progress: "Progress", out: Path) -> None:
    """Say what became of the inputs, and exit with what that means."""
    readable = progress.inputs - progress.unreadable
    for name, reason in progress.reasons[:REASONS_SHOWN]:
        to_stderr(f"{printable(name)}: {printable(reason)}")
    if progress.unreadable > REASONS_SHOWN:
        to_stderr(f"... and {progress.unreadable - REASONS_SHOWN} more; the table inputs lists all of them.")
    write_result(
        f"{progress.incidents} incidents in {readable} inputs"
        f"{f', {progress.unreadable} more could not be read' if progress.unreadable else ''}: {printable(str(out))}\n"
    )
    if progress.inputs and not readable:
        raise typer.Exit(ExitCode.UNUSABLE)
    if not progress.incidents:
        raise typer.Exit(ExitCode.NO_INCIDENT)
