"""lowmem_reserve: the matrix, the ratios, and the way back from a printed row."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oomadvisor.kernel.family import Family
from oomadvisor.kernel.reserve import (
    default_ratios,
    effective_ratios,
    ratio_interval,
    setup_per_zone_lowmem_reserve,
)
from oomadvisor.kernel.series import functions_for
from tests.kernel.sample import rows_of, version_files
from tests.kernel.version_cases import pages_of

PROPERTY = settings(deadline=None, derandomize=True, max_examples=200)
Presents = st.lists(st.integers(0, 200_000), min_size=2, max_size=4)


@pytest.mark.parametrize(
    ("zones", "ratios"),
    [
        (("Normal", "Movable"), [32]),
        (("DMA", "Normal", "Movable"), [256, 32]),
        (("DMA", "DMA32", "Normal", "Movable"), [256, 256, 32]),
        (("DMA", "Normal", "HighMem", "Movable"), [256, 32, 32]),
    ],
)
def test_default_ratios(zones: tuple[str, ...], ratios: list[int]) -> None:
    assert default_ratios(zones) == ratios


def test_a_ratio_below_one_makes_the_largest_reserve() -> None:
    assert effective_ratios([0, -7, 1, 2]) == [1, 1, 1, 2]
    assert setup_per_zone_lowmem_reserve((100, 200, 30), (0, -7))[0] == [0, 200, 230]


@pytest.mark.parametrize(
    ("present", "zone", "row", "interval"),
    [
        ((24384, 40640, 0), 0, (0, 158, 158), (256, 257)),
        ((24384, 40640, 0), 1, (0, 0, 0), (1, None)),
        ((24384, 40640, 0), 0, (0, 0, 0), (40641, None)),
        ((24384, 40640, 0), 0, (0, 40640, 40640), (1, 1)),
        ((24384, 40640, 0), 0, (0, 158, 159), None),
        ((24384, 40640, 0), 0, (1, 158, 158), None),
        ((24384, 40640, 0), 0, (0, 40641, 40641), None),
        ((24384, 40640, 0), 1, (0, 0, 1), None),
    ],
)
def test_ratio_interval(
    present: tuple[int, ...], zone: int, row: tuple[int, ...], interval: tuple[int, int | None] | None
) -> None:
    assert ratio_interval(present, zone, row) == interval


@PROPERTY
@given(Presents, st.integers(1, 2000), st.data())
def test_the_interval_holds_the_ratio_and_nothing_else(present: list[int], ratio: int, data: st.DataObject) -> None:
    zone = data.draw(st.integers(0, len(present) - 2))

    def row(of: int) -> list[int]:
        return setup_per_zone_lowmem_reserve(present, [of] * (len(present) - 1))[zone]

    interval = ratio_interval(present, zone, row(ratio))
    assert interval is not None
    low, high = interval
    assert low <= ratio
    assert row(low) == row(ratio)
    assert low == 1 or row(low - 1) != row(ratio)
    if high is None:
        assert row(10**9) == row(ratio)
    else:
        assert ratio <= high
        assert row(high) == row(ratio)
        assert row(high + 1) != row(ratio)


@PROPERTY
@given(Presents, st.integers(1, 500), st.integers(1, 500))
def test_a_larger_ratio_reserves_less_and_the_diagonal_is_free(present: list[int], ratio: int, more: int) -> None:
    smaller = setup_per_zone_lowmem_reserve(present, [ratio] * (len(present) - 1))
    larger = setup_per_zone_lowmem_reserve(present, [ratio + more] * (len(present) - 1))
    for zone, (strict, loose) in enumerate(zip(smaller, larger, strict=True)):
        assert all(a >= b for a, b in zip(strict, loose, strict=True))
        assert strict[: zone + 1] == [0] * (zone + 1)
        assert strict == sorted(strict)


RESERVES = version_files("lowmem_reserve")


@pytest.mark.parametrize(("path", "family"), RESERVES, ids=[path.name for path, _ in RESERVES])
def test_the_interval_holds_the_ratio_behind_the_real_row(path: Path, family: Family) -> None:
    for row in rows_of(path):
        pages = pages_of(row, family)
        for zone, ratio in enumerate(row["ratios_after"]):
            if family.reserve.empty_zone == "left out" and 0 in row["ratios_after"]:
                continue  # then other zones' ratios matter
            if pages[zone] == 0 and family.reserve.empty_zone != "as any":
                continue  # an empty zone has a row of zeros at any ratio
            interval = family.ratio_interval(pages, zone, row["reserve"][zone])
            assert interval is not None, (row["id"], zone)
            low, high = interval
            assert low <= ratio
            assert high is None or ratio <= high


@pytest.mark.parametrize(
    ("version", "row"),
    [((4, 16), [0, 40640, 40640]), ((4, 17), [0, 0, 0]), ((6, 18), [0, 0, 0])],
)
def test_ratio_0_is_the_largest_reserve_and_since_4_17_none(version: tuple[int, ...], row: list[int]) -> None:
    family = functions_for(version)
    assert family is not None
    assert family.setup_per_zone_lowmem_reserve((24384, 40640, 0), (0, 32))[0] == row


@pytest.mark.parametrize(("version", "ratios"), [((4, 16), [256, 256, 32, 32]), ((4, 17), [256, 256, 32, 0])])
def test_default_ratios_by_version(version: tuple[int, ...], ratios: list[int]) -> None:
    family = functions_for(version)
    assert family is not None
    assert family.default_ratios(("DMA", "DMA32", "Normal", "HighMem", "Movable")) == ratios
