"""``oomadvisor collect``: the script that brings the state of a device here."""

from typing import Annotated

import typer

from oomadvisor.cli import options
from oomadvisor.cli.output import check_target, to_stderr, write_result
from oomadvisor.present.printable import printable


def collect(
    pause: Annotated[
        int,
        typer.Option(
            "--pause",
            min=0,
            max=3600,
            metavar="SECONDS",
            help="Seconds between two readings of the counters; 0 reads them once.",
        ),
    ] = 10,
    redact: Annotated[
        bool,
        typer.Option(
            "--redact/--no-redact",
            help="Leave out the arguments of processes, hardware addresses, and words of the kernel's command line "
            "that may name the device or hold a secret.",
        ),
    ] = True,
    output: options.Output = None,
    force: options.Force = False,
) -> None:
    """Print a shell script that prints the state of a device: one text, which every command here takes as a REPORT.

    It is for BusyBox of 2009 and anything later, writes nothing but its standard output, and starts six programs at
    most, after it has printed all that a shell can read by itself.
    """
    from oomadvisor.collect import collect_script

    check_target(output, force=force)
    write_result(collect_script(pause_seconds=pause, redact=redact), output, force=force)
    if output is not None:
        to_stderr(f"Run it on the device:  ssh box sh -s < {printable(str(output))} > bundle.txt")
