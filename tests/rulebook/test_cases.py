"""The tests that stand beside a rule."""

import pytest

from oomadvisor.rulebook.cases import fires, given_facts
from oomadvisor.rulebook.engine import Backend
from tests.rulebook.books import cause, note, rules_of
from tests.rulebook.toy import KINDS, RequestFact, SwapFact

TESTS = """    params: {low: 2, mark: passes}
    tests:
      - {name: a, given: [{request: {order: 2}}, {zone: {high: passes}}], fires: true}
      - {name: b, given: [{request: {order: 1}}, {zone: {high: passes}}], fires: false}
      - {name: c, given: [{request: {order: 1}}, {zone: {high: passes}}], fires: true, with: {low: 1}}
      - {name: d, given: [{request: {order: 2}}, {zone: {}}], fires: false}
      - {name: e, given: [{request: {order: 2}}, {zone: {high: fails_at_order0}}], fires: true, with: {mark: fails_at_order0}}
      - {name: f, given: [], fires: false}
"""


@pytest.mark.parametrize("backend", ["durable", "matcher"])
def test_cases_on_given_facts(backend: Backend) -> None:
    (rule,) = rules_of(
        note("r", "request: {order: {ge: {param: low}}}", "zone: {high: {one_of: [{param: mark}]}}", more=TESTS)
    )
    for case in rule.tests:
        assert fires(rule, case, given_facts(case, KINDS), KINDS, backend=backend) is case.fires, case.name


def test_given_facts_lack_what_the_test_leaves_out() -> None:
    (rule,) = rules_of(
        note("r", "zone: {}", more="    tests: [{name: a, given: [{zone: {name: DMA}}, {swap: {}}], fires: true}]\n")
    )
    zone, swap = given_facts(rule.tests[0], KINDS)
    assert zone.values() == {"name": "DMA"}
    assert (type(swap), swap.values()) == (SwapFact, {})


def test_other_rules_take_part_only_when_asked() -> None:
    rules = rules_of(
        cause("a", "request: {}"),
        note("b", "cause: {name: a}", more="    tests: [{name: a, report: x, fires: true}]\n"),
    )
    case = rules[1].tests[0]
    assert not fires(rules[1], case, [RequestFact(order=1)], KINDS)
    assert fires(rules[1], case, [RequestFact(order=1)], KINDS, others=rules)


def test_a_rule_with_other_parameters_takes_the_place_of_itself() -> None:
    more = "    params: {low: 1}\n    tests: [{name: a, report: x, fires: false, with: {low: 3}}]\n"
    rules = rules_of(note("a", "request: {order: {ge: {param: low}}}", more=more))
    assert not fires(rules[0], rules[0].tests[0], [RequestFact(order=2)], KINDS, others=rules)


def test_a_derived_fact_that_would_lack_a_value_is_not_derived() -> None:
    made = "    derive: {fact: {pressure: {zone: zone.name, level: 1}}}\n    tests: [{name: a, given: [{zone: {free_pages: 1}}], fires: true}]\n"
    rules = rules_of(note("a", "zone: {}", more=made), note("b", "pressure: {}"))
    facts = given_facts(rules[0].tests[0], KINDS)
    assert fires(rules[0], rules[0].tests[0], facts, KINDS)
    assert not fires(rules[1], rules[0].tests[0], facts, KINDS, others=rules)
