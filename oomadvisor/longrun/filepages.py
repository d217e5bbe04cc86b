"""Files and their pages in memory: the only pages that can be reclaimed without swap."""

from collections.abc import Callable, Sequence

from oomadvisor.longrun.livezone import LiveZone


class File:
    """A file of ``length`` pages; ``pages`` maps a page's place in it to the page frame that caches it.

    ``executable``: program text. ``mappings`` counts the processes that have it mapped.
    """

    __slots__ = ("executable", "length", "mappings", "pages")

    def __init__(self, length: int, *, executable: bool = False) -> None:
        self.length = length
        self.executable = executable
        self.pages: dict[int, int] = {}
        self.mappings = 0


class FilePages:
    """Which page frames cache what, whether they were used lately, and whether storage has their content.

    ``referenced`` holds what the kernel keeps as PG_referenced and as the young bits of page tables, ``dirty`` the
    pages that would have to be written first.
    """

    def __init__(self, zones: Sequence[LiveZone]) -> None:
        self.zones = zones
        self.place: dict[int, tuple[File, int]] = {}
        self.referenced: set[int] = set()
        self.dirty: set[int] = set()

    def __len__(self) -> int:
        return len(self.place)

    def zone_of(self, pfn: int) -> LiveZone:
        """Return the zone that a page frame lies in."""
        for zone in reversed(self.zones):
            if pfn >= zone.start:
                return zone
        raise ValueError(f"page frame {pfn} lies below every zone")

    def add(self, file: File, index: int, pfn: int) -> None:
        """Cache a page of ``file``; it starts on the inactive list, used once."""
        file.pages[index] = pfn
        self.place[pfn] = (file, index)
        self.zone_of(pfn).inactive[pfn] = None
        self.referenced.add(pfn)

    def mark_page_accessed(self, pfn: int) -> None:
        """Note a read: the second one makes an inactive page active (mm/swap.c: mark_page_accessed, 2.6.31)."""
        if pfn not in self.referenced:
            self.referenced.add(pfn)
            return
        zone = self.zone_of(pfn)
        if pfn in zone.inactive:
            del zone.inactive[pfn]
            zone.active[pfn] = None
            self.referenced.discard(pfn)

    def forget(self, pfn: int) -> None:
        """Take a page, which is on no list any more, out of its file: the frame is free."""
        file, index = self.place.pop(pfn)
        del file.pages[index]
        self.referenced.discard(pfn)
        self.dirty.discard(pfn)

    def truncate(self, file: File, free: Callable[[int], None]) -> None:
        """Drop all pages of ``file``, dirty or not, as its deletion does."""
        for pfn in list(file.pages.values()):
            zone = self.zone_of(pfn)
            if pfn in zone.inactive:
                del zone.inactive[pfn]
            else:
                del zone.active[pfn]
            self.forget(pfn)
            free(pfn)
