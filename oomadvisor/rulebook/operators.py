"""The comparisons of rules; and the words that people try and the engine cannot be trusted with, with a way out."""

from collections.abc import Mapping

from oomadvisor.rulebook.condition import Operator

OPERATORS: Mapping[str, Operator] = {"eq": "eq", "ne": "ne", "lt": "lt", "le": "le", "gt": "gt", "ge": "ge"}
ORDERING = frozenset({"lt", "le", "gt", "ge"})

_FACTS = "let the facts say it: "
_REGEX = ("regex", _FACTS + "add a boolean field such as task.is_java")
_ARITHMETIC = ("arithmetic", _FACTS + "add a field that holds the sum, difference or ratio (permille)")
_EXISTS = ("exists", "a comparison never holds for a missing value; for a missing fact write not: {kind: {...}}")
_JOIN = ("join", "copy the field onto the fact, so that one fact has both values")
_LIST = ("list", "facts are flat; use one_of, or a kind of fact with one member for each element")

REFUSED: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("matches", "match", "regex", "mt", "imt", "like", "contains", "startswith", "endswith"), _REGEX),
    **dict.fromkeys(("add", "sub", "mul", "div", "plus", "minus", "times", "mod", "sum", "max", "min_of"), _ARITHMETIC),
    **dict.fromkeys(("exists", "missing", "ex", "nex", "null", "is_null", "present", "absent"), _EXISTS),
    **dict.fromkeys(("of", "join"), _JOIN),
    **dict.fromkeys(("any_of_list", "all_of_list", "iany", "iall", "contains_any"), _LIST),
    "and": ("unknown-operator", "write the items one below the other: all of them must hold"),
    "all": ("unknown-operator", "write the items one below the other: all of them must hold"),
    "or": ("unknown-operator", "write any: [...]"),
}
"""Code and what to write instead, by word."""

RENAMED: Mapping[str, str] = {
    "in": "one_of",
    "gte": "ge",
    "lte": "le",
    "neq": "ne",
    "not": "ne",
    "is": "eq",
    "==": "eq",
    "=": "eq",
    "!=": "ne",
    "<": "lt",
    "<=": "le",
    ">": "gt",
    ">=": "ge",
    "above": "gt",
    "below": "lt",
}
