"""A long log in stretches: where it can be cut, and the incidents of one stretch as they are in the whole log.

Two kinds of place are cuts. At a head the report before it ends, and where nothing else is open the new one depends on
no line before it. And while no report is open, the beginning of so many lines without a trigger that nobody will look
back beyond them.
"""

from collections.abc import Iterator
from typing import NamedTuple

from oomadvisor.model import Incident
from oomadvisor.parse.bundle import BundleCatcher
from oomadvisor.parse.forms import TRIGGERS
from oomadvisor.parse.machine import LOOK_BACK
from oomadvisor.parse.scan import BEGINNING, Cut, Scan, lines_back
from oomadvisor.parse.source import BlockSource

_TRIGGERS = tuple(trigger.encode() for trigger in TRIGGERS)
HEAD_BYTES = 600
MOST_PLACES = 200_000


class Found(NamedTuple):
    """An incident, the byte at which its first line begins in the text, and the beginning of that line.

    ``offset`` is ``None`` behind a line so long that it was cut.
    """

    incident: Incident
    offset: int | None
    head: str


class Spacing(NamedTuple):
    """How far cuts are apart: the first one after so many bytes or so many incidents, whichever comes first."""

    text_bytes: int = 8 << 20
    incidents: int = 48


USUAL = Spacing()


class Survey(NamedTuple):
    """The cuts of a stretch in their order, and how many lines the log has, if it was read to its end.

    ``bundled``: a bundle of ``oomadvisor collect`` is in it, so that the log belongs together.
    """

    cuts: tuple[Cut, ...]
    lines: int | None
    bundled: bool


class Stretch(Scan):
    """Reads a log from a cut on."""

    def __init__(self, source: BlockSource, start: Cut = BEGINNING, catcher: BundleCatcher | None = None) -> None:
        super().__init__(source, catcher, start)
        source.warnings.extend(start.warnings)
        self._places: dict[int, tuple[int | None, bytes]] = {}
        self.lines = 0

    def found(self, *, to_the_end: bool = True) -> Iterator[Found]:
        """Yield the incidents with the places where they begin."""
        for incident in self.incidents(to_the_end=to_the_end):
            offset, head = self._places.get(incident.line, (None, b""))
            yield Found(incident, offset, head.decode("utf-8", "replace"))
            if self._machine.idle:
                self._places.clear()

    def _note(self, number: int, line: bytes, offset: int) -> None:
        if len(self._places) >= MOST_PLACES:
            for old in list(self._places)[: MOST_PLACES // 2]:
                del self._places[old]
        self._places[number] = (offset if number > self._gap_line else None, line[:HEAD_BYTES])

    def _read_last(self) -> Iterator[Incident]:
        self.lines = self._line - 1 + bool(self._rest)
        yield from super()._read_last()


class _Surveyor(Scan):
    """Looks for cuts while it reads."""

    def __init__(self, source: BlockSource, start: Cut, spacing: Spacing, until: int, catcher: BundleCatcher) -> None:
        super().__init__(source, catcher, start)
        source.warnings.extend(start.warnings)
        self._spacing = spacing
        self._until = until
        self._last = start
        self.cuts: list[Cut] = []
        self.lines = 0

    def _feed(self, line: bytes, offset: int, *, cut: bool) -> list[Incident]:
        number = self._line
        settled, caller = self._machine.settled, self._machine.caller
        known = len(self._source.warnings)
        done = super()._feed(line, offset, cut=cut)
        if (
            settled
            and not cut
            and self._is_due(offset)
            and self._machine.began_at(number)
            and number > self._gap_line
            and any(trigger in line for trigger in _TRIGGERS)
        ):
            self._add(offset, number, caller, offset + len(line) + 1, known)
        return done

    def _between_blocks(self) -> None:
        if not self._machine.idle or not self._is_due(self._read_bytes):
            return
        text = b"".join(self._kept)
        end = text.rfind(b"\n") + 1
        begin = lines_back(text, self._fed, end)
        lines = text.count(b"\n", begin, end)
        offset, number = self._read_bytes - len(text) + begin, self._line - lines
        if lines >= LOOK_BACK and text[begin - 1 : begin] == b"\n" and number > self._gap_line:
            self._add(offset, number, self._machine.caller, offset, len(self._source.warnings))

    def _is_due(self, offset: int) -> bool:
        last, spacing = self._last, self._spacing
        return not self._enough and (
            offset - last.offset >= spacing.text_bytes or self._machine.found - last.found >= spacing.incidents
        )

    def _add(self, offset: int, line: int, caller: str | None, after: int, warnings: int) -> None:
        if offset <= self._last.offset:
            return
        machine, odd = self._machine, self._source.warnings[:warnings]
        self._last = Cut(offset, line, machine.found, machine.release, caller, after, tuple(odd))
        self.cuts.append(self._last)
        self._enough = offset >= self._until

    def _read_last(self) -> Iterator[Incident]:
        self.lines = self._line - 1 + bool(self._rest)
        yield from super()._read_last()


def survey(source: BlockSource, start: Cut, spacing: Spacing, until: int) -> Survey:
    """Return the cuts of a log from ``start`` to the first one at byte ``until`` or later, or to its end.

    :raises InputError: the input is unusable.
    """
    catcher = BundleCatcher()
    surveyor = _Surveyor(source, start, spacing, until, catcher)
    for _ in surveyor.incidents():
        pass
    lines = None if surveyor.cuts and surveyor.cuts[-1].offset >= until else surveyor.lines
    return Survey(tuple(surveyor.cuts), lines, catcher.begun)
