"""The watermark test: its ladder, what it must be monotone in, and whether the vectors would notice a wrong sign."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oomadvisor.kernel import watermark
from oomadvisor.kernel.series import Family, functions_for
from oomadvisor.kernel.watermark import Step, watermark_check, zone_watermark_ok
from tests.checks.conformance import first_mismatch
from tests.kernel.cases import CASES
from tests.kernel.sample import rows

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
    assert watermark_check(*DMA, 2, 390, 158, high=high, harder=harder).steps[2].bound == bound


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
    arguments: dict[str, Any] = {"high": high, "harder": harder, "bits": bits, "smp": smp}
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


SOURCE = Path(watermark.__file__).read_text(encoding="utf-8")

# (a piece of the source, what it is turned into); pieces that stand in both functions are turned in each alone
MUTATIONS = [
    ("if smp and free_pages < 0:", "if free_pages < 0:"),
    ("if smp and free_pages < 0:", "if smp and free_pages < -1:"),
    ("(1 << order) + 1", "(1 << order)"),
    ("(1 << order) + 1", "(1 << order) + 2"),
    ("signed(mark, bits)", "mark"),
    ("if high:", "if harder:"),
    ("if harder:", "if high:"),
    ("if high:", "if False:"),
    ("if harder:", "if False:"),
    ("min_pages -= div_trunc(min_pages, 2)", "min_pages = div_trunc(min_pages, 2)"),
    ("min_pages -= div_trunc(min_pages, 2)", "min_pages -= min_pages >> 1"),
    ("min_pages -= div_trunc(min_pages, 4)", "min_pages = min_pages * 3 // 4"),
    ("min_pages -= div_trunc(min_pages, 4)", "min_pages -= min_pages >> 2"),
    ("min_pages -= div_trunc(min_pages, 4)", "min_pages -= div_trunc(min_pages, 2)"),
    ("unsigned(free, bits)", "free"),
    ("unsigned(free, bits)", "unsigned(free, 63)"),
    ("unsigned(min_pages + lowmem_reserve, bits)", "signed(min_pages + lowmem_reserve, bits)"),
    ("unsigned(min_pages + lowmem_reserve, bits)", "unsigned(min_pages, bits)"),
    ("unsigned(free, bits) <= unsigned", "unsigned(free, bits) < unsigned"),
    ("remaining > bound", "remaining >= bound"),
    ("range(order)", "range(order + 1)"),
    ("range(order)", "range(order - 1)"),
    ("blocks << o", "blocks"),
    ("blocks << o", "blocks << (o + 1)"),
    ("signed(free - (blocks << o), bits)", "free - (blocks << o)"),
    ("min_pages >>= 1", "min_pages >>= 2"),
    ("min_pages >>= 1", "pass"),
    ("free <= min_pages", "free < min_pages"),
    ("free > min_pages", "free >= min_pages"),
    ("free <= min_pages", "unsigned(free, bits) <= unsigned(min_pages, bits)"),
]


def mutants() -> list[tuple[str, str, int]]:
    return [(old, new, place) for old, new in MUTATIONS for place in range(SOURCE.count(old))]


def mutated(old: str, new: str, place: int) -> dict[str, Callable[..., Any]]:
    """Return the functions of the module with the ``place``-th occurrence of ``old`` replaced."""
    pieces = SOURCE.split(old)
    source = old.join(pieces[: place + 1]) + new + old.join(pieces[place + 1 :])
    module: dict[str, Any] = {"__name__": "mutated"}
    exec(compile(source, "mutated watermark", "exec"), module)
    return module


def test_every_mutation_has_a_place() -> None:
    assert all(old in SOURCE for old, _ in MUTATIONS)


@pytest.mark.parametrize(("old", "new", "place"), mutants())
def test_the_vectors_notice_a_mutation(old: str, new: str, place: int) -> None:
    module = mutated(old, new, place)
    real = functions_for((2, 6, 31, 12))
    assert real is not None
    kernel: Family = replace(
        real, zone_watermark_ok=module["zone_watermark_ok"], watermark_check=module["watermark_check"]
    )
    assert any(first_mismatch(row, CASES["watermark"], kernel) for row in rows("watermark"))
