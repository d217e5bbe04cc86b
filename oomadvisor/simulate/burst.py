"""How many blocks a caller can take in one go before the watermark test stops it: what interrupts can count on.

The closed form of taking blocks one by one. A block of order k is cut from lists at or above k, and its remainders go
back to lists at or above k, so the pages in lists below k do not change during a burst: each comparison of the test
falls by 2^k pages with every block, and the one that is used up first ends the burst.
"""

from oomadvisor.kernel.gfp import NORMAL_TASK, Alloc, TaskContext, slow_alloc_flags
from oomadvisor.simulate.snapshot import ZoneSnapshot


def burst_limit(mark: int, flags: Alloc) -> int:
    """Return the pages of ``mark`` that must stay, by ``flags`` (mm/page_alloc.c: zone_watermark_ok, 2.6.31).

    >>> [burst_limit(390, flags) for flags in (Alloc.WMARK_MIN, Alloc.HIGH, Alloc.HARDER, Alloc.HIGH | Alloc.HARDER)]
    [390, 195, 293, 147]
    """
    if flags & Alloc.HIGH:
        mark -= mark // 2
    if flags & Alloc.HARDER:
        mark -= mark // 4
    return mark


def burst_blocks(
    zone: ZoneSnapshot, order: int, gfp_mask: int, *, reserve: int | None = None, context: TaskContext = NORMAL_TASK
) -> int:
    """Return how many blocks of ``order`` a burst under ``gfp_mask`` gets from ``zone`` at MIN, all held at once.

    ``reserve`` is the zone's reserve against the mask's class zone, ``zone.reserve`` where it is not given. Pages in
    per-cpu lists are not counted: for order 0 they can add as many as they hold. Nothing is reclaimed meanwhile.
    """
    flags = slow_alloc_flags(gfp_mask, context)
    blocks = sum(count << (o - order) for o, count in enumerate(zone.blocks) if o >= order)
    if flags & Alloc.NO_WATERMARKS:
        return blocks
    limit = burst_limit(zone.mark_min, flags)
    kept = zone.reserve if reserve is None else reserve
    usable, below = [(zone.free - limit - kept) >> order], 0
    for j in range(1, order + 1):
        below += zone.blocks[j - 1] << (j - 1) if j <= len(zone.blocks) else 0
        usable.append((zone.free - below - (limit >> j)) >> order)
    return max(min(blocks, *usable), 0)
