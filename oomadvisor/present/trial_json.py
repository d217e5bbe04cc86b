"""A trial of changes as JSON: the shape is published as ``oomadvisor schema simulate``."""

import json
from pathlib import Path
from typing import Any

from oomadvisor.model import Operation, Thresholds
from oomadvisor.model.trial import Effect, OperationTrial, Solved, Sweep, Trial, ZoneVerdicts
from oomadvisor.present.json import (
    advice_schema,
    build_json,
    change_json,
    definitions_used,
    kernel_json,
    request_json,
    verdict_json,
    verification_json,
)

SIMULATE_SCHEMA = "oomadvisor/simulate/1"
SCHEMA_FILE = Path(__file__).parent / "schema" / "simulate-1.json"


def trial_json(trial: Trial) -> dict[str, Any]:
    """Return the trial as the document that ``schema/simulate-1.json`` describes."""
    state, incident = trial.state, trial.state.incident
    return {
        "schema": SIMULATE_SCHEMA,
        "file": incident.file,
        "line": incident.line,
        "incident": incident.number,
        "kernel": kernel_json(state.kernel),
        "arch": incident.arch,
        "build": build_json(state.build),
        "request": request_json(state),
        "changes": [change_json(change) for change in trial.changes],
        "operation": None if trial.operation is None else _operation(trial.operation),
        "instead": None if trial.instead is None else _operation(trial.instead),
        "verification": verification_json(trial.verification),
        "notes": list(trial.notes),
        "verdicts": [_verdicts(row) for row in trial.verdicts],
        "other_operations": [_other(row) for row in trial.others],
        "effects": [_effect(row) for row in trial.effects],
        "solved": [_solved(row) for row in trial.solved],
        "sweep": None if trial.sweep is None else _sweep(trial.sweep),
    }


def trial_schema() -> dict[str, Any]:
    """Return the JSON Schema of :func:`trial_json`. What it shares with the advice is defined there."""
    schema: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    shared = advice_schema()["$defs"]
    shared["change"] = shared["fix"]["properties"]["changes"]["items"]
    shared["step"] = shared["operation"]["properties"]["steps"]["items"]
    definitions = shared | schema["$defs"]
    used = definitions_used(schema["properties"], definitions)
    schema["$defs"] = {name: one for name, one in definitions.items() if name in used}
    return schema


def _operation(operation: Operation) -> dict[str, Any]:
    return {
        "id": operation.id,
        "title": operation.title,
        "source": operation.source,
        "orders": list(operation.orders),
        "steps": [step.model_dump() for step in operation.steps],
    }


def _verdicts(row: ZoneVerdicts) -> dict[str, Any]:
    return {
        "zone": row.zone,
        "mark": row.mark,
        "order": row.order,
        "before": None if row.before is None else verdict_json(row.before),
        "after": None if row.after is None else verdict_json(row.after),
        "worst": None if row.worst is None else verdict_json(row.worst),
    }


def _other(row: OperationTrial) -> dict[str, Any]:
    return {
        "operation": row.operation.id,
        "orders": list(row.operation.orders),
        "before": {"min": row.min_before, "high": row.high_before},
        "after": {"min": row.min_after, "high": row.high_after},
    }


def _effect(row: Effect) -> dict[str, Any]:
    return row.model_dump()


def _solved(solved: Solved) -> dict[str, Any]:
    return {
        "knob": solved.knob,
        "in_test": solved.in_test,
        "current_low": solved.current_low,
        "current_high": solved.current_high,
        "default": solved.default,
        "passes": [_threshold(row) for row in solved.rows],
    }


def _threshold(row: Thresholds) -> dict[str, Any]:
    return {
        "knob": row.knob,
        "operation": row.operation,
        "zone": row.zone,
        "mark": row.mark,
        "smallest": row.smallest,
        "largest": row.largest,
    }


def _sweep(sweep: Sweep) -> dict[str, Any]:
    return {
        "knob": sweep.knob,
        "low": sweep.low,
        "high": sweep.high,
        "operation": sweep.operation,
        "segments": [
            {
                "low": segment.low,
                "high": segment.high,
                "class": segment.class_,
                "marks": {"min": segment.passes_min, "low": segment.passes_low, "high": segment.passes_high},
            }
            for segment in sweep.segments
        ],
        "points": [
            {
                "value": point.value,
                "class": point.class_,
                "marks": {"min": point.passes_min, "low": point.passes_low, "high": point.passes_high},
                "headroom": point.headroom,
                "headroom_high": point.headroom_high,
                "atomic_pages": point.atomic_pages,
                "note": point.note,
            }
            for point in sweep.points
        ],
    }
