"""Marks: the table of defaults, and the way back from printed marks to the setting."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oomadvisor.kernel.family import Family
from oomadvisor.kernel.marks import (
    ZoneMarks,
    calculate_totalreserve_pages,
    default_min_free_kbytes,
    inactive_ratio,
    min_free_kbytes_interval,
    scale_factor_interval,
    setup_per_zone_wmarks,
)
from oomadvisor.kernel.series import functions_for
from tests.kernel.sample import rows_of, version_files
from tests.kernel.version_cases import pages_of

PROPERTY = settings(deadline=None, derandomize=True, max_examples=200)

SEED_ZONES, SEED_PRESENT = ("DMA", "Normal", "Movable"), (24384, 40640, 0)
LAYOUTS = (
    ("Normal", "Movable"),
    ("DMA", "Normal", "Movable"),
    ("Normal", "HighMem", "Movable"),
    ("DMA", "Normal", "HighMem", "Movable"),
)


@pytest.mark.parametrize(
    ("ram_mb", "present", "default", "marks"),
    [
        (16, 4064, 509, (127, 158, 190)),
        (32, 8128, 721, (180, 225, 270)),
        (64, 16256, 1019, (254, 317, 381)),
        (128, 32512, 1442, (360, 450, 540)),
        (256, 65024, 2039, (509, 636, 763)),
        (512, 130048, 2884, (721, 901, 1081)),
        (1024, 260096, 4079, (1019, 1273, 1528)),
    ],
)
def test_defaults_by_ram_size(ram_mb: int, present: int, default: int, marks: tuple[int, int, int]) -> None:
    assert present == ram_mb * 256 - ram_mb * 256 * 32 // 4096  # less the page structures
    assert default_min_free_kbytes(["Normal"], [present]) == default
    assert setup_per_zone_wmarks(["Normal"], [present], default) == [ZoneMarks(*marks)]


@pytest.mark.parametrize(("present", "default"), [(0, 128), (255, 128), (260, 128), (268435456, 65536)])
def test_the_default_is_clamped(present: int, default: int) -> None:
    assert default_min_free_kbytes(["Normal"], [present]) == default


def test_highmem_does_not_count_for_the_default() -> None:
    assert default_min_free_kbytes(["Normal", "HighMem"], [65024, 1 << 20]) == 2039


@pytest.mark.parametrize(("present", "fixed_min"), [(1000, 32), (40 * 1024, 40), (1 << 20, 128)])
def test_a_highmem_zone_has_a_min_of_its_own(present: int, fixed_min: int) -> None:
    marks = setup_per_zone_wmarks(["Normal", "HighMem"], [present, present], 4000)
    assert marks[1] == (fixed_min, fixed_min + 250, fixed_min + 500)


def test_movable_counts_as_highmem_only_when_it_lives_there() -> None:
    zones, present = ["Normal", "HighMem", "Movable"], [30000, 20000, 10000]
    assert setup_per_zone_wmarks(zones, present, 4000)[0].min == 750
    assert setup_per_zone_wmarks(zones, present, 4000, movable_is_highmem=True)[0].min == 1000


@pytest.mark.parametrize(
    ("min_pages", "low", "high", "interval"),
    [
        ((390, 650, 0), (487, 812, 0), (585, 975, 0), (4160, 4167)),
        ((390, None, None), (None,) * 3, (None,) * 3, (4160, 4171)),
        ((None,) * 3, (None,) * 3, (None, 975, None), (4160, 4167)),
        ((390, 652, 0), (None,) * 3, (None,) * 3, None),
        ((390, 650, 1), (None,) * 3, (None,) * 3, None),
        ((390, 650, 0), (488, 812, 0), (585, 975, 0), None),
        ((None,) * 3, (489, None, None), (None,) * 3, None),
        ((None,) * 3, (None,) * 3, (None,) * 3, (0, 2147483647)),
    ],
    ids=["seed", "DMA-min", "Normal-high", "contradiction", "empty-zone", "wrong-low", "no-such-low", "unknown"],
)
def test_interval_of_the_seed(
    min_pages: tuple[int | None, ...],
    low: tuple[int | None, ...],
    high: tuple[int | None, ...],
    interval: tuple[int, int] | None,
) -> None:
    assert min_free_kbytes_interval(SEED_ZONES, SEED_PRESENT, min_pages, low, high) == interval


Presents = st.integers(0, 300_000)


@st.composite
def builds(draw: st.DrawFn) -> tuple[tuple[str, ...], tuple[int, ...]]:
    zones = draw(st.sampled_from(LAYOUTS))
    present = tuple(0 if zone == "Movable" else draw(Presents) for zone in zones)
    return zones, present


@PROPERTY
@given(builds(), st.integers(0, 1 << 20), st.data())
def test_the_interval_holds_the_setting_and_nothing_else(
    build: tuple[tuple[str, ...], tuple[int, ...]], min_free_kbytes: int, data: st.DataObject
) -> None:
    zones, present = build
    real = setup_per_zone_wmarks(zones, present, min_free_kbytes)
    interval = min_free_kbytes_interval(zones, present, *zip(*real, strict=True))
    assert interval is not None
    low, high = interval
    assert low <= min_free_kbytes <= high
    assert setup_per_zone_wmarks(zones, present, low) == real
    assert setup_per_zone_wmarks(zones, present, high) == real
    if low > 0:
        assert setup_per_zone_wmarks(zones, present, low - 1) != real
    if high < 2147483647:
        assert setup_per_zone_wmarks(zones, present, high + 1) != real
    if any(zone != "HighMem" and pages for zone, pages in zip(zones, present, strict=True)):
        index = data.draw(st.sampled_from([i for i, zone in enumerate(zones) if present[i] and zone != "HighMem"]))
        wrong = [list(column) for column in zip(*real, strict=True)]
        wrong[1][index] += 5  # a share that is 4 larger
        assert min_free_kbytes_interval(zones, present, *wrong) is None


@pytest.mark.parametrize("mark", [0, 1, 2], ids=ZoneMarks._fields)
@pytest.mark.parametrize("zone", [0, 1])
@pytest.mark.parametrize(("zones", "present"), [(("DMA", "Normal"), (30, 50)), (("Normal", "HighMem"), (40, 100))])
def test_one_known_mark_agrees_with_trying_every_setting(
    zones: tuple[str, ...], present: tuple[int, ...], zone: int, mark: int
) -> None:
    values = [setup_per_zone_wmarks(zones, present, setting)[zone][mark] for setting in range(400)]
    for value in range(max(values)):
        known: list[list[int | None]] = [[None, None], [None, None], [None, None]]
        known[mark][zone] = value
        fitting = [setting for setting, tried in enumerate(values) if tried == value]
        expected = (fitting[0], fitting[-1]) if fitting else None
        assert min_free_kbytes_interval(zones, present, *known) == expected


@pytest.mark.parametrize(("min_pages", "interval"), [(31, None), (32, (0, 2147483647)), (33, None)])
def test_the_min_of_highmem_says_nothing_or_no(min_pages: int, interval: tuple[int, int] | None) -> None:
    known = (None, min_pages), (None, None), (None, None)
    assert min_free_kbytes_interval(("Normal", "HighMem"), (40, 100), *known) == interval


def test_marks_without_any_low_memory() -> None:
    assert setup_per_zone_wmarks(["Normal", "HighMem"], [0, 5000], 4000) == [(0, 0, 0), (32, 32, 32)]


@PROPERTY
@given(builds(), st.integers(0, 1 << 20), st.integers(0, 1 << 16))
def test_marks_grow_with_the_setting(
    build: tuple[tuple[str, ...], tuple[int, ...]], min_free_kbytes: int, more: int
) -> None:
    smaller = setup_per_zone_wmarks(*build, min_free_kbytes)
    larger = setup_per_zone_wmarks(*build, min_free_kbytes + more)
    assert all(a <= b for ours, theirs in zip(smaller, larger, strict=True) for a, b in zip(ours, theirs, strict=True))
    assert all(marks.min <= marks.low <= marks.high for marks in smaller)


def test_totalreserve_is_capped_by_the_zone() -> None:
    matrix = [[0, 158, 158], [0, 0, 0], [0, 0, 0]]
    assert calculate_totalreserve_pages(SEED_PRESENT, matrix, (585, 975, 0)) == 158 + 585 + 975
    assert calculate_totalreserve_pages((700, 40640, 0), matrix, (585, 975, 0)) == 700 + 975


@pytest.mark.parametrize(("gigabytes", "ratio"), [(0, 1), (1, 3), (4, 6), (10, 10), (11, 10)])
def test_inactive_ratio(gigabytes: int, ratio: int) -> None:
    assert inactive_ratio(gigabytes << 18) == ratio
    assert inactive_ratio((gigabytes + 1 << 18) - 1) == ratio


WMARKS = version_files("wmarks")


@pytest.mark.parametrize(("path", "family"), WMARKS, ids=[path.name for path, _ in WMARKS])
def test_the_interval_holds_the_setting_behind_the_real_marks(path: Path, family: Family) -> None:
    """Of marks that the kernel's own function computed: the setting lies inside, and both ends give the same MIN."""
    inverted = 0
    for row in rows_of(path):
        zones, pages = row["zones"], pages_of(row, family)
        factor = row.get("watermark_scale_factor", 10)
        setting = row["min_free_kbytes"]
        real = family.setup_per_zone_wmarks(zones, pages, setting, bits=row["bits"], scale_factor=factor)
        assert [mark.min for mark in real] == row["min"]
        if setting < 0 or setting // 4 * sum(pages) >= 1 << 32:
            continue  # marks that wrap are not inverted
        low, high = family.min_free_kbytes_interval(zones, pages, row["min"], row["low"], row["high"])
        assert low <= setting <= high
        for end in (low, high):
            if end < 1 << 30:
                again = family.setup_per_zone_wmarks(zones, pages, end, bits=row["bits"], scale_factor=factor)
                assert [mark.min for mark in again] == row["min"]
        inverted += 1
        if family.marks.gaps == "scale factor":
            least, most = scale_factor_interval(zones, pages, real, rules=family.marks)
            assert least <= factor <= most
        bounds = family.min_free_kbytes_bounds(zones, [(size * 99 // 100, size) for size in pages], row["min"])
        assert bounds is not None
        assert bounds[0] <= setting <= bounds[1]
    assert inverted > 30


def test_a_setting_that_is_shown_by_reserves_of_the_boot() -> None:
    """Managed pages grew after the marks were set: no value fits the sizes of now, and the bounds hold the real one."""
    family = functions_for((6, 1))
    assert family is not None
    zones, then, now = ("DMA", "DMA32", "Normal"), (3840, 816_900, 3_191_900), (3840, 820_780, 3_193_698)
    real = family.setup_per_zone_wmarks(zones, then, 67584)
    marks = [[mark[i] for mark in real] for i in range(3)]
    assert family.min_free_kbytes_interval(zones, now, *marks) is None
    low, high = family.min_free_kbytes_bounds(
        zones, ((3840, 3840), (816_896, 817_151), (3_191_808, 3_192_063)), marks[0]
    )
    assert low <= 67584 <= high
    assert high - low < 40


@pytest.mark.parametrize(
    ("version", "default"),
    [((5, 6), 65536), ((5, 7), 262144)],
)
def test_the_largest_default(version: tuple[int, ...], default: int) -> None:
    family = functions_for(version)
    assert family is not None
    assert family.default_min_free_kbytes(["Normal"], [1 << 34]) == default


def test_a_page_of_64_kb() -> None:
    """The setting is kept in kB, and the marks in pages of whatever size."""
    small = setup_per_zone_wmarks(("DMA",), (131_072,), 8192)
    large = setup_per_zone_wmarks(("DMA",), (8192,), 8192, page_kb=64)
    assert (small[0].min, large[0].min) == (2048, 128)
    assert min_free_kbytes_interval(("DMA",), (8192,), (128,), (160,), (192,), page_kb=64) == (8192, 8255)
    assert default_min_free_kbytes(("DMA",), (8192,), page_kb=64) == default_min_free_kbytes(("DMA",), (131_072,))
