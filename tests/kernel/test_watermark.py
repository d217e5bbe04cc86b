"""The watermark test: its ladder, what it must be monotone in, and whether the vectors would notice a wrong sign."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oomadvisor.kernel import watermark
from oomadvisor.kernel.family import Family
from oomadvisor.kernel.series import functions_for
from oomadvisor.kernel.watermark import (
    FORMS,
    FreeKinds,
    Privileges,
    Step,
    TestRules,
    watermark_check,
    watermark_fast_check,
    zone_watermark_fast,
    zone_watermark_ok,
)
from tests.checks.conformance import first_mismatch
from tests.kernel import version_cases
from tests.kernel.cases import CASES
from tests.kernel.sample import rows, rows_of, version_files
from tests.kernel.version_cases import VERSION_CASES

PROPERTY = settings(deadline=None, derandomize=True, max_examples=200)

DMA = (4282, (2358, 912, 25) + (0,) * 10)
NORMAL = (5716, (4266, 657, 32, 1) + (0,) * 9)


@pytest.mark.parametrize(
    ("zone", "mark", "reserve", "ladder", "short"),
    [
        pytest.param(DMA, 390, 158, [(4279, 548), (1921, 195), (97, 97)], 1, id="DMA-min"),
        pytest.param(DMA, 487, 158, [(4279, 645), (1921, 243), (97, 121)], 25, id="DMA-low"),
        pytest.param(DMA, 585, 158, [(4279, 743), (1921, 292), (97, 146)], 50, id="DMA-high"),
        pytest.param(NORMAL, 650, 0, [(5713, 650), (1447, 325), (133, 162)], 30, id="Normal-min"),
        pytest.param(NORMAL, 812, 0, [(5713, 812), (1447, 406), (133, 203)], 71, id="Normal-low"),
        pytest.param(NORMAL, 975, 0, [(5713, 975), (1447, 487), (133, 243)], 111, id="Normal-high"),
    ],
)
def test_seed_ladder(
    zone: tuple[int, tuple[int, ...]], mark: int, reserve: int, ladder: list[tuple[int, int]], short: int
) -> None:
    check = watermark_check(*zone, 2, mark, reserve)
    assert [(step.remaining, step.bound) for step in check.steps] == ladder
    assert (check.ok, check.failed_at, check.short) == (False, 2, short)
    assert (check.remaining, check.bound) == ladder[2]


def test_steps_go_on_after_the_first_failure() -> None:
    check = watermark_check(10, (2, 0, 2), order=2, mark=100, lowmem_reserve=0)
    assert check.steps == (Step(0, 7, 100, False), Step(1, 5, 50, False), Step(2, 5, 25, False))
    assert (check.failed_at, check.short) == (0, 94)


def test_a_passing_check_shows_its_last_step() -> None:
    check = watermark_check(80, (0, 0, 20), order=2, mark=8, lowmem_reserve=0)
    assert (check.ok, check.failed_at, check.remaining, check.bound, check.short) == (True, None, 77, 2, 0)


@pytest.mark.parametrize(
    ("high", "harder", "bound"), [(False, False, 97), (True, False, 48), (False, True, 73), (True, True, 36)]
)
def test_alloc_flags_lower_the_mark(high: bool, harder: bool, bound: int) -> None:
    assert watermark_check(*DMA, 2, 390, 158, flags=Privileges(high=high, harder=harder)).steps[2].bound == bound


def test_a_negative_counter_passes_an_order_0_test_on_up_only() -> None:
    assert zone_watermark_ok(-5, (0,), order=0, mark=1000, lowmem_reserve=0, smp=False)
    assert not zone_watermark_ok(-5, (0,), order=0, mark=1000, lowmem_reserve=0, smp=True)
    assert not zone_watermark_ok(-5, (0,), order=1, mark=1000, lowmem_reserve=0, smp=False)


def test_a_negative_mark_is_halved_downwards() -> None:
    """An arithmetic shift makes −2 of −3; no vector row tells it from a division, which would make −1."""
    arguments: dict[str, Any] = {"order": 1, "mark": (1 << 32) - 3, "lowmem_reserve": 3}
    assert zone_watermark_ok(10, (10,), **arguments)
    assert watermark_check(10, (10,), **arguments).steps == (Step(0, 9, 0, True), Step(1, -1, -2, True))


def test_orders_that_are_not_listed_hold_nothing() -> None:
    assert [step.remaining for step in watermark_check(9, (2, 3), order=3, mark=0, lowmem_reserve=0).steps] == [
        2,
        0,
        -6,
        -6,
    ]


Zones = st.lists(st.integers(0, 300), min_size=11, max_size=13)
Marks = st.integers(0, 3000)
Orders = st.integers(0, 10)
Anything = st.integers(-(1 << 33), 1 << 33)


def pages(nr_free: Sequence[int]) -> int:
    return sum(blocks << order for order, blocks in enumerate(nr_free))


@PROPERTY
@given(
    Anything,
    st.lists(st.integers(0, 1 << 20), max_size=13),
    st.integers(0, 12),
    Anything,
    Anything,
    st.booleans(),
    st.booleans(),
    st.sampled_from((32, 64)),
    st.booleans(),
)
def test_ladder_and_verdict_agree(
    free: int,
    nr_free: list[int],
    order: int,
    mark: int,
    reserve: int,
    high: bool,
    harder: bool,
    bits: int,
    smp: bool,
) -> None:
    arguments: dict[str, Any] = {"flags": Privileges(high=high, harder=harder), "bits": bits, "smp": smp}
    check = watermark_check(free, nr_free, order, mark, reserve, **arguments)
    assert check.ok is zone_watermark_ok(free, nr_free, order, mark, reserve, **arguments)
    assert [step.order for step in check.steps] == list(range(order + 1))
    assert all(step.ok == (step.remaining > step.bound) for step in check.steps)
    assert check.ok == all(step.ok for step in check.steps)
    assert (check.short > 0) is not check.ok


@PROPERTY
@given(Zones, Orders, Marks, Marks, st.integers(0, 1000))
def test_closed_form(nr_free: list[int], order: int, mark: int, reserve: int, more: int) -> None:
    """Blocks of each order and above must hold more than the mark, halved that often, plus the block asked for."""
    free = pages(nr_free)
    expected = free - (1 << order) + 1 > mark + reserve and all(
        sum(blocks << o for o, blocks in enumerate(nr_free) if o >= step) - (1 << order) + 1 > mark >> step
        for step in range(1, order + 1)
    )
    assert zone_watermark_ok(free, nr_free, order, mark, reserve) is expected
    if not expected:  # a higher mark or reserve never helps
        assert not zone_watermark_ok(free, nr_free, order, mark + more, reserve)
        assert not zone_watermark_ok(free, nr_free, order, mark, reserve + more)


@PROPERTY
@given(Zones, Orders, Marks, Marks, st.data())
def test_more_large_blocks_never_hurt(
    nr_free: list[int], order: int, mark: int, reserve: int, data: st.DataObject
) -> None:
    larger = data.draw(st.integers(order, len(nr_free) - 1))
    richer = list(nr_free)
    richer[larger] += data.draw(st.integers(1, 50))
    if zone_watermark_ok(pages(nr_free), nr_free, order, mark, reserve):
        assert zone_watermark_ok(pages(richer), richer, order, mark, reserve)


@PROPERTY
@given(Zones, st.integers(1, 10), Marks)
def test_short_is_what_the_failed_step_wants(nr_free: list[int], order: int, mark: int) -> None:
    free = pages(nr_free)
    check = watermark_check(free, nr_free, order, mark, 0)
    if check.failed_at == 0:
        assert watermark_check(free + check.short, nr_free, order, mark, 0).steps[0].ok
        assert not watermark_check(free + check.short - 1, nr_free, order, mark, 0).steps[0].ok


Flags = st.builds(Privileges, *[st.booleans()] * 5)
Letters = st.text("UMEHCI", max_size=6)
Kinds = st.builds(
    FreeKinds,
    lists=st.none() | st.lists(Letters, max_size=13).map(tuple),
    cma=st.integers(0, 3000),
    highatomic=st.integers(0, 3000),
    unaccepted=st.integers(0, 300),
)
Rules = st.builds(
    replace,
    st.sampled_from(list(FORMS.values())),
    order0=st.sampled_from(["none", "no cma", "no reserve, wraps", "no reserve"]),
    any_list=st.booleans(),
    clamps=st.booleans(),
    unaccepted=st.booleans(),
)


@PROPERTY
@given(Anything, Zones, Orders, Anything, Anything, Flags, Kinds, st.sampled_from((32, 64)), st.booleans(), Rules)
def test_ladder_and_verdict_agree_in_every_form(
    free: int,
    nr_free: list[int],
    order: int,
    mark: int,
    reserve: int,
    flags: Privileges,
    kinds: FreeKinds,
    bits: int,
    smp: bool,
    rules: TestRules,
) -> None:
    given_: dict[str, Any] = {"flags": flags, "kinds": kinds, "bits": bits, "smp": smp, "rules": rules}
    arguments = free, nr_free, order, mark, reserve
    plain = watermark_check(*arguments, **given_)
    assert plain.ok is zone_watermark_ok(*arguments, **given_)
    attempt = watermark_fast_check(*arguments, **given_)
    assert attempt.ok is zone_watermark_fast(*arguments, **given_)
    for check in (plain, attempt):
        assert all(step.ok == (step.remaining > step.bound) for step in check.steps)
        assert check.ok == all(step.ok for step in check.steps)
        assert (check.short > 0) is not check.ok
    assert attempt.ok or not plain.ok or order == 0  # the short cut lets more through, never less
    assert attempt.ok >= plain.ok


@PROPERTY
@given(Zones, Orders, Marks, Marks, Kinds, Rules)
def test_without_privilege_a_larger_mark_or_reserve_never_helps(
    nr_free: list[int], order: int, mark: int, reserve: int, kinds: FreeKinds, rules: TestRules
) -> None:
    free = pages(nr_free)
    given_: dict[str, Any] = {"kinds": kinds, "bits": 64, "rules": replace(rules, order0="none")}
    if not rules.signed and rules.cma != "not counted":
        return  # no kernel compares what it took CMA pages from as unsigned
    if rules.pages_too_many and free < 1 << order:
        return  # the two missing pages make the left side negative, which reads as a large number
    if not zone_watermark_ok(free, nr_free, order, mark, reserve, **given_):
        assert not zone_watermark_ok(free, nr_free, order, mark + 7, reserve, **given_)
        assert not zone_watermark_ok(free, nr_free, order, mark, reserve + 7, **given_)


@pytest.mark.parametrize(
    ("letter", "lists", "flags", "passes"),
    [
        ("F", ("", "U", ""), Privileges(), False),
        ("G", ("", "U", ""), Privileges(), False),
        ("G", ("", "", "U"), Privileges(), True),
        ("G", ("", "", "M"), Privileges(), True),
        ("G", ("", "", "E"), Privileges(), True),
        ("G", ("", "", "I"), Privileges(), False),
        ("G", ("", "", "C"), Privileges(), False),
        ("G", ("", "", "C"), Privileges(cma=True), True),
        ("G", ("", "", "H"), Privileges(), False),
        ("G", ("", "", "I"), Privileges(harder=True), True),
        ("H", ("", "", "I"), Privileges(harder=True), False),
        ("H", ("", "", "H"), Privileges(harder=True), True),
        ("H", ("", "", "H"), Privileges(oom=True), True),
        ("J", ("", "", "H"), Privileges(harder=True), False),
        ("J", ("", "", "H"), Privileges(highatomic=True), True),
    ],
)
def test_since_4_4_a_block_that_may_be_taken_is_enough(
    letter: str, lists: tuple[str, ...], flags: Privileges, passes: bool
) -> None:
    """One block of 16 kB among 4000 single pages: before 4.4 the mark, halved twice, forbids it."""
    zone = (4004, (3998, 1, 1), 2, 400, 0)
    check = watermark_check(*zone, flags=flags, kinds=FreeKinds(lists), rules=FORMS[letter])
    assert check.ok is passes
    if FORMS[letter].scans:
        assert [step.order for step in check.steps] == [0, 2]
        assert (check.steps[1].remaining, check.steps[1].bound) == (4 * passes, 3)


SOURCE = Path(watermark.__file__).read_text(encoding="utf-8")

# (a piece of the source, what it is turned into); pieces that stand in several functions are turned in each alone
MUTATIONS = [
    ("smp and rules.clamps and free_pages < 0", "rules.clamps and free_pages < 0"),
    ("smp and rules.clamps and free_pages < 0", "smp and free_pages < 0"),
    ("smp and rules.clamps and free_pages < 0", "smp and rules.clamps and free_pages < -1"),
    ("(1 << order) + 1 - rules", "(1 << order) - rules"),
    ("(1 << order) + 1 - rules", "(1 << order) + 2 - rules"),
    ("+ 1 - rules.pages_too_many", "+ 1"),
    ("signed(mark, bits)", "mark"),
    ("if flags.high:", "if flags.harder:"),
    ("if flags.high:", "if False:"),
    ("quarter = flags.harder\n", "quarter = flags.high\n"),
    ("quarter = flags.harder and not flags.oom", "quarter = flags.harder"),
    ("quarter = flags.harder and flags.high", "quarter = flags.harder"),
    ("if quarter:", "if False:"),
    ("if flags.oom and rules", "if False and rules"),
    ("min_pages -= div_trunc(min_pages, 2)", "min_pages = div_trunc(min_pages, 2)"),
    ("min_pages -= div_trunc(min_pages, 4)", "min_pages = min_pages * 3 // 4"),
    ("min_pages -= div_trunc(min_pages, 4)", "min_pages -= min_pages >> 2"),
    ("min_pages -= div_trunc(min_pages, 4)", "min_pages -= div_trunc(min_pages, 2)"),
    ("word = signed if rules.signed else unsigned", "word = unsigned"),
    ("word = signed if rules.signed else unsigned", "word = signed"),
    ("word(usable, bits)", "usable"),
    ("word(usable, bits)", "word(usable, 63)"),
    ("word(min_pages + lowmem_reserve, bits)", "word(min_pages, bits)"),
    ("word(usable, bits) <= word", "word(usable, bits) < word"),
    ("remaining > bound", "remaining >= bound"),
    ("signed(free - (blocks << o), bits)", "free - (blocks << o)"),
    ("min_pages >>= rules.order_shift", "min_pages >>= 2"),
    ("min_pages >>= rules.order_shift", "pass"),
    ("free <= min_pages", "free < min_pages"),
    ("free > min_pages", "free >= min_pages"),
    ("            free = usable", "            pass"),
    ('if rules.cma == "off for good":', 'if rules.cma != "not counted":'),
    ('letters = {"U", "M", "E"}', 'letters = {"U", "M"}'),
    ('letters = {"U", "M", "E"}', 'letters = {"U", "M", "E", "I"}'),
    ("if flags.cma:", "if False:"),
    ("reserved_too = flags.highatomic or flags.oom", "reserved_too = flags.highatomic"),
    ("reserved_too = flags.highatomic or flags.oom", "reserved_too = flags.harder or flags.oom"),
    ("reserved_too = flags.harder or (flags.oom", "reserved_too = False or (flags.oom"),
    ("reserved_too = flags.harder or (flags.oom", "reserved_too = flags.harder or (False"),
    ("(rules.any_list and reserved_too)", "False"),
    ("if o >= order and", "if o > order and"),
    ("0 if flags.cma or", "0 if"),
    ("kept += 0 if flags.harder else kinds.highatomic", "kept += kinds.highatomic"),
    ("kept += 0 if flags.harder or flags.oom else kinds.highatomic", "kept += 0 if flags.oom else kinds.highatomic"),
    ("if flags.high or flags.harder or flags.highatomic", "if flags.harder or flags.highatomic"),
    ("if flags.high or flags.harder or flags.highatomic", "if flags.high or flags.highatomic"),
    ("kept + kinds.unaccepted if", "kept if"),
    ("(0 if flags.cma else kinds.cma)", "kinds.cma"),
    ("(0 if flags.cma else kinds.cma)", "0"),
    ("min(free_pages, kept) if", "kept if"),
    ("unsigned(usable, bits), unsigned(mark + lowmem_reserve, bits)", "unsigned(usable, bits), unsigned(mark, bits)"),
    ("unsigned(usable, bits), unsigned(mark + lowmem_reserve, bits)", "usable, mark + lowmem_reserve"),
    ("if usable > bound:", "if usable >= bound:"),
    ("and unboosted_min is not None and passes(unboosted_min)", "and False"),
]


def mutants() -> list[tuple[str, str, int]]:
    return [(old, new, place) for old, new in MUTATIONS for place in range(SOURCE.count(old))]


class Mutant:
    """A family whose test comes from a broken module; its rules are the unbroken ones."""

    def __init__(self, module: dict[str, Any], family: Family) -> None:
        self.test = family.test
        self.zone_watermark_ok = partial(module["zone_watermark_ok"], rules=self.test)
        self.watermark_check = partial(module["watermark_check"], rules=self.test)
        self.attempt_ok = partial(module["zone_watermark_fast"], rules=self.test)
        self.attempt_check = partial(module["watermark_fast_check"], rules=self.test)


def mutated(old: str, new: str, place: int) -> dict[str, Any]:
    """Return the functions of the module with the ``place``-th occurrence of ``old`` replaced."""
    pieces = SOURCE.split(old)
    source = old.join(pieces[: place + 1]) + new + old.join(pieces[place + 1 :])
    module: dict[str, Any] = {"__name__": "mutated"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "mutated", ModuleType("mutated"))  # dataclasses look their module up
        exec(compile(source, "mutated watermark", "exec"), module)
    return module


def test_every_mutation_has_a_place() -> None:
    assert [old for old, _ in MUTATIONS if old not in SOURCE] == []


@pytest.mark.parametrize(("old", "new", "place"), mutants())
def test_the_vectors_notice_a_mutation(old: str, new: str, place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    module = mutated(old, new, place)
    monkeypatch.setattr(version_cases, "zone_watermark_fast", module["zone_watermark_fast"])
    measured = functions_for((2, 6, 31, 12))
    assert measured is not None
    kernel: Any = Mutant(module, measured)
    if any(first_mismatch(row, CASES["watermark"], kernel) for row in rows("watermark")):
        return
    for path, family in version_files("watermark"):
        kernel = Mutant(module, family)
        if any(first_mismatch(row, VERSION_CASES["watermark"], kernel) for row in rows_of(path)):
            return
    pytest.fail("no row notices")
