"""The gfp mask of a request: its names, the zone it may reach, its mobility, and the flags of its slow path."""

from collections.abc import Mapping, Sequence
from enum import IntEnum, IntFlag
from typing import Literal, NamedTuple

from oomadvisor.kernel.gfp_bits import bits_of
from oomadvisor.kernel.watermark import Privileges

__all__ = [
    "BITS_2_6_31",
    "COMPOSITES",
    "NORMAL_TASK",
    "SINCE_2_6_31",
    "SINGLE_BITS",
    "Alloc",
    "Gfp",
    "MigrateType",
    "Mobility",
    "SlowRules",
    "TaskContext",
    "flag_names",
    "gfp_zone",
    "gfp_zone_by_tests",
    "is_valid_zone_selector",
    "migratetype",
    "mobility",
    "mobility_order",
    "slow_alloc_flags",
    "slow_privileges",
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


SINCE_2_6_31 = (2, 6, 31)
BITS_2_6_31 = bits_of(SINCE_2_6_31)

COMPOSITE_NAMES = (
    "GFP_TRANSHUGE",
    "GFP_TRANSHUGE_LIGHT",
    "GFP_HIGHUSER_MOVABLE",
    "GFP_HIGHUSER",
    "GFP_USER",
    "GFP_TEMPORARY",
    "GFP_KERNEL_ACCOUNT",
    "GFP_KERNEL",
    "GFP_NOFS",
    "GFP_NOIO",
    "GFP_ATOMIC",
    "GFP_NOWAIT",
)
"""What a mask is named after, most telling first. NOIO stands before ATOMIC: who may wait is not atomic."""

COMPOSITES = tuple((name, BITS_2_6_31[name]) for name in COMPOSITE_NAMES if BITS_2_6_31.get(name))
SINGLE_BITS = tuple(
    sorted(((name, bit) for name, bit in BITS_2_6_31.items() if name.startswith("__")), key=lambda pair: pair[1])
)
"""The composites and the bits of 2.6.31 with their values."""

WHOLE_MASKS = ("GFP_NOWAIT", "GFP_DMA", "GFP_DMA32")
"""Names of nothing but a zone, or of nothing at all: only a mask without anything else is called so."""

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


def flag_names(mask: int, bits: Mapping[str, int] = BITS_2_6_31) -> tuple[str, ...]:
    """Return the names that make up ``mask``: a composite first, then the single bits beyond it, unknown bits as hex.

    ``bits``: the values of the kernel in question (:func:`oomadvisor.kernel.gfp_bits.bits_of`).

    >>> flag_names(0x201da)
    ('GFP_HIGHUSER_MOVABLE', '__GFP_COLD')
    """
    whole = next((name for name in WHOLE_MASKS if bits.get(name) == mask), None)
    if whole is not None:
        return (whole,)
    names: list[str] = []
    rest = int(mask)
    composite = next((name for name in COMPOSITE_NAMES if bits.get(name) and mask & bits[name] == bits[name]), None)
    if composite is not None:
        names.append(composite)
        rest -= bits[composite]
    for name, bit in bits.items():
        if name.startswith("__") and rest & bit and bit & (bit - 1) == 0:
            names.append(name)
            rest -= bit
    if rest or not names:
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


def gfp_zone_by_tests(mask: int, zones: Sequence[str], bits: Mapping[str, int]) -> str:
    """Return the highest zone that ``mask`` allows before 2.6.31 (include/linux/gfp.h: gfp_zone, 2.6.19 and 2.6.23).

    The zones are asked for one after another; one that is not built is not asked for.

    >>> gfp_zone_by_tests(0x1200d2, ("DMA", "Normal", "HighMem", "Movable"), bits_of((2, 6, 24)))
    'Movable'
    """
    movable = bits.get("__GFP_MOVABLE", 0)
    for zone, wanted in (
        ("DMA", bits["__GFP_DMA"]),
        ("DMA32", bits.get("__GFP_DMA32", 0)),
        ("Movable", movable and movable | bits["__GFP_HIGHMEM"]),
        ("HighMem", bits["__GFP_HIGHMEM"]),
    ):
        if wanted and zone in zones and mask & wanted == wanted:
            return zone
    return "Normal"


Mobility = Literal["Unmovable", "Reclaimable", "Movable", "Reserve", "HighAtomic"]


def mobility(mask: int, bits: Mapping[str, int]) -> Mobility | None:
    """Return which free lists ``mask`` takes from first; None before 2.6.24 (include/linux/gfp.h: gfp_migratetype).

    Both mobility bits together, which a kernel only warns about, select the type behind the ordinary three.
    """
    if "__GFP_RECLAIMABLE" not in bits:
        return None
    movable, reclaimable = mask & bits["__GFP_MOVABLE"], mask & bits["__GFP_RECLAIMABLE"]
    if movable and reclaimable:
        return "HighAtomic" if "__GFP_DIRECT_RECLAIM" in bits else "Reserve"
    return "Movable" if movable else "Reclaimable" if reclaimable else "Unmovable"


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


def mobility_order(bits: Mapping[str, int]) -> tuple[Mobility, ...]:
    """Return the types in the order of their numbers, which 4.4 changed (include/linux/mmzone.h: MIGRATE_TYPES)."""
    if "__GFP_DIRECT_RECLAIM" in bits:
        return ("Unmovable", "Movable", "Reclaimable", "HighAtomic")
    return ("Unmovable", "Reclaimable", "Movable", "Reserve")


class SlowRules(NamedTuple):
    """How the slow path of a kernel turns a mask into privileges (mm/page_alloc.c: gfp_to_alloc_flags).

    ``harder``: who gets ALLOC_HARDER: a mask without WAIT; also without NOMEMALLOC (2.6.38); also without NO_KSWAPD
    (3.16); one with the bit ATOMIC and without NOMEMALLOC (4.4); since 6.3 it is called NON_BLOCK and goes to one
    without DIRECT_RECLAIM and NOMEMALLOC. ``realtime``: what a real-time task gets. ``cma``: ALLOC_CMA for movable
    requests (3.7). ``highatomic``: ALLOC_HIGHATOMIC for large NON_BLOCK requests (6.3), of MIN_RESERVE only (6.18).
    """

    harder: Literal["no wait", "not nomemalloc", "not no_kswapd", "atomic bit", "non block"] = "no wait"
    realtime: Literal["harder", "high"] = "harder"
    cma: bool = False
    highatomic: Literal["none", "non block", "min reserve"] = "none"


def slow_privileges(
    mask: int, order: int, context: TaskContext, *, bits: Mapping[str, int], rules: SlowRules
) -> Privileges:
    """Return the privileges of an attempt in the slow path, as they were read in each kernel.

    Whether marks are passed over altogether (PF_MEMALLOC, a dying task) is not decided here.
    """
    waits = bool(mask & (bits.get("__GFP_WAIT") or bits["__GFP_DIRECT_RECLAIM"]))
    wants_mark = bool(mask & bits.get("__GFP_NOMEMALLOC", 0))
    high = bool(mask & bits["__GFP_HIGH"])
    if rules.harder == "no wait":
        harder = not waits
    elif rules.harder == "atomic bit":
        harder = bool(mask & bits["__GFP_ATOMIC"]) and not wants_mark
    else:
        harder = not waits and not wants_mark
        if rules.harder == "not no_kswapd" and mask & bits["__GFP_NO_KSWAPD"]:
            harder = False
    if context.rt and not context.in_interrupt:
        if rules.realtime == "harder":
            harder = True
        elif waits:
            high = True
    return Privileges(
        high=high,
        harder=harder,
        cma=rules.cma and mobility(mask, bits) == "Movable",
        highatomic=rules.highatomic != "none" and harder and order > 0 and (high or rules.highatomic == "non block"),
    )
