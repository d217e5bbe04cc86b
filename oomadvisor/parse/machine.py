"""The line machine: lines go in one by one, incidents come out as they end.

While no incident is open only lines with a trigger word matter, so a log can be searched for these words and the rest
of it never be looked at (``oomadvisor.parse.scan``). The few hundred lines before a trigger are kept and read first:
a report whose head was lost begins before the line that gives it away.
"""

import re
from collections import deque
from collections.abc import Iterable

from oomadvisor.model import Incident, Warning_
from oomadvisor.parse import boundary
from oomadvisor.parse.close import close
from oomadvisor.parse.draft import Draft
from oomadvisor.parse.forms import TRIGGERS, recognise, recognise_damaged, recognise_partial
from oomadvisor.parse.fragments import Fragments
from oomadvisor.parse.lineform import Line, LineForm, compiled
from oomadvisor.parse.records import Records
from oomadvisor.parse.rejoin import Held

#: Lines kept for looking back from a trigger.
LOOK_BACK = 200
MAX_MISSES = 2
#: Lines between those of two reports that are printed at the same time.
MAX_BETWEEN = 10
#: Tasks and processors whose reports can be open at the same time.
MAX_LANES = 16
MAX_LINE = 1 << 16
#: A time and a host as syslog writes them, and the tag of a program with its colon.
_SYSLOG = r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S{1,255} [\w./\-]{1,64}(?:\[\d{1,10}\])?: "
_BANNER = r"Linux version (?P<release>\d{1,3}\.\d{1,3}[\w.+~:@-]{0,80})"
_NUMBERS = r"-?\d{1,20}(?: -?\d{1,20}){0,8}"

_Lane = tuple[Draft | None, Held | None, Fragments]


class LineMachine:
    """Turns the lines of one input into incidents."""

    def __init__(
        self, file: str, *, found: int = 0, release: tuple[str, int] | None = None, caller: str | None = None
    ) -> None:
        self._file = file
        self._draft: Draft | None = None
        self._held: Held | None = None
        self._before: deque[tuple[int, str]] = deque(maxlen=LOOK_BACK)
        self._done: list[Incident] = []
        self._found = found
        self._release = release
        self._sysrq_line = -10
        self._records = Records()
        self._fragments = Fragments()
        self._unfinished: int | None = None
        self._caller = caller
        self._lanes: dict[str | None, _Lane] = {}

    @property
    def idle(self) -> bool:
        """Whether lines without a trigger word can be left out now."""
        return self._draft is None and self._held is None and not self._records.pending and not self._lanes

    @property
    def found(self) -> int:
        """How many incidents have ended so far."""
        return self._found

    @property
    def release(self) -> tuple[str, int] | None:
        """The kernel that the last banner named, and the line of that banner."""
        return self._release

    @property
    def caller(self) -> str | None:
        """The task or processor that printed the last line of a report, where the kernel says so."""
        return self._caller

    @property
    def settled(self) -> bool:
        """Whether nothing that is open could change how a head in the next line is read."""
        return not self._lanes and self._records.untouched and self._fragments.untouched

    def began_at(self, number: int) -> bool:
        """Return whether an incident begins with line ``number``, the last one fed, and depends on no line before it.

        That is so only where the machine was settled before that line, too. A head that may go on in the next line is
        still held back, but the incident before it is over.
        """
        draft, held = self._draft, self._held
        begun = (draft is not None and draft.line == number and draft.head is not None and held is None) or (
            draft is None and held is not None and held.line.number == number and held.form.role == "start"
        )
        return (
            begun
            and self.settled
            and self._unfinished != number
            and number - self._sysrq_line > boundary.MAX_AFTER_SYSRQ
        )

    def feed(self, number: int, raw: str, *, cut: bool = False) -> list[Incident]:
        """Take one line of the input; return the incidents that ended with it."""
        if len(raw) > MAX_LINE:
            raw = raw[:MAX_LINE]
        if self.idle:
            if not any(trigger in raw for trigger in TRIGGERS):
                self._before.append((number, raw))
                return []
            probe = Records()
            lines = probe.cut(number, raw, cut=cut)
            if not any(self._worth_reading(line) for line in (*lines, *probe.flush())) and not probe.pending:
                self._before.append((number, raw))
                return []
            before = list(self._before)
            self._before.clear()
            self._records = Records()
            for earlier, text in before:
                for line in self._records.cut(earlier, text):
                    self._take(line)
        elif self._is_of_another_program(raw):
            self._skip_unread()
            done, self._done = self._done, []
            return done
        for line in self._records.cut(number, raw, cut=cut):
            self._take(line)
        done, self._done = self._done, []
        return done

    def _is_of_another_program(self, raw: str) -> bool:
        """Return whether a line of a syslog is not tagged as the kernel's, where those of the open report are."""
        draft = self._draft
        return (
            draft is not None
            and draft.tagged
            and not self._records.pending
            and " kernel" not in raw
            and compiled(_SYSLOG).match(raw) is not None
        )

    def _skip_unread(self) -> None:
        draft = self._draft
        if draft is not None:
            draft.unrelated += 1
            if draft.unrelated > (boundary.MAX_UNRELATED_AFTER_KILL if draft.killed else boundary.MAX_UNRELATED):
                self._release_held()
                self._close()

    def finish(self, warnings: Iterable[Warning_] = ()) -> list[Incident]:
        """Return what the end of the input brings to an end; ``warnings`` about the input go to the open incident."""
        for line in self._records.flush():
            self._take(line)
        for name in list(self._lanes):
            self._end_lane(name)
        for line in self._fragments.flush():
            self._take_whole(line)
        self._release_held()
        if self._draft is not None:
            for warning in warnings:
                self._draft.warn(warning.code, warning.text, warning.origin.line if warning.origin else None)
        self._close()
        done, self._done = self._done, []
        return done

    def _worth_reading(self, line: Line) -> bool:
        """Decide whether a line with a trigger is a line of a report; a head makes the lines before it irrelevant."""
        found = recognise(line.text)
        damaged = recognise_damaged(line.text) if found is None else found
        form = recognise_partial(line.text) if damaged is None else damaged[0]
        if form is not None and form.role == "start":
            self._before.clear()
        return form is not None or "Linux version" in line.text

    def _take(self, line: Line) -> None:
        if self._note_banner(line):
            return
        self._change_lane(line)
        if self._draft is not None:
            self._draft.note_width(line.width)
        if self._draft is None and self._held is None:
            self._take_whole(line)
            return
        whole, used = self._fragments.take(line)
        for earlier in whole:
            self._take_whole(earlier)
        if not used:
            self._take_whole(self._fragments.with_node(line))

    def _change_lane(self, line: Line) -> None:
        """Go on with what the task or processor that printed ``line`` had begun to print.

        Where the kernel names it, two reports that were printed at the same time come apart without guessing.
        """
        caller = line.caller
        if caller is None or caller == self._caller:
            return
        self._lanes[self._caller] = (self._draft, self._held, self._fragments)
        self._caller = caller
        self._draft, self._held, self._fragments = self._lanes.pop(caller, (None, None, Fragments()))
        for name, (draft, held, _) in list(self._lanes.items()):
            if draft is None and held is None:
                del self._lanes[name]
            elif draft is not None and (
                line.number - draft.last_line > 2 * boundary.MAX_UNRELATED or len(self._lanes) > MAX_LANES
            ):
                self._end_lane(name)

    def _end_lane(self, name: str | None) -> None:
        """Close what one lane holds; the lane in use stays what it is."""
        here = (self._draft, self._held, self._fragments)
        self._draft, self._held, self._fragments = self._lanes.pop(name)
        self._release_held()
        self._close()
        self._draft, self._held, self._fragments = here

    def _take_whole(self, line: Line) -> None:
        found = recognise(line.text)
        form = recognise_partial(line.text) if found is None else found[0]
        if found is None and self._completes(line):
            return
        if form is not None:
            if form.role != "detail" and line.pieces == 1 and self._fragments.begun:
                for earlier in self._fragments.flush():
                    self._take_whole(earlier)
            self._release_held()
            if form.role == "start":
                # Whatever this line turns out to say, the incident before it is over.
                self._unfinished = self._ends_early(line)
                self._close()
            if found is None or (form.partial is not None and form.grows):
                self._held = Held(form, line)
            else:
                self._read(form, found[1], line)
        elif not self._continues(line):
            self._take_rest(line)

    def _ends_early(self, line: Line) -> int | None:
        """Return the number of ``line`` when the open incident has a head, and nothing yet of what follows it."""
        draft = self._draft
        if draft is None or draft.has_memory or draft.killed or draft.unrelated > MAX_MISSES:
            return None
        return line.number if draft.request and line.number - draft.last_line <= MAX_BETWEEN else None

    def _completes(self, line: Line) -> bool:
        """Try a line that looks like the beginning of another one as the end of what is held back."""
        held = self._held
        if held is None or not line.text or (line.prefixed and held.line.prefixed) or not held.completed_by(line):
            return False
        return held.extend(line)

    def _continues(self, line: Line) -> bool:
        """Try an unknown line as the continuation of what is held back, or of a reserve line."""
        held = self._held
        if held is not None and line.text:
            # What has a prefix of its own is a record of its own.
            if not (line.prefixed and held.line.prefixed) and held.extend(line):
                return True
            if held.misses == MAX_MISSES:
                self._release_held()
            held.misses += 1
        return self._continue_reserve(line)

    def _take_rest(self, line: Line) -> None:
        damaged = recognise_damaged(line.text)
        if damaged is None:
            self._skip(line)
            return
        self._release_held()
        self._read(*damaged, line._replace(cut=True))
        if self._draft is not None:
            self._draft.warn(
                "damaged-line", f"A line ({damaged[0].name}) is damaged; only its beginning was read.", line.number
            )

    def _note_banner(self, line: Line) -> bool:
        if "Linux version" not in line.text:
            return False
        match = compiled(_BANNER).match(line.text)
        if match is None:
            return False
        # The box has booted: whatever was open is over.
        for name in list(self._lanes):
            self._end_lane(name)
        self._release_held()
        self._close()
        self._release = (match.group("release"), line.number)
        return True

    def _release_held(self) -> None:
        held, self._held = self._held, None
        if held is None:
            return
        joined = held.result(self._draft)
        form, line = held.form, held.line
        match = form.match(joined.text) if joined.whole else form.match_partial(joined.text)
        if match is None or not (joined.whole or (form.reads_partial and not joined.ambiguous)):
            if match is not None and self._draft is not None:
                self._draft.warn("cut-line", f"A line ({form.name}) is incomplete and was left out.", line.number)
            return
        text = line._replace(text=joined.text, cut=held.cut or not joined.whole, width=held.width)
        self._read(form, match, text)
        draft = self._draft
        if draft is None:
            return
        draft.unrelated = held.misses
        draft.last_line = max(draft.last_line, held.last_line if joined.parts > 1 else line.number)
        if joined.ambiguous:
            draft.warn("ambiguous-wrap", "A wrapped line can be put together in several ways; left apart.", line.number)
        elif joined.parts > 1:
            draft.rejoined.append(line.number)
        elif not joined.whole:
            draft.warn("cut-line", f"A line ({form.name}) is incomplete; only what is certain was read.", line.number)

    def _continue_reserve(self, line: Line) -> bool:
        """Keep numbers below a reserve line as its possible continuation; closing decides what fits."""
        draft = self._draft
        zone = draft.last_zone if draft is not None else None
        if draft is None or zone is None or line.prefixed or draft.last_line + 1 != line.number:
            return False
        if not zone.reserves or not compiled(_NUMBERS).fullmatch(line.text):
            return False
        if draft.lines.get(f"zones.{zone.node}.{zone.name}.reserve") != draft.last_line:
            return False
        (first,) = zone.reserves[:1]
        head = " ".join(str(value) for value in first)
        texts = (head + line.text, head + " " + line.text)
        for text in texts:
            if not re.search(r"(?:^| )0\d", text):
                zone.reserves.append(tuple(int(word) for word in text.split()))
        zone.reserve_joined = True
        draft.last_line = line.number
        return True

    def _skip(self, line: Line) -> None:
        if line.text:
            self._skip_unread()

    def _read(self, form: LineForm, match: re.Match[str], line: Line) -> None:
        if form.name == "sysrq":
            self._sysrq_line = line.number
        place = boundary.place(self._draft, form, match, line.number)
        if place == "ignore":
            return
        if place == "new":
            self._close()
            self._draft = self._open(form, line)
        draft = self._draft
        if draft is None:
            return
        draft.last_line = max(draft.last_line, line.number)
        draft.unrelated = 0
        draft.forms.setdefault(form.variant_of(line.text, whole=not line.cut))
        if line.pieces > 1:
            draft.rejoined.append(line.number)
        if line.cut:
            draft.cut_widths[line.width] = draft.cut_widths.get(line.width, 0) + 1
        elif form.role == "start":
            draft.head = form, match, line
        form.read(draft, match, line)

    def _open(self, form: LineForm, line: Line) -> Draft:
        draft = Draft(self._file, line.number, boundary.kind_at_start(form), last_line=line.number, time=line.time)
        draft.sysrq = form.role == "mem-start" and line.number - self._sysrq_line <= boundary.MAX_AFTER_SYSRQ
        draft.note_width(line.width)
        draft.tagged = line.tagged
        draft.follows_unfinished = form.role == "start" and self._unfinished == line.number
        if self._release is not None:
            draft.kernel_release, draft.kernel_release_line = self._release
        return draft

    def _close(self) -> None:
        draft, self._draft = self._draft, None
        if draft is not None:
            self._records = Records()
            self._fragments = Fragments()
            self._found += 1
            self._done.append(close(draft, self._found))
