"""Reclaim: what a pass over a zone may look at, and how hard it presses on lists and caches."""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from oomadvisor.kernel.words import unsigned

__all__ = [
    "DEF_PRIORITY",
    "SWAP_CLUSTER_MAX",
    "Lru",
    "LruCounts",
    "Percent",
    "ReclaimStat",
    "ScanCall",
    "SlabPressure",
    "ZonePass",
    "descent_offer",
    "get_scan_ratio",
    "inactive_anon_is_low",
    "lumpy_reclaim",
    "nr_scan_try_batch",
    "scannable",
    "shrink_slab",
    "shrink_zone",
]

DEF_PRIORITY = 12
SWAP_CLUSTER_MAX = 32
SHRINK_BATCH = 128
PAGE_ALLOC_COSTLY_ORDER = 3


class Lru(Enum):
    """The lists that a pass can shrink, in the kernel's order, and the ageing that may follow it."""

    INACTIVE_ANON = "inactive_anon"
    ACTIVE_ANON = "active_anon"
    INACTIVE_FILE = "inactive_file"
    ACTIVE_FILE = "active_file"
    AGE_ACTIVE_ANON = "age_active_anon"


class LruCounts(NamedTuple):
    """A number of pages for each list. The anon lists hold tmpfs and shared memory too."""

    inactive_anon: int
    active_anon: int
    inactive_file: int
    active_file: int


class Percent(NamedTuple):
    """Which share of a pass goes to anon and to file lists."""

    anon: int
    file: int


class ReclaimStat(NamedTuple):
    """The history that the shares are weighed by: pages looked at, and those found in use. Each is (anon, file)."""

    scanned: tuple[int, int]
    rotated: tuple[int, int]


class ScanCall(NamedTuple):
    """One request to a list to look at some pages."""

    lru: Lru
    pages: int


class ZonePass(NamedTuple):
    """A pass over a zone: the calls in order, and what is remembered for the next pass."""

    calls: tuple[ScanCall, ...]
    saved: LruCounts
    stat: ReclaimStat


class SlabPressure(NamedTuple):
    """What a pass asks of a cache: objects to look at now, in whole batches, and the rest kept for later."""

    scan: int
    kept: int


def scannable(nr_swap_pages: int) -> frozenset[Lru]:
    """Return the lists that reclaim may take from: without a free swap slot the anon lists are left out."""
    file_lists = frozenset({Lru.INACTIVE_FILE, Lru.ACTIVE_FILE})
    return file_lists if nr_swap_pages <= 0 else file_lists | {Lru.INACTIVE_ANON, Lru.ACTIVE_ANON}


def get_scan_ratio(
    lru: LruCounts,
    stat: ReclaimStat,
    *,
    nr_swap_pages: int,
    swappiness: int,
    zone_free: int,
    high_wmark: int,
    bits: int = 32,
) -> tuple[Percent, ReclaimStat]:
    """Return how a pass is shared out, and the history after it was halved where it is long.

    mm/vmscan.c: shrink_zone and get_scan_ratio, 2.6.31. Without swap the file lists get all and swappiness is not read.
    """
    if nr_swap_pages <= 0:
        return Percent(0, 100), stat
    anon = lru.active_anon + lru.inactive_anon
    file = lru.active_file + lru.inactive_file
    if unsigned(file + zone_free, bits) <= high_wmark:
        return Percent(100, 0), stat
    scanned_anon, rotated_anon = _recent(stat.scanned[0], stat.rotated[0], anon)
    scanned_file, rotated_file = _recent(stat.scanned[1], stat.rotated[1], file)
    weight_anon = unsigned((swappiness + 1) * (scanned_anon + 1), bits) // (rotated_anon + 1)
    weight_file = unsigned((200 - swappiness + 1) * (scanned_file + 1), bits) // (rotated_file + 1)
    share = unsigned(100 * weight_anon, bits) // unsigned(weight_anon + weight_file + 1, bits)
    return Percent(share, 100 - share), ReclaimStat((scanned_anon, scanned_file), (rotated_anon, rotated_file))


def nr_scan_try_batch(pages: int, saved: int) -> tuple[int, int]:
    """Return how many pages to look at now and how many to keep (mm/vmscan.c: nr_scan_try_batch, 2.6.31).

    Nothing is looked at before 32 pages have come together; a list of a few pages is spared for many passes.
    """
    total = saved + pages
    return (total, 0) if total >= SWAP_CLUSTER_MAX else (0, total)


def inactive_anon_is_low(lru: LruCounts, inactive_ratio: int) -> bool:
    """Return whether the active anon list is too long (mm/vmscan.c: inactive_anon_is_low_global, 2.6.31)."""
    return lru.inactive_anon * inactive_ratio < lru.active_anon


def shrink_zone(
    lru: LruCounts,
    saved: LruCounts,
    stat: ReclaimStat,
    *,
    priority: int,
    nr_swap_pages: int,
    swappiness: int,
    zone_free: int,
    high_wmark: int,
    inactive_ratio: int,
    bits: int = 32,
) -> ZonePass:
    """Return one pass over a zone in which nothing is reclaimed (mm/vmscan.c: shrink_zone, 2.6.31)."""
    percent, stat = get_scan_ratio(
        lru,
        stat,
        nr_swap_pages=nr_swap_pages,
        swappiness=swappiness,
        zone_free=zone_free,
        high_wmark=high_wmark,
        bits=bits,
    )
    shares = (percent.anon, percent.anon, percent.file, percent.file)
    take, keep = [], []
    for pages, kept, share in zip(lru, saved, shares, strict=True):
        scan = pages
        if priority or nr_swap_pages <= 0:
            scan = unsigned((pages >> priority) * share, bits) // 100
        now, later = nr_scan_try_batch(scan, kept)
        take.append(now)
        keep.append(later)
    calls = _in_clusters(take)
    if nr_swap_pages > 0 and inactive_anon_is_low(lru, inactive_ratio):
        calls.append(ScanCall(Lru.AGE_ACTIVE_ANON, SWAP_CLUSTER_MAX))
    return ZonePass(tuple(calls), LruCounts(*keep), stat)


def descent_offer(pages: int) -> int:
    """Return how many pages a list of ``pages`` adds to its remainder while reclaim goes from priority 12 to 0.

    For a list that gets its full share, as the file lists do without swap.

    >>> [descent_offer(pages) for pages in (6, 10, 13)]
    [10, 18, 23]
    """
    return sum(pages >> priority for priority in range(DEF_PRIORITY, -1, -1))


def lumpy_reclaim(order: int, priority: int) -> bool:
    """Return whether reclaim also takes a page's neighbours (mm/vmscan.c: shrink_inactive_list, 2.6.31)."""
    return order > PAGE_ALLOC_COSTLY_ORDER or (order > 0 and priority < DEF_PRIORITY - 2)


def shrink_slab(scanned: int, seeks: int, objects: int, lru_pages: int, kept: int = 0) -> SlabPressure:
    """Return what a pass over ``scanned`` LRU pages asks of a cache (mm/vmscan.c: shrink_slab, 2.6.31).

    ``lru_pages`` counts unreclaimable anon and tmpfs pages too, which is why a box full of them spares its caches.

    >>> shrink_slab(0, seeks=2, objects=722, lru_pages=46228), shrink_slab(0, seeks=2, objects=723, lru_pages=46228)
    (SlabPressure(scan=0, kept=0), SlabPressure(scan=0, kept=1))
    """
    total = kept + 4 * (scanned or SWAP_CLUSTER_MAX) // seeks * objects // (lru_pages + 1)
    total = min(total, 2 * objects)
    return SlabPressure(total - total % SHRINK_BATCH, total % SHRINK_BATCH)


def _recent(scanned: int, rotated: int, pages: int) -> tuple[int, int]:
    """Halve a history that is longer than a quarter of its lists."""
    return (scanned // 2, rotated // 2) if scanned > pages // 4 else (scanned, rotated)


def _in_clusters(take: Sequence[int]) -> list[ScanCall]:
    """Go round the lists in clusters of 32 pages. What is left for the active anon list alone is not looked at."""
    left = dict(zip(list(Lru)[:4], take, strict=True))
    calls = []
    while left[Lru.INACTIVE_ANON] or left[Lru.INACTIVE_FILE] or left[Lru.ACTIVE_FILE]:
        for lru, pages in left.items():
            if pages:
                cluster = min(pages, SWAP_CLUSTER_MAX)
                left[lru] = pages - cluster
                calls.append(ScanCall(lru, cluster))
    return calls
