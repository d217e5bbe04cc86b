"""The buddy lists of one zone, page by page: splitting, coalescing, stealing pageblocks, the RESERVE blocks."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from oomadvisor.kernel.gfp import MigrateType

__all__ = ["FALLBACKS", "MAX_RESERVE_BLOCKS", "BuddyRules", "BuddyZone", "FreeList", "mobility_disabled"]

FALLBACKS: dict[int, tuple[int, ...]] = {
    MigrateType.UNMOVABLE: (MigrateType.RECLAIMABLE, MigrateType.MOVABLE),
    MigrateType.RECLAIMABLE: (MigrateType.UNMOVABLE, MigrateType.MOVABLE),
    MigrateType.MOVABLE: (MigrateType.RECLAIMABLE, MigrateType.UNMOVABLE),
}
"""Whose lists are raided, in this order, when a type has no block left (mm/page_alloc.c: fallbacks, 2.6.31)."""

MAX_RESERVE_BLOCKS = 2
"""Most RESERVE pageblocks of a zone since 2.6.31.2; before there was no limit."""


class BuddyRules(NamedTuple):
    """What may differ between kernels: whose lists are raided, and the most RESERVE pageblocks (None: no limit)."""

    fallbacks: Mapping[int, tuple[int, ...]] = FALLBACKS
    max_reserve_blocks: int | None = MAX_RESERVE_BLOCKS


LINUX_2_6_31_2 = BuddyRules()


class FreeList(NamedTuple):
    """A free list that is not empty: the page frame numbers of its blocks, head first."""

    order: int
    migratetype: int
    pfns: tuple[int, ...]


def mobility_disabled(total_pages: int, pageblock_order: int) -> bool:
    """Return whether memory is too small for mobility grouping (mm/page_alloc.c: build_all_zonelists, 2.6.31)."""
    return total_pages < (1 << pageblock_order) * 5


class BuddyZone:
    """The free lists of a zone. Operations change it in place, as many of them make up one replay.

    ``pageblock_types`` has one entry for each pageblock, counted from ``zone_start_pfn``. ``nr_free_pages`` is the sum
    of the lists, kept as they change: nothing here knows of per-cpu lists or of a drifting counter.
    """

    def __init__(
        self,
        *,
        max_order: int,
        pageblock_order: int,
        zone_start_pfn: int,
        spanned_pages: int,
        free_lists: Iterable[tuple[int, int, Sequence[int]]],
        pageblock_types: Sequence[int],
        mobility_disabled: bool = False,
        rules: BuddyRules = LINUX_2_6_31_2,
    ) -> None:
        self.max_order = max_order
        self.pageblock_order = pageblock_order
        self.zone_start_pfn = zone_start_pfn
        self.spanned_pages = spanned_pages
        self.mobility_disabled = mobility_disabled
        self.rules = rules
        self.pageblock_types = list(pageblock_types)
        self.nr_free = [0] * max_order
        self.nr_free_pages = 0
        # A list is a dict whose last key is the head; _home says on which list a free block lies.
        self._lists: list[list[dict[int, None]]] = [[{} for _ in MigrateType] for _ in range(max_order)]
        self._home: dict[int, tuple[int, int]] = {}
        for order, migratetype, pfns in free_lists:
            for pfn in reversed(pfns):
                self._add(pfn, order, migratetype)

    @property
    def free_lists(self) -> list[FreeList]:
        """Return the lists that are not empty, by order and then by type."""
        return [
            FreeList(order, migratetype, tuple(reversed(blocks)))
            for order, by_type in enumerate(self._lists)
            for migratetype, blocks in enumerate(by_type)
            if blocks
        ]

    def pageblock_type(self, pfn: int) -> int:
        """Return the mobility type of the pageblock around ``pfn`` (get_pageblock_migratetype, 2.6.31)."""
        return self.pageblock_types[self._pageblock(pfn)]

    def alloc(self, order: int, migratetype: int) -> int | None:
        """Take a block and return its first page frame number, or None (mm/page_alloc.c: __rmqueue, 2.6.31)."""
        pfn = self._rmqueue_smallest(order, migratetype)
        if pfn is None and migratetype != MigrateType.RESERVE:
            pfn = self._rmqueue_fallback(order, migratetype)
            if pfn is None:
                pfn = self._rmqueue_smallest(order, MigrateType.RESERVE)
        return pfn

    def free(self, pfn: int, order: int, migratetype: int | None = None) -> None:
        """Give a block back and merge it with its free buddies (mm/page_alloc.c: __free_one_page, 2.6.31).

        ``migratetype`` is the list it goes to, by default that of its pageblock; per-cpu lists remember their own.
        """
        if migratetype is None:
            migratetype = self.pageblock_type(pfn)
        while order < self.max_order - 1:
            buddy = pfn ^ (1 << order)
            home = self._home.get(buddy)
            if home is None or home[0] != order:
                break
            self._remove(buddy)
            pfn &= ~(1 << order)
            order += 1
        self._add(pfn, order, migratetype)

    def setup_migrate_reserve(self, min_wmark_pages: int, first_page_reserved: Iterable[int] = ()) -> None:
        """Choose the RESERVE pageblocks anew (mm/page_alloc.c: setup_zone_migrate_reserve, 2.6.31.2).

        ``first_page_reserved`` lists the pageblocks whose first page is PageReserved: those are passed over.
        """
        wanted = -(-min_wmark_pages >> self.pageblock_order)
        if self.rules.max_reserve_blocks is not None:
            wanted = min(wanted, self.rules.max_reserve_blocks)
        passed_over = set(first_page_reserved)
        for block, migratetype in enumerate(self.pageblock_types):
            if block in passed_over:
                continue
            if wanted > 0 and migratetype in (MigrateType.RESERVE, MigrateType.MOVABLE):
                wanted -= 1
                self._convert(block, MigrateType.RESERVE)
            elif migratetype == MigrateType.RESERVE:
                self._convert(block, MigrateType.MOVABLE)

    def _pageblock(self, pfn: int) -> int:
        return (pfn - self.zone_start_pfn) >> self.pageblock_order

    def _set_pageblock_type(self, pfn: int, migratetype: int) -> None:
        self.pageblock_types[self._pageblock(pfn)] = MigrateType.UNMOVABLE if self.mobility_disabled else migratetype

    def _convert(self, block: int, migratetype: int) -> None:
        if self.pageblock_types[block] != migratetype:
            pfn = self.zone_start_pfn + (block << self.pageblock_order)
            self._set_pageblock_type(pfn, migratetype)
            self._move_freepages_block(pfn, migratetype)

    def _add(self, pfn: int, order: int, migratetype: int) -> None:
        self._lists[order][migratetype][pfn] = None
        self._home[pfn] = (order, migratetype)
        self.nr_free[order] += 1
        self.nr_free_pages += 1 << order

    def _remove(self, pfn: int) -> None:
        order, migratetype = self._home.pop(pfn)
        del self._lists[order][migratetype][pfn]
        self.nr_free[order] -= 1
        self.nr_free_pages -= 1 << order

    def _expand(self, pfn: int, order: int, found_order: int, migratetype: int) -> None:
        """Put the upper halves of a block that is larger than needed on the lists (mm/page_alloc.c: expand, 2.6.31)."""
        while found_order > order:
            found_order -= 1
            self._add(pfn + (1 << found_order), found_order, migratetype)

    def _rmqueue_smallest(self, order: int, migratetype: int) -> int | None:
        for found_order in range(order, self.max_order):
            blocks = self._lists[found_order][migratetype]
            if blocks:
                pfn = next(reversed(blocks))
                self._remove(pfn)
                self._expand(pfn, order, found_order, migratetype)
                return pfn
        return None

    def _rmqueue_fallback(self, order: int, wanted: int) -> int | None:
        """Take from another type, largest block first, and with it what makes sense of the pageblock.

        mm/page_alloc.c: __rmqueue_fallback, 2.6.31. A large block, a reclaimable request or disabled grouping moves all
        free pages of the pageblock to the wanted type, and with half of it or more the pageblock itself.
        """
        for found_order, migratetype in self._fallback_places(order, wanted):
            blocks = self._lists[found_order][migratetype]
            if not blocks:
                continue
            pfn = next(reversed(blocks))
            steal = (
                found_order >= self.pageblock_order >> 1 or wanted == MigrateType.RECLAIMABLE or self.mobility_disabled
            )
            if steal:
                moved = self._move_freepages_block(pfn, wanted)
                if moved >= 1 << (self.pageblock_order - 1) or self.mobility_disabled:
                    self._set_pageblock_type(pfn, wanted)
            self._remove(pfn)
            if found_order == self.pageblock_order:
                self._set_pageblock_type(pfn, wanted)
            self._expand(pfn, order, found_order, wanted if steal else migratetype)
            return pfn
        return None

    def _fallback_places(self, order: int, wanted: int) -> Iterator[tuple[int, int]]:
        for found_order in range(self.max_order - 1, order - 1, -1):
            for migratetype in self.rules.fallbacks[wanted]:
                yield found_order, migratetype

    def _move_freepages_block(self, pfn: int, migratetype: int) -> int:
        """Move the free blocks around ``pfn`` to another list and return their pages.

        mm/page_alloc.c: move_freepages_block, 2.6.31. The window is aligned in page frame numbers; it starts at ``pfn``
        when it would begin before the zone, and nothing moves when it would end after it.
        """
        start = pfn & ~((1 << self.pageblock_order) - 1)
        end = start + (1 << self.pageblock_order)
        if end > self.zone_start_pfn + self.spanned_pages:
            return 0
        if start < self.zone_start_pfn:
            start = pfn
        moved = 0
        while start < end:
            home = self._home.get(start)
            if home is None:
                start += 1
                continue
            order = home[0]
            self._remove(start)
            self._add(start, order, migratetype)
            moved += 1 << order
            start += 1 << order
        return moved
