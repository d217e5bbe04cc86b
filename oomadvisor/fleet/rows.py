"""The rows of one incident: what the tables keep of an advice."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from oomadvisor.fleet.identity import content_of, digest, identity_of
from oomadvisor.model import Incident, IncidentAdvice, SystemState
from oomadvisor.model.state import MIN_FREE_KBYTES

Row = dict[str, Any]
Rows = dict[str, list[Row]]
"""Rows by the name of their table; the names and types of their columns are those of :mod:`oomadvisor.fleet.schema`."""

UNKNOWN = "-"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an incident stands: the name of its input, the byte at which its first line begins in the text that was
    read (decompressed, as UTF-8), the kernel's own time in that line, and the labels of the input.
    """

    input: str
    offset: int | None = None
    uptime_seconds: float | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


def rows_of(advice: IncidentAdvice, place: Place) -> Rows:
    """Return the rows of one incident in ``incidents``, ``fixes``, ``verdicts`` and ``warnings``."""
    identity = identity_of(advice.state.incident, place.uptime_seconds, place.input)
    line = advice.state.incident.line
    return {
        "incidents": [_incident(advice, place, identity)],
        "fixes": [
            {
                "incident": identity,
                "input": place.input,
                "line": line,
                "rank": fix.rank,
                "id": fix.id,
                "title": fix.title,
                "kind": fix.kind,
                "changes": [{"knob": c.knob, "current": c.current, "target": c.target} for c in fix.changes],
                "class": fix.verification.class_,
                "headroom": None if fix.verification.headroom is None else fix.verification.headroom.children,
                "rule": fix.rule,
            }
            for fix in advice.fixes
        ],
        "verdicts": [
            {
                "incident": identity,
                "input": place.input,
                "line": line,
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
            for verdict in advice.verdicts
        ],
        "warnings": [
            {
                "input": place.input,
                "line": None if warning.origin is None else warning.origin.line,
                "incident": identity,
                "code": warning.code,
                "text": warning.text,
            }
            for warning in advice.warnings
        ],
    }


def _incident(advice: IncidentAdvice, place: Place, identity: str) -> Row:
    state = advice.state
    incident = state.incident
    causes = [cause.id for cause in advice.causes]
    first_fix = advice.fixes[0] if advice.fixes else None
    min_free = advice.tunables.get(MIN_FREE_KBYTES)
    operation = None if state.operation is None else state.operation.id
    zone = _zone(state)
    parts = (causes[0] if causes else None, operation, zone, incident.request.order, state.call_site)
    return {
        "incident": identity,
        "content": content_of(incident),
        "signature": digest(list(parts)),
        "signature_text": " ".join(
            f"{name}={UNKNOWN if part is None else part}"
            for name, part in zip(("cause", "operation", "zone", "order", "caller"), parts, strict=True)
        ),
        "input": place.input,
        "line": incident.line,
        "offset": place.offset,
        "ordinal": incident.number,
        "time": incident.time,
        "uptime_seconds": place.uptime_seconds,
        "labels": sorted(place.labels.items()),
        "kind": incident.kind,
        "kernel": state.kernel.text or None,
        "kernel_from": state.kernel.source,
        "arch": incident.arch,
        "comm": incident.request.comm,
        "pid": incident.request.pid,
        "order": incident.request.order,
        "gfp_mask": incident.request.gfp_mask,
        "operation": operation,
        "caller": state.call_site,
        "zone": zone,
        "victim": _victim(incident),
        "first_cause": causes[0] if causes else None,
        "causes": causes,
        "summary": " ".join(advice.summary),
        "free_pages": advice.memory.free_pages,
        "page_kb": state.page_kb,
        "min_free_kbytes_low": None if min_free is None else min_free.low,
        "min_free_kbytes_high": None if min_free is None else min_free.high,
        "first_fix": None if first_fix is None else first_fix.id,
        "first_fix_class": None if first_fix is None else first_fix.verification.class_,
        "state": state.model_dump_json(exclude_defaults=True),
    }


def _zone(state: SystemState) -> str | None:
    """Return the highest zone with memory that may serve the request; without a request there is none."""
    limit = state.class_zone_index
    usable = [zone for zone in state.zones if limit is not None and zone.index <= limit]
    return max(usable, key=lambda zone: zone.index).name if usable else state.class_zone


def _victim(incident: Incident) -> str | None:
    """Return the name of what was killed; a line that says "Killed" before one that says what was chosen."""
    by_kind = {kill.kind: kill.name for kill in reversed(incident.kills) if kill.name}
    return next((by_kind[kind] for kind in ("killed", "vm-fault", "chosen") if kind in by_kind), None)
