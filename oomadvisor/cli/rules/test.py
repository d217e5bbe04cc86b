"""``oomadvisor rules test``."""

from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from oomadvisor.cli import options
from oomadvisor.cli.output import check_target, write_result
from oomadvisor.cli.rules.selection import Files, select

if TYPE_CHECKING:
    from oomadvisor.rulebook.book import Pack, RuleBook

TESTS_FAILED = 1  # docs/exit-codes.md


class ResultFormat(str, Enum):
    """The forms of test results."""

    text = "text"
    json = "json"
    junit = "junit"


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(
        name="test",
        short_help="Run the tests inside rule files.",
        epilog="""\b
Examples:
  oomadvisor rules test
  oomadvisor rules test my-rules/ --coverage
  oomadvisor rules test my-rules/ --format junit -o results.xml
""",
    )(run)


def run(
    files: Files = None,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="List the rules without a test in which they fire, or do not.")
    ] = False,
    form: Annotated[
        ResultFormat, typer.Option("--format", help="The form of the results; junit is what CI servers read.")
    ] = ResultFormat.text,
    output: options.Output = None,
    force: options.Force = False,
) -> None:
    """Run the tests inside rule files; of one that fails, print each condition and the facts that decided it.

    A test with 'given' runs its rule alone on these facts. One with 'report' runs all rules on those of a log, which
    lies beside the rule file or among the examples that come with oomadvisor.

    The exit code is 1 when a test fails, and with --coverage also when a rule lacks one; 3 when the rule files have
    errors.
    """
    from oomadvisor.authoring import trial_results
    from oomadvisor.authoring.trial import run_tests
    from oomadvisor.book import kinds, read_origins
    from oomadvisor.packs import Origins
    from oomadvisor.rulebook.load import require

    def load(packs: Sequence["Pack"]) -> "RuleBook":
        return require(read_origins(Origins(tuple(packs))))

    check_target(output, force=force)
    selection = select(files or ())
    session = run_tests(selection.origins.packs, kinds(), load, selection.files)
    if form is ResultFormat.json:
        text = trial_results.as_json(session)
    elif form is ResultFormat.junit:
        text = trial_results.as_junit(session)
    else:
        text = trial_results.as_text(session, coverage=coverage)
    write_result(text, output, force=force)
    if session.failed or (coverage and session.uncovered):
        raise typer.Exit(TESTS_FAILED)
