"""Advice as JSON for programs: the same content as the text, numbers as numbers, keys in a fixed order.

The shape is published as JSON Schema 2020-12 in ``schema/advice-1.json``; every key and unit is described there.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from oomadvisor.infer.arithmetic import certainty
from oomadvisor.model import (
    Advice,
    Build,
    Cause,
    Change,
    Evidence,
    Fix,
    Headroom,
    Incident,
    IncidentAdvice,
    KernelRelease,
    Kill,
    Measured,
    Operation,
    Origin,
    Refutation,
    Replay,
    RuleNote,
    SystemState,
    Task,
    Thresholds,
    Tunable,
    Verdict,
    Verification,
    Warning_,
    Zone,
)
from oomadvisor.present.plan_json import plan_json

ADVICE_SCHEMA = "oomadvisor/advice/1"
EXPLAIN_SCHEMA = "oomadvisor/explain/1"
SCHEMA_FILE = Path(__file__).parent / "schema" / "advice-1.json"

# What `explain` leaves out of an incident: everything that the rules concluded.
CONCLUSIONS = ("summary", "causes", "fixes", "plan", "refuted", "notes", "skipped_rules")


def dumps(document: Mapping[str, Any]) -> str:
    """Return ``document`` as indented JSON text with a line feed at the end."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def advice_json(advice: Advice) -> dict[str, Any]:
    """Return the advice as the document that ``schema/advice-1.json`` describes."""
    return {
        "schema": ADVICE_SCHEMA,
        "oomadvisor": {"version": advice.version, "engine": advice.engine},
        "incidents_found": advice.incidents_found,
        "incidents": [_incident(one) for one in advice.incidents],
    }


def explain_json(advice: Advice) -> dict[str, Any]:
    """Return the derivation alone: the advice without what the rules concluded."""
    document = advice_json(advice)
    incidents = [{k: v for k, v in one.items() if k not in CONCLUSIONS} for one in document["incidents"]]
    return document | {"schema": EXPLAIN_SCHEMA, "incidents": incidents}


def advice_schema() -> dict[str, Any]:
    """Return the JSON Schema of :func:`advice_json`."""
    schema: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return schema


def explain_schema() -> dict[str, Any]:
    """Return the JSON Schema of :func:`explain_json`: that of the advice, without the conclusions."""
    schema = advice_schema()
    schema["$id"] = schema["$id"].replace("advice", "explain")
    schema["title"] = "Output of oomadvisor explain --format json"
    schema["properties"]["schema"]["const"] = EXPLAIN_SCHEMA
    incident = schema["$defs"]["incident"]
    incident["required"] = [key for key in incident["required"] if key not in CONCLUSIONS]
    for key in CONCLUSIONS:
        del incident["properties"][key]
    used = definitions_used(schema["properties"], schema["$defs"])
    schema["$defs"] = {name: one for name, one in schema["$defs"].items() if name in used}
    return schema


def definitions_used(part: Any, definitions: Mapping[str, Any]) -> set[str]:
    """Return all definitions that a part of a schema refers to, directly or not. (None refers to itself.)"""
    named = set(re.findall(r'"#/\$defs/(\w+)"', json.dumps(part)))
    return named.union(*(definitions_used(definitions[name], definitions) for name in named))


def _incident(one: IncidentAdvice) -> dict[str, Any]:
    state, incident = one.state, one.state.incident
    return {
        "kind": incident.kind,
        "number": incident.number,
        "file": incident.file,
        "line": incident.line,
        "last_line": incident.last_line,
        "time": incident.time,
        "kernel": kernel_json(state.kernel),
        "arch": incident.arch,
        "build": build_json(state.build),
        "summary": list(one.summary),
        "request": request_json(state),
        "operations": [_operation(op, state, one.thresholds) for op in one.operations],
        "zones": [_zone(zone) for zone in sorted(state.zones, key=lambda zone: (zone.node, zone.index))],
        "tunables": {name: _tunable(one.tunables[name]) for name in sorted(one.tunables)},
        "memory": one.memory.model_dump(),
        "swap": None if state.swap is None else state.swap.model_dump(),
        "verdict": [verdict_json(verdict) for verdict in one.verdicts],
        "order_verdicts": [verdict_json(verdict) for verdict in one.order_verdicts],
        "ladder": [_ladder(verdict) for verdict in one.verdicts],
        "causes": [_cause(cause) for cause in one.causes],
        "fixes": [_fix(fix) for fix in one.fixes],
        "plan": plan_json(one.plan),
        "refuted": [_refutation(refutation) for refutation in one.refuted],
        "notes": [_note(note) for note in one.notes],
        "skipped_rules": [skipped.model_dump() for skipped in one.skipped],
        "tasks": [_task(task, incident) for task in incident.tasks],
        "kills": [_kill(kill, incident) for kill in incident.kills],
        "memcg": None if incident.memcg is None else incident.memcg.model_dump(),
        "missing": list(incident.missing),
        "warnings": [_warning(warning) for warning in one.warnings],
    }


def origin_json(origin: Origin | None) -> str | None:
    return None if origin is None else str(origin)


def _dotted(version: tuple[int, ...] | None) -> str | None:
    return ".".join(map(str, version)) if version else None


def kernel_json(kernel: KernelRelease) -> dict[str, Any]:
    return {
        "version": _dotted(kernel.version),
        "newest": _dotted(kernel.newest),
        "text": kernel.text,
        "from": kernel.source,
        "vendor": kernel.vendor,
        "certainty": certainty(kernel),
        "reasons": list(kernel.reasons),
    }


def build_json(build: Build) -> dict[str, Any]:
    return build.model_dump() | {"zone_names": list(build.zone_names)}


def request_json(state: SystemState) -> dict[str, Any]:
    request = state.incident.request
    return {
        "comm": request.comm,
        "pid": request.pid,
        "order": request.order,
        "gfp_mask": request.gfp_mask,
        "gfp_flags": list(state.gfp_flags),
        "class_zone": state.class_zone,
        "operation": None if state.operation is None else state.operation.id,
        "orders": [] if state.operation is None else list(state.operation.orders),
        "workload": None if state.workload is None else state.workload.id,
        "call_site": state.call_site,
        "oom_adj": request.oom_adj,
        "nodemask": request.nodemask,
        "cpuset": request.cpuset,
    }


def _operation(operation: Operation, state: SystemState, thresholds: Iterable[Thresholds]) -> dict[str, Any]:
    return {
        "id": operation.id,
        "title": operation.title,
        "reported": state.operation is not None and operation.id == state.operation.id,
        "source": operation.source,
        "orders": list(operation.orders),
        "steps": [step.model_dump() for step in operation.steps],
        "thresholds": [
            {"knob": t.knob, "zone": t.zone, "mark": t.mark, "largest": t.largest}
            for t in thresholds
            if t.operation == operation.id
        ],
    }


def _zone(zone: Zone) -> dict[str, Any]:
    return {
        "name": zone.name,
        "node": zone.node,
        "index": zone.index,
        "present_pages": zone.present_pages,
        "managed_pages": zone.managed_pages,
        "spanned_pages": zone.spanned_pages,
        "free_pages": zone.free_pages,
        "marks": None if zone.marks is None else zone.marks.model_dump(),
        "boost_pages": zone.boost_pages,
        "reserve_pages": None if zone.reserve_pages is None else list(zone.reserve_pages),
        "free_blocks": None if zone.free_blocks is None else list(zone.free_blocks),
        "block_types": None if zone.block_types is None else list(zone.block_types),
        "active_anon_pages": zone.active_anon_pages,
        "inactive_anon_pages": zone.inactive_anon_pages,
        "active_file_pages": zone.active_file_pages,
        "inactive_file_pages": zone.inactive_file_pages,
        "unevictable_pages": zone.unevictable_pages,
        "free_cma_pages": zone.free_cma_pages,
        "reserved_highatomic_pages": zone.reserved_highatomic_pages,
        "pages_scanned": zone.pages_scanned,
        "all_unreclaimable": zone.all_unreclaimable,
    }


def _tunable(tunable: Tunable) -> dict[str, Any]:
    return {
        "low": tunable.low,
        "high": tunable.high,
        "text": tunable.text,
        "from": tunable.source,
        "basis": tunable.basis,
        "default": tunable.default,
        "origin": origin_json(tunable.origin),
    }


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "zone": verdict.zone,
        "node": verdict.node,
        "mark": verdict.mark,
        "order": verdict.order,
        "pass": verdict.ok,
        "failed_at_order": verdict.failed_at_order,
        "remaining": verdict.remaining_pages,
        "bound": verdict.bound_pages,
        "short_by_pages": verdict.short_by_pages,
    }


def _ladder(verdict: Verdict) -> dict[str, Any]:
    return {
        "zone": verdict.zone,
        "node": verdict.node,
        "mark": verdict.mark,
        "order": verdict.order,
        "steps": [
            {"order": step.order, "remaining": step.remaining_pages, "bound": step.bound_pages, "pass": step.ok}
            for step in verdict.steps
        ],
    }


def replay_json(replay: Replay) -> dict[str, Any]:
    return {
        "operation": replay.operation,
        "mark": replay.mark,
        "pass": replay.ok,
        "steps": [
            {
                "order": step.order,
                "what": step.what,
                "zone": step.zone,
                "verdicts": [verdict_json(verdict) for verdict in step.verdicts],
            }
            for step in replay.steps
        ],
    }


def _headroom(headroom: Headroom | None) -> dict[str, Any] | None:
    return None if headroom is None else headroom.model_dump()


def _measured(measured: Measured) -> dict[str, Any]:
    return measured.model_dump()


def verification_json(verification: Verification) -> dict[str, Any]:
    return {
        "class": verification.class_,
        "operation": verification.operation,
        "marks": {
            "min": verification.passes_min,
            "low": verification.passes_low,
            "high": verification.passes_high,
        },
        "before": [replay_json(replay) for replay in verification.before],
        "after": [replay_json(replay) for replay in verification.after],
        "worst": [replay_json(replay) for replay in verification.worst],
        "headroom_before": _headroom(verification.headroom_before),
        "headroom": _headroom(verification.headroom),
        "estimate": {
            "draws": verification.draws,
            "passes_min_permille": verification.estimate_min_permille,
            "passes_high_permille": verification.estimate_permille,
        },
        "side_effects": list(verification.side_effects),
        "measured": [_measured(measured) for measured in verification.measured],
        "why": verification.why,
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {"fact": evidence.fact, "values": _by_key(evidence.values), "origin": origin_json(evidence.origin)}


def _by_key(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: values[key] for key in sorted(values)}


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        "id": cause.id,
        "rank": cause.rank,
        "title": cause.title,
        "confidence": cause.confidence,
        "role": cause.role,
        "explanation": cause.explanation,
        "evidence": [_evidence(evidence) for evidence in cause.evidence],
        "sources": list(cause.sources),
        "rule": cause.rule,
    }


def change_json(change: Change) -> dict[str, Any]:
    """Return a change; ``from`` and ``to`` are numbers where the value is one known number, text elsewhere."""
    known = change.current_low is not None and change.current_low == change.current_high
    whole = change.target_value is not None and change.target == str(change.target_value)
    return {
        "knob": change.knob,
        "from": change.current_low if known else change.current,
        "from_low": change.current_low,
        "from_high": change.current_high,
        "to": change.target_value if whole else change.target,
        "to_value": change.target_value,
        "unit": change.unit,
    }


def _fix(fix: Fix) -> dict[str, Any]:
    return {
        "id": fix.id,
        "rank": fix.rank,
        "rank_parts": fix.rank_parts.model_dump(),
        "title": fix.title,
        "kind": fix.kind,
        "repairs": fix.repairs,
        "changes": [change_json(change) for change in fix.changes],
        "commands": list(fix.commands),
        "verification": verification_json(fix.verification),
        "cost": fix.cost,
        "price": fix.price,
        "risk": fix.risk,
        "risk_text": fix.risk_text,
        "undo": fix.undo,
        "explanation": fix.explanation,
        "evidence": [_evidence(evidence) for evidence in fix.evidence],
        "sources": list(fix.sources),
        "rule": fix.rule,
    }


def _refutation(refutation: Refutation) -> dict[str, Any]:
    return {
        "id": refutation.id,
        "advice": refutation.advice,
        "judged": refutation.judged,
        "why": refutation.why,
        "numbers": _by_key(refutation.numbers),
        "measured": [_measured(measured) for measured in refutation.measured],
        "verification": None if refutation.verification is None else verification_json(refutation.verification),
        "sources": list(refutation.sources),
        "rule": refutation.rule,
    }


def _note(note: RuleNote) -> dict[str, Any]:
    return {
        "id": note.id,
        "topic": note.topic,
        "title": note.title,
        "text": note.text,
        "evidence": [_evidence(evidence) for evidence in note.evidence],
        "sources": list(note.sources),
        "rule": note.rule,
    }


def _task(task: Task, incident: Incident) -> dict[str, Any]:
    return task.model_dump(exclude={"line"}) | {"origin": f"{incident.file}:{task.line}"}


def _kill(kill: Kill, incident: Incident) -> dict[str, Any]:
    return kill.model_dump(exclude={"line"}) | {"origin": f"{incident.file}:{kill.line}"}


def _warning(warning: Warning_) -> dict[str, Any]:
    return {"code": warning.code, "text": warning.text, "origin": origin_json(warning.origin)}
