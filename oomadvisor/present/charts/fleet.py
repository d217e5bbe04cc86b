"""Pictures of a fleet: the curve of one knob, and incidents counted by whatever they have in common."""

from collections.abc import Sequence
from typing import Any

from oomadvisor.fleet.curve import Counts, Curve
from oomadvisor.fleet.knob import Knob
from oomadvisor.kernel.words import INT_MAX
from oomadvisor.present.charts.chart import (
    FAIL,
    GRID,
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
    label,
)

MOST_STEPS = 380
"""More steps than pixels cannot be seen: of a finer curve so many values are drawn, each with its exact counts."""
BARS = 14
ROW_PIXELS = 34
LAYERS = ("certain", "marginal", "no effect", "open", "harmful")
COLOUR = dict(zip(LAYERS, (STRONG, MIDDLE, WEAK, GRID, FAIL), strict=True))


def curve_chart(curve: Curve, name: str, title: str, marked: Sequence[tuple[int, str]], high: int) -> Chart:
    """Return the number of incidents of each class from the smallest value to ``high``, one above the other.

    ``marked``: values with a word each; those beyond ``high`` are left out.
    """
    inside = [one for one in curve.intervals if one.low <= high]
    starts = [one.low for one in inside]
    if len(starts) > MOST_STEPS:
        starts = sorted({curve.knob.low + (high - curve.knob.low) * n // MOST_STEPS for n in range(MOST_STEPS)})
    steps = [(start, curve.at(start)) for start in starts]
    best = max(inside, key=lambda one: one.counts.certain)
    table = inside if len(inside) <= MOST_STEPS else [one for one in inside if one.low in set(starts)] or inside[:1]
    return Chart(
        name=name,
        title=title,
        summary=f"Of {best.counts.cases} incidents at most {best.counts.certain} are certain to go through, with "
        f"{best.low if best.low == best.high else f'{best.low} to {best.high}'}. "
        + " ".join(f"{value} ({word}): {curve.at(value).certain}." for value, word in marked if value <= high),
        columns=("values", *LAYERS),
        rows=tuple(
            (
                f"{one.low} and more" if one.high >= INT_MAX else f"{one.low} to {one.high}",
                *(str(count) for count in _layers(one.counts)),
            )
            for one in table
        ),
        spec=_curve_spec(steps, curve.knob, [pair for pair in marked if pair[0] <= high], high),
    )


def _layers(counts: Counts) -> tuple[int, ...]:
    return (counts.certain, counts.marginal, counts.no_effect, counts.bounded + counts.not_decidable, counts.harmful)


def _curve_spec(steps: Sequence[tuple[int, Counts]], knob: Knob, marked: Sequence[tuple[int, str]], high: int) -> Spec:
    rows: list[dict[str, Any]] = []
    present = {name for _, counts in steps for name, count in zip(LAYERS, _layers(counts), strict=True) if count}
    for start, counts in [*steps, (high, steps[-1][1])]:
        below = 0
        for name, count in zip(LAYERS, _layers(counts), strict=True):
            if name in present:
                rows.append({"value": start, "from": below, "to": below + count, "class": name})
            below += count
    scale = {"domain": [knob.low, max(high, knob.low + 1)], "nice": False}
    shown = [name for name in LAYERS if name in present]
    x = field(
        "value",
        scale=scale,
        title=f"{knob.name}{f' ({knob.unit})' if knob.unit else ''}",
        axis={"tickCount": 5, "format": "d"},
    )
    areas: Spec = {
        "data": data(rows),
        "mark": {"type": "area", "interpolate": "step-after", "stroke": INK, "strokeWidth": 0.4, "opacity": 1},
        "encoding": {
            "x": x,
            "y": field("from", title="incidents", axis={"tickCount": 4, "tickMinStep": 1, "format": "d"}),
            "y2": {"field": "to"},
            "color": field(
                "class",
                "nominal",
                legend=None,
                scale={"domain": shown, "range": [COLOUR[name] for name in shown]},
            ),
        },
    }
    rules: Spec = {
        "data": data([{"value": value} for value, _ in marked]),
        "mark": {"type": "rule", "strokeDash": [4, 3], "color": INK},
        "encoding": {"x": x},
    }
    names: Spec = {
        "width": WIDTH,
        "height": {"step": 15},
        "data": data([_flag(value, word, knob, high, row) for row, (value, word) in enumerate(marked)]),
        "encoding": {"y": by_position()},
        "layer": [
            _flags("left", "left", x, scale),
            _flags("right", "right", x, scale),
        ],
    }
    key: Spec = {
        "width": WIDTH,
        "height": 16,
        "data": data([{"class": name, "place": n} for n, name in enumerate(shown)]),
        "layer": [
            {
                "mark": {"type": "square", "size": 110, "stroke": INK, "strokeWidth": 0.5, "opacity": 1},
                "encoding": {
                    "x": field("place", axis=None, scale={"domain": [-0.1, 5], "nice": False}),
                    "fill": field(
                        "class", "nominal", legend=None, scale={"domain": shown, "range": [COLOUR[n] for n in shown]}
                    ),
                },
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 9, "baseline": "middle"},
                "encoding": {
                    "x": field("place", axis=None, scale={"domain": [-0.1, 5], "nice": False}),
                    "text": field("class", "nominal"),
                },
            },
        ],
    }
    layers = [areas, *([rules] if marked else [])]
    chart: Spec = {"width": WIDTH, "height": 200, "layer": layers}
    return {"vconcat": [key, *([names] if marked else []), chart], "spacing": 4}


def _flag(value: int, word: str, knob: Knob, high: int, row: int) -> dict[str, Any]:
    side = "left" if (value - knob.low) * 2 <= high - knob.low else "right"
    return {"value": value, "word": label(f"{value}: {word}", 44), "side": side, "row": row}


def _flags(side: str, align: str, x: Spec, scale: Spec) -> Spec:
    return {
        "transform": [{"filter": {"field": "side", "equal": side}}],
        "mark": {"type": "text", "align": align, "baseline": "middle", "dx": 2 if side == "left" else -2},
        "encoding": {"x": {**x, "axis": None, "scale": scale}, "text": field("word", "nominal")},
    }


def bars_chart(
    name: str, title: str, what: str, rows: Sequence[tuple[str, int]], found: int, whole: int
) -> Chart | None:
    """Return how many incidents there are of each kind, most first; ``found`` kinds, of which these are some.

    ``whole``: all incidents. None where there is nothing to show.
    """
    if not rows:
        return None
    shown = rows[:BARS]
    more = f" {found - len(shown)} more are not shown." if found > len(shown) else ""
    first, count = shown[0]
    drawn = [
        {"row": n, "text": f"{label(word, 48)}: {number}", "count": number} for n, (word, number) in enumerate(shown)
    ]
    return Chart(
        name=name,
        title=title,
        summary=f"Most incidents are of {label(first, 80)}: {count} of {whole}.{more}",
        columns=(what, "incidents"),
        rows=tuple((label(word, 300), str(number)) for word, number in rows),
        spec={
            "width": WIDTH,
            "height": {"step": ROW_PIXELS},
            "data": data(drawn),
            "encoding": {"y": by_position()},
            "layer": [
                {
                    "mark": {
                        "type": "bar",
                        "height": 11,
                        "yOffset": 8,
                        "color": MIDDLE,
                        "stroke": INK,
                        "strokeWidth": 0.5,
                    },
                    "encoding": {
                        "x": field("count", title="incidents", axis={"tickCount": 5, "tickMinStep": 1, "format": "d"})
                    },
                },
                {
                    "mark": {"type": "text", "align": "left", "x": 2, "yOffset": -7, "baseline": "middle"},
                    "encoding": {"text": field("text", "nominal")},
                },
            ],
        },
    )


def days_chart(name: str, title: str, days: Sequence[tuple[str, int]], said: str) -> Chart | None:
    """Return the incidents by day or month, in their order; None for fewer than two."""
    if len(days) < 2:
        return None
    most = max(days, key=lambda pair: pair[1])
    return Chart(
        name=name,
        title=title,
        summary=f"From {days[0][0]} to {days[-1][0]}; the most, {most[1]}, on {most[0]}. {said}",
        columns=("day", "incidents"),
        rows=tuple((day, str(count)) for day, count in days),
        spec={
            "width": WIDTH,
            "height": 130,
            "data": data([{"day": day, "count": count} for day, count in days]),
            "mark": {"type": "bar", "color": MIDDLE, "stroke": INK, "strokeWidth": 0.5},
            "encoding": {
                "x": field("day", "ordinal", title=None, sort=None, axis={"labelOverlap": True, "labelAngle": -45}),
                "y": field("count", title="incidents", axis={"tickCount": 4, "tickMinStep": 1, "format": "d"}),
            },
        },
    )
