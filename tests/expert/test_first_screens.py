"""The first screens are as they were read and found good; ``python -m tests.expert.first_screens`` writes them anew."""

import pytest

from tests.expert.first_screens import INPUTS, SCREENS, WIDTH, first_screen

MOST_LINES = 42
MOST_LINES_OF_PLAN = 18


@pytest.mark.parametrize("name", INPUTS)
def test_the_first_screen_is_the_one_that_was_read(name: str) -> None:
    assert first_screen(INPUTS[name]) == (SCREENS / f"{name}.txt").read_text(encoding="utf-8")


def test_every_kept_screen_has_its_input() -> None:
    assert {path.stem for path in SCREENS.glob("*.txt")} == set(INPUTS)


@pytest.mark.parametrize("name", INPUTS)
def test_it_is_a_screen(name: str) -> None:
    lines = (SCREENS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    plan = lines.index("THE PLAN") if "THE PLAN" in lines else len(lines)
    assert plan <= MOST_LINES
    assert len(lines) - plan <= MOST_LINES_OF_PLAN
    assert max(map(len, lines)) <= WIDTH
