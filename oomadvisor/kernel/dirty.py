"""Dirty limits: how many written pages may wait before writers are slowed down or put to work."""

from typing import NamedTuple

from oomadvisor.kernel.words import PAGE_SIZE

__all__ = ["DirtyLimits", "determine_dirtyable_memory", "get_dirty_limits"]

MIN_DIRTY_RATIO = 5


class DirtyLimits(NamedTuple):
    """Both thresholds in pages."""

    background: int
    dirty: int


def determine_dirtyable_memory(
    nr_free_pages: int,
    lru_pages: int,
    *,
    highmem_free: int = 0,
    highmem_lru: int = 0,
    highmem_is_dirtyable: bool = False,
) -> int:
    """Return the pages that may be dirty at all (mm/page-writeback.c: determine_dirtyable_memory, 2.6.31).

    ``lru_pages`` counts anonymous memory and tmpfs too. The totals include HighMem's part.
    """
    pages = nr_free_pages + lru_pages
    if not highmem_is_dirtyable:
        pages -= min(pages, highmem_free + highmem_lru)
    return pages + 1


def get_dirty_limits(
    dirtyable: int,
    *,
    dirty_ratio: int,
    dirty_background_ratio: int,
    dirty_bytes: int = 0,
    dirty_background_bytes: int = 0,
    rt_or_less_throttled: bool = False,
) -> DirtyLimits:
    """Return the thresholds for ``dirtyable`` pages (mm/page-writeback.c: get_dirty_limits, 2.6.31).

    >>> get_dirty_limits(10000, dirty_ratio=20, dirty_background_ratio=10)
    DirtyLimits(background=1000, dirty=2000)
    """
    dirty = max(dirty_ratio, MIN_DIRTY_RATIO) * dirtyable // 100
    if dirty_bytes:
        dirty = -(-dirty_bytes // PAGE_SIZE)
    background = dirty_background_ratio * dirtyable // 100
    if dirty_background_bytes:
        background = -(-dirty_background_bytes // PAGE_SIZE)
    if background >= dirty:
        background = dirty // 2
    if rt_or_less_throttled:
        background += background // 4
        dirty += dirty // 4
    return DirtyLimits(background, dirty)
