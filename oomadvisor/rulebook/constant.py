"""Whether a value written in a rule fits the declared field, and whether several of them can hold together."""

import re
from collections.abc import Iterable, Mapping

from oomadvisor.rulebook.condition import Compare, CompareField, OneOf, Test
from oomadvisor.rulebook.errors import did_you_mean, shown
from oomadvisor.rulebook.kinds import INT_MAX, TEXT_MAX, FieldSpec, FieldType, Scalar
from oomadvisor.rulebook.shape import type_in_words

PAGE_KB = 4  # for hints only; rules see the report's own page size

_AMOUNT = re.compile(r"(?P<number>[0-9]{1,12})\s*(?P<unit>%|[A-Za-z]{1,8})")
_REFERENCE = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_IN_BYTES: Mapping[str, int] = {
    "b": 1, "byte": 1, "bytes": 1, "page": PAGE_KB << 10, "pages": PAGE_KB << 10, "k": 1 << 10, "kb": 1 << 10,
    "kib": 1 << 10, "m": 1 << 20, "mb": 1 << 20, "mib": 1 << 20, "g": 1 << 30, "gb": 1 << 30, "gib": 1 << 30,
}  # fmt: skip
_OUR_UNIT: Mapping[str, int] = {"bytes": 1, "pages": PAGE_KB << 10, "kB": 1 << 10, "MB": 1 << 20}

Misfit = tuple[str, str, str]
"""Code, what is wrong, what to write instead."""


def type_of(value: Scalar) -> FieldType:
    """Return the field type that ``value`` has."""
    return "bool" if isinstance(value, bool) else "int" if isinstance(value, int) else "text"


def misfit(kind: str, spec: FieldSpec, value: Scalar) -> Misfit | None:
    """Return what is wrong with comparing ``kind.spec`` with ``value``, or None."""
    if type_of(value) != spec.type:
        amount = _AMOUNT.fullmatch(value.strip()) if spec.type == "int" and isinstance(value, str) else None
        if amount is not None:
            text = f"{kind}.{spec.name} counts {in_unit(spec)}; a value is a bare number, not {shown(value)}"
            return "wrong-unit", text, _converted(spec, int(amount["number"]), amount["unit"].lower())
        hint = ""
        if isinstance(value, str) and _REFERENCE.fullmatch(value):
            hint = "facts cannot be compared with each other; add a field that says the result"
        elif spec.type == "text":
            written = str(value).lower() if isinstance(value, bool) else str(value)
            hint = f'YAML read this as {type_in_words(value)}; quote it: "{written}"'
        elif spec.type == "int" and isinstance(value, bool):
            hint = f"YAML read this as {shown(value)}; write a number"
        elif spec.type == "bool" and value in (0, 1, "true", "false"):
            hint = "write true or false, without quotes"
        elif spec.type == "int" and isinstance(value, str) and value.lstrip("-").isdecimal():
            hint = "leave the quotes out"
        return "wrong-type", f"{kind}.{spec.name} takes {spec.expected}, not {type_in_words(value)}", hint
    if isinstance(value, int) and not -INT_MAX <= value <= INT_MAX:
        return "number-too-large", "numbers are limited to ±(2**63 - 1)", ""
    if isinstance(value, str) and len(value) > TEXT_MAX:
        return "text-too-long", f"a text to compare with may have {TEXT_MAX} characters, not {len(value)}", ""
    if spec.words is not None and value not in spec.words:
        return "unknown-word", f"{kind}.{spec.name} is never {shown(value)}", did_you_mean(str(value), spec.words)
    return None


def in_unit(spec: FieldSpec) -> str:
    """Return what a field counts in, for messages."""
    return f"in {spec.unit}" if spec.unit else "without a unit"


def _converted(spec: FieldSpec, number: int, unit: str) -> str:
    if spec.unit == "permille" and unit == "%":
        return f"write {number * 10}"
    size, wanted = _IN_BYTES.get(unit), _OUR_UNIT.get(spec.unit or "")
    if size is None or wanted is None:
        return "leave the unit out"
    value = number * size // wanted
    return f"write {value}" + (f" (pages of {PAGE_KB} kB)" if "page" in f"{spec.unit}{unit}" else "")


def contradiction(spec: FieldSpec, tests: Iterable[Test]) -> str | None:
    """Return why no value of the field passes all ``tests``, or None when some value may."""
    values: set[Scalar] | None = None
    if spec.type == "bool":
        values = {True, False}
    elif spec.words is not None:
        values = set(spec.words)
    low, high, excluded = -INT_MAX, INT_MAX, set[Scalar]()
    for test in tests:
        if isinstance(test, CompareField):
            continue
        if isinstance(test, OneOf):
            values = set(test.values) if values is None else values & set(test.values)
        elif test.op == "eq":
            values = {test.value} if values is None else values & {test.value}
        elif test.op == "ne":
            excluded.add(test.value)
        elif isinstance(test.value, int):
            low = max(low, test.value + (test.op == "gt")) if test.op in ("ge", "gt") else low
            high = min(high, test.value - (test.op == "lt")) if test.op in ("le", "lt") else high
    if values is not None:
        left = {value for value in values - excluded if not isinstance(value, int) or low <= value <= high}
        return None if left else f"no value of {spec.name} passes all of these"
    if low > high or (low == high and low in excluded):
        return f"no number passes all of these for {spec.name}"
    return None


def narrower(tests: Iterable[Test], others: Iterable[Test]) -> bool:
    """Return whether whatever passes ``tests`` certainly passes ``others`` (decided by comparing them as written)."""
    have = {_bare(test) for test in tests}
    return all(_bare(other) in have for other in others)


def _bare(test: Test) -> tuple[object, ...]:
    if isinstance(test, Compare):
        return test.field, test.op, type_of(test.value), test.value
    if isinstance(test, OneOf):
        return test.field, "one_of", frozenset((type_of(value), value) for value in test.values)
    return test.field, test.op, "field", test.other
