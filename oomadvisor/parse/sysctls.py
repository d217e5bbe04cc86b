"""Sysctl values from ``sysctl -a``, a sysctl.conf, a dump of /proc/sys/vm, or a folder of such files."""

import os
import re
from collections.abc import Iterable
from typing import NamedTuple

from oomadvisor.model import Frozen, Origin, Warning_
from oomadvisor.parse.dump import marked_lines
from oomadvisor.parse.errors import InputError
from oomadvisor.parse.source import open_text

MAX_VALUES = 20_000
#: Longer lines are no settings. The kernel takes a page at most.
MAX_LINE = 4_096
MAX_PROBLEMS = 100
_EXPECTED = "name = value, as in vm.min_free_kbytes = 2039"
_NUMBER = "a whole number without a unit"

_NAME = r"[A-Za-z][\w\-]*(?:[./][\w\-:@,]+)+"
_ASSIGNMENT = re.compile(rf"\s*(?:sysctl\s+(?:-\S+\s+)*)?-?(?P<name>{_NAME})\s*=\s*(?P<value>.*)")
_ECHO = re.compile(r"\s*(?:[#$] ?)?echo\s+(?:-n\s+)?[\"']?(?P<value>[^\"'>|]*?)[\"']?\s*>\s*(?P<path>/proc/sys/\S+)\s*")
_COMMENT = re.compile(r"\s+[#;].*$")
#: What sysctl itself says about files that it may not read.
_COMPLAINT = re.compile(r"(?:sysctl|error|cat|grep|tail|head): .*")
_WITH_UNIT = re.compile(r"(?P<number>-?\d+)\s*(?P<unit>[kKMGT]i?[bB]?|[bB]|[bB]ytes?|[kmg]b|pages?|%|s|ms)")
_INTEGERS = re.compile(r"-?\d+(?:[\s,]+-?\d+)*")
#: Files of /proc/sys/vm that hold words.
_WORDS = frozenset({"vm.numa_zonelist_order"})


class SysctlValue(NamedTuple):
    """A value as it stands in the input: numbers are not converted here, since some entries hold several."""

    text: str
    line: int
    file: str


class SysctlProblem(Frozen):
    """A line that is no setting, or a value that the kernel would not take. Columns count from 1."""

    file: str
    line: int
    column: int
    text: str
    expected: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.text}; expected {self.expected}"


class SysctlDump(Frozen):
    """All values of an input by their dotted names, and what was odd in it."""

    file: str
    values: dict[str, SysctlValue]
    problems: tuple[SysctlProblem, ...] = ()
    warnings: tuple[Warning_, ...] = ()


class _Reading:
    """A dump while it is being read."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.values: dict[str, SysctlValue] = {}
        self.problems: list[SysctlProblem] = []
        self.warnings: list[Warning_] = []
        self.junk = 0

    def put(self, name: str, value: str, file: str, line: int, column: int) -> None:
        unit = _WITH_UNIT.fullmatch(value)
        if name.startswith("vm.") and unit is not None:
            self.problem(file, line, column, f"{name}: {value!r} has a unit ({unit.group('unit')})", _NUMBER)
            return
        if name.startswith("vm.") and name not in _WORDS and not _INTEGERS.fullmatch(value):
            self.problem(file, line, column, f"{name}: {value[:60]!r} is no number", _NUMBER)
            return
        known = self.values.get(name)
        if known is not None and known.text != value:
            text = f"{name} is set to {known.text!r} in line {known.line} and to {value!r} here: the last one counts."
            self.warnings.append(Warning_(code="duplicate-key", text=text, origin=Origin(file=file, line=line)))
        elif known is None and len(self.values) >= MAX_VALUES:
            return
        self.values[name] = SysctlValue(value, line, file)

    def problem(self, file: str, line: int, column: int, text: str, expected: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(SysctlProblem(file=file, line=line, column=column, text=text, expected=expected))

    def done(self) -> SysctlDump:
        if not self.values and self.junk:
            first = self.problems[0]
            raise InputError(first.file, first.text, line=first.line, column=first.column, expected=first.expected)
        return SysctlDump(
            file=self.file,
            values=self.values,
            problems=tuple(self.problems),
            warnings=tuple(self.warnings[:MAX_PROBLEMS]),
        )


def read_sysctls(lines: Iterable[str], *, file: str) -> SysctlDump:
    """Return the settings of a text in any of the usual forms; of several values for a name the last one.

    :raises InputError: there are lines, but not one of them is a setting.

    >>> read_sysctls(["vm.min_free_kbytes = 2039"], file="-").values["vm.min_free_kbytes"].text
    '2039'
    """
    reading = _Reading(file)
    _read(lines, file, reading)
    return reading.done()


def read_sysctl_path(path: str) -> SysctlDump:
    """Return the settings of a file (also ``.gz`` and ``-``), or of a folder of files such as a copy of /proc/sys/vm.

    In a folder ``*.conf`` files are read as sysctl.d, and every other file is one value under its own name.

    :raises InputError: the path is unusable, or no setting is in it.
    """
    reading = _Reading(path)
    if path != "-" and os.path.isdir(path):
        _read_folder(path, reading)
        if not reading.values and not reading.problems:
            raise InputError(path, "no settings in this folder", expected="files named like those of /proc/sys/vm")
        return reading.done()
    with open_text(path) as source:
        _read(source, path, reading)
        reading.warnings += source.warnings
    return reading.done()


def dotted(path: str) -> str:
    """Return the sysctl name of a path or of a name with slashes.

    >>> dotted("/proc/sys/vm/swappiness"), dotted("vm/swappiness"), dotted("swappiness")
    ('vm.swappiness', 'vm.swappiness', 'vm.swappiness')
    """
    name = re.sub(r"^.*?proc/sys/", "", path).strip("/").removeprefix("./")
    first = re.search(r"[./]", name)
    if first is None:
        # Without a folder it can only be a file of the folder that this tool is about.
        return f"vm.{name}"
    return name.replace("/", ".") if first.group() == "/" else name


def _read(lines: Iterable[str], file: str, reading: _Reading) -> None:
    for line in marked_lines(lines):
        if line.marker or not line.text.strip():
            continue
        if line.path is not None and _is_sysctl(line.path) and not (line.bundle and "/" not in line.path):
            # A file of /proc/sys holds one line, and one that cannot be read holds none.
            if not _COMPLAINT.fullmatch(line.text.strip()):
                reading.put(dotted(line.path), " ".join(line.text.split()), file, line.number, 1)
            continue
        if line.bundle:
            continue  # what stands in its other sections, /etc/sysctl.conf among them, need not be in force
        if line.path is None or not line.path.startswith(("/proc", "proc")):
            _read_setting(line.text, line.number, file, reading)


def _is_sysctl(path: str) -> bool:
    if "proc/sys/" in path:
        return True
    return re.fullmatch(r"(?:vm[./])?[a-z][a-z0-9_]+", path) is not None and path not in _PROC_FILES


_PROC_FILES = frozenset(
    {"meminfo", "buddyinfo", "zoneinfo", "pagetypeinfo", "slabinfo", "vmstat", "mounts", "swaps", "cmdline", "version"}
)


def _read_setting(text: str, number: int, file: str, reading: _Reading) -> None:
    stripped = text.strip()
    if len(stripped) > MAX_LINE:
        reading.junk += 1
        reading.problem(file, number, 1, f"a line of {len(text)} characters is no setting", _EXPECTED)
        return
    text = text[: len(text.rstrip())]
    if stripped.startswith(("#", ";")) and not _ECHO.fullmatch(text):
        return
    echo = _ECHO.fullmatch(text)
    if echo is not None:
        reading.put(dotted(echo.group("path")), echo.group("value"), file, number, echo.start("value") + 1)
        return
    bare = _COMMENT.sub("", text)
    match = _ASSIGNMENT.fullmatch(bare)
    if match is not None:
        value = " ".join(match.group("value").split())
        if value:
            reading.put(dotted(match.group("name")), value, file, number, match.start("value") + 1)
            return
        reading.junk += 1
        reading.problem(file, number, len(bare) + 1, f"{match.group('name')} has no value", _EXPECTED)
        return
    if _COMPLAINT.fullmatch(stripped):
        return
    reading.junk += 1
    column = len(text) - len(text.lstrip()) + 1
    reading.problem(file, number, column, f"{stripped[:60]!r} is no setting", _EXPECTED)


def _read_folder(path: str, reading: _Reading) -> None:
    try:
        names = sorted(os.listdir(path))
    except OSError as error:
        raise InputError(path, f"cannot be listed: {error.strerror}", expected="a readable folder") from error
    # A copy of /proc/sys, or of /proc, has the files one or two levels down.
    for below in ("vm", "sys/vm", "proc/sys/vm"):
        folder = os.path.join(path, below)
        if os.path.isdir(folder):
            return _read_folder(folder, reading)
    for name in names[:MAX_VALUES]:
        file = os.path.join(path, name)
        if not os.path.isfile(file):
            continue
        try:
            with open_text(file) as source:
                if name.endswith(".conf"):
                    _read(source, file, reading)
                    continue
                lines = [line.strip() for _, line in zip(range(3), source, strict=False) if line.strip()]
        except InputError as error:
            reading.problem(file, 1, 1, error.text, _NUMBER)
            continue
        if len(lines) == 1:
            reading.put(f"vm.{name}", " ".join(lines[0].split()), file, 1, 1)
        elif lines:
            reading.problem(file, 1, 1, "has several lines", "one line with the value")
    return None
