"""Collecting and showing problems."""

from oomadvisor.rulebook.errors import PROBLEMS_MAX, WARNINGS_MAX, Problem, Problems, Source, Spot, did_you_mean, shown

SOURCE = Source("x", "one\ntwo\n")


def test_one_error_at_a_place_the_first_but_all_are_counted() -> None:
    problems = Problems()
    problems.error(SOURCE, Spot(1, 2), "first", "a")
    problems.error(SOURCE, Spot(1, 2), "second", "b")
    problems.warn(SOURCE, Spot(1, 2), "third", "c")
    assert problems.found == [Problem("x", 2, 3, "error", "first", "a")]
    assert problems.errors == 2
    assert problems.found[0].source_line == "two"


def test_a_warning_does_not_hide_an_error() -> None:
    problems = Problems()
    problems.warn(SOURCE, Spot(0, 0), "first", "a")
    problems.error(SOURCE, Spot(0, 0), "second", "b")
    assert [problem.code for problem in problems.found] == ["first", "second"]


def test_a_flood_is_cut_and_warnings_leave_room_for_errors() -> None:
    problems = Problems()
    for number in range(1000):
        problems.warn(SOURCE, Spot(number, 0), "w", "a")
    assert len(problems.found) == WARNINGS_MAX
    for number in range(1000):
        problems.error(SOURCE, Spot(number, 0), "e", "a")
    assert len(problems.found) == PROBLEMS_MAX
    assert problems.errors == 1000
    assert problems.full


def test_values_are_shown_short_and_on_one_line() -> None:
    assert shown("a\n\x1b[31m") == "'a\\n\\x1b[31m'"
    assert len(shown("x" * 1000)) == 60
    assert (shown(True), shown(5)) == ("true", "5")


def test_suggestions() -> None:
    assert did_you_mean("fre_pages", ["free_pages", "name"]) == "did you mean 'free_pages'?"
    assert did_you_mean("q", ["a", "b"]) == "known: a, b"
    assert did_you_mean("q", [str(n) for n in range(13)]) == ""
    assert did_you_mean("q", []) == ""
