"""A fleet that was read, asked in SQL. DuckDB does the queries; it gets the tables, and nothing else of the machine.

The tables come in as Arrow data, so the engine needs no file at all: access to files, extensions and the network is
switched off before the first query of a user runs, and the switches are locked.

Views: ``incidents`` and ``fixes``, ``verdicts`` hold each incident once (``copies``: how many logs tell of it);
``occurrences`` holds every place where one was found; ``warnings`` and ``inputs`` are as they were written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oomadvisor.fleet.dataset import HEAD, Dataset
from oomadvisor.fleet.schema import TABLES, VERSION

if TYPE_CHECKING:
    import duckdb

MEMORY = "2GB"
"""What a query may take; it ends with a message beyond that, and no disk is used instead."""
MOST_ROWS = 1_000_000
BATCH = 256
"""States are read so many at a time: each is some kilobytes of text."""

_VIEWS = """
CREATE TEMP TABLE first_places AS
  SELECT incident, count(*) AS copies, min(struct_pack(input := input, line := line)) AS place
  FROM occurrences GROUP BY incident;
CREATE TEMP VIEW incidents AS
  SELECT occurrences.*, first_places.copies
  FROM occurrences JOIN first_places
    ON occurrences.incident = first_places.incident
    AND occurrences.input = first_places.place.input AND occurrences.line = first_places.place.line;
CREATE TEMP VIEW fixes AS
  SELECT found.* FROM all_fixes AS found JOIN first_places AS one
    ON found.incident = one.incident AND found.input = one.place.input AND found.line = one.place.line;
CREATE TEMP VIEW verdicts AS
  SELECT found.* FROM all_verdicts AS found JOIN first_places AS one
    ON found.incident = one.incident AND found.input = one.place.input AND found.line = one.place.line;
"""
_LOCKED = (
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET python_enable_replacements = false",
    "SET temp_directory = ''",
    f"SET memory_limit = '{MEMORY}'",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


class QueryError(Exception):
    """A query cannot be answered; the text is the engine's own, in a line or a few."""


class NoFleet(Exception):
    """OUT is no fleet that this program can read. The text says what is wrong with it."""


@dataclass(frozen=True)
class Answer:
    """Rows with the names of their columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Selected:
    """One incident of a fleet, with what groups it and where it stands."""

    incident: str
    state: str
    kernel: str | None
    cause: str | None
    signature: str
    signature_text: str
    input: str
    line: int


class Fleet:
    """The tables in OUT. Raises NoFleet when there are none that this program can read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.head = _head(folder)
        self._database = _opened(folder, None if self.finished else _kept(folder))

    @property
    def finished(self) -> bool:
        """Whether the run that wrote it came to its end."""
        return bool(self.head.get("finished"))

    def ask(self, sql: str, values: Sequence[object] = ()) -> Answer:
        """Return the answer to one statement of our own. Raises QueryError."""
        return self._asked(sql, values)

    def ask_user(self, sql: str) -> Answer:
        """Return the answer to the one query that a user wrote. Raises QueryError, also for anything but a query."""
        import duckdb

        try:
            statements = self._database.extract_statements(sql)
        except duckdb.Error as error:
            raise QueryError(_words(error)) from error
        if len(statements) != 1:
            raise QueryError(f"one query was expected, not {len(statements)} statements")
        if statements[0].type not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
            raise QueryError(f"a query (SELECT …) was expected, not {statements[0].type.name}")
        return self._asked(statements[0], ())

    def selected(self, where: str | None = None) -> list[str]:
        """Return the incidents that a condition on ``incidents`` picks, in a stable order. Raises QueryError."""
        if where is None:
            sql = "SELECT incident FROM incidents ORDER BY incident"
        else:
            # On lines of its own, so that a comment at the end of the condition stays its own.
            sql = f"SELECT incident FROM incidents WHERE (\n{where}\n) ORDER BY incident"
        return [row[0] for row in self.ask_user(sql).rows]

    def states(self, incidents: Sequence[str]) -> Iterator[Selected]:
        """Yield these incidents with their states, each once, in the order of the tables.

        Nothing else can be asked before the last one has come.
        """
        import duckdb

        sql = (
            "SELECT incident, state, kernel, first_cause, signature, signature_text, input, line FROM incidents "
            "WHERE incident IN (SELECT unnest(?))"
        )
        try:
            found = self._database.execute(sql, [list(incidents)])
            while rows := found.fetchmany(BATCH):
                yield from (Selected(*row) for row in rows)
        except duckdb.Error as error:
            raise QueryError(_words(error)) from error

    def _asked(self, sql: Any, values: Sequence[object]) -> Answer:
        import duckdb

        try:
            found = self._database.execute(sql, list(values)) if values else self._database.execute(sql)
            columns = tuple(column[0] for column in found.description or ())
            rows = tuple(found.fetchmany(MOST_ROWS + 1))
        except duckdb.Error as error:
            raise QueryError(_words(error)) from error
        if len(rows) > MOST_ROWS:
            raise QueryError(f"the answer has more than {MOST_ROWS} rows; ask for fewer with LIMIT")
        return Answer(columns, rows)


def label_condition(name: str, value: str) -> str:
    """Return the condition that a label of the incident's input has this value."""
    return f"{label_value(name)} = {_quoted(value)}"


def label_value(name: str) -> str:
    """Return the expression for a label of the incident's input; NULL where it has none of this name."""
    return f"labels[{_quoted(name)}]"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _words(error: Exception) -> str:
    """Return what the engine says, without the picture of the query below it."""
    text = str(error).split("\n\nLINE ")[0].strip()
    return text or type(error).__name__


def _head(folder: Path) -> dict[str, Any]:
    """Return what OUT says about itself. Raises NoFleet."""
    if not folder.exists():
        raise NoFleet(f"{folder} does not exist; the folder that 'oomadvisor fleet INPUT... -o OUT' wrote was expected")
    if not folder.is_dir():
        raise NoFleet(f"{folder} is a file; the folder that 'oomadvisor fleet INPUT... -o OUT' wrote was expected")
    place = folder / HEAD
    try:
        head = json.loads(place.read_bytes())
    except FileNotFoundError:
        raise NoFleet(f"{folder} holds no {HEAD}; the folder of a fleet was expected") from None
    except (OSError, ValueError, RecursionError) as error:
        raise NoFleet(f"{place} cannot be read: {error}") from error
    schema = head.get("schema") if isinstance(head, dict) else None
    if schema != VERSION:
        raise NoFleet(
            f"{place} says schema {json.dumps(schema)[:100]}; this program reads {VERSION}. Read the logs anew."
        )
    return dict(head)


def _kept(folder: Path) -> frozenset[str]:
    """Return the parts that the ledger knows: a run that was broken off can leave others, whose rows come again."""
    return frozenset(name for _, entry in Dataset(folder, {}).entries() for name in entry["parts"])


def _opened(folder: Path, kept: frozenset[str] | None) -> duckdb.DuckDBPyConnection:
    """Return a database that holds the tables, and can reach nothing else. ``kept``: only these parts count."""
    import duckdb
    import pyarrow as pa
    from pyarrow import dataset

    database = duckdb.connect(":memory:")
    names = {"incidents": "occurrences", "fixes": "all_fixes", "verdicts": "all_verdicts"}
    for table, schema in TABLES.items():
        found = (folder / table).glob("*.parquet")
        parts = sorted(str(path) for path in found if kept is None or f"{table}/{path.name}" in kept)
        try:
            source = dataset.dataset(parts, schema=schema, format="parquet") if parts else schema.empty_table()
            for part in parts:
                _check(dataset.dataset(part, format="parquet").schema, part, table)
        except (pa.ArrowException, OSError) as error:
            raise NoFleet(f"{folder / table} cannot be read: {' '.join(str(error).split())[:300]}") from error
        database.register(names.get(table, table), source)
    try:
        database.execute(_VIEWS)
        for setting in _LOCKED:
            database.execute(setting)
    except duckdb.Error as error:
        raise NoFleet(f"{folder} cannot be read: {_words(error)}") from error
    return database


def _check(schema: Any, part: str, table: str) -> None:
    found = {key: value.decode("utf-8", "replace") for key, value in (schema.metadata or {}).items()}
    version, holds = found.get(b"oomadvisor.schema", "none"), found.get(b"oomadvisor.table", "no table")
    if (version, holds) != (VERSION, table):
        raise NoFleet(f"{part} holds {holds} of the schema {version}; {table} of {VERSION} was expected")
