"""Several packs of rules: who wins, what an override replaces, what is switched off."""

import pytest

from oomadvisor.rulebook.book import Pack
from oomadvisor.rulebook.condition import Compare, Pattern
from oomadvisor.rulebook.errors import Problem, RuleBookError
from oomadvisor.rulebook.load import load_packs, require
from tests.rulebook.books import cause, note
from tests.rulebook.toy import KINDS

HEAD = "schema: 1\nrules:\n"
BASE = HEAD + note("a", "request: {order: {ge: {param: low}}, block_kb: {param: kb}}", more="    params: {low: 1, kb: 16}\n") + note("b", "zone: {}")  # fmt: skip


def load(*packs: str) -> tuple[dict[str, object], list[tuple[str, int, int, str]]]:
    book, problems = load_packs([Pack(f"p{n}", [(f"p{n}.yaml", text)]) for n, text in enumerate(packs)], KINDS)
    return {rule.id: rule for rule in book.rules}, [(p.path, p.line, p.column, p.code) for p in problems]


def test_an_override_replaces_only_the_fields_it_gives() -> None:
    book, problems = load_packs(
        [
            Pack("built-in", [("base", BASE)]),
            Pack("site", [("site", HEAD + "  - {id: a, override: true, title: Ours, tags: [x]}\n")]),
        ],
        KINDS,
    )
    assert problems == []
    assert (book["a"].title, book["a"].tags, book["a"].explain) == ("Ours", ("x",), "e")
    assert [rule.id for rule in book.rules] == ["a", "b"]
    assert book["a"].params == {"low": 1, "kb": 16}


def test_one_parameter_can_be_replaced_and_the_condition_follows() -> None:
    book, problems = load_packs(
        [Pack("p", [("base", BASE), ("over", HEAD + "  - {id: a, override: true, params: {low: 3}}\n")])], KINDS
    )
    assert problems == []
    assert book["a"].params == {"low": 3, "kb": 16}
    assert book["a"].when == (
        Pattern("request", "request", (Compare("order", "ge", 3, "low"), Compare("block_kb", "eq", 16, "kb"))),
    )


def test_when_is_replaced_as_a_whole() -> None:
    rules, problems = load(BASE, HEAD + "  - {id: b, override: true, when: [{request: {}}]}\n")
    assert problems == []
    assert rules["b"].when == (Pattern("request", "request"),)  # type: ignore[attr-defined]


def test_the_last_override_wins() -> None:
    over = HEAD + "  - {id: b, override: true, title: T%d}\n"
    rules, _ = load(BASE, over % 1, over % 2)
    assert rules["b"].title == "T2"  # type: ignore[attr-defined]


def test_the_same_id_again_is_an_error_and_the_first_stays() -> None:
    rules, problems = load(BASE, HEAD + note("b", "swap: {}"))
    assert problems == [("p1.yaml", 3, 9, "duplicate-id")]
    assert rules["b"].when == (Pattern("zone", "zone"),)  # type: ignore[attr-defined]


def test_an_error_in_an_override_is_told_in_the_file_that_has_it() -> None:
    rules, problems = load(BASE, HEAD + "  - {id: b, override: true, when: [{zone: {nam: x}}]}\n")
    assert problems == [("p1.yaml", 3, 44, "unknown-field")]
    assert list(rules) == ["a"]


def test_a_parameter_that_does_not_fit_the_condition_is_told_where_it_is_set() -> None:
    _, problems = load(BASE, HEAD + "  - {id: a, override: true, params: {low: x}}\n")
    assert problems == [("p1.yaml", 3, 43, "wrong-type")]


def test_overriding_nothing_is_an_error() -> None:
    _, problems = load(BASE, HEAD + "  - {id: bb, override: true, title: T}\n")
    assert problems == [("p1.yaml", 3, 10, "nothing-to-override")]


def test_an_unknown_parameter_in_an_override_is_told() -> None:
    _, problems = load(BASE, HEAD + "  - {id: a, override: true, params: {lo: 3}}\n")
    assert problems == [("p1.yaml", 3, 38, "unknown-param")]


def test_a_disabled_rule_stays_in_the_book_and_does_not_apply() -> None:
    book, problems = load_packs(
        [
            Pack("built-in", [("base", BASE)]),
            Pack("site", [("s", HEAD + "  - {id: a, override: true, enabled: false}\n")]),
        ],
        KINDS,
    )
    assert problems == []
    rules, skipped = book.applicable((2, 6, 31), "arm")
    assert [rule.id for rule in rules] == ["b"]
    assert skipped == (("a", "disabled (site)"),)


def test_disabling_a_cause_does_not_break_the_fixes_that_look_for_it() -> None:
    base = HEAD + cause("a", "request: {}") + note("b", "cause: {name: a}")
    rules, problems = load(base, HEAD + "  - {id: a, override: true, enabled: false}\n")
    assert problems == []
    assert list(rules) == ["a", "b"]


@pytest.mark.parametrize(
    ("applies", "version", "arch", "reason"),
    [
        ('{kernel: "<4.4"}', (2, 6, 31), None, None),
        ('{kernel: "<4.4"}', (4, 4), None, "for kernel <4.4; this is 4.4"),
        ('{kernel: "<4.4"}', (4, 4, 1), None, "for kernel <4.4; this is 4.4.1"),
        ('{kernel: "<4.4"}', (), None, "for kernel <4.4; this report does not tell its version"),
        ('{kernel: ">=2.6.26,<2.6.35"}', (2, 6, 31, 12), None, None),
        ('{kernel: "<=2.6.31"}', (2, 6, 31, 12), None, None),
        ('{kernel: ">2.6.31"}', (2, 6, 31, 12), None, "for kernel >2.6.31; this is 2.6.31.12"),
        ('{kernel: "==3.10"}', (3, 10, 108), None, None),
        ('{kernel: ">=3.10"}', (3,), None, "for kernel >=3.10; this is 3"),
        ("{arch: [arm, mips]}", (2, 6, 31), "mips", None),
        ("{arch: [arm, mips]}", (2, 6, 31), "x86", "for arm or mips; this is x86"),
        ("{arch: [arm]}", (2, 6, 31), None, "for arm; this report does not tell"),
    ],
)
def test_where_a_rule_applies(applies: str, version: tuple[int, ...], arch: str | None, reason: str | None) -> None:
    book, _ = load_packs([Pack("p", [("x", HEAD + note("a", "request: {}", more=f"    applies: {applies}\n"))])], KINDS)
    rules, skipped = book.applicable(version, arch)
    assert (len(rules), skipped) == ((1, ()) if reason is None else (0, (("a", reason),)))


@pytest.mark.parametrize(
    ("build", "known", "reason"),
    [
        ("highmem: false", {"highmem": False}, None),
        ("highmem: false", {"highmem": True}, "for kernels built without HIGHMEM; this one is built with HIGHMEM"),
        ("smp: true", {"smp": None}, "for kernels built with SMP; this report does not tell"),
        ("smp: true", {}, "for kernels built with SMP; this report does not tell"),
        (
            "smp: true, numa: false",
            {"smp": True, "numa": True},
            "for kernels built without NUMA; this one is built with NUMA",
        ),
    ],
)
def test_for_which_builds_a_rule_applies(build: str, known: dict[str, bool | None], reason: str | None) -> None:
    more = f"    applies: {{build: {{{build}}}}}\n"
    book, problems = load_packs([Pack("p", [("x", HEAD + note("a", "request: {}", more=more))])], KINDS)
    assert problems == []
    rules, skipped = book.applicable((2, 6, 31), "arm", known)
    assert (len(rules), skipped) == ((1, ()) if reason is None else (0, (("a", reason),)))


def test_require_raises_with_every_error_and_lets_warnings_pass() -> None:
    bad = load_packs([Pack("p", [("x", HEAD + note("a", "zoen: {}") + note("b", "zone: {nam: 1}"))])], KINDS)
    with pytest.raises(RuleBookError, match=r"unknown-kind[\s\S]*unknown-field") as caught:
        require(bad)
    assert all(isinstance(problem, Problem) for problem in caught.value.problems)
    assert len(caught.value.problems) == 2
    warned = load_packs([Pack("p", [("x", HEAD + note("a", "zone: {}", more="    params: {x: 1}\n"))])], KINDS)
    assert len(require(warned)) == 1


def test_rules_of_one_id_may_be_named_in_another_file() -> None:
    rules, problems = load(HEAD + note("b", "cause: {name: a}"), HEAD + cause("a", "request: {}"))
    assert problems == []
    assert list(rules) == ["b", "a"]
