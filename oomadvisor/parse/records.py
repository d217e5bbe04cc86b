"""Records that do not begin and end with a line: quoted-printable mail, and logs set like the words of a letter."""

import re
from itertools import pairwise

from oomadvisor.parse.lineform import Line, compiled
from oomadvisor.parse.prefix import tidy, unprefix
from oomadvisor.parse.wrapping import unwrapped

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_EMBEDDED = rf"(?:^| )({_MONTH} \d{{1,2}} \d\d:\d\d:\d\d \S{{1,255}} kernel:)"
_EMBEDDED_BEGINNING = rf"(?:^| )({_MONTH}(?: \d{{1,2}}(?: \d\d:\d\d:\d\d(?: \S{{1,64}})?)?)?)$"
_CODE = rb"=([0-9A-F]{2})"
_NO_CODE = r"=(?![0-9A-F]{2}|$)"
_MAX_ENCODED = 8_192
_QUOTES = r"[>|][>| ]*"


class Records:
    """Cuts lines into the records of a log. A mail program may have set several records like the words of a letter."""

    def __init__(self) -> None:
        self._flowing = False
        self._begun = ""
        self._encoded = False
        self._soft = ""

    @property
    def pending(self) -> bool:
        """Whether the next line goes on with this one."""
        return bool(self._begun or self._soft)

    def cut(self, number: int, raw: str, *, cut: bool = False) -> list[Line]:
        """Return the records, or parts of records, in a line: mostly one."""
        if self._soft or "=3D" in raw or (self._encoded and "=" in raw):
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
        if " kernel:" not in raw and not self._begun:
            if not self._flowing:
                return [unprefix(number, raw, cut=cut)]
            return self._parts(number, tidy(raw), cut)
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
        return [unprefix(number, part, cut=cut) for part in parts if part.strip()]
