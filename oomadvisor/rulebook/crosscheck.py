"""What only shows when all rules are looked at together."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from oomadvisor.rulebook.condition import Absent, Compare, Pattern
from oomadvisor.rulebook.errors import Problems, did_you_mean, shown
from oomadvisor.rulebook.kinds import CauseFact, Kinds
from oomadvisor.rulebook.reachable import check_reachable
from oomadvisor.rulebook.rule import ID, Rule
from oomadvisor.rulebook.shape import locate
from oomadvisor.rulebook.strata import EntangledError, NegationCycleError, levels
from oomadvisor.rulebook.yaml_nodes import Node, Scalar, Table

CYCLES_MAX = 50  # to tell about at once
PATTERNS_MAX = 10_000  # of all rules together, branches of any: multiplied out; each costs the engine 10 kB a run


@dataclass(frozen=True, slots=True)
class CheckedRule:
    """A rule with the places of its conditions in the file."""

    rule: Rule
    places: tuple[tuple[Pattern | Absent, Node], ...]
    table: Table


@dataclass
class Lost:
    """What rules with errors of their own would have brought; nothing is to be said about what waits for it.

    ``everything``: a whole file could not be read, so that it is not known what is missing.
    """

    names: set[str] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)
    everything: bool = False

    def add(self, table: Table) -> None:
        """Take in the rule of ``table``."""
        derive = table.entries.get("derive")
        inside = derive.entries if isinstance(derive, Table) else {}
        fact = inside.get("fact")
        self.kinds.update(fact.entries if isinstance(fact, Table) else ())
        named = (table.entries.get("id"), inside.get("cause"))
        self.names.update(str(node.value) for node in named if isinstance(node, Scalar))
        self.everything |= not any(isinstance(node, Scalar) and re.match(ID, str(node.value)) for node in named)

    def may_bring(self, part: Pattern | Absent) -> bool:
        """Return whether a fact for ``part`` may have been lost."""
        if self.everything or part.kind in self.kinds:
            return True
        wanted = [test.value for test in part.tests if isinstance(test, Compare) and test.field == "name"]
        return part.kind == CauseFact.kind and bool(self.names) and (not wanted or wanted[0] in self.names)


def check_together(
    checked: Sequence[CheckedRule], kinds: Kinds, problems: Problems, lost: Lost | None = None
) -> list[CheckedRule]:
    """Tell ``problems`` about rules that can never fire, wait for each other, or name rules that do not exist.

    Return the rules that an engine can take.
    """
    lost = lost or Lost()
    fixes = {one.rule.id: None for one in checked if one.rule.kind == "fix"}
    for one in checked:
        _conflicts(one, fixes, problems, lost)
    _unused_kinds(checked, problems)
    fitting = _fitting(checked, problems)
    try:
        check_reachable(fitting, kinds, problems, lost.may_bring)
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


def _unused_kinds(checked: Sequence[CheckedRule], problems: Problems) -> None:
    looked_for = {part.kind for one in checked for part, _ in one.places}
    for one in checked:
        for derived in one.rule.derives:
            if derived.kind != CauseFact.kind and derived.kind not in looked_for:
                node, mark = locate(one.table, ("derive", "fact", derived.kind), key=True)
                problems.warn(node.source, mark, "unused-kind", f"no rule looks for {shown(derived.kind)}")


def _conflicts(one: CheckedRule, fixes: dict[str, None], problems: Problems, lost: Lost) -> None:
    for index, name in enumerate(one.rule.fix.conflicts_with if one.rule.fix is not None else ()):
        if name not in fixes and name not in lost.names and not lost.everything and not problems.full:
            node, _ = locate(one.table, ("fix", "conflicts_with", index))
            hint = did_you_mean(name, fixes)
            problems.error(node.source, node.mark, "unknown-rule", f"no fix is called {shown(name)}", hint)
