"""Naming a rule on the command line."""

from typing import TYPE_CHECKING, Annotated

import typer

from oomadvisor.present.printable import printable

if TYPE_CHECKING:
    from oomadvisor.rulebook import Rule, RuleBook

RuleId = Annotated[
    str, typer.Argument(metavar="RULE", help="The id of a rule, as 'rules list' shows it.", show_default=False)
]


def rule_called(name: str, book: "RuleBook") -> "Rule":
    """Return the rule called ``name``. Raises BadParameter (exit 2) with the nearest name."""
    from oomadvisor.rulebook.errors import did_you_mean

    try:
        return book[name]
    except KeyError:
        hint = did_you_mean(name, (rule.id for rule in book.rules)) or "'oomadvisor rules list' shows them"
        raise typer.BadParameter(f"no rule is called '{printable(name)}'; {hint}", param_hint="RULE") from None
