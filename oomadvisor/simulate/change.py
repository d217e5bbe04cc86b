"""Changes that can be applied to a snapshot, and what the kernel recomputes when they are made."""

from dataclasses import dataclass, replace

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
class SetOperation:
    """The task does something else instead (vfork and exec instead of fork and exec)."""

    operation: Operation


@dataclass(frozen=True, slots=True)
class SetRealtime:
    """The task runs under SCHED_FIFO or SCHED_RR: ALLOC_HARDER in the slow path (page_alloc.c: gfp_to_alloc_flags)."""


Change = SetSysctl | FreePages | SetOperation | SetRealtime


def apply(snap: Snapshot, change: SetSysctl | SetRealtime) -> Snapshot:
    """Return the snapshot as the kernel would have it right after the change.

    A sysctl that the test does not read leaves the snapshot as it is: that is the answer, not an omission.
    Raises NotReplayable when a value has the wrong number of entries.
    """
    if isinstance(change, SetRealtime):
        return replace(snap, realtime=True)
    if change.name == MIN_FREE_KBYTES:
        if len(change.values) != 1:
            raise NotReplayable(f"{MIN_FREE_KBYTES} takes one number, not {len(change.values)}")
        return with_min_free_kbytes(snap, change.values[0])
    if change.name == LOWMEM_RESERVE_RATIO:
        return with_lowmem_reserve_ratio(snap, change.values)
    return snap


def with_min_free_kbytes(snap: Snapshot, min_free_kbytes: int) -> Snapshot:
    """Return the snapshot with the marks of another min_free_kbytes (page_alloc.c: setup_per_zone_wmarks).

    The reserves stay: writing the value does not recompute them.
    """
    marks = snap.family.setup_per_zone_wmarks(snap.zone_names, snap.present, min_free_kbytes)
    return snap.with_zones(
        tuple(
            replace(z, mark_min=marks[z.index].min, mark_low=marks[z.index].low, mark_high=marks[z.index].high)
            for z in snap.zones
        )
    )


def with_lowmem_reserve_ratio(snap: Snapshot, ratios: tuple[int, ...]) -> Snapshot:
    """Return the snapshot with other reserves (page_alloc.c: setup_per_zone_lowmem_reserve). A ratio below 1 acts as 1.

    Raises NotReplayable when there are more ratios than the build has; missing ones keep the zone's reserve.
    """
    needed = len(snap.zone_names) - 1
    if len(ratios) > needed:
        raise NotReplayable(f"vm.lowmem_reserve_ratio has {needed} entries on this kernel, not {len(ratios)}")
    padded = (*ratios, *(1,) * (needed - len(ratios)))
    matrix = snap.family.setup_per_zone_lowmem_reserve(snap.present, padded)
    return snap.with_zones(
        tuple(
            replace(z, reserve=matrix[z.index][snap.class_zone_index]) if z.index < len(ratios) else z
            for z in snap.zones
        )
    )
