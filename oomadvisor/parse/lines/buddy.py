"""The free block lines: how many blocks of each size are free in a zone."""

import re

from oomadvisor.parse.draft import Draft, ZoneDraft
from oomadvisor.parse.lineform import NODE, ZONE, Line, LineForm, Variant
from oomadvisor.parse.lines.head import read_nothing

_TERM = re.compile(r"(?P<count>-?\d{1,20})\*(?P<size>\d{1,9})kB(?: \((?P<types>[A-Z]{1,8})\))?")
_BLOCK = r"-?\d{1,20}\*\d{1,9}kB(?: \([A-Z]{1,8}\))?"
PAGE_SIZES_KB = (4, 8, 16, 32, 64, 128, 256)


def read_blocks(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Read the counts, when the sizes double from term to term and nothing is impossible in them."""
    node, name = int(match.group("node") or 0), match.group("zone")
    zone = draft.zone(node, name)
    if zone is None:
        return
    draft.at(f"zones.{node}.{name}.blocks", line.number)
    total = match.groupdict().get("total")
    terms = list(_TERM.finditer(match.group("terms")))
    sizes = [int(term.group("size")) for term in terms]
    if total is None:
        _refuse(draft, zone, line, "is cut off before its total")
    elif sizes[0] not in PAGE_SIZES_KB or sizes != [sizes[0] << order for order in range(len(sizes))]:
        _refuse(draft, zone, line, "does not list doubling block sizes")
    elif draft.page_kb not in (None, sizes[0]):
        _refuse(draft, zone, line, f"starts at {sizes[0]} kB while another zone's starts at {draft.page_kb} kB")
    else:
        draft.page_kb = sizes[0]
        zone.total_kb = int(total)
        zone.blocks = tuple(int(term.group("count")) for term in terms)
        if any(term.group("types") for term in terms):
            zone.block_types = tuple(term.group("types") or "" for term in terms)


def _refuse(draft: Draft, zone: ZoneDraft, line: Line, why: str) -> None:
    draft.warn("unreadable-line", f"The free block line of {zone.label} {why}; its counts are left out.", line.number)


def sums_up(_draft: Draft | None, match: re.Match[str]) -> bool:
    """Return whether the terms sum to the printed total: counts can be glued together in more than one way."""
    terms = _TERM.finditer(match.group("terms"))
    return sum(int(term.group("count")) * int(term.group("size")) for term in terms) == int(match.group("total"))


_ANY_ZONE = rf"{NODE}{ZONE}"

FORMS: tuple[LineForm, ...] = (
    LineForm(
        "blocks",
        ("kB",),
        rf"{_ANY_ZONE}: (?P<terms>{_BLOCK}(?: {_BLOCK}){{0,31}}) = (?P<total>-?\d{{1,20}})kB",
        read_blocks,
        "memory",
        reads_partial=True,
        proof=sums_up,
        partial=rf"{_ANY_ZONE}: (?P<terms>{_BLOCK}(?: {_BLOCK}){{0,31}})"
        r"(?: (?:-?\d{1,20}(?:\*(?:\d{1,9}k?)?)?|\([A-Z]{0,8}|=(?: \d{0,20}k?)?))?",
        variants=(Variant("blocks-types", r"\([A-Z]+\)", (3, 8)),),
    ),
    LineForm(
        "blocks-empty",
        (": empty",),
        rf"{_ANY_ZONE}: empty",
        read_nothing,
        until=(2, 6, 18),
    ),
    LineForm(
        "hugepages",
        ("hugepages_total=",),
        r"(?:Node \d{1,4} )?hugepages_total=\d+ hugepages_free=\d+ hugepages_surp=\d+ hugepages_size=\d+kB",
        read_nothing,
        since=(3, 10),
    ),
)
