"""Free blocks of every order in every zone, and which of them are large enough for the request."""

from oomadvisor.model import IncidentAdvice
from oomadvisor.present.charts.chart import INK, STRONG, WEAK, WIDTH, Chart, Spec, data, field

ROW_PIXELS = 18


def blocks_chart(advice: IncidentAdvice) -> Chart | None:
    """Return the pages in free blocks, zone by zone; orders above the largest that is free anywhere are left out."""
    zones = [zone for zone in reversed(advice.state.zones) if zone.free_blocks is not None and zone.present_pages]
    page_kb, order = advice.state.page_kb, advice.state.incident.request.order
    wanted = max(order or 0, 0)
    used = [o for zone in zones for o, count in enumerate(zone.free_blocks or ()) if count]
    if not used:
        return None
    top = max(*used, wanted, 2)
    rows, table, sums = [], [], []
    for zone in zones:
        blocks = zone.free_blocks or ()
        for o in range(min(top + 1, len(blocks))):
            pages = blocks[o] << o
            rows.append(
                {
                    "zone": zone.name,
                    "row": o,
                    "size": f"{page_kb << o} kB",
                    "pages": pages,
                    "text": f"{blocks[o]} × {page_kb << o} kB = {pages} pages" if blocks[o] else "none",
                    "kind": "usable" if o >= wanted else "small",
                }
            )
            table.append(
                (zone.name, str(o), f"{page_kb << o} kB", str(blocks[o]), str(pages), "yes" if o >= wanted else "no")
            )
        usable = sum(count << o for o, count in enumerate(blocks) if o >= wanted)
        total = sum(count << o for o, count in enumerate(blocks))
        sums.append(f"in {zone.name} {usable} of {total} free pages")
    size = f"blocks of {page_kb << wanted} kB or larger (dark bars)"
    return Chart(
        name="blocks",
        title="Free blocks by order and zone",
        summary=f"Only {size} can serve the request: {', '.join(sums)} lie in such."
        if wanted
        else f"Any free page can serve the request: {', '.join(sums)}.",
        columns=("zone", "order", "size", "blocks", "pages", "large enough"),
        rows=tuple(table),
        spec=_spec(rows, [zone.name for zone in zones]),
    )


def _spec(rows: list[dict[str, object]], zones: list[str]) -> Spec:
    most = max(int(str(row["pages"])) for row in rows)
    x = field(
        "pages", title="pages", scale={"domain": [0, most * 2.1], "nice": False}, axis={"tickCount": 4, "format": "d"}
    )
    y = field("size", "ordinal", sort=None, title=None, axis={"ticks": False, "domain": False})
    panels = [
        {
            "title": zone,
            "width": WIDTH - 70,
            "height": {"step": ROW_PIXELS},
            "data": data([row for row in rows if row["zone"] == zone]),
            "encoding": {"y": y, "x": x},
            "layer": [
                {
                    "mark": {"type": "bar", "stroke": INK, "strokeWidth": 0.5},
                    "encoding": {
                        "color": field(
                            "kind",
                            "nominal",
                            legend=None,
                            scale={"domain": ["small", "usable"], "range": [WEAK, STRONG]},
                        )
                    },
                },
                {
                    "mark": {"type": "text", "align": "left", "dx": 4, "baseline": "middle"},
                    "encoding": {"text": field("text", "nominal")},
                },
            ],
        }
        for zone in zones
    ]
    return {"vconcat": panels}
