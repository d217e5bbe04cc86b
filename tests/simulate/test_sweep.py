"""A knob moved over a range: every edge against brute force, and against the values that were tried on the kernel."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oomadvisor.kernel.words import INT_MAX
from oomadvisor.model import MARKS, Operation
from oomadvisor.model.state import MIN_FREE_KBYTES
from oomadvisor.simulate import Snapshot, children_that_stay
from oomadvisor.simulate.change import with_min_free_kbytes, with_reserve_ratio
from oomadvisor.simulate.replay import operation_passes
from oomadvisor.simulate.solve import reserve_thresholds
from oomadvisor.simulate.sweep import MOST_POINTS, sweep
from oomadvisor.simulate.whatif import classify
from tests.simulate.boxes import ARM, SLOW_PROPERTY, boxes, operations, seed

RATIO = "vm.lowmem_reserve_ratio[DMA]"


@SLOW_PROPERTY
@given(boxes(max_pages=40), operations, st.integers(0, 200), st.integers(1, 300))
def test_every_value_has_the_answer_of_its_segment(snap: Snapshot, operation: Operation, low: int, span: int) -> None:
    found = sweep(snap, operation, MIN_FREE_KBYTES, low, low + span)
    assert [s.low for s in found.segments] == [low, *(s.high + 1 for s in found.segments[:-1])], "no gap, no overlap"
    assert found.segments[-1].high == low + span
    for segment in found.segments:
        for value in range(segment.low, segment.high + 1):
            after = with_min_free_kbytes(snap, value)
            assert segment.class_ == classify(snap, after, operation)
            passes = (segment.passes_min, segment.passes_low, segment.passes_high)
            assert passes == tuple(operation_passes(after, operation.orders, mark) for mark in MARKS)


@SLOW_PROPERTY
@given(boxes(max_pages=40), operations, st.integers(1, 4), st.integers(1, 100))
def test_the_reserve_ratio_too(snap: Snapshot, operation: Operation, low: int, span: int) -> None:
    if snap.class_zone_index == 0:
        return
    found = sweep(snap, operation, RATIO, low, low + span, zone=0)
    for segment in found.segments:
        for value in range(segment.low, segment.high + 1):
            assert segment.class_ == classify(snap, with_reserve_ratio(snap, 0, value), operation)


@SLOW_PROPERTY
@given(boxes(max_pages=40), operations)
def test_the_smallest_ratio_is_what_brute_force_finds(snap: Snapshot, operation: Operation) -> None:
    for row in reserve_thresholds(snap, operation):
        part = snap if row.zone is None else snap.with_zones(tuple(z for z in snap.zones if z.name == row.zone))
        # A reserve is at most the pages above, so a ratio beyond their number gives the same as INT_MAX.
        values = [*range(1, sum(snap.present) + 3), INT_MAX]
        passing = [v for v in values if operation_passes(with_reserve_ratio(part, 0, v), operation.orders, row.mark)]
        assert (row.smallest, row.largest) == ((passing[0], INT_MAX) if passing else (None, None))
        assert passing == values[len(values) - len(passing) :], "the search relies on it"


def test_the_seed_s_edges_are_those_that_were_tried() -> None:
    """fork+exec: 3967 worked in 3 of 3 boots, 3968 in none; below the present 4160 nothing is harmful."""
    found = sweep(seed(), ARM["fork+exec"], MIN_FREE_KBYTES, 128, 16384, marked={2039: "default"})
    edges = {(s.low, s.high): s.class_ for s in found.segments}
    assert (edges[3968, 4167], edges[4168, 16384]) == ("no effect", "harmful")
    passing = [s for s in found.segments if s.passes_min]
    assert (passing[0].low, passing[-1].high) == (128, 3967)
    default = next(p for p in found.points if p.value == 2039)
    assert (default.note, default.class_, default.headroom, default.atomic_pages) == ("default", "certain", 13, 316)


@pytest.mark.parametrize(("low", "high"), [(0, INT_MAX), (4160, 4161), (1, 64)])
def test_points_are_few_and_inside(low: int, high: int) -> None:
    found = sweep(seed(), ARM["fork+exec"], MIN_FREE_KBYTES, low, high, marked={5: "inside or not"})
    values = [point.value for point in found.points]
    assert values == sorted(set(values))
    assert values[0] == low
    assert values[-1] == high
    assert len(values) <= MOST_POINTS + 1
    for point in found.points:
        assert point.headroom == children_that_stay(with_min_free_kbytes(seed(), point.value), ARM["fork+exec"])
