"""The incidents of a log, one after another."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from oomadvisor.model import Incident
from oomadvisor.present.charts.chart import INK, STRONG, WIDTH, Chart, Spec, data, field, label
from oomadvisor.present.numbers import KIND_WORDS


@dataclass(frozen=True, slots=True)
class Moment:
    """What a timeline shows of one incident. ``None`` = the log does not say."""

    number: int
    line: int
    time: str | None
    kind: str
    comm: str | None
    order: int | None
    free_kb: int | None

    @classmethod
    def of(cls, incident: Incident) -> "Moment":
        """Return the moment of an incident."""
        free = None if incident.counters is None else incident.counters.free
        return cls(
            number=incident.number,
            line=incident.line,
            time=incident.time,
            kind=KIND_WORDS[incident.kind],
            comm=incident.request.comm,
            order=incident.request.order,
            free_kb=None if free is None else free * incident.page_kb,
        )


def timeline_chart(moments: Sequence[Moment], *, found: int) -> Chart | None:
    """Return the incidents at their lines of the log, by kind, and what was free at each; None for fewer than two.

    Clocks of embedded boxes start anew at each boot, so the line is the only axis on which all of them have a place.
    """
    if len(moments) < 2:
        return None
    kinds = Counter(moment.kind for moment in moments)
    said = ", ".join(f"{count} × {kind}" for kind, count in kinds.most_common())
    more = f" The first {len(moments)} of {found} are shown." if found > len(moments) else ""
    return Chart(
        name="timeline",
        title="Incidents of this log",
        summary=f"{said}, from line {moments[0].line} to line {moments[-1].line}.{more}",
        columns=("incident", "line", "time", "kind", "task", "order", "free kB"),
        rows=tuple(
            tuple(
                "-" if value is None else label(str(value), 200)
                for value in (m.number, m.line, m.time, m.kind, m.comm, m.order, m.free_kb)
            )
            for m in moments
        ),
        spec=_spec(moments),
    )


def _spec(moments: Sequence[Moment]) -> Spec:
    rows: list[dict[str, Any]] = [
        {"line": m.line, "kind": m.kind, "mb": None if m.free_kb is None else m.free_kb / 1024} for m in moments
    ]
    x = field("line", title="line of the log", scale={"zero": False}, axis={"format": "d", "tickCount": 5})
    kinds: Spec = {
        "width": WIDTH - 130,
        "height": {"step": 26},
        "data": data(rows),
        "mark": {"type": "tick", "thickness": 2, "size": 20, "color": INK, "opacity": 1},
        "encoding": {"x": {**x, "axis": None}, "y": field("kind", "nominal", title=None, sort=None)},
    }
    free: Spec = {
        "width": WIDTH - 130,
        "height": 90,
        "data": data([row for row in rows if row["mb"] is not None]),
        "mark": {"type": "point", "shape": "diamond", "filled": True, "size": 50, "color": STRONG, "opacity": 1},
        "encoding": {"x": x, "y": field("mb", title="free, MB", axis={"tickCount": 4})},
    }
    return {
        "vconcat": [kinds, *([free] if any(row["mb"] is not None for row in rows) else [])],
        "resolve": {"scale": {"x": "shared"}},
        "spacing": 8,
    }
