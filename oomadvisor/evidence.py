"""What proves a conclusion: the facts that a rule matched, with the fields that it compared or quoted."""

import re
from collections.abc import Iterable, Sequence

from oomadvisor.model import Evidence
from oomadvisor.rulebook.condition import CompareField
from oomadvisor.rulebook.inference import Firing
from oomadvisor.rulebook.kinds import CauseFact
from oomadvisor.rulebook.rule import Rule

_QUOTED = re.compile(r"\{\{\s*([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*)")


def evidence(rule: Rule, firings: Sequence[Firing]) -> tuple[Evidence, ...]:
    """Return each matched fact once, and what had to be absent, in the order of the rule's conditions."""
    wanted = _fields_used(rule)
    found: dict[tuple[str, str], Evidence] = {}
    for firing in firings:
        for alias, fact in firing.facts:
            values = {name: value for name, value in fact.values().items() if (alias, name) in wanted}
            name = fact.kind if isinstance(fact, CauseFact) or not fact.key else f"{fact.kind} {fact.key}"
            if values:
                found.setdefault((name, alias), Evidence(fact=name, values=values, origin=fact.origin))
        for text in firing.absent:
            found.setdefault(("absent", text), Evidence(fact="absent", values={"of": text}))
    return tuple(found.values())


def _fields_used(rule: Rule) -> frozenset[tuple[str, str]]:
    """Return (alias, field) of every comparison and of every place in a template."""
    return frozenset((*_compared(rule), *_quoted(rule)))


def _compared(rule: Rule) -> Iterable[tuple[str, str]]:
    for way in rule.conjunctions:
        for pattern in way.patterns:
            for test in pattern.tests:
                yield pattern.alias, test.field
                if isinstance(test, CompareField):
                    yield pattern.alias, test.other


def _quoted(rule: Rule) -> Iterable[tuple[str, str]]:
    for _, text in rule.templates():
        yield from quoted_fields(text)


def quoted_fields(template: str) -> Iterable[tuple[str, str]]:
    """Yield (alias, field) of every place in a template."""
    for match in _QUOTED.finditer(template):
        yield match[1], match[2]
