"""The rule language evaluated in the plainest way: the oracle for the engine, and its stand-in where it cannot load."""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from oomadvisor.rulebook.condition import Absent, Compare, OneOf, Operator, Pattern, Test
from oomadvisor.rulebook.kinds import Fact, Scalar

Bound = tuple[int, ...]
"""The positions of the facts that the patterns of a conjunction found, in the order of the patterns."""

COMPARE: Mapping[Operator, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


def holds(test: Test, values: Mapping[str, Scalar | None]) -> bool:
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
    if fact.kind != part.kind:
        return False
    values = vars(fact)  # nothing holds for None, so what Fact.values leaves out need not be left out
    return all(holds(test, values) for test in part.tests)


def bindings(patterns: Sequence[Pattern], facts: Sequence[Fact]) -> Iterator[Bound]:
    """Yield every way to give each of ``patterns`` a fact of its own."""
    choices = [[place for place, fact in enumerate(facts) if matches(pattern, fact)] for pattern in patterns]
    if all(choices):
        yield from _distinct((), choices)


def _distinct(chosen: Bound, choices: list[list[int]]) -> Iterator[Bound]:
    if not choices:
        yield chosen
        return
    for place in choices[0]:
        if place not in chosen:
            yield from _distinct((*chosen, place), choices[1:])
