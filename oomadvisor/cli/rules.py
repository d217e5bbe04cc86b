"""``oomadvisor rules``: what is in the rule book, and whether rule files are sound."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oomadvisor.cli import options
from oomadvisor.cli.columns import aligned
from oomadvisor.cli.exit_codes import ExitCode
from oomadvisor.cli.output import check_target, write_result

if TYPE_CHECKING:
    from oomadvisor.rulebook import Rule

rules_app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="List the rules, or check rule files.",
    epilog="""\b
Examples:
  oomadvisor rules list
  oomadvisor rules check my-rules/
""",
)


@rules_app.command(
    epilog="""\b
Examples:
  oomadvisor rules check
  oomadvisor rules check my-rules/ another.yaml
"""
)
def check(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILES]...", help="Rule files, or folders of them.", show_default=False),
    ] = None,
) -> None:
    """Check rule files and print every problem with its file, line and column, and what to write instead.

    The files are read over the built-in rules, which are checked too. The exit code is 3 when there is an error, and 0
    when there are none, or only warnings.
    """
    from oomadvisor.book import read_book
    from oomadvisor.resources import resource_dir

    builtin = resource_dir("rules").resolve()
    own = [file for file in files or () if not Path(file).resolve().is_relative_to(builtin)]
    book, problems = read_book(own)
    errors = sum(problem.severity == "error" for problem in problems)
    summary = f"{len(book)} sound rules, {errors} errors, {len(problems) - errors} warnings"
    write_result("".join(f"{line}\n" for line in (*(problem.render() for problem in problems), summary)))
    if errors:
        raise typer.Exit(ExitCode.UNUSABLE)


@rules_app.command(
    name="list",
    epilog="""\b
Examples:
  oomadvisor rules list
  oomadvisor rules list --rules my-rules/ --format jsonl
""",
)
def list_rules(
    rule_dirs: options.RuleDirs = None,
    form: Annotated[
        options.ListFormat, typer.Option("--format", help="The form of the list; jsonl is one JSON object per line.")
    ] = options.ListFormat.text,
    output: options.Output = None,
    force: options.Force = False,
) -> None:
    """List the rules in use: id, kind, the kernels and processors that it applies to, and title."""
    from oomadvisor.book import load_book

    check_target(output, force=force)
    rules = load_book(rule_dirs or ()).rules
    if form is options.ListFormat.jsonl:
        text = "".join(json.dumps(_record(rule), ensure_ascii=False) + "\n" for rule in rules)
    else:
        text = aligned([("id", "kind", "applies to", "title"), *map(_cells, rules)])
    write_result(text, output, force=force)


def _cells(rule: "Rule") -> tuple[str, ...]:
    kernel = f"kernel {rule.applies.kernel}" if rule.applies.kernel else ""
    applies = " ".join(part for part in (kernel, *rule.applies.arch) if part) or "all"
    return rule.id, rule.kind, applies if rule.enabled else "(disabled)", rule.title


def _record(rule: "Rule") -> dict[str, object]:
    return {
        "id": rule.id,
        "kind": rule.kind,
        "title": rule.title,
        "kernel": str(rule.applies.kernel) if rule.applies.kernel else None,
        "arch": list(rule.applies.arch),
        "enabled": rule.enabled,
        "pack": rule.pack,
        "place": rule.place,
    }
