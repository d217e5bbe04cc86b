"""Incidents from a file, fast: only the neighbourhoods of trigger words are decoded and read line by line."""

from collections.abc import Iterator

from oomadvisor.model import Incident
from oomadvisor.parse.forms import TRIGGERS
from oomadvisor.parse.machine import LOOK_BACK, LineMachine
from oomadvisor.parse.source import MAX_LINE_BYTES, BlockSource, decoded

_TRIGGERS = tuple(trigger.encode() for trigger in TRIGGERS)
#: The look-back of a file with endless lines is cut short rather than kept in memory.
_MAX_TAIL_BYTES = 8 << 20


def scan_file(path: str) -> Iterator[Incident]:
    """Yield the incidents of a path, a ``.gz``, or ``-``; the same ones as ``read_incidents`` on its lines.

    What was odd about the input itself (a damaged end of a ``.gz``) is added to the last incident.

    :raises InputError: the input is missing, unreadable, a folder, or no text.
    """
    with BlockSource(path) as source:
        yield from _Scan(source).incidents()


class _Scan:
    """The bytes in memory, and how far they were looked at.

    ``_text`` holds whole lines; the lines before ``_fed`` were given to the machine, those before ``_seen`` hold no
    trigger. ``_line`` is the number of the line that begins at ``_seen``.
    """

    def __init__(self, source: BlockSource) -> None:
        self._source = source
        self._machine = LineMachine(source.name)
        self._text = b""
        self._fed = 0
        self._seen = 0
        self._line = 1
        self._next: dict[bytes, int] = {}

    def incidents(self) -> Iterator[Incident]:
        rest = b""
        while block := self._source.read():
            cut = block.rfind(b"\n") + 1
            if not cut:
                rest = (rest + block)[: MAX_LINE_BYTES + 1]
                continue
            self._append(rest + block[:cut])
            rest = block[cut:][: MAX_LINE_BYTES + 1]
            yield from self._whole_lines()
        if rest:
            # Without a line end: the machine is told that the last word may be incomplete.
            ends = self._line > 1
            self._append(rest)
            yield from self._last_line(ends)
        last = self._machine.finish(self._source.warnings)
        yield from last

    def _append(self, text: bytes) -> None:
        keep = max(self._fed, self._back(self._seen, LOOK_BACK), self._seen - _MAX_TAIL_BYTES)
        self._text = self._text[keep:] + text
        self._fed = max(self._fed - keep, 0)
        self._seen -= keep
        self._next = dict.fromkeys(_TRIGGERS, -1)

    def _back(self, position: int, lines: int) -> int:
        """Return where the line ``lines`` before the one that begins at ``position`` begins."""
        for _ in range(lines):
            if position <= self._fed:
                break
            position = self._text.rfind(b"\n", self._fed, position - 1) + 1 or self._fed
        return position

    def _trigger(self) -> int:
        """Return the beginning of the next line with a trigger, or -1."""
        found = len(self._text)
        for trigger in _TRIGGERS:
            at = self._next[trigger]
            if at < self._seen:
                at = self._text.find(trigger, self._seen)
                self._next[trigger] = at = len(self._text) if at < 0 else at
            found = min(found, at)
        return -1 if found == len(self._text) else self._text.rfind(b"\n", 0, found) + 1

    def _whole_lines(self) -> Iterator[Incident]:
        end = len(self._text)
        while self._seen < end:
            if self._machine.idle:
                start = self._trigger()
                if start < 0:
                    self._line += self._text.count(b"\n", self._seen, end)
                    self._seen = end
                    return
                self._look_back(start)
            stop = self._text.find(b"\n", self._seen)
            yield from self._feed(stop, cut=False)

    def _last_line(self, ends: bool) -> Iterator[Incident]:
        if self._machine.idle:
            if self._trigger() < 0:
                return
            self._look_back(self._seen)
        yield from self._feed(len(self._text), cut=ends)

    def _look_back(self, start: int) -> None:
        """Give the machine the lines before ``start``, which hold no trigger."""
        self._line += self._text.count(b"\n", self._seen, start)
        self._seen = start
        begin = self._back(start, LOOK_BACK)
        lines = self._text[begin:start].split(b"\n")[:-1]
        for number, line in enumerate(lines, self._line - len(lines)):
            self._machine.feed(number, decoded(self._source, line, number))
        self._fed = start

    def _feed(self, stop: int, *, cut: bool) -> list[Incident]:
        text = decoded(self._source, self._text[self._seen : stop], self._line)
        done = self._machine.feed(self._line, text, cut=cut)
        self._line += 1
        self._seen = self._fed = min(stop + 1, len(self._text))
        return done
