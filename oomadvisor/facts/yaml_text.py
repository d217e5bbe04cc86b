"""Facts as YAML that can be pasted into the ``given:`` of a rule's test."""

from collections.abc import Iterable

import yaml

from oomadvisor.rulebook.kinds import Fact


def facts_yaml(facts: Iterable[Fact], *, origins: bool = False) -> str:
    """Return one list item for each fact, with the fields that have a value.

    ``origins``: add where each fact was read as a comment, ``# file:line``.
    """
    lines = []
    for fact in facts:
        body = yaml.safe_dump(
            fact.values(), default_flow_style=True, sort_keys=False, width=10**6, allow_unicode=True
        ).strip()
        comment = f"  # {fact.origin}" if origins and fact.origin is not None else ""
        lines.append(f"- {fact.kind}: {body}{comment}\n")
    return "".join(lines)
