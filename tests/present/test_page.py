"""The page as a file: what it holds, that it needs nothing else, and that nothing in it acts but its own script."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

pytest.importorskip("jinja2", reason="the extra 'page' is not installed")
pytest.importorskip("vl_convert", reason="the extra 'page' is not installed")

from hypothesis import HealthCheck, Phase, given, settings

from oomadvisor import knowledge
from oomadvisor.facts import assess
from oomadvisor.model import Advice, Incident
from oomadvisor.present.html.listing import listings, wanted_lines
from oomadvisor.present.html.page import page_parts, render_page
from oomadvisor.present.html.slider import answer_at, slider
from oomadvisor.trial import UnknownOperation
from tests.expert.seed import seed_advice, seed_lines, seed_state
from tests.present.advices import ADVICES

DOCUMENT = {
    "html",
    "head",
    "meta",
    "link",
    "title",
    "style",
    "script",
    "body",
    "main",
    "article",
    "header",
    "footer",
    "nav",
}
PROSE = {
    "h1",
    "h2",
    "h3",
    "p",
    "a",
    "section",
    "strong",
    "em",
    "span",
    "pre",
    "code",
    "div",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
}
TABLES = {"table", "caption", "thead", "tbody", "tr", "th", "td"}
CONTROLS = {"details", "summary", "label", "select", "option", "input", "form", "button"}
DRAWINGS = {"figure", "figcaption", "svg", "g", "path", "line", "rect", "text", "tspan"}
TAGS = DOCUMENT | PROSE | TABLES | CONTROLS | DRAWINGS
VOID = {"meta", "link", "input"}
# Attributes of which the value could make a browser do something.
ACTING = re.compile(r"on\w+|style|src|srcset|srcdoc|formaction|xlink:href|data|ping|background")


class Page(HTMLParser):
    """What a browser would find in a page: elements with attributes, the texts of scripts and styles, ids, links."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.acting: list[tuple[str, str | None]] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.raw: list[tuple[str, dict[str, str | None], str]] = []
        self.policy = ""
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        given = dict(attrs)
        self.acting += [(f"{tag} {name}", value) for name, value in attrs if ACTING.fullmatch(name)]
        if "href" in given:
            self.links.append(given["href"] or "")
        if given.get("id"):
            self.ids.append(given["id"] or "")
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""
        if tag in ("script", "style"):
            self.raw.append((tag, given, ""))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}>"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("script", "style"):
            tag, given, text = self.raw.pop()
            self.raw.append((tag, given, text + data))
        else:
            self.words.append(data)

    @property
    def text(self) -> str:
        """The words that a reader sees, with single blanks."""
        return " ".join(" ".join(self.words).split())


def lines() -> dict[str, dict[int, str]]:
    return {"seed.txt": {number: line.rstrip("\n") for number, line in enumerate(seed_lines(), 1)}}


def whole(*incidents: Any) -> Advice:
    return Advice(incidents=incidents, incidents_found=len(incidents), engine="test", version="test")


@pytest.fixture(scope="module")
def html() -> str:
    return render_page(whole(seed_advice()), lines())


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_it_is_one_piece_of_less_than_a_megabyte_and_a_half(html: str) -> None:
    assert len(html.encode()) < 1_500_000
    assert html.startswith("<!doctype html>")


def test_it_fetches_nothing(page: Page) -> None:
    assert {link for link in page.links if not link.startswith("#")} == {"data:,"}
    assert not page.acting
    assert page.tags <= TAGS


def test_every_element_is_closed(page: Page) -> None:
    assert page.open == []


def test_every_link_leads_somewhere_and_every_id_is_unique(page: Page) -> None:
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_the_policy_allows_its_own_script_and_style_and_nothing_else(page: Page) -> None:
    allowed = dict(part.split(" ", 1) for part in page.policy.split("; "))
    assert allowed["default-src"] == allowed["base-uri"] == allowed["form-action"] == "'none'"
    for tag in ("script", "style"):
        texts = [text for name, given, text in page.raw if name == tag and given.get("type") != "application/json"]
        assert [f"'sha256-{sha256(text)}'" for text in texts] == [allowed[f"{tag}-src"]]


def sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@pytest.mark.parametrize(
    "words",
    [
        "Why a kill with so much memory free?",
        "26427 pages (103.2 MB) are page cache that no process maps",
        "Set vm.min_free_kbytes back to the kernel's default: 4160–4167 → 2039",
        "echo 2039 > /proc/sys/vm/min_free_kbytes",
        "Headroom: 13 more processes that stay alive instead of 0",
        "Enough pages are free, too few of them lie together",
        "Take 16 MB out of tmpfs, and put a limit on it",
        "What people say about such a report",
        "The report does not hold: kill.",
    ],
)
def test_it_says_what_the_text_says(page: Page, words: str) -> None:
    assert words in page.text


def test_every_part_of_the_advice_is_in_it(page: Page) -> None:
    advice = seed_advice()
    told = [cause.title for cause in advice.causes] + [fix.title for fix in advice.fixes]
    told += [said.advice for said in advice.refuted] + [note.title for note in advice.notes]
    for text in told:
        assert " ".join(text.split()) in page.text


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("5713 &gt; 650", "Normal free:22864kB min:2600kB"),
        ("133 ≤ 162", "Normal: 4266*4kB 657*8kB 32*16kB"),
        ("97 ≤ 97", "DMA: 2358*4kB 912*8kB 25*16kB"),
        ("4160–4167", "DMA free:17128kB min:1560kB"),
        ("256–257", "lowmem_reserve[]: 0 158 158"),
        ("701", "pagetables:701"),
        ("9998", "free:9998"),
        ("2447", "slab:2447"),
        ("3967", "3967 reserved pages"),
    ],
)
def test_a_number_leads_to_the_line_it_was_read_from(html: str, number: str, words: str) -> None:
    found = re.search(rf'<a class="source" href="#i1-0-(\d+)"[^>]*>{re.escape(number)}</a>', html)
    assert found
    assert words in seed_lines()[int(found[1]) - 1]
    assert f'id="i1-0-{found[1]}"' in html


def test_the_input_is_shown_with_its_numbers(page: Page, html: str) -> None:
    for number in (1, 29, 54):
        assert " ".join(seed_lines()[number - 1].split()) in page.text
        assert f'data-line="{number}" class="cited"' in html or number == 54


def test_the_first_screen_does_not_wait_for_the_pictures() -> None:
    parts = page_parts(whole(seed_advice()), lines())
    before = ""
    for part in parts:
        before += part
        if "echo 2039" in before:
            break
    assert "<svg" not in before


def data_of(page: Page) -> dict[str, Any]:
    (text,) = (text for _, given, text in page.raw if given.get("type") == "application/json")
    data: dict[str, Any] = json.loads(text)
    return data


def looked_up(data: dict[str, Any], operation: str, value: int, ratio: int = 0) -> dict[str, Any] | None:
    """What the script in the page finds."""

    def at(steps: list[list[Any]]) -> list[Any]:
        return next(step for step in reversed(steps) if step[0] <= value)

    (tables,) = (one["tables"] for one in data["operations"] if one["id"] == operation)
    if tables[ratio] is None:
        return None
    table = data["tables"][tables[ratio]]
    _, class_, low, middle, high = at(table["passes"])
    return {
        "class": class_,
        "min": low,
        "low": middle,
        "high": high,
        "missing": at(table["missing"])[1],
        "headroom": at(table["headroom"])[1],
        "kept": at(data["kept"])[1],
        "spins": at(data["spins"][ratio])[1],
    }


def test_the_slider_holds_what_the_simulator_says(page: Page) -> None:
    data, assessment = data_of(page), assess(seed_state())
    edges = {2039, 2647, 2648, 2763, 2764, 3967, 3968, 4139, 4140, 4160, 4167, 4168}
    values = sorted({0, data["high"], *edges, *range(0, data["high"], 977)})
    for operation in data["operations"]:
        for place, ratio in enumerate(data["ratios"]):
            for value in values:
                found = looked_up(data, operation["id"], value, place)
                if found is not None:
                    assert found == answer_at(assessment, operation["id"], value, ratio)


def test_the_slider_offers_every_operation_of_the_architecture_and_orders(page: Page) -> None:
    offered = {one["id"] for one in data_of(page)["operations"]}
    assert set(knowledge.operations("arm")) | {"order:0", "order:1", "order:2", "order:3"} <= offered
    assert data_of(page)["chosen"] == "fork+exec"


def test_the_slider_asks_for_what_there_is() -> None:
    assessment = assess(seed_state())
    with pytest.raises(UnknownOperation):
        answer_at(assessment, "spawn", 2039, None)
    assert answer_at(assessment, "order:14", 2039, None) is None


def test_without_zones_there_is_no_slider_and_the_page_says_what_is_known() -> None:
    from oomadvisor.advise import advise
    from oomadvisor.book import load_book
    from oomadvisor.infer import build_state
    from tests.expert.seed import incident_of

    state = build_state(incident_of([line for line in seed_lines() if " free:" not in line]))
    assert slider(assess(state)) is None
    shown = Page(render_page(whole(advise(state, load_book())), lines()))
    assert "What if" not in shown.text
    assert "Likely to help, though the report cannot prove it" in shown.text


def hostile_incident(text: str) -> Incident:
    """The seed, with ``text`` wherever a report can carry a text of somebody's choice."""
    from oomadvisor.model import Kill, MemcgUsage, Task

    incident = seed_state().incident
    return incident.model_copy(
        update={
            "file": text,
            "time": text,
            "request": incident.request.model_copy(update={"comm": text, "nodemask": text, "cpuset": text}),
            "backtrace": tuple(f.model_copy(update={"symbol": text, "raw": text}) for f in incident.backtrace[:2]),
            "tasks": (Task(pid=1, name=text, line=1, rss_pages=5),),
            "kills": (Kill(kind="killed", pid=1, name=text, line=2),),
            "memcg": MemcgUsage(task_path=text, limit_path=text),
        }
    )


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "</script><script>alert(1)</script>",
        "</title></style><img src=x onerror=alert(1)>",
        "'\"><svg onload=alert(1)>",
        "{{ 7 * 7 }}{% raw %}",
        "javascript:alert(1)",
        "--><!--",
        "\u202eevil\x1b[2J\x00\ud800",
    ],
)
def test_hostile_text_stays_text(text: str) -> None:
    from oomadvisor.advise import advise
    from oomadvisor.book import load_book
    from oomadvisor.infer import build_state

    one = advise(build_state(hostile_incident(text)), load_book())
    made = render_page(whole(one), {text: {1: text, 2: text}})
    shown = Page(made)
    assert shown.tags <= TAGS
    assert not shown.acting
    assert len([1 for tag, given, _ in shown.raw if tag == "script"]) == 2
    assert "49" not in re.findall(r"\b49\b", shown.text)
    assert not [c for c in made if not c.isprintable() and c != "\n"]


# Advices are large: a failing one is not made smaller, that takes minutes.
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(ADVICES)
def test_no_advice_holds_foreign_markup(advice: Advice) -> None:
    shown = Page(render_page(advice, {}))
    assert shown.tags <= TAGS
    assert not shown.acting
    assert shown.open == []


def test_a_page_shows_the_lines_around_what_it_cites() -> None:
    advice = seed_advice()
    wanted = wanted_lines(advice)
    assert set(wanted) == {"seed.txt"}
    assert wanted["seed.txt"] >= set(range(1, 55))
    (listing,) = listings(advice, {"seed.txt": {1: "x" * 1000, 29: "b"}}, "p")
    assert [row.number for row in listing.rows] == [1, 29]
    assert listing.rows[1].gap
    assert listing.rows[0].text.endswith(" …")


def test_many_incidents_are_listed_and_some_shown_in_full() -> None:
    from oomadvisor.present.html.page import MOST_IN_FULL

    many = whole(*[seed_advice()] * (MOST_IN_FULL + 1))
    shown = Page(render_page(many, {}))
    assert shown.text.count("Do this first") == MOST_IN_FULL
    assert "1 more incidents of this log are not shown in full" in shown.text
