"""The tests that stand beside a rule: their facts, and whether the rule fires on them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from oomadvisor.rulebook.condition import conjunctions, with_params
from oomadvisor.rulebook.engine import Backend, Engine
from oomadvisor.rulebook.kinds import Fact, Kinds, KindSpec, Scalar
from oomadvisor.rulebook.rule import Case, Rule


def given_facts(case: Case, kinds: Kinds) -> tuple[Fact, ...]:
    """Return the facts of ``given``. What a test leaves out is missing, even in fields that always have a value."""
    return tuple(_construct(kinds[kind], values) for fact in case.given or () for kind, values in fact.items())


def _construct(kind: KindSpec, values: Mapping[str, Scalar]) -> Fact:
    known: dict[str, Any] = {**dict.fromkeys(kind.fields), **values}
    return kind.fact.model_construct(**known, key=str(values.get("name", "")))


def with_case_params(rule: Rule, case: Case) -> Rule:
    """Return ``rule`` with the parameters that ``case`` gives."""
    if not case.params:
        return rule
    when = with_params(rule.when, case.params)
    return replace(rule, when=when, conjunctions=conjunctions(when), params={**rule.params, **case.params})


def fires(
    rule: Rule,
    case: Case,
    facts: Sequence[Fact],
    kinds: Kinds,
    *,
    others: Sequence[Rule] = (),
    backend: Backend | None = None,
) -> bool:
    """Return whether ``rule`` fires on ``facts``.

    ``others`` are rules that may derive what it looks for: none for a test on given facts, all for one on a report.
    """
    tested = with_case_params(rule, case)
    rules = [*(other for other in others if other.id != rule.id), tested]
    return any(firing.rule_id == rule.id for firing in Engine(rules, kinds, backend=backend).run(facts))
