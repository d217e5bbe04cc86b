"""lowmem_reserve: the pages a zone keeps from requests that could also be served from higher zones."""

from collections.abc import Sequence

__all__ = [
    "default_ratios",
    "effective_ratios",
    "ratio_interval",
    "setup_per_zone_lowmem_reserve",
]


def effective_ratios(ratios: Sequence[int]) -> list[int]:
    """Return the ratios as the kernel uses and stores them: below 1 becomes 1, the largest reserve, not none."""
    return [max(1, ratio) for ratio in ratios]


def default_ratios(zones: Sequence[str]) -> list[int]:
    """Return sysctl_lowmem_reserve_ratio of a build with these zones (mm/page_alloc.c, 2.6.31): zones − 1 entries.

    >>> default_ratios(("DMA", "Normal", "HighMem", "Movable"))
    [256, 32, 32]
    """
    return [256 if zone in ("DMA", "DMA32") else 32 for zone in zones[:-1]]


def setup_per_zone_lowmem_reserve(present: Sequence[int], ratios: Sequence[int]) -> list[list[int]]:
    """Return the reserve in pages as ``[zone][class zone]`` (mm/page_alloc.c: setup_per_zone_lowmem_reserve, 2.6.31).

    ``ratios`` has one entry for each zone but the highest.

    >>> setup_per_zone_lowmem_reserve((24384, 40640, 0), (256, 32))
    [[0, 158, 158], [0, 0, 0], [0, 0, 0]]
    """
    used = effective_ratios(ratios)
    matrix = [[0] * len(present) for _ in present]
    for zone in range(len(present) - 1):
        above = 0
        for class_zone in range(zone + 1, len(present)):
            above += present[class_zone]
            matrix[zone][class_zone] = above // used[zone]
    return matrix


def ratio_interval(present: Sequence[int], zone_index: int, reserves: Sequence[int]) -> tuple[int, int | None] | None:
    """Return the smallest and largest ratio that give the printed ``lowmem_reserve[]`` row of a zone.

    The largest is None when every larger ratio gives the same row. The result is None when no ratio does. A ratio
    below 1 is stored as 1 and acts as 1.

    >>> ratio_interval((24384, 40640, 0), 0, (0, 158, 158))
    (256, 257)
    """
    low, high = 1, None
    above = 0
    for class_zone, reserve in enumerate(reserves):
        if class_zone <= zone_index:
            if reserve != 0:
                return None
            continue
        above += present[class_zone]
        low = max(low, above // (reserve + 1) + 1)
        if reserve > 0:
            high = above // reserve if high is None else min(high, above // reserve)
    if high is not None and low > high:
        return None
    return low, high
