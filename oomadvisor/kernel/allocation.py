"""The road of a request: fast path, slow path, reclaim, the last look, the kill. Every step leaves an event."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from oomadvisor.kernel import events as ev
from oomadvisor.kernel.family import Family
from oomadvisor.kernel.gfp import NORMAL_TASK, WMARK_MASK, Alloc, Gfp, TaskContext
from oomadvisor.kernel.marks import ZoneMarks
from oomadvisor.kernel.watermark import Privileges
from oomadvisor.kernel.zonelist import class_zone_index, zonelist

__all__ = [
    "OomScript",
    "Outcome",
    "ReclaimRound",
    "ZoneSnapshot",
    "alloc_pages",
    "should_alloc_retry",
]

PAGE_ALLOC_COSTLY_ORDER = 3

Result = Literal["allocated", "null", "script_exhausted"]


class ZoneSnapshot(NamedTuple):
    """A zone when the request arrives. ``reserve`` is indexed by class zone, ``nr_free`` by order.

    ``free_pages`` is the zone's counter, which the test reads; None: it agrees with the lists.
    """

    name: str
    present: int
    marks: ZoneMarks
    reserve: tuple[int, ...]
    nr_free: tuple[int, ...]
    free_pages: int | None = None


class ReclaimRound(NamedTuple):
    """What one direct reclaim brings: ``blocks`` of ``order`` appear in ``zone``, then ``progress`` is returned."""

    progress: int = 0
    zone: str | None = None
    order: int = 0
    blocks: int = 0


class OomScript(NamedTuple):
    """What each kill brings. After ``stop_after`` kills the story ends."""

    stop_after: int = 1
    zone: str | None = None
    order: int = 0
    blocks: int = 0
    sets_tif_memdie: bool = False


FRUITLESS = ReclaimRound()
ONE_FRUITLESS_KILL = OomScript()


class Outcome(NamedTuple):
    """How it ended: served, refused (the caller gets NULL), or still trying; with every event on the way."""

    result: Result
    zone: str | None
    events: tuple[ev.Event, ...]

    @property
    def kills(self) -> int:
        """Return how often the OOM killer was called."""
        return sum(isinstance(event, ev.OomKill) for event in self.events)


def should_alloc_retry(gfp_mask: int, order: int, pages_reclaimed: int) -> bool:
    """Return whether the slow path goes round again (mm/page_alloc.c: should_alloc_retry, 2.6.31)."""
    if gfp_mask & Gfp.NORETRY:
        return False
    if order <= PAGE_ALLOC_COSTLY_ORDER:
        return True
    if gfp_mask & Gfp.REPEAT and pages_reclaimed < 1 << order:
        return True
    return bool(gfp_mask & Gfp.NOFAIL)


def alloc_pages(
    zones: Sequence[ZoneSnapshot],
    gfp_mask: int,
    order: int,
    *,
    kernel: Family,
    context: TaskContext = NORMAL_TASK,
    reclaim: Sequence[ReclaimRound] = (FRUITLESS,),
    oom: OomScript = ONE_FRUITLESS_KILL,
    max_order: int = 11,
    oom_killer_disabled: bool = False,
    max_waits: int = 12,
    bits: int = 32,
) -> Outcome:
    """Return what becomes of a request (mm/page_alloc.c: __alloc_pages_nodemask, 2.6.31; one node, no cpusets).

    ``zones`` are all zones of the build, empty ones too, lowest first. ``reclaim`` scripts the direct reclaims in turn;
    the story ends when the kernel asks for one more, after ``oom.stop_after`` kills, or after ``max_waits`` sleeps. The
    default is a box where nothing can be reclaimed. Raises ValueError for a kernel whose path was read but never run.
    """
    path = _Path(zones, gfp_mask, order, context=context, kernel=kernel, bits=bits, waits_left=max_waits)
    if not path.allowed:
        return Outcome("null", None, ())
    result: Result
    if path.get_page_from_freelist(Alloc.WMARK_LOW | Alloc.CPUSET):
        result = "allocated"
    elif order >= max_order:
        result = "null"
    else:
        result = path.slowpath(reclaim, oom, oom_killer_disabled=oom_killer_disabled)
    if result == "script_exhausted":
        path.events.append(ev.ScriptEnd())
    return Outcome(result, path.served_from, tuple(path.events))


class _LiveZone:
    """A zone while the story runs."""

    def __init__(self, snapshot: ZoneSnapshot) -> None:
        self.name = snapshot.name
        self.marks = snapshot.marks
        self.reserve = snapshot.reserve
        self.nr_free = list(snapshot.nr_free)
        on_lists = sum(blocks << order for order, blocks in enumerate(snapshot.nr_free))
        self.free_pages = on_lists if snapshot.free_pages is None else snapshot.free_pages

    def add(self, order: int, blocks: int) -> None:
        self.nr_free[order] += blocks
        self.free_pages += blocks << order

    def take(self, order: int) -> bool:
        """Take the smallest sufficient block. For order > 0 the counter falls even when there is none."""
        found = next((o for o in range(order, len(self.nr_free)) if self.nr_free[o]), None)
        if found is not None:
            self.nr_free[found] -= 1
        if found is not None or order > 0:
            self.free_pages -= 1 << order
        return found is not None


class _Path:
    """One request on its way: the zones as they change, and the events so far."""

    def __init__(
        self,
        zones: Sequence[ZoneSnapshot],
        gfp_mask: int,
        order: int,
        *,
        context: TaskContext,
        kernel: Family,
        bits: int,
        waits_left: int,
    ) -> None:
        if kernel.path is None:
            raise ValueError(f"the allocation path of {kernel.name} was read, not run")
        names = [zone.name for zone in zones]
        populated = [zone.present > 0 for zone in zones]
        highest = kernel.gfp_zone(gfp_mask, names)
        self.zones = {zone.name: _LiveZone(zone) for zone in zones}
        self.allowed = [self.zones[names[index]] for index in zonelist(names, populated, highest)]
        self.class_zone = class_zone_index(names, populated, highest) if self.allowed else 0
        self.gfp_mask = gfp_mask
        self.order = order
        self.context = context
        self.kernel = kernel
        self.rules = kernel.path
        self.test = kernel.zone_watermark_ok
        self.bits = bits
        self.waits_left = waits_left
        self.served_from: str | None = None
        self.events: list[ev.Event] = []

    def zone_watermark_ok(self, zone: _LiveZone, mark: int, class_zone: int, flags: Alloc) -> bool:
        ok = self.test(
            zone.free_pages,
            zone.nr_free,
            self.order,
            mark,
            zone.reserve[class_zone],
            flags=Privileges(high=bool(flags & Alloc.HIGH), harder=bool(flags & Alloc.HARDER)),
            bits=self.bits,
        )
        self.events.append(ev.WatermarkTest(zone.name, self.order, mark, class_zone, flags, ok))
        return ok

    def get_page_from_freelist(self, flags: Alloc) -> bool:
        """Try the zones in turn (mm/page_alloc.c: get_page_from_freelist, 2.6.31)."""
        for zone in self.allowed:
            if not flags & Alloc.NO_WATERMARKS:
                mark = zone.marks[flags & WMARK_MASK]
                if not self.zone_watermark_ok(zone, mark, self.class_zone, flags):
                    continue
            if zone.take(self.order):
                self.served_from = zone.name
                self.events.append(ev.AllocatedFrom(zone.name))
                return True
            self.events.append(ev.RmqueueFail(zone.name))
        return False

    def wake_all_kswapd(self) -> None:
        """Wake kswapd for every zone below its LOW mark (mm/vmscan.c: wakeup_kswapd, 2.6.31)."""
        for zone in self.allowed:
            if not self.zone_watermark_ok(zone, zone.marks.low, 0, Alloc(0)):
                self.events.append(ev.KswapdWake(zone.name, self.order))

    def slow_alloc_flags(self) -> Alloc:
        return self.kernel.slow_alloc_flags(self.gfp_mask, self.context)

    def congestion_wait(self) -> bool:
        """Sleep; return whether the story goes on."""
        self.events.append(ev.CongestionWait())
        self.waits_left -= 1
        return self.waits_left > 0

    def nopage(self) -> Result:
        if not self.gfp_mask & Gfp.NOWARN:
            self.events.append(ev.AllocationFailureMessage())
        return "null"

    def slowpath(self, reclaim: Sequence[ReclaimRound], oom: OomScript, *, oom_killer_disabled: bool) -> Result:
        """Go round until served, refused or out of script (mm/page_alloc.c: __alloc_pages_slowpath, 2.6.31)."""
        nofail = bool(self.gfp_mask & Gfp.NOFAIL)
        may_oom = bool(self.gfp_mask & Gfp.FS) and not self.gfp_mask & Gfp.NORETRY
        rounds = iter(reclaim)
        pages_reclaimed = kills = 0
        self.wake_all_kswapd()
        flags = self.slow_alloc_flags()
        restart = True
        while True:
            if restart and self.get_page_from_freelist(flags & ~Alloc.NO_WATERMARKS):
                return "allocated"
            restart = False
            if flags & Alloc.NO_WATERMARKS:
                while not self.get_page_from_freelist(Alloc.NO_WATERMARKS):
                    if not nofail:
                        break
                    if not self.congestion_wait():
                        return "script_exhausted"
                else:
                    return "allocated"
            if not self.gfp_mask & Gfp.WAIT or self.context.pf_memalloc:
                return self.nopage()
            if self.context.tif_memdie and not nofail:
                return self.nopage()

            brought = next(rounds, None)
            if brought is None:
                return "script_exhausted"
            self.bring(brought.zone, brought.order, brought.blocks)
            self.events.append(ev.DirectReclaim(brought.progress))
            if brought.progress and self.get_page_from_freelist(flags):
                return "allocated"

            if not brought.progress and may_oom:
                if oom_killer_disabled:
                    return self.nopage()
                if self.get_page_from_freelist(Alloc.WMARK_HIGH | Alloc.CPUSET):
                    return "allocated"
                if self.order > PAGE_ALLOC_COSTLY_ORDER and not nofail:
                    return self.nopage()
                self.events.append(ev.OomKill())
                kills += 1
                self.bring(oom.zone, oom.order, oom.blocks)
                if oom.sets_tif_memdie:
                    self.context = self.context._replace(tif_memdie=True)
                if kills >= oom.stop_after:
                    return "script_exhausted"
                restart = True
                if self.rules.restart_recomputes:
                    self.wake_all_kswapd()
                    flags = self.slow_alloc_flags()
                continue

            pages_reclaimed += brought.progress
            if not should_alloc_retry(self.gfp_mask, self.order, pages_reclaimed):
                return self.nopage()
            if not self.congestion_wait():
                return "script_exhausted"

    def bring(self, zone: str | None, order: int, blocks: int) -> None:
        if zone is not None:
            self.zones[zone].add(order, blocks)
