"""The processes as ``oomadvisor collect`` lists them, one on a line."""

import re
from collections.abc import Sequence

from oomadvisor.model import Process
from oomadvisor.parse.procfiles.notes import Notes, NumberedLine

_HEAD = re.compile(r"PID OOM_ADJ VMSIZE VMRSS VMPTE THREADS STATE NAME")
_SIZE = r"(?:\d{1,12}|-)"
_ROW = re.compile(
    rf"(?P<pid>\d{{1,9}}) (?P<oom_adj>-?\d{{1,4}}|-) (?P<size>{_SIZE}) (?P<rss>{_SIZE}) (?P<tables>{_SIZE})"
    rf" (?P<threads>{_SIZE}) (?P<state>\S{{1,3}}) (?P<name>.{{1,64}}?)\s*"
)
_MAX_ROWS = 20_000


def read_processes(lines: Sequence[NumberedLine], notes: Notes) -> tuple[Process, ...]:
    """Return the processes in the order of the list.

    >>> read_processes([(1, "7 -17 1200 400 8 1 S watchdogd")], Notes("-"))[0].page_table_kb
    8
    """
    rows: list[Process] = []
    for number, text in lines[:_MAX_ROWS]:
        match = _ROW.fullmatch(text)
        if match is not None:
            rows.append(
                Process(
                    pid=int(match["pid"]),
                    name=match["name"],
                    oom_adj=_number(match["oom_adj"]),
                    vm_size_kb=_number(match["size"]),
                    vm_rss_kb=_number(match["rss"]),
                    page_table_kb=_number(match["tables"]),
                    threads=_number(match["threads"]),
                    state=match["state"],
                )
            )
        elif not _HEAD.fullmatch(text):
            notes.unreadable((number, text), "PID OOM_ADJ VMSIZE VMRSS VMPTE THREADS STATE NAME")
    return tuple(rows)


def _number(text: str) -> int | None:
    return None if text == "-" else int(text)
