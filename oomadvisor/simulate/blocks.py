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
    orders = range(order, len(blocks)) if choice == "smallest" else range(len(blocks) - 1, order - 1, -1)
    for found in orders:
        if blocks[found] > 0:
            blocks[found] -= 1
            for lower in range(order, found):
                blocks[lower] += 1
            return True
    return False


def split_singles(blocks: list[int], wanted: int, choice: Choice) -> int:
    """Take single pages out of ``blocks`` as :func:`split_block` would one after another; return how many there were.

    >>> blocks = [1, 0, 0, 2]
    >>> split_singles(blocks, 4, "largest"), blocks
    (4, [5, 4, 0, 0])
    """
    left = wanted
    if choice == "smallest":
        left -= (taken := min(left, blocks[0]))
        blocks[0] -= taken
        while left > 0 and split_block(blocks, 0, choice):
            left -= 1
        return wanted - left
    for found in reversed(range(len(blocks))):
        # What is left over of a block lies below: it is looked at when all of this order are gone.
        if (taken := min(left, blocks[found])) > 0:
            blocks[found] -= taken
            for lower in range(found):
                blocks[lower] += taken
            left -= taken
    return wanted - left
