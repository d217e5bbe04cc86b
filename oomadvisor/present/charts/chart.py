"""What a chart is: a Vega-Lite declaration, and the same numbers as a sentence and a table for those who cannot see it.

Every text that comes from a log goes into data only, never into an expression; :mod:`.draw` makes it fit to be drawn.
"""

import textwrap
from dataclasses import dataclass
from typing import Any

from oomadvisor.present.printable import printable

Spec = dict[str, Any]

WIDTH = 380
"""Width of the drawing in pixels: a phone shows it at nearly its size, and two stand side by side on a desk."""

INK = "#1d232b"
MUTED = "#59636f"
GRID = "#dfe3e8"
STRONG = "#1f5a9e"
MIDDLE = "#7ba3cf"
WEAK = "#c4d6ea"
FAIL = "#b4410e"
"""The colours of a picture on white. A page maps them to its own by the attribute that carries them, so the seven must
stay distinct. They differ in lightness, so they stay apart in grey; what fails is always said in words as well.
"""
COLOURS = {
    "ink": INK,
    "muted": MUTED,
    "grid": GRID,
    "strong": STRONG,
    "middle": MIDDLE,
    "weak": WEAK,
    "fail": FAIL,
}

LONGEST_LABEL = 60
LINE_BREAK = "\n"


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture: ``spec`` draws it, ``summary`` says in a sentence what it shows, ``rows`` are its numbers."""

    name: str
    title: str
    summary: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    spec: Spec


def label(text: str, longest: int = LONGEST_LABEL) -> str:
    """Return ``text`` as it may stand in a picture: no control characters, and not too long.

    >>> label("a\\x1b[2J"), label("abcdef", 4)
    ('a\\\\x1b[2J', 'abc…')
    """
    shown = printable(text)
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def wrapped(text: str, columns: int = 60, lines: int = 2) -> str:
    """Return ``text`` as at most ``lines`` lines for a text mark with :data:`LINE_BREAK`, shortened at a word.

    >>> wrapped("one two three", 8)
    'one two\\nthree'
    """
    shown = textwrap.shorten(printable(text), columns * lines - columns // 4, placeholder=" …")
    return LINE_BREAK.join(textwrap.wrap(shown, columns)[:lines])


def data(rows: list[dict[str, Any]]) -> Spec:
    """Return inline data."""
    return {"values": rows}


def field(name: str, kind: str = "quantitative", **more: Any) -> Spec:
    """Return an encoding channel that reads ``name``."""
    return {"field": name, "type": kind, **more}


def by_position(name: str = "row") -> Spec:
    """Return the channel of rows that stand in the order in which they were given, without an axis."""
    return field(name, "ordinal", axis=None, sort=None)


def megabytes(pages: int, page_kb: int) -> str:
    """Return pages as MB with one decimal.

    >>> megabytes(26471, 4)
    '103.4 MB'
    """
    tenths = (pages * page_kb * 10 + 512) // 1024
    return f"{tenths // 10}.{tenths % 10} MB"
