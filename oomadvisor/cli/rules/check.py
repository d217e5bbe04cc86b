"""``oomadvisor rules check``."""

from enum import Enum
from typing import Annotated

import typer

from oomadvisor.cli import options
from oomadvisor.cli.exit_codes import ExitCode
from oomadvisor.cli.output import check_target, write_result
from oomadvisor.cli.rules.selection import Files, select


class ProblemFormat(str, Enum):
    """The forms of a list of problems."""

    text = "text"
    json = "json"
    github = "github"


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(
        short_help="Check rule files; say what is wrong, where, and what to write.",
        epilog="""\b
Examples:
  oomadvisor rules check
  oomadvisor rules check my-rules/ another.yaml
  oomadvisor rules check my-rules/ --format github
""",
    )(check)


def check(
    files: Files = None,
    form: Annotated[
        ProblemFormat, typer.Option("--format", help="The form of the list; github makes annotations of it.")
    ] = ProblemFormat.text,
    output: options.Output = None,
    force: options.Force = False,
) -> None:
    """Check rule files and print every problem with its file, line and column, and what to write instead.

    FILES are read over the rules in use, so that they may build on them and override them. Of other files only errors
    are printed. The exit code is 3 when there is an error, and 0 when there are none, or only warnings.
    """
    from oomadvisor.authoring import problem_lists
    from oomadvisor.book import read_origins

    check_target(output, force=force)
    selection = select(files or ())
    book, problems = read_origins(selection.origins)
    wanted = selection.files
    told = [one for one in problems if one.severity == "error" or wanted is None or one.path in wanted]
    sound = sum(wanted is None or rule.place.rpartition(":")[0] in wanted for rule in book.rules)
    if form is ProblemFormat.json:
        text = problem_lists.as_json(told, sound)
    elif form is ProblemFormat.github:
        text = problem_lists.as_github(told)
    else:
        text = problem_lists.as_text(told, sound)
    write_result(text, output, force=force)
    if any(one.severity == "error" for one in told):
        raise typer.Exit(ExitCode.UNUSABLE)
