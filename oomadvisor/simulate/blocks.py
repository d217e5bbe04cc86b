"""Taking a block out of free lists of which only the counts are known.

Which block the kernel takes depends on the migrate type of the lists, which no report shows. Of the requester's own
type it is the smallest that fits; of another type it is the largest (mm/page_alloc.c: __rmqueue, __rmqueue_fallback,
2.6.31). Both rules are here; what is left over when a block is split stays free in the orders below.
"""

from typing import Literal

Choice = Literal["smallest", "largest"]


def split_block(blocks: list[int], order: int, choice: Choice) -> bool:
    """Take one block of ``order`` out of ``blocks``, in place; False when no block is large enough.

    >>> blocks = [0, 0, 0, 1]
    >>> split_block(blocks, 1, "smallest"), blocks
    (True, [0, 1, 1, 0])
    """
    orders = range(order, len(blocks))
    for found in orders if choice == "smallest" else reversed(orders):
        if blocks[found] > 0:
            blocks[found] -= 1
            for lower in range(order, found):
                blocks[lower] += 1
            return True
    return False
