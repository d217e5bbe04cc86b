"""What only shows when all rules are looked at together."""

from collections.abc import Sequence
from dataclasses import dataclass

from oomadvisor.rulebook.condition import Absent, Compare, Pattern, in_words
from oomadvisor.rulebook.errors import Problems, did_you_mean, shown
from oomadvisor.rulebook.kinds import CauseFact, Kinds
from oomadvisor.rulebook.rule import Rule
from oomadvisor.rulebook.shape import locate
from oomadvisor.rulebook.strata import NegationCycleError, derivers, levels, may_match
from oomadvisor.rulebook.yaml_nodes import Node, Table


@dataclass(frozen=True, slots=True)
class CheckedRule:
    """A rule with the places of its conditions in the file."""

    rule: Rule
    places: tuple[tuple[Pattern | Absent, Node], ...]
    table: Table


def check_together(checked: Sequence[CheckedRule], kinds: Kinds, problems: Problems) -> None:
    """Tell ``problems`` about rules that can never fire, wait for each other, or name rules that do not exist."""
    rules = [one.rule for one in checked]
    makers = derivers(rules)
    looked_for: set[str] = set()
    for one in checked:
        for part, node in one.places:
            looked_for.add(part.kind)
            if kinds[part.kind].derived and not any(may_match(part, made) for _, made in makers.get(part.kind, ())):
                hint = _nearest_cause(part, rules)
                if isinstance(part, Pattern):
                    problems.error(node.source, node.mark, "never-fires", f"no rule derives a {in_words(part)}", hint)
                else:
                    text = f"no rule derives a {in_words(part)}, so this always holds"
                    problems.warn(node.source, node.mark, "always-absent", text, hint)
        _conflicts(one, rules, problems)
    for one in checked:
        for derived in one.rule.derives:
            if derived.kind != CauseFact.kind and derived.kind not in looked_for:
                node, mark = locate(one.table, ("derive", "fact", derived.kind), key=True)
                text = f"no rule looks for {shown(derived.kind)}"
                problems.warn(node.source, mark, "unused-kind", text)
    try:
        levels(rules)
    except NegationCycleError as cycle:
        first = next(one for one in checked if one.rule.id == cycle.rules[0])
        node, mark = locate(first.table, ("id",))
        text = f"rules that each wait for the absence of what another derives: {', '.join(cycle.rules[:5])}"
        problems.error(
            node.source, mark, "negation-cycle", text, "ask for a fact of the report instead of a derived one"
        )


def _conflicts(one: CheckedRule, rules: Sequence[Rule], problems: Problems) -> None:
    fixes = [rule.id for rule in rules if rule.kind == "fix"]
    for index, name in enumerate(one.rule.fix.conflicts_with if one.rule.fix is not None else ()):
        if name not in fixes:
            node, mark = locate(one.table, ("fix", "conflicts_with", index))
            problems.error(
                node.source, mark, "unknown-rule", f"no fix is called {shown(name)}", did_you_mean(name, fixes)
            )


def _nearest_cause(part: Pattern | Absent, rules: Sequence[Rule]) -> str:
    named = [test.value for test in part.tests if isinstance(test, Compare) and test.field == "name"]
    causes = [rule.cause for rule in rules if rule.cause is not None]
    return did_you_mean(str(named[0]), causes) if named and part.kind == CauseFact.kind else ""
