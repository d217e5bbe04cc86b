"""Charts drawn by vl-convert, without a browser and without a network."""

from html import escape
from threading import Thread
from typing import Any

from oomadvisor.present.charts.chart import GRID, INK, LINE_BREAK, MUTED, Chart, Spec, label
from oomadvisor.present.printable import printable

FONT = "Arial, 'Liberation Sans', Helvetica, sans-serif"
"""Fonts of one width: room for labels is measured where the picture is drawn, and they are shown elsewhere."""
TEXT_PIXELS = 12
PNG_SCALE = 2.0

CONFIG: Spec = {
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": MUTED,
        "titleColor": MUTED,
        "titleFontWeight": "normal",
        "gridColor": GRID,
        "domainColor": MUTED,
        "tickColor": MUTED,
        "labelFontSize": TEXT_PIXELS,
        "titleFontSize": TEXT_PIXELS,
    },
    "text": {"color": INK, "fontSize": TEXT_PIXELS},
    "title": {"color": INK, "fontSize": TEXT_PIXELS, "anchor": "start", "fontWeight": "bold"},
    "header": {"labelColor": INK, "titleColor": INK, "labelFontSize": TEXT_PIXELS},
    "rule": {"color": INK},
    "concat": {"spacing": 10},
}


def svg(chart: Chart, *, background: str | None = None) -> str:
    """Return the chart as an SVG element; without ``background`` it is transparent."""
    import vl_convert

    drawn: str = vl_convert.vegalite_to_svg(_whole(chart.spec, background), allowed_base_urls=[])
    return drawn


def standing_alone(chart: Chart) -> str:
    """Return the chart as an SVG document on white, with its title in it and its summary for those who cannot see."""
    drawn = svg(titled(chart), background="#ffffff")
    start = drawn.index(">") + 1
    return f"{drawn[:start]}<title>{escape(chart.title)}</title><desc>{escape(chart.summary)}</desc>{drawn[start:]}\n"


def png(chart: Chart) -> bytes:
    """Return the chart as a PNG on white with its title in it, at twice its size."""
    import vl_convert

    drawn: bytes = vl_convert.vegalite_to_png(
        _whole(titled(chart).spec, "#ffffff"), scale=PNG_SCALE, allowed_base_urls=[]
    )
    return drawn


def titled(chart: Chart) -> Chart:
    """Return the chart with its title in the picture, for one that stands alone."""
    spec = {**chart.spec, "title": {"text": label(chart.title), "offset": 10}}
    return Chart(chart.name, chart.title, chart.summary, chart.columns, chart.rows, spec)


def warm_up() -> Thread:
    """Start vl-convert's engine beside the other work: a third of a second that nobody has to wait for."""

    def draw_nothing() -> None:
        import vl_convert

        vl_convert.vegalite_to_svg({"data": {"values": [{}]}, "mark": "point"})

    thread = Thread(target=draw_nothing, daemon=True)
    thread.start()
    return thread


def _whole(spec: Spec, background: str | None) -> dict[str, Any]:
    whole: dict[str, Any] = _shown({"background": background, "padding": 4, "config": CONFIG, **spec})
    return whole


def _shown(value: Any) -> Any:
    """Return a part of a declaration with its texts as they may be drawn.

    A control character in a label would end the process: it is no XML, and vl-convert does not survive that.
    """
    if isinstance(value, str):
        return LINE_BREAK.join(map(printable, value.split(LINE_BREAK)))
    if isinstance(value, dict):
        return {key: _shown(one) for key, one in value.items()}
    return [_shown(one) for one in value] if isinstance(value, list) else value
