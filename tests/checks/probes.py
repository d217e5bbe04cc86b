"""The kernel's own marks, reserves and verdicts, as a log prints them, against ``oomadvisor.kernel``: every number.

A ``ZONE`` line is judged by the setting that the log names for it (the ``TRIAL`` or ``SWEEP`` line that follows, the
``SETTING`` or ``RAISE`` line before). Where it names none, some setting must give exactly the printed marks and reserve.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from oomadvisor.kernel.allocation import ReclaimRound, ZoneSnapshot, alloc_pages
from oomadvisor.kernel.gfp import NORMAL_TASK, Alloc
from oomadvisor.kernel.marks import ZoneMarks, min_free_kbytes_interval
from oomadvisor.kernel.reserve import ratio_interval
from oomadvisor.kernel.series import Family
from oomadvisor.kernel.watermark import Privileges
from tests.checks.consolelog import ConsoleLog, EventLine, SettingLine, VerdictLine, ZoneLine

MARKS = ("min", "low", "high")
BEFORE_EVENT = ("PRE", "POST", "SPRE", "")
AFTER_SETTING = ("AT", "AFTER_RAISE")
GFP_KERNEL = 0xD0
MAX_ORDERS = 32
REALTIME = "RT_task"
"""The state in which the forking task runs under SCHED_FIFO."""

NO_PAGE_SAVED = (ReclaimRound(),)


@dataclass(frozen=True)
class Box:
    """The zones of the machine behind a log, lowest first, the empty ones of the build too."""

    names: tuple[str, ...]
    present: tuple[int, ...]
    family: Family

    def index(self, zone: str) -> int | None:
        return self.names.index(zone) if zone in self.names else None

    @property
    def class_zone(self) -> int:
        """The class zone of GFP_KERNEL: the highest zone that holds memory."""
        return max(index for index, pages in enumerate(self.present) if pages)


@dataclass(frozen=True)
class Setting:
    """What is in force; None: the log does not say."""

    min_free_kbytes: int | None = None
    ratios: tuple[int, ...] | None = None


@dataclass
class Comparisons:
    """How many printed numbers were compared, by kind, and which differ. ``unusable``: lines about no zone of the box."""

    compared: dict[str, int] = field(default_factory=dict)
    wrong: dict[str, int] = field(default_factory=dict)
    unusable: int = 0
    missed: list[str] = field(default_factory=list)

    def add(self, kind: str, place: str, right: Sequence[bool]) -> None:
        self.compared[kind] = self.compared.get(kind, 0) + len(right)
        if not all(right):
            self.wrong[kind] = self.wrong.get(kind, 0) + right.count(False)
            self.missed.append(f"{place}: {kind}: {right.count(False)} of {len(right)} differ")


def setting_of(values: Mapping[str, str]) -> Setting:
    """Return the setting that a ``TRIAL`` or ``SWEEP`` line names."""
    return Setting(_number(values.get("min_free_kbytes", "")), _numbers(values.get("lowmem_reserve_ratio", "")))


def compare(log: ConsoleLog, box: Box, result: Comparisons) -> None:
    """Compare everything that a log prints about marks, reserves, verdicts and single allocations."""
    waiting: list[ZoneLine] = []
    probe: dict[str, ZoneLine] = {}
    lists: dict[str, ZoneLine] = {}
    now = Setting()
    for record in log.records:
        if isinstance(record, ZoneLine):
            if not fits(record, box):
                result.unusable += 1
                continue
            if record.label in BEFORE_EVENT:
                waiting.append(record)
                if record.label != "POST":
                    lists[record.zone] = record
            else:
                _compare_zone(log, box, record, now if record.label in AFTER_SETTING else Setting(), result)
            if not record.label:
                probe[record.zone] = record
        elif isinstance(record, VerdictLine):
            if record.zone in probe:
                _compare_verdicts(log, box, probe[record.zone], record, result)
        elif isinstance(record, SettingLine):
            now = _after(now, record, box)
        elif isinstance(record, EventLine):
            setting = Setting() if record.kind == "TRIALSTART" else setting_of(record.values)
            for zone in waiting:
                _compare_zone(log, box, zone, setting, result)
            waiting, probe = [], {}
            if record.kind != "TRIALSTART":
                _compare_event(log, box, lists, record, result)
                lists = {}
    for zone in waiting:
        _compare_zone(log, box, zone, Setting(), result)


def fits(line: ZoneLine, box: Box) -> bool:
    """Return whether a line is about a zone of the box, with as many orders as a kernel can have."""
    return box.index(line.zone) is not None and len(line.reserve) == len(box.names) and len(line.nr_free) <= MAX_ORDERS


def _compare_zone(log: ConsoleLog, box: Box, line: ZoneLine, setting: Setting, result: Comparisons) -> None:
    place, index = f"{log.name}:{line.line}", box.index(line.zone)
    assert index is not None
    printed = (line.min, line.low, line.high)
    if setting.min_free_kbytes is not None:
        marks = box.family.setup_per_zone_wmarks(box.names, box.present, setting.min_free_kbytes)[index]
        result.add("marks", place, [a == b for a, b in zip(printed, marks, strict=True)])
    else:
        only = [[value if at == index else None for at in range(len(box.names))] for value in printed]
        interval = min_free_kbytes_interval(box.names, box.present, *only)
        result.add("marks, setting not said", place, [interval is not None] * 3)
    if setting.ratios is not None:
        needed = len(box.names) - 1
        padded = (*setting.ratios, *(1,) * (needed - len(setting.ratios)))[:needed]
        row = box.family.setup_per_zone_lowmem_reserve(box.present, padded)[index]
        result.add("reserves", place, [a == b for a, b in zip(line.reserve, row, strict=True)])
    else:
        interval = ratio_interval(box.present, index, line.reserve)
        result.add("reserves, setting not said", place, [interval is not None] * len(line.reserve))


def _compare_verdicts(log: ConsoleLog, box: Box, zone: ZoneLine, line: VerdictLine, result: Comparisons) -> None:
    if line.class_zone >= len(zone.reserve) or any(len(bits) > len(zone.nr_free) for bits in line.bits.values()):
        result.unusable += 1
        return
    right = []
    for mark, value in zip(MARKS, (zone.min, zone.low, zone.high), strict=True):
        for order, bit in enumerate(line.bits[mark]):
            ok = box.family.zone_watermark_ok(
                zone.free,
                zone.nr_free,
                order,
                value,
                zone.reserve[line.class_zone],
                flags=Privileges(high="HIGH" in line.flags.split("+"), harder="HARDER" in line.flags),
            )
            right.append(ok == (bit == "1"))
    result.add("verdicts", f"{log.name}:{line.line}", right)


def _compare_event(
    log: ConsoleLog, box: Box, lists: Mapping[str, ZoneLine], event: EventLine, result: Comparisons
) -> None:
    """Compare the verdicts that the line of a trial repeats, and what a single allocation got."""
    place = f"{log.name}:{event.line}"
    mask = _number(event.values.get("gfp", "")) if event.kind == "SWEEP" else GFP_KERNEL
    task = NORMAL_TASK._replace(rt=event.values.get("state") == REALTIME)
    flags = box.family.slow_alloc_flags(GFP_KERNEL if mask is None else mask, task)
    right = []
    for name, order in (("wm", _number(event.values.get("order", ""))), ("wm1", 1)):
        for mark in ("min", "low"):
            # A trial repeats one row of the table; a single allocation is tested without flags at LOW, the fast path.
            flagged = mark == "min" or event.kind == "TRIAL"
            for zone in lists.values():
                if order is None or not 0 <= order < len(zone.nr_free):
                    continue
                bit = event.values.get(f"{name}_{mark}_{zone.zone.lower()}")
                if bit in ("0", "1"):
                    ok = box.family.zone_watermark_ok(
                        zone.free,
                        zone.nr_free,
                        order,
                        getattr(zone, mark),
                        zone.reserve[box.class_zone],
                        flags=Privileges(
                            high=flagged and Alloc.HIGH in flags, harder=flagged and Alloc.HARDER in flags
                        ),
                    )
                    right.append(ok == (bit == "1"))
    result.add("verdicts", place, right)
    if event.kind == "SWEEP":
        result.add("single allocations", place, list(_single_allocation(box, lists, event)))


def _single_allocation(box: Box, lists: Mapping[str, ZoneLine], event: EventLine) -> Iterator[bool]:
    order, mask = _number(event.values.get("order", "")), _number(event.values.get("gfp", ""))
    most = min((len(line.nr_free) for line in lists.values()), default=0)
    populated = {name for name, pages in zip(box.names, box.present, strict=True) if pages}
    if order is None or not 0 <= order < most or mask is None or mask < 0:
        return
    if event.values.get("got") not in ("0", "1") or not populated <= set(lists):
        return
    zones = []
    for name, pages in zip(box.names, box.present, strict=True):
        line = lists.get(name)
        if line is None:
            zones.append(ZoneSnapshot(name, 0, ZoneMarks(0, 0, 0), (0,) * len(box.names), (0,), 0))
        else:
            marks = ZoneMarks(line.min, line.low, line.high)
            zones.append(ZoneSnapshot(name, pages, marks, line.reserve, line.nr_free, line.free))
    outcome = alloc_pages(zones, mask, order, reclaim=NO_PAGE_SAVED, kernel=box.family)
    got = event.values["got"] == "1"
    yield (outcome.result == "allocated") == got
    if got and "zone" in event.values:
        yield outcome.zone == event.values["zone"]


def _after(now: Setting, line: SettingLine, box: Box) -> Setting:
    """Return what is known to be in force after a line. A write of one does not tell that the other was left alone."""
    if line.name == "default_min_free":
        return Setting(box.family.default_min_free_kbytes(box.names, box.present), now.ratios)
    if line.name == "min_free_kbytes" and line.values:
        return Setting(line.values[0], None)
    if line.name == "lowmem_reserve_ratio":
        return Setting(None, line.values)
    return now


def _number(text: str) -> int | None:
    return int(text) if text.removeprefix("-").isdecimal() and len(text) <= 18 else None


def _numbers(text: str) -> tuple[int, ...] | None:
    parts = [_number(part) for part in text.split(",")]
    return None if None in parts else tuple(part for part in parts if part is not None)
