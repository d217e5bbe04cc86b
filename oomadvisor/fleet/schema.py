"""The tables of a fleet: their columns, in Arrow's types, under one version. docs/fleet.md describes them for people.

A table is a folder of Parquet files in OUT, ``OUT/incidents/*.parquet`` and so on, each of which is whole. A column
keeps its name, type and meaning as long as the version stays; new columns may come at the end.
"""

import pyarrow as pa

VERSION = "oomadvisor/fleet/1"

_LABELS = pa.map_(pa.string(), pa.string())
_CHANGES = pa.list_(pa.struct([("knob", pa.string()), ("current", pa.string()), ("target", pa.string())]))


def _schema(table: str, columns: list[tuple[str, pa.DataType, bool]]) -> pa.Schema:
    """Return the schema of ``table``; each column is a name, a type, and whether it may be null."""
    fields = [pa.field(name, kind, nullable=nullable) for name, kind, nullable in columns]
    return pa.schema(fields, metadata={"oomadvisor.schema": VERSION, "oomadvisor.table": table})


INCIDENTS = _schema(
    "incidents",
    [
        ("incident", pa.string(), False),
        ("content", pa.string(), False),
        ("signature", pa.string(), False),
        ("signature_text", pa.string(), False),
        ("input", pa.string(), False),
        ("line", pa.int64(), False),
        ("offset", pa.int64(), True),
        ("ordinal", pa.int64(), False),
        ("time", pa.string(), True),
        ("uptime_seconds", pa.float64(), True),
        ("labels", _LABELS, False),
        ("kind", pa.string(), False),
        ("kernel", pa.string(), True),
        ("kernel_from", pa.string(), False),
        ("arch", pa.string(), True),
        ("comm", pa.string(), True),
        ("pid", pa.int64(), True),
        ("order", pa.int64(), True),
        ("gfp_mask", pa.int64(), True),
        ("operation", pa.string(), True),
        ("caller", pa.string(), True),
        ("zone", pa.string(), True),
        ("victim", pa.string(), True),
        ("first_cause", pa.string(), True),
        ("causes", pa.list_(pa.string()), False),
        ("summary", pa.string(), False),
        ("free_pages", pa.int64(), True),
        ("page_kb", pa.int64(), False),
        ("min_free_kbytes_low", pa.int64(), True),
        ("min_free_kbytes_high", pa.int64(), True),
        ("first_fix", pa.string(), True),
        ("first_fix_class", pa.string(), True),
        ("state", pa.string(), False),
    ],
)

FIXES = _schema(
    "fixes",
    [
        ("incident", pa.string(), False),
        ("input", pa.string(), False),
        ("line", pa.int64(), False),
        ("rank", pa.int64(), False),
        ("id", pa.string(), False),
        ("title", pa.string(), False),
        ("kind", pa.string(), False),
        ("changes", _CHANGES, False),
        ("class", pa.string(), False),
        ("headroom", pa.int64(), True),
        ("rule", pa.string(), False),
    ],
)

VERDICTS = _schema(
    "verdicts",
    [
        ("incident", pa.string(), False),
        ("input", pa.string(), False),
        ("line", pa.int64(), False),
        ("zone", pa.string(), False),
        ("node", pa.int64(), False),
        ("mark", pa.string(), False),
        ("order", pa.int64(), False),
        ("pass", pa.bool_(), False),
        ("failed_at_order", pa.int64(), True),
        ("remaining", pa.int64(), False),
        ("bound", pa.int64(), False),
        ("short_by_pages", pa.int64(), False),
    ],
)

WARNINGS = _schema(
    "warnings",
    [
        ("input", pa.string(), False),
        ("line", pa.int64(), True),
        ("incident", pa.string(), True),
        ("code", pa.string(), False),
        ("text", pa.string(), False),
    ],
)

INPUTS = _schema(
    "inputs",
    [
        ("input", pa.string(), False),
        ("kind", pa.string(), False),
        ("size", pa.int64(), True),
        ("lines", pa.int64(), False),
        ("incidents", pa.int64(), False),
        ("seconds", pa.float64(), False),
        ("state", pa.string(), False),
        ("reason", pa.string(), True),
    ],
)

TABLES: dict[str, pa.Schema] = {
    "incidents": INCIDENTS,
    "fixes": FIXES,
    "verdicts": VERDICTS,
    "warnings": WARNINGS,
    "inputs": INPUTS,
}
"""Every table by its name, which is the name of its folder in OUT."""
