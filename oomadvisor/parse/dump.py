"""Dumps of many small files in one text: the lines by which people and tools mark where a file begins."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_PATH = r"(?P<path>/?(?:proc|sys)/[\w./\-]{1,200})"
_NAME = r"(?P<path>[\w./\-]{1,200})"


@dataclass(frozen=True)
class Marker:
    """A style of marker line. ``rest`` in its pattern is content that stands on the marker line itself."""

    name: str
    pattern: re.Pattern[str]


MARKERS: tuple[Marker, ...] = (
    Marker("tail", re.compile(rf"==> {_NAME} <==\s*")),
    Marker("dashes", re.compile(rf"(?:-{{2,}}|={{2,}}|#{{2,}}|\*{{2,}})\s*{_PATH}:?\s*(?:-*|=*|#*|\**)\s*")),
    Marker("begin", re.compile(rf"BEGIN {_NAME}\s*")),
    Marker(
        "command", re.compile(rf"[^|;<>]{{0,80}}?[#$>]\s?(?:sudo )?(?:cat|head|tail|more)\s+(?:-\S+\s+)*{_PATH}\s*")
    ),
    Marker("command-bare", re.compile(rf"\s*(?:[#$] ?)?cat {_PATH}\s*")),
    Marker("value", re.compile(rf"{_PATH}\s?[:=](?P<rest>.{{0,65536}})")),
)
_END = re.compile(r"END [\w./\-]{1,200}\s*")


@dataclass(frozen=True)
class DumpLine:
    """A line of a dump: the file that it belongs to (``None`` before the first marker), its number, and its text.

    ``marker``: this line only begins a file. ``begins``: a file begins with this line.
    """

    path: str | None
    number: int
    text: str
    begins: bool = False
    marker: bool = False


def marked_lines(lines: Iterable[str]) -> Iterator[DumpLine]:
    """Yield the lines with the file that each belongs to.

    >>> [(l.path, l.text) for l in marked_lines(["==> /proc/version <==", "Linux version 2.6.31"]) if not l.marker]
    [('/proc/version', 'Linux version 2.6.31')]
    """
    path: str | None = None
    for number, raw in enumerate(lines, 1):
        text = raw.rstrip("\r\n").replace("\x00", "").replace("\ufeff", "")
        found = _marker(text)
        if found is None:
            if _END.fullmatch(text):
                path = None
                yield DumpLine(None, number, text, marker=True)
            else:
                yield DumpLine(path, number, text)
            continue
        name, rest = found
        if rest == "" and name == path:
            # An empty line of a file, as ``grep -r`` prints it.
            yield DumpLine(path, number, "")
        elif not rest:
            path = name
            yield DumpLine(path, number, text, begins=True, marker=True)
        else:
            # ``grep -r`` puts the path before every line of a file.
            yield DumpLine(name, number, rest, begins=name != path)
            path = name


def _marker(text: str) -> tuple[str, str | None] | None:
    if len(text) > 66_000 or not ("/" in text or text.startswith(("BEGIN ", "==> "))):
        return None
    for marker in MARKERS:
        match = marker.pattern.fullmatch(text)
        if match is not None:
            rest = match.groupdict().get("rest")
            return match.group("path"), None if rest is None else rest.strip()
    return None
