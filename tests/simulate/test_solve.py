"""Thresholds: arithmetic against brute force, and against what was computed beforehand and then tried on the kernel."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oomadvisor.kernel.words import INT_MAX
from oomadvisor.model import MARKS, Mark, Operation
from oomadvisor.simulate import (
    SetRealtime,
    Snapshot,
    ZoneSnapshot,
    apply,
    children_that_stay,
    largest_passing,
    thresholds,
)
from oomadvisor.simulate.change import with_min_free_kbytes
from oomadvisor.simulate.replay import operation_passes
from oomadvisor.simulate.solve import largest_min_free_kbytes
from tests.simulate.boxes import ARM, SLOW_PROPERTY, box, boxes, operation, operations, seed, zones

marks = st.sampled_from(MARKS)


def brute_force(snap: Snapshot, orders: tuple[int, ...], mark: Mark) -> tuple[int | None, bool]:
    """Return the largest passing value of all up to twice the memory, and whether all below it pass too."""
    values = [
        operation_passes(with_min_free_kbytes(snap, value), orders, mark) for value in range(8 * sum(snap.present) + 16)
    ]
    largest = max((value for value, ok in enumerate(values) if ok), default=None)
    return largest, largest is None or all(values[: largest + 1])


@SLOW_PROPERTY
@given(boxes(max_pages=40), operations, marks)
def test_largest_passing_is_what_brute_force_finds(snap: Snapshot, operation: Operation, mark: Mark) -> None:
    expected, monotone = brute_force(snap, operation.orders, mark)
    assert monotone, "the search relies on it"
    assert largest_passing(snap, operation.orders, mark) == expected


@SLOW_PROPERTY
@given(boxes(max_pages=40), operations, marks)
def test_in_every_zone_is_the_least_of_the_zones_alone(snap: Snapshot, operation: Operation, mark: Mark) -> None:
    alone = [brute_force(snap.with_zones((zone,)), operation.orders, mark)[0] for zone in snap.zones]
    expected = None if None in alone else min(value for value in alone if value is not None)
    assert largest_passing(snap, operation.orders, mark, every_zone=True) == expected


@SLOW_PROPERTY
@given(boxes(max_pages=40), operations)
def test_the_table_of_thresholds_holds_those_values(snap: Snapshot, operation: Operation) -> None:
    for row in thresholds(snap, operation):
        part = snap if row.zone is None else snap.with_zones(tuple(z for z in snap.zones if z.name == row.zone))
        assert row.largest == brute_force(part, operation.orders, row.mark)[0]


SPECIFIED = {
    ("DMA", "min"): 4139,
    ("DMA", "low"): 3319,
    ("DMA", "high"): 2763,
    ("Normal", "min"): 3407,
    ("Normal", "low"): 2727,
    ("Normal", "high"): 2271,
}
"""tests/vectors/seed.json: the values at which the seed's snapshot passes order 2."""


def test_the_seed_s_thresholds_for_exec() -> None:
    rows = {(row.zone, row.mark): row.largest for row in thresholds(seed(), ARM["exec"])}
    assert {key: value for key, value in rows.items() if key[0] is not None} == SPECIFIED
    assert {mark: rows[None, mark] for mark in MARKS} == {"min": 4139, "low": 3319, "high": 2763}


@pytest.mark.parametrize(
    ("name", "realtime", "works", "fails"),
    [
        # Values tried on the real kernel, three boots each side of the computed edge.
        ("exec", False, 4138, 4140),
        ("vfork+exec", False, 4138, None),
        ("fork+exec", False, 3967, 3968),
        ("fork+exec", True, 5276, 5284),
    ],
)
def test_the_seed_s_edges_on_the_real_kernel(name: str, realtime: bool, works: int, fails: int | None) -> None:
    snap = apply(seed(), SetRealtime()) if realtime else seed()
    largest = largest_passing(snap, ARM[name].orders, "min")
    assert largest is not None
    assert works <= largest
    assert fails is None or largest < fails


@pytest.mark.parametrize(
    ("name", "realtime", "computed"), [("exec", False, 4139), ("fork+exec", False, 3967), ("fork+exec", True, 5279)]
)
def test_the_seed_s_edges_as_computed_before_they_were_tried(name: str, realtime: bool, computed: int) -> None:
    snap = apply(seed(), SetRealtime()) if realtime else seed()
    assert largest_passing(snap, ARM[name].orders, "min") == computed


@pytest.mark.parametrize(("children", "works", "fails"), [(1, 3967, 3968), (3, 3624, 3628), (5, 3284, 3288)])
def test_how_low_for_so_many_children_that_stay(children: int, works: int, fails: int) -> None:
    """Edges from the real kernel: 3 boots at each value, so many children before the first kill, and one less."""
    found = largest_min_free_kbytes(seed(), lambda s: children_that_stay(s, ARM["fork+exec"], children) >= children)
    assert found is not None
    assert works <= found < fails


@SLOW_PROPERTY
@given(zones(max_pages=200), zones(index=1, max_pages=200), st.integers(0, 3), marks)
def test_a_highmem_zone_may_pass_at_every_value(
    lower: ZoneSnapshot, upper: ZoneSnapshot, order: int, mark: Mark
) -> None:
    """Its MIN is clamped to 32 to 128 pages, whatever is written; LOW and HIGH follow the value."""
    snap = box(replace(lower, name="Normal"), replace(upper, name="HighMem"))
    everywhere = all(
        operation_passes(with_min_free_kbytes(snap, value), (order,), mark) for value in (0, 1 << 20, INT_MAX)
    )
    largest = largest_passing(snap, (order,), mark)
    assert (largest == INT_MAX) == everywhere
    if largest is not None and not everywhere:
        assert operation_passes(with_min_free_kbytes(snap, largest), (order,), mark)
        assert not operation_passes(with_min_free_kbytes(snap, largest + 1), (order,), mark)


def test_nothing_helps_where_no_block_exists() -> None:
    assert largest_passing(seed(), operation(4).orders, "min") is None


def test_every_zone_is_stricter_than_some_zone() -> None:
    assert largest_passing(seed(), ARM["exec"].orders, "high", every_zone=True) == 2271
