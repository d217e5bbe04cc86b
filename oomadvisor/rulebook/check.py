"""One rule: from its YAML table to a checked :class:`Rule`, or to everything that is wrong with it."""

from collections.abc import Iterator, Mapping

from oomadvisor.rulebook.blocks import Path, RuleProblems, check_blocks, completed, derived_facts
from oomadvisor.rulebook.condition import conjunctions
from oomadvisor.rulebook.constant import misfit, type_of
from oomadvisor.rulebook.crosscheck import CheckedRule
from oomadvisor.rulebook.errors import Problems, Severity, did_you_mean, shown
from oomadvisor.rulebook.kinds import FieldSpec, Kinds, Scalar
from oomadvisor.rulebook.names import Fields, Names, names_of
from oomadvisor.rulebook.references import check_proofs, check_references
from oomadvisor.rulebook.rule import Rule
from oomadvisor.rulebook.shape import RuleDoc, locate, read_shape, type_in_words
from oomadvisor.rulebook.template import faults, single_braces
from oomadvisor.rulebook.template_place import place_in_source, text_in_source
from oomadvisor.rulebook.vocabulary import Vocabulary
from oomadvisor.rulebook.when import When
from oomadvisor.rulebook.yaml_nodes import Listing, Table
from oomadvisor.rulebook.yaml_nodes import Scalar as ScalarNode


def check_rule(
    table: Table,
    kinds: Kinds,
    scopes: Mapping[str, Fields],
    problems: Problems,
    vocabulary: Vocabulary = Vocabulary(),  # noqa: B008 - frozen
    proofs: Severity | None = None,
) -> CheckedRule | None:
    """Return the rule that ``table`` holds, or None when it has an error.

    ``scopes``: what templates of fixes and refutations may use besides the matched facts. ``vocabulary``: what rules
    may name besides facts. ``proofs``: what a missing source or test is.
    """
    before = problems.errors
    doc = read_shape(RuleDoc, table, problems)
    params = doc.params if doc is not None else _params(table)
    extra = scopes if _kind(table) in ("fix", "refutation") else {}
    written = table.entries.get("params")
    param_nodes = written.entries if isinstance(written, Table) else {} if written is None else None
    when = When(kinds, params, param_nodes, {"params", *extra}, problems)
    items = when.read(table.entries["when"]) if "when" in table.entries else ()
    if doc is None or problems.errors > before:
        return None
    told = RuleProblems(table, problems)
    names = names_of(items, kinds)
    check_blocks(doc, told)
    rule = Rule(
        id=doc.id,
        title=doc.title,
        kind=doc.kind,
        when=items,
        conjunctions=conjunctions(items),
        explain=doc.explain,
        derives=derived_facts(doc, names, kinds, told),
        derive=completed(doc),
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
        test_places=tuple(_places(table, "tests")),
    )
    used = _check_templates(rule, names.also(extra), told)
    _check_numbers(rule, names.also(extra), told)
    _check_cases(rule, kinds, told)
    check_references(rule, vocabulary, told)
    if proofs is not None and problems.errors == before:
        check_proofs(rule, proofs, vocabulary, told)
    for name in [name for name in doc.params if name not in used | when.used]:
        node, mark = locate(table, ("params", name), key=True)
        problems.warn(node.source, mark, "unused-param", f"nothing uses the parameter {shown(name)}", "drop it")
    return CheckedRule(rule, tuple(when.places), table) if problems.errors == before else None


def _check_templates(rule: Rule, names: Names, told: RuleProblems) -> set[str]:
    """Check every template; return the parameters that they use."""
    params = {name: FieldSpec(name, type_of(value), True, "") for name, value in rule.params.items()}
    names = names.also({"params": params})
    used: set[str] = set()
    for path, text in rule.templates():
        single = single_braces(text, names) if "{" in text else None
        if single is not None:
            node, _ = locate(told.table, path)
            mark = text_in_source(node, single) if isinstance(node, ScalarNode) else node.mark
            told.problems.warn(node.source, mark, "single-braces", f"{single} is not filled in", f"write {{{single}}}")
        if "{{" not in text:
            continue
        used.update(name for name in rule.params if f"params.{name}" in text)
        for fault in faults(text, names):
            node, _ = locate(told.table, path)
            mark = place_in_source(node, fault.place) if isinstance(node, ScalarNode) else node.mark
            told.problems.error(node.source, mark, fault.code, fault.text, fault.hint)
    return used


def _check_numbers(rule: Rule, names: Names, told: RuleProblems) -> None:
    for name, reference in rule.refute.numbers.items() if rule.refute is not None else ():
        alias, dot, field = reference.partition(".")
        found = names.look_up(alias, field) if dot else ("bad-reference", "not alias.field", "write alias.field")
        if not isinstance(found, FieldSpec):
            told.at(("refute", "numbers", name), *found)


def _check_cases(rule: Rule, kinds: Kinds, told: RuleProblems) -> None:
    """Check the tests of the rule against the declared kinds and its parameters."""
    for index, case in enumerate(rule.tests):
        path = ("tests", index)
        if (case.given is None) == (case.report is None):
            told.at(path, "bad-test", "a test has either given: or report:")
        if case.report is not None and case.report.startswith(("/", "~")):
            hint = "name a file beside this one, or an example that comes with oomadvisor"
            told.at((*path, "report"), "bad-test", "a report is named by a relative path", hint)
        for name, value in case.params.items():
            if name not in rule.params:
                text = f"the rule has no parameter {shown(name)}"
                told.at_key((*path, "with", name), "unknown-param", text, did_you_mean(name, rule.params))
            elif type_of(value) != type_of(rule.params[name]):
                text = f"{name} takes {type_of(rule.params[name])}, not {type_in_words(value)}"
                told.at((*path, "with", name), "wrong-type", text)
        for number, fact in enumerate(case.given or ()):
            _check_given(fact, kinds, (*path, "given", number), told)


def _check_given(fact: dict[str, dict[str, Scalar]], kinds: Kinds, path: Path, told: RuleProblems) -> None:
    if len(fact) != 1:
        told.at(path, "two-kinds", "a given fact is of one kind", "write - kind: {field: value}")
    for name, values in fact.items():
        kind = kinds.get(name)
        if kind is None:
            text = f"no kind of fact is called {shown(name)}"
            told.at_key((*path, name), "unknown-kind", text, did_you_mean(name, kinds))
            continue
        for field, value in values.items():
            spec = kind.fields.get(field)
            wrong = misfit(name, spec, value) if spec is not None else None
            if spec is None:
                text = f"{name} has no field {shown(field)}"
                told.at_key((*path, name, field), "unknown-field", text, did_you_mean(field, kind.fields))
            elif wrong is not None:
                told.at((*path, name, field), *wrong)


def _places(table: Table, name: str) -> Iterator[str]:
    """Yield ``file:line`` of each item of a list."""
    node = table.entries.get(name)
    for item in node.items if isinstance(node, Listing) else ():
        yield f"{item.source.name}:{item.mark.line + 1}"


def _params(table: Table) -> dict[str, Scalar]:
    """Return the parameters of a rule whose shape is wrong, so that its conditions can be checked all the same."""
    node = table.entries.get("params")
    values = (
        [(name, one.value) for name, one in node.entries.items() if isinstance(one, ScalarNode)]
        if isinstance(node, Table)
        else []
    )
    return {name: value for name, value in values if isinstance(value, int | str)}


def _kind(table: Table) -> object:
    node = table.entries.get("kind")
    return node.value if isinstance(node, ScalarNode) else None
