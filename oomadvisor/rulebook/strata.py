"""In which order rules may say "there is none": a rule that negates a fact has to wait for all rules that derive it."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

from oomadvisor.rulebook.condition import Absent, Compare, CompareField, Pattern, Test
from oomadvisor.rulebook.kinds import Scalar
from oomadvisor.rulebook.matcher import holds
from oomadvisor.rulebook.rule import Derived, Reference, Rule

PAIRS_MAX = 1_000_000  # of a condition and a derived fact that were compared


class NegationCycleError(ValueError):
    """Rules that wait for each other: ``rules`` (their ids) each derive what another one says must not be there."""

    def __init__(self, rules: Iterable[str]) -> None:
        self.rules = tuple(rules)
        super().__init__("negation cycle: " + ", ".join(self.rules))


class EntangledError(ValueError):
    """So many conditions may match so many derived facts that the order of the rules cannot be found in good time."""


class Derivers:
    """Which rules (by position) derive what a condition looks for."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._all: dict[str, list[tuple[int, Derived]]] = {}
        self._by_value: dict[tuple[str, str, Scalar | Reference], list[tuple[int, Derived]]] = {}
        self._open: dict[tuple[str, str], list[tuple[int, Derived]]] = {}
        self._found: dict[Pattern | Absent, tuple[int, ...]] = {}
        self._pairs = 0
        for place, rule in enumerate(rules):
            for derived in rule.derives:
                self._all.setdefault(derived.kind, []).append((place, derived))
                for name, value in derived.values:
                    if isinstance(value, Reference):
                        self._open.setdefault((derived.kind, name), []).append((place, derived))
                    else:
                        self._by_value.setdefault((derived.kind, name, value), []).append((place, derived))

    def of(self, part: Pattern | Absent) -> tuple[int, ...]:
        """Return the rules that may derive a fact for ``part``, in order. Raises :class:`EntangledError`."""
        if part not in self._found:
            candidates = self._candidates(part)
            self._pairs += len(candidates)
            if self._pairs > PAIRS_MAX:
                raise EntangledError(f"more than {PAIRS_MAX} pairs of a condition and a derived fact")
            self._found[part] = tuple(sorted({place for place, derived in candidates if may_match(part, derived)}))
        return self._found[part]

    def _candidates(self, part: Pattern | Absent) -> list[tuple[int, Derived]]:
        for test in part.tests:
            if isinstance(test, Compare) and test.op == "eq":
                fixed = self._by_value.get((part.kind, test.field, test.value), [])
                return fixed + self._open.get((part.kind, test.field), [])
        return self._all.get(part.kind, [])


def may_match(part: Pattern | Absent, derived: Derived) -> bool:
    """Return whether a fact that ``derived`` makes could pass the tests of ``part``."""
    values = dict(derived.values)
    return part.kind == derived.kind and all(_may_pass(test, values) for test in part.tests)


def _may_pass(test: Test, values: Mapping[str, Scalar | Reference]) -> bool:
    names = (test.field, test.other) if isinstance(test, CompareField) else (test.field,)
    if any(isinstance(values.get(name), Reference) for name in names):
        return True
    return holds(test, {name: value for name, value in values.items() if not isinstance(value, Reference)})


def levels(rules: Sequence[Rule]) -> tuple[int, ...]:
    """Return the stratum of each rule: 0 unless it negates something that rules derive, else above all of those.

    Raises :class:`NegationCycleError` when there is no such order, and :class:`EntangledError`.
    """
    derivers = Derivers(rules)
    level = [0] * len(rules)
    # Conditions stand between the rules: many rules share one, and each may be served by many.
    readers: dict[tuple[Pattern | Absent, bool], list[int]] = {}
    for place, rule in enumerate(rules):
        for part in parts(rule):
            readers.setdefault(part, []).append(place)
    serves: dict[int, list[tuple[Pattern | Absent, bool]]] = {}
    for part in readers:
        for maker in derivers.of(part[0]):
            serves.setdefault(maker, []).append(part)
    negating = len({place for part, places in readers.items() if part[1] and derivers.of(part[0]) for place in places})
    if not negating:
        return tuple(level)
    height: dict[tuple[Pattern | Absent, bool], int] = {}
    raised_by: dict[int, int] = {}
    queue = deque(serves)
    while queue:
        maker = queue.popleft()
        for part in serves.get(maker, ()):
            wanted = level[maker] + part[1]
            if height.get(part, 0) >= wanted:
                continue
            height[part] = wanted
            for place in readers[part]:
                if level[place] < wanted:
                    level[place] = wanted
                    raised_by[place] = maker
                    if wanted > negating:
                        raise NegationCycleError(rules[one].id for one in _cycle(raised_by, place))
                    queue.append(place)
    return tuple(level)


def parts(rule: Rule) -> Iterator[tuple[Pattern | Absent, bool]]:
    """Yield the distinct conditions of ``rule``, each with whether it is negated."""
    for part in dict.fromkeys(pattern for way in rule.conjunctions for pattern in way.patterns):
        yield part, False
    for absent in dict.fromkeys(absent for way in rule.conjunctions for absent in way.absent):
        yield absent, True


def _cycle(raised_by: Mapping[int, int], start: int) -> list[int]:
    """Return the rules on the cycle that is met when going from ``start`` to what raised it, again and again."""
    seen: list[int] = []
    while start not in seen:
        seen.append(start)
        start = raised_by[start]
    return sorted(seen[seen.index(start) :])
