"""A gfp mask read in full: its bits, what it may do, how deep it may go, and how a request with it ends (2.6.31)."""

import re
from dataclasses import dataclass
from fractions import Fraction

from oomadvisor.kernel.allocation import PAGE_ALLOC_COSTLY_ORDER, ZoneSnapshot, alloc_pages
from oomadvisor.kernel.events import AllocationFailureMessage
from oomadvisor.kernel.gfp import (
    COMPOSITES,
    SINGLE_BITS,
    Alloc,
    Gfp,
    TaskContext,
    flag_names,
    gfp_zone,
    is_valid_zone_selector,
    migratetype,
    slow_alloc_flags,
)
from oomadvisor.kernel.marks import ZoneMarks
from oomadvisor.kernel.series import functions_for
from oomadvisor.kernel.watermark import Privileges, watermark_check
from oomadvisor.knowledge.files import read

KNOWN_BITS = sum(bit for _, bit in SINGLE_BITS)
TELLS_LATER = 0x400000
PLAYED_ON = (2, 6, 31, 12)
_REAL_TIME = TaskContext(rt=True)
FULL_MARK = 8000  # any number that halves and quarters exactly; the shares below do not depend on it


@dataclass(frozen=True, slots=True)
class Depth:
    """How much of the MIN mark stays closed to a request, as a share of it."""

    who: str
    share: Fraction


@dataclass(frozen=True, slots=True)
class MaskReading:
    """A decoded mask. ``names`` as reports of later kernels print them, ``bits`` name by name with their number.

    ``bits_hold``: the known bits mean what they mean in 2.6.31. ``zones``: the highest zone it may use, by what the
    build has. ``ends``: how a request ends that finds no block and nothing to reclaim, for orders up to 3 and for
    larger ones; played through the kernel's own path. ``notes``: what tells of another kernel.
    """

    value: int
    names: tuple[str, ...]
    bits: tuple[tuple[str, int], ...]
    unknown_bits: int
    bits_hold: bool
    zones: str
    mobility: str
    depths: tuple[Depth, ...]
    ends: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]

    @property
    def of_2_6_31(self) -> bool:
        """Whether nothing tells of another kernel, so that what is said of zones, reserve and end holds."""
        return not self.notes


def mask_value(text: str) -> int | None:
    """Return the mask that ``text`` writes as hex or as names joined by ``|`` or ``+``, None for anything else.

    A composite alone is a mask too; a bit alone is not, it has an entry of its own.

    >>> mask_value("0x201da") == mask_value("GFP_HIGHUSER_MOVABLE|__GFP_COLD")
    True
    """
    if re.fullmatch(r"0[xX][0-9a-fA-F]{1,8}", text.strip()):
        return int(text, 16)
    known = dict((*COMPOSITES, *SINGLE_BITS, ("GFP_NOWAIT", 0), ("GFP_DMA", 1), ("GFP_DMA32", 4)))
    names = [part.strip().upper() for part in re.split(r"[|+]", text)]
    if any(name not in known for name in names) or (len(names) == 1 and names[0].startswith("__")):
        return None
    value = 0
    for name in names:
        value |= int(known[name])
    return value


def read_mask(value: int) -> MaskReading:
    """Return what ``value`` (0 to 0xffffffff) means as a gfp mask of 2.6.31."""
    notes, later = _notes(value)
    return MaskReading(
        value=value,
        names=flag_names(value),
        bits=tuple((name, int(bit)) for name, bit in SINGLE_BITS if value & bit),
        unknown_bits=value & ~KNOWN_BITS,
        bits_hold=not later,
        zones=_zones(value),
        mobility=_mobility(value),
        depths=_depths(value),
        ends=tuple(_ends(value)),
        notes=notes,
    )


def _zones(value: int) -> str:
    if not is_valid_zone_selector(value):
        return "its zone bits are a combination that the kernel does not allow; the lowest zone is taken"
    plain = gfp_zone(value, ("DMA", "Normal", "Movable"))
    with_highmem = gfp_zone(value, ("DMA", "Normal", "HighMem", "Movable"))
    if plain == with_highmem == "DMA":
        return "DMA only"
    if plain == with_highmem == "Normal":
        return "Normal and below, never HighMem"
    down = "Movable and HighMem where they exist" if with_highmem == "Movable" else "HighMem where it exists"
    return f"{down}, then Normal and below"


def _mobility(value: int) -> str:
    if value & Gfp.MOVABLE and value & Gfp.RECLAIMABLE:
        return "both mobility bits are set, which the kernel warns about"
    return migratetype(value).name.capitalize()


def _depths(value: int) -> tuple[Depth, ...]:
    """Return the share of MIN that stays closed in the slow path, for a normal and for a real-time task."""

    def share(flags: Alloc) -> Fraction:
        may = Privileges(high=bool(flags & Alloc.HIGH), harder=bool(flags & Alloc.HARDER))
        return Fraction(watermark_check(0, (), 0, FULL_MARK, 0, flags=may).bound, FULL_MARK)

    normal = slow_alloc_flags(value)
    depths = [Depth("an ordinary task" if value & Gfp.WAIT else "whoever asks with it", share(normal))]
    if value & Gfp.WAIT:
        hurried = slow_alloc_flags(value, _REAL_TIME)
        depths.append(Depth("a real-time task", share(hurried)))
    return tuple(depths)


def _ends(value: int) -> "list[tuple[str, str]]":
    small, large = _end(value, PAGE_ALLOC_COSTLY_ORDER), _end(value, PAGE_ALLOC_COSTLY_ORDER + 1)
    if small == large:
        return [("any order", small)]
    return [(f"orders 0 to {PAGE_ALLOC_COSTLY_ORDER}", small), (f"order {PAGE_ALLOC_COSTLY_ORDER + 1} and more", large)]


def _end(value: int, order: int) -> str:
    """Play a request on a box where nothing is free and nothing can be reclaimed, and say how it ends."""
    marks = ZoneMarks(8, 10, 12)
    empty = ZoneSnapshot("Normal", 1024, marks, (0,), (0,) * 11)
    kernel = functions_for(PLAYED_ON)
    assert kernel is not None
    anywhere = value & ~int(Gfp.DMA | Gfp.HIGHMEM | Gfp.DMA32 | Gfp.MOVABLE)
    outcome = alloc_pages([empty], anywhere, order, kernel=kernel)
    if outcome.kills:
        return "the OOM killer is called, and the request is tried again"
    if outcome.result == "null":
        said = any(isinstance(event, AllocationFailureMessage) for event in outcome.events)
        when = "after one attempt to reclaim" if value & Gfp.WAIT else "at once"
        return f"it fails {when}, {'with' if said else 'without'} a message in the log; nothing is killed"
    return "it neither fails nor kills: it waits 20 ms and tries again, for ever"


def _notes(value: int) -> tuple[tuple[str, ...], bool]:
    """Return what tells of another kernel, and whether that kernel is so much later that all bits may differ."""
    notes = []
    rest, later = value & ~KNOWN_BITS, value & ~KNOWN_BITS >= TELLS_LATER
    for row in read("reference/gfp")["other_kernels"]:
        bits, without = row["bits"], row.get("without", 0)
        senseless = without and not later and not value & without
        if row["era"] == "earlier" and later:
            continue
        if value & bits == bits and (rest & bits or senseless):
            notes.append(row["text"])
            rest &= ~bits
            later = later or row["era"] == "later"
    if rest:
        notes.append(f"bits {rest:#x} are not used in 2.6.31")
    if later:
        notes.append("such a mask is not of 2.6.31, and its other bits may mean something else too")
    return tuple(notes), later
