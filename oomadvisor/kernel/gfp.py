"""The gfp mask of a request: its names, the zone it may reach, its mobility, and the flags of its slow path."""

from collections.abc import Sequence
from enum import IntEnum, IntFlag
from typing import NamedTuple

__all__ = [
    "COMPOSITES",
    "NORMAL_TASK",
    "Alloc",
    "Gfp",
    "MigrateType",
    "TaskContext",
    "flag_names",
    "gfp_zone",
    "is_valid_zone_selector",
    "migratetype",
    "slow_alloc_flags",
]


class Gfp(IntFlag):
    """Bits and composites of 2.6.31 (include/linux/gfp.h). ``WAIT`` is the kernel's __GFP_WAIT, and so on."""

    DMA = 0x01
    HIGHMEM = 0x02
    DMA32 = 0x04
    MOVABLE = 0x08
    WAIT = 0x10
    HIGH = 0x20
    IO = 0x40
    FS = 0x80
    COLD = 0x100
    NOWARN = 0x200
    REPEAT = 0x400
    NOFAIL = 0x800
    NORETRY = 0x1000
    COMP = 0x4000
    ZERO = 0x8000
    NOMEMALLOC = 0x10000
    HARDWALL = 0x20000
    THISNODE = 0x40000
    RECLAIMABLE = 0x80000
    NOTRACK = 0x200000

    GFP_ATOMIC = HIGH
    GFP_NOIO = WAIT
    GFP_NOFS = WAIT | IO
    GFP_KERNEL = WAIT | IO | FS
    GFP_TEMPORARY = GFP_KERNEL | RECLAIMABLE
    GFP_USER = GFP_KERNEL | HARDWALL
    GFP_HIGHUSER = GFP_USER | HIGHMEM
    GFP_HIGHUSER_MOVABLE = GFP_HIGHUSER | MOVABLE


COMPOSITES: tuple[tuple[str, int], ...] = (
    ("GFP_HIGHUSER_MOVABLE", Gfp.GFP_HIGHUSER_MOVABLE),
    ("GFP_HIGHUSER", Gfp.GFP_HIGHUSER),
    ("GFP_USER", Gfp.GFP_USER),
    ("GFP_TEMPORARY", Gfp.GFP_TEMPORARY),
    ("GFP_KERNEL", Gfp.GFP_KERNEL),
    ("GFP_NOFS", Gfp.GFP_NOFS),
    ("GFP_NOIO", Gfp.GFP_NOIO),
    ("GFP_ATOMIC", Gfp.GFP_ATOMIC),
)
"""What a mask is named after, most telling first. NOIO stands before ATOMIC: who may wait is not atomic."""

SINGLE_BITS: tuple[tuple[str, int], ...] = (
    ("__GFP_DMA", Gfp.DMA),
    ("__GFP_HIGHMEM", Gfp.HIGHMEM),
    ("__GFP_DMA32", Gfp.DMA32),
    ("__GFP_MOVABLE", Gfp.MOVABLE),
    ("__GFP_WAIT", Gfp.WAIT),
    ("__GFP_HIGH", Gfp.HIGH),
    ("__GFP_IO", Gfp.IO),
    ("__GFP_FS", Gfp.FS),
    ("__GFP_COLD", Gfp.COLD),
    ("__GFP_NOWARN", Gfp.NOWARN),
    ("__GFP_REPEAT", Gfp.REPEAT),
    ("__GFP_NOFAIL", Gfp.NOFAIL),
    ("__GFP_NORETRY", Gfp.NORETRY),
    ("__GFP_COMP", Gfp.COMP),
    ("__GFP_ZERO", Gfp.ZERO),
    ("__GFP_NOMEMALLOC", Gfp.NOMEMALLOC),
    ("__GFP_HARDWALL", Gfp.HARDWALL),
    ("__GFP_THISNODE", Gfp.THISNODE),
    ("__GFP_RECLAIMABLE", Gfp.RECLAIMABLE),
    ("__GFP_NOTRACK", Gfp.NOTRACK),
)

ZONE_SELECTOR_BITS = Gfp.DMA | Gfp.HIGHMEM | Gfp.DMA32 | Gfp.MOVABLE

ZONE_OF_SELECTOR: dict[int, str] = {
    0: "Normal",
    Gfp.DMA: "DMA",
    Gfp.HIGHMEM: "HighMem",
    Gfp.DMA32: "DMA32",
    Gfp.MOVABLE: "Normal",
    Gfp.MOVABLE | Gfp.DMA: "DMA",
    Gfp.MOVABLE | Gfp.HIGHMEM: "Movable",
    Gfp.MOVABLE | Gfp.DMA32: "DMA32",
}


class MigrateType(IntEnum):
    """Mobility of a request or pageblock (include/linux/mmzone.h, 2.6.31)."""

    UNMOVABLE = 0
    RECLAIMABLE = 1
    MOVABLE = 2
    RESERVE = 3
    ISOLATE = 4


class Alloc(IntFlag):
    """alloc_flags (mm/page_alloc.c, 2.6.31). The low two bits select the mark; WMARK_MIN is their value 0."""

    WMARK_MIN = 0x00
    WMARK_LOW = 0x01
    WMARK_HIGH = 0x02
    NO_WATERMARKS = 0x04
    HARDER = 0x10
    HIGH = 0x20
    CPUSET = 0x40


WMARK_MASK = Alloc.NO_WATERMARKS - 1


class TaskContext(NamedTuple):
    """What the allocator looks at in the running task. ``rt``: real-time priority, own or inherited."""

    rt: bool = False
    pf_memalloc: bool = False
    tif_memdie: bool = False
    in_interrupt: bool = False


NORMAL_TASK = TaskContext()


def flag_names(mask: int) -> tuple[str, ...]:
    """Return the names that make up ``mask``: a composite first, then the single bits beyond it, unknown bits as hex.

    >>> flag_names(0x201da)
    ('GFP_HIGHUSER_MOVABLE', '__GFP_COLD')
    """
    if mask == 0:
        return ("GFP_NOWAIT",)
    if mask == Gfp.DMA:
        return ("GFP_DMA",)
    if mask == Gfp.DMA32:
        return ("GFP_DMA32",)
    names: list[str] = []
    rest = int(mask)
    composite = next(((name, bits) for name, bits in COMPOSITES if mask & bits == bits), None)
    if composite is not None:
        names.append(composite[0])
        rest -= composite[1]
    for name, bit in SINGLE_BITS:
        if rest & bit:
            names.append(name)
            rest -= bit
    if rest:
        names.append(hex(rest))
    return tuple(names)


def is_valid_zone_selector(mask: int) -> bool:
    """Return whether the low four bits are one of the combinations that the kernel allows (GFP_ZONE_BAD, 2.6.31)."""
    return mask & ZONE_SELECTOR_BITS in ZONE_OF_SELECTOR


def gfp_zone(mask: int, zones: Sequence[str]) -> str:
    """Return the highest zone that ``mask`` allows in a build with ``zones`` (include/linux/gfp.h: gfp_zone, 2.6.31).

    A zone that is not built gives way to Normal. An invalid combination yields the lowest zone, as the table does.

    >>> gfp_zone(0xd0, ("DMA", "Normal", "Movable"))
    'Normal'
    """
    zone = ZONE_OF_SELECTOR.get(mask & ZONE_SELECTOR_BITS, zones[0])
    return zone if zone in zones else "Normal"


def migratetype(mask: int, *, mobility_disabled: bool = False) -> MigrateType:
    """Return the free lists that ``mask`` takes from first (include/linux/gfp.h: allocflags_to_migratetype, 2.6.31).

    Both mobility bits together, which the kernel only warns about, select RESERVE.
    """
    if mobility_disabled:
        return MigrateType.UNMOVABLE
    return MigrateType(2 * bool(mask & Gfp.MOVABLE) + bool(mask & Gfp.RECLAIMABLE))


def slow_alloc_flags(
    mask: int,
    context: TaskContext = NORMAL_TASK,
    *,
    rt_counts_in_interrupt: bool = False,
) -> Alloc:
    """Return the flags of the slow path (mm/page_alloc.c: gfp_to_alloc_flags, 2.6.31.7).

    ``rt_counts_in_interrupt``: before 2.6.31.7 an interrupt that hit a real-time task borrowed its privilege.
    The fast path is not decided here: it always uses WMARK_LOW | CPUSET.
    """
    flags = Alloc.WMARK_MIN | Alloc.CPUSET
    if mask & Gfp.HIGH:
        flags |= Alloc.HIGH
    if not mask & Gfp.WAIT:
        flags |= Alloc.HARDER
        flags &= ~Alloc.CPUSET
    elif context.rt and (rt_counts_in_interrupt or not context.in_interrupt):
        flags |= Alloc.HARDER
    privileged = (context.pf_memalloc or context.tif_memdie) and not context.in_interrupt
    if privileged and not mask & Gfp.NOMEMALLOC:
        flags |= Alloc.NO_WATERMARKS
    return flags
