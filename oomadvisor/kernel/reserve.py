"""lowmem_reserve: the pages a zone keeps from requests that could also be served from higher zones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "ReserveRules",
    "default_ratios",
    "effective_ratios",
    "ratio_interval",
    "setup_per_zone_lowmem_reserve",
]


@dataclass(frozen=True, slots=True)
class ReserveRules:
    """What differs between kernels in how reserves are set (mm/page_alloc.c: setup_per_zone_lowmem_reserve).

    ``below_1``: a ratio below 1 is stored as 1, the largest reserve, or as 0, none (since 4.17, where the default of
    HighMem and Movable is 0 too). ``empty_zone``: one without pages gets a reserve as any other; or none, and it and
    zones of ratio 0 are left out of the sums of those below (5.8); or none, and the sums are whole (5.11).
    ``empty_above``: nothing is kept from a class zone without pages of its own (6.12.0, taken back later).
    """

    below_1: Literal["1", "0"] = "1"
    empty_zone: Literal["as any", "left out", "none"] = "as any"
    empty_above: bool = False


LINUX_2_6_31 = ReserveRules()


def effective_ratios(ratios: Sequence[int], *, rules: ReserveRules = LINUX_2_6_31) -> list[int]:
    """Return the ratios as the kernel uses and stores them: below 1 becomes 1, the largest reserve (since 4.17: 0)."""
    return [max(int(rules.below_1), ratio) for ratio in ratios]


def default_ratios(zones: Sequence[str], *, rules: ReserveRules = LINUX_2_6_31) -> list[int]:
    """Return sysctl_lowmem_reserve_ratio of a build with these zones (mm/page_alloc.c, 2.6.31): zones − 1 entries.

    >>> default_ratios(("DMA", "Normal", "HighMem", "Movable"))
    [256, 32, 32]
    """
    highmem = 32 if rules.below_1 == "1" else 0
    return [
        256 if zone in ("DMA", "DMA32") else highmem if zone in ("HighMem", "Movable") else 32 for zone in zones[:-1]
    ]


def setup_per_zone_lowmem_reserve(
    pages: Sequence[int], ratios: Sequence[int], *, rules: ReserveRules = LINUX_2_6_31
) -> list[list[int]]:
    """Return the reserve in pages as ``[zone][class zone]`` (mm/page_alloc.c: setup_per_zone_lowmem_reserve, 2.6.31).

    ``pages``: present pages of each zone, managed ones since 3.9. ``ratios`` has one entry for each zone but the
    highest.

    >>> setup_per_zone_lowmem_reserve((24384, 40640, 0), (256, 32))
    [[0, 158, 158], [0, 0, 0], [0, 0, 0]]
    """
    used = effective_ratios(ratios, rules=rules)
    matrix = [[0] * len(pages) for _ in pages]
    for zone in range(len(pages) - 1):
        if used[zone] == 0 or (rules.empty_zone != "as any" and pages[zone] == 0):
            continue
        above = 0
        for class_zone in range(zone + 1, len(pages)):
            above += pages[class_zone]
            counted = above
            if rules.empty_zone == "left out":
                between = range(zone + 1, class_zone)
                counted -= sum(pages[i] for i in between if used[i] == 0)
            if not (rules.empty_above and pages[class_zone] == 0):
                matrix[zone][class_zone] = counted // used[zone]
    return matrix


def ratio_interval(
    pages: Sequence[int], zone_index: int, reserves: Sequence[int], *, rules: ReserveRules = LINUX_2_6_31
) -> tuple[int, int | None] | None:
    """Return the smallest and largest ratio that give the printed ``lowmem_reserve[]`` row of a zone.

    The largest is None when every larger ratio gives the same row. The result is None when no ratio does, or when other
    zones' ratios matter, which the row does not tell (5.8 to 5.10). A ratio below 1 is stored as 1 and acts as 1; since
    4.17 as 0, and a row of zeros can also be that.

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
        above += pages[class_zone]
        if rules.empty_above and pages[class_zone] == 0:
            if reserve != 0:
                return None
            continue
        if rules.empty_zone == "left out" and class_zone > zone_index + 1:
            continue
        low = max(low, above // (reserve + 1) + 1)
        if reserve > 0:
            high = above // reserve if high is None else min(high, above // reserve)
    if high is not None and low > high:
        return None
    if rules.below_1 == "0" and not any(reserves):
        return 0, None
    return low, high
