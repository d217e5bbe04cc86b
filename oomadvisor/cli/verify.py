"""``oomadvisor verify``: whether what was advised is in force on a device, and does what was foretold."""

from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from oomadvisor.cli import options
from oomadvisor.cli.exit_codes import ExitCode
from oomadvisor.cli.export import Picks, UntilOption, UpTo, planned
from oomadvisor.cli.inputs import Inputs, check_found, scan
from oomadvisor.cli.output import Colour, check_target, coloured, columns, write_result

if TYPE_CHECKING:
    from oomadvisor.model import Incident

CODES = {
    "passing": ExitCode.DONE,
    "not passing": ExitCode.NOT_PASSING,
    "not in force": ExitCode.NOT_IN_FORCE,
    "not decidable": ExitCode.UNDECIDED,
}
MOST_INCIDENTS = 1000


def verify(
    before: Annotated[
        str,
        typer.Argument(metavar="BEFORE", help="The report that the advice was given for.", show_default=False),
    ],
    after: Annotated[
        str,
        typer.Argument(
            metavar="AFTER",
            help="A later report of the same box; best a bundle of 'oomadvisor collect'. Either may be -.",
            show_default=False,
        ),
    ],
    form: Annotated[
        options.ExplainFormat, typer.Option("--format", help="The form of the result.")
    ] = options.ExplainFormat.text,
    until: UntilOption = UpTo.now,
    picks: Picks = None,
    incident: options.Incident = None,
    kernel: options.Kernel = None,
    rule_dirs: options.RuleDirs = None,
    output: options.Output = None,
    force: options.Force = False,
    color: options.Color = Colour.auto,
    width: options.Width = None,
) -> None:
    """Verify that a fix is in force and works: from a report of before it and one of after.

    It says which of the advised values are in force, whether the marks are those that were foretold, what the next
    request of each operation would do, and how many more processes fit. --plan and --pick must be those of the export.
    A harmful pick needs no --force here.

    It exits with 0 when the values are in force and the operation passes, with 4 when they are and it does not, with 5
    when they are not in force, and with 6 when AFTER does not tell.
    """
    if before == after == "-":
        raise typer.BadParameter("standard input can be read only once.", param_hint="-")
    from oomadvisor.comparison import compare, state_now
    from oomadvisor.facts import assess
    from oomadvisor.infer import build_state
    from oomadvisor.parse.report import Report, same_incident

    check_target(output, force=force)
    earlier, later = Report(before), Report(after)
    known = list(islice(scan(earlier), MOST_INCIDENTS))
    check_found(len(known), Inputs(before))
    state = build_state(_chosen(known, incident), sysctls=earlier.sysctls(), proc=earlier.proc(), kernel=kernel)
    plan = planned(state, until, picks or [], tuple(rule_dirs or ()), force=True)
    new = [one for one in islice(scan(later), MOST_INCIDENTS) if not any(same_incident(one, old) for old in known)]
    proc = later.proc()
    now = state_now(state, proc, later.sysctls(), new)
    comparison = compare(assess(state), plan, now, new, proc)
    if form is options.ExplainFormat.json:
        from oomadvisor.present.comparison_json import comparison_json
        from oomadvisor.present.json import dumps

        text = dumps(comparison_json(comparison))
    else:
        from oomadvisor.present.comparison import render_comparison

        text = render_comparison(comparison, width=columns(width, output), colour=coloured(color, output))
    write_result(text, output, force=force)
    raise typer.Exit(CODES[comparison.result])


def _chosen(incidents: list["Incident"], number: int | None) -> "Incident":
    """Return the incident that the advice was about: the one with this number, else the first in which something
    happened, as advise and export take it.
    """
    if number is None:
        return next((one for one in incidents if one.kind != "mem-info"), incidents[0])
    if number > len(incidents):
        raise typer.BadParameter(f"BEFORE holds {len(incidents)}, so {number} is too high.", param_hint="--incident")
    return incidents[number - 1]
