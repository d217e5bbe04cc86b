"""From the paths on the command line to the states that the expert looks at."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from oomadvisor.cli.exit_codes import ExitCode
from oomadvisor.cli.listing import Row, row, table
from oomadvisor.cli.output import to_stderr
from oomadvisor.cli.progress import progress
from oomadvisor.present.printable import printable

if TYPE_CHECKING:
    from oomadvisor.model import Incident, SystemState
    from oomadvisor.parse.report import Report

ROWS_KEPT = 20
KERNEL_VERSION = re.compile(r"v?[0-9]{1,3}(\.[0-9]{1,5}){1,3}([-+~_.][\w.+~-]*)?", re.ASCII)


@dataclass(frozen=True)
class Inputs:
    """The files to read, as named by the user (``-`` = standard input), and the kernel if the user knows it."""

    report: str | None
    sysctl: str | None = None
    proc: tuple[str, ...] = ()
    kernel: str | None = None

    def __post_init__(self) -> None:
        if self.report is None and not self.proc:
            raise typer.BadParameter("give a log file, '-' for standard input, or --proc.", param_hint="REPORT")
        if [self.report, self.sysctl, *self.proc].count("-") > 1:
            raise typer.BadParameter("standard input can be read only once.", param_hint="-")
        if self.kernel is not None and not KERNEL_VERSION.fullmatch(self.kernel):
            name = printable(self.kernel)
            raise typer.BadParameter(
                f"'{name}' is not a kernel version; something like 2.6.31 was expected.", param_hint="--kernel"
            )


@dataclass(frozen=True)
class Wanted:
    """Which incidents of the log are asked for: the one with this number, or (``None``) every one.

    ``event``: one is enough, and one in which something happened is better than a mere picture of the memory.
    """

    number: int | None
    event: bool = False

    @classmethod
    def by_options(cls, incident: int | None, every: bool, whole: bool = False) -> "Wanted":
        """Read --incident and --all; without both it is every incident for a ``whole`` document, else one event."""
        if incident is not None and every:
            raise typer.BadParameter("it cannot be given together with --all.", param_hint="--incident")
        return cls(incident, event=incident is None and not every and not whole)

    def includes(self, incident: "Incident", number: int, chosen: Sequence["Incident"]) -> bool:
        """Return whether ``incident`` is to be looked at, when ``chosen`` are so far."""
        if self.event:
            return not chosen or (chosen[0].kind == "mem-info" != incident.kind)
        return self.number is None or self.number == number


@dataclass(frozen=True)
class Picked:
    """What was asked for, how many incidents the log has, and the first few of those not asked for."""

    states: tuple["SystemState", ...]
    found: int
    others: tuple[Row, ...]

    @property
    def unseen(self) -> int:
        return self.found - len(self.states)

    def rows_text(self) -> str:
        """Return ``others`` as a table, and how many more there are."""
        more = self.unseen - len(self.others)
        return table(self.others) + (f"... and {more} more\n" if more else "")


def pick(inputs: Inputs, wanted: Wanted, see: "Callable[[Incident], None] | None" = None) -> Picked:
    """Read the inputs and build the states of the incidents wanted; the others are only counted.

    ``see`` is called with every incident of the log, in its order.

    :raises InputError: a file is unusable.
    :raises typer.BadParameter: there is no incident with the number asked for.
    :raises typer.Exit: there is no incident at all.
    """
    from oomadvisor.infer import build_state, state_from_proc
    from oomadvisor.parse import read_proc_paths, read_sysctl_path
    from oomadvisor.parse.report import Report

    sysctls = None if inputs.sysctl is None else read_sysctl_path(inputs.sysctl)
    proc = read_proc_paths(inputs.proc) if inputs.proc else None
    if inputs.report is None:
        assert proc is not None
        return Picked((state_from_proc(proc, sysctls=sysctls, kernel=inputs.kernel),), 1, ())
    chosen: list[Incident] = []
    others: list[Row] = []
    found = 0
    report = Report(inputs.report)
    for incident in scan(report):
        found += 1
        if see is not None:
            see(incident)
        passed = incident
        if wanted.includes(incident, found, chosen):
            chosen.append(incident)
            if not wanted.event or len(chosen) == 1:
                continue
            passed = chosen.pop(0)
        if len(others) < ROWS_KEPT:
            others.append(row(passed))
    # What was given beside the report counts more than what a bundle says by itself.
    proc, sysctls = proc or report.proc(), sysctls or report.sysctls()
    if not found and proc is not None and proc.zones and wanted.number is None:
        to_stderr(f"{_name(inputs.report)}: no incident found; this is about the state in which the box was.")
        return Picked((state_from_proc(proc, sysctls=sysctls, kernel=inputs.kernel),), 1, ())
    check_found(found, inputs)
    if not chosen:
        have = "is 1 incident" if found == 1 else f"are {found} incidents"
        raise typer.BadParameter(f"there {have} in the log, so {wanted.number} is too high.", param_hint="--incident")
    states = tuple(build_state(one, sysctls=sysctls, proc=proc, kernel=inputs.kernel) for one in chosen)
    return Picked(states, found, tuple(others))


def scan(report: "Report") -> Iterator["Incident"]:
    """Yield the incidents of ``report`` one after another, with a sign of life while a long log is read."""
    with progress(f"Reading {_name(report.path)}"):
        yield from report.incidents()


def _name(path: str) -> str:
    return "standard input" if path == "-" else printable(path)


def check_found(found: int, inputs: Inputs) -> None:
    """Say so and exit with 1 when the log holds no incident."""
    if found:
        return
    to_stderr(
        f"{_name(str(inputs.report))}: no incident found; expected a kernel log with a line such as "
        "'invoked oom-killer', 'page allocation failure' or 'Killed process'"
    )
    if inputs.proc:
        to_stderr("For advice on the --proc files alone, leave REPORT out.")
    raise typer.Exit(ExitCode.NO_INCIDENT)
