"""Incidents as rows: for ``oomadvisor incidents``, and for what ``advise`` did not show of a long log."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from oomadvisor.cli.columns import aligned

if TYPE_CHECKING:
    from oomadvisor.model import Incident


#: Lowest first, as the page allocator falls back from the last to the first.
_ZONE_ORDER = ("DMA", "DMA32", "Normal", "HighMem", "Movable")
#: include/linux/gfp.h: the bits that choose a zone have not moved since 2.6.15.
_GFP_DMA, _GFP_HIGHMEM, _GFP_DMA32 = 0x1, 0x2, 0x4


@dataclass(frozen=True)
class Row:
    """One incident in a line. ``None`` = the log does not say.

    ``zone`` is the highest zone with memory that may serve the request. ``cause`` is the first cause by the rules,
    where these were asked.
    """

    file: str
    number: int
    line: int
    time: str | None
    kind: str
    comm: str | None
    order: int | None
    zone: str | None
    gfp: int | None
    kernel: str | None
    victim: str | None
    cause: str | None = None


def row(incident: "Incident", cause: "Callable[[Incident], str | None] | None" = None) -> Row:
    """Return what identifies ``incident`` among the others of its log."""
    return Row(
        file=incident.file,
        number=incident.number,
        line=incident.line,
        time=incident.time,
        kind=incident.kind,
        comm=incident.request.comm,
        order=incident.request.order,
        zone=_zone(incident),
        gfp=incident.request.gfp_mask,
        kernel=incident.kernel_release,
        victim=_victim(incident),
        cause=None if cause is None else cause(incident),
    )


def _zone(incident: "Incident") -> str | None:
    """The zones that a report prints are those with memory; a request falls back to the next lower one."""
    mask = incident.request.gfp_mask
    printed = {zone.name for zone in incident.zones if zone.name in _ZONE_ORDER}
    if mask is None or not printed:
        return None
    if mask & _GFP_DMA:
        wanted = "DMA"
    elif mask & _GFP_DMA32:
        wanted = "DMA32"
    else:
        wanted = "HighMem" if mask & _GFP_HIGHMEM else "Normal"
    usable = _ZONE_ORDER[: _ZONE_ORDER.index(wanted) + 1]
    return next((name for name in reversed(usable) if name in printed), None)


def _victim(incident: "Incident") -> str | None:
    """The name of what was killed; the line that says "Killed" before the one that says what was chosen."""
    by_kind = {kill.kind: kill.name for kill in reversed(incident.kills) if kill.name}
    return next((by_kind[kind] for kind in ("killed", "vm-fault", "chosen") if kind in by_kind), None)


def json_lines(rows: Iterable[Row]) -> str:
    """Return one JSON object per line; ``gfp`` is a number there."""
    return "".join(json.dumps(asdict(r)) + "\n" for r in rows)


def table(rows: Sequence[Row]) -> str:
    """Return the rows as aligned columns under headings, safe to show on a terminal.

    The file is named where there is more than one, the cause where one was asked for.
    """
    headings = [field.name for field in fields(Row)]
    if len({row.file for row in rows}) == 1:
        headings.remove("file")
    if all(row.cause is None for row in rows):
        headings.remove("cause")
    right = {headings.index(name) for name in ("number", "line", "order")}
    return aligned([headings, *([_cell(name, getattr(row, name)) for name in headings] for row in rows)], right)


def _cell(heading: str, value: object) -> str:
    if value is None:
        return "-"
    return f"{value:#x}" if heading == "gfp" else str(value)
