"""vm.min_free_kbytes moved over a range: where the verdict turns, how many children fit, what interrupts keep."""

from typing import Any

from oomadvisor.model import Operation, Tunable
from oomadvisor.model.state import MIN_FREE_KBYTES
from oomadvisor.present.charts.chart import INK, MIDDLE, STRONG, WEAK, WIDTH, Chart, Spec, data, field
from oomadvisor.simulate.answers import MOST_CHILDREN, Answers, Kept, Passes, Steps

NARROWEST_LABELLED = 0.16
"""Share of the range below which a stretch has no room for its word."""


def sweep_chart(answers: Answers, kept: Steps[Kept], operation: Operation, tunable: Tunable | None) -> Chart:
    """Return the exact steps of an operation over the range, and the value as it is and by default as lines."""
    stretches = _stretches(answers)
    ends = [*(start for start, _ in answers.passes[1:]), answers.high + 1]
    table = tuple(
        (
            f"{start} to {end - 1}",
            one.class_,
            *("passes" if ok else "fails" for ok in (one.min, one.low, one.high)),
            str(_at(answers.headroom, end - 1)[0]),
        )
        for (start, one), end in zip(answers.passes, ends, strict=True)
    )
    return Chart(
        name="sweep",
        title=f"{operation.title} at every {MIN_FREE_KBYTES}",
        summary=_summary(answers, operation),
        columns=("values", "class", "MIN", "LOW", "HIGH", "children at the upper end"),
        rows=table,
        spec=_spec(answers, kept, stretches, _marked(tunable, answers.high)),
    )


def _summary(answers: Answers, operation: Operation) -> str:
    at_min = _largest(answers, "min")
    at_high = _largest(answers, "high")
    words = {None: "at no value", answers.high: f"at every value up to {answers.high}"}
    return (
        f"{operation.title} passes at MIN {words.get(at_min, f'up to {at_min}')} and at HIGH "
        f"{words.get(at_high, f'up to {at_high}')}."
    )


def _largest(answers: Answers, mark: str) -> int | None:
    failing = next((start for start, one in answers.passes if not getattr(one, mark)), None)
    return answers.high if failing is None else (failing - 1 if failing else None)


def _at(steps: Steps[Any], value: int) -> Any:
    return next(one for start, one in reversed(steps) if start <= value)


def _stretches(answers: Answers) -> list[dict[str, Any]]:
    """Return the range cut into: passes at HIGH, passes at MIN only, fails."""
    found: list[dict[str, Any]] = []
    for start, one in answers.passes:
        kind = _kind(one)
        if not found or found[-1]["kind"] != kind:
            if found:
                found[-1]["end"] = start
            found.append({"kind": kind, "start": start, "end": answers.high + 1})
    for stretch in found:
        room = (stretch["end"] - stretch["start"]) / (answers.high + 1)
        stretch["word"] = stretch["kind"] if room >= NARROWEST_LABELLED else ""
        stretch["middle"] = (stretch["start"] + stretch["end"]) / 2
    return found


def _kind(one: Passes) -> str:
    return "passes at HIGH" if one.high else "MIN only" if one.min else "fails"


def _marked(tunable: Tunable | None, high: int) -> list[dict[str, Any]]:
    if tunable is None:
        return []
    found: list[dict[str, Any]] = []
    if tunable.default is not None and tunable.default != tunable.low:
        found.append({"value": tunable.default, "word": f"default {tunable.default}"})
    if tunable.low is not None:
        found.append({"value": tunable.low, "word": f"now {tunable.interval}"})
    return [one for one in found if one["value"] <= high]


def _spec(answers: Answers, kept: Steps[Kept], stretches: list[dict[str, Any]], marked: list[dict[str, Any]]) -> Spec:
    scale = {"domain": [0, answers.high + 1], "nice": False}

    def x(name: str, **more: Any) -> Spec:
        return field(name, scale=scale, **more)

    hidden = {"axis": None}
    shown = {"title": f"{MIN_FREE_KBYTES} (kB)", "axis": {"tickCount": 5, "format": "d"}}
    rules: Spec = {
        "data": data(marked),
        "mark": {"type": "rule", "strokeDash": [4, 3], "color": INK},
        "encoding": {"x": x("value")},
    }
    strip: Spec = {
        "width": WIDTH,
        "height": 22,
        "layer": [
            {
                "data": data(stretches),
                "mark": {"type": "bar", "stroke": INK, "strokeWidth": 0.5, "height": 22},
                "encoding": {
                    "x": x("start", **hidden),
                    "x2": {"field": "end"},
                    "color": field(
                        "kind",
                        "nominal",
                        legend=None,
                        scale={
                            "domain": ["passes at HIGH", "MIN only", "fails"],
                            "range": [MIDDLE, WEAK, "transparent"],
                        },
                    ),
                },
            },
            {
                "data": data(stretches),
                "mark": {"type": "text", "baseline": "middle"},
                "encoding": {"x": x("middle", **hidden), "text": field("word", "nominal")},
            },
        ],
    }
    names: Spec = {
        "width": WIDTH,
        "height": 14,
        "data": data(marked),
        "mark": {"type": "text", "baseline": "middle"},
        "encoding": {"x": x("value", **hidden), "text": field("word", "nominal")},
    }
    children = [{"value": start, "children": least} for start, (least, _) in answers.headroom]
    children.append({"value": answers.high + 1, "children": answers.headroom[-1][1][0]})
    most = max(one["children"] for one in children)
    title = ["more that fit", *([f"({MOST_CHILDREN}: or more)"] if most >= MOST_CHILDREN else [])]
    pages = [{"value": start, "pages": one.atomic_pages} for start, one in kept]
    return {
        "vconcat": [
            *([names] if marked else []),
            strip,
            _steps(children, "children", title, 90, x("value", **hidden), rules if marked else None, STRONG),
            _steps(
                pages, "pages", ["for interrupts,", "pages"], 70, x("value", **shown), rules if marked else None, INK
            ),
        ],
        "spacing": 4,
    }


def _steps(
    rows: list[dict[str, Any]], name: str, title: list[str], height: int, x: Spec, rules: Spec | None, colour: str
) -> Spec:
    line: Spec = {
        "data": data(rows),
        "mark": {"type": "line", "interpolate": "step-after", "color": colour, "strokeWidth": 2},
        "encoding": {"x": x, "y": field(name, title=title, axis={"tickCount": 4, "tickMinStep": 1, "format": "d"})},
    }
    return {"width": WIDTH, "height": height, "layer": [line, *([rules] if rules else [])]}
