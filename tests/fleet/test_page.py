"""The pages about a fleet: what they hold, that they need nothing else, and that no text of a log acts in them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyarrow", reason="the extra 'fleet' is not installed (make fleet)")
pytest.importorskip("duckdb", reason="the extra 'fleet' is not installed (make fleet)")
pytest.importorskip("jinja2", reason="the extra 'page' is not installed (make page)")
pytest.importorskip("vl_convert", reason="the extra 'page' is not installed (make page)")

from oomadvisor.fleet.knob import knob_named
from oomadvisor.fleet.overview import overview
from oomadvisor.fleet.query import Fleet
from oomadvisor.fleet.solve import solve
from oomadvisor.present.html.fleet import overview_page, solved_page
from tests.cli.conftest import run
from tests.fleet.made import HOSTILE, bundles, hostile_bundle, write
from tests.present.test_page import TAGS, Page, sha256
from tests.web.browser import chromium, complaints, picture, show

DESK, PHONE = (1280, 800), (390, 844)
MIN_FREE = knob_named("vm.min_free_kbytes")


def pages(folder: Path) -> dict[str, str]:
    fleet = Fleet(folder)
    solved = solve(fleet, MIN_FREE, fleet.selected(), ("a condition",), burst_pages=36)
    return {"report": overview_page(overview(fleet)), "solve": solved_page(solved)}


@pytest.fixture(scope="module")
def clean(fleet_folder: Path) -> dict[str, str]:
    return pages(fleet_folder)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return pages(write(tmp_path_factory.mktemp("hostile") / HOSTILE.replace("/", ""), [*bundles(), hostile_bundle()]))


@pytest.fixture(params=["report", "solve"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_page_is_one_piece_that_fetches_nothing(clean: dict[str, str], name: str) -> None:
    page = Page(clean[name])
    assert len(clean[name].encode()) < 1_000_000
    assert {link for link in page.links if not link.startswith("#")} == {"data:,"}
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert not page.acting
    assert page.tags <= TAGS
    assert page.open == []
    allowed = dict(part.split(" ", 1) for part in page.policy.split("; "))
    assert allowed["default-src"] == allowed["connect-src"] == allowed["form-action"] == "'none'"
    for tag in ("script", "style"):
        assert [f"'sha256-{sha256(text)}'" for kind, _, text in page.raw if kind == tag] == [allowed[f"{tag}-src"]]


@pytest.mark.parametrize(
    ("of", "words"),
    [
        ("solve", "Set this"),
        ("solve", "/proc/sys/vm/min_free_kbytes"),
        ("solve", "Why this value"),
        ("solve", "Every value from 615"),
        ("solve", "When memory runs low, interrupts can take"),
        ("solve", "Incidents by class at every vm.min_free_kbytes"),
        ("solve", "the kernel's default at"),
        ("solve", "Only those with a condition"),
        ("report", "The most frequent"),
        ("report", "1 place in the logs tell"),
        ("report", "permission denied"),
        ("report", "2011-06-04"),
        ("report", "By firmware"),
    ],
)
def test_it_says(clean: dict[str, str], of: str, words: str) -> None:
    assert words in Page(clean[of]).text


def test_hostile_text_stays_text(hostile: dict[str, str], name: str) -> None:
    page = Page(hostile[name])
    assert page.tags <= TAGS
    assert not page.acting
    assert len([1 for tag, _, _ in page.raw if tag == "script"]) == 1
    assert "{{ 7 * 7 }}" in page.text
    assert not [c for c in hostile[name] if not c.isprintable() and c != "\n"]
    assert page.open == []


def test_hostile_text_stays_text_on_a_terminal(tmp_path: Path) -> None:
    out = str(write(tmp_path / "OUT", [hostile_bundle()]))
    for command in (
        ("report", "--by", "kernel"),
        ("report", "--sql", "FROM incidents"),
        ("solve", "--knob", "vm.min_free_kbytes"),
    ):
        told = run("fleet", command[0], out, *command[1:])
        assert told.code == 0
        assert "<script>" in "".join(told.out.split())
        assert not [c for c in told.out if not c.isprintable() and c != "\n"]


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("profile")) as running:
        yield running


def test_a_browser_shows_the_answer_first_and_cuts_nothing(
    driver: Any, clean: dict[str, str], hostile: dict[str, str], tmp_path: Path
) -> None:
    for kind, made in (("fleet", clean), ("fleet-hostile", hostile)):
        for which, text in made.items():
            target = tmp_path / f"{kind}-{which}.html"
            target.write_text(text, encoding="utf-8")
            for size, dark in ((DESK, False), (DESK, True), (PHONE, False)):
                show(driver, *size, dark=dark)
                driver.get(target.as_uri())
                assert complaints(driver) == []
                picture(driver, f"{kind}-{which}-{size[0]}{'-dark' if dark else ''}")
                answer = driver.execute_script(
                    "return document.querySelector('.do, .message').getBoundingClientRect().top"
                )
                assert answer < size[1], "the answer is on the first screen"
                wide = driver.execute_script("return document.documentElement.scrollWidth")
                assert wide <= size[0], "nothing sticks out of the page"
                cut = driver.execute_script(
                    "return [...document.querySelectorAll('figure svg')].flatMap(svg => {"
                    " const box = svg.getBoundingClientRect();"
                    " return [...svg.querySelectorAll('text')].filter(t => {"
                    "  const r = t.getBoundingClientRect(); return r.width && (r.left < box.left - 2 || r.right > box.right + 2);"
                    " }).map(t => t.textContent) })"
                )
                assert cut == [], "every label lies inside its picture"
