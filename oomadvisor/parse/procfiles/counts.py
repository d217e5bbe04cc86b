"""/proc/meminfo and /proc/vmstat: a name and a number on each line."""

import re
from collections.abc import Sequence

from oomadvisor.parse.procfiles.notes import Notes, NumberedLine

_MEMINFO = re.compile(r"\s*(?P<name>[A-Za-z][\w()]{0,40}):\s*(?P<value>-?\d{1,20})(?P<unit> kB)?\s*")
#: The three-line table that 2.4 and early 2.6 put before the names.
_OLD_TABLE = re.compile(r"\s*(?:total: +used: +free:.*|Mem: +\d+ .*|Swap: +\d+ .*)")
_VMSTAT = re.compile(r"\s*(?P<name>[a-z][\w]{1,60})\s+(?P<value>-?\d{1,20})\s*")
_MAX_NAMES = 2_000


def read_meminfo(lines: Sequence[NumberedLine], notes: Notes) -> dict[str, int]:
    """Return the sizes in kB. Lines without ``kB`` count huge pages and are no sizes."""
    sizes: dict[str, int] = {}
    for line in lines[:_MAX_NAMES]:
        match = _MEMINFO.fullmatch(line[1])
        if match is None:
            if not _OLD_TABLE.fullmatch(line[1]):
                notes.unreadable(line, "NAME: N kB")
        elif match.group("unit"):
            value = int(match.group("value"))
            if value < 0:
                notes.warn("impossible-value", f"{match.group('name')} is {value} kB; left out.", line[0])
            else:
                sizes[match.group("name")] = value
    return sizes


def read_vmstat(lines: Sequence[NumberedLine], notes: Notes) -> list[dict[str, int]]:
    """Return the counters by their names, for each reading: a second one begins where the first name comes again."""
    readings: list[dict[str, int]] = []
    first = None
    for line in lines[: _MAX_NAMES * 2]:
        match = _VMSTAT.fullmatch(line[1])
        if match is None:
            notes.unreadable(line, "NAME N")
            continue
        name = match.group("name")
        if not readings or (name == first and name in readings[-1]):
            readings.append({})
            first = name
        if len(readings[-1]) < _MAX_NAMES:
            readings[-1][name] = int(match.group("value"))
    return readings
