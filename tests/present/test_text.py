"""The text for a terminal: the answer on the first screen, 80 columns, nothing a terminal could act on."""

import re

import pytest

from oomadvisor.advise import advise
from oomadvisor.book import load_book
from oomadvisor.infer import build_state
from oomadvisor.model import Advice, IncidentAdvice
from oomadvisor.present.explain import render_explain
from oomadvisor.present.text import render_advice
from tests.expert import later
from tests.expert.seed import incident_of, seed_advice, seed_lines

ESCAPE = "\x1b"


def text_of(one: IncidentAdvice, *, width: int = 80, colour: bool = False) -> str:
    whole = Advice(incidents=(one,), incidents_found=1, engine="test", version="test")
    return render_advice(whole, width=width, colour=colour)


@pytest.fixture(scope="module")
def seed() -> str:
    return text_of(seed_advice())


def test_the_first_screen_answers_both_questions_and_gives_the_command(seed: str) -> None:
    screen = "\n".join(seed.splitlines()[:24])
    assert "Why a kill with so much memory free?" in screen
    assert "Why so many cache pages" in screen
    assert "echo 2039 > /proc/sys/vm/min_free_kbytes" in screen
    assert "[CERTAIN]" in screen


def test_the_last_lines_give_the_answer_again(seed: str) -> None:
    end = "\n".join(seed.splitlines()[-10:])
    assert "IN SHORT" in end
    assert "echo 2039 > /proc/sys/vm/min_free_kbytes" in end


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_asked(width: int) -> None:
    assert max(map(len, text_of(seed_advice(), width=width).splitlines())) <= width
    assert max(map(len, render_explain(seed_advice(), width=width, colour=False).splitlines())) <= width


def test_colour_only_when_asked() -> None:
    assert ESCAPE not in text_of(seed_advice())
    coloured = text_of(seed_advice(), colour=True)
    assert ESCAPE in coloured
    bare = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in bare.splitlines()] == text_of(seed_advice()).splitlines()


@pytest.mark.parametrize(
    "row",
    [
        r"Normal +MIN +5713 > 650 +1447 > 325 +133 ≤ 162 +FAILS, 30 short",
        r"Normal +HIGH +5713 > 975 +1447 > 487 +133 ≤ 243 +FAILS, 111 short",
        r"DMA +MIN +4279 > 548 +1921 > 195 +97 ≤ 97 +FAILS, 1 short",
        r"DMA +HIGH +4279 > 743 +1921 > 292 +97 ≤ 146 +FAILS, 50 short",
        r"tmpfs, shared memory +103\.4 MB +40\.4 %",
        r"vm\.min_free_kbytes +4160–4167 +inferred; default 2039",
    ],
)
def test_the_tables(seed: str, row: str) -> None:
    assert re.search(row, seed)


@pytest.mark.parametrize(
    "line",
    [
        r"fork\+exec +over the list +3967 +3179",
        r"exec +DMA +4139 +3319 +2763",
        r"exec +Normal +3407 +2727 +2271",
        r"10 pages offer 18 over priorities 12 to 0",
        r"13 pages offer 23",
        r"6 pages offer 10",
        r"direct reclaim: 0 pages freed",
        r"the OOM killer is called",
        r"no HIGHMEM \(3 values after lowmem_reserve\[\]\)",
        r"MAX_ORDER 13 \(columns of the buddy lines\): blocks up to 16384 kB",
        r"1 CPU \(per-cpu lines\)",
        r"tried in this order: Normal, DMA; class zone Normal",
        r"what that is: the page directory of a program that is being executed",
        r"to avoid it: Start fewer programs",
        r"oomadvisor knowledge show exec-page-directory",
    ],
)
def test_the_derivation(line: str) -> None:
    assert re.search(line, render_explain(seed_advice(), width=100, colour=False))


def test_the_events_of_the_derivation_are_those_of_the_kernel() -> None:
    """The trace that the real code left on these numbers (tests/vectors, decision)."""
    explained = render_explain(seed_advice(), width=100, colour=False)
    events = [
        "LOW (812 pages) in Normal: fails",
        "LOW (487 pages) in DMA: fails",
        "kswapd is woken for Normal, order 2",
        "kswapd is woken for DMA, order 2",
        "MIN (650 pages) in Normal: fails",
        "MIN (390 pages) in DMA: fails",
        "direct reclaim: 0 pages freed",
        "HIGH (975 pages) in Normal: fails",
        "HIGH (585 pages) in DMA: fails",
        "the OOM killer is called",
    ]
    places = [explained.index(event) for event in events]
    assert places == sorted(places)


def test_a_hostile_name_cannot_act_on_the_terminal() -> None:
    lines = seed_lines()
    lines[0] = lines[0].replace("myshellscript", "a\x07[red]x[/red]\x9d0;b")
    text = text_of(advise(build_state(incident_of(lines)), load_book()))
    assert not {ESCAPE, "\x07", "\x9d"} & set(text)
    assert "a\\x07[red]x[/red]\\x9d0;b" in text


def test_a_high_order_still_fits_the_screen() -> None:
    lines = seed_lines()
    lines[0] = lines[0].replace("order=2", "order=9")
    text = text_of(advise(build_state(incident_of(lines)), load_book()))
    assert re.search(r"DMA +MIN +3771 > 548 +order 2: -411 ≤ 97 +FAILS", text)
    assert max(map(len, text.splitlines())) <= 80


def test_a_cut_report_says_what_is_missing() -> None:
    text = text_of(advise(build_state(incident_of(seed_lines()[:28])), load_book()))
    assert "The report does not hold:" in text
    assert "zones" in text


def test_a_kill_by_hand_is_no_request_that_failed() -> None:
    lines = [line.replace("order=2", "order=-1") for line in later.report()]
    shown = text_of(advise(build_state(incident_of(lines)), load_book()))
    assert "8000 kB were free, and no request had failed; it killed app (process 300)." in shown
    assert "gave up" not in shown
