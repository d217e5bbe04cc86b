"""The conditions of a checked rule as plain values: comparisons on one fact, and conjunctions over facts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from oomadvisor.rulebook.kinds import Scalar

Operator = Literal["eq", "ne", "lt", "le", "gt", "ge"]


@dataclass(frozen=True, slots=True)
class Compare:
    """``field <op> value``. ``param`` names the parameter that ``value`` came from."""

    field: str
    op: Operator
    value: Scalar
    param: str | None = None


@dataclass(frozen=True, slots=True)
class OneOf:
    """``field`` equals one of ``values``; ``params`` holds the parameter each came from, or None."""

    field: str
    values: tuple[Scalar, ...]
    params: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True)
class CompareField:
    """``field <op> other``, both of the same fact and always present."""

    field: str
    op: Operator
    other: str


Test = Compare | OneOf | CompareField


@dataclass(frozen=True, slots=True)
class Pattern:
    """Some fact of ``kind`` passes all ``tests``; rules and templates call it ``alias``."""

    kind: str
    alias: str
    tests: tuple[Test, ...] = ()


@dataclass(frozen=True, slots=True)
class Absent:
    """No fact of ``kind`` passes all ``tests``."""

    kind: str
    tests: tuple[Test, ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of ``branches`` holds."""

    branches: tuple[Pattern | Absent, ...]


Item = Pattern | Absent | AnyOf


@dataclass(frozen=True, slots=True)
class Conjunction:
    """One way for a rule to hold: every pattern has a fact of its own, and none of ``absent`` has any."""

    patterns: tuple[Pattern, ...]
    absent: tuple[Absent, ...] = ()


def conjunctions(items: tuple[Item, ...]) -> tuple[Conjunction, ...]:
    """Return the disjunctive normal form of ``items``, in the order in which the branches are written."""
    rows: list[tuple[Pattern | Absent, ...]] = [()]
    for item in items:
        branches = item.branches if isinstance(item, AnyOf) else (item,)
        rows = [(*row, branch) for row in rows for branch in branches]
    return tuple(
        Conjunction(
            patterns=tuple(part for part in row if isinstance(part, Pattern)),
            absent=tuple(dict.fromkeys(part for part in row if isinstance(part, Absent))),
        )
        for row in rows
    )


def with_params(items: tuple[Item, ...], params: Mapping[str, Scalar]) -> tuple[Item, ...]:
    """Return ``items`` with the values of ``params`` wherever a condition names one of them."""

    def test(old: Test) -> Test:
        if isinstance(old, Compare) and old.param is not None and old.param in params:
            return replace(old, value=params[old.param])
        if isinstance(old, OneOf):
            return replace(
                old,
                values=tuple(
                    value if name is None else params.get(name, value)
                    for value, name in zip(old.values, old.params, strict=True)
                ),
            )
        return old

    def item(old: Item) -> Item:
        if isinstance(old, AnyOf):
            return AnyOf(tuple(part(branch) for branch in old.branches))
        return part(old)

    def part(old: Pattern | Absent) -> Pattern | Absent:
        return replace(old, tests=tuple(test(one) for one in old.tests))

    return tuple(item(old) for old in items)


SYMBOL: Mapping[Operator, str] = {"eq": "=", "ne": "≠", "lt": "<", "le": "≤", "gt": ">", "ge": "≥"}


def in_words(part: Pattern | Absent) -> str:
    """Return ``part`` for people: ``zone with eligible = true and free_pages < 40``."""
    tests = " and ".join(_test_in_words(test) for test in part.tests)
    return f"{part.kind} with {tests}" if tests else part.kind


def _test_in_words(test: Test) -> str:
    if isinstance(test, OneOf):
        return f"{test.field} one of " + ", ".join(value_in_words(value) for value in test.values)
    right = test.other if isinstance(test, CompareField) else value_in_words(test.value)
    return f"{test.field} {SYMBOL[test.op]} {right}"


def value_in_words(value: Scalar) -> str:
    """Return ``value`` as rules write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
