"""The rows of incidents: what is kept of a state gives the same verdicts again, and who it is does not hang on the log."""

import gzip
import io
import json
from pathlib import Path

import pytest

pytest.importorskip("pyarrow")

from pyarrow import parquet

from oomadvisor.advise import advise
from oomadvisor.book import engine_for, load_book
from oomadvisor.facts import assess
from oomadvisor.fleet.identity import identity_of
from oomadvisor.fleet.parts import part_bytes
from oomadvisor.fleet.rows import Place, rows_of
from oomadvisor.fleet.schema import TABLES
from oomadvisor.fleet.uptime import uptime_of
from oomadvisor.infer import build_state
from oomadvisor.model import Incident, SystemState
from oomadvisor.parse import read_incidents, scan_file
from tests.parse.render import render
from tests.parse.states import make_incident

TESTS = Path(__file__).parent.parent
BOOK = load_book()
ENGINE = engine_for(BOOK)
DEVICE_LOGS = sorted([*(TESTS / "runs").rglob("*.log.gz"), *(TESTS / "reports").glob("*.txt")])


def device_reports() -> list[Incident]:
    """Every twentieth report that the real kernel printed, from what `make whatif` runs on."""
    with gzip.open(TESTS / "runs" / "whatif.jsonl.gz", "rt") as file:
        texts = list(dict.fromkeys(json.loads(line)["report"] for line in file))[::20]
    return [one for text in texts for one in read_incidents(text.splitlines(True), file="whatif")]


def test_the_state_that_is_kept_gives_the_same_verdicts() -> None:
    incidents = [one for log in DEVICE_LOGS for one in list(scan_file(str(log)))[:4]] + device_reports()
    assert len(incidents) > 40
    with_verdicts = 0
    for incident in incidents:
        state = build_state(incident)
        (row,) = rows_of(advise(state, BOOK, engine=ENGINE), Place("a log"))["incidents"]
        again = SystemState.model_validate_json(row["state"])
        assert again == state
        assert assess(again) == assess(state)
        with_verdicts += bool(assess(again).verdicts)
    assert with_verdicts > 20


@pytest.mark.parametrize("seed", range(12))
def test_rows_fit_the_schema_and_come_back(seed: int) -> None:
    report = render(make_incident(seed, "arm"))
    (incident,) = read_incidents(report, file="x")
    place = Place("x\n\udc80y", 17, 3.25, {"fw": "1.2", "box": "ö"})
    rows = rows_of(advise(build_state(incident), BOOK, engine=ENGINE), place)
    for table, found in rows.items():
        read = parquet.read_table(io.BytesIO(part_bytes(table, found)))
        assert read.schema.names == TABLES[table].names
        assert read.schema.metadata == TABLES[table].metadata
        assert read.cast(TABLES[table]).equals(read)
        assert part_bytes(table, found) == part_bytes(table, found)
        for row, kept in zip(found, read.to_pylist(), strict=True):
            assert set(row) == set(TABLES[table].names)
            assert {**row, "input": kept["input"]} == kept


SYSLOG = "Jan  9 03:14:15 box kernel: [  812.345678] "
DMESG = "[  812.345678] "
KMSG = "4,1203,812345678,-;"


def rendered(seed: int, prefix: str, *before: str) -> list[str]:
    return [*before, *(f"{prefix}{line}\n" for line in render(make_incident(seed, "arm")))]


def identity(lines: list[str], log: str = "a log") -> str:
    (incident,) = read_incidents(lines, file=log)
    return identity_of(incident, uptime_of(lines[incident.line - 1]), log)


@pytest.mark.parametrize("seed", range(20))
def test_one_event_has_one_identity_in_every_log(seed: int) -> None:
    first = identity(rendered(seed, DMESG), "a")
    assert identity(rendered(seed, SYSLOG, "Jan  9 03:14:14 box cron: x\n"), "b") == first
    assert identity(rendered(seed, KMSG), "c") == first
    assert identity(rendered(seed, "> " + SYSLOG), "d") == first
    assert identity(rendered(seed, DMESG.replace("812", "813"))) != first
    assert identity(rendered(seed + 100, DMESG)) != first
    bare = identity(rendered(seed, ""), "a")
    assert bare == identity(rendered(seed, "Jan  9 03:14:15 box kernel: "), "b")
    assert bare not in (first, identity(rendered(seed + 100, ""), "a"))


def test_bare_kill_lines_of_two_boxes_are_two_events() -> None:
    kill = "Killed process 512 (app)\n"
    assert identity([kill], "a") == identity([kill], "a")
    assert identity([kill], "a") != identity([kill], "b")
    timed = [f"Jan  9 03:14:1{n} box kernel: {kill}" for n in (5, 6)]
    assert identity(timed[:1], "a") == identity(timed[:1], "b") != identity(timed[1:], "a")


def test_a_number_beyond_64_bits_is_not_known() -> None:
    report = render(make_incident(3, "arm"))
    (incident,) = read_incidents(report, file="x")
    huge = incident.model_copy(update={"request": incident.request.model_copy(update={"pid": 10**20})})
    rows = rows_of(advise(build_state(huge), BOOK, engine=ENGINE), Place("x"))
    (row,) = parquet.read_table(io.BytesIO(part_bytes("incidents", rows["incidents"]))).to_pylist()
    assert row["pid"] is None
    assert row["incident"]
