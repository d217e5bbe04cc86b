"""A comparison of two reports as JSON: the shape is published as ``oomadvisor schema verify``."""

import json
from pathlib import Path
from typing import Any

from oomadvisor.model import Headroom, SystemState
from oomadvisor.model.comparison import Comparison, MarkCheck, OperationCheck
from oomadvisor.present.json import advice_schema, definitions_used, kernel_json

VERIFY_SCHEMA = "oomadvisor/verify/1"
SCHEMA_FILE = Path(__file__).parent / "schema" / "verify-1.json"


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """Return the comparison as the document that ``schema/verify-1.json`` describes."""
    return {
        "schema": VERIFY_SCHEMA,
        "result": comparison.result,
        "why": comparison.why,
        "before": _place(comparison.before),
        "after": None if comparison.after is None else _place(comparison.after),
        "kernel": kernel_json(comparison.before.kernel),
        "values": [value.model_dump() for value in comparison.values],
        "marks": [_mark(mark) for mark in comparison.marks],
        "operations": [_operation(row) for row in comparison.operations],
        "free": [row.model_dump(mode="json") for row in comparison.free],
        "promised": _headroom(comparison.promised),
        "headroom": _headroom(comparison.headroom),
        "new_kills": comparison.new_kills,
        "old_kills": comparison.old_kills,
        "notes": list(comparison.notes),
    }


def comparison_schema() -> dict[str, Any]:
    """Return the JSON Schema of :func:`comparison_json`. What it shares with the advice is defined there."""
    schema: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    definitions = advice_schema()["$defs"] | schema["$defs"]
    used = definitions_used(schema["properties"], definitions)
    schema["$defs"] = {name: one for name, one in definitions.items() if name in used}
    return schema


def _place(state: SystemState) -> dict[str, Any]:
    return {"file": state.incident.file, "line": state.incident.line}


def _mark(mark: MarkCheck) -> dict[str, Any]:
    return mark.model_dump() | {"met": mark.met}


def _operation(row: OperationCheck) -> dict[str, Any]:
    return {
        "operation": row.operation.id,
        "before": {"min": row.min_before, "high": row.high_before},
        "now": {"min": row.min_now, "high": row.high_now},
    }


def _headroom(room: Headroom | None) -> dict[str, Any] | None:
    return None if room is None else room.model_dump()
