"""Memory by owner; what is free by the size of its blocks."""

from oomadvisor.model import IncidentAdvice
from oomadvisor.present.charts.chart import (
    INK,
    MIDDLE,
    STRONG,
    WEAK,
    WIDTH,
    Chart,
    Spec,
    by_position,
    data,
    field,
    megabytes,
)
from oomadvisor.present.numbers import memory_parts

ROW_PIXELS = 38


def memory_chart(advice: IncidentAdvice) -> Chart | None:
    """Return who holds the memory, largest first, and below it the free memory by size of block."""
    parts, ram = memory_parts(advice)
    if not parts:
        return None
    page_kb = advice.state.page_kb
    owners = sorted((part for part in parts if part[0] != "free"), key=lambda part: -part[1])
    free = dict(parts).get("free")
    rows = [(name, pages, "held") for name, pages in owners]
    if free is not None:
        rows += _free_rows(advice, free)
    shown = [
        {
            "row": number,
            "text": f"{name}: {megabytes(pages, page_kb)}, {_percent(pages, ram)}",
            "mb": pages * page_kb / 1024,
            "kind": kind,
        }
        for number, (name, pages, kind) in enumerate(rows)
    ]
    first, pages, _ = rows[0]
    free_words = "" if free is None else f" {megabytes(free, page_kb)} are free."
    return Chart(
        name="memory",
        title="Memory by owner",
        summary=f"The most is held by {first}: {megabytes(pages, page_kb)} of {megabytes(ram, page_kb)}.{free_words}",
        columns=("owner", "pages", "MB", "% of RAM"),
        rows=tuple(
            (name, str(pages), megabytes(pages, page_kb)[:-3], _percent(pages, ram)[:-2]) for name, pages, _ in rows
        ),
        spec=_spec(shown),
    )


def _free_rows(advice: IncidentAdvice, free: int) -> list[tuple[str, int, str]]:
    """Return the free pages by order: singles, …, and those in blocks that would serve the request."""
    page_kb, order = advice.state.page_kb, advice.state.incident.request.order or 0
    lists = [zone.free_blocks for zone in advice.state.zones if zone.free_blocks is not None]
    if not lists or order < 1:
        return [("free", free, "usable")]
    pages: dict[int, int] = {}
    for blocks in lists:
        for o, count in enumerate(blocks):
            pages[min(o, order)] = pages.get(min(o, order), 0) + (count << o)
    rows = [(f"free, in {page_kb << o} kB blocks", pages.get(o, 0), "small") for o in range(min(order, 4))]
    if order > 4:
        rest = sum(pages.get(o, 0) for o in range(4, order))
        rows.append((f"free, in {page_kb << 4} to {page_kb << (order - 1)} kB blocks", rest, "small"))
    rows.append((f"free, in {page_kb << order} kB and larger", pages.get(order, 0), "usable"))
    unlisted = free - sum(pages.values())
    if unlisted > 0:
        rows.append(("free, in no list", unlisted, "small"))
    return rows


def _percent(pages: int, ram: int) -> str:
    permille = (pages * 1000 + ram // 2) // ram
    return f"{permille // 10}.{permille % 10} %"


def _spec(rows: list[dict[str, object]]) -> Spec:
    return {
        "width": WIDTH,
        "height": {"step": ROW_PIXELS},
        "data": data(rows),
        "encoding": {"y": by_position()},
        "layer": [
            {
                "mark": {"type": "bar", "height": 13, "yOffset": 9, "stroke": INK, "strokeWidth": 0.5},
                "encoding": {
                    "x": field("mb", title="MB", axis={"tickCount": 5}),
                    "color": field(
                        "kind",
                        "nominal",
                        legend=None,
                        scale={"domain": ["held", "small", "usable"], "range": [MIDDLE, WEAK, STRONG]},
                    ),
                },
            },
            {
                "mark": {"type": "text", "align": "left", "x": 2, "yOffset": -7, "baseline": "middle"},
                "encoding": {"text": field("text", "nominal")},
            },
        ],
    }
