"""Reclaim without swap: clean file pages, oldest first, as far as a pass of the kernel looks."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from oomadvisor.kernel.reclaim import DEF_PRIORITY, SWAP_CLUSTER_MAX, lumpy_reclaim, nr_scan_try_batch
from oomadvisor.longrun.filepages import FilePages
from oomadvisor.longrun.livezone import LiveZone

PAGE_ALLOC_COSTLY_ORDER = 3


class Pass(NamedTuple):
    """What a pass over a zone did, in pages."""

    scanned: int
    reclaimed: int


class Shrinker:
    """Takes file pages back. ``free`` returns a page that was dropped to its zone (cold)."""

    def __init__(self, files: FilePages, free: Callable[[int], None]) -> None:
        self.files = files
        self.free = free
        self.reclaimed = 0

    def shrink_zone(self, zone: LiveZone, order: int, priority: int, *, kswapd: bool) -> Pass:
        """Make one pass over a zone (mm/vmscan.c: shrink_zone, 2.6.31; the file lists get all of it without swap)."""
        inactive, saved_inactive = nr_scan_try_batch(len(zone.inactive) >> priority, zone.saved[0])
        active, saved_active = nr_scan_try_batch(len(zone.active) >> priority, zone.saved[1])
        zone.saved = (saved_inactive, saved_active)
        scanned = reclaimed = 0
        while inactive or active:
            if inactive:
                count = min(inactive, SWAP_CLUSTER_MAX)
                inactive -= count
                done = self._shrink_inactive_list(zone, count, order, priority)
                scanned, reclaimed = scanned + done.scanned, reclaimed + done.reclaimed
            if active:
                count = min(active, SWAP_CLUSTER_MAX)
                active -= count
                if len(zone.active) > len(zone.inactive):
                    scanned += self._shrink_active_list(zone, count)
                else:  # the turn of a short active list goes to the inactive one
                    done = self._shrink_inactive_list(zone, count, order, priority)
                    scanned, reclaimed = scanned + done.scanned, reclaimed + done.reclaimed
            if reclaimed > SWAP_CLUSTER_MAX and priority < DEF_PRIORITY and not kswapd:
                break
        self.reclaimed += reclaimed
        return Pass(scanned, reclaimed)

    def _shrink_inactive_list(self, zone: LiveZone, count: int, order: int, priority: int) -> Pass:
        """Drop what can be dropped of the oldest pages (mm/vmscan.c: shrink_inactive_list, shrink_page_list, 2.6.31).

        A page in use by a mapping and touched lately becomes active; a dirty one is written and stays this time.
        """
        files = self.files
        taken = self._isolate(zone, count, lumpy_order=order if lumpy_reclaim(order, priority) else 0)
        reclaimed = 0
        for pfn in taken:
            referenced = pfn in files.referenced
            files.referenced.discard(pfn)
            if order <= PAGE_ALLOC_COSTLY_ORDER and referenced and files.place[pfn][0].mappings:
                zone.active[pfn] = None
            elif pfn in files.dirty:
                zone.inactive[pfn] = None
                if order > PAGE_ALLOC_COSTLY_ORDER or not referenced:
                    files.dirty.discard(pfn)
            else:
                files.forget(pfn)
                self.free(pfn)
                reclaimed += 1
        return Pass(len(taken), reclaimed)

    def _isolate(self, zone: LiveZone, count: int, *, lumpy_order: int) -> list[int]:
        """Take pages off the lists: the oldest, and with lumpy reclaim the file pages of the block around each.

        mm/vmscan.c: isolate_lru_pages, 2.6.31. Anonymous and tmpfs neighbours would be put back without swap.
        """
        inactive, active = zone.inactive, zone.active
        taken: list[int] = []
        while inactive and len(taken) < count:
            pfn, _ = inactive.popitem(last=False)
            taken.append(pfn)
            if lumpy_order:
                first = pfn >> lumpy_order << lumpy_order
                for neighbour in range(first, first + (1 << lumpy_order)):
                    for pages in (inactive, active):
                        if neighbour in pages:
                            del pages[neighbour]
                            taken.append(neighbour)
        return taken

    def _shrink_active_list(self, zone: LiveZone, count: int) -> int:
        """Move the oldest active pages to the inactive list (mm/vmscan.c: shrink_active_list, 2.6.31).

        Text that ran lately gets one more round.
        """
        files = self.files
        taken = _oldest(zone, count)
        for pfn in taken:
            file = files.place[pfn][0]
            referenced = pfn in files.referenced
            if file.mappings and referenced:
                files.referenced.discard(pfn)
                if file.executable:
                    zone.active[pfn] = None
                    continue
            zone.inactive[pfn] = None
        return len(taken)


def _oldest(zone: LiveZone, count: int) -> list[int]:
    return [zone.active.popitem(last=False)[0] for _ in range(min(count, len(zone.active)))]


def file_pages_of(zones: Iterable[LiveZone]) -> int:
    """Return the file pages on all lists."""
    return sum(zone.file_pages for zone in zones)
