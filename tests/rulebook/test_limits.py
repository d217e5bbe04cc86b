"""How many combinations of facts a rule may fit."""

from oomadvisor.rulebook.kinds import Fact
from oomadvisor.rulebook.limits import MATCHES_MAX, MATCHES_TOTAL, oversized
from tests.rulebook.books import note, rules_of
from tests.rulebook.toy import RequestFact, ZoneFact


def zones(count: int) -> list[Fact]:
    return [ZoneFact(name=f"z{n}", free_pages=n) for n in range(count)]


TWO = ("{zone: {}, as: a}", "{zone: {}, as: b}")


def test_a_rule_may_fit_20_000_combinations() -> None:
    rules = rules_of(note("r", *TWO))
    assert oversized(rules, zones(int(MATCHES_MAX**0.5))) == []
    assert oversized(rules, zones(int(MATCHES_MAX**0.5) + 1)) == [0]


def test_a_last_pattern_without_facts_does_not_make_a_rule_small() -> None:
    # The engine keeps the combinations of the patterns before it in memory.
    assert oversized(rules_of(note("r", *TWO, "swap: {}")), zones(200)) == [0]


def test_conditions_are_looked_at_before_a_rule_is_left_out() -> None:
    assert oversized(rules_of(note("r", "{zone: {name: z1}, as: a}", "{zone: {}, as: b}")), zones(500)) == []


def test_branches_add_up() -> None:
    branches = "any: [" + ", ".join(f"zone: {{free_pages: {{ge: -{n}}}}}" for n in range(16)) + "]"
    assert oversized(rules_of(note("r", branches)), zones(1250)) == []
    assert oversized(rules_of(note("r", branches)), zones(1251)) == [0]


def test_all_rules_together_have_a_limit_and_the_largest_go_first() -> None:
    rules = rules_of(
        note("small", "zone: {}"), *(note(f"r{n}", *TWO) for n in range(20)), note("large", *TWO, "request: {}")
    )
    facts = [*zones(100), RequestFact(order=1), RequestFact(order=2)]
    assert MATCHES_TOTAL == 200_000
    assert oversized(rules, facts) == [21, 1]
    assert oversized(rules, facts, leave_out=[21, 1]) == []
