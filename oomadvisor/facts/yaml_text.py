"""Facts as YAML that can be pasted into the ``given:`` of a rule's test."""

from collections.abc import Iterable

import yaml

from oomadvisor.rulebook.kinds import Fact
from oomadvisor.rulebook.yaml_traps import plain_value


class _Dumper(yaml.SafeDumper):
    """Puts into quotes whatever a rule file would not read as text without."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    plain = text.isprintable() and plain_value(text) == text
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Dumper.add_representer(str, _text)


def facts_yaml(facts: Iterable[Fact], *, origins: bool = False) -> str:
    """Return one list item for each fact, with the fields that have a value.

    ``origins``: add where each fact was read as a comment, ``# file:line``.
    """
    lines = []
    for fact in facts:
        body = yaml.dump(
            fact.values(), Dumper=_Dumper, default_flow_style=True, sort_keys=False, width=10**6, allow_unicode=True
        ).strip()
        comment = f"  # {fact.origin}" if origins and fact.origin is not None else ""
        lines.append(f"- {fact.kind}: {body}{comment}\n")
    return "".join(lines)
