"""A sysctl.conf, byte for byte: what stands in it, what of it this program wrote, and what it is without that.

A line of ours begins with ``# oomadvisor:``, or with a word more before the colon. Where a line of the user's was
changed, a comment above it keeps the line as it was, so that the file can always be brought back from itself alone:

    # oomadvisor was: vm.min_free_kbytes = 8192
    vm.min_free_kbytes = 2039

``off:`` stands for a line that is no longer in force, ``new:`` announces one that was not there.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from oomadvisor.parse.errors import InputError
from oomadvisor.parse.sysctls import dotted

MAX_BYTES = 1 << 20
NOTE = b"# oomadvisor: "
WAS, OFF, NEW = b"# oomadvisor was: ", b"# oomadvisor off: ", b"# oomadvisor new: "
BEGIN, END = b"# oomadvisor begin: ", b"# oomadvisor end: "
WAS_UNENDED, OFF_UNENDED = b"# oomadvisor was, without line end: ", b"# oomadvisor off, without line end: "
OURS = (NOTE, WAS, OFF, NEW, BEGIN, END, WAS_UNENDED, OFF_UNENDED)
_OFFS, _WASES = (OFF, OFF_UNENDED), (WAS, WAS_UNENDED)
UNENDED = b" (the line above had no line end)"
_ASSIGNMENT = re.compile(
    rb"(?P<head>[ \t]*(?:-[ \t]*)?)(?P<key>[^\s=#;-][^\s=#;]*)(?P<equals>[ \t]*=[ \t]*)(?P<value>.*?)"
    rb"(?P<tail>(?:[ \t]+[#;].*?)?[ \t]*)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Segment:
    """``shown``: lines as they stand in the file. ``plain``: the one line that they stand for without oomadvisor's
    changes; None for lines that are oomadvisor's own.
    """

    plain: bytes | None
    shown: tuple[bytes, ...]

    @property
    def begins_block(self) -> bool:
        return self.plain is None and any(line.startswith(BEGIN) for line in self.shown)


@dataclass(frozen=True, slots=True)
class Assignment:
    """A line ``key = value``, in its parts: together they are the line without its end."""

    head: bytes
    key: bytes
    equals: bytes
    value: bytes
    tail: bytes
    end: bytes

    @property
    def name(self) -> str:
        """The name with dots, however it is spelled."""
        return dotted(self.key.decode("latin-1"))

    def with_value(self, value: str) -> bytes:
        """Return the line with another value and everything else as it is."""
        return self.head + self.key + self.equals + value.encode("ascii") + self.tail + self.end


def assignment(line: bytes) -> Assignment | None:
    """Return the parts of a line that sets something, or None for a comment, an empty line and anything else.

    >>> assignment(b"-vm/min_free_kbytes=4160  # vendor\\r\\n").with_value("2039")
    b'-vm/min_free_kbytes=2039  # vendor\\r\\n'
    """
    text, end = split_end(line)
    match = _ASSIGNMENT.fullmatch(text)
    # A byte order mark belongs to the key for every sysctl, so the line sets nothing.
    if match is None or not match["key"].isascii():
        return None
    return Assignment(match["head"], match["key"], match["equals"], match["value"], match["tail"], end)


def split_end(line: bytes) -> tuple[bytes, bytes]:
    """Return a line and its end (``\\n``, ``\\r\\n`` or nothing)."""
    for end in (b"\r\n", b"\n"):
        if line.endswith(end):
            return line[: -len(end)], end
    return line, b""


def line_end(data: bytes) -> bytes:
    """Return the line end that most lines of a file have."""
    return b"\r\n" if 2 * data.count(b"\r\n") > data.count(b"\n") else b"\n"


def read_conf(data: bytes, name: str) -> list[Segment]:
    """Return the segments of a file; their shown lines together are ``data``. Raises InputError, naming ``name``.

    What oomadvisor wrote earlier is recognised, also when other lines were put between it since.
    """
    _refuse_what_is_no_conf(data, name)
    return _reattached(list(_segments(_lines(data))))


def plain_bytes(segments: Sequence[Segment]) -> bytes:
    """Return the file without what oomadvisor wrote."""
    return b"".join(segment.plain for segment in segments if segment.plain is not None)


def shown_bytes(segments: Sequence[Segment]) -> bytes:
    """Return the file as it stands."""
    return b"".join(line for segment in segments for line in segment.shown)


def without_changes(segments: Sequence[Segment]) -> list[Segment]:
    """Return the segments with every change taken back."""
    return [Segment(one.plain, () if one.plain is None else (one.plain,)) for one in segments]


def _lines(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    last = lines.pop()
    return [line + b"\n" for line in lines] + ([last] if last else [])


def _refuse_what_is_no_conf(data: bytes, name: str) -> None:
    if len(data) > MAX_BYTES:
        size = f"at most {MAX_BYTES} bytes of sysctl.conf"
        raise InputError(name, f"is {len(data)} bytes long or more", expected=size)
    at = data.find(b"\0")
    if at >= 0:
        line = data.count(b"\n", 0, at) + 1
        column = at - data.rfind(b"\n", 0, at)
        raise InputError(name, "a NUL byte", line=line, column=column, expected="text, such as vm.swappiness = 60")
    if b"\r" in data and b"\n" not in data:
        raise InputError(
            name, "lines end in bare carriage returns", line=1, expected="line feeds, as sysctl reads them"
        )


def _segments(lines: Sequence[bytes]) -> Iterator[Segment]:
    at = 0
    while at < len(lines):
        start = at
        while at < len(lines) and lines[at].startswith(OURS):
            at += 1
            if lines[at - 1].startswith((*_OFFS, *_WASES, NEW)):
                break
        if at == start:
            yield Segment(lines[at], (lines[at],))
            at += 1
            continue
        last, end = split_end(lines[at - 1])
        follows = assignment(lines[at]) if at < len(lines) else None
        if last.startswith(_OFFS):
            yield Segment(_kept(last, end), tuple(lines[start:at]))
        elif last.startswith(_WASES):
            before = assignment(_kept(last, end))
            if follows is not None and before is not None and follows.name == before.name:
                at += 1
                end = follows.end
            yield Segment(_kept(last, end), tuple(lines[start:at]))
        else:
            name = last[len(NEW) :].decode("latin-1").strip() if last.startswith(NEW) else None
            at += follows is not None and follows.name == name
            yield Segment(None, tuple(lines[start:at]))


def _kept(comment: bytes, end: bytes) -> bytes:
    """Return the user's line that a comment of ours keeps."""
    mark = next(mark for mark in (*_OFFS, *_WASES) if comment.startswith(mark))
    return comment[len(mark) :] + (b"" if mark in (WAS_UNENDED, OFF_UNENDED) else end)


def _reattached(segments: list[Segment]) -> list[Segment]:
    """Make one segment of the pieces of a block, and take the line end back from the line above it that had none."""
    result: list[Segment] = []
    for segment in segments:
        if segment.plain is None and result and result[-1].plain is None:
            result[-1] = Segment(None, result[-1].shown + segment.shown)
            continue
        if segment.begins_block and result and any(UNENDED in line for line in segment.shown):
            above = result[-1]
            result[-1] = Segment(split_end(above.plain or b"")[0], above.shown)
        result.append(segment)
    return result
