"""Advices of every shape that the model allows, with hostile text in every string."""

from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st

from oomadvisor.model import Advice, Frozen, IncidentAdvice

MARKUP = (
    *("`", "``", "```\n", "~~~", "|", "\\", "*", "__", "$x$", "# ", "- ", "1. ", "> ", "---", "===", "\n\n"),
    *("<script>", "</td>", "<!--", "&lt;", "![x](y)", "[a](b)", "http://e.example/", "www.e.example"),
    *("\x1b[2J", "\u202e", "\ud800"),
)
HOSTILE_TEXT = st.lists(st.sampled_from(MARKUP) | st.text(max_size=4), max_size=4).map("".join)


@cache
def values(annotation: Any) -> st.SearchStrategy[Any]:
    """Return values of a type that occurs in the model; lists stay short."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is str:
        return HOSTILE_TEXT
    if annotation in (int, bool, NoneType):
        return {int: st.integers(32, 4000), bool: st.booleans(), NoneType: st.none()}[annotation]
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, UnionType):
        return st.one_of([values(argument) for argument in arguments])
    if origin is tuple:
        return st.lists(values(arguments[0]), max_size=2).map(tuple)
    if origin is dict:
        return st.dictionaries(values(arguments[0]), values(arguments[1]), max_size=2)
    if issubclass(annotation, Frozen):
        fields = {name: values(field.annotation) for name, field in annotation.model_fields.items()}
        return st.fixed_dictionaries(fields).map(lambda given: annotation(**given))
    raise TypeError(f"{annotation} is new in the model")


ADVICES = st.builds(
    Advice,
    incidents=st.lists(values(IncidentAdvice), min_size=1, max_size=2).map(tuple),
    incidents_found=st.integers(1, 9),
    engine=HOSTILE_TEXT,
    version=HOSTILE_TEXT,
)
