"""What was measured on a real kernel, as rates with their 95 % intervals."""

from typing import Any

from oomadvisor.model import IncidentAdvice, Measured
from oomadvisor.present.charts.chart import (
    INK,
    LINE_BREAK,
    STRONG,
    WIDTH,
    Chart,
    Spec,
    by_position,
    data,
    field,
    label,
    wrapped,
)

ROW_PIXELS = 70


def rates_chart(advice: IncidentAdvice) -> Chart | None:
    """Return the rates behind the fixes, each once, in the order in which they are told."""
    told = [m for fix in advice.fixes for m in fix.verification.measured]
    measured = [m for m in {m.id: m for m in told if m.applies}.values() if _is_rate(m)]
    if not measured:
        return None
    rows = [_row(number, one) for number, one in enumerate(measured)]
    conditions = measured[0].conditions
    return Chart(
        name="rates",
        title="Measured on a real kernel",
        summary=f"How often it worked, with 95 % intervals; {conditions}.",
        columns=("what", "worked", "tried", "rate", "95 % interval"),
        rows=tuple(
            (label(one.text, 300), str(one.successes), str(one.trials), f"{row['rate']:.0f} %", row["interval"])
            for one, row in zip(measured, rows, strict=True)
        ),
        spec=_spec(rows),
    )


def _is_rate(one: Measured) -> bool:
    return bool(one.trials) and one.successes is not None and one.successes <= (one.trials or 0)


def _row(number: int, one: Measured) -> dict[str, Any]:
    trials, successes = one.trials or 0, one.successes or 0
    low, high = one.low_permille or 0, 1000 if one.high_permille is None else one.high_permille
    return {
        "row": number,
        "text": wrapped(f"{successes} of {trials} {one.text}", lines=3),
        "rate": 100 * successes / trials,
        "low": low / 10,
        "high": high / 10,
        "interval": f"{low / 10:.1f} to {high / 10:.1f} %",
    }


def _spec(rows: list[dict[str, Any]]) -> Spec:
    scale = {"domain": [0, 100]}

    def x(name: str) -> Spec:
        return field(name, title="worked, % (line: 95 % interval)", scale=scale)

    return {
        "width": WIDTH,
        "height": {"step": ROW_PIXELS},
        "data": data(rows),
        "encoding": {"y": by_position()},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 3, "color": INK, "yOffset": 26},
                "encoding": {"x": x("low"), "x2": {"field": "high"}},
            },
            {
                "mark": {
                    "type": "point",
                    "shape": "diamond",
                    "size": 90,
                    "filled": True,
                    "color": STRONG,
                    "opacity": 1,
                    "yOffset": 26,
                },
                "encoding": {"x": x("rate")},
            },
            {
                "mark": {
                    "type": "text",
                    "align": "left",
                    "x": 2,
                    "yOffset": -28,
                    "baseline": "top",
                    "lineBreak": LINE_BREAK,
                },
                "encoding": {"text": field("text", "nominal")},
            },
        ],
    }
