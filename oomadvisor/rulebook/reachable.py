"""Rules that can never fire, because nothing that could fire derives what they wait for."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Protocol

from oomadvisor.rulebook.condition import Absent, Compare, Pattern, in_words
from oomadvisor.rulebook.errors import Problems, did_you_mean
from oomadvisor.rulebook.kernel_range import KernelRange
from oomadvisor.rulebook.kinds import CauseFact, Kinds
from oomadvisor.rulebook.rule import Rule
from oomadvisor.rulebook.strata import Derivers
from oomadvisor.rulebook.yaml_nodes import Node

CIRCLES_MAX = 50  # to tell about at once


class Placed(Protocol):
    """A rule with the places of its conditions."""

    @property
    def rule(self) -> Rule: ...
    @property
    def places(self) -> Sequence[tuple[Pattern | Absent, Node]]: ...


def check_reachable(
    checked: Sequence[Placed], kinds: Kinds, problems: Problems, may_bring: Callable[[Pattern | Absent], bool]
) -> None:
    """Tell about rules that wait for what no rule derives, derives elsewhere only, or only after them.

    ``may_bring``: whether a rule that has errors of its own, and is not among ``checked``, may derive it.
    Raises ``EntangledError``.
    """
    rules = [one.rule for one in checked]
    derivers = Derivers(rules)
    # Rules that were told about count as firing: what waits for them is not wrong by itself.
    assumed: set[int] = set()
    for place, one in enumerate(checked):
        for part, node in one.places:
            if kinds[part.kind].derived and not problems.full:
                told = _underivable(part, one.rule, [rules[maker] for maker in derivers.of(part)], rules)
                if told is not None and not may_bring(part):
                    text, hint = told
                    if isinstance(part, Pattern):
                        problems.error(node.source, node.mark, "never-fires", text, hint)
                    else:
                        problems.warn(node.source, node.mark, "always-absent", f"{text}, so this always holds", hint)
                if told is not None and isinstance(part, Pattern):
                    assumed.add(place)
    _check_circles(checked, kinds, problems, derivers, assumed)


def _underivable(
    part: Pattern | Absent, rule: Rule, makers: Sequence[Rule], rules: Sequence[Rule]
) -> tuple[str, str] | None:
    if not makers:
        return f"no rule derives a {in_words(part)}", _nearest_cause(part, rules)
    if any(_meet(rule, maker) for maker in makers):
        return None
    maker = makers[0]
    here, there = (f"kernel {one.applies.kernel or 'any'}" for one in (rule, maker))
    if _kernels_meet(rule.applies.kernel, maker.applies.kernel):
        here, there = (" or ".join(one.applies.arch) for one in (rule, maker))
    text = f"no rule for {here} derives a {in_words(part)} ({maker.id} is for {there})"
    return text, "let applies: of both rules overlap"


def _meet(rule: Rule, other: Rule) -> bool:
    """Return whether some kernel runs both rules."""
    arches = not rule.applies.arch or not other.applies.arch or set(rule.applies.arch) & set(other.applies.arch)
    return bool(arches) and _kernels_meet(rule.applies.kernel, other.applies.kernel)


@cache
def _kernels_meet(one: KernelRange | None, other: KernelRange | None) -> bool:
    return one is None or one == other or one.overlaps(other)


def _check_circles(
    checked: Sequence[Placed], kinds: Kinds, problems: Problems, derivers: Derivers, assumed: set[int]
) -> None:
    """Tell about rules that wait for each other's facts."""
    rules = [one.rule for one in checked]
    readers: dict[int, list[int]] = {}
    for place, rule in enumerate(rules):
        for part in _waited_for(rule, kinds):
            for maker in derivers.of(part):
                readers.setdefault(maker, []).append(place)
    firing: set[int] = set()
    todo = list(range(len(rules)))
    circles = 0
    while True:
        while todo:
            place = todo.pop()
            if place not in firing and (place in assumed or _can_fire(rules[place], kinds, derivers, firing)):
                firing.add(place)
                todo += readers.get(place, ())
        stuck = next((place for place in range(len(rules)) if place not in firing), None)
        if stuck is None or circles == CIRCLES_MAX:
            return
        circles += 1
        circle = _circle(stuck, rules, kinds, derivers, firing)
        first = min(circle)
        wanted = next(part for part in _waited_for(rules[first], kinds) if not set(derivers.of(part)) & firing)
        node = next(node for part, node in checked[first].places if part == wanted)
        names = ", ".join(rules[place].id for place in sorted(circle)[:5])
        text = f"rules that each wait for what another derives: {names}"
        if len(circle) == 1:
            text = f"{rules[first].id} waits for what only itself derives"
        problems.error(node.source, node.mark, "never-fires", text, "let one of them look at facts of the report alone")
        assumed.add(first)
        todo = [first]


def _can_fire(rule: Rule, kinds: Kinds, derivers: Derivers, firing: set[int]) -> bool:
    return any(
        all(not kinds[part.kind].derived or not firing.isdisjoint(derivers.of(part)) for part in way.patterns)
        for way in rule.conjunctions
    )


def _waited_for(rule: Rule, kinds: Kinds) -> Iterator[Pattern]:
    for way in rule.conjunctions:
        yield from (part for part in way.patterns if kinds[part.kind].derived)


def _circle(start: int, rules: Sequence[Rule], kinds: Kinds, derivers: Derivers, firing: set[int]) -> list[int]:
    """Return the rules on the circle that is met when going from ``start`` to what it waits for, again and again."""
    path: list[int] = []
    while start not in path:
        path.append(start)
        wanted = next(part for part in _waited_for(rules[start], kinds) if not set(derivers.of(part)) & firing)
        start = derivers.of(wanted)[0]
    return path[path.index(start) :]


def _nearest_cause(part: Pattern | Absent, rules: Sequence[Rule]) -> str:
    named = [test.value for test in part.tests if isinstance(test, Compare) and test.field == "name"]
    causes = dict.fromkeys(rule.cause for rule in rules if rule.cause is not None)
    return did_you_mean(str(named[0]), causes) if named and part.kind == CauseFact.kind else ""
