"""The part of a state that the allocator's decision depends on: zones in the order in which they are tried."""

from dataclasses import dataclass, replace

from oomadvisor.kernel.family import Family
from oomadvisor.kernel.series import functions_for
from oomadvisor.model import Mark, SystemState, Tunable
from oomadvisor.model.state import MIN_FREE_KBYTES


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
    smallest and largest possible value, None where it is not known.
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
    min_free_kbytes: tuple[int, int] | None = None

    def with_zones(self, zones: tuple[ZoneSnapshot, ...]) -> "Snapshot":
        return replace(self, zones=zones)


def snapshot(state: SystemState) -> Snapshot | None:
    """Return what the allocator's test needs, or None when the report lacks it.

    Needed are a kernel whose functions are known exactly and, for every eligible zone: free counter, free lists,
    marks and the reserve against the class zone. A zone that lacks one of them makes the whole answer unknowable,
    because the request may be served from it.
    """
    index = state.class_zone_index
    family = functions_for(state.kernel.version)
    if index is None or family is None or not state.zones:
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
        min_free_kbytes=_interval(setting),
    )


def _interval(setting: Tunable | None) -> tuple[int, int] | None:
    if setting is None or setting.low is None or setting.high is None:
        return None
    return setting.low, setting.high
