"""A second reading of a report, as crude as possible and independent of the parser, to measure the parser against.

All prefixes, line ends and blanks are thrown away, and zone lines and free block lines are searched for in what is
left. So it does not matter how a text was wrapped, quoted or joined; nor does anything here know one line from another.
"""

import quopri
import re
from collections import Counter
from typing import NamedTuple

from oomadvisor.model import Incident

_NAMES = r"(DMA32|DMA|Normal|HighMem|Movable|Device)"
_PREFIX = re.compile(
    r"^(?:[>|\s]*)(?:.*?\bkernel(?:\[\d+\])?: ?:? ?)?(?:.{0,60}?\[ *\d+\.\d+\](?:\[ *[TC]\d+\]| \[ *[TC]\d+\])?"
    r"(?: ?-?\(\d\)\[[^\]]*\])?|<\d>|.{0,30}\[[A-Z][a-z]{1,2} [A-Z][a-z]{2} [ \d]{2} [\d:]{8} \d{4}\])?\s*(?:c\d )?"
)
_INNER = re.compile(r"[A-Z][a-z]{2} [ \d]?\d [\d:]{8} \S+ kernel:")
_ZONE = re.compile(
    rf"(?:Node(\d+),?)?{_NAMES}free:(-?\d+)kB(?:boost:\d+kB)?min:(-?\d+)kBlow:(-?\d+)kBhigh:(-?\d+)kB"
    r"(?:(?!free:\d).){0,600}?present:(-?\d+)kB"
)
_BLOCKS = re.compile(rf"(?:Node(\d+),?)?{_NAMES}:((?:-?\d+\*\d+kB(?:\([A-Z]+\))?)+)=(-?\d+)kB")
_RESERVE = re.compile(r"lowmem_reserve\[\]:((?: -?\d+)+)(?= |$)")
_KINDS = {
    "oom": re.compile(r"oom-?kill|out of memory|killed process|VM: killing", re.IGNORECASE),
    "alloc-failure": re.compile(r"allocation\s+failure", re.IGNORECASE),
    "cgroup-oom": re.compile(r"memory cgroup|memcg|limit of|mem_cgroup", re.IGNORECASE),
}

Row = tuple[int | str, ...]


class Differences(NamedTuple):
    """What one reading has and the other has not. ``extra`` counts only where the crude scan saw as many lines."""

    seen: int
    lost: list[Row]
    invented: list[Row]


def names_kind(text: str, kind: str) -> bool:
    """Return whether any word of ``text`` speaks of an event of ``kind``."""
    return kind not in _KINDS or _KINDS[kind].search(text) is not None


def zone_differences(text: str, incidents: list[Incident]) -> Differences:
    """Compare the zones of all incidents in a report: sizes and marks in kB, and the free blocks of each order."""
    crude, read = _crude_rows(text), _read_rows(incidents)
    lost = Counter(crude) - Counter(read)
    extra = Counter(read) - Counter(crude)
    zones = [zone for incident in incidents for zone in incident.zones if zone.marks is not None]
    if all(zone.reserve_pages is not None for zone in zones):
        # The others are of zones without memory, which are no zones to the parser.
        lost = Counter({row: count for row, count in lost.items() if row[0] != "reserve"})
    # A line that the scan cannot see is no line that the parser made up: only more rows of a kind than it lost are.
    kinds = Counter(row[0] for row in lost.elements())
    invented = [row for row in extra.elements() if kinds[row[0]] > 0]
    return Differences(len(crude), list(lost.elements()), invented)


def _crude_rows(text: str) -> list[Row]:
    if "=3D" in text or "=\n" in text:
        text = quopri.decodestring(text.encode("utf-8", "replace")).decode("utf-8", "replace")
    lines = [_PREFIX.sub("", _INNER.sub("", line), count=1) for line in text.splitlines()]
    flat = re.sub(r"\s", "", "".join(lines))
    rows: list[Row] = []
    for match in _ZONE.finditer(flat):
        node, name, *sizes = match.groups()
        if int(sizes[-1]) != 0:
            rows.append(("zone", int(node or 0), name, *map(int, sizes)))
    for match in _BLOCKS.finditer(flat):
        counts = re.findall(r"(-?\d+)\*", match[3])
        rows.append(("blocks", int(match[1] or 0), match[2], *map(int, counts)))
    spaced = re.sub(r"\s+", " ", " ".join(lines))
    if len(_RESERVE.findall(spaced)) == len(re.findall("lowmem_reserve", spaced)):
        rows += [("reserve", *map(int, match[1].split())) for match in _RESERVE.finditer(spaced)]
    return rows


def _read_rows(incidents: list[Incident]) -> list[Row]:
    rows: list[Row] = []
    for incident in incidents:
        for zone in incident.zones:
            marks = zone.marks
            if zone.free_pages is not None and marks is not None and zone.present_pages is not None:
                pages = (zone.free_pages, marks.min, marks.low, marks.high, zone.present_pages)
                rows.append(("zone", zone.node, zone.name, *(size * incident.page_kb for size in pages)))
            if zone.free_blocks is not None:
                rows.append(("blocks", zone.node, zone.name, *zone.free_blocks))
            if zone.reserve_pages is not None:
                rows.append(("reserve", *zone.reserve_pages))
    return rows
