"""The built-in rules: they load without a remark, their own tests hold, and what they cite exists."""

from collections.abc import Iterator

import pytest

from oomadvisor import knowledge
from oomadvisor.book import kinds, load_book, read_book
from oomadvisor.facts import assess, facts_of
from oomadvisor.infer import build_state
from oomadvisor.parse import scan_file
from oomadvisor.rulebook.cases import fires, given_facts
from oomadvisor.rulebook.change import SysctlChange
from oomadvisor.rulebook.kinds import Fact
from oomadvisor.rulebook.rule import Case, Rule
from tests.expert.seed import SEED

BOOK = load_book()
CASES = [(rule, case) for rule in BOOK.rules for case in rule.tests]


def facts_of_report(name: str) -> list[Fact]:
    (incident,) = scan_file(str(SEED.parent / name))
    return facts_of(assess(build_state(incident)))


def test_the_book_loads_without_a_remark() -> None:
    assert read_book()[1] == []


@pytest.mark.parametrize(("rule", "case"), CASES, ids=[f"{rule.id}: {case.name}" for rule, case in CASES])
def test_a_rules_own_test(rule: Rule, case: Case) -> None:
    if case.report is None:
        assert fires(rule, case, given_facts(case, kinds()), kinds()) is case.fires
    else:
        facts = facts_of_report(case.report)
        assert fires(rule, case, facts, kinds(), others=BOOK.rules) is case.fires


@pytest.mark.parametrize("rule", BOOK.rules, ids=lambda rule: rule.id)
def test_a_rule_has_a_positive_and_a_negative_test_and_sources(rule: Rule) -> None:
    assert {case.fires for case in rule.tests} == {True, False}
    assert rule.sources
    assert set(rule.sources) <= knowledge.sources().keys()


def citations() -> Iterator[tuple[str, str]]:
    for rule in BOOK.rules:
        for measured in (*(rule.fix.measured if rule.fix else ()), *(rule.refute.measured if rule.refute else ())):
            yield rule.id, measured


def test_what_rules_call_measured_is_in_the_evidence() -> None:
    assert [c for c in citations() if c[1] not in knowledge.measured_rates()] == []


def test_a_rule_only_sets_tunables_that_exist_where_it_applies() -> None:
    for rule in BOOK.rules:
        changes = (*(rule.fix.changes if rule.fix else ()), *(rule.refute.replay if rule.refute else ()))
        for change in changes:
            if isinstance(change, SysctlChange):
                assert knowledge.knobs()[change.sysctl].exists_in((2, 6, 31)), (rule.id, change.sysctl)
