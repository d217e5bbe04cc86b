"""The seed report, as it must come out. Numbers: tests/vectors/seed.json, tests/runs, and by hand."""

import re

import pytest

from oomadvisor.model import Fix, Refutation
from tests.expert.seed import seed_advice


def fix(rule: str) -> Fix:
    return next(f for f in seed_advice().fixes if f.id == rule)


def refutation(rule: str) -> Refutation:
    return next(r for r in seed_advice().refuted if r.id == rule)


@pytest.mark.parametrize(
    ("zone", "mark", "remaining", "bound", "short"),
    [
        ("DMA", "min", 97, 97, 1),
        ("DMA", "low", 97, 121, 25),
        ("DMA", "high", 97, 146, 50),
        ("Normal", "min", 133, 162, 30),
        ("Normal", "low", 133, 203, 71),
        ("Normal", "high", 133, 243, 111),
    ],
)
def test_the_verdict(zone: str, mark: str, remaining: int, bound: int, short: int) -> None:
    (verdict,) = (v for v in seed_advice().verdicts if (v.zone, v.mark) == (zone, mark))
    assert (verdict.ok, verdict.order, verdict.failed_at_order) == (False, 2, 2)
    assert (verdict.remaining_pages, verdict.bound_pages, verdict.short_by_pages) == (remaining, bound, short)


def test_orders_0_and_1_pass_at_every_mark_and_order_3_at_none() -> None:
    passing = {(v.order, v.ok) for v in seed_advice().order_verdicts}
    assert passing == {(0, True), (1, True), (2, False), (3, False)}


@pytest.mark.parametrize(
    ("operation", "zone", "mark", "largest"),
    [
        ("exec", "DMA", "min", 4139),
        ("exec", "DMA", "low", 3319),
        ("exec", "DMA", "high", 2763),
        ("exec", "Normal", "min", 3407),
        ("exec", "Normal", "low", 2727),
        ("exec", "Normal", "high", 2271),
        ("exec", None, "min", 4139),
        ("fork+exec", None, "min", 3967),
        ("vfork+exec", None, "min", 4139),
    ],
)
def test_the_largest_passing_values(operation: str, zone: str | None, mark: str, largest: int) -> None:
    (row,) = (
        t for t in seed_advice().thresholds if (t.operation, t.zone, t.mark) == (operation, zone, mark)
    )  # fmt: skip
    assert row.largest == largest


def test_the_first_fix_is_the_kernels_own_default_and_certain() -> None:
    first = seed_advice().fixes[0]
    (change,) = first.changes
    assert (change.knob, change.current_low, change.current_high, change.target_value) == (
        "vm.min_free_kbytes",
        4160,
        4167,
        2039,
    )
    verification = first.verification
    assert (verification.class_, verification.operation) == ("certain", "fork+exec")
    assert verification.passes_high
    assert [r.ok for r in verification.before] == [False, False, False]
    assert verification.headroom is not None
    assert verification.headroom.children == 13
    assert first.commands[0] == "echo 2039 > /proc/sys/vm/min_free_kbytes"
    assert first.undo == "echo 4160 > /proc/sys/vm/min_free_kbytes"


def test_the_price_of_the_first_fix() -> None:
    price = seed_advice().fixes[0].price
    assert price is not None
    assert {"316", "649", "333", "8800", "258"} <= set(re.findall(r"\d+", price))


def test_what_was_measured_stands_beside_the_first_fix() -> None:
    measured = {m.id: m for m in seed_advice().fixes[0].verification.measured}
    assert (measured["class-certain"].successes, measured["class-certain"].trials) == (795, 797)
    assert (measured["default-mark"].successes, measured["default-mark"].trials) == (16, 16)
    assert all(m.applies for m in measured.values())


def test_the_root_fix_is_bounded_and_says_so() -> None:
    verification = fix("shrink-tmpfs").verification
    assert verification.class_ == "bounded"
    assert [r.ok for r in verification.worst if r.mark == "min"] == [False]
    assert [r.ok for r in verification.after if r.mark == "high"] == [True]
    assert {m.id for m in verification.measured} >= {"free-tmpfs-4", "free-tmpfs-16"}


def test_the_causes_in_their_order() -> None:
    assert [c.id for c in seed_advice().causes] == [
        "fragmentation",
        "mark-above-default",
        "high-order-operation",
        "shmem-pinned",
        "nothing-reclaimable",
    ]
    assert [c.rank for c in seed_advice().causes] == [1, 2, 3, 4, 5]


def test_both_questions_of_the_asker_are_answered() -> None:
    answers = {n.id: n.text for n in seed_advice().notes if n.topic == "answer"}
    assert "39992 kB" in answers["why-killed-with-free-memory"]
    assert "26427 pages" in answers["why-so-many-cache-pages"]
    assert "29 pages" in answers["why-so-many-cache-pages"]


@pytest.mark.parametrize(
    ("rule", "judged", "numbers"),
    [
        ("enough-memory-was-free", "half true", ("39992", "order 1", "Normal, DMA")),
        ("many-cache-pages-mean-droppable-cache", "false", ("26427", "29")),
        ("largest-block-is-the-limit", "false", ("58",)),
        ("larger-blocks-exist", "false", ("133", "162")),
        ("it-is-fragmentation", "true", ("66.3 %", "204 %")),
        ("kernel-compacts-itself", "false", ()),
        ("only-killing-helps", "false", ("2039", "133", "79")),
        ("not-enough-dma-memory", "false", ("GFP_KERNEL", "Normal")),
        ("no-mmu", "false", ("page directory",)),
        ("a-driver-is-at-fault", "false", ("exec",)),
        ("reboot-and-see", "true", ()),
        ("measure-the-program", "beside the point", ("16 kB",)),
        ("raise-min-free-kbytes", "false", ("97", "192")),
        ("drop-caches", "false", ("29", "26427")),
        ("lowmem-reserve-ratio", "false", ("158", "97 against 97")),
        ("swappiness", "false", ("46199",)),
        ("vfs-cache-pressure", "false", ("2447",)),
        ("overcommit", "false", ()),
        ("compaction-knobs", "false", ("2.6.35",)),
    ],
)
def test_every_statement_of_the_thread_is_judged(rule: str, judged: str, numbers: tuple[str, ...]) -> None:
    said = refutation(rule)
    assert said.judged == judged
    for number in numbers:
        assert number in said.why


def test_raising_the_mark_is_harmful_and_the_ratio_has_no_effect() -> None:
    raised, ratio = refutation("raise-min-free-kbytes").verification, refutation("lowmem-reserve-ratio").verification
    assert raised is not None
    assert raised.class_ == "harmful"
    assert ratio is not None
    assert ratio.class_ == "no effect"


def test_every_number_of_the_evidence_has_a_place_in_the_log() -> None:
    for cause in seed_advice().causes:
        for evidence in cause.evidence:
            if evidence.fact not in ("cause", "absent", "threshold"):
                assert evidence.origin is not None, (cause.id, evidence.fact)


def test_rules_that_did_not_apply_say_why() -> None:
    skipped = {s.rule: s.reason for s in seed_advice().skipped}
    assert "order0_passes_high" in skipped["memory-exhausted"]
    assert all(skipped.values())


def test_fixes_are_ranked_by_the_documented_parts() -> None:
    parts = [tuple(f.rank_parts.model_dump().values()) for f in seed_advice().fixes]
    assert parts == sorted(parts)
    assert [f.rank for f in seed_advice().fixes] == list(range(1, len(parts) + 1))
