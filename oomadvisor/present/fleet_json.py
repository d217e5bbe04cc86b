"""A fleet as JSON and CSV for programs; docs/fleet-questions.md describes the documents."""

import csv
import io
import json
import math
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from oomadvisor.fleet.choice import Choice, Point
from oomadvisor.fleet.curve import Counts, Curve
from oomadvisor.fleet.overview import Overview
from oomadvisor.fleet.query import Answer
from oomadvisor.fleet.solve import Grid, Group, Room, Solved
from oomadvisor.present import fleet_words as words

SOLVE_SCHEMA = "oomadvisor/fleet-solve/1"
GRID_SCHEMA = "oomadvisor/fleet-grid/1"
REPORT_SCHEMA = "oomadvisor/fleet-report/1"


def solved_json(solved: Solved) -> dict[str, Any]:
    """Return everything about one knob, with the whole curve of the fleet, of each cause and of each kernel."""
    choice = solved.choice
    return {
        "schema": SOLVE_SCHEMA,
        "fleet": solved.folder,
        "finished": solved.finished,
        "where": list(solved.where),
        "knob": solved.knob.name,
        "unit": solved.knob.unit or None,
        "incidents": solved.incidents,
        "occurrences": solved.occurrences,
        "recommended": None if choice is None else _choice(solved, choice),
        "why_none": words.no_choice_words(solved) if choice is None else None,
        "floor": solved.floor,
        "floor_burst_pages": solved.burst_pages,
        "present": [{"low": low, "high": high, "incidents": count} for (low, high), count in solved.present],
        "present_unknown": solved.present_unknown,
        "curve": _curve(solved.curve),
        "by_cause": [_group(group) for group in solved.by_cause],
        "by_kernel": [_group(group) for group in solved.by_kernel],
        "not_helped": [
            {
                "signature": one.signature,
                "signature_text": one.signature_text,
                "class": one.class_,
                "why": one.why or None,
                "incidents": one.count,
                "example": {"incident": one.example.incident, "input": one.example.input, "line": one.example.line},
                "instead": None
                if one.fix is None
                else {"fix": one.fix.id, "title": one.fix.title, "class": one.fix.class_, "incidents": one.fix_count},
            }
            for one in solved.unhelped
        ],
        "not_decidable": [{"why": why, "incidents": count} for why, count in solved.undecided],
    }


def _choice(solved: Solved, choice: Choice) -> dict[str, Any]:
    return {
        **_point(choice.point, solved.room.get(choice.point.value)),
        "asked": choice.asked,
        "good": choice.good,
        "plateau": {"low": choice.low, "high": choice.high},
        "reasons": list(words.reasons(solved)),
        "warnings": list(words.warnings(solved)),
        "below_floor": None if choice.below is None else _point(choice.below, None),
        "others": [
            {"why": other.why, **_point(other.point, solved.room.get(other.point.value))} for other in choice.others
        ],
        "boxes": [
            {
                "incidents": box.incidents,
                "ram_kb": box.ram_kb,
                "kept_before_kb": box.kept_before_kb,
                "kept_after_kb": box.kept_after_kb,
                "zones": [
                    {
                        "zone": zone.zone,
                        "before": dict(zip(("min", "low", "high"), zone.before, strict=True)),
                        "after": dict(zip(("min", "low", "high"), zone.after, strict=True)),
                        "reserve_before": zone.reserve_before,
                        "reserve_after": zone.reserve_after,
                    }
                    for zone in box.zones
                ],
            }
            for box in choice.boxes
        ],
    }


def _point(point: Point, room: Room | None) -> dict[str, Any]:
    return {
        "value": point.value,
        "counts": _counts(point.counts),
        "kept": None if point.kept is None else asdict(point.kept),
        "room": None if room is None else asdict(room),
    }


def _counts(counts: Counts) -> dict[str, int]:
    return counts._asdict()


def _curve(curve: Curve) -> list[dict[str, Any]]:
    return [{"low": low, "high": high, "counts": _counts(counts)} for low, high, counts in curve.intervals]


def _group(group: Group) -> dict[str, Any]:
    best = None
    if group.best is not None and group.best_counts is not None:
        best = {"low": group.best[0], "high": group.best[1], "counts": _counts(group.best_counts)}
    return {"name": group.name, "counts": _counts(group.counts), "best": best, "curve": _curve(group.curve)}


def grid_json(grid: Grid, folder: str) -> dict[str, Any]:
    """Return the points of a grid, best first."""
    names = [knob.name for knob in grid.knobs]
    return {
        "schema": GRID_SCHEMA,
        "fleet": folder,
        "knobs": names,
        "points": [
            {
                "values": dict(zip(names, point.values, strict=True)),
                "counts": _counts(point.counts),
                "moved_permille": point.moved_permille,
            }
            for point in grid.points
        ],
    }


def overview_json(overview: Overview) -> dict[str, Any]:
    """Return the overview; the names of its keys are those of :class:`~oomadvisor.fleet.overview.Overview`."""
    found = asdict(overview)
    found["times"] = dict(overview.times)
    found["days"] = [{"day": day, "incidents": count} for day, count in overview.days]
    found["days_without_year"] = [{"day": day, "incidents": count} for day, count in overview.days_without_year]
    found["reasons"] = [{"reason": reason, "inputs": count} for reason, count in overview.reasons]
    found["warnings"] = [{"code": code, "warnings": count} for code, count in overview.warnings]
    return {"schema": REPORT_SCHEMA, **found}


def answer_json(answer: Answer) -> str:
    """Return the rows of an answer as a JSON array of objects; of columns of one name the last one stands."""
    rows = [dict(zip(answer.columns, map(_plain, row), strict=True)) for row in answer.rows]
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def answer_csv(answer: Answer) -> str:
    """Return the rows as CSV (RFC 4180, with line feeds) under their names; what is not known is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(answer.columns)
    writer.writerows(_cells(row) for row in answer.rows)
    return out.getvalue()


def _cells(row: Iterable[Any]) -> list[Any]:
    plain = (_plain(cell) for cell in row)
    return ["" if c is None else json.dumps(c, ensure_ascii=False) if isinstance(c, list | dict) else c for c in plain]


def _plain(value: Any) -> Any:
    """Return a value of the engine as JSON can hold it."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(_plain(key)): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(one) for one in value]
    if isinstance(value, bytes | bytearray):
        return bytes(value).hex()
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
