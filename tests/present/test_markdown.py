"""Markdown for tickets: whatever stands in a log arrives as text, never as markup."""

import html
import re

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from oomadvisor.advise import advise
from oomadvisor.book import load_book
from oomadvisor.infer import build_state
from oomadvisor.model import Advice
from oomadvisor.present.markdown import advice_markdown, code, fenced, inline, paragraph
from tests.expert.seed import incident_of, seed_lines
from tests.present.advices import ADVICES, HOSTILE_TEXT

# What GitHub and GitLab add to CommonMark, as far as the parser has it.
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])

HOSTILE_NAMES = [
    "`rm -rf`",
    "``",
    "a|b",
    "<img src=x>",
    "</td><td>",
    "[x](javascript:0)",
    "![x](y)",
    "&lt;",
    "*a*",
    "_a_",
]
HOSTILE_NAMES += [
    "# head",
    "- item",
    "1. item",
    "+ item",
    "> quote",
    "===",
    "```",
    "~~~",
    "\\",
    "a\\|b",
    "~~gone~~",
    "   deep",
]


def normal(text: str) -> str:
    """What a reader should see: one line, unprintable characters as escapes."""
    flat = " ".join(text.split())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in flat)


def escaped(text: str) -> str:
    """As the parser writes it in HTML."""
    return html.escape(text, quote=False).replace('"', "&quot;")


def seen(rendered: str) -> str:
    """The text of an HTML fragment, and proof that it holds no element but those around it."""
    return html.unescape(re.sub(r"^<p>|</p>\n$", "", rendered))


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_name_is_shown_as_it_is(name: str) -> None:
    assert seen(PARSER.render(paragraph(name))) == normal(name)
    assert seen(PARSER.render(code(name))) == f"<code>{normal(name)}</code>".replace("|", "\\|")


@given(HOSTILE_TEXT)
def test_inline_text_is_shown_as_it_is(text: str) -> None:
    assert PARSER.render(f"x {inline(text)}") == f"<p>{escaped(f'x {normal(text)}'.rstrip())}</p>\n"


@given(HOSTILE_TEXT)
def test_a_paragraph_is_one_and_begins_nothing_else(text: str) -> None:
    assert {token.type for token in PARSER.parse(paragraph(text))} <= {"paragraph_open", "inline", "paragraph_close"}


@given(st.lists(HOSTILE_TEXT, min_size=2, max_size=2))
def test_cells_stay_in_their_row(cells: list[str]) -> None:
    row = f"| a | b |\n| --- | --- |\n| {inline(cells[0])} | {code(cells[1])} |"
    shown = [token.children for token in PARSER.parse(row) if token.type == "inline"][2:]
    assert ["".join(child.content for child in children or ()) for children in shown] == [normal(c) for c in cells]


@given(st.lists(HOSTILE_TEXT, min_size=1, max_size=3))
def test_nothing_ends_a_code_block(lines: list[str]) -> None:
    tokens = PARSER.parse(fenced(lines, "sh") + "\n\nafter")
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]


@pytest.mark.parametrize("text", ["see http://e.example/x", "HTTPS://e.example", "www.e.example", "WWW.e.example"])
def test_addresses_in_a_log_become_no_links(text: str) -> None:
    """GitHub links bare addresses by their ``://`` or ``www.`` in the source."""
    written = inline(text)
    assert "://" not in written
    assert "www." not in written.lower()
    assert seen(PARSER.render(written)) == text


def every_token(tokens: list[Token]) -> list[Token]:
    return [t for token in tokens for t in (token, *every_token(token.children or []))]


# Advices are large: a failing one is not made smaller, that takes minutes.
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(ADVICES)
def test_no_advice_holds_foreign_markup(advice: Advice) -> None:
    kinds = {token.type for token in every_token(PARSER.parse(advice_markdown(advice)))}
    assert kinds.isdisjoint(
        {"html_block", "html_inline", "link_open", "image", "hr", "code_block", "ordered_list_open"}
    )
    headings = [t for t in PARSER.parse(advice_markdown(advice)) if t.type == "heading_open"]
    assert sum(t.tag == "h1" for t in headings) == len(advice.incidents)


def of_lines(lines: list[str]) -> str:
    advice = advise(build_state(incident_of(lines)), load_book())
    return advice_markdown(Advice(incidents=(advice,), incidents_found=1, engine="test", version="test"))


def test_what_is_proved_is_to_be_done_first() -> None:
    assert "## Do this first" in of_lines(seed_lines())


def test_what_is_not_proved_is_not_ordered() -> None:
    without_zones = of_lines([line for line in seed_lines() if " free:" not in line])
    assert "## Likely to help, though the report cannot prove it" in without_zones
    assert "## Do this first" not in without_zones


def test_a_report_of_which_nothing_is_known_says_so() -> None:
    shown = of_lines(["Out of memory: Killed process 1 (sh).\n"])
    assert "## Causes\n\nNo rule can tell the cause: the report lacks header" in shown
    assert "The kernel version is not known" in shown
