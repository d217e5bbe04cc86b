"""The shape of a rule in a file, checked by pydantic, with its complaints put into our words and at their place."""

import types
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails

from oomadvisor.rulebook.change import CHANGE_TAGS, LargestPassing, Written
from oomadvisor.rulebook.errors import Mark, Problems, did_you_mean, shown
from oomadvisor.rulebook.rule import (
    Applies,
    Case,
    Derive,
    Fix,
    Line,
    Name,
    Note,
    Refute,
    RuleId,
    RuleKind,
    Status,
    Text,
    Value,
)
from oomadvisor.rulebook.yaml_nodes import Listing, Node, Table, is_bad, plain_data


class PackName(Written):
    """The name and title that a rule file gives its pack."""

    name: RuleId
    title: Line | None = None


class FileHead(Written):
    """The top of a rule file, without its rules."""

    schema_: Literal[1] = Field(alias="schema")
    pack: PackName | None = None
    rules: Any = ()


class RuleDoc(Written):
    """A rule as written. ``when`` is checked apart, against the declared kinds."""

    id: RuleId
    title: Line
    kind: RuleKind
    status: Status = "stable"
    tags: tuple[RuleId, ...] = Field(default=(), max_length=20)
    applies: Applies = Applies()
    params: dict[Name, Value] = Field(default_factory=dict, max_length=20)
    when: Any
    derive: Derive | None = None
    fix: Fix | None = None
    refute: Refute | None = None
    note: Note | None = None
    explain: Text
    sources: tuple[Line, ...] = Field(default=(), max_length=50)
    tests: tuple[Case, ...] = Field(default=(), max_length=50)
    enabled: bool = True
    override: bool = False


TAGS: dict[str, type[BaseModel]] = {**CHANGE_TAGS, "solved value": LargestPassing}

M = TypeVar("M", bound=BaseModel)


def read_shape(model: type[M], node: Table, problems: Problems) -> M | None:
    """Return ``node`` as ``model``, or None when it does not fit; ``problems`` is told where and why."""
    try:
        return model.model_validate(plain_data(node))
    except ValidationError as fault:
        details = fault.errors(include_url=False, include_context=True)
        odd = [detail["loc"] for detail in details if detail["type"] == "extra_forbidden"]
        for detail in details:
            if detail["type"] == "missing" and any(_misspelt(path, detail["loc"]) for path in odd):
                continue  # one mistake, one message
            of_key = detail["type"] == "extra_forbidden" or "[key]" in detail["loc"]
            place, mark = locate(node, detail["loc"], key=of_key)
            if not is_bad(place):
                code, text, hint = _in_our_words(model, detail)
                problems.error(place.source, mark, code, text, hint)
        return None


def _misspelt(path: tuple[int | str, ...], missing: tuple[int | str, ...]) -> bool:
    """Return whether the unknown field at ``path`` is the ``missing`` one under another spelling."""
    return path[:-1] == missing[:-1] and bool(get_close_matches(str(path[-1]), [str(missing[-1])], n=1, cutoff=0.6))


def locate(node: Node, path: tuple[str | int, ...], *, key: bool = False) -> tuple[Node, Mark]:
    """Return the node at ``path``, as near as it exists, and its position (that of its key when ``key``).

    Names of union members in a pydantic path are no keys of the file and are passed over.
    """
    mark = node.mark
    for step in path:
        if isinstance(node, Table) and step in node.entries:
            mark = node.keys[str(step)]
            node = node.entries[str(step)]
        elif isinstance(node, Listing) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            mark = node.mark
    return node, mark if key else node.mark


def _in_our_words(model: type[BaseModel], detail: ErrorDetails) -> tuple[str, str, str]:
    path, kind, context, value = detail["loc"], detail["type"], detail.get("ctx", {}), detail["input"]
    name = next((str(step) for step in reversed(path) if isinstance(step, str) and step not in _MEMBERS), "")
    if kind == "extra_forbidden":
        known = list(_names(_model_at(model, path[:-1])))
        return "unknown-field", f"nothing is called {shown(name)} here", did_you_mean(name, known)
    if kind == "missing":
        return "missing-field", f"{name} is missing", _HINTS.get(name, "")
    if kind == "literal_error":
        words = str(context.get("expected", ""))
        listed = [word.strip("' ") for word in words.replace(" or ", ", ").split(", ")]
        return "bad-word", f"{name} cannot be {shown(value)}", did_you_mean(str(value), listed) or f"one of {words}"
    if kind in _EXPECTED:
        return "wrong-type", f"{name or 'this'} takes {_EXPECTED[kind]}, not {type_in_words(value)}", ""
    if kind == "string_pattern_mismatch":
        called = name if "[key]" not in path else "name"
        return "bad-name", f"{shown(value)} is not a usable {called}", _PATTERN_HINTS.get(name, _KEBAB)
    if kind.startswith("too_") or kind.startswith("string_too_"):
        return "bad-size", f"{name}: {detail['msg'].lower()}", ""
    if kind in ("greater_than_equal", "less_than_equal"):
        return "bad-size", f"{name}: {detail['msg'].lower()}", ""
    return (kind if "-" in kind else "bad-value"), detail["msg"], ""


_MEMBERS = frozenset({*TAGS, "number", "value text", "[key]", "int", "bool", "str", "constrained-str"})
_KEBAB = "write lower-case words joined by - (or . for finer ids)"
_PATTERN_HINTS = {"sysctl": "write its dotted name, such as vm.min_free_kbytes"}
_HINTS = {
    "explain": "say in a sentence or two why the rule holds, with the facts' values filled in",
    "undo": "every fix says how to take it back",
    "schema": "start the file with schema: 1",
    "fires": "write true or false",
}
_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


def type_in_words(value: object) -> str:
    """Return what ``value`` is, for a message: ``the text 'x'``, ``the number 5``, ``a list``."""
    if isinstance(value, bool):
        return shown(value)
    if isinstance(value, int | str):
        return f"the {'text' if isinstance(value, str) else 'number'} {shown(value)}"
    return "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, tuple | list) else "that"


def _names(model: type[BaseModel] | None) -> Iterator[str]:
    for name, info in (model.model_fields if model is not None else {}).items():
        yield info.alias or name


def _model_at(model: type[BaseModel], path: tuple[int | str, ...]) -> type[BaseModel] | None:
    found: type[BaseModel] | None = model
    for step in path:
        if isinstance(step, int):
            continue
        if step in TAGS:
            found = TAGS[step]
        elif found is not None:
            info = next((i for n, i in found.model_fields.items() if step in (n, i.alias)), None)
            inner = _models_in(info.annotation) if info is not None else []
            found = inner[0] if len(inner) == 1 else found
    return found


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and get_origin(annotation) is None:
        return [annotation]
    if get_origin(annotation) in (Union, types.UnionType, tuple):
        return [model for part in get_args(annotation) for model in _models_in(part)]
    return []
