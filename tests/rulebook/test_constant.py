"""Whether several conditions can hold together, against trying every value."""

import operator

from hypothesis import given
from hypothesis import strategies as st

from oomadvisor.rulebook.condition import Compare, CompareField, OneOf, Test
from oomadvisor.rulebook.constant import contradiction, narrower
from oomadvisor.rulebook.kinds import INT_MAX, FieldSpec

NUMBER = FieldSpec("n", "int", True, "a number")
WORD = FieldSpec("n", "text", True, "a word", words=("a", "b", "c"))
TEXT = FieldSpec("n", "text", True, "a text")
FLAG = FieldSpec("n", "bool", True, "a flag")

numbers = st.integers(-2, 3)
letters = st.sampled_from("abc")


def several(
    values: st.SearchStrategy[int] | st.SearchStrategy[str] | st.SearchStrategy[bool], *operators: str
) -> st.SearchStrategy[list[Test]]:
    compares = st.builds(Compare, st.just("n"), st.sampled_from(operators), values)
    one_of = st.builds(OneOf, st.just("n"), st.lists(values, min_size=1, max_size=3).map(tuple))
    return st.lists(compares | one_of, min_size=1, max_size=4)


def passes(value: object, test: Test) -> bool:
    assert not isinstance(test, CompareField)
    return value in test.values if isinstance(test, OneOf) else bool(getattr(operator, test.op)(value, test.value))


@given(several(numbers, "eq", "ne", "lt", "le", "gt", "ge"))
def test_numbers(tests: list[Test]) -> None:
    possible = any(all(passes(value, test) for test in tests) for value in range(-4, 6))
    assert (contradiction(NUMBER, tests) is None) == possible


@given(several(letters, "eq", "ne"))
def test_words(tests: list[Test]) -> None:
    assert (contradiction(WORD, tests) is None) == any(all(passes(value, test) for test in tests) for value in "abc")


@given(several(letters, "eq", "ne"))
def test_texts(tests: list[Test]) -> None:
    assert (contradiction(TEXT, tests) is None) == any(all(passes(value, test) for test in tests) for value in "abcd")


@given(several(st.booleans(), "eq", "ne"))
def test_flags(tests: list[Test]) -> None:
    possible = any(all(passes(value, test) for test in tests) for value in (True, False))
    assert (contradiction(FLAG, tests) is None) == possible


def test_the_ends_of_the_numbers() -> None:
    assert contradiction(NUMBER, [Compare("n", "gt", INT_MAX)])
    assert contradiction(NUMBER, [Compare("n", "lt", -INT_MAX)])
    assert contradiction(NUMBER, [Compare("n", "ge", INT_MAX)]) is None
    assert contradiction(NUMBER, [CompareField("n", "lt", "m")]) is None


def test_narrower_tells_true_from_one() -> None:
    assert narrower([Compare("n", "eq", 1), Compare("m", "lt", 2)], [Compare("n", "eq", 1, param="p")])
    assert narrower([], [])
    assert not narrower([Compare("n", "eq", 1)], [Compare("n", "eq", True)])
    assert not narrower([Compare("n", "eq", 1)], [Compare("n", "eq", 1), Compare("m", "eq", 1)])
    assert narrower([OneOf("n", (1, 2))], [OneOf("n", (2, 1))])
