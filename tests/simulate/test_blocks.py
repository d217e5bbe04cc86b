"""Free lists as counts: no page appears or is lost."""

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from oomadvisor.simulate import ZoneSnapshot
from oomadvisor.simulate.blocks import Choice, split_block, split_singles
from tests.simulate.boxes import PROPERTY, free_lists, take_block, zones

CHOICES = get_args(Choice)
Lists = free_lists().map(lambda drawn: drawn[0])


def pages(blocks: tuple[int, ...], *, from_order: int = 0) -> int:
    return sum(count << order for order, count in enumerate(blocks) if order >= from_order)


@PROPERTY
@given(Lists, st.integers(0, 4), st.sampled_from(CHOICES))
def test_taking_a_block_takes_its_pages_and_no_others(blocks: tuple[int, ...], order: int, choice: Choice) -> None:
    after = take_block(blocks, order, choice)
    assume(after is not None)
    assert after is not None
    assert pages(after) == pages(blocks) - (1 << order)
    assert all(count >= 0 for count in after)


@PROPERTY
@given(Lists, st.integers(0, 4), st.sampled_from(CHOICES))
def test_a_block_is_found_exactly_when_one_is_large_enough(blocks: tuple[int, ...], order: int, choice: Choice) -> None:
    assert (take_block(blocks, order, choice) is None) == (pages(blocks, from_order=order) == 0)


@PROPERTY
@given(Lists, st.integers(0, 4))
def test_lists_below_the_order_are_left_alone(blocks: tuple[int, ...], order: int) -> None:
    for choice in CHOICES:
        after = take_block(blocks, order, choice)
        if after is not None:
            assert after[:order] == blocks[:order]


@pytest.mark.parametrize(
    ("choice", "after"),
    [
        ("smallest", (3, 1, 0, 1, 1)),
        ("largest", (3, 1, 2, 2, 0)),
    ],
)
def test_the_rest_of_a_split_block_lies_in_the_orders_below(choice: Choice, after: tuple[int, ...]) -> None:
    # By hand: order 1 is wanted, and its list is empty. The smallest that fits has 4 pages: 2 + [2]. The largest has 16,
    # halved three times: 8 + 4 + 2 + [2].
    assert take_block((3, 0, 1, 1, 1), 1, choice) == after


@PROPERTY
@given(zones(), Lists, st.integers(-50, 50))
def test_the_counter_of_a_zone_moves_with_its_lists(zone: ZoneSnapshot, blocks: tuple[int, ...], drift: int) -> None:
    drifted = replace(zone, free=zone.free + drift)
    after = drifted.with_blocks(blocks)
    assert after.listed == pages(blocks)
    assert after.free - drifted.free == pages(blocks) - pages(zone.blocks)


@PROPERTY
@given(Lists, st.integers(0, 40), st.sampled_from(CHOICES))
def test_single_pages_at_once_are_single_pages_one_by_one(blocks: tuple[int, ...], wanted: int, choice: Choice) -> None:
    at_once, one_by_one = list(blocks), list(blocks)
    taken = sum(split_block(one_by_one, 0, choice) for _ in range(wanted))
    assert split_singles(at_once, wanted, choice) == taken
    assert at_once == one_by_one
