"""Short ways to write rules in tests."""

from collections.abc import Sequence

from oomadvisor.rulebook.engine import Backend, Engine
from oomadvisor.rulebook.kinds import Fact
from oomadvisor.rulebook.load import load_book, require
from oomadvisor.rulebook.rule import Rule
from tests.rulebook.toy import KINDS, SCOPES


def note(rule_id: str, *when: str, more: str = "") -> str:
    """Return a rule in YAML; ``when`` are its items, ``more`` further fields, indented by four."""
    items = "".join(f"\n      - {item}" for item in when)
    return (
        f"  - id: {rule_id}\n    title: t\n    kind: note\n    note: {{topic: finding}}\n"
        f"    explain: e\n    when:{items}\n{more}"
    )


def cause(rule_id: str, *when: str, more: str = "") -> str:
    return (
        note(rule_id, *when, more=more)
        .replace("kind: note", "kind: cause")
        .replace("note: {topic: finding}", "derive: {confidence: high}")
    )


def rules_of(*rules: str) -> tuple[Rule, ...]:
    """Return the checked rules; every problem, warnings too, fails the test."""
    book, problems = load_book([("rules.yaml", "schema: 1\nrules:\n" + "".join(rules))], KINDS, scopes=SCOPES)
    assert [p.render() for p in problems if p.severity == "warning"] == []
    return require((book, problems)).rules


def fired(rules: Sequence[Rule], facts: Sequence[Fact], backend: Backend = "durable") -> list[str]:
    """Return the ids of the firings, in order, repeated as often as they fired."""
    return [firing.rule_id for firing in Engine(rules, KINDS, backend=backend).run(facts)]
