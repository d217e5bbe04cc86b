"""Rules that can never fire are told, each once; and what follows from a mistake elsewhere is not."""

import pytest

from oomadvisor.rulebook.load import load_book
from tests.rulebook.books import cause, note
from tests.rulebook.toy import KINDS

HEAD = "schema: 1\nrules:\n"


def codes(*rules: str) -> list[tuple[int, str]]:
    _, problems = load_book([("x.yaml", HEAD + "".join(rules))], KINDS)
    return [(problem.line, problem.code) for problem in problems]


def only(kernel: str = "", arch: str = "") -> str:
    parts = [f'kernel: "{kernel}"'] if kernel else []
    parts += [f"arch: [{arch}]"] if arch else []
    return f"    applies: {{{', '.join(parts)}}}\n"


def test_a_cause_that_waits_for_itself() -> None:
    _, (problem,) = load_book([("x", HEAD + cause("a", "cause: {name: a}"))], KINDS)
    assert (problem.code, problem.line, problem.text) == ("never-fires", 9, "a waits for what only itself derives")


def test_causes_that_wait_for_each_other_are_told_once_with_what_hangs_on_them_left_out() -> None:
    circle = [cause("a", "cause: {name: c}"), cause("b", "cause: {name: a}"), cause("c", "cause: {name: b}")]
    assert codes(*circle, note("d", "cause: {name: b}"), note("e", "request: {}")) == [(9, "never-fires")]


def test_two_circles_are_told_twice() -> None:
    assert codes(
        cause("a", "cause: {name: a}"), cause("b", "cause: {name: c}"), cause("c", "cause: {name: b}")
    ) == [(9, "never-fires"), (16, "never-fires")]  # fmt: skip


def test_a_way_in_makes_a_circle_sound() -> None:
    a = cause("a", "any: [{cause: {name: b}, as: x}, {request: {}, as: x}]")
    assert codes(a, cause("b", "cause: {name: a}")) == []


@pytest.mark.parametrize(
    ("maker", "reader", "told"),
    [
        (only("<2.6.30"), only("<4.4"), []),
        (only("<2.6.30"), only(">=2.6.30"), ["never-fires"]),
        (only("<2.6.30"), "", []),
        ("", only(">=4.4"), []),
        (only(arch="arm"), only(arch="mips"), ["never-fires"]),
        (only(arch="arm"), only(arch="mips, arm"), []),
        (only(arch="arm"), "", []),
    ],
)
def test_the_kernels_of_both_rules_have_to_overlap(maker: str, reader: str, told: list[str]) -> None:
    found = codes(cause("a", "request: {}", more=maker), note("b", "cause: {name: a}", more=reader))
    assert [code for _, code in found] == told


def test_one_of_several_makers_is_enough() -> None:
    makers = [
        cause("a", "request: {}", more=only("<2.6.30")),
        cause("b", "request: {}", more=only(">=4.4")).replace("confidence: high", "confidence: high, cause: a"),
    ]
    assert codes(*makers, note("c", "cause: {name: a}", more=only(">=5.0"))) == []
    assert codes(*makers, note("c", "cause: {name: a}", more=only(">=3.0,<4.0"))) == [(25, "never-fires")]


@pytest.mark.parametrize(
    "broken",
    [
        cause("a", "reqest: {}"),
        cause("a", "request: {}").replace("title: t", "titel: t"),
        cause("b", "request: {}").replace("confidence: high", "confidence: hi, cause: a"),
        "  - title: without an id\n",
    ],
)
def test_what_waits_for_a_rule_with_errors_is_not_told_about(broken: str) -> None:
    waiting = [note("w", "cause: {name: a}"), note("v", "not: {cause: {name: a}}", "request: {}")]
    _, problems = load_book([("x", HEAD + broken + "".join(waiting))], KINDS)
    assert {problem.code for problem in problems}.isdisjoint({"never-fires", "always-absent"})
    assert problems


def test_what_waits_for_a_file_that_cannot_be_read_is_not_told_about() -> None:
    _, problems = load_book([("broken", "rules: ["), ("x", HEAD + note("w", "cause: {name: a}"))], KINDS)
    assert [(problem.path, problem.code) for problem in problems] == [("broken", "yaml-syntax")]
