"""How many more of an operation fit one after another, when the children stay alive.

Counted as the kernel was seen to eat (measured on 2.6.31.12, ARM, UP, no swap: within 1 of the number of children
in 272 of 283 boots without blocks of 64 kB and more, never more than 1 too high): each child's blocks are split off
the largest block first, it takes 7 single pages beside them, and for fork+exec the second page directory must fit
while the first is still held. With larger free blocks the real number is higher, so the count is a safe lower bound
there.
"""

from oomadvisor.model import Operation
from oomadvisor.simulate.blocks import Choice
from oomadvisor.simulate.lists import FreeLists, lists_of, serve, serve_singles
from oomadvisor.simulate.snapshot import Snapshot, asked_by

ORDER0_PAGES_PER_CHILD = 7
MAX_CHILDREN = 500
LARGEST_ORDER_MEASURED = 3


def children_that_stay(snap: Snapshot, operation: Operation, limit: int = MAX_CHILDREN) -> int:
    """Return how many of ``operation`` fit at MIN before the first that does not; ``limit`` = that or more.

    Of an operation that creates no process they are counted without the pages that a process takes beside its blocks.

    A step whose ``replaces`` is set gives the earlier block of its order back when the child is complete.
    """
    singles = ORDER0_PAGES_PER_CHILD if operation.creates_process else 0
    return _count(snap, operation, "largest", singles, limit)


def children_at_most(snap: Snapshot, operation: Operation, limit: int = MAX_CHILDREN) -> int:
    """Return how many of ``operation`` fit when every block is split from the smallest that fits, and nothing else.

    No layout gives more: this way the least is broken up. (Measured: about half of it where small blocks are free.)
    """
    return _count(snap, operation, "smallest", 0, limit)


def children_range(snap: Snapshot, operation: Operation) -> tuple[int, int]:
    """Return the least and the largest number of children that stay: the same where the measured model holds."""
    least = children_that_stay(snap, operation)
    return least, max(least, children_at_most(snap, operation)) if is_lower_bound(snap) else least


def _count(snap: Snapshot, operation: Operation, choice: Choice, singles: int, limit: int) -> int:
    held = tuple(step.order for step in operation.steps if not step.replaces)
    replacing = tuple(step.order for step in operation.steps if step.replaces)
    lists = lists_of(asked_by(snap, operation), "min")
    for children in range(limit):
        if not _child(lists, held, singles, replacing, choice):
            return children
    return limit


def is_lower_bound(snap: Snapshot) -> bool:
    """Return whether blocks larger than those of the measured states are free: then the count is only a lower bound."""
    return any(count > 0 for zone in snap.zones for count in zone.blocks[LARGEST_ORDER_MEASURED + 1 :])


def _child(
    lists: list[FreeLists], held: tuple[int, ...], singles: int, replacing: tuple[int, ...], choice: Choice
) -> bool:
    """Take all blocks of one child; False when one is not to be had."""
    given: dict[int, FreeLists] = {}
    for order in held:
        zone = serve(lists, order, choice)
        if zone is None:
            return False
        given[order] = zone
    if singles:
        zone = serve_singles(lists, singles, choice)
        if zone is None:
            return False
        given[0] = zone
    for order in replacing:
        if serve(lists, order, choice) is None:
            return False
        given[order].give(order)
    return True
