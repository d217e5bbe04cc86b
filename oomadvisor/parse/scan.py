"""Incidents from a file, fast: only the neighbourhoods of trigger words are decoded and read line by line."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from oomadvisor.model import Incident, Kill, Warning_
from oomadvisor.parse.bundle import BEGIN, BundleCatcher
from oomadvisor.parse.errors import InputError
from oomadvisor.parse.forms import TRIGGER_SEARCH, TRIGGERS
from oomadvisor.parse.machine import LOOK_BACK, LineMachine
from oomadvisor.parse.search import WordSearch
from oomadvisor.parse.source import MAX_LINE_BYTES, BlockSource, decoded

_TRIGGERS = tuple(trigger.encode() for trigger in TRIGGERS)
_MARK_SEARCH = WordSearch((*TRIGGERS, BEGIN.decode()))
#: The look-back of a file with endless lines is cut short rather than kept in memory.
_MAX_KEPT_BLOCKS = 32


def scan_file(path: str, *, catcher: BundleCatcher | None = None) -> Iterator[Incident]:
    """Yield the incidents of a path, a ``.gz``, or ``-``; the same ones as ``read_incidents`` on its lines.

    ``catcher`` sees the whole input as well, and picks up a bundle that it holds.

    What was odd about the input itself (a damaged end of a ``.gz``) is added to the last incident.

    :raises InputError: the input is missing, unreadable, a folder, or no text; or it is damaged, and nothing was found
        in what could be read.
    """
    with BlockSource(path) as source:
        found = False
        for incident in Scan(source, catcher).incidents():
            found = True
            yield incident
        damage = next((w.text for w in source.warnings if w.code == "truncated-gzip"), None)
        if damage is not None and not found:
            raise InputError(path, f"{damage[:-1]}; no incident was found in it")


class Cut(NamedTuple):
    """A place at which a log can be cut in two: what stands before it has no say in how the rest is read.

    ``offset`` and ``line``: where the rest begins. ``found``: how many incidents have ended before it. ``release``: the
    kernel that the last banner named, with its line. ``killed``: the last kills since. ``caller``: who printed the last
    line of a report. ``after``: up to where the first part must be read for its last incident to end as it does in the
    whole log. ``warnings``: what was odd about the input so far.
    """

    offset: int = 0
    line: int = 1
    found: int = 0
    release: tuple[str, int] | None = None
    killed: tuple[Kill, ...] = ()
    caller: str | None = None
    after: int = 0
    warnings: tuple[Warning_, ...] = ()


BEGINNING = Cut()


class Scan:
    """What was read and may still be looked back on.

    ``_kept`` are the last blocks, as they came; their first ``_fed`` bytes were given to the machine. ``_rest`` is the
    unfinished last line, and ``_line`` its number. ``_read_bytes`` of the text were read, and up to ``_gap_line`` bytes
    of too long lines were dropped, so that nobody knows where the lines before it begin.
    """

    def __init__(self, source: BlockSource, catcher: BundleCatcher | None, start: Cut = BEGINNING) -> None:
        self._source = source
        self._catcher = catcher
        self._machine = LineMachine(
            source.name, found=start.found, release=start.release, killed=start.killed, caller=start.caller
        )
        self._kept: list[bytes] = []
        self._kept_lines: list[int] = []
        self._fed = 0
        self._rest = b""
        self._line = start.line
        self._read_bytes = start.offset
        self._gap_line = 0
        self._enough = False

    def incidents(self, *, to_the_end: bool = True) -> Iterator[Incident]:
        """Yield the incidents as they end; the one that is open at last only when this is the end of the log."""
        while not self._enough and (block := self._source.read()):
            self._read_bytes += len(block)
            # One pass for all that may matter; what it is, is asked only where there is something.
            marked = _MARK_SEARCH.in_bytes(block)
            if self._catcher is not None:
                self._catcher.feed(block, self._line, marked=marked)
            if b"\n" not in block:
                self._lengthen(block)
            elif self._machine.idle and self._is_quiet(block, marked=marked):
                self._keep(block, block.count(b"\n"))
            else:
                yield from self._read(block)
            self._between_blocks()
        if to_the_end:
            yield from self._read_last()
            yield from self._machine.finish(self._source.warnings)

    def _between_blocks(self) -> None:
        """Called when a block has been read."""

    def _note(self, number: int, line: bytes, offset: int) -> None:
        """Called with each line that the machine is given, and where it begins in the text."""

    def _lengthen(self, block: bytes) -> None:
        """Add to the unfinished line, but no more of it than will be looked at."""
        more = block[: max(MAX_LINE_BYTES + 1 - len(self._rest), 0)]
        if len(more) < len(block):
            self._gap_line = self._line
        self._rest += more
        self._kept.append(more)
        self._kept_lines.append(0)

    def _is_quiet(self, block: bytes, *, marked: bool) -> bool:
        seam = self._rest + block[: block.find(b"\n")]
        return not (marked and TRIGGER_SEARCH.in_bytes(block)) and not TRIGGER_SEARCH.in_bytes(seam)

    def _keep(self, block: bytes, lines: int) -> None:
        """Keep a block for looking back, and drop what is too far back."""
        self._line += lines
        self._rest = block[block.rfind(b"\n") + 1 :]
        if len(self._rest) > MAX_LINE_BYTES:
            block = block[: len(block) - len(self._rest) + MAX_LINE_BYTES + 1]
            self._rest = self._rest[: MAX_LINE_BYTES + 1]
            self._gap_line = self._line
        self._kept.append(block)
        self._kept_lines.append(lines)
        while len(self._kept) > 1 and (sum(self._kept_lines[1:]) > LOOK_BACK or len(self._kept) > _MAX_KEPT_BLOCKS):
            self._fed = max(self._fed - len(self._kept.pop(0)), 0)
            self._kept_lines.pop(0)

    def _read(self, block: bytes) -> Iterator[Incident]:
        text = b"".join((*self._kept, block))
        at = len(text) - len(block) - len(self._rest)
        end = text.rfind(b"\n") + 1
        base = self._read_bytes - len(text)
        following: dict[bytes, int] = dict.fromkeys(_TRIGGERS, -1)
        fed = self._fed
        while at < end:
            if self._machine.idle:
                start = _next_trigger(text, at, end, following)
                self._line += text.count(b"\n", at, start)
                at = start
                if at == end:
                    break
                self._look_back(text, fed, at, base)
            stop = text.find(b"\n", at)
            yield from self._feed(text[at:stop], base + at, cut=False)
            at = fed = stop + 1
        self._start_over(text, fed)

    def _start_over(self, text: bytes, fed: int) -> None:
        """Keep only what may be looked back on from the end of ``text``."""
        end = text.rfind(b"\n") + 1
        begin = lines_back(text, fed, end)
        self._fed = 0
        self._kept = []
        self._kept_lines = []
        lines = text.count(b"\n", begin, end)
        self._line -= lines
        self._keep(text[begin:], lines)

    def _read_last(self) -> Iterator[Incident]:
        """Read a last line without a line end: its last word may be incomplete."""
        if self._rest:
            text = b"".join(self._kept)
            at = len(text) - len(self._rest)
            if self._machine.idle:
                if not TRIGGER_SEARCH.in_bytes(self._rest):
                    return
                self._look_back(text, self._fed, at, self._read_bytes - len(text))
            yield from self._feed(self._rest, self._read_bytes - len(self._rest), cut=self._line > 1)

    def _look_back(self, text: bytes, fed: int, at: int, base: int) -> None:
        """Give the machine the lines before ``at``, which hold no trigger. ``base``: where ``text`` begins."""
        begin = lines_back(text, fed, at)
        before = text[begin:at]
        lines = before.split(b"\n")[:-1]
        first = self._line - len(lines)
        for number, line in enumerate(lines, first):
            self._note(number, line, base + begin)
            begin += len(line) + 1
        if len(before) <= MAX_LINE_BYTES:
            self._machine.remember(first, before.decode("utf-8", "replace").split("\n")[: len(lines)])
        else:
            numbered = enumerate(lines, first)
            self._machine.remember(first, [decoded(self._source, line, number) for number, line in numbered])

    def _feed(self, line: bytes, offset: int, *, cut: bool) -> Sequence[Incident]:
        number = self._line
        self._note(number, line, offset)
        done = self._machine.feed(number, decoded(self._source, line, number), cut=cut)
        self._line += 1
        return done


def _next_trigger(text: bytes, at: int, end: int, following: dict[bytes, int]) -> int:
    """Return where the next line with a trigger begins, or ``end``; ``following`` remembers where each word stands."""
    found = end
    for trigger, known in following.items():
        if known < at:
            place = text.find(trigger, at, end)
            known = following[trigger] = end if place < 0 else place
        found = min(found, known)
    return found if found == end else max(text.rfind(b"\n", 0, found) + 1, at)


def lines_back(text: bytes, begin: int, end: int) -> int:
    """Return where the lines before ``end`` that may be looked back on begin, but no earlier than ``begin``."""
    position = end
    for _ in range(LOOK_BACK):
        if position <= begin:
            break
        position = text.rfind(b"\n", begin, position - 1) + 1 or begin
    return position
