"""What a change moves besides the verdict: room for single pages, what interrupts keep, kswapd's goal, pageblocks."""

from collections.abc import Sequence

from oomadvisor.kernel.buddy import mobility_disabled
from oomadvisor.kernel.gfp import NORMAL_TASK, Gfp, TaskContext
from oomadvisor.kernel.words import PAGE_KB
from oomadvisor.model import SystemState
from oomadvisor.model.trial import Effect
from oomadvisor.simulate.burst import burst_blocks
from oomadvisor.simulate.change import Change
from oomadvisor.simulate.overcommit import LargestFork, commit_state, largest_fork, with_changes
from oomadvisor.simulate.price import atomic_pages, floor_pages, safe_burst_pages, spinning_zones
from oomadvisor.simulate.snapshot import Snapshot, ZoneSnapshot

REALTIME = TaskContext(rt=True)
BURST_ORDERS = (0, 1, 2, 3)


def effects(before: Snapshot, after: Snapshot, orders: tuple[int, ...]) -> tuple[Effect, ...]:
    """Return everything besides the verdict that the two snapshots tell apart or have in common, in a fixed order.

    ``orders`` are those of the operation: kswapd is woken at the largest of them.
    """
    rows = [
        Effect(
            id="ordinary-pages",
            title="left for ordinary requests",
            unit="pages",
            before=ordinary_pages(before),
            after=ordinary_pages(after),
            source="mm/page_alloc.c: zone_watermark_ok at MIN, order 0",
        ),
        Effect(
            id="floor",
            title="floor where those stop",
            unit="pages",
            before=floor_pages(before),
            after=floor_pages(after),
            source="MIN + lowmem_reserve, all zones",
        ),
        Effect(
            id="atomic-reserve",
            title="kept there for interrupts",
            unit="pages",
            before=atomic_pages(before),
            after=atomic_pages(after),
            source="mm/page_alloc.c: zone_watermark_ok, ALLOC_HIGH and ALLOC_HARDER: 5/8 of MIN",
        ),
    ]
    if not before.family.measured:
        return (rows[1], rows[2])  # the others were measured on 2.6.31, or follow rules that were run on it alone
    if before.min_free_kbytes is not None and after.min_free_kbytes is not None:
        rows.append(
            Effect(
                id="safe-burst",
                title="safe in one burst of them",
                unit="pages",
                before=safe_burst_pages(before, before.min_free_kbytes[0]),
                after=safe_burst_pages(after, after.min_free_kbytes[0]),
                source="5/32 of vm.min_free_kbytes less full per-cpu lists; measured",
            )
        )
    rows += [
        Effect(
            id="atomic-now",
            title="GFP_ATOMIC blocks now, order",
            about=str(order),
            unit="blocks",
            before=_burst(before, order),
            after=_burst(after, order),
            source="mm/page_alloc.c: zone_watermark_ok, taken until it fails",
        )
        for order in BURST_ORDERS
    ]
    rows += _kswapd(before, after, max(orders))
    rows.append(
        Effect(
            id="kswapd-spins",
            title="kswapd can spin in",
            unit="zones",
            before=", ".join(spinning_zones(before)) or "none",
            after=", ".join(spinning_zones(after)) or "none",
            source="mm/vmscan.c: balance_pgdat; HIGH above MIN + lowmem_reserve",
        )
    )
    rows += _pageblocks(before, after)
    return tuple(rows)


def fork_limit(state: SystemState, changes: Sequence[Change]) -> Effect | None:
    """Return the largest task that can fork before and after, as overcommit allows; None when the report lacks it.

    In MB of private writable memory, as an interval where the report does not hold every counter. A fork beyond it
    fails with ENOMEM and leaves no report. Raises NotReplayable.
    """
    commit = commit_state(state)
    if commit is None:
        return None
    return Effect(
        id="largest-fork",
        title="largest task that can fork (MB)",
        unit="state",
        before=fork_words(largest_fork(commit)),
        after=fork_words(largest_fork(with_changes(commit, changes))),
        source="mm/mmap.c: __vm_enough_memory; kernel/fork.c: dup_mmap",
    )


def fork_words(limit: LargestFork) -> str:
    """Return the limit in MB, in words: a number, an interval, ``any``.

    >>> fork_words(LargestFork(34870, 37317)), fork_words(LargestFork(None, None)), fork_words(LargestFork(256, 256))
    ('136 to 146', 'any', '1')
    """
    low, high = ("any" if pages is None else str((pages * PAGE_KB + 512) // 1024) for pages in limit)
    return low if low == high else f"{low} to {high}"


def ordinary_pages(snap: Snapshot) -> int:
    """Return the single pages that GFP_KERNEL still gets at MIN without any reclaim; a real-time task gets more."""
    return sum(_taken(snap, zone, 0, Gfp.GFP_KERNEL) for zone in snap.zones)


def _burst(snap: Snapshot, order: int) -> int:
    return sum(_taken(snap, zone, order, Gfp.GFP_ATOMIC) for zone in snap.zones if order < len(zone.blocks))


def _taken(snap: Snapshot, zone: ZoneSnapshot, order: int, gfp_mask: int) -> int:
    context = REALTIME if snap.realtime and gfp_mask & Gfp.WAIT else NORMAL_TASK
    return burst_blocks(zone, order, gfp_mask, context=context)


def _kswapd(before: Snapshot, after: Snapshot, order: int) -> list[Effect]:
    """Return how far each zone is from where kswapd stops: HIGH at the order it was woken for, class zone 0."""
    old = {zone.name: zone for zone in before.zones}
    new = {zone.name: zone for zone in after.zones}
    return [
        Effect(
            id="kswapd-goal",
            title="short of kswapd's goal,",
            about=name,
            unit="pages",
            before=_missing(before, old.get(name), order),
            after=_missing(after, new.get(name), order),
            source=f"mm/vmscan.c: balance_pgdat, HIGH at order {order}",
        )
        for name in dict.fromkeys((*old, *new))
    ]


def _missing(snap: Snapshot, zone: ZoneSnapshot | None, order: int) -> int | None:
    """Return by how many pages the first failed comparison at HIGH is short; 0 when kswapd is content."""
    if zone is None or order >= len(zone.blocks):
        return None
    check = snap.family.watermark_check(
        zone.free, zone.blocks, order, zone.mark_high, 0, kinds=zone.kinds, bits=snap.bits, smp=snap.smp
    )
    return check.short


def _pageblocks(before: Snapshot, after: Snapshot) -> list[Effect]:
    """Return the RESERVE pageblocks of each zone, and whether pages are grouped by mobility (no hugetlb: a pageblock
    is the largest block).
    """
    rows = []
    old = {zone.name: zone for zone in before.zones}
    for zone in after.zones:
        was = old.get(zone.name)
        rows.append(
            Effect(
                id="reserve-pageblocks",
                title="RESERVE pageblocks,",
                about=zone.name,
                unit="pageblocks",
                before=None if was is None else _reserve_blocks(before, was),
                after=_reserve_blocks(after, zone),
                source="mm/page_alloc.c: setup_zone_migrate_reserve",
            )
        )
    rows.append(
        Effect(
            id="mobility-grouping",
            title="grouping by mobility, pageblock",
            unit="state",
            before=_grouping(before),
            after=_grouping(after),
            source="mm/page_alloc.c: build_all_zonelists",
        )
    )
    return rows


def _reserve_blocks(snap: Snapshot, zone: ZoneSnapshot) -> int:
    order = len(zone.blocks) - 1
    wanted = -(-zone.mark_min >> order)
    most = snap.family.buddy.max_reserve_blocks if snap.family.buddy else None
    return wanted if most is None else min(wanted, most)


def _grouping(snap: Snapshot) -> str:
    order = max(len(zone.blocks) for zone in snap.zones) - 1
    off = mobility_disabled(snap.all_pages, order)
    return f"{'off' if off else 'on'} ({PAGE_KB << order} kB)"
