"""The text that came with a request, read by the same readers as files on the command line.

It lies for the time of the request in a folder that only this process can read, under names of our own: no path is
taken from a request. The names are also what the page calls the inputs.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from oomadvisor.infer import build_state, state_from_proc
from oomadvisor.model import Incident, SystemState
from oomadvisor.parse import InputError, open_text, read_proc_paths, read_sysctl_path
from oomadvisor.parse.report import Report
from oomadvisor.present.charts import Moment
from oomadvisor.web.ask import Ask, BadAsk

LOG, SYSCTL, PROC = "log.txt", "sysctl.txt", "proc.txt"
MOST_MOMENTS = 1000
KEPT_BYTES = 1 << 20
"""A longer log goes back into the page without the lines between its incidents."""
CONTEXT_LINES = 5
EXPECTED = "a kernel log with a line such as 'invoked oom-killer', 'page allocation failure' or 'Killed process'"


@dataclass(frozen=True, slots=True)
class Read:
    """The incident that is asked about, and what else the page needs of the log."""

    state: SystemState
    found: int
    moments: tuple[Moment, ...]
    ranges: tuple[tuple[int, int], ...]


@contextmanager
def folder_with(ask: Ask) -> Iterator[None]:
    """Make a folder that holds the inputs the current one; it is gone afterwards."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="oomadvisor-") as folder:
        os.chdir(folder)
        try:
            for name, data in ((LOG, ask.log), (SYSCTL, ask.sysctl), (PROC, ask.proc)):
                if data:
                    with open(name, "xb") as file:
                        file.write(data)
            yield
        finally:
            os.chdir(before)


def read(ask: Ask) -> Read:
    """Read the inputs in the current folder. Raises InputError, BadAsk."""
    sysctls = read_sysctl_path(SYSCTL) if ask.sysctl.strip() else None
    proc = read_proc_paths((PROC,)) if ask.proc.strip() else None
    if not ask.log.strip():
        if proc is None:
            raise BadAsk("nothing was pasted, and no file was given")
        return Read(state_from_proc(proc, sysctls=sysctls, kernel=ask.kernel), 1, (), ())
    chosen: Incident | None = None
    found = 0
    moments: list[Moment] = []
    ranges: list[tuple[int, int]] = []
    report = Report(LOG)
    for incident in report.incidents():
        found += 1
        if len(moments) < MOST_MOMENTS:
            moments.append(Moment.of(incident))
            ranges.append((incident.line, incident.last_line))
            if incident.kernel_release_line:
                ranges.append((incident.kernel_release_line, incident.kernel_release_line))
        if _is_asked(incident, found, chosen, ask.incident):
            chosen = incident
    # What was given beside the log counts more than what a bundle says by itself.
    proc, sysctls = proc or report.proc(), sysctls or report.sysctls()
    if not found and proc is not None and proc.zones and ask.incident is None:
        return Read(state_from_proc(proc, sysctls=sysctls, kernel=ask.kernel), 1, (), ())
    if not found:
        raise InputError(LOG, "no incident found", expected=EXPECTED)
    if chosen is None:
        raise BadAsk(f"there is no incident {ask.incident} in the log, it holds {found}")
    state = build_state(chosen, sysctls=sysctls, proc=proc, kernel=ask.kernel)
    return Read(state, found, tuple(moments), tuple(ranges))


def _is_asked(incident: Incident, number: int, chosen: Incident | None, asked: int | None) -> bool:
    """Return whether this is the incident: the one with the number, else the first in which something happened."""
    if asked is not None:
        return number == asked
    return chosen is None or (chosen.kind == "mem-info" != incident.kind)


def lines_of(file: str, wanted: set[int]) -> dict[int, str]:
    """Return lines of an input by number."""
    found = {}
    with open_text(file) as text:
        for number, line in enumerate(text, 1):
            if number in wanted:
                found[number] = line.rstrip("\r\n")
            if number >= max(wanted):
                break
    return found


def kept_log(ask: Ask, ranges: tuple[tuple[int, int], ...]) -> str:
    """Return the log as it goes back into the page, so that the next request brings it along.

    Of a log that is too long the lines between the incidents are empty: the others keep their numbers. It ends where
    it would become too long.
    """
    if not ask.log.strip():
        return ""
    wanted: set[int] = set()
    for first, last in ranges:
        wanted |= set(range(max(first - CONTEXT_LINES, 1), last + CONTEXT_LINES + 1))
    last = max(wanted, default=0)
    whole = len(ask.log) <= KEPT_BYTES and not ask.log.startswith(b"\x1f\x8b")
    kept: list[str] = []
    size = 0
    with open_text(LOG) as text:
        for number, line in enumerate(text, 1):
            if not whole and number > last:
                break
            kept.append(line if whole or number in wanted else "\n")
            size += len(kept[-1])
            if size > KEPT_BYTES + len(kept):
                break
    return "".join(kept)
