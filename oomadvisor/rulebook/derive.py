"""What a firing adds to the facts."""

from collections.abc import Mapping
from typing import Any

from oomadvisor.rulebook.kinds import Fact, Kinds, KindSpec
from oomadvisor.rulebook.rule import Derived, Reference, Rule


def consequences(rule: Rule, facts: Mapping[str, Fact], kinds: Kinds) -> list[Fact]:
    """Return the facts that ``rule`` derives when it has matched ``facts`` (by alias)."""
    made = (_fact(derived, facts, kinds[derived.kind]) for derived in rule.derives)
    return [fact for fact in made if fact is not None]


def _fact(derived: Derived, facts: Mapping[str, Fact], kind: KindSpec) -> Fact | None:
    values: dict[str, Any] = {}
    for name, value in derived.values:
        found = facts[value.alias].values().get(value.field) if isinstance(value, Reference) else value
        if found is not None:
            values[name] = found
    # A required value can only be missing where the matched fact is one of a rule test, which may leave anything out.
    lacking = any(spec.required and spec.name not in values for spec in kind.fields.values())
    return None if lacking else kind.fact(**values)
