"""The block that belongs to a kind of rule, and the facts that a rule derives."""

from dataclasses import dataclass

from oomadvisor.rulebook.constant import in_unit, misfit
from oomadvisor.rulebook.errors import Problems, did_you_mean, shown
from oomadvisor.rulebook.kinds import CauseFact, FieldSpec, Kinds, KindSpec, Scalar
from oomadvisor.rulebook.names import Names
from oomadvisor.rulebook.rule import Derive, Derived, Reference
from oomadvisor.rulebook.shape import RuleDoc, locate
from oomadvisor.rulebook.yaml_nodes import Table

BLOCKS = {"cause": "derive", "fix": "fix", "refutation": "refute", "note": "note"}

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class RuleProblems:
    """Tells ``problems`` what is wrong at a path of one rule."""

    table: Table
    problems: Problems

    def at(self, path: Path, code: str, text: str, hint: str = "") -> None:
        """Tell about the value at ``path``."""
        node, mark = locate(self.table, path)
        self.problems.error(node.source, mark, code, text, hint)

    def warn_at(self, path: Path, code: str, text: str, hint: str = "") -> None:
        """Warn about the value at ``path``."""
        node, mark = locate(self.table, path)
        self.problems.warn(node.source, mark, code, text, hint)

    def at_key(self, path: Path, code: str, text: str, hint: str = "") -> None:
        """Tell about the last key of ``path``."""
        node, mark = locate(self.table, path, key=True)
        self.problems.error(node.source, mark, code, text, hint)


def check_blocks(doc: RuleDoc, told: RuleProblems) -> None:
    """Demand exactly the block that belongs to the kind of rule."""
    own = BLOCKS[doc.kind]
    of_others = [(kind, block) for kind, block in BLOCKS.items() if block != own and _has(doc, block)]
    if getattr(doc, own) is None and of_others:
        kind, block = of_others[0]
        text = f"a rule of kind {doc.kind} needs {own}:, and this one has {block}:"
        told.at(("kind",), "wrong-block", text, f"write kind: {kind}, or {own}:")
        return
    if getattr(doc, own) is None:
        told.at(("id",), "missing-field", f"a rule of kind {doc.kind} needs {own}:")
    for block in BLOCKS.values():
        if block not in (own, "derive") and getattr(doc, block) is not None:
            told.at_key((block,), "wrong-block", f"{block}: does not belong into a {doc.kind}", f"use {own}:")
    if doc.derive is not None:
        _check_derive(doc.kind, doc.derive, told)


def _has(doc: RuleDoc, block: str) -> bool:
    """Return whether a rule has a block that only one kind of rule has; derive: {fact: ...} is for any."""
    found = getattr(doc, block)
    return found is not None and (block != "derive" or found.confidence is not None)


def _check_derive(kind: str, derive: Derive, told: RuleProblems) -> None:
    if kind == "cause":
        if derive.confidence is None:
            told.at_key(("derive",), "missing-field", "confidence is missing", "write high, medium or low")
        return
    for name in ("cause", "confidence", "role"):
        if getattr(derive, name) is not None:
            hint = "other rules derive: {fact: {kind: {...}}}"
            told.at_key(("derive", name), "wrong-block", f"{name} belongs to rules of kind cause", hint)
    if derive == Derive():
        told.at_key(("derive",), "missing-field", "derive needs fact:", "write fact: {kind: {field: value}}")


def completed(doc: RuleDoc) -> Derive | None:
    """Return ``derive`` with the defaults of a cause rule written out."""
    if doc.derive is None or doc.kind != "cause":
        return doc.derive
    defaults = {"cause": doc.derive.cause or doc.id, "role": doc.derive.role or "decides"}
    return doc.derive.model_copy(update=defaults)


def derived_facts(doc: RuleDoc, names: Names, kinds: Kinds, told: RuleProblems) -> tuple[Derived, ...]:
    """Return the facts that a firing adds; ``told`` hears of those that could not be."""
    derive = completed(doc)
    if derive is None:
        return ()
    found: list[Derived] = []
    if derive.cause is not None and derive.confidence is not None and derive.role is not None:
        values = (("name", derive.cause), ("confidence", derive.confidence), ("role", derive.role))
        found.append(Derived(CauseFact.kind, values))
    derivable = [kind.name for kind in kinds.values() if kind.derived and kind.name != CauseFact.kind]
    for name, fields in (derive.fact or {}).items():
        if name in derivable:
            found.append(_derived(kinds[name], fields, names, told))
        else:
            text = f"{shown(name)} is no kind that rules derive"
            told.at_key(("derive", "fact", name), "not-derivable", text, did_you_mean(name, derivable))
    return tuple(found)


def _derived(kind: KindSpec, fields: dict[str, Scalar], names: Names, told: RuleProblems) -> Derived:
    path = ("derive", "fact", kind.name)
    for spec in kind.fields.values():
        if spec.required and spec.name not in fields:
            told.at_key(path, "missing-field", f"{kind.name} needs {spec.name}", f"it takes {spec.expected}")
    values: list[tuple[str, Scalar | Reference]] = []
    for name, value in fields.items():
        spec_or_none = kind.fields.get(name)
        if spec_or_none is None:
            text = f"{kind.name} has no field {shown(name)}"
            told.at_key((*path, name), "unknown-field", text, did_you_mean(name, kind.fields))
        else:
            values.append((name, _value(kind, spec_or_none, value, names, told)))
    return Derived(kind.name, tuple(values))


def _value(kind: KindSpec, spec: FieldSpec, value: Scalar, names: Names, told: RuleProblems) -> Scalar | Reference:
    """Return a literal, or the reference that a text ``alias.field`` is when there is such an alias."""
    path = ("derive", "fact", kind.name, spec.name)
    alias, dot, field = value.partition(".") if isinstance(value, str) else ("", "", "")
    if alias not in names.known and alias not in names.sometimes:
        wrong = misfit(kind.name, spec, value)
        if wrong is not None:
            told.at(path, wrong[0], wrong[1], wrong[2] or (did_you_mean(alias, names.known) if dot else ""))
        return value
    source = names.look_up(alias, field)
    if not isinstance(source, FieldSpec):
        told.at(path, *source)
    elif source.type != spec.type or (spec.words is not None and not set(source.words or ("",)) <= set(spec.words)):
        told.at(path, "wrong-type", f"{kind.name}.{spec.name} takes {spec.expected}, {value} is {source.expected}")
    elif source.unit and spec.unit and source.unit != spec.unit:
        text = f"{kind.name}.{spec.name} counts {in_unit(spec)}, {value} {in_unit(source)}"
        told.at(path, "wrong-unit", text, "take a field of the same unit")
    elif spec.required and not source.required:
        told.at(path, "may-be-missing", f"{value} may be missing, and {kind.name}.{spec.name} must have a value")
    return Reference(alias, field)
