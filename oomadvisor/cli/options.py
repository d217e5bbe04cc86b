"""The arguments and options that several commands share, each with the sentence that explains it."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from oomadvisor.cli.output import Colour


class Format(str, Enum):
    """The forms of an advice."""

    text = "text"
    json = "json"
    markdown = "markdown"
    html = "html"


class ExplainFormat(str, Enum):
    """The forms of a derivation."""

    text = "text"
    json = "json"


class ListFormat(str, Enum):
    """The forms of a list."""

    text = "text"
    jsonl = "jsonl"


class StartFrom(str, Enum):
    """Where a long run begins."""

    boot = "boot"
    report = "report"


class Document(str, Enum):
    """The JSON documents that have a schema."""

    advice = "advice"
    explain = "explain"
    simulate = "simulate"
    longrun = "longrun"
    verify = "verify"
    fleet_report = "fleet-report"
    fleet_solve = "fleet-solve"
    fleet_grid = "fleet-grid"


Report = Annotated[
    str,
    typer.Argument(
        metavar="REPORT",
        help="A kernel log with an OOM report in it, or a bundle of 'oomadvisor collect': a file, a .gz file, - for "
        "standard input, or a folder of such files (a sos report).",
        show_default=False,
    ),
]
Reports = Annotated[
    list[str],
    typer.Argument(
        metavar="REPORT...",
        help="Kernel logs: files, .gz files, or - for standard input.",
        show_default=False,
    ),
]
OptionalReport = Annotated[
    str | None,
    typer.Argument(
        metavar="REPORT",
        help="A kernel log with an OOM report in it, or a bundle of 'oomadvisor collect': a file, a .gz file, - for "
        "standard input, or a folder of such files (a sos report). It can be left out when --proc is given.",
        show_default=False,
    ),
]
Incident = Annotated[
    int | None,
    typer.Option("--incident", min=1, metavar="N", help="Take only the Nth incident of the log.", show_default=False),
]
Every = Annotated[bool, typer.Option("--all", help="Take every incident of the log, and show each in full.")]
Sysctl = Annotated[
    str | None,
    typer.Option(
        "--sysctl",
        metavar="FILE",
        help="Read the tunables from here: the output of 'sysctl -a', a sysctl.conf, or a copy of /proc/sys/vm. "
        "Without it they are inferred from the report.",
        show_default=False,
    ),
]
Proc = Annotated[
    list[str] | None,
    typer.Option(
        "--proc",
        metavar="PATH",
        help="Read a copy of a /proc file (meminfo, buddyinfo, zoneinfo, slabinfo, mounts and others), a folder of "
        "them, or one dump with a marker line before each. It can be given several times.",
        show_default=False,
    ),
]
Kernel = Annotated[
    str | None,
    typer.Option(
        "--kernel", metavar="VERSION", help="Say which kernel it was, when the log does not.", show_default=False
    ),
]
RuleDirs = Annotated[
    list[str] | None,
    typer.Option(
        "--rules",
        metavar="DIR",
        help="Use the rules in this folder besides the built-in ones. It can be given several times.",
        show_default=False,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="Write the result to this file, whole or not at all.", show_default=False
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Let -o replace a file that exists.")]
Color = Annotated[
    Colour,
    typer.Option("--color", help="Colour the text, or do not. With auto, NO_COLOR and pipes are respected."),
]
Width = Annotated[
    int | None,
    typer.Option(
        "--width",
        min=40,
        max=1000,
        metavar="COLUMNS",
        help="Fill this many columns instead of the width of the terminal.",
        show_default=False,
    ),
]
