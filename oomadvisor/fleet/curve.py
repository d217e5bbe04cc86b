"""Many incidents at every value of a knob: how many of each class, as exact intervals."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from oomadvisor.fleet.coverage import Coverage, Said
from oomadvisor.fleet.knob import Knob


class Counts(NamedTuple):
    """What a value does to a fleet. The first six are cases and add up to all of them.

    ``breaks``: of the harmful cases, those that lose something that passed. ``harmed``: bystanders that lose something;
    ``weakened``: bystanders that pass at HIGH now, and at MIN only there; ``unmoved``: the other bystanders.
    """

    certain: int = 0
    marginal: int = 0
    no_effect: int = 0
    harmful: int = 0
    bounded: int = 0
    not_decidable: int = 0
    breaks: int = 0
    harmed: int = 0
    weakened: int = 0
    unmoved: int = 0

    @property
    def cases(self) -> int:
        return sum(self[:6])

    @property
    def bystanders(self) -> int:
        return self.harmed + self.weakened + self.unmoved

    @property
    def helped(self) -> int:
        """Cases that pass, at HIGH or at MIN."""
        return self.certain + self.marginal

    @property
    def hurt(self) -> int:
        """Cases and bystanders to which the value does harm."""
        return self.harmful + self.harmed

    def plus(self, other: "Counts") -> "Counts":
        return Counts(*(ours + theirs for ours, theirs in zip(self, other, strict=True)))

    def minus(self, other: "Counts") -> "Counts":
        return Counts(*(ours - theirs for ours, theirs in zip(self, other, strict=True)))


def counted(role: str, said: Said) -> Counts:
    """Return the counts of one incident."""
    if role == "bystander":
        harmed = said.breaks or said.class_ == "harmful"
        return Counts(
            harmed=int(harmed), weakened=int(said.worsens and not harmed), unmoved=int(not harmed and not said.worsens)
        )
    name = said.class_.replace(" ", "_")
    return Counts(**{name: 1}, breaks=int(said.breaks and said.class_ == "harmful"))


class Interval(NamedTuple):
    """All values from ``low`` to ``high`` have these counts."""

    low: int
    high: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class Curve:
    """A fleet at every value of a knob; the intervals follow one another without a gap, neighbours differ."""

    knob: Knob
    intervals: tuple[Interval, ...]

    def at(self, value: int) -> Counts:
        """Return the counts at ``value``."""
        starts = [one.low for one in self.intervals]
        return self.intervals[bisect_right(starts, value) - 1].counts


def curve(knob: Knob, coverages: Iterable[Coverage]) -> Curve:
    """Return the sum of the step functions of incidents, each of which counts once."""
    moves: dict[int, Counts] = {knob.low: Counts()}
    for one in coverages:
        before = Counts()
        for stretch in one.stretches:
            now = counted(one.role, stretch.said)
            if now != before:
                moves[stretch.low] = moves.get(stretch.low, Counts()).plus(now.minus(before))
            before = now
    starts = sorted(moves)
    sums = list(accumulate((moves[start] for start in starts), Counts.plus))
    return Curve(knob, _merged(knob, starts, sums))


def _merged(knob: Knob, starts: Sequence[int], sums: Sequence[Counts]) -> tuple[Interval, ...]:
    found: list[Interval] = []
    for low, high, counts in zip(starts, [*(s - 1 for s in starts[1:]), knob.high], sums, strict=True):
        if found and found[-1].counts == counts:
            found[-1] = found[-1]._replace(high=high)
        else:
            found.append(Interval(low, high, counts))
    return tuple(found)
