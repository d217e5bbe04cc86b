"""Why a rule fired or did not: each of its conditions, with the facts that fulfil it or come nearest."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from oomadvisor.rulebook.condition import (
    Absent,
    AnyOf,
    Compare,
    CompareField,
    Item,
    OneOf,
    Pattern,
    Test,
    in_words,
    value_in_words,
)
from oomadvisor.rulebook.kinds import Fact
from oomadvisor.rulebook.matcher import holds, matches
from oomadvisor.rulebook.rule import Rule

NAMED_MAX = 3


@dataclass(frozen=True, slots=True)
class Looked:
    """One item of ``when``: in words, whether it holds by itself, and what of the facts says so.

    ``waits_for``: the conditions on facts that rules derive, among those that do not hold.
    """

    text: str
    holds: bool
    details: tuple[str, ...]
    waits_for: tuple[Pattern, ...] = ()


def conditions(rule: Rule, facts: Sequence[Fact]) -> tuple[Looked, ...]:
    """Return every condition of ``rule`` with what ``facts`` (those that rules derived included) say of it."""
    return tuple(_looked(item, facts) for item in rule.when)


def _looked(item: Item, facts: Sequence[Fact]) -> Looked:
    if isinstance(item, AnyOf):
        branches = [_looked(branch, facts) for branch in item.branches]
        holding = [branch for branch in branches if branch.holds]
        told = holding or branches
        return Looked(
            text="any of: " + "; or ".join(branch.text for branch in branches),
            holds=bool(holding),
            details=tuple(line for branch in told for line in branch.details),
            waits_for=tuple(part for branch in told for part in branch.waits_for if not branch.holds),
        )
    found = [fact for fact in facts if matches(item, fact)]
    details = tuple(_shown(item, fact) for fact in found[:NAMED_MAX])
    if len(found) > NAMED_MAX:
        details += (f"and {len(found) - NAMED_MAX} more",)
    if isinstance(item, Absent):
        return Looked(f"no {in_words(item)}", not found, details or ("there is none",))
    if found:
        return Looked(in_words(item), True, details)
    return Looked(in_words(item), False, _reasons(item, facts), (item,))


def _shown(item: Pattern | Absent, fact: Fact) -> str:
    """Return the values of ``fact`` that ``item`` looks at, and what parameters they were compared with."""
    values = fact.values()
    names = dict.fromkeys(name for test in item.tests for name in _fields(test))
    told = ", ".join(f"{name} = {value_in_words(values[name])}" for name in names if name in values)
    params = [
        f"{test.param} = {value_in_words(test.value)}"
        for test in item.tests
        if isinstance(test, Compare) and test.param
    ]
    params += [
        f"{name} = {value_in_words(value)}"
        for test in item.tests
        if isinstance(test, OneOf)
        for name, value in zip(test.params, test.values, strict=False)
        if name
    ]
    called = fact.key or fact.kind
    return (f"{called}: {told}" if told else called) + (f" (parameter {', '.join(params)})" if params else "")


def _fields(test: Test) -> tuple[str, ...]:
    return (test.field, test.other) if isinstance(test, CompareField) else (test.field,)


def why_not(rule: Rule, facts: Sequence[Fact]) -> str:
    """Return in words the first condition of ``rule`` that fails on ``facts`` (those that rules derived included)."""
    return next(why_none([rule], facts))


def why_none(rules: Iterable[Rule], facts: Sequence[Fact]) -> Iterator[str]:
    """Yield for each of ``rules`` what :func:`why_not` returns."""
    by_kind: dict[str, list[Fact]] = {}
    for fact in facts:
        by_kind.setdefault(fact.kind, []).append(fact)
    for rule in rules:
        reasons = (_unmet(item, by_kind) for item in rule.when)
        failed = next((reason for reason in reasons if reason is not None), None)
        yield failed or "each condition holds by itself, but not with a fact of its own for each"


def _unmet(item: Pattern | Absent | AnyOf, by_kind: Mapping[str, Sequence[Fact]]) -> str | None:
    if isinstance(item, AnyOf):
        unmet = [_unmet(branch, by_kind) for branch in item.branches]
        return None if None in unmet else "none of: " + "; ".join(str(reason) for reason in unmet)
    of_kind = by_kind.get(item.kind, ())
    found = [fact for fact in of_kind if matches(item, fact)]
    if isinstance(item, Absent):
        return f"there is a {in_words(item)}{_called(found)}" if found else None
    if found:
        return None
    reasons = _reasons(item, of_kind)
    return f"no {in_words(item)} ({'; '.join(reasons)})" if of_kind else reasons[0]


def _reasons(item: Pattern, facts: Sequence[Fact]) -> tuple[str, ...]:
    """Return for the facts that come nearest to ``item`` what of them does not fit."""
    candidates = [fact for fact in facts if fact.kind == item.kind]
    if not candidates:
        return (f"no {item.kind} is known",)
    # The facts that fail least are the ones that a reader has in mind, and before them the one that is called right.
    failing = [(fact, [test for test in item.tests if not holds(test, fact.values())]) for fact in candidates]
    failing = [(fact, tests) for fact, tests in failing if all(test.field != "name" for test in tests)] or failing
    least = min(len(tests) for _, tests in failing)
    told = [_failure(fact, tests) for fact, tests in failing if len(tests) == least]
    return (*told[:NAMED_MAX], *([f"and {len(told) - NAMED_MAX} more"] if len(told) > NAMED_MAX else []))


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
