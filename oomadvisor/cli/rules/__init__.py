"""``oomadvisor rules``: look at the rule book, check and test rule files, write new ones."""

import typer

from oomadvisor.cli.rules import check, listing, new, reference, test, why

rules_app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Look at the rule book; check, test and write rule files.",
    epilog="""\b
Examples:
  oomadvisor rules list
  oomadvisor rules new my-cause -o my-rules/mine.yaml
  oomadvisor rules check my-rules/
  oomadvisor rules test my-rules/
  oomadvisor rules why fragmentation kern.log
""",
)
for module in (listing, check, test, why, new, reference):
    module.register(rules_app)

__all__ = ["rules_app"]
