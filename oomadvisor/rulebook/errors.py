"""What is wrong with a rule file, as data.

::

    RuleBookError    the rules cannot be used; ``problems`` says what is wrong where
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from itertools import islice
from typing import Literal, Protocol

Severity = Literal["error", "warning"]
"""``error``: the rule (or file) is not used. ``warning``: it is used, but probably not what was meant."""

WARNINGS_MAX = 200
PROBLEMS_MAX = 500  # a hostile file must not turn into a report larger than itself
SHOWN_MAX = 60
KNOWN_MAX = 300  # names to compare a misspelt one with
LINE_MAX = 160

# libyaml counts these as ends of line, so that our line numbers have to as well.
LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


@dataclass(frozen=True)
class Source:
    """A rule file: its name as the user knows it, and its text."""

    name: str
    text: str = ""

    @cached_property
    def lines(self) -> list[str]:
        return LINE_END.split(self.text)

    def line(self, number: int) -> str:
        """Return line ``number`` (from 1), or nothing when there is no such line."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""


class Mark(Protocol):
    """A position as PyYAML gives it, counted from 0."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


@dataclass(frozen=True)
class Spot:
    """A position that was computed, counted from 0."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong at one place. ``line`` and ``column`` count from 1; ``code`` is a stable kebab-case name.

    ``text`` says what is wrong, ``hint`` what to write instead (may be empty). ``source_line`` is there to be shown.
    """

    path: str
    line: int
    column: int
    severity: Severity
    code: str
    text: str
    hint: str = ""
    source_line: str = field(default="", compare=False, repr=False)

    @property
    def headline(self) -> str:
        """Return ``path:line:column: error[code]: text; hint``; a problem of the whole file (line 0) has no place."""
        told = f"{self.text}; {self.hint}" if self.hint else self.text
        place = f"{self.path}:{self.line}:{self.column}" if self.line else self.path
        return f"{place}: {self.severity}[{self.code}]: {told}"

    def render(self) -> str:
        """Return the headline, the line of the file and a caret under the place."""
        start = max(0, self.column - LINE_MAX // 2) if self.column > LINE_MAX else 0
        line = self.source_line[start : start + LINE_MAX]
        if not line.strip():
            return self.headline
        line = "".join(char if char.isprintable() else " " for char in line)
        return f"{self.headline}\n    {line.rstrip()}\n    {' ' * (self.column - 1 - start)}^"


class RuleBookError(ValueError):
    """The rules cannot be used."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problem.render() for problem in self.problems))


@dataclass
class Problems:
    """Collects problems while files are read. At most 500 are kept; ``errors`` counts the others too."""

    found: list[Problem] = field(default_factory=list)
    errors: int = 0
    _places: set[tuple[str, int, int]] = field(default_factory=set)

    def error(self, source: Source, mark: Mark, code: str, text: str, hint: str = "") -> None:
        """Add an error, unless an error stands at the same place already: the first one is the cause of the others."""
        self._add(source, mark, "error", code, text, hint)

    def warn(self, source: Source, mark: Mark, code: str, text: str, hint: str = "") -> None:
        """Add a warning, unless an error stands at the same place already."""
        self._add(source, mark, "warning", code, text, hint)

    @property
    def full(self) -> bool:
        """Whether further errors would not be kept."""
        return len(self.found) >= PROBLEMS_MAX

    def _add(self, source: Source, mark: Mark, severity: Severity, code: str, text: str, hint: str) -> None:
        self.errors += severity == "error"
        place = (source.name, mark.line, mark.column)
        if place in self._places or len(self.found) >= (PROBLEMS_MAX if severity == "error" else WARNINGS_MAX):
            return
        if severity == "error":
            self._places.add(place)
        line = source.line(mark.line + 1)
        self.found.append(Problem(source.name, mark.line + 1, mark.column + 1, severity, code, text, hint, line))


def shown(value: object) -> str:
    """Return ``value`` quoted for a message: short, on one line, without control characters."""
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value) if isinstance(value, int) else repr(str(value))
    return text if len(text) <= SHOWN_MAX else f"{text[: SHOWN_MAX - 2]}…{text[-1]}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``did you mean 'x'?`` for the nearest of ``known``, else the list of them when it is short."""
    names = list(islice(known, KNOWN_MAX))
    close = get_close_matches(word[:SHOWN_MAX].lower(), names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(names)}" if 0 < len(names) <= 12 else ""
