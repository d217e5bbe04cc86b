"""How many ways a rule can match, before anything tries: three patterns of a kind with 60 members cost 523 MB."""

from collections import Counter
from collections.abc import Collection, Sequence
from math import prod

from oomadvisor.rulebook.condition import Conjunction
from oomadvisor.rulebook.kinds import Fact
from oomadvisor.rulebook.matcher import matches
from oomadvisor.rulebook.rule import Rule

MATCHES_MAX = 20_000  # of one rule
MATCHES_TOTAL = 200_000  # of all rules together


def oversized(rules: Sequence[Rule], facts: Sequence[Fact], leave_out: Collection[int] = ()) -> list[int]:
    """Return the positions of the rules to leave out so that the rest stays within the limits; the largest go first."""
    counts = Counter(fact.kind for fact in facts)
    several = {kind for kind, number in counts.items() if number > 1}
    bounds = {
        place: sum(
            prod(counts[pattern.kind] for pattern in way.patterns if pattern.kind in several)
            for way in rule.conjunctions
        )
        for place, rule in enumerate(rules)
        if place not in leave_out
    }
    if max(bounds.values(), default=0) <= MATCHES_MAX and sum(bounds.values()) <= MATCHES_TOTAL:
        return []
    exact = {place: sum(_matches(way, facts) for way in rules[place].conjunctions) for place in bounds}
    total = sum(exact.values())
    too_big: list[int] = []
    for place in sorted(exact, key=lambda one: (-exact[one], one)):
        if exact[place] <= MATCHES_MAX and total <= MATCHES_TOTAL:
            break
        too_big.append(place)
        total -= exact[place]
    return too_big


def _matches(way: Conjunction, facts: Sequence[Fact]) -> int:
    # Not zero for a pattern without facts: the engine keeps the combinations of the patterns before it all the same.
    return prod(max(1, sum(matches(pattern, fact) for fact in facts)) for pattern in way.patterns)
