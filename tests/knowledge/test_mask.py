"""A gfp mask read in full. What it may do is from the specification's tables, not from this code."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oomadvisor.kernel.gfp import SINGLE_BITS
from oomadvisor.knowledge.mask import KNOWN_BITS, mask_value, read_mask

KILLS = "the OOM killer is called, and the request is tried again"
WAITS = "it neither fails nor kills: it waits 20 ms and tries again, for ever"
FAILS_AT_ONCE = "it fails at once, with a message in the log; nothing is killed"
FAILS = "it fails after one attempt to reclaim, with a message in the log; nothing is killed"
FAILS_QUIETLY = "it fails after one attempt to reclaim, without a message in the log; nothing is killed"


@pytest.mark.parametrize(
    ("mask", "small", "large"),
    [
        (0xD0, KILLS, FAILS),
        (0x201DA, KILLS, FAILS),
        (0x50, WAITS, FAILS),
        (0x10, WAITS, FAILS),
        (0x450, WAITS, WAITS),  # REPEAT: below 2^order pages reclaimed, an order above 3 goes round too
        (0x20, FAILS_AT_ONCE, FAILS_AT_ONCE),
        (0x0, FAILS_AT_ONCE, FAILS_AT_ONCE),
        (0x10D0, FAILS, FAILS),
        (0x12D0, FAILS_QUIETLY, FAILS_QUIETLY),
        (0x8D0, KILLS, KILLS),
    ],
)
def test_how_a_request_ends(mask: int, small: str, large: str) -> None:
    ends = dict(read_mask(mask).ends)
    expected = {"any order": small} if small == large else {"orders 0 to 3": small, "order 4 and more": large}
    assert ends == expected


@pytest.mark.parametrize(
    ("mask", "shares"),
    [
        (0xD0, ["1", "3/4"]),
        (0x20, ["3/8"]),
        (0x0, ["3/4"]),
        (0x30, ["1/2", "3/8"]),
        (0x201DA, ["1", "3/4"]),
    ],
)
def test_how_deep_it_may_go(mask: int, shares: list[str]) -> None:
    assert [depth.share for depth in read_mask(mask).depths] == [Fraction(share) for share in shares]


@pytest.mark.parametrize(
    ("mask", "zones", "mobility"),
    [
        (0xD0, "Normal and below, never HighMem", "Unmovable"),
        (0xD1, "DMA only", "Unmovable"),
        (0xD4, "Normal and below, never HighMem", "Unmovable"),
        (0x200D2, "HighMem where it exists, then Normal and below", "Unmovable"),
        (0x201DA, "Movable and HighMem where they exist, then Normal and below", "Movable"),
        (0x800D0, "Normal and below, never HighMem", "Reclaimable"),
        (0xD8, "Normal and below, never HighMem", "Movable"),
    ],
)
def test_zones_and_mobility(mask: int, zones: str, mobility: str) -> None:
    reading = read_mask(mask)
    assert (reading.zones, reading.mobility) == (zones, mobility)


def test_zone_bits_that_the_kernel_refuses_are_named() -> None:
    assert "does not allow" in read_mask(0xD3).zones
    assert "warns" in read_mask(0x800D8).mobility


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (0x1201D2, "2.6.24 to 2.6.30"),
        (0x20D0, "3.6"),
        (0x24000C0, "4.4 to 4.9"),
        (0x14000C0, "4.10 to 4.17"),
        (0x6000C0, "4.18 to 5.0"),
        (0x4200DA, "2.6.38 to 4.3"),
        (0x80000000, "not of 2.6.31"),
        (0xCC0, "5.1"),
        (0xA20, "5.1"),
        (0x820, "5.1"),
        (0x100CCA, "5.1"),
        (0x6200CA, "4.18 to 5.0"),
    ],
)
def test_bits_of_other_kernels_tell_which(mask: int, words: str) -> None:
    reading = read_mask(mask)
    assert not reading.of_2_6_31
    assert words in " ".join(reading.notes)


@pytest.mark.parametrize("mask", [0xD0, 0x20, 0x0, 0x201DA, 0x8D0, 0x4D0, 0xCD0, 0x4020, 0x1, 0x12D0])
def test_a_mask_of_2_6_31_is_taken_for_one(mask: int) -> None:
    reading = read_mask(mask)
    assert reading.of_2_6_31
    assert reading.bits_hold


@pytest.mark.parametrize(("mask", "hold"), [(0x1201D2, True), (0x24000C0, False), (0xCC0, False), (0x6000C0, False)])
def test_bits_of_an_earlier_kernel_hold_and_those_of_a_later_one_do_not(mask: int, hold: bool) -> None:
    assert read_mask(mask).bits_hold is hold


@given(st.integers(0, 2**32 - 1))
def test_any_number_is_read_and_nothing_of_it_is_lost(mask: int) -> None:
    reading = read_mask(mask)
    assert sum(bit for _, bit in reading.bits) + reading.unknown_bits == mask
    if mask & ~KNOWN_BITS:
        assert not reading.of_2_6_31
    assert reading.bits_hold or not reading.of_2_6_31
    assert mask_value(hex(mask)) == mask


@given(st.sets(st.sampled_from([int(bit) for _, bit in SINGLE_BITS]), min_size=1))
def test_the_names_of_a_mask_give_the_mask_back(bits: set[int]) -> None:
    names = read_mask(sum(bits)).names
    if len(names) == 1 and names[0].startswith("__"):
        assert mask_value(names[0]) is None
    else:
        assert mask_value("|".join(names)) == mask_value(" + ".join(names).lower()) == sum(bits)


@pytest.mark.parametrize("text", ["", "0x", "208", "0x123456789", "GFP_KERNAL", "GFP_KERNEL|", "|", "do_fork", "-0x1"])
def test_what_is_no_mask_is_not_taken_for_one(text: str) -> None:
    assert mask_value(text) is None
