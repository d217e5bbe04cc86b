"""The part of a state that the allocator's decision depends on: zones in the order in which they are tried."""

from dataclasses import dataclass, replace
from functools import lru_cache

from oomadvisor.kernel.gfp import Alloc, Gfp, TaskContext
from oomadvisor.kernel.series import Family, functions_for
from oomadvisor.kernel.zonelist import class_zone_index
from oomadvisor.model import Mark, Operation, SystemState, Tunable
from oomadvisor.model.state import MIN_FREE_KBYTES

GFP_KERNEL = int(Gfp.WAIT | Gfp.IO | Gfp.FS)


@dataclass(frozen=True, slots=True)
class ZoneSnapshot:
    """A zone as the watermark test sees it. All in pages; ``blocks`` is indexed by order.

    ``free`` is the zone's counter, which can differ from the sum of ``blocks`` (drift, counter bug): the test reads
    both. ``reserve`` is the reserve against the request's class zone.
    """

    name: str
    node: int
    index: int
    present: int
    free: int
    blocks: tuple[int, ...]
    mark_min: int
    mark_low: int
    mark_high: int
    reserve: int

    def mark(self, mark: Mark) -> int:
        return {"min": self.mark_min, "low": self.mark_low, "high": self.mark_high}[mark]

    @property
    def listed(self) -> int:
        """Pages in the free lists."""
        return sum(count << order for order, count in enumerate(self.blocks))

    def with_blocks(self, blocks: tuple[int, ...]) -> "ZoneSnapshot":
        """Return the zone with other lists; the counter moves by the same number of pages."""
        listed = sum(count << order for order, count in enumerate(blocks))
        return replace(self, blocks=blocks, free=self.free + listed - self.listed)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a request is tested against. ``zones`` are the eligible ones, first tried first (page_alloc.c: zonelist).

    ``zone_names``/``present`` describe the whole build, lowest zone first, because marks and reserves are computed from
    all zones. ``family`` holds the functions of this kernel. ``min_free_kbytes`` is the setting behind the marks as
    smallest and largest possible value, None where it is not known. ``gfp_mask`` and ``realtime`` decide how deep the
    request may go below MIN.
    """

    zones: tuple[ZoneSnapshot, ...]
    zone_names: tuple[str, ...]
    present: tuple[int, ...]
    class_zone_index: int
    family: Family
    bits: int
    smp: bool
    cpus: int = 1
    realtime: bool = False
    gfp_mask: int = GFP_KERNEL
    min_free_kbytes: tuple[int, int] | None = None

    def alloc_flags(self, mark: Mark) -> Alloc:
        """Return ALLOC_HIGH and ALLOC_HARDER as they hold at ``mark``: at MIN only.

        The fast path (LOW) and the last look before a kill (HIGH) drop them, whatever the mask (mm/page_alloc.c:
        __alloc_pages_nodemask, __alloc_pages_may_oom, 2.6.31).
        """
        if mark != "min":
            return Alloc(0)
        return _flags_at_min(self.family, self.gfp_mask, TaskContext(rt=self.realtime))

    def with_zones(self, zones: tuple[ZoneSnapshot, ...]) -> "Snapshot":
        return replace(self, zones=zones)


def asked_by(snap: Snapshot, operation: Operation) -> Snapshot:
    """Return the snapshot as the blocks of ``operation`` are tested. (All blocks of an operation have one mask.)"""
    mask = operation.steps[0].gfp_mask
    return snap if mask == snap.gfp_mask else replace(snap, gfp_mask=mask)


def snapshot(state: SystemState, operation: Operation | None = None) -> Snapshot | None:
    """Return what the allocator's test of the request needs, or None when the report lacks it.

    ``operation``: another than that of the request, whose mask may allow other zones.

    Needed are a kernel whose functions are known exactly and, for every eligible zone: free counter, free lists,
    marks and the reserve against the class zone. A zone that lacks one of them makes the whole answer unknowable,
    because the request may be served from it.
    """
    index, mask = state.class_zone_index, state.incident.request.gfp_mask
    family = functions_for(state.kernel.version)
    if family is None or not state.zones:
        return None
    if operation is not None and operation.steps[0].gfp_mask != mask:
        mask = operation.steps[0].gfp_mask
        index = _class_zone(state, family, mask)
    if index is None:
        return None
    zones = []
    for zone in reversed(state.zones):
        if zone.index > index or zone.present_pages == 0:
            continue
        if (
            zone.free_pages is None
            or zone.free_blocks is None
            or zone.marks is None
            or zone.present_pages is None
            or zone.reserve_pages is None
            or index >= len(zone.reserve_pages)
        ):
            return None
        zones.append(
            ZoneSnapshot(
                name=zone.name,
                node=zone.node,
                index=zone.index,
                present=zone.present_pages,
                free=zone.free_pages,
                blocks=zone.free_blocks,
                mark_min=zone.marks.min,
                mark_low=zone.marks.low,
                mark_high=zone.marks.high,
                reserve=zone.reserve_pages[index],
            )
        )
    if not zones:
        return None
    present = [0] * len(state.build.zone_names)
    for zone in state.zones:
        present[zone.index] = zone.present_pages or 0
    setting = state.tunables.get(MIN_FREE_KBYTES)
    return Snapshot(
        zones=tuple(zones),
        zone_names=state.build.zone_names,
        present=tuple(present),
        class_zone_index=index,
        family=family,
        bits=state.build.word_bits,
        smp=bool(state.build.smp),
        cpus=state.build.cpus_seen or 1,
        gfp_mask=GFP_KERNEL if mask is None else mask,
        min_free_kbytes=_interval(setting),
    )


def _class_zone(state: SystemState, family: Family, gfp_mask: int) -> int | None:
    names = state.build.zone_names
    populated = [any(z.index == index and z.present_pages for z in state.zones) for index in range(len(names))]
    try:
        return class_zone_index(names, populated, family.gfp_zone(gfp_mask, names))
    except ValueError:
        return None


@lru_cache(maxsize=64)  # asked for at every zone of every step of a sweep
def _flags_at_min(family: Family, gfp_mask: int, task: TaskContext) -> Alloc:
    return family.slow_alloc_flags(gfp_mask, task) & (Alloc.HIGH | Alloc.HARDER)


def _interval(setting: Tunable | None) -> tuple[int, int] | None:
    if setting is None or setting.low is None or setting.high is None:
        return None
    return setting.low, setting.high
