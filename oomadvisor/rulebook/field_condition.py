"""The conditions on one field: from YAML nodes to comparisons, or to what is wrong with them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from oomadvisor.rulebook.condition import Compare, CompareField, OneOf, Operator, Test
from oomadvisor.rulebook.constant import contradiction, in_unit, misfit
from oomadvisor.rulebook.errors import Mark, Problems, did_you_mean, shown
from oomadvisor.rulebook.kinds import NOT_MATCHABLE, FieldSpec, KindSpec, Scalar
from oomadvisor.rulebook.operators import OPERATORS, ORDERING, REFUSED, RENAMED
from oomadvisor.rulebook.shape import type_in_words
from oomadvisor.rulebook.yaml_nodes import Listing, Node, Table, is_bad, plain_data
from oomadvisor.rulebook.yaml_nodes import Scalar as ScalarNode

ONE_OF_MAX = 32


def node_in_words(node: Node) -> str:
    """Return what stands at ``node``, for a message."""
    return type_in_words(plain_data(node))


@dataclass(frozen=True, slots=True)
class Conditions:
    """Reads conditions of a rule with ``params``; the names of those that occur are added to ``used``.

    ``param_nodes``: the parameters as written, those that could not be read included (None: all of them).
    """

    params: Mapping[str, Scalar]
    param_nodes: Mapping[str, Node] | None
    problems: Problems
    used: set[str]

    def read(self, kind: KindSpec, fields: Table, name: str) -> Iterator[Test]:
        """Yield what ``fields`` demands of the field ``name``."""
        node, mark, spec = fields.entries[name], fields.keys[name], kind.fields.get(name)
        if name in NOT_MATCHABLE:
            self._error(node, "unknown-field", f"{name} is for people; rules cannot match on it", "", mark)
        elif spec is None:
            hint = REFUSED[name][1] if name in REFUSED else did_you_mean(name, kind.fields)
            self._error(node, "unknown-field", f"{kind.name} has no field {shown(name)}", hint, mark)
        elif isinstance(node, Listing):
            self._error(node, "list", "a field has one value", f"write {name}: {{one_of: [...]}}")
        elif isinstance(node, ScalarNode) or node.entries.keys() & {"field", "param"}:
            yield from self._compare(kind, spec, "eq", node)
        else:
            tests = [test for op in node.entries for test in self._operator(kind, spec, node, op)]
            if not node.entries:
                self._error(node, "empty-condition", f"no condition on {name}", f"write {name}: value, or leave it out")
            told = contradiction(spec, tests)
            if told is not None:
                self._error(node, "impossible", told, "the rule could never fire")
            yield from tests

    def _operator(self, kind: KindSpec, spec: FieldSpec, node: Table, op: str) -> Iterator[Test]:
        value, mark = node.entries[op], node.keys[op]
        if op == "one_of":
            yield from self._one_of(kind, spec, value)
        elif op in REFUSED:
            code, hint = REFUSED[op]
            self._error(node, code, f"rules have no {shown(op)}", hint, mark)
        elif op not in OPERATORS:
            hint = f"write {RENAMED[op]}" if op in RENAMED else did_you_mean(op, [*OPERATORS, "one_of"])
            self._error(node, "unknown-operator", f"no comparison is called {shown(op)}", hint, mark)
        elif op in ORDERING and spec.type != "int":
            hint = "use eq, ne or one_of" + (
                ", or add a number or a boolean to the facts" if spec.type == "text" else ""
            )
            self._error(node, "ordering", f"{kind.name}.{spec.name} is {spec.type} and has no order", hint, mark)
        else:
            yield from self._compare(kind, spec, OPERATORS[op], value)

    def _compare(self, kind: KindSpec, spec: FieldSpec, op: Operator, node: Node) -> Iterator[Test]:
        if isinstance(node, Table) and node.entries.keys() == {"field"}:
            yield from self._compare_field(kind, spec, op, node.entries["field"])
            return
        found = self._constant(kind, spec, node)
        if found is not None:
            yield Compare(spec.name, op, *found)

    def _one_of(self, kind: KindSpec, spec: FieldSpec, node: Node) -> Iterator[Test]:
        if not isinstance(node, Listing) or not 1 <= len(node.items) <= ONE_OF_MAX:
            self._error(node, "bad-size", f"one_of takes a list of 1 to {ONE_OF_MAX} values", "write one_of: [a, b]")
            return
        found = [self._constant(kind, spec, item) for item in node.items]
        known = dict.fromkeys(one for one in found if one is not None)
        if known and None not in found:
            yield OneOf(spec.name, tuple(value for value, _ in known), tuple(param for _, param in known))

    def _constant(self, kind: KindSpec, spec: FieldSpec, node: Node) -> tuple[Scalar, str | None] | None:
        param: str | None = None
        value: object = node.value if isinstance(node, ScalarNode) else None
        if isinstance(node, Table) and node.entries.keys() == {"param"}:
            named = node.entries["param"]
            param = str(named.value) if isinstance(named, ScalarNode) else ""
            if param not in self.params:
                if self.param_nodes is None or param in self.param_nodes:
                    return None  # what is wrong with its value has been told
                hint = did_you_mean(param, self.params) or "declare it: params: {name: value}"
                self._error(named, "unknown-param", f"the rule has no parameter {shown(param)}", hint)
                return None
            self.used.add(param)
            value = self.params[param]
            node = (self.param_nodes or {}).get(param, node)  # a value that does not fit is wrong where it stands
        elif isinstance(node, Table):
            word = next((word for word in node.entries if word in REFUSED), "")
            code, hint = REFUSED.get(word, ("wrong-type", "write a value, {param: name} or {field: other}"))
            self._error(node, code, f"{kind.name}.{spec.name} cannot be compared with {node_in_words(node)}", hint)
        elif isinstance(node, Listing):
            self._error(node, "list", "a field has one value", "write one_of: [...]")
        if not isinstance(value, int | str):
            return None
        wrong = misfit(kind.name, spec, value)
        if wrong is not None:
            self._error(node, *wrong)
            return None
        return value, param

    def _compare_field(self, kind: KindSpec, spec: FieldSpec, op: Operator, node: Node) -> Iterator[Test]:
        name = str(node.value) if isinstance(node, ScalarNode) else ""
        other = kind.fields.get(name)
        if other is None:
            self._error(
                node, "unknown-field", f"{kind.name} has no field {shown(name)}", did_you_mean(name, kind.fields)
            )
        elif other.name == spec.name:
            self._error(node, "impossible", f"{name} is compared with itself", "name another field")
        elif other.type != spec.type:
            self._error(
                node, "wrong-type", f"{spec.name} is {spec.type}, {name} is {other.type}", "compare equal types"
            )
        elif not (other.required and spec.required):
            missing = spec.name if not spec.required else name
            hint = "add a boolean field to the facts"
            self._error(node, "may-be-missing", f"{missing} may be missing, and then the engine would be wrong", hint)
        elif other.unit and spec.unit and other.unit != spec.unit:
            text = f"{spec.name} counts {in_unit(spec)}, {name} {in_unit(other)}"
            self._error(node, "wrong-unit", text, "compare fields of the same unit")
        else:
            yield CompareField(spec.name, op, name)

    def _error(self, node: Node, code: str, text: str, hint: str = "", mark: Mark | None = None) -> None:
        if not is_bad(node):
            self.problems.error(node.source, mark or node.mark, code, text, hint)
