"""The console logs of the measured machine, as records: what the kernel printed, whatever the serial line did to it.

NUL bytes are dropped, a line may begin with what another program left on it, a cut line is counted and passed over. A
file is read up to ``MAX_BYTES`` of text: a log of one boot has some 400 kB.
"""

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

MAX_BYTES = 64 << 20
MAX_LINE = 2048
"""A longer line is none that this kernel or the test program prints; the patterns are not tried on it."""

NUMBERS = r"-?\d{1,18}(?: -?\d{1,18})*"

ZONE = re.compile(
    r"(?:(?P<label>\w+) )?\bZONE (?P<zone>\w+) free (?P<free>-?\d{1,18}) pcp (?P<pcp>\d{1,18}) "
    r"min (?P<min>\d{1,18}) low (?P<low>\d{1,18}) high (?P<high>\d{1,18}) "
    rf"reserve (?P<reserve>{NUMBERS}) nr_free (?P<nr_free>{NUMBERS}) all_unreclaimable \d"
)
WMOK = re.compile(
    r"\bWMOK (?P<zone>\w+) classzone (?P<classzone>\d{1,18}) flags (?P<flags>none|HIGH|HARDER|HIGH\+HARDER) "
    r"min (?P<min>[01]+) low (?P<low>[01]+) high (?P<high>[01]+)\s*$"
)
EVENT = re.compile(r"\b(?P<kind>TRIALSTART|TRIAL|SWEEP) (?P<values>id=.*)")
SETTING = re.compile(r"\bSETTING (?P<name>\w+?)(?:_written=.* readback=(?P<values>-?\d{1,18}(?:\s+-?\d{1,18})*))?\s*$")
RAISE = re.compile(r"\bRAISE (?:min_free_kbytes=)?(?P<value>\d{1,18})\s*$")
TOTAL = re.compile(r"\bTotal pages: (?P<pages>\d{1,18})\s*$")
NODE_ZONE = re.compile(r"Node \d+, zone +(?P<zone>\w+)\s*$")
ZONEINFO = re.compile(
    r"\s+(?P<name>present|nr_file_pages|nr_inactive_file|nr_active_file|nr_slab_reclaimable) +(\d{1,18})$"
)
VERSION = re.compile(r"Linux version (?P<version>[0-9][^ ]*) ")
FILL = re.compile(r"(?:FILL|INTERLEAVE|NAT|TMPFS) .*")
COMMITTED = re.compile(r"Committed_AS: +(\d{1,18}) kB\s*$")
SWAP = re.compile(r"SwapTotal: +(\d{1,18}) kB\s*$")
CUT = re.compile(r"\b(?:ZONE \w+ free|WMOK \w+ classzone|TRIAL id=|SWEEP id=)")

ZoneCounts = dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class ZoneLine:
    """A ``ZONE`` line: counters in pages, ``reserve`` by class zone, ``nr_free`` in blocks by order."""

    line: int
    label: str
    zone: str
    free: int
    pcp: int
    min: int
    low: int
    high: int
    reserve: tuple[int, ...]
    nr_free: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """A ``WMOK`` line: the kernel's own verdicts at each mark, one bit for each order."""

    line: int
    zone: str
    class_zone: int
    flags: str
    bits: dict[str, str]


@dataclass(frozen=True, slots=True)
class EventLine:
    """``TRIALSTART``, ``TRIAL`` or ``SWEEP`` with its ``name=value`` pairs."""

    line: int
    kind: str
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class SettingLine:
    """A sysctl that was written (``SETTING``, ``RAISE``) with what the kernel then stored; None: not said."""

    line: int
    name: str
    values: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class CountsLine:
    """The end of a /proc/zoneinfo: its counters by zone, in pages."""

    line: int
    zones: ZoneCounts


@dataclass(frozen=True, slots=True)
class MeminfoLine:
    """One number of a /proc/meminfo in kB."""

    line: int
    name: str
    kb: int


Record = ZoneLine | VerdictLine | EventLine | SettingLine | CountsLine | MeminfoLine


@dataclass
class ConsoleLog:
    """A log. ``total_pages``: the boot line's sum over all zones. ``cut``: lines that are not whole.

    ``filling``: how memory was filled before the trials; boots that filled it alike hold the same pages.
    """

    name: str
    version: str = ""
    filling: str = ""
    records: list[Record] = field(default_factory=list)
    total_pages: int | None = None
    cut: list[int] = field(default_factory=list)
    damage: str | None = None


def read_log(path: Path, name: str | None = None) -> ConsoleLog:
    """Return the records of a log, plain or ``.gz``. What cannot be read is told in ``damage``, not raised."""
    log = ConsoleLog(name or path.name)
    counts: ZoneCounts | None = None
    zone: dict[str, int] | None = None
    for number, line in _lines(path, log):
        if line.startswith("BEGIN zoneinfo"):
            counts = {}
        elif line.startswith("END zoneinfo"):
            if counts:
                log.records.append(CountsLine(number, counts))
            counts = zone = None
        elif counts is not None and (named := NODE_ZONE.match(line)):
            zone = counts.setdefault(named["zone"], {})
        elif zone is not None and (counter := ZONEINFO.match(line)):
            zone.setdefault(counter["name"], int(counter[2]))
        elif FILL.match(line):
            log.filling += line.strip() + "\n"
        elif (version := VERSION.search(line)) and not log.version:
            log.version = version["version"]
        elif (total := TOTAL.search(line)) and log.total_pages is None:
            log.total_pages = int(total["pages"])
        elif (record := _record(number, line)) is not None:
            log.records.append(record)
        elif CUT.search(line):
            log.cut.append(number)
    return log


def _record(number: int, line: str) -> Record | None:
    if "ZONE" in line and (found := ZONE.search(line)):
        counters = {name: int(found[name]) for name in ("free", "pcp", "min", "low", "high")}
        lists = {name: tuple(map(int, found[name].split())) for name in ("reserve", "nr_free")}
        return ZoneLine(line=number, label=found["label"] or "", zone=found["zone"], **counters, **lists)  # type: ignore[arg-type]
    if found := WMOK.search(line):
        bits = {mark: found[mark] for mark in ("min", "low", "high")}
        return VerdictLine(number, found["zone"], int(found["classzone"]), found["flags"], bits)
    if found := EVENT.search(line):
        pairs = (word.partition("=") for word in found["values"].split())
        return EventLine(number, found["kind"], {name: value for name, _, value in pairs})
    if found := SETTING.search(line):
        values = found["values"]
        return SettingLine(number, found["name"], None if values is None else tuple(map(int, values.split())))
    if found := RAISE.search(line):
        return SettingLine(number, "min_free_kbytes", (int(found["value"]),))
    if found := COMMITTED.match(line):
        return MeminfoLine(number, "Committed_AS", int(found[1]))
    if found := SWAP.match(line):
        return MeminfoLine(number, "SwapTotal", int(found[1]))
    return None


def _lines(path: Path, log: ConsoleLog) -> Iterator[tuple[int, str]]:
    """Yield (number, text) of each line; what ends the reading early is noted in the log."""
    read = number = 0
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            while raw := file.readline(1 << 16):
                number += 1
                read += len(raw)
                if read > MAX_BYTES:
                    log.damage = f"longer than {MAX_BYTES >> 20} MB; read up to there"
                    return
                line = raw.replace(b"\0", b"").decode("utf-8", "replace").rstrip("\r\n")
                if len(line) > MAX_LINE:
                    log.cut.append(number)
                else:
                    yield number, line
    except (OSError, EOFError, zlib.error) as error:
        log.damage = f"damaged or cut off after line {number} ({error})"
