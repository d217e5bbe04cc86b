"""One log to rows: its incidents, each advised on, and what became of the log itself."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from oomadvisor.fleet.expert import Expert
from oomadvisor.fleet.rows import Place, Row, Rows, rows_of
from oomadvisor.fleet.uptime import uptime_of
from oomadvisor.infer import build_state
from oomadvisor.model import ProcState, Warning_
from oomadvisor.parse.bundle import BundleCatcher
from oomadvisor.parse.errors import InputError
from oomadvisor.parse.scan import BEGINNING, Cut
from oomadvisor.parse.source import BlockSource
from oomadvisor.parse.stretch import Found, Stretch

HELD_INCIDENTS = 500
"""What a bundle of ``oomadvisor collect`` says holds for the whole log, and may stand at its end. Until then so many
incidents wait; of a log with more of them none waits any longer."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of every log: by whom its incidents are judged, the kernel where the log does not say, and how its
    labels follow from its name.
    """

    expert: Expert
    kernel: str | None
    labels: Callable[[str], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an input. ``reason``: why it is unreadable, or what was odd about one that was read."""

    input: str
    kind: str = "log"
    size: int | None = None
    lines: int = 0
    incidents: int = 0
    seconds: float = 0.0
    state: str = "finished"
    reason: str | None = None

    def row(self) -> Row:
        """Return it as a row of the table ``inputs``."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class Reading:
    """A log while it is read. The rows come one incident at a time; afterwards ``outcome`` tells what became of it."""

    name: str
    stream: BinaryIO
    size: int | None
    asked: Asked
    start: Cut = BEGINNING
    stop: Cut | None = None
    part: bool = False
    outcome: Outcome = field(init=False)
    warnings: tuple[Warning_, ...] = ()

    def rows(self) -> Iterator[Rows]:
        """Yield the rows of each incident. Whatever is wrong with the log ends it, with what was read so far kept."""
        began = time.perf_counter()
        self.outcome = Outcome(self.name, size=self.size)
        incidents = 0
        try:
            for rows in self._rows():
                incidents += 1
                yield rows
        except InputError as error:
            self.outcome = replace(self.outcome, state="unreadable", reason=error.text)
        except Exception as error:  # one log in a million must not end the run over all others
            self.outcome = replace(self.outcome, state="unreadable", reason=defect(error))
        self.outcome = replace(self.outcome, incidents=incidents, seconds=time.perf_counter() - began)

    def _rows(self) -> Iterator[Rows]:
        catcher = None if self.part else BundleCatcher()
        with BlockSource(self.name, self.stream, plain=self.part) as source:
            stretch = Stretch(source, self.start, catcher)
            held: list[Found] | None = [] if catcher is not None else None
            found_any = False
            for found in stretch.found(to_the_end=self.stop is None):
                found_any = True
                if held is None:
                    yield self._advised(found, None)
                    continue
                held.append(found)
                if len(held) > HELD_INCIDENTS:
                    yield from (self._advised(one, None) for one in held)
                    held = None
            if held is not None:
                proc = catcher.proc(self.name) if catcher is not None else None
                yield from (self._advised(one, proc) for one in held)
            self.warnings = tuple(source.warnings[len(self.start.warnings) :])
            damage = next((w.text for w in source.warnings if w.code == "truncated-gzip"), None)
            self.outcome = replace(self.outcome, lines=stretch.lines, reason=damage)
            if damage is not None and not found_any:
                raise InputError(self.name, f"{damage[:-1]}; no incident was found in it")
            if held is None and catcher is not None and catcher.begun:
                text = f"A bundle stands behind {HELD_INCIDENTS} incidents; what it says of the box was not used."
                self.warnings = (*self.warnings, Warning_(code="late-bundle", text=text))
                self.outcome = replace(self.outcome, reason=text)

    def _advised(self, found: Found, proc: ProcState | None) -> Rows:
        incident, name = found.incident, self.name
        place = Place(name, found.offset, uptime_of(found.head), self.asked.labels(name))
        return rows_of(self.asked.expert(build_state(incident, proc=proc, kernel=self.asked.kernel)), place)


def defect(error: Exception) -> str:
    """Return in one line what happened that should not."""
    return f"a defect of oomadvisor: {type(error).__name__}: {' '.join(str(error).split())[:200]}"


def warning_row(name: str, warning: Warning_) -> Row:
    """Return the row of a warning about a log itself and none of its incidents."""
    line = None if warning.origin is None else warning.origin.line
    return {"input": name, "line": line, "incident": None, "code": warning.code, "text": warning.text}
