"""One rule: from its YAML table to a checked :class:`Rule`, or to everything that is wrong with it."""

from collections.abc import Mapping

from oomadvisor.rulebook.condition import AnyOf, Item, Pattern, conjunctions
from oomadvisor.rulebook.constant import misfit, type_of
from oomadvisor.rulebook.crosscheck import CheckedRule
from oomadvisor.rulebook.errors import Problems, did_you_mean, shown
from oomadvisor.rulebook.kinds import CauseFact, FieldSpec, FieldType, Kinds, KindSpec, Scalar
from oomadvisor.rulebook.rule import Derive, Derived, Reference, Rule
from oomadvisor.rulebook.shape import RuleDoc, locate, read_shape, type_in_words
from oomadvisor.rulebook.template import faults
from oomadvisor.rulebook.template_place import place_in_source
from oomadvisor.rulebook.when import When
from oomadvisor.rulebook.yaml_nodes import Scalar as ScalarNode
from oomadvisor.rulebook.yaml_nodes import Table

Names = Mapping[str, Mapping[str, FieldSpec]]

BLOCKS = {"cause": "derive", "fix": "fix", "refutation": "refute", "note": "note"}


def check_rule(table: Table, kinds: Kinds, scopes: Names, problems: Problems) -> CheckedRule | None:
    """Return the rule that ``table`` holds, or None when it has an error."""
    before = problems.errors
    doc = read_shape(RuleDoc, table, problems)
    params = doc.params if doc is not None else _params(table)
    kind = doc.kind if doc is not None else _text(table, "kind")
    extra = scopes if kind in ("fix", "refutation") else {}
    when = When(kinds, params, {"params", *extra}, problems)
    items = when.read(table.entries["when"]) if "when" in table.entries else ()
    if doc is None or problems.errors > before:
        return None
    check = _Check(table, kinds, problems, _aliases(items, kinds))
    check.block(doc)
    rule = Rule(
        id=doc.id,
        title=doc.title,
        kind=doc.kind,
        when=items,
        conjunctions=conjunctions(items),
        explain=doc.explain,
        derives=check.derives(doc),
        derive=_completed(doc),
        fix=doc.fix,
        refute=doc.refute,
        note=doc.note,
        applies=doc.applies,
        params=doc.params,
        sources=doc.sources,
        tags=doc.tags,
        status=doc.status,
        tests=doc.tests,
        enabled=doc.enabled,
        place=f"{table.source.name}:{table.mark.line + 1}",
    )
    used = check.templates(rule, extra)
    check.numbers(rule, extra)
    check.cases(rule)
    for name in doc.params.keys() - used - when.used:
        node, mark = locate(table, ("params", name), key=True)
        problems.warn(node.source, mark, "unused-param", f"nothing uses the parameter {shown(name)}", "drop it")
    return CheckedRule(rule, tuple(when.places), table) if problems.errors == before else None


class _Check:
    """The checks of one rule that has the right shape."""

    def __init__(
        self, table: Table, kinds: Kinds, problems: Problems, aliases: dict[str, list[KindSpec | None]]
    ) -> None:
        self.table = table
        self.kinds = kinds
        self.problems = problems
        self.aliases = {alias: _common(found) for alias, found in aliases.items() if None not in found}
        self.sometimes = frozenset(alias for alias, found in aliases.items() if None in found)

    def error(self, path: tuple[str | int, ...], code: str, text: str, hint: str = "", *, key: bool = False) -> None:
        node, mark = locate(self.table, path, key=key)
        self.problems.error(node.source, mark, code, text, hint)

    def block(self, doc: RuleDoc) -> None:
        """Demand exactly the block that belongs to the kind of rule."""
        own = BLOCKS[doc.kind]
        for block in BLOCKS.values():
            given = getattr(doc, block) is not None
            if block == own and not given:
                self.error(("id",), "missing-field", f"a rule of kind {doc.kind} needs {own}:")
            elif given and block not in (own, "derive"):
                self.error(
                    (block,), "wrong-block", f"{block}: does not belong into a {doc.kind}", f"use {own}:", key=True
                )
        derive = doc.derive
        if derive is None:
            return
        if doc.kind == "cause" and derive.confidence is None:
            self.error(("derive",), "missing-field", "confidence is missing", "write high, medium or low", key=True)
        for name in ("cause", "confidence", "role") if doc.kind != "cause" else ():
            if getattr(derive, name) is not None:
                text = f"{name} belongs to rules of kind cause"
                self.error(
                    ("derive", name), "wrong-block", text, "derive: {fact: {kind: {...}}} is for all rules", key=True
                )
        if doc.kind != "cause" and derive == Derive():
            self.error(
                ("derive",), "missing-field", "derive needs fact:", "write fact: {kind: {field: value}}", key=True
            )

    def derives(self, doc: RuleDoc) -> tuple[Derived, ...]:
        """Return the facts that a firing adds."""
        found: list[Derived] = []
        if doc.derive is not None and doc.kind == "cause":
            role = doc.derive.role or "decides"
            cause = (
                ("name", doc.derive.cause or doc.id),
                ("confidence", doc.derive.confidence or "low"),
                ("role", role),
            )
            found.append(Derived(CauseFact.kind, cause))
        for name, values in ((doc.derive and doc.derive.fact) or {}).items():
            kind = self.kinds.get(name)
            path = ("derive", "fact", name)
            if kind is None or not kind.derived or name == CauseFact.kind:
                derivable = [one.name for one in self.kinds.values() if one.derived and one.name != CauseFact.kind]
                self.error(
                    path,
                    "not-derivable",
                    f"{shown(name)} is no kind that rules derive",
                    did_you_mean(name, derivable),
                    key=True,
                )
                continue
            resolved = [
                (field, self._derived_value(kind, (*path, field), field, value)) for field, value in values.items()
            ]
            for spec in kind.fields.values():
                if spec.required and spec.name not in values:
                    self.error(
                        path, "missing-field", f"{name} needs {spec.name}", f"it takes {spec.expected}", key=True
                    )
            found.append(Derived(name, tuple((field, value) for field, value in resolved if value is not None)))
        return tuple(found)

    def _derived_value(
        self, kind: KindSpec, path: tuple[str, ...], field: str, value: Scalar
    ) -> Scalar | Reference | None:
        spec = kind.fields.get(field)
        if spec is None:
            self.error(
                path,
                "unknown-field",
                f"{kind.name} has no field {shown(field)}",
                did_you_mean(field, kind.fields),
                key=True,
            )
            return None
        alias, _, name = value.partition(".") if isinstance(value, str) else ("", "", "")
        if alias in self.sometimes:
            self.error(path, "alias-not-always-matched", f"{alias!r} is matched in some branches of any: only")
        elif alias in self.aliases:
            source = self.aliases[alias].get(name)
            if source is None:
                self.error(
                    path,
                    "unknown-field",
                    f"{alias} has no field {shown(name)}",
                    did_you_mean(name, self.aliases[alias]),
                )
            elif source.type != spec.type or (
                spec.words is not None and not set(source.words or ("",)) <= set(spec.words)
            ):
                self.error(
                    path, "wrong-type", f"{kind.name}.{field} takes {spec.expected}, {value} is {source.expected}"
                )
            elif spec.required and not source.required:
                self.error(path, "may-be-missing", f"{value} may be missing, and {kind.name}.{field} must have a value")
            return Reference(alias, name)
        else:
            wrong = misfit(kind.name, spec, value)
            if wrong is not None:
                hint = wrong[2] or (did_you_mean(alias, self.aliases) if name else "")
                self.error(path, wrong[0], wrong[1], hint)
        return value

    def templates(self, rule: Rule, scopes: Names) -> set[str]:
        """Check every template; return the parameters that they use."""
        names: dict[str, Mapping[str, FieldSpec]] = {**self.aliases, **scopes}
        names["params"] = {
            name: FieldSpec(name, _field_type(value), True, "a parameter of the rule")
            for name, value in rule.params.items()
        }
        used: set[str] = set()
        for path, text in rule.templates():
            used.update(name for name in rule.params if f"params.{name}" in text)
            for fault in faults(text, names, sometimes=self.sometimes) if "{{" in text else ():
                node, _ = locate(self.table, path)
                mark = place_in_source(node, fault.place) if isinstance(node, ScalarNode) else node.mark
                self.problems.error(node.source, mark, fault.code, fault.text, fault.hint)
        return used

    def numbers(self, rule: Rule, scopes: Names) -> None:
        """Check the ``alias.field`` references of a refutation's numbers."""
        known = {**self.aliases, **scopes}
        for name, reference in rule.refute.numbers.items() if rule.refute is not None else ():
            path = ("refute", "numbers", name)
            alias, _, field = reference.partition(".")
            if alias in self.sometimes:
                self.error(path, "alias-not-always-matched", f"{alias!r} is matched in some branches of any: only")
            elif alias not in known:
                hint = did_you_mean(alias, known) or "write alias.field"
                self.error(path, "unknown-alias", f"no fact is called {shown(alias)} here", hint)
            elif field not in known[alias]:
                self.error(
                    path, "unknown-field", f"{alias} has no field {shown(field)}", did_you_mean(field, known[alias])
                )

    def cases(self, rule: Rule) -> None:
        """Check the tests of the rule against the declared kinds and its parameters."""
        for index, case in enumerate(rule.tests):
            path = ("tests", index)
            if (case.given is None) == (case.report is None):
                self.error(path, "bad-test", "a test has either given: or report:")
            for name, value in case.params.items():
                if name not in rule.params:
                    hint = did_you_mean(name, rule.params)
                    self.error(
                        (*path, "with", name),
                        "unknown-param",
                        f"the rule has no parameter {shown(name)}",
                        hint,
                        key=True,
                    )
                elif type_of(value) != type_of(rule.params[name]):
                    text = f"{name} takes {type_of(rule.params[name])}, not {type_in_words(value)}"
                    self.error((*path, "with", name), "wrong-type", text)
            for number, fact in enumerate(case.given or ()):
                self._given((*path, "given", number), fact)

    def _given(self, path: tuple[str | int, ...], fact: dict[str, dict[str, Scalar]]) -> None:
        if len(fact) != 1:
            self.error(path, "two-kinds", "a given fact is of one kind", "write - kind: {field: value}")
        for name, values in fact.items():
            kind = self.kinds.get(name)
            if kind is None:
                text = f"no kind of fact is called {shown(name)}"
                self.error((*path, name), "unknown-kind", text, did_you_mean(name, self.kinds), key=True)
                continue
            for field, value in values.items():
                spec = kind.fields.get(field)
                if spec is None:
                    text = f"{name} has no field {shown(field)}"
                    self.error((*path, name, field), "unknown-field", text, did_you_mean(field, kind.fields), key=True)
                    continue
                wrong = misfit(name, spec, value)
                if wrong is not None:
                    self.error((*path, name, field), *wrong)


def _completed(doc: RuleDoc) -> Derive | None:
    """Return ``derive`` with the defaults of a cause rule written out."""
    if doc.derive is None or doc.kind != "cause":
        return doc.derive
    defaults = {"cause": doc.derive.cause or doc.id, "role": doc.derive.role or "decides"}
    return doc.derive.model_copy(update=defaults)


def _aliases(items: tuple[Item, ...], kinds: Kinds) -> dict[str, list[KindSpec | None]]:
    """Return for each alias the kinds it has in the branches of its item; None for a branch without it."""
    found: dict[str, list[KindSpec | None]] = {}
    for item in items:
        parts = item.branches if isinstance(item, AnyOf) else (item,)
        for alias in dict.fromkeys(part.alias for part in parts if isinstance(part, Pattern)):
            found[alias] = [
                kinds[part.kind] if isinstance(part, Pattern) and part.alias == alias else None for part in parts
            ]
    return found


def _common(found: list[KindSpec | None]) -> dict[str, FieldSpec]:
    """Return the fields that all kinds share under one name and type."""
    specs = [spec for spec in found if spec is not None]
    return {
        name: field
        for name, field in specs[0].fields.items()
        if all(name in spec.fields and spec.fields[name].type == field.type for spec in specs)
    }


def _field_type(value: Scalar) -> FieldType:
    return "bool" if isinstance(value, bool) else "int" if isinstance(value, int) else "text"


def _params(table: Table) -> dict[str, Scalar]:
    node = table.entries.get("params")
    entries = node.entries if isinstance(node, Table) else {}
    return {
        name: one.value
        for name, one in entries.items()
        if isinstance(one, ScalarNode) and isinstance(one.value, int | str)
    }


def _text(table: Table, name: str) -> str:
    node = table.entries.get(name)
    return str(node.value) if isinstance(node, ScalarNode) else ""
