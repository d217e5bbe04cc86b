"""The ``when`` of a rule: from YAML nodes to conditions on declared kinds, or to what is wrong with them."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from math import prod

from oomadvisor.rulebook.condition import Absent, AnyOf, Item, OneOf, Pattern
from oomadvisor.rulebook.constant import narrower
from oomadvisor.rulebook.errors import Mark, Problems, did_you_mean, shown
from oomadvisor.rulebook.field_condition import Conditions, node_in_words
from oomadvisor.rulebook.kinds import Kinds, Scalar
from oomadvisor.rulebook.operators import REFUSED
from oomadvisor.rulebook.rule import NAME
from oomadvisor.rulebook.yaml_nodes import Listing, Node, Table, is_bad
from oomadvisor.rulebook.yaml_nodes import Scalar as ScalarNode

ITEMS_MAX = 8
BRANCHES_MAX = 16
CONSTANTS_MAX = 200  # constants of one pattern; the engine takes 250 (docs/engine.md A2)


@dataclass
class When:
    """Reads one ``when``. ``param_nodes`` holds the parameters as written; None: they cannot be read.

    ``places`` says where each part stands, ``used`` which parameters were named.
    """

    kinds: Kinds
    params: Mapping[str, Scalar]
    param_nodes: Mapping[str, Node] | None
    reserved: Collection[str]
    problems: Problems
    places: list[tuple[Pattern | Absent, Node]] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._conditions = Conditions(self.params, self.param_nodes, self.problems, self.used)

    def read(self, node: Node) -> tuple[Item, ...]:
        """Return the items of ``when``; those that cannot be read are left out and told to ``problems``."""
        if not isinstance(node, Listing):
            self._error(node, "wrong-type", "when takes a list of facts", "write - kind: {field: value}")
            return ()
        if not 1 <= len(node.items) <= ITEMS_MAX:
            self._error(node, "bad-size", f"when has {len(node.items)} items; 1 to {ITEMS_MAX} are possible")
        items: list[Item] = []
        aliases: dict[str, Mark] = {}
        for item_node in node.items[:ITEMS_MAX]:
            item = self._item(item_node)
            if item is None:
                continue
            self._check_aliases(item, item_node, aliases)
            items.append(item)
        self._check_together(node, items)
        return tuple(items)

    def _error(self, node: Node, code: str, text: str, hint: str = "", mark: Mark | None = None) -> None:
        if not is_bad(node):
            self.problems.error(node.source, mark or node.mark, code, text, hint)

    def _item(self, node: Node) -> Item | None:
        if isinstance(node, Table) and "any" in node.entries:
            return self._any(node)
        return self._part(node)

    def _any(self, node: Table) -> AnyOf | None:
        self._alone(node, "any")
        listing = node.entries["any"]
        if not isinstance(listing, Listing) or not listing.items:
            self._error(listing, "wrong-type", "any takes a list of facts", "write any: [kind: {...}, kind: {...}]")
            return None
        for branch in listing.items:
            if isinstance(branch, Table) and "any" in branch.entries:
                self._error(branch, "nested-any", "any inside any", "write its branches into the outer one")
                return None
        branches = tuple(self._part(branch) for branch in listing.items[:BRANCHES_MAX])
        if len(listing.items) > BRANCHES_MAX:
            self._error(
                listing, "too-many-branches", f"any has {len(listing.items)} branches; {BRANCHES_MAX} are possible"
            )
        return AnyOf(tuple(branch for branch in branches if branch is not None)) if None not in branches else None

    def _part(self, node: Node) -> Pattern | Absent | None:
        if not isinstance(node, Table):
            self._error(
                node, "wrong-type", f"a fact is expected, not {node_in_words(node)}", "write kind: {field: value}"
            )
            return None
        if "not" in node.entries:
            self._alone(node, "not")
            inner = node.entries["not"]
            if (
                not isinstance(inner, Table)
                or "as" in inner.entries
                or "not" in inner.entries
                or "any" in inner.entries
            ):
                self._error(inner, "bad-not", "not takes one fact without a name", "write not: {kind: {field: value}}")
                return None
            found = self._pattern(inner)
            part: Pattern | Absent | None = found and Absent(found.kind, found.tests)
        else:
            part = self._pattern(node)
        if part is not None:
            self.places.append((part, node))
        return part

    def _alone(self, node: Table, word: str) -> None:
        for other, mark in node.keys.items():
            if other != word:
                self._error(node, "two-kinds", f"{shown(other)} beside {word}", "write a second item", mark)

    def _pattern(self, node: Table) -> Pattern | None:
        names = [name for name in node.entries if name != "as"]
        if len(names) != 1:
            mark = node.keys[names[1]] if names else node.mark
            self._error(node, "two-kinds", "an item is about one kind of fact", "write a second item", mark)
            return None
        kind = self.kinds.get(names[0])
        if kind is None:
            hint = REFUSED.get(names[0], ("", did_you_mean(names[0], self.kinds)))[1]
            self._error(node, "unknown-kind", f"no kind of fact is called {shown(names[0])}", hint, node.keys[names[0]])
            return None
        alias = self._alias(node, kind.name)
        fields = node.entries[names[0]]
        if not isinstance(fields, Table):
            hint = f"write {kind.name}: {{field: value}}, or {kind.name}: {{}} for any"
            self._error(fields, "wrong-type", f"{kind.name} takes a mapping of its fields", hint)
            return None
        tests = [test for name in fields.entries for test in self._conditions.read(kind, fields, name)]
        if sum(len(test.values) if isinstance(test, OneOf) else 1 for test in tests) > CONSTANTS_MAX:
            self._error(fields, "bad-size", f"more than {CONSTANTS_MAX} values to compare with")
        return Pattern(kind.name, alias, tuple(tests))

    def _alias(self, node: Table, default: str) -> str:
        named = node.entries.get("as")
        if named is None:
            return default
        alias = named.value if isinstance(named, ScalarNode) else None
        if not isinstance(alias, str) or not re.match(NAME, alias) or len(alias) > 40:
            self._error(named, "bad-name", "a name is lower-case letters, digits and _", "write as: dma")
            return default
        return alias

    def _check_aliases(self, item: Item, node: Node, taken: dict[str, Mark]) -> None:
        parts = item.branches if isinstance(item, AnyOf) else (item,)
        fresh = {part.alias for part in parts if isinstance(part, Pattern)}
        for alias in sorted(fresh):
            if alias in taken:
                text = f"two facts called {alias!r}; the first stands in line {taken[alias].line + 1}"
                self._error(node, "duplicate-alias", text, "name one of them: add as: name beside the kind")
            if alias in self.reserved:
                self._error(node, "reserved-alias", f"{alias!r} is a name of its own in templates", "use another name")
        taken.update(dict.fromkeys(fresh, node.mark))

    def _check_together(self, node: Node, items: list[Item]) -> None:
        parts = [item.branches if isinstance(item, AnyOf) else (item,) for item in items]
        if prod(len(branches) for branches in parts) > BRANCHES_MAX:
            text = f"the any: items multiply to more than {BRANCHES_MAX} combinations"
            self._error(node, "too-many-branches", text, "split the rule")
        many = [i for i in parts if any(isinstance(p, Pattern) and not self.kinds[p.kind].bounded for p in i)]
        if len(many) > 1:
            kind = next(part.kind for part in many[1] if not self.kinds[part.kind].bounded)
            place = next(place for part, place in self.places if part in many[1])
            text = f"two facts of kinds with many members ({kind}) multiply"
            self._error(place, "two-unbounded", text, "copy the field that you need onto one of the facts")
        self._check_single(items)
        certain = [item for item in items if isinstance(item, Pattern)]
        for part, place in self.places:
            if isinstance(part, Absent) and any(
                one.kind == part.kind and narrower(one.tests, part.tests) for one in certain
            ):
                self._error(place, "impossible", f"not: contradicts the {part.kind} asked for above", "")

    def _check_single(self, items: list[Item]) -> None:
        """Refuse two facts of a kind of which there is one at most: every pattern takes a fact of its own."""
        seen: dict[str, Pattern] = {}
        for item in items:
            parts = item.branches if isinstance(item, AnyOf) else (item,)
            kinds = {part.kind if isinstance(part, Pattern) else "" for part in parts}
            kind = kinds.pop()
            if kinds or not kind or not self.kinds[kind].single:
                continue
            if kind in seen:
                place = next(place for part, place in self.places if part in parts and part is not seen[kind])
                text = f"two items ask for a {kind}, and there is one at most"
                self._error(place, "never-fires", text, "write all its conditions into one item")
            seen.setdefault(kind, next(part for part in parts if isinstance(part, Pattern)))
