"""What only shows when all rules are looked at together."""

from collections.abc import Sequence
from dataclasses import dataclass

from oomadvisor.rulebook.condition import Absent, Compare, Pattern, in_words
from oomadvisor.rulebook.errors import Problems, did_you_mean, shown
from oomadvisor.rulebook.kinds import CauseFact, Kinds
from oomadvisor.rulebook.rule import Rule
from oomadvisor.rulebook.shape import locate
from oomadvisor.rulebook.strata import Derivers, EntangledError, NegationCycleError, levels
from oomadvisor.rulebook.yaml_nodes import Node, Table

CYCLES_MAX = 50  # to tell about at once
PATTERNS_MAX = 10_000  # of all rules together, branches of any: multiplied out; each costs the engine 10 kB a run


@dataclass(frozen=True, slots=True)
class CheckedRule:
    """A rule with the places of its conditions in the file."""

    rule: Rule
    places: tuple[tuple[Pattern | Absent, Node], ...]
    table: Table


def check_together(checked: Sequence[CheckedRule], kinds: Kinds, problems: Problems) -> list[CheckedRule]:
    """Tell ``problems`` about rules that can never fire, wait for each other, or name rules that do not exist.

    Return the rules that an engine can take.
    """
    fixes = {one.rule.id: None for one in checked if one.rule.kind == "fix"}
    for one in checked:
        _conflicts(one, fixes, problems)
    _unused_kinds(checked, problems)
    fitting = _fitting(checked, problems)
    try:
        _derivable(fitting, kinds, problems)
        return _ordered(fitting, problems)
    except EntangledError as fault:
        node = fitting[0].table
        hint = "name the cause in conditions: cause: {name: …}"
        problems.error(node.source, node.mark, "too-entangled", str(fault), hint)
        return []


def _ordered(checked: list[CheckedRule], problems: Problems) -> list[CheckedRule]:
    """Return the rules without those on cycles of negation; none when there is no end of cycles."""
    for _ in range(CYCLES_MAX):
        cycle = _cycle(checked)
        if not cycle:
            return checked
        text = f"rules that each wait for the absence of what another derives: {', '.join(cycle[:5])}"
        hint = "ask for a fact of the report instead of a derived one"
        first = next(one for one in checked if one.rule.id == cycle[0])
        node, _ = locate(first.table, ("id",))
        problems.error(node.source, node.mark, "negation-cycle", text, hint)
        checked = [one for one in checked if one.rule.id not in cycle]
    return []


def _cycle(checked: Sequence[CheckedRule]) -> tuple[str, ...]:
    try:
        levels([one.rule for one in checked])
    except NegationCycleError as cycle:
        return cycle.rules
    return ()


def _fitting(checked: Sequence[CheckedRule], problems: Problems) -> list[CheckedRule]:
    total = 0
    for place, one in enumerate(checked):
        total += sum(len(way.patterns) + len(way.absent) for way in one.rule.conjunctions)
        if total > PATTERNS_MAX:
            text = f"more than {PATTERNS_MAX} conditions in all, this rule and the following ones are left out"
            problems.error(one.table.source, one.table.mark, "book-too-large", text, "use fewer branches of any:")
            return list(checked[:place])
    return list(checked)


def _derivable(checked: Sequence[CheckedRule], kinds: Kinds, problems: Problems) -> None:
    rules = [one.rule for one in checked]
    derivers = Derivers(rules)
    for part, node in (place for one in checked for place in one.places):
        if kinds[part.kind].derived and not derivers.of(part) and not problems.full:
            hint = _nearest_cause(part, rules)
            if isinstance(part, Pattern):
                problems.error(node.source, node.mark, "never-fires", f"no rule derives a {in_words(part)}", hint)
            else:
                text = f"no rule derives a {in_words(part)}, so this always holds"
                problems.warn(node.source, node.mark, "always-absent", text, hint)


def _unused_kinds(checked: Sequence[CheckedRule], problems: Problems) -> None:
    looked_for = {part.kind for one in checked for part, _ in one.places}
    for one in checked:
        for derived in one.rule.derives:
            if derived.kind != CauseFact.kind and derived.kind not in looked_for:
                node, mark = locate(one.table, ("derive", "fact", derived.kind), key=True)
                problems.warn(node.source, mark, "unused-kind", f"no rule looks for {shown(derived.kind)}")


def _conflicts(one: CheckedRule, fixes: dict[str, None], problems: Problems) -> None:
    for index, name in enumerate(one.rule.fix.conflicts_with if one.rule.fix is not None else ()):
        if name not in fixes and not problems.full:
            node, _ = locate(one.table, ("fix", "conflicts_with", index))
            hint = did_you_mean(name, fixes)
            problems.error(node.source, node.mark, "unknown-rule", f"no fix is called {shown(name)}", hint)


def _nearest_cause(part: Pattern | Absent, rules: Sequence[Rule]) -> str:
    named = [test.value for test in part.tests if isinstance(test, Compare) and test.field == "name"]
    causes = dict.fromkeys(rule.cause for rule in rules if rule.cause is not None)
    return did_you_mean(str(named[0]), causes) if named and part.kind == CauseFact.kind else ""
