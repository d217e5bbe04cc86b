"""The commands. Each reads its options, calls the rooms that do the work, and writes one result.

The other rooms are imported inside the commands, so that ``--help`` and ``--version`` answer at once.
"""

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oomadvisor import __version__
from oomadvisor.cli import options
from oomadvisor.cli.collect import collect
from oomadvisor.cli.export import export
from oomadvisor.cli.fleet import fleet_app
from oomadvisor.cli.fleet_ask import register as register_fleet_questions
from oomadvisor.cli.inputs import Inputs, Picked, Wanted, check_found, pick, scan
from oomadvisor.cli.knowledge import knowledge_app
from oomadvisor.cli.output import Colour, check_target, coloured, columns, to_stderr, write_result
from oomadvisor.cli.plot import plot
from oomadvisor.cli.rules import rules_app
from oomadvisor.cli.serve import serve
from oomadvisor.cli.simulate import simulate
from oomadvisor.cli.verify import verify

if TYPE_CHECKING:
    from oomadvisor.model import Advice, Incident

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.add_typer(rules_app, name="rules")
app.add_typer(knowledge_app, name="knowledge")
register_fleet_questions(fleet_app)
app.add_typer(fleet_app, name="fleet")


def _show_version(wanted: bool) -> None:
    if wanted:
        from oomadvisor.cli.version import version_text

        write_result(version_text())
        raise typer.Exit


@app.callback(
    no_args_is_help=True,
    epilog="""\b
Examples:
  oomadvisor advise kern.log
  dmesg | oomadvisor advise -
  oomadvisor advise kern.log.gz --sysctl sysctl-a.txt --proc meminfo --proc mounts
  oomadvisor explain kern.log --incident 2
""",
)
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_show_version,
            is_eager=True,
            help="Show the version, the Python and the rule engine in use, and exit.",
        ),
    ] = False,
) -> None:
    """Say why Linux killed a process although memory was free, and which change cures it.

    oomadvisor reads the report that the OOM killer leaves in the kernel's log, replays the page allocator's own
    arithmetic, and recommends only what passes it.

    It exits with 0 when the result was written, 1 when the input holds no incident, 2 after wrong usage, and 3 when an
    input, rule or sysctl file is unusable; verify also with 4 to 6, for what it found.
    """


@app.command(
    short_help="Say what happened, why, and what cures it.",
    epilog="""\b
Examples:
  oomadvisor advise kern.log
  dmesg | oomadvisor advise - --kernel 2.6.31
  oomadvisor advise kern.log --format markdown -o ticket.md
  oomadvisor advise kern.log --format html -o report.html
  oomadvisor advise --proc zoneinfo --proc meminfo --sysctl sysctl-a.txt
""",
)
def advise(
    report: options.OptionalReport = None,
    form: Annotated[options.Format, typer.Option("--format", help="The form of the result.")] = options.Format.text,
    incident: options.Incident = None,
    every: options.Every = False,
    sysctl: options.Sysctl = None,
    proc: options.Proc = None,
    kernel: options.Kernel = None,
    rule_dirs: options.RuleDirs = None,
    output: options.Output = None,
    force: options.Force = False,
    color: options.Color = Colour.auto,
    width: options.Width = None,
) -> None:
    """Advise: what happened, why, and which changes cure it, best first, each with its proof.

    Of a log with several incidents the text, markdown and html forms show the first event in full and list the others.
    The JSON form holds all of them. The html form is a page with pictures and a slider; it needs the extra "page".
    """
    whole = form is options.Format.json
    inputs, wanted = Inputs(report, sysctl, tuple(proc or ()), kernel), Wanted.by_options(incident, every, whole)
    check_target(output, force=force)
    if form is options.Format.html:
        from oomadvisor.cli.page import page

        write_result(page(inputs, wanted, lambda picked: ask(picked, rule_dirs or ())), output, force=force)
        return
    picked = pick(inputs, wanted)
    advice = ask(picked, rule_dirs or ())
    if form is options.Format.json:
        from oomadvisor.present.json import advice_json, dumps

        text = dumps(advice_json(advice))
    elif form is options.Format.markdown:
        from oomadvisor.present.markdown import advice_markdown

        text = advice_markdown(advice) + _others_markdown(picked)
    else:
        from oomadvisor.present.text import render_advice

        text = render_advice(advice, width=columns(width, output), colour=coloured(color, output))
        text += _others_text(picked)
    write_result(text, output, force=force)


@app.command(
    short_help="Derive the kernel's decision step by step.",
    epilog="""\b
Examples:
  oomadvisor explain kern.log
  oomadvisor explain kern.log --incident 2 --format json
""",
)
def explain(
    report: options.OptionalReport = None,
    form: Annotated[
        options.ExplainFormat, typer.Option("--format", help="The form of the result.")
    ] = options.ExplainFormat.text,
    incident: options.Incident = None,
    every: options.Every = False,
    sysctl: options.Sysctl = None,
    proc: options.Proc = None,
    kernel: options.Kernel = None,
    rule_dirs: options.RuleDirs = None,
    output: options.Output = None,
    force: options.Force = False,
    color: options.Color = Colour.auto,
    width: options.Width = None,
) -> None:
    """Explain the kernel's decision: request, operation, zones, watermark test, reclaim, kill.

    Each step is shown with its numbers and the kernel function that it comes from. Of a log with several incidents the
    text form shows the first event. The JSON form holds all of them.
    """
    whole = form is options.ExplainFormat.json
    inputs, wanted = Inputs(report, sysctl, tuple(proc or ()), kernel), Wanted.by_options(incident, every, whole)
    check_target(output, force=force)
    picked = pick(inputs, wanted)
    advice = ask(picked, rule_dirs or ())
    if form is options.ExplainFormat.json:
        from oomadvisor.present.json import dumps, explain_json

        text = dumps(explain_json(advice))
    else:
        from oomadvisor.present.explain import render_explain

        fill, colour = columns(width, output), coloured(color, output)
        text = "\n".join(render_explain(one, width=fill, colour=colour) for one in advice.incidents)
        text += _others_text(picked)
    write_result(text, output, force=force)


app.command(
    short_help="Try a change before making it.",
    epilog="""\b
Examples:
  oomadvisor simulate kern.log --set vm.min_free_kbytes=2039
  oomadvisor simulate kern.log --free tmpfs=16M --operation fork+exec
  oomadvisor simulate kern.log --sweep vm.min_free_kbytes=128..16384
  oomadvisor simulate kern.log --solve vm.min_free_kbytes --operation order:3
  oomadvisor simulate kern.log --days 3 --set vm.min_free_kbytes=8192
""",
)(simulate)


app.command(
    short_help="Open a local page to paste a log into.",
    epilog="""\b
Examples:
  oomadvisor serve
  oomadvisor serve --port 9000 --workers 4
""",
)(serve)


app.command(
    short_help="Draw a picture for a ticket.",
    epilog="""\b
Examples:
  oomadvisor plot kern.log ladder -o ladder.svg
  oomadvisor plot kern.log sweep --operation exec -o sweep.png
  oomadvisor plot console.log.gz timeline -o timeline.svg
""",
)(plot)


app.command(
    short_help="Print a script that collects a device's state.",
    epilog="""\b
Examples:
  oomadvisor collect > collect.sh
  oomadvisor collect | ssh box sh -s > bundle.txt
  oomadvisor advise bundle.txt
""",
)(collect)


app.command(
    short_help="Write a fix as a patch, a drop-in or a script.",
    epilog="""\b
Examples:
  oomadvisor export kern.log --sysctl-conf sysctl.conf > fix.patch
  oomadvisor export kern.log --format script -o fix.sh
  oomadvisor export kern.log --format dropin --pick lower-min-free-kbytes
  oomadvisor export kern.log --sysctl-conf sysctl.conf --rollback > back.patch
""",
)(export)


app.command(
    short_help="See whether a fix is in force and works.",
    epilog="""\b
Examples:
  oomadvisor verify bundle-before.txt bundle-after.txt
  oomadvisor collect | ssh box sh -s | oomadvisor verify kern.log -
  oomadvisor verify kern.log bundle.txt --pick lower-min-free-kbytes && echo proved
""",
)(verify)


@app.command(
    short_help="Print the facts that the rules see.",
    epilog="""\b
Examples:
  oomadvisor facts kern.log
  oomadvisor facts kern.log --incident 2 -o fixture.yaml
""",
)
def facts(
    report: options.OptionalReport = None,
    incident: options.Incident = None,
    every: options.Every = False,
    sysctl: options.Sysctl = None,
    proc: options.Proc = None,
    kernel: options.Kernel = None,
    output: options.Output = None,
    force: options.Force = False,
) -> None:
    """Print the facts that the rules see, as YAML that can be pasted into a test of a rule.

    Of a log with several incidents it takes the first. With --all each incident is a YAML document of its own.
    """
    inputs, wanted = Inputs(report, sysctl, tuple(proc or ()), kernel), Wanted.by_options(incident, every)
    check_target(output, force=force)
    picked = pick(inputs, wanted)
    from oomadvisor.facts import assess, facts_of, facts_yaml

    write_result("---\n".join(facts_yaml(facts_of(assess(state))) for state in picked.states), output, force=force)
    if picked.others:
        to_stderr(f"The log holds {picked.found} incidents; --incident N picks another, --all takes every one.")


@app.command(
    short_help="List the incidents of logs.",
    epilog="""\b
Examples:
  oomadvisor incidents kern.log
  oomadvisor incidents kern.log kern.log.1 kern.log.2.gz --causes
  zcat kern.log.*.gz | oomadvisor incidents - --format jsonl
""",
)
def incidents(
    reports: options.Reports,
    form: Annotated[
        options.ListFormat, typer.Option("--format", help="The form of the list; jsonl is one JSON object per line.")
    ] = options.ListFormat.text,
    causes: Annotated[
        bool, typer.Option("--causes", help="Ask the rules, and add the first cause of each incident.")
    ] = False,
    rule_dirs: options.RuleDirs = None,
    output: options.Output = None,
    force: options.Force = False,
) -> None:
    """List the incidents of logs: OOM kills, page allocation failures, memory cgroup kills and others.

    The number is what --incident takes elsewhere, the line is that in the log. The zone is the highest one with memory
    that the request could be served from.
    """
    from oomadvisor.cli.listing import json_lines, row, table
    from oomadvisor.parse.report import Report

    check_target(output, force=force)
    cause = _first_cause(rule_dirs or ()) if causes else None
    rows = [row(one, cause) for report in reports for one in scan(Report(report))]
    check_found(len(rows), Inputs(", ".join(reports)))
    write_result(json_lines(rows) if form is options.ListFormat.jsonl else table(rows), output, force=force)


@app.command(
    short_help="Print the JSON Schema of the JSON documents.",
    epilog="""\b
Examples:
  oomadvisor schema -o advice-1.json
  oomadvisor schema explain
""",
)
def schema(
    document: Annotated[
        options.Document,
        typer.Argument(metavar="DOCUMENT", help="The document whose schema is wanted."),
    ] = options.Document.advice,
    output: options.Output = None,
    force: options.Force = False,
) -> None:
    """Print the JSON Schema (2020-12) of what --format json prints.

    longrun is what simulate prints with --days, fleet-grid what fleet solve prints of several knobs.
    """
    from functools import partial

    from oomadvisor.present.comparison_json import comparison_schema
    from oomadvisor.present.fleet_schemas import fleet_schema
    from oomadvisor.present.json import advice_schema, dumps, explain_schema
    from oomadvisor.present.longrun import longrun_schema
    from oomadvisor.present.trial_json import trial_schema

    check_target(output, force=force)
    schemas: dict[options.Document, Callable[[], dict[str, Any]]] = {
        options.Document.advice: advice_schema,
        options.Document.explain: explain_schema,
        options.Document.simulate: trial_schema,
        options.Document.longrun: longrun_schema,
        options.Document.verify: comparison_schema,
        options.Document.fleet_report: partial(fleet_schema, "fleet-report"),
        options.Document.fleet_solve: partial(fleet_schema, "fleet-solve"),
        options.Document.fleet_grid: partial(fleet_schema, "fleet-grid"),
    }
    write_result(dumps(schemas[document]()), output, force=force)


def ask(picked: Picked, rule_dirs: Sequence[str]) -> "Advice":
    """Ask the expert about every state that was picked."""
    from oomadvisor.advise import advise
    from oomadvisor.book import book_for_advice, engine_for
    from oomadvisor.model import Advice
    from oomadvisor.rulebook import engine_name

    book = book_for_advice(rule_dirs, os.environ)
    engine = engine_for(book)
    for warning in engine.warnings:
        to_stderr(f"oomadvisor: {warning}")
    return Advice(
        incidents=tuple(advise(state, book, engine=engine) for state in picked.states),
        incidents_found=picked.found,
        engine=engine_name(),
        version=__version__,
    )


def _first_cause(rule_dirs: Sequence[str]) -> "Callable[[Incident], str | None]":
    """Return what asks the rules for the first cause of an incident."""
    from oomadvisor.advise import causes_of
    from oomadvisor.book import engine_for, load_book
    from oomadvisor.infer import build_state

    book = load_book(rule_dirs)
    engine = engine_for(book)
    for warning in engine.warnings:
        to_stderr(f"oomadvisor: {warning}")

    def first(incident: "Incident") -> str | None:
        causes = causes_of(build_state(incident), book, engine=engine)
        return min(causes, key=lambda one: one.rank).title if causes else None

    return first


HOW_TO_SEE = "--incident N shows another, --all shows every one"


def _others_text(picked: Picked) -> str:
    """Return the list of the incidents that were not shown, and how to see them."""
    return f"\n{picked.unseen} more in this log ({HOW_TO_SEE}):\n\n{picked.rows_text()}" if picked.others else ""


def _others_markdown(picked: Picked) -> str:
    """The same for a ticket. The rows cannot close the fence: each begins with a number."""
    if not picked.others:
        return ""
    return f"\n## {picked.unseen} more in this log\n\n```\n{picked.rows_text()}```\n\n`{HOW_TO_SEE}`\n"
