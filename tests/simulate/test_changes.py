"""Changes that are no sysctl: known blocks, another build, swap. Pages are conserved, and refusals say why."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oomadvisor.model import MARKS, Operation
from oomadvisor.simulate import (
    AddSwap,
    FreeBlocks,
    JoinZones,
    NotReplayable,
    SetMaxOrder,
    SetOperation,
    Snapshot,
    apply,
    what_if,
)
from oomadvisor.simulate.change import Exact, with_min_free_kbytes
from oomadvisor.simulate.effects import effects, ordinary_pages
from oomadvisor.simulate.headroom import children_at_most, children_range, children_that_stay
from oomadvisor.simulate.replay import operation_passes
from tests.simulate.boxes import ARM, PROPERTY, box, boxes, operations, seed, zone


def pages(snap: Snapshot) -> int:
    return sum(z.listed for z in snap.zones)


@PROPERTY
@given(boxes(), st.integers(2, 12))
def test_another_max_order_keeps_every_page(snap: Snapshot, max_order: int) -> None:
    after = apply(snap, SetMaxOrder(max_order))
    assert pages(after) == pages(snap)
    assert [z.free for z in after.zones] == [z.free for z in snap.zones]
    assert {len(z.blocks) for z in after.zones} == {max_order}


@PROPERTY
@given(boxes(), operations, st.integers(5, 12))
def test_orders_below_max_order_are_judged_the_same(snap: Snapshot, operation: Operation, max_order: int) -> None:
    after = apply(snap, SetMaxOrder(max_order))
    for mark in MARKS:
        assert operation_passes(after, operation.orders, mark) == operation_passes(snap, operation.orders, mark)


def test_a_block_as_large_as_max_order_is_refused() -> None:
    whole = box(zone((0, 0, 0, 4), present=40))
    assert operation_passes(whole, (3,), "min")
    assert not operation_passes(apply(whole, SetMaxOrder(3)), (3,), "min")


@PROPERTY
@given(boxes(max_pages=80), st.integers(0, 400))
def test_one_zone_holds_what_the_zones_held(snap: Snapshot, min_free_kbytes: int) -> None:
    known = replace(snap, min_free_kbytes=(min_free_kbytes, min_free_kbytes))
    if len(snap.zones) == 1:
        with pytest.raises(NotReplayable, match="one zone already"):
            apply(known, JoinZones())
        return
    (joined,) = apply(known, JoinZones()).zones
    assert (joined.present, joined.free) == (sum(z.present for z in snap.zones), sum(z.free for z in snap.zones))
    assert joined.blocks == tuple(map(sum, zip(*(z.blocks for z in snap.zones), strict=True)))
    assert (joined.mark_min, joined.reserve) == (min_free_kbytes // 4, 0), "the only zone has the whole of the mark"


def test_the_seed_in_one_zone() -> None:
    """3373 = free pages − 3 − single pages (order 1: −1 and both lists of singles), against the bound of one zone."""
    (joined,) = apply(seed(), JoinZones()).zones
    assert (joined.name, joined.present, joined.free, joined.mark_min) == ("Normal", 65024, 9998, 1041)
    assert joined.blocks[:4] == (6624, 1569, 57, 1)


@PROPERTY
@given(boxes(), st.integers(0, 3), st.integers(1, 5))
def test_known_blocks_are_added_where_they_were_said_to_be(snap: Snapshot, order: int, count: int) -> None:
    at = snap.zones[0]
    change = FreeBlocks("given", at.name, order, count)
    if count << order > at.present - at.listed:
        with pytest.raises(NotReplayable, match="in use"):
            apply(snap, change)
        return
    after = apply(snap, change)
    assert pages(after) == pages(snap) + (count << order)
    assert after.zones[0].free == at.free + (count << order)
    assert after.zones[1:] == snap.zones[1:]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (FreeBlocks("given", "HighMem", 2, 1), "no zone HighMem can serve this request; it may take from Normal, DMA"),
        (FreeBlocks("given", "DMA", 13, 1), "zone DMA has blocks of the orders 0 to 12, not of order 13"),
        (FreeBlocks("given", "DMA", 2, 30000), "120000 pages cannot be freed in zone DMA: 20102 are in use"),
        (SetMaxOrder(1), "MAX_ORDER is 2 to 20, not 1"),
        (SetMaxOrder(21), "MAX_ORDER is 2 to 20, not 21"),
    ],
)
def test_what_does_not_fit_the_seed(change: Exact, said: str) -> None:
    with pytest.raises(NotReplayable) as refused:
        apply(seed(), change)
    assert str(refused.value) == said


def test_zones_cannot_be_joined_without_knowing_the_setting() -> None:
    with pytest.raises(NotReplayable, match="min_free_kbytes is not known"):
        apply(replace(seed(), min_free_kbytes=None), JoinZones())


def test_zones_above_the_request_s_cannot_be_joined() -> None:
    low = replace(seed(), class_zone_index=0)
    with pytest.raises(NotReplayable, match="may not use the zones above DMA"):
        apply(low, JoinZones())


def test_a_known_block_is_enough_where_unknown_pages_are_not() -> None:
    """The seed's DMA lacks one page in blocks of order 2; fork+exec needs a second block while the first is held."""
    one = what_if(seed(), ARM["exec"], (FreeBlocks("given", "DMA", 2, 1),))
    assert (one.verification, one.passes("min")) == ("marginal", True)
    assert what_if(seed(), ARM["fork+exec"], (FreeBlocks("given", "DMA", 2, 1),)).verification == "no effect"


def test_swap_is_not_in_the_test() -> None:
    """What reclaim would bring is unknown: the replay shows the lists as they are."""
    outcome = what_if(seed(), ARM["exec"], (AddSwap(16384),))
    assert outcome.after == outcome.before


def test_another_operation_is_judged_by_its_own_blocks() -> None:
    outcome = what_if(seed(), ARM["fork+exec"], (SetOperation(ARM["clone"]),))
    assert (outcome.operation.id, outcome.verification) == ("clone", "certain")


@PROPERTY
@given(boxes(max_pages=400), operations)
def test_no_way_to_split_gives_more_children_than_the_smallest_first(snap: Snapshot, operation: Operation) -> None:
    if operation.creates_process:
        assert children_that_stay(snap, operation, 60) <= children_at_most(snap, operation, 60)
    low, high = children_range(snap, operation)
    assert low == children_that_stay(snap, operation)
    assert low <= high


@PROPERTY
@given(boxes(max_pages=200), st.integers(0, 800), st.integers(0, 800))
def test_room_for_single_pages_shrinks_with_the_mark(snap: Snapshot, one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert ordinary_pages(with_min_free_kbytes(snap, low)) >= ordinary_pages(with_min_free_kbytes(snap, high))


def test_the_effects_of_the_default_on_the_seed() -> None:
    """price/README.md: 649 → 316 pages for interrupts, 590 → 258 in a safe burst, floors 1198 and 666, DMA spins."""
    rows = {row.id: (row.before, row.after) for row in effects(seed(), with_min_free_kbytes(seed(), 2039), (1, 2, 2))}
    assert rows["atomic-reserve"] == (649, 316)
    assert rows["safe-burst"] == (590, 258)
    assert rows["floor"] == (1198, 666)
    assert rows["ordinary-pages"] == (9998 - 1198, 9998 - 666)
    assert rows["kswapd-spins"] == ("DMA", "none")
    assert rows["reserve-pageblocks"] == (1, 1)


def test_kswapd_s_goal_of_the_seed_is_the_printed_shortfall() -> None:
    """Specification §18: short by 111 (Normal) and 50 (DMA) at HIGH, order 2."""
    rows = {row.about: row.before for row in effects(seed(), seed(), (2,)) if row.id == "kswapd-goal"}
    assert rows == {"Normal": 111, "DMA": 50}
