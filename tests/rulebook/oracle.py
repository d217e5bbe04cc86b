"""What rules mean, written down once more as directly as possible, to compare the engine with."""

import operator
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from oomadvisor.rulebook.condition import Absent, CompareField, Conjunction, OneOf, Pattern, Test
from oomadvisor.rulebook.kinds import Fact, Kinds
from oomadvisor.rulebook.rule import Derived, Reference, Rule
from oomadvisor.rulebook.strata import levels

Firings = set[tuple[str, tuple[str, ...]]]


def model(rules: Sequence[Rule], facts: Sequence[Fact], kinds: Kinds) -> tuple[Firings, set[str]]:
    """Return all firings (rule id, facts as text) and all derived facts as text, as a perfect model has them."""
    memory = list(facts)
    known = {text_of(fact) for fact in facts}
    firings: Firings = set()
    level = levels(rules)
    for stratum in range(max(level, default=0) + 1):
        size = -1
        while size < len(memory):
            size = len(memory)
            for rule in (rule for rule, at in zip(rules, level, strict=True) if at <= stratum):
                for way in rule.conjunctions:
                    for chosen in list(fits(way, memory)):
                        named = {pattern.alias: fact for pattern, fact in zip(way.patterns, chosen, strict=True)}
                        firings.add(
                            (rule.id, tuple(f"{alias}={place_of(fact, facts)}" for alias, fact in named.items()))
                        )
                        for fact in (made(derived, named, kinds) for derived in rule.derives):
                            if text_of(fact) not in known:
                                known.add(text_of(fact))
                                memory.append(fact)
    return firings, {text_of(fact) for fact in memory[len(facts) :]}


def made(derived: Derived, named: Mapping[str, Fact], kinds: Kinds) -> Fact:
    values: dict[str, Any] = {
        name: getattr(named[value.alias], value.field) if isinstance(value, Reference) else value
        for name, value in derived.values
    }
    return kinds[derived.kind].fact(**values)


def fits(way: Conjunction, facts: Sequence[Fact]) -> Iterator[tuple[Fact, ...]]:
    if any(passes(absent, fact) for absent in way.absent for fact in facts):
        return
    for chosen in product(*([fact for fact in facts if passes(pattern, fact)] for pattern in way.patterns)):
        if len({id(fact) for fact in chosen}) == len(chosen):
            yield chosen


def passes(part: Pattern | Absent, fact: Fact) -> bool:
    return fact.kind == part.kind and all(test_passes(test, fact) for test in part.tests)


def test_passes(test: Test, fact: Fact) -> bool:
    left = getattr(fact, test.field)
    if isinstance(test, OneOf):
        return any(left == value for value in test.values)
    right = getattr(fact, test.other) if isinstance(test, CompareField) else test.value
    return left is not None and right is not None and bool(getattr(operator, test.op)(left, right))


test_passes.__test__ = False  # type: ignore[attr-defined]


def text_of(fact: Fact) -> str:
    return f"{fact.kind}{sorted(fact.values().items())}"


def place_of(fact: Fact, facts: Sequence[Fact]) -> str:
    """Return which of ``facts`` this one is, or its text when a rule derived it."""
    return next((f"#{place}" for place, one in enumerate(facts) if one is fact), text_of(fact))
