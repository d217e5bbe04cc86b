"""The pictures: their numbers, their texts for those who cannot see them, and what is drawn from them."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from oomadvisor.advise import advise
from oomadvisor.book import load_book
from oomadvisor.model import Advice, IncidentAdvice, LadderStep
from oomadvisor.model.state import MIN_FREE_KBYTES
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
from oomadvisor.present.charts.chart import COLOURS, label, wrapped
from oomadvisor.simulate import snapshot
from oomadvisor.simulate.answers import answers, kept
from tests.expert import later
from tests.expert.seed import seed_advice
from tests.present.advices import ADVICES

SVG = "{http://www.w3.org/2000/svg}"
DRAWN = {"svg", "g", "path", "line", "rect", "text", "tspan", "title", "desc"}
MAKERS = (memory_chart, blocks_chart, ladder_chart, fixes_chart, rates_chart)


def seed_sweep() -> Chart:
    advice = seed_advice()
    snap, operation = snapshot(advice.state), advice.state.workload
    assert snap is not None
    assert operation is not None
    (answered,) = answers(snap, [operation], 8192)
    return sweep_chart(answered, kept(snap, 8192), operation, advice.tunables[MIN_FREE_KBYTES])


def moments(count: int) -> list[Moment]:
    return [Moment(n, 100 * n, None, "OOM kill", f"task{n}", 2, 40000 - n) for n in range(1, count + 1)]


def seed_charts() -> list[Chart]:
    made = [*(maker(seed_advice()) for maker in MAKERS), seed_sweep(), timeline_chart(moments(5), found=5)]
    assert None not in made
    return [one for one in made if one is not None]


@pytest.mark.parametrize(
    ("maker", "row"),
    [
        (memory_chart, ("tmpfs, shared memory", "26471", "103.4", "40.4")),
        (memory_chart, ("free, in 16 kB and larger", "236", "0.9", "0.4")),
        (blocks_chart, ("Normal", "2", "16 kB", "32", "128", "yes")),
        (blocks_chart, ("DMA", "0", "4 kB", "2358", "2358", "no")),
        (ladder_chart, ("DMA", "2", "MIN", "97", "97", "fails, 1 short")),
        (ladder_chart, ("Normal", "2", "HIGH", "133", "243", "fails, 111 short")),
        (ladder_chart, ("Normal", "1", "LOW", "1447", "406", "passes")),
        (rates_chart, ("settings of this class (every order passes at HIGH) worked on a real 2.6.31.12", "795", "797", "100 %", "99.0 to 100.0 %")),
    ],
)  # fmt: skip
def test_the_numbers_of_the_seed(maker: Any, row: tuple[str, ...]) -> None:
    assert row in maker(seed_advice()).rows


def test_the_free_rows_add_up_to_what_is_free() -> None:
    chart = memory_chart(seed_advice())
    assert chart is not None
    free = [int(pages) for name, pages, *_ in chart.rows if name.startswith("free")]
    assert sum(free) == seed_advice().memory.free_pages == 9998


def test_the_first_fix_before_and_after() -> None:
    chart = fixes_chart(seed_advice())
    assert chart is not None
    assert chart.rows[0][2:] == ("certain", "0", "13")
    assert "bounded" in {row[2] for row in chart.rows}


def test_the_sweep_turns_where_it_should() -> None:
    assert [row[0] for row in seed_sweep().rows][:4] == ["0 to 2647", "2648 to 3179", "3180 to 3967", "3968 to 4167"]
    assert "MIN up to 3967 and at HIGH up to 2647" in seed_sweep().summary


def test_one_incident_makes_no_timeline() -> None:
    assert timeline_chart(moments(1), found=1) is None


@pytest.mark.parametrize("chart", seed_charts(), ids=lambda c: c.name)
def test_a_chart_says_in_words_and_in_a_table_what_it_shows(chart: Chart) -> None:
    assert chart.title
    assert chart.summary
    assert chart.rows
    assert all(len(row) == len(chart.columns) for row in chart.rows)


@pytest.mark.parametrize("chart", seed_charts(), ids=lambda c: c.name)
def test_a_drawing_holds_nothing_that_acts(chart: Chart) -> None:
    pytest.importorskip("vl_convert", reason="the extra 'page' is not installed")
    from oomadvisor.present.charts.draw import standing_alone

    root = ET.fromstring(standing_alone(chart))
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= DRAWN
    names = {name for element in root.iter() for name in element.attrib}
    assert not [name for name in names if name.startswith("on") or name == "style" or "href" in name]
    assert root.findtext(f"{SVG}title") == chart.title


@pytest.mark.parametrize("chart", seed_charts(), ids=lambda c: c.name)
def test_every_colour_of_a_drawing_can_follow_the_theme(chart: Chart) -> None:
    pytest.importorskip("vl_convert", reason="the extra 'page' is not installed")
    from oomadvisor.present.charts.draw import svg

    found = set(re.findall(r'(?:fill|stroke)="([^"]*)"', svg(chart)))
    assert found <= {*COLOURS.values(), "none", "transparent"}
    assert len(set(COLOURS.values())) == len(COLOURS)


def test_the_colours_differ_in_grey() -> None:
    """Bars that stand side by side: at least a tenth of the range apart in lightness."""

    def grey(name: str) -> float:
        red, green, blue = (int(COLOURS[name][i : i + 2], 16) for i in (1, 3, 5))
        return (0.299 * red + 0.587 * green + 0.114 * blue) / 255

    shades = sorted(grey(name) for name in ("ink", "strong", "middle", "weak"))
    assert min(b - a for a, b in pairwise(shades)) > 0.1


# Advices are large: a failing one is not made smaller, that takes minutes.
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(ADVICES)
def test_any_advice_can_be_drawn(advice: Advice) -> None:
    """vl-convert ends the process over a text that is no XML, such as a control character in the name of a zone."""
    pytest.importorskip("vl_convert", reason="the extra 'page' is not installed")
    from oomadvisor.present.charts.draw import svg

    for one in advice.incidents:
        for chart in filter(None, (maker(one) for maker in MAKERS)):
            root = ET.fromstring(svg(chart))
            assert {element.tag.removeprefix(SVG) for element in root.iter()} <= DRAWN


def texts(spec: object) -> list[str]:
    """Every title, and every text of a mark, of a declaration."""
    if isinstance(spec, list):
        return [text for part in spec for text in texts(part)]
    if not isinstance(spec, dict):
        return []
    own = [spec[key] for key in ("title", "text") if isinstance(spec.get(key), str)]
    return own + [text for part in spec.values() for text in texts(part)]


def ladder_of(large: str) -> set[str]:
    chart = ladder_chart(advise(later.state("5.10.20", large=large), load_book()))
    assert chart is not None
    return set(texts(chart.spec))


def test_since_4_4_the_ladder_asks_for_one_block_at_no_mark() -> None:
    """The marks stand at the first comparison alone; what follows is a look into the lists (zone_watermark_ok, 4.4)."""
    shown = ladder_of("U")
    assert {text for text in shown if "one block" in text} == {"one block is enough"}
    assert {text for text in shown if text.startswith(("MIN", "LOW", "HIGH"))} == {"MIN 244", "LOW 305", "HIGH 366"}
    assert "needs one block: none" in ladder_of("H")


def test_what_is_less_than_nothing_has_no_bar() -> None:
    advice = seed_advice()
    step = LadderStep(order=2, remaining_pages=-3, bound_pages=5, ok=False)
    verdict = advice.verdicts[0].model_copy(update={"steps": (step,)})
    chart = ladder_chart(advice.model_copy(update={"verdicts": (verdict,)}))
    assert chart is not None
    panel = chart.spec["vconcat"][0]
    assert panel["title"] == f"{verdict.zone}, order 2: -3 pages left in blocks of 16 kB and more"
    assert panel["layer"][0]["data"]["values"] == [{"remaining": 0}]


@pytest.mark.parametrize("text", ["\x18", "\x00", "\x1b[2J", "\ud800", "\u202e", "\ufffe", "\x7f", "a\tb"])
def test_no_text_ends_the_drawing(text: str) -> None:
    pytest.importorskip("vl_convert", reason="the extra 'page' is not installed")
    from oomadvisor.present.charts.draw import svg

    zones = tuple(zone.model_copy(update={"name": text}) for zone in seed_advice().state.zones[:1])
    verdicts = tuple(v.model_copy(update={"zone": text}) for v in seed_advice().verdicts)
    state = seed_advice().state.model_copy(update={"zones": zones})
    for maker in (blocks_chart, ladder_chart):
        chart = maker(seed_advice().model_copy(update={"state": state, "verdicts": verdicts}))
        assert chart is not None
        shown = "".join(element.text or "" for element in ET.fromstring(svg(chart)).iter())
        assert label(text) in shown


def test_hostile_names_are_drawn_as_text() -> None:
    pytest.importorskip("vl_convert", reason="the extra 'page' is not installed")
    from oomadvisor.present.charts.draw import svg

    advice = hostile(seed_advice())
    for maker in MAKERS:
        chart = maker(advice)
        assert chart is not None
        root = ET.fromstring(svg(chart))
        assert {element.tag.removeprefix(SVG) for element in root.iter()} <= DRAWN
    blocks = blocks_chart(advice)
    assert blocks is not None
    assert "<script>alert(1)</script>" in {element.text for element in ET.fromstring(svg(blocks)).iter()}


def hostile(advice: IncidentAdvice) -> IncidentAdvice:
    """The seed, with markup in names that reach pictures."""
    name = "<script>alert(1)</script>"
    zones = tuple(zone.model_copy(update={"name": name}) for zone in advice.state.zones[:1])
    fixes = tuple(fix.model_copy(update={"title": f"{name} ' \" & \u202e"}) for fix in advice.fixes)
    return advice.model_copy(update={"state": advice.state.model_copy(update={"zones": zones}), "fixes": fixes})


@pytest.mark.parametrize(
    ("text", "shown"),
    [("short", "short"), ("x" * 80, "x" * 59 + "…"), ("a\u202eb", "a\\u202eb"), ("\ud800", "\\ud800")],
)
def test_labels(text: str, shown: str) -> None:
    assert label(text) == shown


def test_long_labels_are_wrapped_and_no_line_is_too_long() -> None:
    lines = wrapped("word " * 40, 30, 3).split("\n")
    assert len(lines) <= 3
    assert max(map(len, lines)) <= 30
    assert lines[-1].endswith("…")
