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
#: What oomadvisor's own collecting script puts between files, also behind a prompt or the time that a terminal adds.
BUNDLE = re.compile(
    r"(?P<before>.{0,60}?)#oomadvisor (?P<word>bundle|redacted|begin|end|missing|done)(?: (?P<name>[\w./\-]{1,200}))?"
    r"(?: (?P<count>\d{1,9}|-))?(?P<rest>(?: [\w ]{1,40})?)\s*"
)
#: The section of a bundle that is itself a dump: the output of ``head`` for many files.
_NESTED = "settings"


@dataclass(frozen=True)
class DumpLine:
    """A line of a dump: the file that it belongs to (``None`` before the first marker), its number, and its text.

    ``marker``: this line only begins or ends a file. ``begins``: a file begins with this line. ``bundle``: the line
    stands in a bundle of ``oomadvisor collect``, whose sections have names that need not be files. ``section``: it is
    one of the marker lines of that; ``expected``: at the end of a section, how many lines were sent; ``unended``: the
    last of them had no line end.
    """

    path: str | None
    number: int
    text: str
    begins: bool = False
    marker: bool = False
    bundle: bool = False
    section: bool = False
    expected: int | None = None
    unended: bool = False


def marked_lines(lines: Iterable[str], *, start: int = 1) -> Iterator[DumpLine]:
    """Yield the lines with the file that each belongs to; ``start`` is the number of the first.

    >>> [(l.path, l.text) for l in marked_lines(["==> /proc/version <==", "Linux version 2.6.31"]) if not l.marker]
    [('/proc/version', 'Linux version 2.6.31')]
    """
    path: str | None = None
    section: str | None = None
    prefix: str | None = None
    for number, raw in enumerate(lines, start):
        text = raw.rstrip("\r\n").replace("\x00", "").replace("\ufeff", "")
        sent = BUNDLE.fullmatch(text) if "#oomadvisor" in text else None
        if sent is not None:
            if sent["word"] == "bundle":
                prefix = sent["before"]
            begins = sent["word"] == "begin"
            path = section = (sent["name"] if begins else None) or ""
            count = sent["count"] if sent["word"] == "end" else None
            yield DumpLine(
                path or None,
                number,
                text,
                begins=begins,
                marker=True,
                bundle=True,
                section=True,
                expected=int(count) if count and count != "-" else None,
                unended=sent["rest"].strip() == "unended",
            )
            continue
        if section is not None:
            text = _without(prefix, text)
        found = _marker(text) if section in (None, _NESTED) else None
        if found is None:
            if section is None and _END.fullmatch(text):
                path = None
                yield DumpLine(None, number, text, marker=True)
            else:
                yield DumpLine(path or None, number, text, bundle=section is not None)
            continue
        name, rest = found
        bundle = section is not None
        if rest == "" and name == path:
            # An empty line of a file, as ``grep -r`` prints it.
            yield DumpLine(path, number, "", bundle=bundle)
        elif not rest:
            path = name
            yield DumpLine(path, number, text, begins=True, marker=True, bundle=bundle)
        else:
            # ``grep -r`` puts the path before every line of a file.
            yield DumpLine(name, number, rest, begins=name != path, bundle=bundle)
            path = name


def _without(prefix: str | None, text: str) -> str:
    """Return a line without what a terminal program puts before each: a time, of the same shape as at the beginning.

    >>> _without("[12:00:07] ", "[12:00:31] MemFree: 9 kB")
    'MemFree: 9 kB'
    """
    if not prefix or not any(char.isdigit() for char in prefix):
        return text
    start = text[: len(prefix)]
    return text[len(prefix) :] if _shape(start) == _shape(prefix) else text


def _shape(text: str) -> str:
    return "".join("0" if char.isdigit() else char for char in text)


def _marker(text: str) -> tuple[str, str | None] | None:
    if len(text) > 66_000 or not ("/" in text or text.startswith(("BEGIN ", "==> "))):
        return None
    for marker in MARKERS:
        match = marker.pattern.fullmatch(text)
        if match is not None:
            rest = match.groupdict().get("rest")
            return match.group("path"), None if rest is None else rest.strip()
    return None
