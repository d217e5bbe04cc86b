"""What a firing adds to the facts."""

from collections.abc import Mapping
from typing import Any

from oomadvisor.rulebook.kinds import Fact, Kinds
from oomadvisor.rulebook.rule import Derived, Reference, Rule


def consequences(rule: Rule, facts: Mapping[str, Fact], kinds: Kinds) -> list[Fact]:
    """Return the facts that ``rule`` derives when it has matched ``facts`` (by alias)."""
    return [_fact(derived, facts, kinds) for derived in rule.derives]


def _fact(derived: Derived, facts: Mapping[str, Fact], kinds: Kinds) -> Fact:
    values: dict[str, Any] = {}
    for name, value in derived.values:
        found = facts[value.alias].values().get(value.field) if isinstance(value, Reference) else value
        if found is not None:
            values[name] = found
    return kinds[derived.kind].fact(**values)
