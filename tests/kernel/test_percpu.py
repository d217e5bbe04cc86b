"""Per-cpu limits and the way back to percpu_pagelist_fraction."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oomadvisor.kernel.percpu import fraction_interval, pageset, pageset_fraction, zone_batchsize

PROPERTY = settings(deadline=None, derandomize=True, max_examples=200)


@pytest.mark.parametrize(
    ("present", "hi", "btch"), [(24384, 18, 3), (40640, 42, 7), (1 << 20, 186, 31), (1024, 0, 1), (0, 0, 1)]
)
def test_boot_limits(present: int, hi: int, btch: int) -> None:
    assert pageset(present) == (hi, btch)


@PROPERTY
@given(st.integers(0, 1 << 22), st.integers(0, 1 << 20))
def test_batch_is_a_power_of_two_less_one_and_grows(present: int, more: int) -> None:
    batch = zone_batchsize(present)
    assert batch & (batch + 1) == 0
    assert batch <= zone_batchsize(present + more) <= 31


@PROPERTY
@given(st.integers(0, 300_000), st.integers(8, 5000))
def test_the_interval_holds_the_fraction_and_nothing_else(present: int, fraction: int) -> None:
    limits = pageset_fraction(present, fraction)
    interval = fraction_interval(present, *limits)
    assert interval is not None
    low, high = interval
    assert low <= fraction <= high
    assert pageset_fraction(present, low) == pageset_fraction(present, high) == limits
    assert low == 8 or pageset_fraction(present, low - 1) != limits
    assert high == 2147483647 or pageset_fraction(present, high + 1) != limits


@pytest.mark.parametrize(
    ("present", "hi", "btch"), [(24384, 18, 3), (24384, 3049, 96), (1000, 400, 96), (24384, 100, 24), (0, 1, 1)]
)
def test_limits_that_no_fraction_gives(present: int, hi: int, btch: int) -> None:
    assert not [f for f in range(8, present + 9) if pageset_fraction(present, f) == (hi, btch)]
    assert fraction_interval(present, hi, btch) is None
