"""``oomadvisor rules list`` and ``rules show``."""

import json
import os
from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from oomadvisor.cli import options
from oomadvisor.cli.columns import aligned
from oomadvisor.cli.output import check_target, columns, write_result
from oomadvisor.cli.rules.naming import RuleId, rule_called

if TYPE_CHECKING:
    from oomadvisor.rulebook import Rule


class ListFormat(str, Enum):
    """The forms of a list of rules."""

    text = "text"
    json = "json"
    jsonl = "jsonl"


class ShowFormat(str, Enum):
    """The forms of one rule."""

    text = "text"
    markdown = "markdown"
    json = "json"


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.command(
        name="list",
        short_help="List the rules in use, and what changed them.",
        epilog="""\b
Examples:
  oomadvisor rules list
  oomadvisor rules list --rules my-rules/ --format json
""",
    )(list_rules)
    app.command(
        short_help="Show one rule.",
        epilog="""\b
Examples:
  oomadvisor rules show fragmentation
  oomadvisor rules show drop-caches --format json
""",
    )(show)


def list_rules(
    rule_dirs: options.RuleDirs = None,
    form: Annotated[
        ListFormat, typer.Option("--format", help="The form of the list; jsonl is one JSON object per line.")
    ] = ListFormat.text,
    output: options.Output = None,
    force: options.Force = False,
) -> None:
    """List the rules in use: id, kind, where it applies, its pack, title, and what changed it or switched it off."""
    from oomadvisor.authoring.rule_words import summary
    from oomadvisor.book import user_book

    check_target(output, force=force)
    rules = user_book(rule_dirs or (), os.environ).rules
    if form is ListFormat.text:
        text = aligned(_rows(rules))
    elif form is ListFormat.json:
        text = json.dumps([summary(rule) for rule in rules], indent=2, ensure_ascii=False) + "\n"
    else:
        text = "".join(json.dumps(summary(rule), ensure_ascii=False) + "\n" for rule in rules)
    write_result(text, output, force=force)


def _rows(rules: Sequence["Rule"]) -> list[tuple[str, ...]]:
    from oomadvisor.authoring.rule_words import applies_in_words, state_in_words

    rows: list[tuple[str, ...]] = [
        (rule.id, rule.kind, applies_in_words(rule), rule.pack, rule.title, state_in_words(rule)) for rule in rules
    ]
    rows.insert(0, ("id", "kind", "applies to", "pack", "title", "state"))
    # The last column is for rules that something was done to; mostly there are none.
    return rows if any(rule.changed_by or not rule.enabled for rule in rules) else [row[:-1] for row in rows]


def show(
    rule: RuleId,
    rule_dirs: options.RuleDirs = None,
    form: Annotated[ShowFormat, typer.Option("--format", help="The form of the result.")] = ShowFormat.text,
    output: options.Output = None,
    force: options.Force = False,
) -> None:
    """Show a rule as it is in use: conditions, parameters, what it concludes or changes, texts, sources, tests."""
    from oomadvisor import knowledge
    from oomadvisor.authoring import pages
    from oomadvisor.authoring.rule_words import record
    from oomadvisor.book import user_book

    check_target(output, force=force)
    found = rule_called(rule, user_book(rule_dirs or (), os.environ))
    if form is ShowFormat.json:
        text = json.dumps(record(found), indent=2, ensure_ascii=False) + "\n"
    else:
        citations = knowledge.sources()
        markdown = form is ShowFormat.markdown
        text = pages.page(found, citations) if markdown else pages.show(found, citations, columns(None, output))
    write_result(text, output, force=force)
