"""What stands before the kernel's own text: log prefixes, mail quoting, white space of all kinds.

Every prefix is a row of a table. They are taken off one after another from the left until none fits, so any nesting is
understood ("> Jan  1 00:00:00 box kernel: [   12.345] ").
"""

import re
from dataclasses import dataclass
from itertools import pairwise

from oomadvisor.parse.lineform import Line

_MONTH_DAY = r"[A-Z][a-z]{2} {1,2}\d{1,2}"
_CLOCK = r"\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?"
#: Whatever stands between the time and the text of the kernel's own records: host, busybox's facility, the tag.
_TAG = r"(?: \S{1,255}){0,2}? kernel(?:\[\d{1,10}\])?: ?(?:: )?"
_ISO = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"


@dataclass(frozen=True)
class Prefix:
    """A prefix: ``starts`` are the characters that it can begin with (cheap test), ``quote`` marks mail quoting."""

    name: str
    starts: str
    pattern: re.Pattern[str]
    quote: bool = False


_DIGITS = "0123456789"
_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

PREFIXES: tuple[Prefix, ...] = (
    Prefix("quote", ">|", re.compile(r"[>|]+ ?"), quote=True),
    Prefix("priority", "<", re.compile(r"<\d{1,3}>")),
    Prefix(
        "uptime",
        "[",
        re.compile(r"\[ {0,8}(?P<time>\d{1,10}\.\d{3,9})\](?: ?-?\(\d{1,3}\)\[\d{1,10}:[^\]]{0,32}\])? ?"),
    ),
    Prefix("caller", "[", re.compile(r"\[ {0,8}[TC] ?\d{1,10}\] ?")),
    Prefix("dmesg-date", "[", re.compile(rf"\[(?P<time>[A-Za-z]{{2,4}} {_MONTH_DAY} {_CLOCK} \d{{4}})\] ?")),
    Prefix("iso-bracket", "[", re.compile(rf"\[(?P<time>{_ISO})\] ?")),
    Prefix("syslog", _UPPER, re.compile(rf"(?P<time>{_MONTH_DAY} (?:\d{{4}} )?{_CLOCK})(?:{_TAG}| ?)")),
    Prefix("iso", _DIGITS, re.compile(rf"(?P<time>{_ISO})(?:{_TAG}| ?)")),
    Prefix(
        "logcat",
        _DIGITS,
        re.compile(
            rf"(?P<time>\d\d-\d\d {_CLOCK})(?: {{1,6}}\d{{1,7}} {{1,6}}\d{{1,7}} [VDIWEF] [^:]{{1,64}}: ?"
            r"| [VDIWEF]/[^:]{1,64}: ?| ?)"
        ),
    ),
    Prefix("kmsg", _DIGITS, re.compile(r"\d{1,4},\d{1,12},(?P<time>\d{1,16}),[-c+][^;]{0,64};")),
    Prefix("tag", "k", re.compile(r"kernel: ?")),
    Prefix("android-cpu", "c", re.compile(r"c\d{1,2} (?=\S)")),
)

#: White space other than blanks and tabs that mail, HTML and word processors put into reports; and byte order marks.
_ODD_BLANKS = {
    ord(c): " "
    for c in "\t\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
    "\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\r\n"
}
_ODD_BLANKS.update({ord(c): "" for c in "\x00\u200b\u2060\ufeff"})
_TERMINAL_CODES = re.compile(r"\x1b\[[0-9;]{0,16}[A-Za-z]")
_MAX_PREFIXES = 12


def tidy(text: str) -> str:
    """Return ``text`` with all white space collapsed to single blanks, none at the ends, and no terminal codes."""
    if not text.isascii() or not text.isprintable():
        if "\x1b" in text:
            text = _TERMINAL_CODES.sub("", text)
        text = text.translate(_ODD_BLANKS)
    return " ".join(text.split())


_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_EMBEDDED = re.compile(rf"(?:^| )({_MONTH} \d{{1,2}} \d\d:\d\d:\d\d \S{{1,255}} kernel:)")
_EMBEDDED_BEGINNING = re.compile(rf"(?:^| )({_MONTH}(?: \d{{1,2}}(?: \d\d:\d\d:\d\d(?: \S{{1,64}})?)?)?)$")
_CODE = re.compile(rb"=([0-9A-F]{2})")
_NO_CODE = re.compile(r"=(?![0-9A-F]{2}|$)")
_MAX_ENCODED = 8_192
_QUOTES = re.compile(r"(?:[>|]+ ?)+")


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
        if " kernel:" not in raw and not self._begun:
            if not self._flowing:
                return [unprefix(number, raw, cut=cut)]
            return self._parts(number, tidy(raw), cut)
        return self._parts(number, tidy(raw), cut)

    def _decode(self, text: str) -> str | None:
        """Undo quoted-printable; ``None`` while a line goes on. In such text every = begins a code or ends the line."""
        self._soft = ""
        if _NO_CODE.search(text):
            return text
        self._encoded = True
        if text.endswith("=") and len(text) < _MAX_ENCODED:
            self._soft = text[:-1]
            return None
        data = _CODE.sub(lambda match: bytes.fromhex(match.group(1).decode()), text.encode("utf-8", "replace"))
        return data.decode("utf-8", "replace")

    def _parts(self, number: int, text: str, cut: bool) -> list[Line]:
        if self._begun:
            text = self._begun + " " + _QUOTES.sub("", text, count=1).lstrip()
            self._begun = ""
        starts = [match.start(1) for match in _EMBEDDED.finditer(text)]
        head = _QUOTES.match(text)
        first = head.end() if head is not None else 0
        inner = [start for start in starts if start > first]
        if inner:
            self._flowing = True
        if self._flowing and (tail := _EMBEDDED_BEGINNING.search(text)) is not None:
            self._begun = tail.group(1)
            text = text[: tail.start()]
        bounds = [0, *inner, len(text)]
        parts = [text[begin:end] for begin, end in pairwise(bounds)]
        return [unprefix(number, part, cut=cut) for part in parts if part.strip()]


def unprefix(number: int, raw: str, *, cut: bool = False) -> Line:
    """Return the line without everything that was put before the kernel's text.

    >>> unprefix(7, "> Jan  1 00:00:00 box kernel: [   12.345678] Mem-info: ")
    Line(number=7, text='Mem-info:', time='Jan 1 00:00:00', prefixed=True, cut=False)
    """
    text = tidy(raw)
    time: str | None = None
    prefixed = False
    for _ in range(_MAX_PREFIXES):
        if not text:
            break
        first = text[0]
        for prefix in PREFIXES:
            if first in prefix.starts and (match := prefix.pattern.match(text)):
                break
        else:
            break
        text = text[match.end() :].lstrip()
        if not prefix.quote:
            prefixed = True
            if time is None:
                time = match.groupdict().get("time")
    return Line(number=number, text=text, time=time, prefixed=prefixed, cut=cut)
