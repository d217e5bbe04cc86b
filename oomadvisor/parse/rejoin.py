"""Lines that were broken by a mail program, a terminal or a web page.

A broken line is held back. Each following line that nobody else recognises is tried as its continuation, with and
without a blank in between; candidates that cannot be the beginning of a line of that form are dropped at once. At the
end the complete candidate that uses most lines wins; two different ones of the same length prove nothing, and then
none is taken.
"""

from typing import NamedTuple

from oomadvisor.parse.draft import Draft
from oomadvisor.parse.lineform import Line, LineForm

MAX_PARTS = 12
MAX_CANDIDATES = 24
MAX_LENGTH = 8_192


class _Candidate(NamedTuple):
    text: str
    parts: int


class Joined(NamedTuple):
    """The outcome: the text to read, how many lines it was put together from, and whether it is a whole line."""

    text: str
    parts: int
    whole: bool
    ambiguous: bool = False


class Held:
    """A line that may go on in the next one."""

    def __init__(self, form: LineForm, line: Line) -> None:
        self.form = form
        self.line = line
        self.last_line = line.number
        self.width = line.width
        self.cut = line.cut
        self.misses = 0
        self._candidates = [_Candidate(line.text, 1)]
        # Kept apart, so that no number of lines that might belong to it can push out what is known to be whole.
        self._whole = [candidate for candidate in self._candidates if form.match(candidate.text)]

    def extend(self, line: Line) -> bool:
        """Try ``line`` as a continuation; return whether it can be one."""
        longer: list[_Candidate] = []
        for candidate in self._candidates:
            if candidate.parts >= MAX_PARTS or len(candidate.text) + len(line.text) > MAX_LENGTH:
                continue
            for glue in ("", " "):
                text = candidate.text + glue + line.text
                if self._possible(text):
                    longer.append(_Candidate(text, candidate.parts + 1))
        if not longer:
            return False
        # The longest first, so that the cap drops candidates that skipped lines.
        self._candidates = [*longer, *self._candidates][:MAX_CANDIDATES]
        self._whole += [candidate for candidate in longer if self.form.match(candidate.text)]
        del self._whole[MAX_CANDIDATES:]
        self.last_line = line.number
        self.width = line.width
        self.cut = self.cut or line.cut
        return True

    def completed_by(self, line: Line) -> bool:
        """Return whether ``line`` makes a whole line of what is not whole yet."""
        if self._whole:
            return False
        texts = [candidate.text for candidate in self._candidates]
        return any(self.form.match(text + glue + line.text) for text in texts for glue in ("", " "))

    def _possible(self, text: str) -> bool:
        return self.form.match_partial(text) is not None or self.form.match(text) is not None

    def _complete(self, candidate: _Candidate, draft: Draft | None) -> bool:
        match = self.form.match(candidate.text)
        if match is None:
            return False
        return candidate.parts == 1 or self.form.proof is None or self.form.proof(draft, match)

    def _values(self, text: str) -> tuple[str | None, ...]:
        """Return what would be read: texts that differ elsewhere are the same line."""
        match = self.form.match(text)
        if match is None:
            return ()
        # Some kernels print a blank behind the colons of some names; the value is the same.
        return tuple(value.replace(": ", ":") if value else value for value in match.groupdict().values())

    def result(self, draft: Draft | None) -> Joined:
        """Decide what the held lines say; ``draft`` is the incident that they would belong to."""
        whole = [candidate for candidate in self._whole if self._complete(candidate, draft)]
        if whole:
            parts = max(candidate.parts for candidate in whole)
            best = [candidate.text for candidate in whole if candidate.parts == parts]
            if len({self._values(text) for text in best}) > 1:
                return Joined(self.line.text, parts, whole=False, ambiguous=True)
            return Joined(best[-1], parts, whole=True)
        # Incomplete: take what the candidates agree on.
        parts = max(candidate.parts for candidate in self._candidates)
        best = [candidate.text for candidate in self._candidates if candidate.parts == parts]
        if len(best) == 1 and (parts == 1 or self.form.proof is None):
            return Joined(best[0], parts, whole=False)
        return Joined(self.line.text, parts, whole=False, ambiguous=len(best) > 1)
