"""One cpu's list of order-0 pages in front of the buddy lists: filled and emptied in batches."""

from collections import deque
from functools import lru_cache
from typing import NamedTuple

from oomadvisor.kernel.buddy import BuddyZone
from oomadvisor.kernel.gfp import Gfp, migratetype

__all__ = ["ListedPage", "PerCpuList"]


class ListedPage(NamedTuple):
    """A page on the list and the mobility type that it is tagged with."""

    pfn: int
    migratetype: int


@lru_cache(maxsize=256)
def _kind(gfp_mask: int, mobility_disabled: bool) -> tuple[int, bool]:
    """Return the mobility type that a mask wants, and whether it takes from the cold end; kept, as each page asks."""
    return int(migratetype(gfp_mask, mobility_disabled=mobility_disabled)), bool(gfp_mask & Gfp.COLD)


class PerCpuList:
    """The list of one cpu in front of ``zone``; both are changed in place. ``high`` and ``batch`` are in pages."""

    def __init__(self, zone: BuddyZone, *, high: int, batch: int) -> None:
        self.zone = zone
        self.high = high
        self.batch = batch
        self.pages: deque[ListedPage] = deque()  # head first

    def alloc(self, gfp_mask: int) -> int | None:
        """Take an order-0 page; None when zone and list are empty (mm/page_alloc.c: buffered_rmqueue, 2.6.31)."""
        wanted, cold = _kind(gfp_mask, self.zone.mobility_disabled)
        if not self.pages:
            self._refill(wanted, cold)
            if not self.pages:
                return None
        candidates = reversed(self.pages) if cold else iter(self.pages)
        page = next((page for page in candidates if page.migratetype == wanted), None)
        if page is None:
            self._refill(wanted, cold)
            page = self.pages[0]
        self.pages.remove(page)
        return page.pfn

    def free(self, pfn: int, *, cold: bool = False) -> None:
        """Put a page on the list; a full list gives a batch back (mm/page_alloc.c: free_hot_cold_page, 2.6.31)."""
        page = ListedPage(pfn, self.zone.pageblock_type(pfn))
        if cold:
            self.pages.append(page)
        else:
            self.pages.appendleft(page)
        if len(self.pages) >= self.high:
            self._free_bulk(self.batch)

    def drain(self) -> None:
        """Give every page back (mm/page_alloc.c: drain_pages, 2.6.31); direct reclaim does so when order > 0."""
        self._free_bulk(len(self.pages))

    def _refill(self, wanted: int, cold: bool) -> None:
        """Bring a batch to the hot or cold end, in the order it was taken (mm/page_alloc.c: rmqueue_bulk, 2.6.31)."""
        taken: list[ListedPage] = []
        for _ in range(self.batch):
            pfn = self.zone.alloc(0, wanted)
            if pfn is None:
                break
            taken.append(ListedPage(pfn, wanted))
        if cold:
            self.pages.extend(reversed(taken))
        else:
            self.pages.extendleft(reversed(taken))

    def _free_bulk(self, count: int) -> None:
        for _ in range(count):
            page = self.pages.pop()
            self.zone.free(page.pfn, 0, page.migratetype)
