"""Which zones a request may take from, in which order, and the class zone that its reserves are counted against."""

from collections.abc import Sequence

__all__ = ["ZONE_NAMES", "class_zone_index", "is_highmem", "zonelist"]

ZONE_NAMES = ("DMA", "DMA32", "Normal", "HighMem", "Movable")
"""All zones a build can have, lowest first (include/linux/mmzone.h: enum zone_type, 2.6.31)."""


def is_highmem(zone: str, *, movable_is_highmem: bool = False) -> bool:
    """Return whether ``zone`` lies outside the kernel's direct mapping (include/linux/mmzone.h: is_highmem, 2.6.31).

    ``movable_is_highmem``: the Movable zone was cut out of HighMem (kernelcore=; never on ARM 2.6.31).
    """
    return zone == "HighMem" or (movable_is_highmem and zone == "Movable")


def zonelist(zones: Sequence[str], populated: Sequence[bool], highest: str) -> list[int]:
    """Return the indices of the zones to try, best first (mm/page_alloc.c: build_zonelists_node, 2.6.31).

    ``highest`` is the highest zone that the mask allows (:func:`oomadvisor.kernel.gfp.gfp_zone`).

    >>> zonelist(("DMA", "Normal", "Movable"), (True, True, False), "Movable")
    [1, 0]
    """
    return [index for index in range(zones.index(highest), -1, -1) if populated[index]]


def class_zone_index(zones: Sequence[str], populated: Sequence[bool], highest: str) -> int:
    """Return the index of the first populated zone of the list (mm/page_alloc.c: __alloc_pages_nodemask, 2.6.31).

    Raises ValueError when no allowed zone holds memory; the kernel then returns no page without looking further.
    """
    allowed = zonelist(zones, populated, highest)
    if not allowed:
        raise ValueError(f"no populated zone at or below {highest}")
    return allowed[0]
