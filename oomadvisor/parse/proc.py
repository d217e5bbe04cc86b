"""The state of a box from its /proc files: single files, folders, or one dump of many."""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from oomadvisor.model import ConfFile, Marks, Origin, ProcState, Warning_, Zone
from oomadvisor.parse.dump import DumpLine, marked_lines
from oomadvisor.parse.errors import InputError
from oomadvisor.parse.procfiles import counts, mounts, processes, slabs, zoneinfo
from oomadvisor.parse.procfiles.notes import Notes, NumberedLine
from oomadvisor.parse.source import open_text
from oomadvisor.parse.sysctls import dotted

_EXPECTED = (
    "a file of /proc (meminfo, buddyinfo, zoneinfo, pagetypeinfo, slabinfo, vmstat, mounts, swaps, cmdline, version), "
    "a folder of them, or one text with a line such as '==> /proc/meminfo <==' before each"
)
MAX_LINES = 200_000
MAX_FILES = 2_000
MAX_CONFS = 50
MAX_CONF_LINES = 20_000
MOST_READINGS = 2
"""Of more readings of vmstat the first and the last are kept: the longest stretch of time."""


@dataclass
class _State:
    """What was read so far; a file that comes twice replaces the earlier one."""

    values: dict[str, Any] = field(default_factory=dict)
    zones: dict[zoneinfo.ZoneKey, dict[str, Any]] = field(default_factory=dict)
    sysctls: dict[str, str] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    warnings: list[Warning_] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    confs: list[ConfFile] = field(default_factory=list)
    uptimes: list[float] = field(default_factory=list)
    bundle: bool = False
    vmstats: list[dict[str, int]] = field(default_factory=list)


Reader = Callable[[_State, Sequence[NumberedLine], Notes], None]


@dataclass(frozen=True)
class ProcFile:
    """A file of /proc: its name, a pattern that only its lines match, and who reads it."""

    name: str
    sign: re.Pattern[str]
    read: Reader


def _zones(records: dict[zoneinfo.ZoneKey, zoneinfo.ZoneRecord], state: _State, notes: Notes) -> None:
    for key, record in records.items():
        known = state.zones.setdefault(key, {})
        known.update(record.values)
        if {"min", "low", "high"} <= record.marks.keys():
            known["marks"] = Marks(**{name: record.marks[name] for name in ("min", "low", "high")})
        if record.other:
            known["other_pages"] = record.other
        state.origins.setdefault(f"zones.{key[0]}.{key[1]}", Origin(file=notes.file, line=record.line))


def _read_meminfo(state: _State, lines: Sequence[NumberedLine], notes: Notes) -> None:
    state.values["meminfo_kb"] = counts.read_meminfo(lines, notes)


def _read_vmstat(state: _State, lines: Sequence[NumberedLine], notes: Notes) -> None:
    readings = [*state.vmstats, *counts.read_vmstat(lines, notes)]
    # The counters of events only grow, so they tell which reading came first, whatever the order of the files.
    state.vmstats = sorted(readings, key=lambda reading: reading.get("pgfault", 0))
    if len(state.vmstats) > MOST_READINGS:
        state.vmstats = [state.vmstats[0], state.vmstats[-1]]
    state.values["vmstat"] = state.vmstats[-1] if state.vmstats else {}
    state.values["vmstat_earlier"] = state.vmstats[0] if len(state.vmstats) > 1 else None


def _read_buddyinfo(state: _State, lines: Sequence[NumberedLine], notes: Notes) -> None:
    _zones(zoneinfo.read_buddyinfo(lines, notes), state, notes)


def _read_zoneinfo(state: _State, lines: Sequence[NumberedLine], notes: Notes) -> None:
    _zones(zoneinfo.read_zoneinfo(lines, notes), state, notes)


def _read_pagetypeinfo(state: _State, lines: Sequence[NumberedLine], notes: Notes) -> None:
    order, blocks = zoneinfo.read_pagetypeinfo(lines, notes)
    state.values["pageblock_order"] = order
    state.values["blocks_by_type"] = blocks


def _read_slabinfo(state: _State, lines: Sequence[NumberedLine], notes: Notes) -> None:
    state.values["slab"] = slabs.read_slabinfo(lines, notes)


def _read_mounts(state: _State, lines: Sequence[NumberedLine], notes: Notes) -> None:
    rows = mounts.read_mounts(lines, notes)
    # mounts knows the options, df the use: together they tell how full each tmpfs is.
    used = {row.path: row for row in (*state.values.get("mounts", ()), *rows) if row.used_kb is not None}
    listed = {row.path: row for row in (*state.values.get("mounts", ()), *rows) if row.used_kb is None}
    merged = [
        row.model_copy(update={"used_kb": used[path].used_kb, "size_kb": row.size_kb or used[path].size_kb})
        if path in used
        else row
        for path, row in listed.items()
    ]
    state.values["mounts"] = (*merged, *(row for path, row in used.items() if path not in listed))


def _read_swaps(state: _State, lines: Sequence[NumberedLine], notes: Notes) -> None:
    state.values["swaps"] = mounts.read_swaps(lines, notes)


def _read_cmdline(state: _State, lines: Sequence[NumberedLine], _notes: Notes) -> None:
    state.values["cmdline"] = lines[0][1].strip().removeprefix("Kernel command line: ") if lines else None


def _read_version(state: _State, lines: Sequence[NumberedLine], _notes: Notes) -> None:
    state.values["version"] = lines[0][1].strip() if lines else None


def _read_processes(state: _State, lines: Sequence[NumberedLine], notes: Notes) -> None:
    state.values["processes"] = processes.read_processes(lines, notes)


def _read_uptime(state: _State, lines: Sequence[NumberedLine], notes: Notes) -> None:
    match = re.fullmatch(r"(\d{1,12}\.\d{1,3}) \d{1,12}\.\d{1,3}\s*", lines[0][1])
    if match is None:
        notes.unreadable(lines[0], "SECONDS SECONDS")
    else:
        state.uptimes.append(float(match[1]))


PROC_FILES: tuple[ProcFile, ...] = (
    ProcFile("version", re.compile(r"Linux version \d.*"), _read_version),
    ProcFile("meminfo", re.compile(r"MemTotal:\s+\d+ kB\s*|\s+total: +used: +free:.*"), _read_meminfo),
    ProcFile("buddyinfo", re.compile(r"Node\s+\d+, zone\s+\w+(?:\s+\d+){4,}\s*"), _read_buddyinfo),
    ProcFile("zoneinfo", re.compile(r"Node\s+\d+, zone\s+\w+\s*"), _read_zoneinfo),
    ProcFile("pagetypeinfo", re.compile(r"Page block order: \d+\s*"), _read_pagetypeinfo),
    ProcFile("slabinfo", re.compile(r"slabinfo - version.*"), _read_slabinfo),
    ProcFile("vmstat", re.compile(r"nr_(?:free_pages|dirty|anon_pages) \d+\s*"), _read_vmstat),
    ProcFile("swaps", re.compile(r"Filename\s+Type\s+Size\s.*"), _read_swaps),
    ProcFile("df", re.compile(r"Filesystem\s+(?:1[Kk]\S*|1024)-blocks\s+Used.*"), _read_mounts),
    ProcFile(
        "mounts",
        re.compile(
            r"\S+ /\S* (?:rootfs|tmpfs|ramfs|proc|sysfs|devpts|ext[234]|jffs2|ubifs|yaffs2?|squashfs|vfat|cramfs"
            r"|devtmpfs) \S+ \d \d\s*|\S+ on /\S* type \w+ \(.*\)\s*"
        ),
        _read_mounts,
    ),
    ProcFile(
        "cmdline",
        re.compile(r"(?:\S+ )*?(?:root|console|init|rdinit|BOOT_IMAGE|mem)=\S+(?: \S+)* ?"),
        _read_cmdline,
    ),
    ProcFile("processes", re.compile(r"PID OOM_ADJ VMSIZE VMRSS .*"), _read_processes),
    ProcFile("uptime", re.compile(r"(?!)"), _read_uptime),  # two numbers alone could be anything
)
_BY_NAME = {file.name: file for file in PROC_FILES}
#: Further names under which people save these files.
_ALIASES = {"mount": "mounts", "df-k": "df", "self_mounts": "mounts", "proc_version": "version"}


def read_proc_paths(paths: Sequence[str]) -> ProcState:
    """Return what the files, folders and dumps at ``paths`` say, in the order given; ``-`` is standard input.

    ``origins`` names the place of each file read (``meminfo``), of each zone (``zones.0.DMA``) and of each sysctl.

    :raises InputError: a path is unusable, or nothing of /proc is in it.
    """
    state = _State()
    for path in paths:
        before = len(state.seen) + len(state.sysctls)
        for file in _files_of(path):
            _read_file(file, state, alone=file == path)
        if len(state.seen) + len(state.sysctls) == before and not _seen_in(state, path):
            raise InputError(path, "holds no file of /proc that is known here", expected=_EXPECTED)
    return _done(state)


def read_proc_lines(lines: Iterable[str], *, file: str, start: int = 1) -> ProcState:
    """Return what a dump in ``lines`` says, the first of which has the number ``start``: a bundle, or a log that holds
    /proc files as well.
    """
    state = _State()
    _read_lines(lines, file, state, named=None, start=start)
    return _done(state)


def _seen_in(state: _State, path: str) -> bool:
    return any(file == path or file.startswith(path.rstrip("/") + "/") for file in state.files)


def _files_of(path: str) -> list[str]:
    if path == "-" or not os.path.isdir(path):
        return [path]
    found: list[str] = []
    for folder, folders, names in os.walk(path):
        folders.sort()
        # A copy of the whole of /proc has a folder for each process; they hold other things.
        folders[:] = [name for name in folders if not name.isdigit() and name not in ("self", "net", "bus", "fs")]
        found += [os.path.join(folder, name) for name in sorted(names) if _wanted(folder, name)]
        if len(found) > MAX_FILES:
            break
    return found[:MAX_FILES]


def _wanted(folder: str, name: str) -> bool:
    return _by_name(name) is not None or os.path.basename(folder) == "vm" or name.endswith((".txt", ".log"))


def _by_name(path: str) -> ProcFile | None:
    name = os.path.basename(path).lower()
    for ending in (".gz", ".txt", ".log", ".out"):
        name = name.removesuffix(ending)
    name = re.sub(r"^(?:proc[_.\-])+", "", name)
    return _BY_NAME.get(_ALIASES.get(name, name))


def _read_file(path: str, state: _State, *, alone: bool) -> None:
    named = _by_name(path)
    try:
        with open_text(path) as source:
            if named is None and re.search(r"(?:^|/)(?:proc/sys/|sys/)?vm/[a-z0-9_]+$", path):
                _read_sysctl_file(path, source, state)
            else:
                _read_lines(source, path, state, named=named)
            state.warnings += source.warnings
    except InputError as error:
        if alone:
            raise
        state.warnings.append(Warning_(code="unreadable-file", text=f"{error.file} {error.text}; left out."))


def _read_sysctl_file(path: str, lines: Iterable[str], state: _State) -> None:
    text = " ".join("".join(line for _, line in zip(range(3), lines, strict=False)).split())
    if text:
        _put_sysctl("vm." + os.path.basename(path), text, Origin(file=path, line=1), state)
        state.files.append(path)


def _put_sysctl(name: str, text: str, origin: Origin, state: _State) -> None:
    if len(state.sysctls) < MAX_FILES:
        state.sysctls[name] = text
        state.origins[name] = origin


def _read_lines(lines: Iterable[str], path: str, state: _State, *, named: ProcFile | None, start: int = 1) -> None:
    """Cut a text into files: by marker lines, by the file's name, or by what only the first line of one can be."""
    current = named
    section: list[NumberedLine] = []
    notes = Notes(path)
    marked = False
    sent: _Section | None = None

    def flush() -> None:
        if current is not None and section:
            _finish(current, section, state, notes)
        section.clear()

    for line in marked_lines(lines, start=start):
        if line.begins or (line.marker and line.path is None):
            flush()
            marked = line.bundle or line.path is not None
            current = None if line.path is None else _by_name(line.path)
        if line.section:
            state.bundle = True
            _end_section(sent, line, state, notes)
            sent = _Section(line.path, line.number) if line.begins and line.path is not None else None
        elif sent is not None:
            sent.lines.append(line.text)
        if line.marker or not line.text.strip():
            continue
        if line.path is not None and "sys/" in line.path:
            _put_sysctl(dotted(line.path), " ".join(line.text.split()), Origin(file=path, line=line.number), state)
            continue
        if not marked:
            begun = _by_content(line.text, current)
            if begun is not None and begun is not current:
                flush()
                current = begun
        if current is not None and len(section) < MAX_LINES:
            section.append((line.number, line.text))
            if current.name in ("version", "cmdline") and not marked:
                flush()
                current = None
    flush()
    _end_section(sent, None, state, notes)
    state.warnings += notes.warnings


@dataclass
class _Section:
    """A section of a bundle while it is read."""

    name: str
    line: int
    lines: list[str] = field(default_factory=list)


def _end_section(section: _Section | None, end: DumpLine | None, state: _State, notes: Notes) -> None:
    """Compare what arrived of a section with what was sent, and keep a file of settings as it is."""
    if section is None:
        return
    arrived = len(section.lines)
    closed = end is not None and not end.begins
    expected = end.expected if end is not None else None
    if not closed:
        notes.warn("cut-section", f"{section.name} is cut off after {arrived} lines.", section.line)
    elif expected is not None and expected != arrived:
        text = f"{section.name}: {expected} lines were sent and {arrived} arrived; some are lost, or are no part of it."
        notes.warn("damaged-section", text, section.line)
    if section.name.startswith("/etc/") and len(state.confs) < MAX_CONFS:
        state.confs.append(
            ConfFile(
                path=section.name,
                lines=tuple(section.lines[:MAX_CONF_LINES]),
                whole=closed and expected == arrived <= MAX_CONF_LINES,
                ended=end is None or not end.unended,
            )
        )


def _by_content(text: str, current: ProcFile | None) -> ProcFile | None:
    for file in PROC_FILES:
        if file.sign.fullmatch(text[:4_000]):
            # Some lines of one file look like the first line of another.
            if file.name in ("buddyinfo", "zoneinfo") and current is not None and current.name == "pagetypeinfo":
                continue
            if file.name == "vmstat" and current is not None and current.name in ("vmstat", "zoneinfo"):
                continue
            return file
    return None


def _finish(file: ProcFile, section: list[NumberedLine], state: _State, notes: Notes) -> None:
    if file.name in state.seen and file.name != "vmstat" and not (state.bundle and file.name == "uptime"):
        text = f"{file.name} is there more than once; the last one counts."
        if not any(warning.text == text for warning in state.warnings):
            state.warnings.append(Warning_(code="repeated-file", text=text))
    state.seen.add(file.name)
    if notes.file not in state.files:
        state.files.append(notes.file)
    state.origins[file.name] = Origin(file=notes.file, line=section[0][0])
    file.read(state, section, notes)


def _done(state: _State) -> ProcState:
    slots = ("DMA", "DMA32", "Normal", "HighMem", "Movable", "Device")
    keys = sorted(state.zones, key=lambda key: (key[0], slots.index(key[1]) if key[1] in slots else len(slots)))
    zones = []
    for node, name in keys:
        index = sum(1 for other in keys if other[0] == node and keys.index(other) < keys.index((node, name)))
        zones.append(Zone(name=name, node=node, index=index, **state.zones[(node, name)]))
    pair = state.uptimes[-2:]
    return ProcState(
        files=tuple(state.files),
        confs=tuple(state.confs),
        vmstat_seconds=round(pair[1] - pair[0]) if len(pair) == 2 and state.values.get("vmstat_earlier") else None,
        zones=tuple(zones),
        sysctls=state.sysctls,
        origins=state.origins,
        warnings=tuple(state.warnings[:500]),
        **state.values,
    )
