"""Why a rule did not fire: the first of its conditions that the facts do not fulfil."""

from collections.abc import Sequence

from oomadvisor.rulebook.condition import Absent, AnyOf, Pattern, Test, in_words, value_in_words
from oomadvisor.rulebook.kinds import Fact
from oomadvisor.rulebook.matcher import holds, matches
from oomadvisor.rulebook.rule import Rule

NAMED_MAX = 3


def why_not(rule: Rule, facts: Sequence[Fact]) -> str:
    """Return in words the first condition of ``rule`` that fails on ``facts`` (those that rules derived included)."""
    for item in rule.when:
        reason = _unmet(item, facts)
        if reason is not None:
            return reason
    return "each condition holds by itself, but not with a fact of its own for each"


def _unmet(item: Pattern | Absent | AnyOf, facts: Sequence[Fact]) -> str | None:
    if isinstance(item, AnyOf):
        reasons = [_unmet(branch, facts) for branch in item.branches]
        return None if None in reasons else "none of: " + "; ".join(str(reason) for reason in reasons)
    found = [fact for fact in facts if matches(item, fact)]
    if isinstance(item, Absent):
        return f"there is a {in_words(item)}{_called(found)}" if found else None
    if found:
        return None
    candidates = [fact for fact in facts if fact.kind == item.kind]
    if not candidates:
        return f"no {item.kind} is known"
    # The facts that fail least are the ones that a reader has in mind.
    failing = [(fact, [test for test in item.tests if not holds(test, fact.values())]) for fact in candidates]
    least = min(len(tests) for _, tests in failing)
    told = [_failure(fact, tests) for fact, tests in failing if len(tests) == least]
    more = f"; and {len(told) - NAMED_MAX} more" if len(told) > NAMED_MAX else ""
    return f"no {in_words(item)} ({'; '.join(told[:NAMED_MAX])}{more})"


def _failure(fact: Fact, tests: list[Test]) -> str:
    values = fact.values()
    wrong = ", ".join(
        f"{test.field} is {value_in_words(values[test.field])}"
        if test.field in values
        else f"{test.field} is not known"
        for test in tests
    )
    return f"{fact.key}: {wrong}" if fact.key else wrong


def _called(facts: Sequence[Fact]) -> str:
    keys = [fact.key for fact in facts if fact.key]
    return f": {', '.join(keys[:NAMED_MAX])}" if keys else ""
