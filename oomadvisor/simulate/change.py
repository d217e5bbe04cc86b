"""Changes that can be applied to a snapshot, and what the kernel recomputes when they are made."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from oomadvisor.kernel.marks import MarkRules, ZoneMarks, setup_per_zone_wmarks
from oomadvisor.model import Operation
from oomadvisor.model.state import LOWMEM_RESERVE_RATIO, MIN_FREE_KBYTES
from oomadvisor.simulate.snapshot import Snapshot


class NotReplayable(ValueError):
    """The change cannot be replayed on this report; the text says why."""


@dataclass(frozen=True, slots=True)
class SetSysctl:
    """``sysctl -w name=values``. Values as the kernel stores them after parsing."""

    name: str
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FreePages:
    """``pages`` pages of ``source`` (tmpfs, page-cache, process, slab) come back, at positions that no report shows."""

    source: str
    pages: int


@dataclass(frozen=True, slots=True)
class FreeBlocks:
    """``count`` blocks of ``order`` come back in ``zone``, and none of them has a free buddy: the position is known."""

    source: str
    zone: str
    order: int
    count: int


@dataclass(frozen=True, slots=True)
class AddSwap:
    """``kb`` of swap are switched on. The test does not read it; reclaim may then take anonymous pages and tmpfs."""

    kb: int


@dataclass(frozen=True, slots=True)
class SetMaxOrder:
    """A kernel built with another MAX_ORDER: as many free lists, the largest block has 2^(MAX_ORDER − 1) pages."""

    max_order: int


@dataclass(frozen=True, slots=True)
class JoinZones:
    """A kernel built without the split of low memory: the zones that may serve the request are one."""


@dataclass(frozen=True, slots=True)
class SetOperation:
    """The task does something else instead (vfork and exec instead of fork and exec)."""

    operation: Operation


@dataclass(frozen=True, slots=True)
class SetRealtime:
    """The task runs under SCHED_FIFO or SCHED_RR: ALLOC_HARDER in the slow path (page_alloc.c: gfp_to_alloc_flags)."""


Exact = SetSysctl | SetRealtime | FreeBlocks | SetMaxOrder | JoinZones
"""Changes that turn one snapshot into exactly one other."""

Change = Exact | FreePages | AddSwap | SetOperation

SMALLEST_MAX_ORDER, LARGEST_MAX_ORDER = 2, 20
"""Beyond these no kernel can be built (a pageblock is at most 2^19 pages, and there is no page order below 1)."""


def apply(snap: Snapshot, change: Exact) -> Snapshot:
    """Return the snapshot as the kernel would have it right after the change.

    A sysctl that the test does not read leaves the snapshot as it is: that is the answer, not an omission. A build-time
    change is shown on the same free pages: what another boot would have made of the memory is in no report.
    Raises NotReplayable when a value has the wrong number of entries or does not fit the box.
    """
    if isinstance(change, SetRealtime):
        return replace(snap, realtime=True)
    if isinstance(change, FreeBlocks):
        return with_free_blocks(snap, change.zone, change.order, change.count)
    if isinstance(change, SetMaxOrder):
        return with_max_order(snap, change.max_order)
    if isinstance(change, JoinZones):
        return with_one_zone(snap)
    if change.name == MIN_FREE_KBYTES:
        if len(change.values) != 1:
            raise NotReplayable(f"{MIN_FREE_KBYTES} takes one number, not {len(change.values)}")
        return with_min_free_kbytes(snap, change.values[0])
    if change.name == LOWMEM_RESERVE_RATIO:
        return with_lowmem_reserve_ratio(snap, change.values)
    return snap


def with_min_free_kbytes(snap: Snapshot, min_free_kbytes: int) -> Snapshot:
    """Return the snapshot with the marks of another min_free_kbytes (page_alloc.c: setup_per_zone_wmarks).

    The reserves stay: writing the value does not recompute them. Raises NotReplayable when zones are missing.
    """
    marks = marks_at(snap, min_free_kbytes)
    zones = tuple(
        replace(
            z,
            mark_min=marks[snap.place(z)].min + z.boost,
            mark_low=marks[snap.place(z)].low + z.boost,
            mark_high=marks[snap.place(z)].high + z.boost,
        )
        for z in snap.zones
    )
    return replace(snap, zones=zones, min_free_kbytes=(min_free_kbytes, min_free_kbytes))


def marks_at(snap: Snapshot, min_free_kbytes: int) -> Sequence[ZoneMarks]:
    """Return the marks of every zone of the box at another min_free_kbytes, without a boost; ``Snapshot.place`` says
    where those of a zone are. Raises NotReplayable when zones are missing.
    """
    if not snap.whole:
        raise NotReplayable(f"the report does not show all zones that share in {MIN_FREE_KBYTES}")
    names = snap.zone_names * (1 + len(snap.elsewhere))
    pages = snap.present + tuple(size for _, sizes in snap.elsewhere for size in sizes)
    return _marks(snap.family.marks, names, pages, min_free_kbytes, snap.bits, snap.scale_factor, snap.page_kb)


@lru_cache(maxsize=4096)  # thresholds are looked for among the same values again and again
def _marks(
    rules: MarkRules,
    names: tuple[str, ...],
    pages: tuple[int, ...],
    min_free_kbytes: int,
    bits: int,
    scale_factor: int,
    page_kb: int,
) -> tuple[ZoneMarks, ...]:
    return tuple(
        setup_per_zone_wmarks(
            names, pages, min_free_kbytes, bits=bits, scale_factor=scale_factor, page_kb=page_kb, rules=rules
        )
    )


def with_lowmem_reserve_ratio(snap: Snapshot, ratios: tuple[int, ...]) -> Snapshot:
    """Return the snapshot with other reserves (page_alloc.c: setup_per_zone_lowmem_reserve). A ratio below 1 acts as 1,
    since 4.17 as no reserve.

    Raises NotReplayable when there are more ratios than the build has; missing ones keep the zone's reserve.
    """
    needed = len(snap.zone_names) - 1
    if len(ratios) > needed:
        raise NotReplayable(f"{LOWMEM_RESERVE_RATIO} has {needed} entries on this kernel, not {len(ratios)}")
    padded = (*ratios, *(1,) * (needed - len(ratios)))
    matrices = _reserves(snap, padded)
    return snap.with_zones(
        tuple(
            replace(z, reserve=matrices[z.node][z.index][snap.class_zone_index]) if z.index < len(ratios) else z
            for z in snap.zones
        )
    )


def with_reserve_ratio(snap: Snapshot, index: int, ratio: int) -> Snapshot:
    """Return the snapshot with another lowmem_reserve_ratio of the zone ``index`` alone."""
    ratios = [1] * (len(snap.zone_names) - 1)
    ratios[index] = ratio
    reserve = {node: matrix[index][snap.class_zone_index] for node, matrix in _reserves(snap, ratios).items()}
    return snap.with_zones(tuple(replace(z, reserve=reserve[z.node]) if z.index == index else z for z in snap.zones))


def _reserves(snap: Snapshot, ratios: Sequence[int]) -> dict[int, list[list[int]]]:
    """Return the reserves of each node: they are computed from that node's zones alone."""
    return {
        node: snap.family.setup_per_zone_lowmem_reserve(pages, ratios) for node, pages in snap.pages_by_node.items()
    }


def with_free_blocks(snap: Snapshot, zone: str, order: int, count: int) -> Snapshot:
    """Return the snapshot with ``count`` more free blocks of ``order`` in ``zone``. Raises NotReplayable."""
    at = next((z for z in snap.zones if z.name == zone), None)
    if at is None:
        raise NotReplayable(f"no zone {zone} can serve this request; it may take from {_names(snap)}")
    if order >= len(at.blocks):
        raise NotReplayable(f"zone {zone} has blocks of the orders 0 to {len(at.blocks) - 1}, not of order {order}")
    used = at.present - at.listed
    if count << order > used:
        raise NotReplayable(f"{count << order} pages cannot be freed in zone {zone}: {max(used, 0)} are in use")
    blocks = (*at.blocks[:order], at.blocks[order] + count, *at.blocks[order + 1 :])
    return snap.with_zones(tuple(z.with_blocks(blocks) if z is at else z for z in snap.zones))


def with_max_order(snap: Snapshot, max_order: int) -> Snapshot:
    """Return the snapshot with ``max_order`` free lists: blocks that are then too large lie there in pieces.

    With more lists than now, blocks of the present largest order that are buddies would be one; which are, no report
    shows, and no test of a smaller order depends on it. Raises NotReplayable outside 2 to 20.
    """
    if not SMALLEST_MAX_ORDER <= max_order <= LARGEST_MAX_ORDER:
        raise NotReplayable(f"MAX_ORDER is {SMALLEST_MAX_ORDER} to {LARGEST_MAX_ORDER}, not {max_order}")
    top = max_order - 1
    zones = []
    for zone in snap.zones:
        blocks = [*zone.blocks[:max_order], *(0,) * (max_order - len(zone.blocks))]
        blocks[top] += sum(count << (order - top) for order, count in enumerate(zone.blocks) if order > top)
        zones.append(replace(zone, blocks=tuple(blocks)))
    return snap.with_zones(tuple(zones))


def with_one_zone(snap: Snapshot) -> Snapshot:
    """Return the snapshot with the eligible zones as one: their lists together, marks anew, no reserve.

    Raises NotReplayable when there is nothing to join, a zone above is populated but may not serve the request (then
    its lists are not part of this snapshot), or vm.min_free_kbytes is not known.
    """
    index = snap.class_zone_index
    if len(snap.zones) < 2:
        raise NotReplayable(f"there is one zone already ({_names(snap)})")
    if snap.elsewhere:
        raise NotReplayable("zones of several memory nodes cannot be one")
    if any(snap.present[index + 1 :]):
        raise NotReplayable(
            f"the request may not use the zones above {snap.zone_names[index]}, so they cannot be joined"
        )
    if snap.min_free_kbytes is None:
        raise NotReplayable(f"{MIN_FREE_KBYTES} is not known, so the marks of one zone cannot be computed")
    length = max(len(zone.blocks) for zone in snap.zones)
    lists = [(*zone.blocks, *(0,) * (length - len(zone.blocks))) for zone in snap.zones]
    joined = replace(
        snap.zones[0],
        index=0,
        present=sum(zone.present for zone in snap.zones),
        free=sum(zone.free for zone in snap.zones),
        blocks=tuple(map(sum, zip(*lists, strict=True))),
        reserve=0,
    )
    one = replace(
        snap,
        zones=(joined,),
        zone_names=snap.zone_names[index:],
        present=(joined.present, *snap.present[index + 1 :]),
        class_zone_index=0,
    )
    return with_min_free_kbytes(one, snap.min_free_kbytes[1])  # the strictest that the marks allow


def _names(snap: Snapshot) -> str:
    return ", ".join(zone.name for zone in snap.zones)
