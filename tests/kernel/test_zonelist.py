"""Fallback order and class zone."""

import pytest

from oomadvisor.kernel.zonelist import class_zone_index, is_highmem, zonelist

ZONES = ("DMA", "Normal", "HighMem", "Movable")


@pytest.mark.parametrize(
    ("populated", "highest", "order"),
    [
        ((True, True, False, False), "Movable", [1, 0]),
        ((True, True, False, False), "Normal", [1, 0]),
        ((True, True, False, False), "DMA", [0]),
        ((True, True, True, False), "Movable", [2, 1, 0]),
        ((True, True, True, False), "Normal", [1, 0]),
        ((True, False, False, False), "Normal", [0]),
        ((True, True, False, True), "Normal", [1, 0]),
        ((True, True, False, True), "Movable", [3, 1, 0]),
    ],
)
def test_fallback_order(populated: tuple[bool, ...], highest: str, order: list[int]) -> None:
    assert zonelist(ZONES, populated, highest) == order
    assert class_zone_index(ZONES, populated, highest) == order[0]


def test_no_populated_zone() -> None:
    assert zonelist(ZONES, (False, True, False, False), "DMA") == []
    with pytest.raises(ValueError, match="no populated zone at or below DMA"):
        class_zone_index(ZONES, (False, True, False, False), "DMA")


def test_highmem() -> None:
    assert [zone for zone in ZONES if is_highmem(zone)] == ["HighMem"]
    assert [zone for zone in ZONES if is_highmem(zone, movable_is_highmem=True)] == ["HighMem", "Movable"]
