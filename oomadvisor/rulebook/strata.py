"""In which order rules may say "there is none": a rule that negates a fact has to wait for all rules that derive it."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from oomadvisor.rulebook.condition import Absent, CompareField, Pattern, Test
from oomadvisor.rulebook.matcher import holds
from oomadvisor.rulebook.rule import Derived, Reference, Rule


class NegationCycleError(ValueError):
    """Rules that wait for each other: ``rules`` (their ids) each derive what another one says must not be there."""

    def __init__(self, rules: Iterable[str]) -> None:
        self.rules = tuple(rules)
        super().__init__("negation cycle: " + ", ".join(self.rules))


def may_match(part: Pattern | Absent, derived: Derived) -> bool:
    """Return whether a fact that ``derived`` makes could pass the tests of ``part``."""
    values = dict(derived.values)
    return part.kind == derived.kind and all(_may_pass(test, values) for test in part.tests)


def _may_pass(test: Test, values: Mapping[str, object]) -> bool:
    names = (test.field, test.other) if isinstance(test, CompareField) else (test.field,)
    if any(isinstance(values.get(name), Reference) for name in names):
        return True
    return holds(test, {name: value for name, value in values.items() if isinstance(value, int | str)})


def levels(rules: Sequence[Rule]) -> tuple[int, ...]:
    """Return the stratum of each rule: 0 unless it negates something that rules derive, else above all of those.

    Raises :class:`NegationCycleError` when there is no such order.
    """
    makers = derivers(rules)
    waits: dict[int, list[tuple[int, int]]] = {}  # maker → (rule that looks for it, 1 if it negates)
    negations = 0
    for index, rule in enumerate(rules):
        for part, negated in parts(rule):
            found = makers.get(part.kind, ())
            matching = [maker for maker, derived in found if may_match(part, derived)]
            negations += negated and bool(matching)
            for maker in matching:
                waits.setdefault(maker, []).append((index, int(negated)))
    level = [0] * len(rules)
    if not negations:
        return tuple(level)
    raised_by: dict[int, int] = {}
    queue = deque(waits)
    while queue:
        maker = queue.popleft()
        for index, step in waits.get(maker, ()):
            if level[index] < level[maker] + step:
                level[index] = level[maker] + step
                raised_by[index] = maker
                if level[index] > negations:
                    raise NegationCycleError(rules[one].id for one in _cycle(raised_by, index))
                queue.append(index)
    return tuple(level)


def derivers(rules: Sequence[Rule]) -> dict[str, list[tuple[int, Derived]]]:
    """Return for each kind which rules (by index) derive facts of it."""
    makers: dict[str, list[tuple[int, Derived]]] = {}
    for index, rule in enumerate(rules):
        for derived in rule.derives:
            makers.setdefault(derived.kind, []).append((index, derived))
    return makers


def parts(rule: Rule) -> list[tuple[Pattern | Absent, bool]]:
    """Return the distinct patterns of ``rule``, each with whether it is negated."""
    found: dict[Pattern | Absent, bool] = {}
    for way in rule.conjunctions:
        found.update(dict.fromkeys(way.patterns, False))
        found.update(dict.fromkeys(way.absent, True))
    return list(found.items())


def _cycle(raised_by: Mapping[int, int], start: int) -> list[int]:
    """Return the rules on the cycle that is met when going from ``start`` to what raised it, again and again."""
    seen: list[int] = []
    while start not in seen:
        seen.append(start)
        start = raised_by[start]
    return sorted(seen[seen.index(start) :])
