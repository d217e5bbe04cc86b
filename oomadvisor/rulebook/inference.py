"""Forward chaining: facts in, firings out, derived facts fed back until nothing new comes, stratum by stratum.

What finds the matches is exchangeable (:class:`Matching`): the engine, or the plain matcher.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from oomadvisor.rulebook.condition import Absent, in_words
from oomadvisor.rulebook.derive import consequences
from oomadvisor.rulebook.kinds import Fact, Kinds, Scalar
from oomadvisor.rulebook.limits import oversized
from oomadvisor.rulebook.matcher import Bound, bindings, matches
from oomadvisor.rulebook.rule import Rule
from oomadvisor.rulebook.strata import Derivers, levels

DERIVED_MAX = 2000  # facts that rules may add to one run

Fingerprint = tuple[str, tuple[tuple[str, Scalar], ...]]


class TooManyMatchesError(Exception):
    """The rules at the positions ``rules`` would match in more ways than the engine has memory for."""

    def __init__(self, rules: Collection[int]) -> None:
        self.rules = frozenset(rules)
        super().__init__(f"{len(self.rules)} rules match in too many ways")


class Match(NamedTuple):
    """A rule (by position), which of its conjunctions, and the facts (by position) that fit its patterns."""

    rule: int
    way: int
    facts: Bound


class Matching(Protocol):
    """Finds matches while facts come in. Facts are numbered from 0 in the order in which they are added."""

    def add(self, facts: Sequence[Fact], absent: Sequence[Absent]) -> Iterable[Match]:
        """Return the matches that ``facts``, and the absence of ``absent``, make possible."""
        ...


@dataclass(frozen=True)
class Firing:
    """A rule that holds: by alias the facts that prove it, and in words what had to be absent."""

    rule_id: str
    facts: tuple[tuple[str, Fact], ...]
    absent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inference:
    """All firings in the order of the rules; the facts that rules added; what went beyond a limit."""

    firings: tuple[Firing, ...]
    derived: tuple[Fact, ...] = ()
    warnings: tuple[str, ...] = ()


class Strata:
    """The rules of an engine with the order in which absences may be told.

    Raises ``NegationCycleError`` when there is no such order.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self.level = levels(self.rules)
        derivers = Derivers(self.rules)
        found: dict[Absent, int] = {}
        for absent in (absent for rule in self.rules for way in rule.conjunctions for absent in way.absent):
            if absent not in found:
                found[absent] = max((self.level[place] + 1 for place in derivers.of(absent)), default=0)
        self.absences = found
        """Every absence that some rule asks for, with the stratum in which it is decided."""


class PlainMatching:
    """The naive matcher as a :class:`Matching`."""

    def __init__(self, rules: Sequence[Rule], leave_out: Collection[int] = ()) -> None:
        self.rules = [(place, rule) for place, rule in enumerate(rules) if place not in leave_out]
        self.facts: list[Fact] = []
        self.absent: set[Absent] = set()

    def add(self, facts: Sequence[Fact], absent: Sequence[Absent]) -> Iterable[Match]:
        """Return all matches so far."""
        self.facts.extend(facts)
        self.absent.update(absent)
        for place, rule in self.rules:
            for number, way in enumerate(rule.conjunctions):
                if self.absent.issuperset(way.absent):
                    yield from (Match(place, number, bound) for bound in bindings(way.patterns, self.facts))


def infer(
    strata: Strata,
    kinds: Kinds,
    matching: Matching,
    facts: Sequence[Fact],
    only: Collection[str] | None = None,
    leave_out: Collection[int] = (),
) -> Inference:
    """Return what follows from ``facts``. Rules that are not among ``only`` (None: all) neither fire nor derive.

    Raises :class:`TooManyMatchesError`.
    """
    rules = strata.rules
    memory: list[Fact] = []
    known = {fingerprint(fact) for fact in facts}
    found: dict[tuple[int, Bound], int] = {}
    warnings: list[str] = []
    fresh: list[Fact] = list(facts)
    for level in range(max((0, *strata.level, *strata.absences.values())) + 1):
        memory.extend(fresh)
        asked = [absent for absent, at in strata.absences.items() if at == level]
        absent = [one for one in asked if not any(matches(one, fact) for fact in memory)]
        while True:
            too_big = oversized(rules, memory, leave_out)
            if too_big:
                raise TooManyMatchesError(too_big)
            new = [
                match
                for match in matching.add(fresh, absent)
                if (only is None or rules[match.rule].id in only) and _is_new(match, found)
            ]
            fresh = _derive(rules, kinds, new, memory, known)
            if len(memory) + len(fresh) > len(facts) + DERIVED_MAX:
                warnings.append(f"rules derive more than {DERIVED_MAX} facts; the rest is left out")
                fresh = []
            if not fresh:
                break
            memory.extend(fresh)
            absent = []
    return _sorted(rules, memory, len(facts), found, tuple(warnings))


def fingerprint(fact: Fact) -> Fingerprint:
    """Return what makes two derived facts one and the same."""
    return fact.kind, tuple(sorted(fact.values().items()))


def _is_new(match: Match, found: dict[tuple[int, Bound], int]) -> bool:
    key = (match.rule, match.facts)
    known = found.get(key)
    found[key] = match.way if known is None else min(known, match.way)
    return known is None


def _derive(
    rules: Sequence[Rule], kinds: Kinds, new: Iterable[Match], memory: Sequence[Fact], known: set[Fingerprint]
) -> list[Fact]:
    fresh: dict[Fingerprint, Fact] = {}
    for match in new:
        rule = rules[match.rule]
        if rule.derives:
            named = dict(_named(rule, match, memory))
            fresh.update((fingerprint(fact), fact) for fact in consequences(rule, named, kinds))
    fresh = {print_: fact for print_, fact in fresh.items() if print_ not in known}
    known.update(fresh)
    return list(fresh.values())


def _named(rule: Rule, match: Match, memory: Sequence[Fact]) -> tuple[tuple[str, Fact], ...]:
    patterns = rule.conjunctions[match.way].patterns
    return tuple((pattern.alias, memory[place]) for pattern, place in zip(patterns, match.facts, strict=True))


def _sorted(
    rules: Sequence[Rule],
    memory: Sequence[Fact],
    given: int,
    found: dict[tuple[int, Bound], int],
    warnings: tuple[str, ...],
) -> Inference:
    """Put everything into an order that does not depend on the order in which matches were found."""
    derived = sorted(range(given, len(memory)), key=lambda place: _sort_key(memory[place]))
    rank = {place: number for number, place in enumerate((*range(given), *derived))}
    ordered = sorted(found, key=lambda key: (key[0], tuple(rank[place] for place in key[1])))
    firings = tuple(
        Firing(
            rules[index].id,
            _named(rules[index], Match(index, found[index, bound], bound), memory),
            tuple(in_words(absent) for absent in rules[index].conjunctions[found[index, bound]].absent),
        )
        for index, bound in ordered
    )
    return Inference(firings, tuple(memory[place] for place in derived), warnings)


def _sort_key(fact: Fact) -> tuple[str, tuple[tuple[str, str], ...]]:
    return fact.kind, tuple(
        (name, f"{value:020d}" if isinstance(value, int) else value) for name, value in fingerprint(fact)[1]
    )
