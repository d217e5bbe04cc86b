"""``oomadvisor rules new``."""

import re
from enum import Enum
from typing import Annotated

import typer

from oomadvisor.cli import options
from oomadvisor.cli.output import check_target, write_result


class NewKind(str, Enum):
    """The kinds of rule."""

    cause = "cause"
    fix = "fix"
    refutation = "refutation"
    note = "note"


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(
        short_help="Write a rule file to fill in.",
        epilog="""\b
Examples:
  oomadvisor rules new jffs2-metadata -o my-rules/jffs2.yaml
  oomadvisor rules new vendor-folklore --kind refutation
""",
    )(new)


def new(
    rule: Annotated[
        str, typer.Argument(metavar="[ID]", help="What to call it: lower-case words joined by -.")
    ] = "my-rule",
    kind: Annotated[NewKind, typer.Option("--kind", help="The kind of rule.")] = NewKind.cause,
    output: options.Output = None,
    force: options.Force = False,
) -> None:
    """Write a rule file to fill in, with every part explained.

    It is a sound rule file from the beginning; one of its tests fails until it is filled in.
    """
    from oomadvisor.authoring.skeleton import skeleton
    from oomadvisor.present.printable import printable
    from oomadvisor.rulebook.rule import ID

    check_target(output, force=force)
    if not re.fullmatch(ID, rule) or len(rule) > 80:
        text = (
            f"'{printable(rule)}' is no usable id; lower-case words joined by - were expected, such as jffs2-metadata."
        )
        raise typer.BadParameter(text, param_hint="ID")
    write_result(skeleton(rule, kind.value), output, force=force)
