"""What a process of a fleet does: one job after another, each with nothing but the job and what was asked."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, cast

from oomadvisor import __version__
from oomadvisor.fleet.bundles import SURVEY_BYTES, Bundle, Cuts, Job, Search, Slice, slices_of
from oomadvisor.fleet.dataset import parts_of
from oomadvisor.fleet.expert import Rules, expert_of
from oomadvisor.fleet.inputs import Input
from oomadvisor.fleet.labels import label_pattern
from oomadvisor.fleet.members import Log, logs_in
from oomadvisor.fleet.reading import Asked, Outcome, Reading, defect, warning_row
from oomadvisor.fleet.rows import Rows
from oomadvisor.fleet.schema import TABLES
from oomadvisor.fleet.streams import NO_LOG_REACHES, Budget, Limits, Persistent
from oomadvisor.parse.errors import InputError
from oomadvisor.parse.source import BlockSource
from oomadvisor.parse.stretch import USUAL, Spacing, survey

PART_INCIDENTS = 256
"""So many incidents are kept in memory before they become a part."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the whole fleet is asked: the pattern of the labels, the kernel where a log does not say, the limits on what
    an input may give, how far cuts are apart.
    """

    label: str | None = None
    kernel: str | None = None
    limits: Limits = NO_LOG_REACHES
    spacing: Spacing = USUAL
    version: str = __version__


@dataclass(frozen=True, slots=True)
class Done:
    """A finished bundle: its parts as bytes by their name, and what became of each input, for the ledger."""

    parts: Mapping[str, bytes]
    outcomes: tuple[Outcome, ...]


class OtherVersionError(RuntimeError):
    """A process elsewhere runs another version of the program, whose results would not be the same."""


def work(job: Job, options: Options, rules: Rules) -> Done | Cuts:
    """Do one job. Whatever is wrong with an input is an outcome, not an error.

    :raises OtherVersionError: this process runs another version than the one that asks.
    """
    if options.version != __version__:
        raise OtherVersionError(f"this worker runs oomadvisor {__version__}, the client {options.version}")
    return _cuts(job, options) if isinstance(job, Search) else _done(job, options, rules)


def _cuts(job: Search, options: Options) -> Cuts:
    budget = Budget(options.limits)
    try:
        with Persistent(job.input, budget, job.start.offset) as stream:
            head = stream.read(1 << 16)
            stream.seek(job.start.offset)
            if job.start.offset == 0 and not _is_plain(job.input.name, head):
                return Cuts(whole=True)
            with BlockSource(job.input.name, cast(BinaryIO, stream), plain=True) as source:
                found = survey(source, job.start, options.spacing, job.start.offset + SURVEY_BYTES)
    except InputError:
        return Cuts(whole=True)  # reading it says what is wrong
    if found.bundled and job.start.offset == 0:
        return Cuts(whole=True)
    go_on = found.cuts[-1] if found.lines is None else None
    return Cuts(slices_of(job.start, found.cuts, found.lines), go_on)


def _is_plain(name: str, head: bytes) -> bool:
    """Return whether an input with this beginning is a log as it is: not packed, in UTF-8, with line ends."""
    stream = io.BytesIO(head)
    first = next(logs_in(name, stream, None, Budget(NO_LOG_REACHES)))
    if not isinstance(first, Log) or b"\n" not in head:
        return False
    with BlockSource(name, io.BytesIO(head)) as source:
        return source.splits


def _done(bundle: Bundle, options: Options, rules: Rules) -> Done:
    pattern = None if options.label is None else label_pattern(options.label)
    asked = Asked(expert_of(rules), options.kernel, (lambda _: {}) if pattern is None else pattern.labels_of)
    keep = _Parts(bundle.name)
    for one in bundle.inputs:
        for outcome in _read(one, bundle.part, asked, options.limits, keep):
            keep.outcomes.append(outcome)
            if bundle.part is None:
                keep.rows["inputs"].append(outcome.row())
    keep.flush()
    return Done(keep.parts, tuple(keep.outcomes))


def _read(one: Input, part: Slice | None, asked: Asked, limits: Limits, keep: "_Parts") -> Iterator[Outcome]:
    budget = Budget(limits)
    if part is not None:
        stop = None if part.stop is None else part.stop.after
        with Persistent(one, budget, part.start.offset, stop) as stream:
            log = Log(one.name, cast(BinaryIO, stream), one.size)
            yield from _read_log(log, Reading(log.name, log.stream, log.size, asked, part.start, part.stop, True), keep)
        return
    try:
        with Persistent(one, budget) as stream:
            for found in logs_in(one.name, cast(BinaryIO, stream), one.size, budget):
                if isinstance(found, Log):
                    yield from _read_log(found, Reading(found.name, found.stream, found.size, asked), keep)
                else:
                    state = "finished" if found.reason is None else "unreadable"
                    yield Outcome(found.name, "archive", found.size, state=state, reason=found.reason)
    except InputError as error:
        yield Outcome(one.name, size=one.size, state="unreadable", reason=error.text)
    except Exception as error:  # one input in a million must not end the run over all others
        yield Outcome(one.name, size=one.size, state="unreadable", reason=defect(error))


def _read_log(log: Log, reading: Reading, keep: "_Parts") -> Iterator[Outcome]:
    for rows in reading.rows():
        keep.add(rows)
    keep.rows["warnings"] += [warning_row(log.name, one) for one in reading.warnings]
    yield reading.outcome


class _Parts:
    """The rows of a bundle, made into parts as they come."""

    def __init__(self, bundle: str) -> None:
        self._bundle = bundle
        self._number = 0
        self.parts: dict[str, bytes] = {}
        self.outcomes: list[Outcome] = []
        self.rows: Rows = {table: [] for table in TABLES}

    def add(self, rows: Rows) -> None:
        for table, found in rows.items():
            self.rows[table] += found
        if len(self.rows["incidents"]) >= PART_INCIDENTS:
            self.flush()

    def flush(self) -> None:
        """Make a part of each table that has rows."""
        self.parts |= parts_of(self._bundle, self._number, self.rows)
        self._number += 1
        self.rows = {table: [] for table in TABLES}
