"""What rules mean, written down once more as directly as possible, to compare the engine with."""

from collections.abc import Iterator, Sequence
from itertools import product

from oomadvisor.rulebook.condition import CompareField, Conjunction, OneOf, Pattern, Test
from oomadvisor.rulebook.kinds import Fact, Kinds
from oomadvisor.rulebook.rule import Reference, Rule
from oomadvisor.rulebook.strata import levels

Found = set[tuple[str, tuple[tuple[str, int], ...]]]


def model(
    rules: Sequence[Rule], facts: Sequence[Fact], kinds: Kinds
) -> tuple[set[tuple[str, tuple[str, ...]]], set[str]]:
    """Return all firings (rule id, facts as text) and all derived facts as text, by the definition of a perfect model."""
    memory = list(facts)
    texts = {text_of(fact) for fact in facts}
    firings: set[tuple[str, tuple[str, ...]]] = set()
    derived: set[str] = set()
    level = levels(rules)
    for stratum in range(max(level, default=0) + 1):
        grown = True
        while grown:
            grown = False
            for rule, at in zip(rules, level, strict=True):
                if at > stratum:
                    continue
                for way in rule.conjunctions:
                    for chosen in list(fits(way, memory)):
                        firings.add(
                            (
                                rule.id,
                                tuple(
                                    f"{p.alias}={place_of(f, facts)}{text_of(f)}"
                                    for p, f in zip(way.patterns, chosen, strict=True)
                                ),
                            )
                        )
                        for made in rule.derives:
                            named = {p.alias: f for p, f in zip(way.patterns, chosen, strict=True)}
                            values = {
                                name: getattr(named[value.alias], value.field)
                                if isinstance(value, Reference)
                                else value
                                for name, value in made.values
                            }
                            fact = kinds[made.kind].fact(**values)
                            if text_of(fact) not in texts:
                                texts.add(text_of(fact))
                                derived.add(text_of(fact))
                                memory.append(fact)
                                grown = True
    return firings, derived


def fits(way: Conjunction, facts: Sequence[Fact]) -> Iterator[tuple[Fact, ...]]:
    if any(passes(absent, fact) for absent in way.absent for fact in facts):
        return
    for chosen in product(*([fact for fact in facts if passes(pattern, fact)] for pattern in way.patterns)):
        if len({id(fact) for fact in chosen}) == len(chosen):
            yield chosen


def passes(part: object, fact: Fact) -> bool:
    return fact.kind == part.kind and all(test_holds(test, fact) for test in part.tests)  # type: ignore[attr-defined]


def test_holds(test: Test, fact: Fact) -> bool:
    left = getattr(fact, test.field)
    if left is None:
        return False
    if isinstance(test, OneOf):
        return any(left == value for value in test.values)
    right = getattr(fact, test.other) if isinstance(test, CompareField) else test.value
    if right is None:
        return False
    return {
        "eq": left == right,
        "ne": left != right,
        "lt": not isinstance(left, str) and left < right,
        "le": not isinstance(left, str) and left <= right,
        "gt": not isinstance(left, str) and left > right,
        "ge": not isinstance(left, str) and left >= right,
    }[test.op]


def text_of(fact: Fact) -> str:
    return f"{fact.kind}{sorted(fact.values().items())}"


def place_of(fact: Fact, facts: Sequence[Fact]) -> str:
    return next((f"#{place}" for place, one in enumerate(facts) if one is fact), "")


__all__ = ["Pattern", "model"]
