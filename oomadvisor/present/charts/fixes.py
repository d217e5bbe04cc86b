"""The fixes as pairs: how many more processes would fit before and after each."""

from typing import Any

from oomadvisor.model import Fix, IncidentAdvice
from oomadvisor.present.charts.chart import (
    INK,
    LINE_BREAK,
    MIDDLE,
    MUTED,
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

ROW_PIXELS = 56


def fixes_chart(advice: IncidentAdvice) -> Chart | None:
    """Return the headroom before and after each fix that was replayed; bounded ones as a range."""
    fixes = [
        fix for fix in advice.fixes if fix.verification.headroom and fix.verification.headroom.children is not None
    ]
    if not fixes:
        return None
    rows = [_row(number, fix) for number, fix in enumerate(fixes)]
    best = max(fixes, key=lambda fix: _after(fix)[0])
    least, most = _after(best)
    count = str(least) if least == most else f"{least} to {most}"
    operation = best.verification.headroom.operation if best.verification.headroom else ""
    return Chart(
        name="fixes",
        title="Headroom before and after each fix",
        summary=f"Before: room for {_before(best)} more. The most that is certain to fit after one fix: {count} "
        f"({label(operation)}), with fix {best.rank}.",
        columns=("rank", "fix", "class", "before", "after"),
        rows=tuple(
            (str(fix.rank), fix.title, fix.verification.class_, str(_before(fix)), _range(*_after(fix)))
            for fix in fixes
        ),
        spec=_spec(rows),
    )


def _before(fix: Fix) -> int:
    room = fix.verification.headroom_before
    return room.children or 0 if room is not None else 0


def _after(fix: Fix) -> tuple[int, int]:
    room = fix.verification.headroom
    assert room is not None
    assert room.children is not None
    return room.children, room.children if room.children_high is None else room.children_high


def _range(least: int, most: int) -> str:
    return str(least) if least == most else f"{least} to {most}"


def _row(number: int, fix: Fix) -> dict[str, Any]:
    least, most = _after(fix)
    return {
        "row": number,
        "text": wrapped(f"{fix.rank}. [{fix.verification.class_}] {fix.title}"),
        "before": _before(fix),
        "least": least,
        "most": most,
        "words": f"{_before(fix)} → {_range(least, most)}",
        "end": max(most, _before(fix)),
    }


def _spec(rows: list[dict[str, Any]]) -> Spec:
    largest = max(row["end"] for row in rows)
    scale = {"domain": [0, max(largest * 1.25, 1)], "nice": False}

    def x(name: str) -> Spec:
        return field(name, title="more processes that stay alive", scale=scale, axis={"tickMinStep": 1, "tickCount": 6})

    low = {"yOffset": 18}
    return {
        "width": WIDTH,
        "height": {"step": ROW_PIXELS},
        "data": data(rows),
        "encoding": {"y": by_position()},
        "layer": [
            {
                "mark": {"type": "rule", "color": MUTED, **low},
                "encoding": {"x": x("before"), "x2": {"field": "least"}},
            },
            {
                "mark": {"type": "bar", "height": 9, "color": MIDDLE, "stroke": INK, "strokeWidth": 0.5, **low},
                "encoding": {"x": x("least"), "x2": {"field": "most"}},
            },
            {
                "mark": {"type": "point", "shape": "circle", "size": 60, "color": INK, "opacity": 1, **low},
                "encoding": {"x": x("before")},
            },
            {
                "mark": {
                    "type": "point",
                    "shape": "diamond",
                    "size": 90,
                    "filled": True,
                    "color": STRONG,
                    "opacity": 1,
                    **low,
                },
                "encoding": {"x": x("least")},
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 9, "baseline": "middle", **low},
                "encoding": {"x": x("end"), "text": field("words", "nominal")},
            },
            {
                "mark": {
                    "type": "text",
                    "align": "left",
                    "x": 2,
                    "yOffset": -20,
                    "baseline": "top",
                    "lineBreak": LINE_BREAK,
                },
                "encoding": {"text": field("text", "nominal")},
            },
        ],
    }
