"""The rule language evaluated in the plainest way: the oracle for the engine, and its stand-in where it cannot load."""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from oomadvisor.rulebook.condition import Absent, Compare, Conjunction, OneOf, Operator, Pattern, Test
from oomadvisor.rulebook.kinds import Fact, Scalar

Bound = tuple[tuple[str, int], ...]
"""The aliases of a conjunction with the positions of the facts that they stand for."""

COMPARE: Mapping[Operator, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


def holds(test: Test, values: Mapping[str, Scalar]) -> bool:
    """Return whether ``values`` pass ``test``; nothing holds for a missing value."""
    left = values.get(test.field)
    if left is None:
        return False
    if isinstance(test, OneOf):
        return left in test.values
    right = test.value if isinstance(test, Compare) else values.get(test.other)
    return right is not None and COMPARE[test.op](left, right)


def matches(part: Pattern | Absent, fact: Fact) -> bool:
    """Return whether ``fact`` is what ``part`` looks for."""
    return fact.kind == part.kind and (not part.tests or _all_hold(part.tests, fact.values()))


def _all_hold(tests: tuple[Test, ...], values: Mapping[str, Scalar]) -> bool:
    return all(holds(test, values) for test in tests)


def bindings(way: Conjunction, facts: Sequence[Fact]) -> Iterator[Bound]:
    """Yield every way to give each pattern of ``way`` a fact of its own, while no fact is one of the absent."""
    if any(matches(absent, fact) for absent in way.absent for fact in facts):
        return
    choices = [[i for i, fact in enumerate(facts) if matches(pattern, fact)] for pattern in way.patterns]

    def extend(chosen: tuple[int, ...]) -> Iterator[Bound]:
        if len(chosen) == len(choices):
            yield tuple((pattern.alias, i) for pattern, i in zip(way.patterns, chosen, strict=True))
            return
        for index in choices[len(chosen)]:
            if index not in chosen:
                yield from extend((*chosen, index))

    if all(choices):
        yield from extend(())
