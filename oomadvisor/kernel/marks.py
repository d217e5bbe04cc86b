"""The marks MIN, LOW and HIGH: how min_free_kbytes becomes pages per zone, its default, and the way back."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from oomadvisor.kernel.words import INT_MAX, PAGE_KB, int_sqrt, unsigned
from oomadvisor.kernel.zonelist import is_highmem

__all__ = [
    "ZoneMarks",
    "calculate_totalreserve_pages",
    "default_min_free_kbytes",
    "inactive_ratio",
    "min_free_kbytes_interval",
    "nr_free_buffer_pages",
    "setup_per_zone_wmarks",
]

MIN_FREE_KBYTES_FLOOR = 128
MIN_FREE_KBYTES_CAP = 65536
HIGHMEM_MIN_PAGES = 32
HIGHMEM_MAX_PAGES = 128


class ZoneMarks(NamedTuple):
    """The three marks of a zone in pages."""

    min: int
    low: int
    high: int


def setup_per_zone_wmarks(
    zones: Sequence[str],
    present: Sequence[int],
    min_free_kbytes: int,
    *,
    bits: int = 32,
    movable_is_highmem: bool = False,
) -> list[ZoneMarks]:
    """Return the marks of every zone (mm/page_alloc.c: setup_per_zone_wmarks, 2.6.31).

    ``min_free_kbytes`` is the stored int and may be negative: the kernel does not check what is written.

    >>> setup_per_zone_wmarks(("DMA", "Normal", "Movable"), (24384, 40640, 0), 4160)[0]
    ZoneMarks(min=390, low=487, high=585)
    """
    pages_min = unsigned(min_free_kbytes >> 2, bits)
    lowmem = _lowmem_pages(zones, present, movable_is_highmem)
    marks = []
    for zone, pages in zip(zones, present, strict=True):
        share = unsigned(pages_min * pages, 64) // lowmem if lowmem else 0
        if is_highmem(zone, movable_is_highmem=movable_is_highmem):
            min_pages = _highmem_min(pages)
        else:
            min_pages = unsigned(share, bits)
        marks.append(
            ZoneMarks(
                min=min_pages,
                low=unsigned(min_pages + (share >> 2), bits),
                high=unsigned(min_pages + (share >> 1), bits),
            )
        )
    return marks


def nr_free_buffer_pages(zones: Sequence[str], present: Sequence[int]) -> int:
    """Return the pages in zones up to Normal (mm/page_alloc.c: nr_free_buffer_pages, 2.6.31, at boot: no marks yet)."""
    return sum(pages for zone, pages in zip(zones, present, strict=True) if zone in ("DMA", "DMA32", "Normal"))


def default_min_free_kbytes(zones: Sequence[str], present: Sequence[int]) -> int:
    """Return the value that the kernel chooses at boot (mm/page_alloc.c: init_per_zone_wmark_min, 2.6.31).

    >>> default_min_free_kbytes(("DMA", "Normal", "Movable"), (24384, 40640, 0))
    2039
    """
    lowmem_kb = nr_free_buffer_pages(zones, present) * PAGE_KB
    return min(max(int_sqrt(lowmem_kb * 16), MIN_FREE_KBYTES_FLOOR), MIN_FREE_KBYTES_CAP)


def min_free_kbytes_interval(
    zones: Sequence[str],
    present: Sequence[int],
    min_pages: Sequence[int | None],
    low_pages: Sequence[int | None],
    high_pages: Sequence[int | None],
    *,
    movable_is_highmem: bool = False,
) -> tuple[int, int] | None:
    """Return the smallest and largest min_free_kbytes that give exactly these marks; None when no value does.

    Marks that are not known are None. Negative settings, whose marks wrap, are not considered.

    >>> min_free_kbytes_interval(("DMA", "Normal"), (24384, 40640), (390, 650), (487, 812), (585, 975))
    (4160, 4167)
    """
    lowmem = _lowmem_pages(zones, present, movable_is_highmem)
    pages_low, pages_high = 0, INT_MAX >> 2
    for zone, pages, *marks in zip(zones, present, min_pages, low_pages, high_pages, strict=True):
        highmem = is_highmem(zone, movable_is_highmem=movable_is_highmem)
        shares = _highmem_shares(_highmem_min(pages), *marks) if highmem else _lowmem_shares(*marks)
        for share_low, share_high in shares:
            if pages == 0 or lowmem == 0:
                if not share_low <= 0 <= share_high:
                    return None
                continue
            pages_low = max(pages_low, -(-share_low * lowmem // pages))
            pages_high = min(pages_high, -(-(share_high + 1) * lowmem // pages) - 1)
    if pages_low > pages_high:
        return None
    return pages_low * 4, pages_high * 4 + 3


def calculate_totalreserve_pages(
    present: Sequence[int],
    reserve_matrix: Sequence[Sequence[int]],
    high_marks: Sequence[int],
    *,
    bits: int = 32,
) -> int:
    """Return the pages that overcommit leaves alone (mm/page_alloc.c: calculate_totalreserve_pages, 2.6.31)."""
    total = 0
    for index, (pages, reserves, high) in enumerate(zip(present, reserve_matrix, high_marks, strict=True)):
        total += min(pages, unsigned(max(reserves[index:]) + high, bits))
    return unsigned(total, bits)


def inactive_ratio(present: int) -> int:
    """Return how many times longer than the inactive anon list the active one may be.

    mm/page_alloc.c: calculate_zone_inactive_ratio, 2.6.31.
    """
    gigabytes = present >> 18
    return int_sqrt(10 * gigabytes) if gigabytes else 1


def _lowmem_pages(zones: Sequence[str], present: Sequence[int], movable_is_highmem: bool) -> int:
    return sum(
        pages
        for zone, pages in zip(zones, present, strict=True)
        if not is_highmem(zone, movable_is_highmem=movable_is_highmem)
    )


def _highmem_min(present: int) -> int:
    return min(max(present // 1024, HIGHMEM_MIN_PAGES), HIGHMEM_MAX_PAGES)


def _lowmem_shares(min_pages: int | None, low: int | None, high: int | None) -> Iterator[tuple[int, int]]:
    """Yield for each known mark the range of the zone's share that gives it; an empty range when no share does."""
    if min_pages is not None:
        yield min_pages, min_pages
    if low is not None:  # share + share // 4 leaves out one number in five
        share = (4 * low + 4) // 5
        yield (share, share) if share + share // 4 == low else (1, 0)
    if high is not None:  # share + share // 2 leaves out one number in three
        share = (2 * high + 2) // 3
        yield (share, share) if share + share // 2 == high else (1, 0)


def _highmem_shares(
    fixed_min: int, min_pages: int | None, low: int | None, high: int | None
) -> Iterator[tuple[int, int]]:
    """Yield the same for a HighMem zone, whose MIN depends on its size alone."""
    if min_pages is not None and min_pages != fixed_min:
        yield 1, 0
    if low is not None:
        yield 4 * (low - fixed_min), 4 * (low - fixed_min) + 3
    if high is not None:
        yield 2 * (high - fixed_min), 2 * (high - fixed_min) + 1
