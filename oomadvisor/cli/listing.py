"""Incidents as rows: for ``oomadvisor incidents``, and for what ``advise`` did not show of a long log."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from typing import TYPE_CHECKING

from oomadvisor.cli.columns import aligned

if TYPE_CHECKING:
    from oomadvisor.model import Incident


@dataclass(frozen=True)
class Row:
    """One incident in a line. ``None`` = the log does not say."""

    number: int
    line: int
    time: str | None
    kind: str
    comm: str | None
    order: int | None
    gfp: int | None
    kernel: str | None
    victim: str | None


def row(incident: "Incident") -> Row:
    """Return what identifies ``incident`` among the others of its log."""
    return Row(
        number=incident.number,
        line=incident.line,
        time=incident.time,
        kind=incident.kind,
        comm=incident.request.comm,
        order=incident.request.order,
        gfp=incident.request.gfp_mask,
        kernel=incident.kernel_release,
        victim=_victim(incident),
    )


def _victim(incident: "Incident") -> str | None:
    """The name of what was killed; the line that says "Killed" before the one that says what was chosen."""
    by_kind = {kill.kind: kill.name for kill in reversed(incident.kills) if kill.name}
    return next((by_kind[kind] for kind in ("killed", "vm-fault", "chosen") if kind in by_kind), None)


def json_lines(rows: Iterable[Row]) -> str:
    """Return one JSON object per line; ``gfp`` is a number there."""
    return "".join(json.dumps(asdict(r)) + "\n" for r in rows)


def table(rows: Sequence[Row]) -> str:
    """Return the rows as aligned columns under headings, safe to show on a terminal."""
    headings = tuple(field.name for field in fields(Row))
    right = {headings.index(name) for name in ("number", "line", "order")}
    return aligned([headings, *(tuple(map(_cell, headings, astuple(row))) for row in rows)], right)


def _cell(heading: str, value: object) -> str:
    if value is None:
        return "-"
    return f"{value:#x}" if heading == "gfp" else str(value)
