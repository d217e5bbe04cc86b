"""The zone lines, the node lines of 4.8 and later, and lowmem_reserve."""

import re

from oomadvisor.parse.draft import Draft
from oomadvisor.parse.fields import BROKEN_FIELD, NODE_SIZES, RECLAIM_FIELD, SCANNED_FIELD, SIZE_FIELD, ZONE_SIZES
from oomadvisor.parse.lineform import NODE, ZONE, Line, LineForm, N, Variant

_FIELD = re.compile(
    rf"(?P<name>[A-Za-z_()]{{1,24}}): ?(?P<value>{N})[kK]B|pages_scanned:(?P<scanned>{N}) |"
    r"all_unreclaimable\? (?P<stuck>yes|no)"
)


def read_zone(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Read the sizes of a zone. Every size ends with its unit, so a cut line loses only what is not there."""
    node, name = int(match.group("node") or 0), match.group("zone")
    zone = draft.zone(node, name)
    if zone is None:
        return
    zone.has_line = True
    draft.last_zone = zone
    draft.at(f"zones.{node}.{name}", line.number)
    for field in _FIELD.finditer(match.group("fields")):
        if field.group("scanned") is not None:
            zone.pages_scanned = int(field.group("scanned"))
        elif field.group("stuck") is not None:
            zone.all_unreclaimable = field.group("stuck") == "yes"
        elif field.group("name") in ZONE_SIZES:
            zone.fields_kb.setdefault(field.group("name"), int(field.group("value")))


def read_node(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Read a node's sizes; the model keeps them beside the global counters, as ``nodeN.name``."""
    node = int(match.group("node"))
    draft.at("counters", line.number)
    for field in _FIELD.finditer(match.group("fields")):
        if field.group("stuck") is not None:
            draft.other_counters.setdefault(f"node{node}.all_unreclaimable", int(field.group("stuck") == "yes"))
        elif field.group("scanned") is not None:
            draft.other_counters.setdefault(f"node{node}.pages_scanned", int(field.group("scanned")))
        elif field.group("name") in ZONE_SIZES or field.group("name") in NODE_SIZES:
            draft.node_fields_kb.setdefault(f"node{node}.{field.group('name')}", int(field.group("value")))


def read_reserve(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Read the reserve of the zone printed just before."""
    zone = draft.last_zone
    if zone is None or zone.reserves:
        return
    if line.cut:
        draft.warn("cut-line", f"The lowmem_reserve line of {zone.label} was cut off and is left out.", line.number)
        return
    zone.reserves = [tuple(int(word) for word in match.group("values").split())]
    draft.ends.append((line.width, lambda _draft: zone.reserves.clear()))
    draft.at(f"zones.{zone.node}.{zone.name}.reserve", line.number)


_SIZES = rf"(?: (?:{SIZE_FIELD}|{SCANNED_FIELD}|{RECLAIM_FIELD}))*"
_LAST = rf" (?:{RECLAIM_FIELD}|free_cma: ?{N}[kK]B)"

FORMS: tuple[LineForm, ...] = (
    LineForm(
        "zone",
        (" free:",),
        rf"{NODE}{ZONE}(?P<fields> free: ?{N}kB(?: boost:{N}kB)? min: ?{N}kB{_SIZES}{_LAST})",
        read_zone,
        "memory",
        reads_partial=True,
        partial=rf"{NODE}{ZONE}(?P<fields> free:"
        rf"(?: ?{N}kB(?: boost:{N}kB)?{_SIZES}(?: {BROKEN_FIELD})?| ?\d{{0,20}}k?))",
        damaged=rf"{NODE}{ZONE}(?P<fields> free: ?{N}kB(?: boost:{N}kB)? min: ?{N}kB{_SIZES}) .{{1,4000}}",
        variants=(
            Variant("zone-free_highatomic", r"free_highatomic:", (6, 13)),
            Variant("zone-boost", r"boost:", (5, 16)),
            Variant("zone-highatomic-kernel_stack", r"reserved_highatomic:.* kernel_stack:", (5, 6), (5, 8)),
            Variant("zone-highatomic-pagetables", r"reserved_highatomic:.* pagetables:", (5, 6), (5, 10)),
            Variant("zone-reserved_highatomic", r"reserved_highatomic:", (5, 6)),
            Variant("zone-writepending-slab", r"writepending:.* slab_reclaimable:", (4, 8), (4, 12)),
            Variant("zone-writepending-kernel_stack", r"writepending:.* kernel_stack:", (4, 8), (5, 5)),
            Variant("zone-writepending", r"writepending:", (4, 8)),
            Variant("zone-free_pcp", r"free_pcp:", (4, 1), (4, 7)),
            Variant("zone-managed", r"managed:", (3, 8), (4, 0)),
            Variant("zone-free_cma", r"free_cma:", (3, 7), (3, 7)),
            Variant("zone-isolated", r"isolated\(", (2, 6, 32), (3, 6)),
            Variant("zone-active_anon", r" active_anon:", (2, 6, 28), (2, 6, 31)),
            Variant("zone-active", r" active:", (2, 6, 12), (2, 6, 27)),
        ),
    ),
    LineForm(
        "node",
        ("Node ",),
        rf"Node (?P<node>\d{{1,4}})(?P<fields> active_anon:{N}kB{_SIZES} {RECLAIM_FIELD}(?: Balloon: ?{N}kB)?)",
        read_node,
        "memory",
        reads_partial=True,
        partial=rf"Node (?P<node>\d{{1,4}})(?P<fields> active_anon:(?:{N}kB{_SIZES}(?: {BROKEN_FIELD})?|\d{{0,20}}k?))",
        damaged=rf"Node (?P<node>\d{{1,4}})(?P<fields> active_anon:{N}kB{_SIZES}) .{{1,4000}}",
        since=(4, 8),
        variants=(
            Variant("node-Balloon", r"Balloon:", (6, 18)),
            Variant("node-sec_pagetables", r"sec_pagetables:", (6, 1)),
            Variant("node-pagetables", r" pagetables:", (5, 11)),
            Variant("node-kernel_stack", r" kernel_stack:", (5, 9)),
            Variant("node-pages_scanned", r" pages_scanned:", (4, 8), (4, 11)),
            Variant("node-unstable", r" unstable:", (4, 8), (5, 7)),
        ),
    ),
    LineForm(
        "lowmem-reserve",
        ("lowmem_reserve[]:",),
        rf"lowmem_reserve\[\]:(?P<values>(?: {N}){{1,8}})",
        read_reserve,
        "memory",
        partial=r"lowmem_reserve\[\]:",
        grows=False,
        since=(2, 6, 11),
    ),
)
