"""Taking a block out of free lists of which only the counts are known.

Which block the kernel takes depends on the migrate type of the lists, which no report shows. Of the requester's own
type it is the smallest that fits; of another type it is the largest (mm/page_alloc.c: __rmqueue,
__rmqueue_fallback, 2.6.31). Both rules are here; what is left over when a block is split stays free in the orders
below.
"""

from typing import Literal

Choice = Literal["smallest", "largest"]


def take_block(blocks: tuple[int, ...], order: int, choice: Choice = "smallest") -> tuple[int, ...] | None:
    """Return the lists after one block of ``order`` was taken, or None when no block is large enough.

    >>> take_block((0, 0, 0, 1), 1)
    (0, 1, 1, 0)
    """
    orders = range(order, len(blocks))
    found = next((o for o in (orders if choice == "smallest" else reversed(orders)) if blocks[o] > 0), None)
    if found is None:
        return None
    after = list(blocks)
    after[found] -= 1
    for lower in range(order, found):
        after[lower] += 1
    return tuple(after)
