"""A zone while a run goes on: buddy lists, per-cpu list, marks, and the file pages on its LRU lists."""

from collections import OrderedDict
from collections.abc import Sequence

from oomadvisor.kernel.buddy import BuddyZone, mobility_disabled
from oomadvisor.kernel.gfp import MigrateType
from oomadvisor.kernel.marks import ZoneMarks
from oomadvisor.kernel.pcplist import PerCpuList
from oomadvisor.kernel.percpu import pageset, pageset_fraction
from oomadvisor.longrun.box import Box
from oomadvisor.simulate.snapshot import ZoneSnapshot

__all__ = ["LiveZone", "zones_with"]


class LiveZone:
    """One populated zone. Page frame numbers begin at ``start``, which is the first of a pageblock.

    ``inactive`` and ``active`` hold the file pages, oldest first; anonymous and tmpfs pages are on no list here, as
    nothing reclaims them without swap. ``saved`` is what earlier passes left over of their scans (inactive, active).
    """

    def __init__(self, name: str, index: int, present: int, reserve: Sequence[int], buddy: BuddyZone) -> None:
        self.name = name
        self.index = index
        self.present = present
        self.reserve = tuple(reserve)
        self.start = buddy.zone_start_pfn
        self.buddy = buddy
        self.marks = ZoneMarks(0, 0, 0)
        limits = pageset(present)
        self.pcp = PerCpuList(buddy, high=limits.hi, batch=limits.btch)
        self.inactive: OrderedDict[int, None] = OrderedDict()
        self.active: OrderedDict[int, None] = OrderedDict()
        self.saved = (0, 0)

    def set_pageset_fraction(self, fraction: int) -> None:
        """Set the limits of the per-cpu list as vm.percpu_pagelist_fraction does."""
        limits = pageset_fraction(self.present, fraction)
        self.pcp.high, self.pcp.batch = limits.hi, limits.btch

    @property
    def free_pages(self) -> int:
        """Return the pages on the buddy lists, which the watermark test reads."""
        return self.buddy.nr_free_pages

    @property
    def listed_pages(self) -> int:
        """Return the pages on the per-cpu list: free, but not seen by the test."""
        return len(self.pcp.pages)

    @property
    def file_pages(self) -> int:
        """Return the file pages on both lists."""
        return len(self.inactive) + len(self.active)

    def snapshot(self, class_zone: int) -> ZoneSnapshot:
        """Return what a request of ``class_zone`` is tested against at this instant."""
        return ZoneSnapshot(
            name=self.name,
            node=0,
            index=self.index,
            present=self.present,
            free=self.free_pages,
            blocks=tuple(self.buddy.nr_free),
            mark_min=self.marks.min,
            mark_low=self.marks.low,
            mark_high=self.marks.high,
            reserve=self.reserve[class_zone],
        )


def zones_with(box: Box, free: Sequence[Sequence[tuple[int, int]]], types: Sequence[Sequence[int]]) -> list[LiveZone]:
    """Return the populated zones of ``box``, lowest first, with these free blocks and pageblock types.

    ``free`` lists for each zone (first page counted from the zone's start, order), the block to be taken first in
    front; ``types`` has the mobility type of each of its pageblocks. Zones begin at multiples of the largest block.
    """
    order = box.max_order - 1
    disabled = mobility_disabled(box.present_pages, order)
    start, zones = 0, []
    for index, (name, present) in enumerate(zip(box.zone_names, box.present, strict=True)):
        if not present:
            continue
        blocks = pageblocks(present, order)
        by_list: dict[tuple[int, int], list[int]] = {}
        for first, size in free[index]:
            kind = MigrateType.UNMOVABLE if disabled else types[index][first >> order]
            by_list.setdefault((size, kind), []).append(start + first)
        buddy = box.family.buddy_zone(
            max_order=box.max_order,
            pageblock_order=order,
            zone_start_pfn=start,
            spanned_pages=blocks << order,
            free_lists=[(size, kind, pfns) for (size, kind), pfns in by_list.items()],
            pageblock_types=[MigrateType.UNMOVABLE] * blocks if disabled else list(types[index]),
            mobility_disabled=disabled,
        )
        zones.append(LiveZone(name, index, present, box.reserve[index], buddy))
        start += blocks << order
    return zones


def pageblocks(present: int, order: int) -> int:
    """Return how many pageblocks of ``order`` a zone of ``present`` pages spans.

    There is always room beyond the present pages, as the page structs take some of what a zone spans, and
    :func:`oomadvisor.simulate.scatter.free_page_map` draws over as much.
    """
    return (present >> order) + 1
