"""How many more of an operation fit one after another, when the children stay alive.

Counted as the kernel was seen to eat (measured on 2.6.31.12, ARM, UP, no swap: within 1 of the number of children in 272
of 283 boots without blocks of 64 kB and more, never more than 1 too high): each child's blocks are split off the largest
block first, it takes 7 single pages beside them, and for fork+exec the second page directory must fit while the first is
still held. With larger free blocks the real number is higher, so the count is a safe lower bound there.
"""

from oomadvisor.model import Operation
from oomadvisor.simulate.blocks import give_block
from oomadvisor.simulate.replay import serve
from oomadvisor.simulate.snapshot import Snapshot

ORDER0_PAGES_PER_CHILD = 7
MAX_CHILDREN = 500
LARGEST_ORDER_MEASURED = 3


def children_that_stay(snap: Snapshot, operation: Operation, limit: int = MAX_CHILDREN) -> int:
    """Return how many children of ``operation`` fit at MIN before the first that does not; ``limit`` = that or more.

    A step whose ``what`` says that it replaces an earlier block gives that block back when the child is complete.
    """
    held = tuple(step.order for step in operation.steps if not step.replaces)
    replacing = tuple(step.order for step in operation.steps if step.replaces)
    for children in range(limit):
        after = _child(snap, held, replacing)
        if after is None:
            return children
        snap = after
    return limit


def is_lower_bound(snap: Snapshot) -> bool:
    """Return whether blocks larger than those of the measured states are free: then the count is only a lower bound."""
    return any(count > 0 for zone in snap.zones for count in zone.blocks[LARGEST_ORDER_MEASURED + 1 :])


def _child(snap: Snapshot, held: tuple[int, ...], replacing: tuple[int, ...]) -> Snapshot | None:
    """Take all blocks of one child; None when one is not to be had."""
    given: dict[int, str] = {}
    for order in (*held, *(0,) * ORDER0_PAGES_PER_CHILD):
        served = serve(snap, order, "min", "largest")
        if served is None:
            return None
        snap, given[order] = served
    for order in replacing:
        served = serve(snap, order, "min", "largest")
        if served is None:
            return None
        snap = served[0]
        snap = snap.with_zones(
            tuple(z.with_blocks(give_block(z.blocks, order)) if z.name == given.get(order) else z for z in snap.zones)
        )
    return snap
