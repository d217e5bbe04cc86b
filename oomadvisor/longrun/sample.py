"""What is read off a box from time to time while it runs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from oomadvisor.kernel.gfp import Gfp
from oomadvisor.kernel.marks import ZoneMarks
from oomadvisor.longrun.box import Box
from oomadvisor.longrun.workload import Workload
from oomadvisor.simulate.burst import burst_blocks


@dataclass(frozen=True, slots=True)
class Sample:
    """The box at one moment. Pages, and blocks of the watched order.

    ``at_ms``: time of the mix, ``clock_ms``: time on the box, which lags behind when storage is slow. ``free_blocks``
    per order, all zones together; ``large_pages``: free pages in blocks of the watched order or larger. ``usable``:
    blocks that GFP_KERNEL may take at MIN without reclaim; ``usable_lowered``: the same on the same lists with the
    lowest value of vm.min_free_kbytes in the comparison. ``atomic_pages``: pages that GFP_ATOMIC may take. ``stalls``
    direct reclaims, ``reclaimed`` pages and ``read_kb`` from storage, all since the start.
    """

    at_ms: int
    clock_ms: int
    free_pages: int
    free_blocks: tuple[int, ...]
    large_pages: int
    usable: int
    usable_lowered: int
    atomic_pages: int
    file_pages: int
    tmpfs_pages: int
    processes: int
    kills: int
    stalls: int
    reclaimed: int
    read_kb: int


def sample(load: Workload, at_ms: int, order: int, lowered: Sequence[ZoneMarks]) -> Sample:
    """Read the box. ``lowered``: the marks of every zone of the build at the lowest value of the comparison."""
    request = load.allocator.request(order, Gfp.GFP_KERNEL)
    zones = [replace(zone.snapshot(zone.index), reserve=reserve) for zone, reserve in request.zones]
    blocks = [zone.buddy.nr_free for zone in load.zones]
    free_blocks = tuple(map(sum, zip(*blocks, strict=True)))
    return Sample(
        at_ms=at_ms,
        clock_ms=load.clock.now_us // 1000,
        free_pages=sum(zone.free_pages for zone in load.zones),
        free_blocks=free_blocks,
        large_pages=sum(count << o for o, count in enumerate(free_blocks) if o >= order),
        usable=sum(burst_blocks(zone, order, Gfp.GFP_KERNEL) for zone in zones),
        usable_lowered=sum(
            burst_blocks(replace(zone, mark_min=lowered[zone.index].min), order, Gfp.GFP_KERNEL) for zone in zones
        ),
        atomic_pages=sum(burst_blocks(zone, 0, Gfp.GFP_ATOMIC) for zone in zones),
        file_pages=len(load.files),
        tmpfs_pages=load.tmpfs_pages,
        processes=len(load.processes),
        kills=len(load.kills),
        stalls=load.allocator.stalls,
        reclaimed=load.allocator.shrinker.reclaimed,
        read_kb=load.read_kb,
    )


def watched_order(box: Box) -> int:
    """Return the largest order that starting a command needs."""
    return max(box.operation.orders)
