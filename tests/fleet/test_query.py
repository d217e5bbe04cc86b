"""A fleet asked in SQL: what is counted, and that a query reaches nothing else of the machine."""

import json
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason="the extra 'fleet' is not installed (make fleet)")
pytest.importorskip("duckdb", reason="the extra 'fleet' is not installed (make fleet)")

from oomadvisor.fleet.overview import NoSuchColumn, overview
from oomadvisor.fleet.query import Fleet, NoFleet, QueryError, label_condition
from oomadvisor.fleet.when import day_of
from tests.fleet.made import HOSTILE, bundles, hostile_bundle, write


@pytest.fixture(scope="module")
def fleet(fleet_folder: Path) -> Fleet:
    return Fleet(fleet_folder)


ROWS = [row for bundle in bundles() for row in bundle.get("incidents", ())]
FIRST = {row["incident"]: row for row in sorted(ROWS, key=lambda row: (row["input"], row["line"]), reverse=True)}
"""Each incident where it is told first, by input and line: worked out without the engine."""


def test_an_incident_that_two_logs_tell_of_counts_once(fleet: Fleet) -> None:
    assert len(ROWS) == len(FIRST) + 1
    answer = fleet.ask_user("SELECT incident, input, line, copies FROM incidents ORDER BY incident")
    copies = Counter(row["incident"] for row in ROWS)
    assert answer.columns == ("incident", "input", "line", "copies")
    assert answer.rows == tuple(
        (name, FIRST[name]["input"], FIRST[name]["line"], copies[name]) for name in sorted(FIRST)
    )
    assert fleet.ask_user("SELECT count(*) FROM occurrences").rows == ((len(ROWS),),)


@pytest.mark.parametrize("table", ["fixes", "verdicts"])
def test_what_belongs_to_an_incident_counts_once_too(fleet: Fleet, table: str) -> None:
    kept = {(row["incident"], row["input"]) for row in FIRST.values()}
    rows = [row for bundle in bundles() for row in bundle.get(table, ())]
    wanted = sum((row["incident"], row["input"]) in kept for row in rows)
    assert 0 < wanted < len(rows)
    assert fleet.ask_user(f"SELECT count(*) FROM {table}").rows == ((wanted,),)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_blob('/etc/passwd')",
        "SELECT * FROM sniff_csv('/etc/passwd')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM read_parquet('{out}/incidents/*.parquet')",
        "SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')",
        "COPY incidents TO '{out}/taken.csv'",
        "COPY (SELECT 1) TO '/tmp/taken-by-a-query.csv'",
        "EXPORT DATABASE '{out}/taken'",
        "ATTACH '{out}/taken.db'",
        "CREATE TABLE taken AS SELECT 1",
        "INSERT INTO inputs VALUES (1)",
        "DELETE FROM inputs",
        "DROP VIEW incidents",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "RESET ALL",
        "PRAGMA enable_external_access = true",
        "CALL enable_logging()",
        "SELECT 1; COPY incidents TO '{out}/taken.csv'",
        "WITH gone AS (DELETE FROM inputs RETURNING *) SELECT * FROM gone",
        "SELECT * FROM HOSTILE_OF_PYTHON",
        "SELECT count(*) FROM pg_read_file('/etc/passwd')",
        "",
        "SELEC 1",
    ],
)
def test_a_query_reads_the_tables_and_nothing_else(fleet: Fleet, fleet_folder: Path, sql: str) -> None:
    HOSTILE_OF_PYTHON = ROWS  # a name of Python must be no name of SQL  # noqa: F841
    before = sorted(path.name for path in fleet_folder.iterdir())
    with pytest.raises(QueryError) as told:
        fleet.ask_user(sql.replace("{out}", str(fleet_folder)))
    assert "root:" not in str(told.value)
    assert sorted(path.name for path in fleet_folder.iterdir()) == before
    assert not Path("/tmp/taken-by-a-query.csv").exists()
    assert fleet.ask_user("SELECT count(*) FROM inputs").rows == ((7,),), "it goes on as before"


def test_the_switches_are_off_and_locked(fleet: Fleet) -> None:
    asked = "SELECT name, value FROM duckdb_settings() WHERE name IN ({}) ORDER BY name"
    names = ("autoinstall_known_extensions", "enable_external_access", "lock_configuration")
    answer = fleet.ask_user(asked.format(", ".join(f"'{name}'" for name in names)))
    assert answer.rows == tuple(zip(names, ("false", "false", "true"), strict=True))


def test_a_condition_selects_and_stays_a_condition(fleet: Fleet) -> None:
    wanted = sorted(name for name, row in FIRST.items() if ("firmware", "1.2") in row["labels"])
    assert fleet.selected(label_condition("firmware", "1.2")) == wanted
    assert fleet.selected("labels['firmware'] = '1.2' -- and so on") == wanted
    assert fleet.selected(label_condition("firm'ware", "1.2")) == []
    assert fleet.selected() == sorted(FIRST)
    for text in ("1 = 1); SELECT (1", "no_such_column = 1", "(", "true) UNION (SELECT 1, 2"):
        with pytest.raises(QueryError):
            fleet.selected(text)


def test_the_states_come_back_as_they_were_written(fleet: Fleet) -> None:
    found = {one.incident: one for one in fleet.states(sorted(FIRST)[:5])}
    assert sorted(found) == sorted(FIRST)[:5]
    for name, one in found.items():
        assert (one.state, one.input, one.line) == tuple(FIRST[name][key] for key in ("state", "input", "line"))


def test_the_overview_counts_what_was_written(fleet: Fleet) -> None:
    found = overview(fleet, ("label:firmware", "zone"))
    assert (found.incidents, found.occurrences) == (len(FIRST), len(ROWS))
    assert (found.inputs, found.unreadable_inputs, found.bytes, found.lines) == (7, 2, 7000, 70)
    by_signature = Counter(row["signature"] for row in FIRST.values())
    assert {one.signature: one.incidents for one in found.signatures} == by_signature
    assert [one.incidents for one in found.signatures] == sorted(by_signature.values(), reverse=True)
    for one in found.signatures:
        examples = [row for row in FIRST.values() if row["signature"] == one.signature]
        first = min(examples, key=lambda row: (row["input"], row["line"]))
        assert (one.example_input, one.example_line) == (first["input"], first["line"])
        fixes = Counter((row["first_fix"], row["first_fix_class"]) for row in examples if row["first_fix"])
        assert one.of_fix == (max(fixes.values()) if fixes else 0)
    tables = {table.name: {row.value: row.incidents for row in table.rows} for table in found.tables}
    assert tables["label:firmware"] == Counter(dict(row["labels"])["firmware"] for row in FIRST.values())
    for name in ("first_cause", "kernel", "kind", "zone"):
        assert tables[name] == Counter(row[name] for row in FIRST.values())
    assert {one.input: one.reason for one in found.unreadable}["d/no\nentry\x1b[2J.log"] == "permission denied"
    days = Counter(day_of(row["time"]).text for row in FIRST.values() if day_of(row["time"]).known == "day")
    assert dict(found.days) == days
    assert sum(count for _, count in found.times) == len(FIRST)


def test_without_by_it_counts_by_the_labels_that_there_are(fleet: Fleet) -> None:
    assert [table.name for table in overview(fleet).tables] == ["first_cause", "kernel", "kind", "label:firmware"]
    assert len(overview(fleet, most=1).signatures) == 1
    assert overview(fleet, most=1).signatures_found > 1


@pytest.mark.parametrize(("name", "words"), [("label:site", "there are label:firmware"), ("state", "nothing to count")])
def test_what_cannot_be_counted_by_is_said(fleet: Fleet, name: str, words: str) -> None:
    with pytest.raises(NoSuchColumn, match=words):
        overview(fleet, (name,))


@pytest.mark.parametrize(
    ("time", "known", "text"),
    [
        ("2011-06-04T12:00:00+02:00", "day", "2011-06-04"),
        ("2011-06-04_12:00:00.5", "day", "2011-06-04"),
        ("Jun  4 12:00:00", "day without year", "06-04"),
        ("Feb 29 12:00:00", "day without year", "02-29"),
        ("Sat Jun 4 12:00:00 2011", "day", "2011-06-04"),
        ("Jun  4 2011 12:00:00", "day", "2011-06-04"),
        ("06-04 12:00:00.123", "day without year", "06-04"),
        ("1307188800.000000", "day", "2011-06-04"),
        ("400000004dea1e0a00000000", "day", "2011-06-04"),
        ("812.345678", "since boot", None),
        ("812345678", "since boot", None),
        ("12:00:00", "time of day", None),
        ("2011-13-45T00:00:00", "none", None),
        ("Foo 99 12:00:00", "none", None),
        ("9999999999.000", "day", "2286-11-20"),
        ("", "none", None),
        (None, "none", None),
    ],
)
def test_the_day_of_every_form_of_time(time: str | None, known: str, text: str | None) -> None:
    assert day_of(time) == (known, text)


def broken(folder: Path, how: str) -> Path:
    out = write(folder / "OUT", bundles()[:1])
    head, part = out / "fleet.json", next((out / "incidents").iterdir())
    if how == "no folder":
        return folder / "nothing"
    if how == "a file":
        return head
    if how == "no head":
        head.unlink()
    if how == "head is no JSON":
        head.write_text("{" * 5000)
    if how == "head is a list":
        head.write_text("[1]")
    if how == "another version":
        head.write_text(json.dumps({"schema": "oomadvisor/fleet/2"}))
    if how == "a damaged part":
        part.write_bytes(part.read_bytes()[:-9])
    if how == "an empty part":
        part.write_bytes(b"")
    if how == "a part of another table":
        part.write_bytes(next((out / "inputs").iterdir()).read_bytes())
    return out


WRONG = (
    "no folder",
    "a file",
    "no head",
    "head is no JSON",
    "head is a list",
    "another version",
    "a damaged part",
    "an empty part",
    "a part of another table",
)


@pytest.mark.parametrize("how", WRONG)
def test_what_is_no_fleet_is_said_with_its_name(how: str, tmp_path: Path) -> None:
    place = broken(tmp_path, how)
    with pytest.raises(NoFleet, match=str(place)):
        Fleet(place)


def test_a_fleet_without_incidents_is_one(tmp_path: Path) -> None:
    fleet = Fleet(write(tmp_path / "OUT", [], finished=False))
    assert (overview(fleet).incidents, fleet.selected(), fleet.finished) == (0, [], False)


def test_of_a_run_that_was_broken_off_only_what_the_ledger_knows_counts(tmp_path: Path) -> None:
    out = write(tmp_path / "OUT", bundles(), finished=False)
    part = next((out / "incidents").iterdir())
    part.with_name("left-over-00000.parquet").write_bytes(part.read_bytes())
    found = overview(Fleet(out))
    assert (found.finished, found.incidents, found.occurrences) == (False, len(FIRST), len(ROWS))


def test_hostile_text_is_only_text(tmp_path: Path) -> None:
    fleet = Fleet(write(tmp_path / "OUT", [hostile_bundle()]))
    assert fleet.selected(label_condition(HOSTILE, HOSTILE)) == fleet.selected()
    found = overview(fleet, (f"label:{HOSTILE}",))
    assert found.tables[-1].rows[0].value == HOSTILE
