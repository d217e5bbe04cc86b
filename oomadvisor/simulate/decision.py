"""The whole road of the reported request through the allocator, as far as the report lets it be retraced."""

from oomadvisor.infer.arithmetic import family_of
from oomadvisor.kernel.allocation import Outcome, ReclaimRound, ZoneSnapshot, alloc_pages
from oomadvisor.kernel.marks import ZoneMarks
from oomadvisor.model import SystemState


def retrace(state: SystemState) -> Outcome | None:
    """Return the events of the request on the printed numbers, with a reclaim that frees nothing; None when unknown.

    The report was printed after the last look failed, so its lists are those of that moment, and a direct reclaim that
    had freed pages would have led to another try instead of a kill (page_alloc.c: __alloc_pages_slowpath, 2.6.31).
    """
    family = family_of(state.kernel)
    request = state.incident.request
    if (
        state.build.numa
        or family is None
        or not family.measured
        or request.gfp_mask is None
        or request.order is None
        or request.order < 0
    ):
        return None
    zones = []
    for index, name in enumerate(state.build.zone_names):
        zone = next((z for z in state.zones if z.index == index), None)
        if zone is None:
            empty = (0,) * (state.build.max_order or 11)
            zones.append(ZoneSnapshot(name, 0, ZoneMarks(0, 0, 0), (0,) * len(state.build.zone_names), empty, 0))
            continue
        if (
            zone.present_pages is None
            or zone.marks is None
            or zone.free_blocks is None
            or zone.free_pages is None
            or zone.reserve_pages is None
            or len(zone.reserve_pages) != len(state.build.zone_names)
        ):
            return None
        marks = ZoneMarks(zone.marks.min, zone.marks.low, zone.marks.high)
        zones.append(
            ZoneSnapshot(name, zone.present_pages, marks, zone.reserve_pages, zone.free_blocks, zone.free_pages)
        )
    if not zones:
        return None
    return alloc_pages(
        zones,
        request.gfp_mask,
        request.order,
        kernel=family,
        reclaim=(ReclaimRound(),),
        max_order=state.build.max_order or 11,
        bits=state.build.word_bits,
    )
