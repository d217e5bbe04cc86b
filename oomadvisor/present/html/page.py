"""The page: the first screen of the advice, the pictures, the slider, the proof, the input."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from oomadvisor.facts import assess
from oomadvisor.model import Advice, IncidentAdvice, Origin
from oomadvisor.model.state import MIN_FREE_KBYTES
from oomadvisor.present import numbers
from oomadvisor.present.charts import (
    Chart,
    Moment,
    blocks_chart,
    fixes_chart,
    ladder_chart,
    memory_chart,
    rates_chart,
    sweep_chart,
    timeline_chart,
)
from oomadvisor.present.charts.chart import COLOURS
from oomadvisor.present.charts.draw import svg
from oomadvisor.present.html import rows
from oomadvisor.present.html.listing import Lines, Listing, listings
from oomadvisor.present.html.slider import Slider, slider
from oomadvisor.present.printable import printable

TEMPLATES = Path(__file__).parent / "templates"
MOST_IN_FULL = 12
"""Incidents beyond these are listed, not shown in full: a page is for reading."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart and its drawing."""

    chart: Chart
    drawing: Markup


@dataclass(frozen=True, slots=True)
class Section:
    """Everything that the page shows of one incident. ``id`` begins its anchors."""

    id: str
    advice: IncidentAdvice
    headline: str
    pictures: Mapping[str, Picture]
    slider: Slider | None
    listings: tuple[Listing, ...]


@dataclass(frozen=True, slots=True)
class Export:
    """A way to take the result away: ``name`` goes back to the server when its button is pressed."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Served:
    """What a page has besides when it is served: the input that it was made from, and what the server offers for it.

    ``fields``: hidden fields that every button sends along. ``simulate``: where the slider can ask the simulator.
    """

    fields: tuple[tuple[str, str], ...]
    exports: tuple[Export, ...]
    export_to: str
    simulate: str
    incidents: tuple[tuple[int, str], ...] = ()
    show: str = ""


def render_page(advice: Advice, lines: Lines, moments: Sequence[Moment] = (), *, served: Served | None = None) -> str:
    """Return the whole page, in one piece, with a content security policy that allows only its own script and style.

    ``lines``: the text of the inputs (:func:`oomadvisor.present.html.listing.wanted_lines` says which are needed).
    ``moments``: the incidents of the log, for the timeline.
    """
    timeline = timeline_chart(moments, found=advice.incidents_found)
    shown = advice.incidents[:MOST_IN_FULL]
    sections = [_section(one, lines, f"i{number}") for number, one in enumerate(shown, 1)]
    return _filled(
        "page.html",
        title=f"{sections[0].headline}: {shown[0].state.incident.file}",
        advice=advice,
        sections=sections,
        left_out=len(advice.incidents) - len(shown),
        timeline=None if timeline is None else _picture(timeline),
        served=served,
    )


def render_plain(template: str, **values: Any) -> str:
    """Return another page in the same clothes (the entrance of the local server, a message)."""
    return _filled(template, **values)


def policy(*, served: bool) -> str:
    """Return the content security policy of the pages: their own script and style by hash, and nothing else.

    A served page may besides send forms to, and ask, the server it came from.
    """
    own = "'self'" if served else "'none'"
    return (
        f"default-src 'none'; script-src '{_hash(_script())}'; style-src '{_hash(_style())}'; img-src data:; "
        f"connect-src {own}; form-action {own}; base-uri 'none'"
    )


def _filled(template: str, **values: Any) -> str:
    served = values.get("served") is not None
    return (
        _environment()
        .get_template(template)
        .render(**values, style=Markup(_style()), script=Markup(_script()), policy=policy(served=served))
    )


def _section(advice: IncidentAdvice, lines: Lines, id_: str) -> Section:
    charts = [
        ladder_chart(advice),
        memory_chart(advice),
        blocks_chart(advice),
        fixes_chart(advice),
        rates_chart(advice),
    ]
    # vl-convert works outside of the interpreter: one thread is enough to draw while the slider is worked out.
    with ThreadPoolExecutor(max_workers=1) as drawing:
        pictures = {chart.name: drawing.submit(_picture, chart) for chart in charts if chart is not None}
        moved = slider(assess(advice.state))
        if moved is not None:
            setting = advice.tunables.get(MIN_FREE_KBYTES)
            chart = sweep_chart(moved.answers, moved.kept, moved.operation, setting)
            pictures[chart.name] = drawing.submit(_picture, chart)
        return Section(
            id=id_,
            advice=advice,
            headline=_headline(advice),
            pictures={name: picture.result() for name, picture in pictures.items()},
            slider=moved,
            listings=listings(advice, lines, id_),
        )


def _headline(advice: IncidentAdvice) -> str:
    request = advice.state.incident.request
    asked = f" for {request.comm}" if request.comm else ""
    order = f", order {request.order}" if request.order is not None and request.order >= 0 else ""
    return f"{numbers.KIND_WORDS[advice.state.incident.kind]}{asked}{order}"


def _picture(chart: Chart) -> Picture:
    return Picture(chart, Markup(svg(chart)))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.globals |= {
        "first_heading": numbers.first_heading,
        "kernel_words": numbers.kernel_words,
        "check_footer": numbers.check_footer,
        "passes_words": numbers.passes_words,
        "children_words": numbers.children_words,
        "measured_words": numbers.measured_words,
        "no_cause": numbers.no_cause,
        "unknown_rows": numbers.unknown_rows,
        "check_grid": rows.check_grid,
        "memory_grid": rows.memory_grid,
        "setting_grid": rows.setting_grid,
        "task_grid": rows.task_grid,
        "slab_grid": rows.slab_grid,
        "anchor": _anchor,
    }
    return environment


def _shown(value: Any) -> Any:
    """Return what a template prints: text from outside without control characters and bidirectional overrides."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return "\n".join(map(printable, value.split("\n")))
    return value


def _anchor(section: Section, origin: Origin) -> str | None:
    """Return the anchor of the line that ``origin`` names, or None when the page does not hold it."""
    for listing in section.listings:
        if listing.file == origin.file and any(row.number == origin.line for row in listing.rows):
            return f"{listing.id}-{origin.line}"
    return None


@cache
def _style() -> str:
    colours = "\n".join(
        f'figure svg [{where}="{value}"] {{ {where}: var(--{name}); }}'
        for name, value in COLOURS.items()
        for where in ("fill", "stroke")
    )
    return f"\n{(TEMPLATES / 'page.css').read_text(encoding='utf-8')}{colours}\n"


@cache
def _script() -> str:
    return f"\n{(TEMPLATES / 'page.js').read_text(encoding='utf-8')}"


@cache
def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
