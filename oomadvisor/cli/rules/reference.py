"""``oomadvisor rules facts``, ``rules schema`` and ``rules docs``."""

import json
import os
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from oomadvisor.cli import options
from oomadvisor.cli.output import OutputError, check_target, to_stderr, write_result
from oomadvisor.present.printable import printable

STALE = 1  # docs/exit-codes.md


class KindFormat(str, Enum):
    """The forms of the reference of facts."""

    text = "text"
    markdown = "markdown"
    json = "json"


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.command(
        short_help="List the kinds of fact that rules can look at.",
        epilog="""\b
Examples:
  oomadvisor rules facts
  oomadvisor rules facts zone tunable
  oomadvisor rules facts --format markdown -o facts.md
""",
    )(facts)
    app.command(
        short_help="Print the JSON Schema of rule files, for editors.",
        epilog="""\b
Examples:
  oomadvisor rules schema -o oomadvisor-rules.json
  # then, as the first line of a rule file:
  # yaml-language-server: $schema=oomadvisor-rules.json
""",
    )(schema)
    app.command(
        short_help="Write a Markdown page for each rule.",
        epilog="""\b
Examples:
  oomadvisor rules docs docs/rules/ --pack builtin
  oomadvisor rules docs pages/ --pack my-rules/ --rules my-rules/
""",
    )(docs)


def facts(
    named: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KINDS]...", help="Only these kinds of fact.", show_default=False),
    ] = None,
    form: Annotated[KindFormat, typer.Option("--format", help="The form of the result.")] = KindFormat.text,
    output: options.Output = None,
    force: options.Force = False,
) -> None:
    """List the kinds of fact that rules can look at: each field with type, unit, meaning and example.

    A ? behind the type says that the value may be missing; no comparison with a missing value holds.
    """
    from oomadvisor.authoring import kind_tables
    from oomadvisor.book import kinds
    from oomadvisor.facts import SCOPES
    from oomadvisor.rulebook.errors import did_you_mean
    from oomadvisor.rulebook.kinds import Kinds

    check_target(output, force=force)
    known = kinds()
    for name in named or ():
        if name not in known:
            hint = did_you_mean(name, known) or f"known: {', '.join(known)}"
            raise typer.BadParameter(f"no kind of fact is called '{printable(name)}'; {hint}", param_hint="KINDS")
    chosen = Kinds({name: known[name] for name in named}) if named else known
    if form is KindFormat.json:
        text = json.dumps(kind_tables.as_record(chosen), indent=2, ensure_ascii=False) + "\n"
    elif form is KindFormat.markdown:
        text = kind_tables.as_markdown(chosen, SCOPES)
    else:
        text = kind_tables.as_text(chosen)
    write_result(text, output, force=force)


def schema(output: options.Output = None, force: options.Force = False) -> None:
    """Print the JSON Schema of rule files, with which editors complete, explain and check while you type."""
    from oomadvisor.authoring.editor_schema import rule_file_schema
    from oomadvisor.book import kinds

    check_target(output, force=force)
    write_result(json.dumps(rule_file_schema(kinds()), indent=1, ensure_ascii=False) + "\n", output, force=force)


def docs(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder for the pages.", show_default=False)],
    pack: Annotated[
        str | None,
        typer.Option(
            "--pack", metavar="NAME", help="Only the rules of this pack, such as builtin.", show_default=False
        ),
    ] = None,
    rule_dirs: options.RuleDirs = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 when a page is not as it would be.")
    ] = False,
) -> None:
    """Write a Markdown page for each rule, and an index, into a folder.

    Pages of rules that no longer exist are removed; other files in the folder are left alone.
    """
    from oomadvisor import knowledge
    from oomadvisor.authoring.pages import MARK, pages
    from oomadvisor.book import user_book

    rules = [rule for rule in user_book(rule_dirs or (), os.environ).rules if pack is None or rule.pack == pack]
    if not rules:
        raise typer.BadParameter(f"no rule belongs to the pack '{printable(pack or '')}'.", param_hint="--pack")
    wanted = pages(rules, knowledge.sources())
    try:
        have = {path.name: path.read_bytes() for path in folder.glob("*.md")} if folder.is_dir() else {}
        fresh = {name: text for name, text in wanted.items() if have.get(name) != text.encode()}
        stale = [name for name, text in have.items() if name not in wanted and MARK.encode() in text[:1000]]
        if not check:
            folder.mkdir(parents=True, exist_ok=True)
            for name, text in fresh.items():
                write_result(text, folder / name, force=True)
            for name in stale:
                (folder / name).unlink()
    except OSError as error:
        raise OutputError(f"{printable(str(error.filename or folder))}: {error.strerror}") from error
    for name in (*fresh, *stale):
        done = "not as it would be" if check else "removed" if name in stale else "written"
        to_stderr(f"{printable(str(folder / name))}: {done}")
    if check and (fresh or stale):
        raise typer.Exit(STALE)
