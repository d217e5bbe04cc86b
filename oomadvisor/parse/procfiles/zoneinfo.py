"""/proc/zoneinfo, /proc/buddyinfo and /proc/pagetypeinfo: the zones, their marks, and their free blocks."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from oomadvisor.parse.procfiles.notes import Notes, NumberedLine

ZoneKey = tuple[int, str]

_HEAD = re.compile(r"\s*Node\s+(?P<node>\d{1,4}), zone\s+(?P<zone>\w{1,16})\s*")
_BUDDY = re.compile(r"\s*Node\s+(?P<node>\d{1,4}), zone\s+(?P<zone>\w{1,16})(?P<counts>(?:\s+-?\d{1,20}){1,32})\s*")
_PAGES = re.compile(
    r"\s*(?:pages\s+)?(?P<name>free|boost|min|low|high|promo|scanned|spanned|present|managed|cma)"
    r"\s+(?P<value>\d{1,20})\s*.*"
)
_COUNTER = re.compile(r"\s*(?P<name>nr_\w{1,40})\s+(?P<value>-?\d{1,20})\s*")
_PROTECTION = re.compile(r"\s*protection: \((?P<values>[\d\s,]{0,400})\)\s*")
_STUCK = re.compile(r"\s*(?:all|node)_unreclaimable:\s+(?P<value>[01])\s*")
#: zone counters and the model fields that hold them; up to 4.7 without the ``zone_`` in the name.
_COUNTERS = {
    "nr_inactive_anon": "inactive_anon_pages",
    "nr_active_anon": "active_anon_pages",
    "nr_inactive_file": "inactive_file_pages",
    "nr_active_file": "active_file_pages",
    "nr_unevictable": "unevictable_pages",
    "nr_mlock": "mlocked_pages",
    "nr_isolated_anon": "isolated_anon_pages",
    "nr_isolated_file": "isolated_file_pages",
    "nr_free_cma": "free_cma_pages",
}
_SIZES = {
    "free": "free_pages",
    "boost": "boost_pages",
    "scanned": "pages_scanned",
    "spanned": "spanned_pages",
    "present": "present_pages",
    "managed": "managed_pages",
}
_MAX_ZONES = 256


@dataclass
class ZoneRecord:
    """What one file says about a zone, under the model's field names."""

    line: int
    values: dict[str, Any] = field(default_factory=dict)
    marks: dict[str, int] = field(default_factory=dict)
    other: dict[str, int] = field(default_factory=dict)


def read_zoneinfo(lines: Sequence[NumberedLine], notes: Notes) -> dict[ZoneKey, ZoneRecord]:
    """Return each zone's pages, marks, reserve and counters."""
    zones: dict[ZoneKey, ZoneRecord] = {}
    zone: ZoneRecord | None = None
    per_node = False
    for number, text in lines:
        head = _HEAD.fullmatch(text)
        if head is not None:
            zone = ZoneRecord(number)
            if len(zones) < _MAX_ZONES:
                zones[(int(head.group("node")), head.group("zone"))] = zone
            per_node = False
        elif zone is None:
            if text.strip():
                notes.unreadable((number, text), "Node N, zone NAME")
        elif text.strip() == "per-node stats":
            # Since 4.8 the first zone of a node shows the node's own counters, which are no zone's.
            per_node = True
        else:
            per_node = per_node and not text.lstrip().startswith("pages free")
            if not per_node:
                _read_zone_line(zone, text)
    return zones


def _read_zone_line(zone: ZoneRecord, text: str) -> None:
    if match := _PAGES.fullmatch(text):
        name, value = match.group("name"), int(match.group("value"))
        if name in ("min", "low", "high"):
            zone.marks[name] = value
        elif name in _SIZES:
            zone.values.setdefault(_SIZES[name], value)
        else:
            zone.other[name] = value
    elif match := _COUNTER.fullmatch(text):
        name = match.group("name").replace("nr_zone_", "nr_")
        attribute = _COUNTERS.get(name)
        if attribute is None:
            zone.other[name] = int(match.group("value"))
        else:
            zone.values[attribute] = int(match.group("value"))
    elif match := _PROTECTION.fullmatch(text):
        zone.values["reserve_pages"] = tuple(int(value) for value in match.group("values").split(",") if value.strip())
    elif match := _STUCK.fullmatch(text):
        zone.values["all_unreclaimable"] = match.group("value") == "1"


def read_buddyinfo(lines: Sequence[NumberedLine], notes: Notes) -> dict[ZoneKey, ZoneRecord]:
    """Return each zone's free blocks by order."""
    zones: dict[ZoneKey, ZoneRecord] = {}
    for line in lines:
        match = _BUDDY.fullmatch(line[1])
        if match is None:
            if line[1].strip():
                notes.unreadable(line, "Node N, zone NAME and the counts")
            continue
        counts = tuple(int(count) for count in match.group("counts").split())
        if min(counts) < 0 or sum(count << order for order, count in enumerate(counts)) > 1 << 32:
            notes.warn("impossible-value", f"The free blocks of {match.group('zone')} cannot be; left out.", line[0])
        elif len(zones) < _MAX_ZONES:
            key = (int(match.group("node")), match.group("zone"))
            zones[key] = ZoneRecord(line[0], {"free_blocks": counts})
    lengths = {len(record.values["free_blocks"]) for record in zones.values()}
    if len(lengths) > 1:
        longest = max(lengths)
        for key, record in list(zones.items()):
            if len(record.values["free_blocks"]) < longest:
                notes.warn("cut-line", f"The buddyinfo line of {key[1]} has too few counts; left out.", record.line)
                del zones[key]
    return zones


_BLOCK_ORDER = re.compile(r"\s*Page block order: (?P<order>\d{1,2})\s*")
_TYPE = re.compile(
    r"\s*Node\s+(?P<node>\d{1,4}), zone\s+(?P<zone>\w{1,16}), type\s+(?P<type>\w{1,20})"
    r"(?P<counts>(?:\s+>?\d{1,20}){1,32})\s*"
)


def read_pagetypeinfo(
    lines: Sequence[NumberedLine], notes: Notes
) -> tuple[int | None, dict[str, dict[str, tuple[int, ...]]]]:
    """Return the pageblock order, and the free blocks of each zone by type and order.

    A zone of node 0 goes by its name, one of another node by ``1.Normal``.
    """
    order: int | None = None
    blocks: dict[str, dict[str, tuple[int, ...]]] = {}
    for number, text in lines:
        if match := _BLOCK_ORDER.fullmatch(text):
            order = int(match.group("order"))
        elif match := _TYPE.fullmatch(text):
            node = int(match.group("node"))
            label = f"{node}.{match.group('zone')}" if node else match.group("zone")
            if ">" in match.group("counts"):
                notes.warn("capped-count", f"{label}: the kernel stopped counting; '>N' was taken as N.", number)
            counts = tuple(int(count.lstrip(">")) for count in match.group("counts").split())
            blocks.setdefault(label, {})[match.group("type")] = counts
    return order, blocks
