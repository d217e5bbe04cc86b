"""Records that do not begin and end with a line: quoted-printable mail, and logs set like the words of a letter."""

import re
from itertools import pairwise

from oomadvisor.parse.forms import recognise, recognise_partial
from oomadvisor.parse.lineform import Line, compiled
from oomadvisor.parse.prefix import tidy, unprefix
from oomadvisor.parse.wrapping import unwrapped

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_EMBEDDED = rf"(?:^| )({_MONTH} \d{{1,2}} \d\d:\d\d:\d\d \S{{1,255}} kernel:)"
_EMBEDDED_BEGINNING = rf"(?:^| )({_MONTH}(?: \d{{1,2}}(?: \d\d:\d\d:\d\d(?: \S{{1,64}})?)?)?)$"
_FIRST = rf"(?:[>|][>| ]{{0,8}})?(?:<\d{{1,3}}>)?{_MONTH} {{1,2}}\d{{1,2}} \d\d:\d\d:\d\d \S{{1,255}} kernel:"
_CODE = rb"=([0-9A-F]{2})"
_NO_CODE = r"=(?![0-9A-F]{2}|$)"
_MAX_ENCODED = 8_192
#: Lines of a mail that one record of a log may be spread over.
MAX_PARTS = 12
_SOFT_WIDTHS = range(72, 79)
_QUOTES = r"[>|][>| ]*"


def _ends_softly(raw: str) -> bool:
    """Return whether a line ends as quoted-printable breaks long lines: its one = stands at the full width.

    Behind the last count of a free block line it may be the kernel's own, before the total.
    """
    text = raw.rstrip("\r\n")
    return (
        len(text) in _SOFT_WIDTHS
        and text.endswith("=")
        and text.count("=") == 1
        and not ("*" in text and text[-2] == " ")
    )


def _is_one_record(raw: str) -> bool:
    """Return whether no second record can begin within a line: most have no tag of the kernel but the one in front."""
    at = raw.find(" kernel:")
    return at < 0 or (raw.find(" kernel:", at + 1) < 0 and compiled(_FIRST).match(raw) is not None)


class Records:
    """Cuts lines into the records of a log. A mail program may have set several records like the words of a letter."""

    def __init__(self) -> None:
        self._flowing = False
        self._begun = ""
        self._open: list[tuple[int, str]] = []
        self._encoded = False
        self._soft = ""

    @property
    def pending(self) -> bool:
        """Whether the next line goes on with this one."""
        return bool(self._begun or self._soft or self._open)

    @property
    def untouched(self) -> bool:
        """Whether every line so far was a record of its own, so that none has a say in how the next one is cut."""
        return not (self._flowing or self._encoded or self.pending)

    def flush(self) -> list[Line]:
        """Return the record that has begun, as it is."""
        parts, self._open = self._open, []
        if not parts:
            return []
        whole = unprefix(parts[0][0], " ".join(text for _, text in parts))
        if len(parts) == 1 or (recognise(whole.text) is None and recognise_partial(whole.text) is None):
            # Perhaps it was broken in the middle of a word: then each part is a line that may go on.
            return [unprefix(number, text) for number, text in parts]
        return [whole._replace(pieces=len(parts))]

    def cut(self, number: int, raw: str, *, cut: bool = False) -> list[Line]:
        """Return the records, or parts of records, in a line: mostly one."""
        if self._soft or "=3D" in raw or (self._encoded and "=" in raw) or _ends_softly(raw):
            decoded = self._decode(self._soft + raw.rstrip("\r\n"))
            if decoded is None:
                return []
            raw = decoded
        if "#01" in raw or "&" in raw or "{" in raw or "\\x0" in raw:
            lines = unwrapped(raw)
            if lines is not None:
                # What was in one record has its prefix only once, and is still no continuation of another record.
                inner = [unprefix(number, line, cut=cut) for line in lines]
                return [line._replace(prefixed=True) for line in inner]
        if not self._flowing and not self._begun and _is_one_record(raw):
            return [unprefix(number, raw, cut=cut)]
        return self._parts(number, tidy(raw), cut)

    def _decode(self, text: str) -> str | None:
        """Undo quoted-printable; ``None`` while a line goes on. In such text every = begins a code or ends the line."""
        self._soft = ""
        if compiled(_NO_CODE).search(text):
            return text
        self._encoded = True
        if text.endswith("=") and len(text) < _MAX_ENCODED:
            self._soft = text[:-1]
            return None
        data = re.sub(_CODE, lambda match: bytes.fromhex(match.group(1).decode()), text.encode("utf-8", "replace"))
        return data.decode("utf-8", "replace")

    def _parts(self, number: int, text: str, cut: bool) -> list[Line]:
        if self._begun:
            text = self._begun + " " + compiled(_QUOTES).sub("", text, count=1).lstrip()
            self._begun = ""
        starts = [match.start(1) for match in compiled(_EMBEDDED).finditer(text)]
        head = compiled(_QUOTES).match(text)
        first = head.end() if head is not None else 0
        inner = [start for start in starts if start > first]
        if inner:
            self._flowing = True
        if self._flowing and (tail := compiled(_EMBEDDED_BEGINNING).search(text)) is not None:
            self._begun = tail.group(1)
            text = text[: tail.start()]
        bounds = [0, *inner, len(text)]
        parts = [text[begin:end] for begin, end in pairwise(bounds)]
        if not self._flowing:
            return [unprefix(number, part, cut=cut) for part in parts if part.strip()]
        done: list[Line] = []
        for part in parts:
            begins = compiled(_EMBEDDED).match(compiled(_QUOTES).sub("", part, count=1).lstrip()) is not None
            if begins or len(self._open) >= MAX_PARTS or not part.strip():
                done += self.flush()
            if part.strip():
                # Quoting stands before each line of the mail, not before each record.
                quoted = part if begins or not self._open else compiled(_QUOTES).sub("", part, count=1)
                self._open.append((number, quoted.strip()))
        return done
