"""SLUB: which order a cache asks for, and which it falls back to when that fails."""

from oomadvisor.kernel.words import PAGE_SHIFT, PAGE_SIZE

__all__ = ["ENOSYS", "calculate_order", "get_order", "slab_order"]

ENOSYS = 38


def get_order(size: int) -> int:
    """Return the smallest order whose block holds ``size`` bytes (asm-generic/page.h: get_order, 2.6.31).

    >>> [get_order(size) for size in (1, 4096, 4097, 16384)]
    [0, 0, 1, 2]
    """
    return ((size - 1) >> PAGE_SHIFT).bit_length()


def slab_order(size: int, min_objects: int, max_order: int, fraction: int, *, slub_min_order: int = 0) -> int:
    """Return the first order that holds ``min_objects`` and wastes at most 1/``fraction`` of its block.

    mm/slub.c: slab_order, 2.6.31. The result is above ``max_order`` when there is none.
    """
    for order in range(slub_min_order, max_order + 1):
        slab_bytes = PAGE_SIZE << order
        if slab_bytes >= min_objects * size and slab_bytes % size <= slab_bytes // fraction:
            return order
    return max_order + 1


def calculate_order(
    size: int,
    *,
    slub_min_order: int = 0,
    slub_max_order: int = 3,
    slub_min_objects: int = 0,
    nr_cpu_ids: int = 1,
    max_order: int = 11,
) -> int:
    """Return the order that a cache of ``size``-byte objects asks for, −ENOSYS when no block is large enough.

    mm/slub.c: calculate_order, 2.6.31. ``size`` is already aligned. A cache that does not get it falls back to
    :func:`get_order` of its size.
    """
    wanted = slub_min_objects or 4 * (nr_cpu_ids.bit_length() + 1)
    for objects in range(min(wanted, (PAGE_SIZE << slub_max_order) // size), 1, -1):
        for fraction in (16, 8, 4):
            order = slab_order(size, objects, slub_max_order, fraction, slub_min_order=slub_min_order)
            if order <= slub_max_order:
                return order
    for limit in (slub_max_order, max_order - 1):
        order = slab_order(size, 1, limit, 1, slub_min_order=slub_min_order)
        if order <= limit:
            return order
    return -ENOSYS
