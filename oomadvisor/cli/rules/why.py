"""``oomadvisor rules why``."""

import json
import os
from enum import Enum
from typing import Annotated

import typer

from oomadvisor.cli import options
from oomadvisor.cli.inputs import Inputs, Wanted, pick
from oomadvisor.cli.output import check_target, write_result
from oomadvisor.cli.rules.naming import RuleId, rule_called


class WhyFormat(str, Enum):
    """The forms of a reason."""

    text = "text"
    json = "json"


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(
        short_help="Say why a rule fired on a report, or did not.",
        epilog="""\b
Examples:
  oomadvisor rules why fragmentation kern.log
  oomadvisor rules why jffs2-metadata kern.log --proc slabinfo --rules my-rules/
""",
    )(why)


def why(
    rule: RuleId,
    report: options.OptionalReport = None,
    form: Annotated[WhyFormat, typer.Option("--format", help="The form of the result.")] = WhyFormat.text,
    incident: options.Incident = None,
    sysctl: options.Sysctl = None,
    proc: options.Proc = None,
    kernel: options.Kernel = None,
    rule_dirs: options.RuleDirs = None,
    output: options.Output = None,
    force: options.Force = False,
) -> None:
    """Say why a rule fired on a report, or which of its conditions kept it from firing, with the values of the facts.

    Of a log with several incidents it takes the first event; --incident N picks another.
    """
    from oomadvisor.authoring.story import SCHEMA, as_record, as_text, tell
    from oomadvisor.book import engine_for, user_book

    check_target(output, force=force)
    inputs = Inputs(report, sysctl, tuple(proc or ()), kernel)
    book = user_book(rule_dirs or (), os.environ)
    found = rule_called(rule, book)
    picked = pick(inputs, Wanted.by_options(incident, every=False))
    story = tell(found, book, picked.states[0], engine_for(book))
    if form is WhyFormat.json:
        text = json.dumps({"schema": SCHEMA, **as_record(story)}, indent=2, ensure_ascii=False) + "\n"
    else:
        text = as_text(story)
    write_result(text, output, force=force)
