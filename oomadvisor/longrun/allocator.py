"""The road of a request through the live zones: LOW, MIN, reclaim, the last look at HIGH, the kill."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from oomadvisor.kernel.allocation import should_alloc_retry
from oomadvisor.kernel.gfp import gfp_zone, migratetype
from oomadvisor.kernel.reclaim import DEF_PRIORITY, SWAP_CLUSTER_MAX
from oomadvisor.kernel.zonelist import class_zone_index, zonelist
from oomadvisor.longrun.box import Box
from oomadvisor.longrun.clock import Clock
from oomadvisor.longrun.filepages import FilePages
from oomadvisor.longrun.kswapd import CONGESTION_WAIT_US, Kswapd
from oomadvisor.longrun.livezone import LiveZone
from oomadvisor.longrun.shrink import Shrinker

RETRY_WAIT_US = 20_000
TICK_US = 10_000
MIN, LOW, HIGH = 0, 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """A kind of request: ``zones`` in the order in which they are tried, each with the reserve that it keeps."""

    order: int
    gfp_mask: int
    mobility: int
    zones: tuple[tuple[LiveZone, int], ...]


class Refused(Exception):
    """The request got nothing: an order above 3 for which no block could be made."""


class Allocator:
    """Blocks and pages out of the zones of a box, and back.

    ``kill`` is called when the kernel calls the OOM killer; it must free memory or raise. ``taken`` and ``given``
    count the blocks and pages that went out and came back, ``stalls`` the direct reclaims.
    """

    def __init__(
        self,
        box: Box,
        zones: Sequence[LiveZone],
        clock: Clock,
        kill: Callable[[Request], None],
    ) -> None:
        self.box = box
        self.zones = zones
        self.clock = clock
        self.kill = kill
        self.files = FilePages(zones)
        self.shrinker = Shrinker(self.files, self._free_reclaimed)
        self.kswapd = Kswapd(zones, self.shrinker, clock, box.family, box.word_bits)
        self.zone_watermark_ok = box.family.zone_watermark_ok
        self.bits = box.word_bits
        self.taken = self.given = self.stalls = 0
        self._requests: dict[tuple[int, int], Request] = {}

    def request(self, order: int, gfp_mask: int) -> Request:
        """Return the kind of request for blocks of ``order`` under ``gfp_mask``."""
        gfp_mask = int(gfp_mask)  # a plain number: arithmetic on flags is slow, and this is done for every page
        key = (order, gfp_mask)
        if key not in self._requests:
            names, populated = self.box.zone_names, [pages > 0 for pages in self.box.present]
            highest = gfp_zone(gfp_mask, names)
            class_zone = class_zone_index(names, populated, highest)
            by_index = {zone.index: zone for zone in self.zones}
            zones = tuple(
                (by_index[index], by_index[index].reserve[class_zone]) for index in zonelist(names, populated, highest)
            )
            mobility = int(migratetype(gfp_mask, mobility_disabled=self.zones[0].buddy.mobility_disabled))
            self._requests[key] = Request(order, gfp_mask, mobility, zones)
        return self._requests[key]

    def alloc(self, request: Request) -> int:
        """Return the first page frame of a block (mm/page_alloc.c: __alloc_pages_nodemask, 2.6.31).

        Raises :class:`Refused` where the kernel returns no block, and whatever ``kill`` raises.
        """
        pfn = self._get_page_from_freelist(request, LOW)
        if pfn is None:
            pfn = self._slowpath(request)
        self.taken += 1
        return pfn

    def free(self, pfn: int, order: int = 0) -> None:
        """Give a block back; single pages go to the per-cpu list first."""
        zone = self.files.zone_of(pfn)
        if order:
            zone.buddy.free(pfn, order)
        else:
            zone.pcp.free(pfn)
        self.given += 1

    def sleep(self, microseconds: int) -> None:
        """Let the running task sleep: kswapd can work meanwhile."""
        self.kswapd.run(self.clock.now_us + microseconds)

    def _free_reclaimed(self, pfn: int) -> None:
        self.files.zone_of(pfn).pcp.free(pfn, cold=True)
        self.given += 1

    def _get_page_from_freelist(self, request: Request, mark: int) -> int | None:
        order = request.order
        for zone, reserve in request.zones:
            buddy = zone.buddy
            if self.zone_watermark_ok(
                buddy.nr_free_pages, buddy.nr_free, order, zone.marks[mark], reserve, bits=self.bits
            ):
                pfn = buddy.alloc(order, request.mobility) if order else zone.pcp.alloc(request.gfp_mask)
                if pfn is not None:
                    return pfn
        return None

    def _slowpath(self, request: Request) -> int:
        """Wake kswapd, try MIN, reclaim, and kill in the end (mm/page_alloc.c: __alloc_pages_slowpath, 2.6.31)."""
        zones = [zone for zone, _ in request.zones]
        order = request.order
        if order >= self.box.max_order:
            raise Refused
        pages_reclaimed = 0
        self.kswapd.wakeup_kswapd(zones, order)
        pfn = self._get_page_from_freelist(request, MIN)
        while pfn is None:
            progress = self._try_to_free_pages(zones, order)
            if order:
                for zone in self.zones:
                    zone.pcp.drain()
            if progress:
                pfn = self._get_page_from_freelist(request, MIN)
                if pfn is None:
                    pages_reclaimed += progress
                    if not should_alloc_retry(request.gfp_mask, order, pages_reclaimed):
                        raise Refused
                    self.sleep(RETRY_WAIT_US)
                continue
            pfn = self._get_page_from_freelist(request, HIGH)
            if pfn is None:
                if not should_alloc_retry(request.gfp_mask, order, pages_reclaimed):
                    raise Refused
                self.kill(request)
                self.sleep(TICK_US)
                self.kswapd.wakeup_kswapd(zones, order)
                pfn = self._get_page_from_freelist(request, MIN)
        return pfn

    def _try_to_free_pages(self, zones: Sequence[LiveZone], order: int) -> int:
        """Reclaim in the name of the task: down the priorities until 32 pages came (mm/vmscan.c: do_try_to_free_pages,
        2.6.31).
        """
        self.stalls += 1
        scanned = reclaimed = 0
        for priority in range(DEF_PRIORITY, -1, -1):
            for zone in zones:
                done = self.shrinker.shrink_zone(zone, order, priority, kswapd=False)
                scanned += done.scanned
                reclaimed += done.reclaimed
            if reclaimed >= SWAP_CLUSTER_MAX:
                break
            if scanned and priority < DEF_PRIORITY - 2:
                self.sleep(CONGESTION_WAIT_US)
        return reclaimed
