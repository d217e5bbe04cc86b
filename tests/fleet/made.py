"""A small fleet on disk: real reports with known settings, one of them told by two logs, and inputs not readable."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from oomadvisor.advise import advise
from oomadvisor.book import engine_for, load_book
from oomadvisor.fleet.dataset import Dataset, parts_of
from oomadvisor.fleet.rows import Place, Row, Rows, rows_of
from oomadvisor.infer import build_state
from oomadvisor.model import SystemState
from oomadvisor.parse import scan_file
from tests.fleet.boxes import seed_set_to
from tests.simulate.boxes import RUNS, SEED

HOSTILE = "<script>alert(1)</script>'\"\x1b[2J\u202e{{ 7 * 7 }}"
TIMES = ("2011-06-04T12:00:00", "2011-06-04 23:59:59", "2011-06-05T00:00:01", "Jun  4 12:00:00", "812.345678", None)
MOST_OF_A_LOG = 6


def advised(state: SystemState, place: Place, time: str | None = None) -> Rows:
    """Return the rows of one incident, as the run writes them."""
    book = load_book()
    incident = state.incident.model_copy(update={"time": time})
    return rows_of(advise(state.model_copy(update={"incident": incident}), book, engine=engine_for(book)), place)


def of_input(name: str, incidents: int, state: str = "finished", reason: str | None = None) -> Row:
    return {
        "input": name,
        "kind": "file",
        "size": 1000,
        "lines": 10,
        "incidents": incidents,
        "seconds": 0.5,
        "state": state,
        "reason": reason,
    }


@cache
def bundles() -> list[Rows]:
    """Return the fleet: a bundle for each input."""
    found: list[Rows] = []

    def add(name: str, rows: Sequence[Rows], state: str = "finished", reason: str | None = None) -> None:
        whole: Rows = {"inputs": [of_input(name, len(rows), state, reason)]}
        for one in rows:
            for table, some in one.items():
                whole.setdefault(table, []).extend(some)
        found.append(whole)

    # The same event in dmesg and in syslog, and twice more from another box with the kernel's default.
    add("a/dmesg.log", [advised(seed_set_to(4160), Place("a/dmesg.log", 0, 812.3, {"firmware": "1.0"}), "812.3")])
    add("a/syslog.log", [advised(seed_set_to(4160), Place("a/syslog.log", 9, 812.3, {"firmware": "1.0"}), TIMES[0])])
    healthy = seed_set_to(2039, kind="mem-info")
    add("b/ok.log", [advised(healthy, Place("b/ok.log", 0, 5.5, {"firmware": "1.0"}), TIMES[3])])
    for log, firmware in (("frag4", "1.1"), ("flip1", "1.2")):
        states = [build_state(one) for one in scan_file(str(RUNS / f"{log}.log.gz"))][:MOST_OF_A_LOG]
        name = f"c/{log}.log"
        labels = {"firmware": firmware}
        add(name, [advised(s, Place(name, n, float(n), labels), TIMES[n]) for n, s in enumerate(states)])
    add("d/no\nentry\x1b[2J.log", [], "unreadable", "permission denied")
    add("d/bomb.tar", [], "unreadable", "a member unpacks to more than it may")
    return found


def write(folder: Path, rows: Sequence[Rows], *, finished: bool = True) -> Path:
    """Write bundles as a fleet and return its folder."""
    dataset = Dataset(folder, {})
    dataset.begin(force=True)
    for number, bundle in enumerate(rows):
        dataset.keep(f"{number:04}", parts_of(f"{number:04}", 0, bundle), {"inputs": []})
    if finished:
        dataset.end()
    return folder


def hostile_bundle() -> Rows:
    """Return rows with hostile text wherever a log or a path can put one, on a state that can be replayed."""
    rows = advised(seed_set_to(4160), Place(HOSTILE, 0, 1.0, {HOSTILE: HOSTILE}), HOSTILE)
    names = ("signature_text", "kernel", "arch", "comm", "operation", "caller", "zone", "victim", "first_cause")
    changed: Mapping[str, Any] = dict.fromkeys((*names, "summary", "first_fix", "kind"), HOSTILE)
    hostile: Rows = {"inputs": [of_input(HOSTILE, 1, "unreadable", HOSTILE)]}
    hostile["incidents"] = [{**row, **changed} for row in rows["incidents"]]
    hostile["fixes"] = [{**row, "title": HOSTILE, "id": HOSTILE} for row in rows["fixes"]]
    hostile["warnings"] = [{"input": HOSTILE, "line": 1, "incident": None, "code": HOSTILE, "text": HOSTILE}]
    return hostile


__all__ = ["HOSTILE", "SEED", "TIMES", "advised", "bundles", "hostile_bundle", "of_input", "write"]
