"""The page: the first screen of the advice, the pictures, the slider, the proof, the input."""

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, Undefined
from markupsafe import Markup

from oomadvisor.facts import assess
from oomadvisor.model import Advice, IncidentAdvice, Origin
from oomadvisor.model.state import MIN_FREE_KBYTES
from oomadvisor.present import numbers, plan_words
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
from oomadvisor.present.html.listing import Lines, listings
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


class Section:
    """Everything that the page shows of one incident. ``id`` begins its anchors.

    The pictures are drawn, and the slider worked out, beside the rest: the first screen does not wait for them.
    """

    def __init__(self, advice: IncidentAdvice, lines: Lines, id_: str) -> None:
        self.id = id_
        self.advice = advice
        self.headline = _headline(advice)
        self.listings = listings(advice, lines, id_)
        shown = [(listing, row) for listing in self.listings for row in listing.rows]
        self._lines = {(listing.file, row.number): listing.id for listing, row in shown}
        self._text = {(listing.file, row.number): row.text for listing, row in shown}
        charts = (ladder_chart, memory_chart, blocks_chart, fixes_chart, rates_chart)
        # vl-convert works outside of the interpreter: one thread is enough.
        self._drawing = ThreadPoolExecutor(max_workers=1)
        made = (chart for chart in (make(advice) for make in charts) if chart is not None)
        self._drawn = {chart.name: self._drawing.submit(_picture, chart) for chart in made}

    @cached_property
    def slider(self) -> Slider | None:
        """The slider, or None where nothing can be replayed."""
        return slider(assess(self.advice.state))

    @cached_property
    def pictures(self) -> dict[str, Picture]:
        """The pictures by name; ``sweep`` belongs to the slider."""
        moved = self.slider
        drawn = {name: picture.result() for name, picture in self._drawn.items()}
        self._drawing.shutdown()
        if moved is not None:
            setting = self.advice.tunables.get(MIN_FREE_KBYTES)
            chart = sweep_chart(moved.answers, moved.kept, moved.operation, setting)
            drawn[chart.name] = _picture(chart)
        return drawn

    def place(self, cell: rows.Cell) -> Origin | None:
        """Return the line that a cell was read from: where the part of the report prints its number, else its start.

        A part such as the counters goes over several lines, of which the reader remembers the first; the trailer's go
        on behind those about swap.
        """
        incident = self.advice.state.incident
        own, after = incident.file, incident.last_line + 1
        starts = sorted(set(incident.lines.values()))
        for origin in cell.origins if cell.text.isdecimal() else ():
            end = next((line for line in starts if line > origin.line), after)
            end = after if origin.line == incident.lines.get("trailer") else end
            for line in range(origin.line, end) if origin.file == own else ():
                if re.search(rf"(?<!\d){cell.text}(?!\d)", self._text.get((own, line), "")):
                    return Origin(file=own, line=line)
        return cell.origins[0] if cell.origins else None

    def anchor(self, origin: Origin) -> str | None:
        """Return the anchor of the line that ``origin`` names, or None when the page does not hold it."""
        listing = self._lines.get((origin.file, origin.line))
        return None if listing is None else f"{listing}-{origin.line}"


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


def render_page(advice: Advice, lines: Lines, moments: Sequence[Moment] = ()) -> str:
    """Return the whole page, in one piece, with a content security policy that allows only its own script and style.

    ``lines``: the text of the inputs (:func:`oomadvisor.present.html.listing.wanted_lines` says which are needed).
    ``moments``: the incidents of the log, for the timeline.
    """
    return "".join(page_parts(advice, lines, moments))


def page_parts(
    advice: Advice, lines: Lines, moments: Sequence[Moment] = (), *, served: Served | None = None
) -> Iterator[str]:
    """Yield the page piece by piece, the first screen before the pictures are drawn."""
    timeline = timeline_chart(moments, found=advice.incidents_found)
    shown = advice.incidents[:MOST_IN_FULL]
    sections = [Section(one, lines, f"i{number}") for number, one in enumerate(shown, 1)]
    yield from _template("page.html").generate(
        **_dress(served=served is not None),
        title=f"{sections[0].headline}: {shown[0].state.incident.file}",
        advice=advice,
        sections=sections,
        left_out=len(advice.incidents) - len(shown),
        timeline=None if timeline is None else _picture(timeline),
        served=served,
    )


def render_plain(template: str, **values: Any) -> str:
    """Return another page of the local server in the same clothes: its entrance, or a message."""
    page: str = _template(template).render(**_dress(served=True), **values)
    return page


def render_file(template: str, **values: Any) -> str:
    """Return another page that stands alone, in the same clothes and under the same policy."""
    page: str = _template(template).render(**_dress(served=False), **values)
    return page


def drawn(chart: Chart) -> Picture:
    """Return a chart with its drawing."""
    return _picture(chart)


def policy(*, served: bool) -> str:
    """Return the content security policy of the pages: their own script and style by hash, and nothing else.

    A served page may besides send forms to, and ask, the server it came from.
    """
    own = "'self'" if served else "'none'"
    return (
        f"default-src 'none'; script-src '{_hash(_script())}'; style-src '{_hash(_style())}'; img-src data:; "
        f"connect-src {own}; form-action {own}; base-uri 'none'"
    )


def _dress(*, served: bool) -> dict[str, Any]:
    return {
        "style": Markup(_style()),
        "script": Markup(_script()),
        "policy": policy(served=served),
        "referrer": "same-origin" if served else "no-referrer",
    }


def _template(name: str) -> Template:
    return _environment().get_template(name)


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
        "plan_rows": plan_words.plan_rows,
        "plan_footer": plan_words.plan_footer,
        "no_cause": numbers.no_cause,
        "unknown_rows": numbers.unknown_rows,
        "check_grid": rows.check_grid,
        "memory_grid": rows.memory_grid,
        "setting_grid": rows.setting_grid,
        "task_grid": rows.task_grid,
        "slab_grid": rows.slab_grid,
    }
    return environment


def _shown(value: Any) -> Any:
    """Return what a template prints: text from outside without control characters and bidirectional overrides.

    What goes back to the server must come back as it was: it is escaped for HTML only (the filter ``e``).
    """
    if isinstance(value, Markup | Undefined):
        return value
    return "\n".join(map(printable, str(value).split("\n")))


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
