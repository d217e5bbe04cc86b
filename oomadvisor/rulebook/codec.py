"""Checked rules as plain JSON values, and back: what a cache needs.

Without the tests of the rules, which only their authors need. Nothing is checked on the way back: what was checked
once is taken as it is, so that only values that :func:`encoded` made may come in.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from oomadvisor.rulebook import change as changes
from oomadvisor.rulebook.change import LargestPassing, Written
from oomadvisor.rulebook.condition import Absent, AnyOf, Compare, CompareField, Item, OneOf, Pattern, Test, conjunctions
from oomadvisor.rulebook.kernel_range import KernelRange
from oomadvisor.rulebook.rule import Applies, Derive, Derived, Fix, Note, Reference, Refute, Rule

Values = list[Any]

_BLOCKS: Mapping[str, type[Written]] = {"derive": Derive, "fix": Fix, "refute": Refute, "note": Note}
_CHANGES: Mapping[str, type[Written]] = {
    cls.__name__: cls
    for cls in (
        changes.SysctlChange,
        changes.FreeChange,
        changes.OperationChange,
        changes.TaskChange,
        changes.Unsimulated,
        changes.Freed,
        LargestPassing,
    )
}
_PLAIN = (
    "id", "title", "kind", "explain", "params", "sources", "tags", "status", "enabled", "pack", "place", "changed_by",
)  # fmt: skip
_TUPLES = frozenset({"sources", "tags"})


def encoded(rule: Rule) -> Values:
    """Return ``rule`` as lists, texts, numbers and booleans."""
    applies = rule.applies
    return [
        [getattr(rule, name) for name in _PLAIN],
        [_item(item) for item in rule.when],
        [[one.kind, [[name, _derived(value)] for name, value in one.values]] for one in rule.derives],
        [applies.kernel and str(applies.kernel), list(applies.arch), dict(applies.build)],
        {name: _record(getattr(rule, name)) for name in _BLOCKS if getattr(rule, name) is not None},
    ]


def decoded(values: Values) -> Rule:
    """Return the rule that ``values`` were made of. Raises ValueError, TypeError, KeyError or IndexError for others."""
    plain, when, derives, (kernel, arch, build), blocks = values
    fields: dict[str, Any] = {
        name: tuple(value) if name in _TUPLES else value for name, value in zip(_PLAIN, plain, strict=True)
    }
    fields["changed_by"] = tuple((pack, place) for pack, place in fields["changed_by"])
    items = tuple(_item_of(item) for item in when)
    for name, record in blocks.items():
        fields[name] = _record_of(_BLOCKS[name], record)
    return Rule(
        **fields,
        when=items,
        conjunctions=conjunctions(items),
        derives=tuple(Derived(kind, tuple((name, _derived_of(one)) for name, one in made)) for kind, made in derives),
        applies=_applies(kernel, tuple(arch), tuple(build.items())),
    )


@cache
def _applies(kernel: str | None, arch: tuple[str, ...], build: tuple[tuple[str, bool], ...]) -> Applies:
    # Many rules share few ranges, and to read one takes longer than the rest of its rule.
    found = KernelRange(kernel) if kernel is not None else None
    record: dict[str, Any] = {"kernel": found, "arch": arch, "build": dict(build)}
    return Applies.model_construct(**record)


def _item(item: Item) -> Values:
    if isinstance(item, AnyOf):
        return ["any", [_item(branch) for branch in item.branches]]
    alias = item.alias if isinstance(item, Pattern) else None
    return [item.kind, alias, [_test(test) for test in item.tests]]


def _item_of(values: Values) -> Any:
    if len(values) == 2:
        return AnyOf(tuple(_item_of(branch) for branch in values[1]))
    kind, alias, tests = values
    found = tuple(_test_of(test) for test in tests)
    return Absent(kind, found) if alias is None else Pattern(kind, alias, found)


def _test(test: Test) -> Values:
    if isinstance(test, Compare):
        return [test.field, test.op, test.value, test.param]
    if isinstance(test, CompareField):
        return [test.field, test.op, test.other]
    return [test.field, [list(test.values), list(test.params)]]


def _test_of(values: Values) -> Test:
    if len(values) == 4:
        return Compare(*values)
    if len(values) == 3:
        return CompareField(*values)
    field, (choices, params) = values
    return OneOf(field, tuple(choices), tuple(params))


def _derived(value: Any) -> Any:
    return [value.alias, value.field] if isinstance(value, Reference) else value


def _derived_of(value: Any) -> Any:
    return Reference(*value) if isinstance(value, list) else value


def _record(record: Written) -> dict[str, Any]:
    return {name: _value(value) for name, value in record.__dict__.items()}


def _value(value: Any) -> Any:
    if isinstance(value, Written):
        return {"": type(value).__name__, **_record(value)}
    return [_value(one) for one in value] if isinstance(value, tuple) else value


def _record_of(cls: type[Written], values: Mapping[str, Any]) -> Written:
    return cls.model_construct(**{name: _value_of(value) for name, value in values.items()})


def _value_of(value: Any) -> Any:
    if isinstance(value, dict) and "" in value:
        return _record_of(_CHANGES[value[""]], {name: one for name, one in value.items() if name})
    return tuple(_value_of(one) for one in value) if isinstance(value, list) else value
