"""The watermark test as a ladder: at each order what remains, against the bounds at MIN, LOW and HIGH."""

from oomadvisor.model import IncidentAdvice, Verdict
from oomadvisor.present.charts.chart import FAIL, INK, MIDDLE, WIDTH, Chart, Spec, data, field
from oomadvisor.present.numbers import order_in_question, scans

PANEL_PIXELS = 66
MOST_RUNGS = 12


def ladder_chart(advice: IncidentAdvice) -> Chart | None:
    """Return the test of the order in question, zone by zone, one rung for each order that is compared.

    Each rung has a scale of its own: the pages that count fall by orders of magnitude from one to the next.
    """
    order = order_in_question(advice)
    verdicts = [v for v in advice.verdicts if v.order == order and v.steps]
    zones = list(dict.fromkeys(v.zone for v in verdicts))
    if not zones:
        return None
    panels = []
    table = []
    for zone in zones:
        own = [v for v in verdicts if v.zone == zone]
        for rung in range(min(len(own[0].steps), MOST_RUNGS)):
            # Since 4.4 the marks are looked at once, and after that one block is enough.
            looked_for = rung > 0 and scans(advice)
            panels.append(_rung(zone, rung, own[:1] if looked_for else own, advice.state.page_kb, one_block=looked_for))
            table += [_row(v, rung) for v in own]
    return Chart(
        name="ladder",
        title=f"The check for order {order}, as a ladder",
        summary=_summary(verdicts),
        columns=("zone", "order compared", "mark", "pages left", "must exceed", "result"),
        rows=tuple(table),
        spec={"vconcat": panels, "spacing": 6},
    )


def _summary(verdicts: list[Verdict]) -> str:
    parts = []
    for mark in ("min", "high"):
        at = [v for v in verdicts if v.mark == mark]
        passing = [v.zone for v in at if v.ok]
        if passing:
            parts.append(f"At {mark.upper()} it passes in {', '.join(passing)}.")
        elif at:
            nearest = min(at, key=lambda v: v.short_by_pages)
            parts.append(
                f"At {mark.upper()} it fails in every zone; {nearest.zone} is nearest, {nearest.short_by_pages} "
                f"page{'' if nearest.short_by_pages == 1 else 's'} short at order {nearest.failed_at_order}."
            )
    return " ".join(parts)


def _row(verdict: Verdict, rung: int) -> tuple[str, ...]:
    step = verdict.steps[rung]
    result = "passes" if step.ok else f"fails, {step.bound_pages - step.remaining_pages + 1} short"
    return (
        verdict.zone,
        str(step.order),
        verdict.mark.upper(),
        str(step.remaining_pages),
        str(step.bound_pages),
        result,
    )


def _bound(verdict: Verdict, rung: int) -> str:
    step = verdict.steps[rung]
    missing = "" if step.ok else f": {step.bound_pages - step.remaining_pages + 1} short"
    return f"{verdict.mark.upper()} {step.bound_pages}{missing}"


def _words(*, found: bool) -> str:
    return "one block is enough" if found else "needs one block: none"


def _rung(zone: str, rung: int, verdicts: list[Verdict], page_kb: int, *, one_block: bool) -> Spec:
    remaining, order = verdicts[0].steps[rung].remaining_pages, verdicts[0].steps[rung].order
    marks = []
    for verdict in verdicts:
        step = verdict.steps[rung]
        marks.append(
            {
                "bound": step.bound_pages,
                "mark": verdict.mark.upper(),
                "text": _words(found=step.ok) if one_block else _bound(verdict, rung),
                "ok": "passes" if step.ok else "fails",
                "level": {"min": 0, "low": 1, "high": 2}[verdict.mark],
            }
        )
    counted = "of any size" if order == 0 else f"in blocks of {page_kb << order} kB and more"
    largest = max(remaining, *(int(str(m["bound"])) for m in marks))
    scale = {"domain": [0, max(largest * 1.7, 1)], "nice": False}
    colour = field("ok", "nominal", legend=None, scale={"domain": ["passes", "fails"], "range": [INK, FAIL]})
    return {
        "title": f"{zone}, order {order}: {remaining} {'pages' if one_block else 'pages left'} {counted}",
        "width": WIDTH,
        "height": PANEL_PIXELS - 18,
        "layer": [
            {
                "data": data([{"remaining": max(remaining, 0)}]),
                "mark": {"type": "bar", "color": MIDDLE, "stroke": INK, "strokeWidth": 0.5, "height": 44, "y": 24},
                "encoding": {"x": field("remaining", title=None, scale=scale, axis=None)},
            },
            {
                "data": data(marks),
                "mark": {"type": "tick", "orient": "vertical", "thickness": 3, "size": 14},
                "encoding": {
                    "x": field("bound", scale=scale, axis=None),
                    "y": field("level", "ordinal", axis=None),
                    "color": colour,
                },
            },
            {
                "data": data(marks),
                "mark": {"type": "text", "align": "left", "dx": 5, "baseline": "middle"},
                "encoding": {
                    "x": field("bound", scale=scale, axis=None),
                    "y": field("level", "ordinal", axis=None),
                    "text": field("text", "nominal"),
                    "color": colour,
                },
            },
        ],
    }
