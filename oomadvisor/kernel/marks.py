"""The marks MIN, LOW and HIGH: how min_free_kbytes becomes pages per zone, its default, and the way back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from oomadvisor.kernel.words import INT_MAX, PAGE_KB, int_sqrt, unsigned
from oomadvisor.kernel.zonelist import is_highmem

__all__ = [
    "DEFAULT_SCALE_FACTOR",
    "MarkRules",
    "ZoneMarks",
    "boost_watermark",
    "calculate_totalreserve_pages",
    "default_min_free_kbytes",
    "inactive_ratio",
    "min_free_kbytes_bounds",
    "min_free_kbytes_interval",
    "nr_free_buffer_pages",
    "recommended_min_free_kbytes",
    "scale_factor_interval",
    "setup_per_zone_wmarks",
]

MIN_FREE_KBYTES_FLOOR = 128
MIN_FREE_KBYTES_CAP = 65536
HIGHMEM_MIN_PAGES = 32
HIGHMEM_MAX_PAGES = 128
DEFAULT_SCALE_FACTOR = 10
SCALE_DIVISOR = 10000
MIGRATE_PCPTYPES = 3


class ZoneMarks(NamedTuple):
    """The three marks of a zone in pages."""

    min: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class MarkRules:
    """What differs between kernels in how marks are set (mm/page_alloc.c: setup_per_zone_wmarks and its predecessors).

    ``pages``: of which pages of a zone its share is taken: the present ones, or the managed ones (since 3.9).
    ``gaps``: from MIN to LOW and HIGH: a quarter and a half of MIN itself (2.6.12 to 2.6.14), of the zone's share, or
    at least what watermark_scale_factor asks for, and twice that (4.6). ``movable_as_highmem``: Movable's marks do not
    follow min_free_kbytes (6.6). ``narrow_product``: the share is computed in a machine word (to 2.6.16).
    ``narrow_divisor``: the pages of all zones are divided by as 32 bits (to 6.7). ``default_cap``: largest default in
    kB. ``boost``: stealing a pageblock raises the marks (5.0); ``boost_spares_small``: not in a zone of less than four
    pageblocks (5.7).
    """

    pages: Literal["present", "managed"] = "present"
    gaps: Literal["of MIN", "of the share", "scale factor"] = "of the share"
    movable_as_highmem: bool = False
    narrow_product: bool = False
    narrow_divisor: bool = True
    default_cap: int = MIN_FREE_KBYTES_CAP
    boost: bool = False
    boost_spares_small: bool = False


LINUX_2_6_31 = MarkRules()


def setup_per_zone_wmarks(
    zones: Sequence[str],
    pages: Sequence[int],
    min_free_kbytes: int,
    *,
    bits: int = 32,
    movable_is_highmem: bool = False,
    scale_factor: int = DEFAULT_SCALE_FACTOR,
    page_kb: int = PAGE_KB,
    rules: MarkRules = LINUX_2_6_31,
) -> list[ZoneMarks]:
    """Return the marks of every zone (mm/page_alloc.c: setup_per_zone_wmarks, 2.6.31), without a boost.

    ``pages``: present or managed pages of each zone, as ``rules`` say. ``min_free_kbytes`` is the stored int and may be
    negative: the kernel does not check what is written.

    >>> setup_per_zone_wmarks(("DMA", "Normal", "Movable"), (24384, 40640, 0), 4160)[0]
    ZoneMarks(min=390, low=487, high=585)
    """
    pages_min = unsigned(min_free_kbytes // page_kb, bits)
    lowmem = _lowmem_pages(zones, pages, movable_is_highmem, rules)
    divisor = unsigned(lowmem, 32) if rules.narrow_divisor else lowmem
    marks = []
    for zone, size in zip(zones, pages, strict=True):
        product = unsigned(pages_min * size, bits if rules.narrow_product else 64)
        share = product // divisor if divisor else 0
        fixed = _fixed_min(zone, movable_is_highmem, rules)
        min_pages = _highmem_min(size) if fixed else unsigned(share, bits)
        if rules.gaps == "scale factor":
            gap = max(share >> 2, size * scale_factor // SCALE_DIVISOR)
            low, high = min_pages + gap, min_pages + 2 * gap
        elif rules.gaps == "of MIN":
            low, high = min_pages * 5 // 4, min_pages * 6 // 4
        else:
            low, high = min_pages + (share >> 2), min_pages + (share >> 1)
        marks.append(ZoneMarks(min=min_pages, low=unsigned(low, bits), high=unsigned(high, bits)))
    return marks


def nr_free_buffer_pages(zones: Sequence[str], present: Sequence[int]) -> int:
    """Return the pages in zones up to Normal (mm/page_alloc.c: nr_free_buffer_pages, 2.6.31, at boot: no marks yet)."""
    return sum(pages for zone, pages in zip(zones, present, strict=True) if zone in ("DMA", "DMA32", "Normal"))


def default_min_free_kbytes(
    zones: Sequence[str], present: Sequence[int], *, page_kb: int = PAGE_KB, rules: MarkRules = LINUX_2_6_31
) -> int:
    """Return the value that the kernel chooses at boot (mm/page_alloc.c: init_per_zone_wmark_min, 2.6.31).

    >>> default_min_free_kbytes(("DMA", "Normal", "Movable"), (24384, 40640, 0))
    2039
    """
    lowmem_kb = nr_free_buffer_pages(zones, present) * page_kb
    return min(max(int_sqrt(lowmem_kb * 16), MIN_FREE_KBYTES_FLOOR), rules.default_cap)


def recommended_min_free_kbytes(populated_zones: int, buffer_pages: int, pageblock_order: int = 9) -> int:
    """Return the value to which transparent huge pages raise a smaller one (khugepaged.c, 2.6.38 and later).

    mm/khugepaged.c: set_recommended_min_free_kbytes. Two pageblocks for each zone, and one for each pair of the three
    ordinary mobility types, but a twentieth of the pages up to Normal (``buffer_pages``) at most.

    >>> recommended_min_free_kbytes(3, 4_000_000), recommended_min_free_kbytes(2, 4_000_000)
    (67584, 45056)
    """
    wanted = (1 << pageblock_order) * populated_zones * (2 + MIGRATE_PCPTYPES * MIGRATE_PCPTYPES)
    return min(wanted, buffer_pages // 20) * PAGE_KB


def min_free_kbytes_interval(
    zones: Sequence[str],
    pages: Sequence[int],
    min_pages: Sequence[int | None],
    low_pages: Sequence[int | None],
    high_pages: Sequence[int | None],
    *,
    movable_is_highmem: bool = False,
    page_kb: int = PAGE_KB,
    rules: MarkRules = LINUX_2_6_31,
) -> tuple[int, int] | None:
    """Return the smallest and largest min_free_kbytes that give exactly these marks; None when no value does.

    Marks that are not known are None; they are those without a boost. Negative settings, whose marks wrap, are not
    considered. Since 4.6 LOW and HIGH depend on watermark_scale_factor too, and only MIN is looked at.

    >>> min_free_kbytes_interval(("DMA", "Normal"), (24384, 40640), (390, 650), (487, 812), (585, 975))
    (4160, 4167)
    """
    lowmem = _lowmem_pages(zones, pages, movable_is_highmem, rules)
    pages_low, pages_high = 0, INT_MAX // page_kb
    for zone, size, *marks in zip(zones, pages, min_pages, low_pages, high_pages, strict=True):
        if _fixed_min(zone, movable_is_highmem, rules):
            shares = _highmem_shares(_highmem_min(size), *marks, rules=rules)
        elif rules.gaps == "scale factor":
            shares = _lowmem_shares(marks[0], None, None)
        else:
            shares = _lowmem_shares(*marks)
        for share_low, share_high in shares:
            if size == 0 or lowmem == 0:
                if not share_low <= 0 <= share_high:
                    return None
                continue
            pages_low = max(pages_low, -(-share_low * lowmem // size))
            pages_high = min(pages_high, -(-(share_high + 1) * lowmem // size) - 1)
    if pages_low > pages_high:
        return None
    return pages_low * page_kb, pages_high * page_kb + page_kb - 1


def min_free_kbytes_bounds(
    zones: Sequence[str],
    pages: Sequence[tuple[int, int]],
    min_pages: Sequence[int | None],
    *,
    page_kb: int = PAGE_KB,
    rules: MarkRules = LINUX_2_6_31,
) -> tuple[int, int] | None:
    """Return bounds of min_free_kbytes where each zone's size is known within (smallest, largest) pages only.

    Every setting that gives these MIN marks for some sizes within them lies inside; not every one inside does. None
    when no setting can.

    >>> min_free_kbytes_bounds(("DMA", "Normal"), ((24300, 24384), (40600, 40640)), (390, 650))
    (4156, 4171)
    """
    lowmem = [size for zone, size in zip(zones, pages, strict=True) if not _fixed_min(zone, False, rules)]
    least, most = sum(low for low, _ in lowmem), sum(high for _, high in lowmem)
    pages_low, pages_high = 0, INT_MAX // page_kb
    for zone, (low, high), share in zip(zones, pages, min_pages, strict=True):
        if share is None or low == 0 or _fixed_min(zone, False, rules):
            continue
        # A zone's own size is in the sum too: the share is smallest where it is small and the others are large.
        pages_low = max(pages_low, share * (least - low + high) // high)
        pages_high = min(pages_high, -(-(share + 1) * (most - high + low) // low))
    if pages_low > pages_high:
        return None
    return pages_low * page_kb, pages_high * page_kb + page_kb - 1


def scale_factor_interval(
    zones: Sequence[str],
    pages: Sequence[int],
    marks: Sequence[ZoneMarks | None],
    *,
    rules: MarkRules,
) -> tuple[int, int] | None:
    """Return the smallest and largest watermark_scale_factor that give these distances between the marks.

    None when no value does, or when the kernel has none. A boost shifts all three marks alike and does not matter.
    A zone whose distance is a quarter of its share bounds the factor from above only; how much of the share that is can
    be told where MIN is the share, so HighMem bounds it from above.
    """
    if rules.gaps != "scale factor":
        return None
    low, high = 1, INT_MAX
    for zone, size, mark in zip(zones, pages, marks, strict=True):
        if mark is None or size == 0:
            continue
        gap = mark.low - mark.min
        if mark.high - mark.low != gap:
            return None
        high = min(high, (-(-(gap + 1) * SCALE_DIVISOR // size)) - 1)
        if not _fixed_min(zone, False, rules) and gap > mark.min >> 2:
            low = max(low, -(-gap * SCALE_DIVISOR // size))
    return (low, high) if low <= high else None


def boost_watermark(
    managed: int, high: int, boost: int, *, boost_factor: int, pageblock_pages: int, rules: MarkRules
) -> int:
    """Return the boost of a zone after a pageblock was stolen (mm/page_alloc.c: boost_watermark, since 5.0).

    ``high``: its mark HIGH without the boost; ``boost_factor``: vm.watermark_boost_factor in 1/10000 of that.
    """
    if not boost_factor or not rules.boost:
        return boost
    if rules.boost_spares_small and 4 * pageblock_pages > managed:
        return boost
    share = high * boost_factor // SCALE_DIVISOR
    return min(boost + pageblock_pages, max(pageblock_pages, share)) if share else boost


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


def _fixed_min(zone: str, movable_is_highmem: bool, rules: MarkRules) -> bool:
    """Return whether MIN of a zone follows from its size alone."""
    return is_highmem(zone, movable_is_highmem=movable_is_highmem or rules.movable_as_highmem)


def _lowmem_pages(zones: Sequence[str], pages: Sequence[int], movable_is_highmem: bool, rules: MarkRules) -> int:
    return sum(size for zone, size in zip(zones, pages, strict=True) if not _fixed_min(zone, movable_is_highmem, rules))


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
    fixed_min: int, min_pages: int | None, low: int | None, high: int | None, *, rules: MarkRules
) -> Iterator[tuple[int, int]]:
    """Yield the same for a zone whose MIN depends on its size alone."""
    if min_pages is not None and min_pages != fixed_min:
        yield 1, 0
    if rules.gaps == "scale factor":
        return
    if rules.gaps == "of MIN":
        if (low is not None and low != fixed_min * 5 // 4) or (high is not None and high != fixed_min * 6 // 4):
            yield 1, 0
        return
    if low is not None:
        yield 4 * (low - fixed_min), 4 * (low - fixed_min) + 3
    if high is not None:
        yield 2 * (high - fixed_min), 2 * (high - fixed_min) + 1
