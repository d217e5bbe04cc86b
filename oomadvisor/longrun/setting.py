"""A setting under which a box runs: sysctls that the model reads, and what they come to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from oomadvisor.kernel.percpu import MIN_PERCPU_PAGELIST_FRACTION
from oomadvisor.kernel.words import INT_MAX, PAGE_KB
from oomadvisor.longrun.box import Box, NoLongRun
from oomadvisor.longrun.livezone import LiveZone
from oomadvisor.model.state import LOWMEM_RESERVE_RATIO, MIN_FREE_KBYTES

PERCPU_PAGELIST_FRACTION = "vm.percpu_pagelist_fraction"
KNOWN = (MIN_FREE_KBYTES, LOWMEM_RESERVE_RATIO, PERCPU_PAGELIST_FRACTION)


@dataclass(frozen=True, slots=True)
class Setting:
    """What is set before the load starts. None: as the box has it."""

    name: str
    min_free_kbytes: int | None = None
    lowmem_reserve_ratio: tuple[int, ...] | None = None
    percpu_pagelist_fraction: int | None = None

    def value_on(self, box: Box) -> int:
        """Return vm.min_free_kbytes under this setting."""
        return box.min_free_kbytes if self.min_free_kbytes is None else self.min_free_kbytes


AS_IT_IS = Setting("as it is")


def setting_of(sysctls: Mapping[str, Sequence[int]], name: str | None = None) -> Setting:
    """Return the setting that writes ``sysctls`` (dotted names, values as the kernel stores them).

    Raises :class:`NoLongRun` for a sysctl that the model does not read, or a value that it cannot run with.
    """
    for sysctl, values in sysctls.items():
        if sysctl not in KNOWN:
            raise NoLongRun(f"the long run does not read {sysctl}; it reads {', '.join(KNOWN)}")
        if not values or (sysctl != LOWMEM_RESERVE_RATIO and len(values) != 1):
            raise NoLongRun(f"{sysctl} takes one number, not {len(values)}")
    free = sysctls.get(MIN_FREE_KBYTES)
    if free is not None and not 0 <= free[0] <= INT_MAX:
        raise NoLongRun(f"{MIN_FREE_KBYTES} is {free[0]}; from 0 to {INT_MAX} can be run")
    ratios, fraction = sysctls.get(LOWMEM_RESERVE_RATIO), sysctls.get(PERCPU_PAGELIST_FRACTION)
    if fraction is not None and fraction[0] < MIN_PERCPU_PAGELIST_FRACTION:
        raise NoLongRun(
            f"{PERCPU_PAGELIST_FRACTION} is {fraction[0]}; the kernel takes {MIN_PERCPU_PAGELIST_FRACTION} or more"
        )
    words = ", ".join(f"{sysctl.removeprefix('vm.')}={' '.join(map(str, v))}" for sysctl, v in sysctls.items())
    return Setting(
        name=name or words or AS_IT_IS.name,
        min_free_kbytes=free[0] if free is not None else None,
        lowmem_reserve_ratio=tuple(ratios) if ratios is not None else None,
        percpu_pagelist_fraction=fraction[0] if fraction is not None else None,
    )


def check_setting(setting: Setting, box: Box) -> None:
    """Raise :class:`NoLongRun` when ``setting`` does not fit the box."""
    ratios = setting.lowmem_reserve_ratio
    if ratios is not None and len(ratios) != len(box.zone_names) - 1:
        raise NoLongRun(f"{LOWMEM_RESERVE_RATIO} has {len(box.zone_names) - 1} entries on this box, not {len(ratios)}")
    half_kb, value = box.present_pages * PAGE_KB // 2, setting.value_on(box)
    if not 0 <= value <= half_kb:
        raise NoLongRun(f"{MIN_FREE_KBYTES} is {value}; from 0 to half of the memory ({half_kb} kB) can be run")


def floor_pages(box: Box, setting: Setting) -> int:
    """Return the free pages below which GFP_KERNEL gets nothing: MIN and reserve of every zone that it may use."""
    marks = box.family.setup_per_zone_wmarks(box.zone_names, box.present, setting.value_on(box))
    ratios = setting.lowmem_reserve_ratio
    reserve = box.reserve if ratios is None else box.family.setup_per_zone_lowmem_reserve(box.present, ratios)
    usable = [i for i, name in enumerate(box.zone_names) if box.present[i] and name in ("DMA", "DMA32", "Normal")]
    class_zone = max(usable)
    return sum(marks[index].min + reserve[index][class_zone] for index in usable)


def write_setting(setting: Setting, box: Box, zones: Sequence[LiveZone]) -> None:
    """Write the sysctls: marks, RESERVE blocks, reserves and per-cpu lists change as the kernel changes them."""
    write_min_free_kbytes(setting.value_on(box), box, zones)
    if setting.lowmem_reserve_ratio is not None:
        matrix = box.family.setup_per_zone_lowmem_reserve(box.present, setting.lowmem_reserve_ratio)
        for zone in zones:
            zone.reserve = tuple(matrix[zone.index])
    if setting.percpu_pagelist_fraction is not None:
        for zone in zones:
            zone.set_pageset_fraction(setting.percpu_pagelist_fraction)


def write_min_free_kbytes(value: int, box: Box, zones: Sequence[LiveZone]) -> None:
    """Set marks and RESERVE blocks (mm/page_alloc.c: setup_per_zone_wmarks, 2.6.31).

    The first blocks of the lowest zone hold the kernel's image, so they are passed over.
    """
    marks = box.family.setup_per_zone_wmarks(box.zone_names, box.present, value)
    image_blocks = -(-box.image_pages >> (box.max_order - 1))
    for zone in zones:
        zone.marks = marks[zone.index]
        zone.buddy.setup_migrate_reserve(
            zone.marks.min,
            range(image_blocks) if zone is zones[0] else (),
        )
