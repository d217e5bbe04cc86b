"""Rules as the JSON that durable-rules takes, cut into rulesets small enough for it (docs/engine.md A3, A4, A9).

Only what was proven sound is written: conjunctions of patterns, each of which starts with its kind.
"""

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from oomadvisor.rulebook.condition import Absent, CompareField, OneOf, Pattern, Test
from oomadvisor.rulebook.kinds import Fact, Scalar
from oomadvisor.rulebook.rule import Rule

PATTERNS_PER_KIND = 60  # of one ruleset: 64 true at once fail, 256 equal crash, 512 different hang (A4)
START = "$start"
ABSENT = "absent"

_ENGINE_NAME = {"ne": "$neq", "lt": "$lt", "le": "$lte", "gt": "$gt", "ge": "$gte"}


@dataclass
class Shard:
    """One ruleset. ``fields`` are those that its rules look at, by kind: nothing else is worth telling the engine."""

    patterns: Counter[str] = field(default_factory=Counter)
    fields: dict[str, set[str]] = field(default_factory=dict)
    rules: dict[str, Any] = field(default_factory=lambda: {START[1:]: {"all": [{"p0": _pattern(START, [])}]}})

    def has_room(self, kinds: Counter[str]) -> bool:
        return all(self.patterns[kind] + more <= PATTERNS_PER_KIND for kind, more in kinds.items())

    def json(self) -> str:
        """Return the ruleset as the engine reads it."""
        return json.dumps(self.rules)


def cut(rules: Sequence[Rule], absences: Sequence[Absent], leave_out: Collection[int] = ()) -> list[Shard]:
    """Return rulesets that hold every conjunction of ``rules``, named ``r<rule>w<conjunction>``.

    An absence is a fact like others, of kind ``absent``, and ``of`` is its position in ``absences``.
    """
    number = {absent: place for place, absent in enumerate(absences)}
    shards: list[Shard] = [Shard()]
    for place, rule in enumerate(rules):
        for way_number, way in enumerate(rule.conjunctions if place not in leave_out else ()):
            kinds = Counter([pattern.kind for pattern in way.patterns])
            kinds[ABSENT] += len(way.absent)
            shard = next((one for one in shards if one.has_room(kinds)), None)
            if shard is None:
                shards.append(shard := Shard())
            shard.patterns += kinds
            for pattern in way.patterns:
                shard.fields.setdefault(pattern.kind, set()).update(_fields(pattern))
            items = [_pattern(pattern.kind, [_test(test) for test in pattern.tests]) for pattern in way.patterns]
            items += [_pattern(ABSENT, [{"of": number[absent]}]) for absent in way.absent]
            shard.rules[f"r{place}w{way_number}"] = {"all": [{f"p{n}": item} for n, item in enumerate(items)]}
            if way.absent:
                shard.fields.setdefault(ABSENT, set()).add("of")
    return shards


def compared_fields(rules: Sequence[Rule]) -> dict[str, frozenset[str]]:
    """Return by kind the fields that are compared with each other: when one is missing the engine is wrong (A3, 14)."""
    found: dict[str, set[str]] = {}
    for pattern in (pattern for rule in rules for way in rule.conjunctions for pattern in way.patterns):
        names = {name for test in pattern.tests if isinstance(test, CompareField) for name in (test.field, test.other)}
        if names:
            found.setdefault(pattern.kind, set()).update(names)
    return {kind: frozenset(names) for kind, names in found.items()}


def fact_json(fact: Fact, fields: Collection[str], session: str, number: int) -> dict[str, Scalar]:
    """Return ``fact`` as the engine reads it, with the fields it needs and a number that makes it unique."""
    told: dict[str, Scalar] = {name: value for name, value in fact.values().items() if name in fields}
    return {**told, "kind": fact.kind, "sid": session, "fid": number}


def _pattern(kind: str, tests: list[dict[str, Any]]) -> dict[str, Any]:
    return {"$and": [{"kind": kind}, *tests]}


def _test(test: Test) -> dict[str, Any]:
    if isinstance(test, OneOf):
        values = list(dict.fromkeys(test.values))
        return {"$or": [{test.field: value} for value in values]} if len(values) > 1 else {test.field: values[0]}
    right: Any = {"$m": test.other} if isinstance(test, CompareField) else test.value
    return {test.field: right} if test.op == "eq" else {_ENGINE_NAME[test.op]: {test.field: right}}


def _fields(pattern: Pattern) -> set[str]:
    return {test.field for test in pattern.tests} | {t.other for t in pattern.tests if isinstance(t, CompareField)}
