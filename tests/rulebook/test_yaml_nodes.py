"""The YAML reader: what values mean, and that a hostile file costs no more than it should."""

import time
import tracemalloc

import pytest
import yaml

from oomadvisor.rulebook import yaml_nodes
from oomadvisor.rulebook.errors import Problems
from oomadvisor.rulebook.yaml_nodes import plain_data, read_yaml


@pytest.fixture(params=["C", "Python"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    loader = yaml.SafeLoader if request.param == "Python" else getattr(yaml, "CSafeLoader", None)
    if loader is None:
        pytest.skip("PyYAML without libyaml")
    monkeypatch.setattr(yaml_nodes, "_PARSER", loader)
    return str(request.param)


def read(content: str | bytes) -> tuple[object, list[tuple[str, int, int]]]:
    problems = Problems()
    node = read_yaml("x", content, problems)
    return (plain_data(node) if node is not None else None), [(p.code, p.line, p.column) for p in problems.found]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True), ("false", False), ("0", 0), ("-0", 0), ("10", 10), ("-12", -12), ("9223372036854775807", 2**63 - 1),
        ("abc", "abc"), ("2.6.31", "2.6.31"), ("1 1", "1 1"), ("vm.x", "vm.x"), ("n", "n"), ("y", "y"), ("'on'", "on"),
        ('"010"', "010"), ('"\\u00e9"', "é"), ("'~'", "~"), ("-a", "-a"), ("1a", "1a"), ("<4.4", "<4.4"), ("|\n a\n b\n", "a\nb\n"),
        (">\n a\n b\n", "a b\n"), ("{a: {b: [1, x]}}", {"a": {"b": (1, "x")}}), ("on: 1", {"on": 1}), ("1: 1", {"1": 1}), ("[]", ()),
        ("truely", "truely"), ("nope", "nope"), ("\ufeffa", "a"), ("é", "é"), ("10:90", "10:90"), ("4.x", "4.x"),
    ],
)  # fmt: skip
def test_values(text: str, value: object) -> None:
    got, problems = read(text)
    assert (got, problems) == (value, [])
    assert type(got) is type(value)


@pytest.mark.parametrize("text", ["yes", "Yes", "NO", "off", "On", "TRUE", "False", "010", "-07", "08", "0x1F", "0o17", "0b1", "1_0", "+1", "1:30", "190:20:30", "1:30.5", "2001-1-1", "2001-12-14t21:59:43.10-05:00", "="])  # fmt: skip
def test_spellings_that_readers_disagree_about_are_refused_unless_quoted(text: str) -> None:
    assert read(f"a: {text}")[1] == [("yaml-trap", 1, 4)]
    assert read(f"a: '{text}'") == ({"a": text}, [])


@pytest.mark.parametrize("text", ["1.5", "1.", ".5", "-1.5e3", "1e16", "1E-7", "1e3", ".inf", "-.Inf", ".NaN"])
def test_fractions_are_refused_unless_quoted(text: str) -> None:
    assert read(f"a: {text}")[1] == [("float", 1, 4)]
    assert read(f'a: "{text}"') == ({"a": text}, [])


@pytest.mark.parametrize("text", ["~", "null", "Null", "NULL", ""])
def test_no_value_is_refused(text: str) -> None:
    assert read(f"a: {text}")[1][0][0] == "null"


def test_a_bomb_does_not_go_off() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 60)]
    started = time.perf_counter()
    _, problems = read("\n".join(lines))
    assert {code for code, _, _ in problems} == {"anchor", "alias"}
    assert problems[0] == ("anchor", 1, 5)
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    "text",
    [
        "[" * 900_000,
        "- " * 400_000,
        "{a: " * 200_000,
        "? " * 400_000,
        "a:\n" + "".join(" " * n + "a:\n" for n in range(1, 1000)),
    ],
)
def test_a_deep_nest_ends_the_reading(text: str) -> None:
    started = time.perf_counter()
    value, problems = read(text)
    assert value is None
    assert [code for code, _, _ in problems] == ["too-deep"]
    assert time.perf_counter() - started < 5


def test_depth_twenty_is_possible() -> None:
    assert read("[" * 20 + "]" * 20)[1] == []
    assert read("[" * 21 + "]" * 21)[1] == [("too-deep", 1, 21)]


def test_a_huge_scalar_is_refused_and_the_rest_is_read() -> None:
    value, problems = read(f"a: '{'x' * 20_001}'\nb: 1\n")
    assert problems == [("text-too-long", 1, 4)]
    assert isinstance(value, dict)
    assert value["b"] == 1
    assert read(f"a: '{'x' * 20_000}'\n")[1] == []


def test_too_many_nodes_end_the_reading() -> None:
    assert read("[" + "1," * 50_001 + "]")[1][0][0] == "too-many-nodes"


@pytest.mark.parametrize("content", [b"x" * 100_000_000, "x" * 1_000_001])
def test_a_file_that_is_too_large_is_refused_by_its_size(content: str | bytes) -> None:
    tracemalloc.start()
    try:
        assert read(content) == (None, [("file-too-large", 1, 1)])
        assert tracemalloc.get_traced_memory()[1] < 200_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("content", "code", "line", "column"),
    [
        (b"a: 1\nb: \xff\n", "not-utf8", 2, 4),
        ("a: 1\nb: \ud800", "not-utf8", 2, 4),
        ("a: 1\nb: x\x00\n", "control-character", 2, 5),
        ("a: 1\r\nb: \x1b[31m\n", "control-character", 2, 4),
        ("a: 1\n---\nb: 1", "several-documents", 2, 1),
        ('a: "\\0"', "bad-text", 1, 4),
        ("<<: {a: 1}", "merge-key", 1, 1),
        ("a: 1\na: 2", "duplicate-key", 2, 1),
        ("? [a]\n: b", "bad-key", 1, 3),
        ("a: !!python/object/apply:os.system [ls]", "tag", 1, 4),
        ("a: !!str 5", "tag", 1, 4),
        ("!!map {a: 1}", "tag", 1, 1),
        ("&a b: 1", "anchor", 1, 1),
        ("%TAG ! tag:x,2000:\n---\n!foo a", "tag", 3, 1),
        (f"a: {'9' * 100_000}", "text-too-long", 1, 4),
        (f"a: {'9' * 1000}", "number-too-large", 1, 4),
    ],
)  # fmt: skip
def test_refused_at_its_place(content: str | bytes, code: str, line: int, column: int) -> None:
    assert read(content)[1] == [(code, line, column)]


def test_half_a_surrogate_pair_is_refused() -> None:
    assert read('a: "\\ud800"')[1][0][0] in ("bad-text", "yaml-syntax")


@pytest.mark.parametrize("text", ["a: [", "a: b: c", "a:\n\t- x", "'x", "%x\n", "- a\nb: c", "@x", "a: *", '"\\q"'])
def test_what_is_not_yaml_is_one_problem(text: str) -> None:
    value, problems = read(text)
    assert value is None
    assert [code for code, _, _ in problems] == ["yaml-syntax"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x85", "\u2028"])
def test_lines_are_counted_as_the_parser_does(end: str) -> None:
    problems = Problems()
    read_yaml("x", f"a: 1{end}b: on{end}", problems)
    assert [(p.line, p.column, p.source_line) for p in problems.found] == [(2, 4, "b: on")]
