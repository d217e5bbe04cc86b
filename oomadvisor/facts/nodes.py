"""Memory nodes as a fact: where a single page still passed when the kernel killed."""

from dataclasses import dataclass

from oomadvisor.facts.kinds import NodesFact
from oomadvisor.facts.share import permille
from oomadvisor.infer.nodes import allowed_nodes, constraint_of, shown_nodes
from oomadvisor.model import SystemState, Zone


@dataclass(frozen=True, slots=True)
class _Room:
    """What a page has above HIGH and reserve in a zone (negative or 0: it fails there)."""

    zone: Zone
    surplus: int


def nodes_fact(state: SystemState) -> NodesFact | None:
    """Return what the nodes had left for a single page; None on a box with one node."""
    shown = shown_nodes(state.incident)
    if len(shown) < 2:
        return None
    allowed = allowed_nodes(state.incident)
    best: dict[int, _Room] = {}
    for node in shown:
        rooms = [_room(state, zone) for zone in state.incident.zones if zone.node == node]
        known = [room for room in rooms if room is not None]
        if known:
            best[node] = max(known, key=lambda room: room.surplus)
    roomiest = max(best.values(), key=lambda room: room.surplus, default=None)
    return NodesFact(
        origin=state.incident.origin("zones"),
        count=len(shown),
        full=sum(room.surplus <= 0 for room in best.values()),
        limited_by=constraint_of(state.incident),
        allowed_known=allowed is not None,
        allowed=None if allowed is None else ", ".join(map(str, sorted(allowed))),
        roomiest=roomiest.zone.node if roomiest is not None else None,
        roomiest_zone=roomiest.zone.name if roomiest is not None else None,
        roomiest_free_pages=roomiest.zone.free_pages if roomiest is not None else None,
        roomiest_surplus_pages=roomiest.surplus if roomiest is not None else None,
        roomiest_surplus_permille=permille(roomiest.surplus, roomiest.zone.present_pages) if roomiest else None,
    )


def _room(state: SystemState, zone: Zone) -> _Room | None:
    """Return what the last look at HIGH leaves of a zone for one page; None where the report does not tell.

    The first comparison of the test alone, which is all that a single page meets, and the same in every kernel: pages
    of CMA areas and those kept for large atomic requests count as taken (mm/page_alloc.c: zone_watermark_ok).
    """
    index, names = state.class_zone_index, state.build.zone_names
    if index is None or zone.name not in names or names.index(zone.name) > index:
        return None
    if zone.free_pages is None or zone.marks is None or zone.reserve_pages is None or index >= len(zone.reserve_pages):
        return None
    taken = (zone.free_cma_pages or 0) + (zone.reserved_highatomic_pages or 0)
    return _Room(zone, zone.free_pages - taken - zone.marks.high - zone.reserve_pages[index])
