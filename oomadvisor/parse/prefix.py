"""What stands before the kernel's own text: log prefixes, mail quoting, white space of all kinds.

Every prefix is a row of a table. They are taken off one after another from the left until none fits, so any nesting is
understood ("> Jan  1 00:00:00 box kernel: [   12.345] ").
"""

from typing import NamedTuple

from oomadvisor.parse.lineform import Line, compiled

_MONTH_DAY = r"[A-Z][a-z]{2} {1,2}\d{1,2}"
_CLOCK = r"\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?"
#: Whatever stands between the time and the text of the kernel's own records: host, busybox's facility, the tag.
_TAG = r"(?: \S{1,255}){0,2}? kernel(?:\[\d{1,10}\])?: ?(?:: )?"
#: A facility and a level, as busybox, logread and socklog print them.
_LEVEL = r"[a-z]{3,8}\d?\.(?:emerg|alert|crit|err|error|warn|warning|notice|info|debug):?"
_ISO = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"


class Prefix(NamedTuple):
    """A prefix: ``starts`` are the characters that it can begin with (cheap test), ``quote`` marks mail quoting."""

    name: str
    starts: str
    pattern: str
    quote: bool = False


_DIGITS = "0123456789"
_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_WEEKDAY = r"[A-Z][a-z]{2}"
#: What a serial terminal, ``grep`` or a collector's line is followed by when it was put before a record of a log.
_BEFORE_RECORD = (
    r"(?=<\d{1,3}>|\[ {0,8}\d{1,10}\.\d|[A-Z][a-z]{2} {1,2}\d{1,2} (?:\d{4} )?\d\d:"
    r"|\d{4}-\d\d-\d\d[T _]\d|\d{1,4},\d{1,12},\d)"
)

PREFIXES: tuple[Prefix, ...] = (
    Prefix("quote", ">|", r"[>|]+ ?", quote=True),
    Prefix("priority", "<", r"<\d{1,3}>(?:1 (?=\d{4}-\d\d-))?"),
    # Behind the time vendors put the processor, the task, or the wall clock.
    Prefix(
        "uptime",
        "[",
        r"\[ {0,8}(?P<time>\d{1,10}\.\d{3,9})s?"
        r"(?:@\d{1,3}| ?/ ?[\d\-]{5,10} [\d:.]{8,15}| ?<[ +]{0,12}\d{1,10}\.\d{3,9}>)?"
        r"\](?:<\d{1,3}>\.?)?(?: ?-?\(\d{1,3}\)\[\d{1,10}:[^\]]{0,32}\]"
        r"|(?: ?[VDIWEF])?\[ {0,4}\d{1,3}: {0,20}[^\]:]{1,20}: {0,8}\d{1,10}\]"
        r"|\[pid:\d{1,10},cpu\d{1,3},[^\]]{1,20}\]"
        r"| ?\[CPU\d{1,3}\])? ?",
    ),
    Prefix("caller", "[", r"\[ {0,8}(?P<caller>[TC]) ?(?P<number>\d{1,10})\] ?"),
    Prefix("cpu-task", "[", r"\[ {0,4}\d{1,3}: {0,20}[^\]:]{1,20}: {0,8}\d{1,10}\] ?"),
    Prefix("dmesg-delta", "[", r"\[ {0,8}[<+] {0,10}\d{1,10}\.\d{3,9}>?\] ?"),
    Prefix("dmesg-human", "[", r"\[(?P<time>[A-Z][a-z]{2} ?\d{1,2} \d\d:\d\d)\] ?"),
    Prefix("clock", "[(", rf"[\[(](?P<time>{_CLOCK})[\])] ?"),
    Prefix("pod", "[", r"\[pod/[^\] ]{1,253}\] ?"),
    Prefix("dmesg-date", "[", rf"\[(?P<time>[A-Za-z]{{2,4}} {_MONTH_DAY} {_CLOCK} \d{{4}})\] ?"),
    Prefix("iso-bracket", "[", rf"\[(?P<time>{_ISO})\] ?"),
    Prefix("syslog", _UPPER, rf"(?P<time>{_MONTH_DAY} (?:\d{{4}} )?{_CLOCK}):?(?:{_TAG}| ?)"),
    Prefix("logread", _UPPER, rf"(?P<time>{_WEEKDAY} {_MONTH_DAY} {_CLOCK}(?: \d{{4}})?)(?: {_LEVEL})?(?:{_TAG}| ?)"),
    Prefix("journal-full", _UPPER, rf"{_WEEKDAY} (?P<time>{_ISO})(?: [A-Z]{{2,5}})?(?:{_TAG}| ?)"),
    Prefix("svlogd", _DIGITS, rf"(?P<time>\d{{4}}-\d\d-\d\d_{_CLOCK}) ?"),
    Prefix("cri", _DIGITS, rf"(?P<time>{_ISO}) std(?:out|err) [FP] ?"),
    Prefix("syslog-5424", _DIGITS, rf"(?P<time>{_ISO}) \S{{1,255}} kernel - - - ?"),
    Prefix("iso", _DIGITS, rf"(?P<time>{_ISO})(?:{_TAG}| ?)"),
    Prefix("tai64n", "@", r"@(?P<time>[0-9a-f]{24}) ?"),
    Prefix("unix-time", _DIGITS, rf"(?P<time>\d{{9,10}}\.\d{{3,9}})(?:{_TAG}| (?=\[| ?<))"),
    Prefix("clock-bare", _DIGITS, rf"(?P<time>\d\d:\d\d:\d\d[.,]\d{{1,9}})(?: ->| >)? {_BEFORE_RECORD}"),
    Prefix(
        "logcat",
        _DIGITS,
        (
            rf"(?P<time>\d\d-\d\d {_CLOCK})(?: {{1,6}}\d{{1,7}} {{1,6}}\d{{1,7}} [VDIWEF] [^:]{{1,64}}: ?"
            r"| [VDIWEF]/[^:]{1,64}: ?| ?)"
        ),
    ),
    Prefix("kmsg", _DIGITS, r"\d{1,4},\d{1,12},(?P<time>\d{1,16}),[-c+][^;]{0,64};"),
    Prefix("dmesg-level", "k", r"kern ?: ?[a-z]{3,7} ?: ?"),
    Prefix("tag", "k", r"kernel(?:\[\d{1,10}\])?: ?"),
    Prefix("level", "kud", rf"{_LEVEL} ?(?:kernel: ?)?"),
    Prefix("host-tag", "abcdefghijklmnopqrstuvwxyz" + _UPPER, r"[\w.\-]{1,64} kernel: "),
    Prefix("numbered", _DIGITS, rf"\d{{1,8}}[:\-] ?{_BEFORE_RECORD}"),
    Prefix(
        "file-name", "abcdefghijklmnopqrstuvwxyz./", rf"[\w./\-]{{1,200}}?[:\-](?:\d{{1,8}}[:\-])? ?{_BEFORE_RECORD}"
    ),
    Prefix("android-cpu", "c", r"c\d{1,2} (?=\S)"),
)

#: White space other than blanks and tabs that mail, HTML and word processors put into reports; and byte order marks.
_ODD_BLANKS = {
    ord(c): " "
    for c in "\t\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
    "\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\r\n"
}
_ODD_BLANKS.update({ord(c): "" for c in "\x00\u200b\u2060\ufeff"})
_TERMINAL_CODES = r"\x1b\[[0-9;]{0,16}[A-Za-z]"
_MAX_PREFIXES = 12
#: The prefixes by the characters that they can begin with.
_STARTING_WITH = {
    start: tuple(prefix for prefix in PREFIXES if start in prefix.starts)
    for start in {start for prefix in PREFIXES for start in prefix.starts}
}


def tidy(text: str) -> str:
    """Return ``text`` with all white space collapsed to single blanks, none at the ends, and no terminal codes."""
    if not text.isascii() or not text.isprintable():
        if "\x1b" in text:
            text = compiled(_TERMINAL_CODES).sub("", text)
        text = text.translate(_ODD_BLANKS)
    return " ".join(text.split())


def unprefix(number: int, raw: str, *, cut: bool = False) -> Line:
    """Return the line without everything that was put before the kernel's text.

    >>> line = unprefix(7, "> Jan  1 00:00:00 box kernel: [   12.345678] Mem-info: ")
    >>> line.text, line.time, line.prefixed
    ('Mem-info:', 'Jan 1 00:00:00', True)
    """
    text = tidy(raw)
    time: str | None = None
    caller: str | None = None
    prefixed = False
    for _ in range(_MAX_PREFIXES):
        if not text:
            break
        for prefix in _STARTING_WITH.get(text[0], ()):
            match = compiled(prefix.pattern).match(text)
            if match is not None:
                break
        else:
            break
        text = text[match.end() :].lstrip()
        if not prefix.quote:
            prefixed = True
            if prefix.name == "caller":
                caller = match.group("caller") + match.group("number")
            elif time is None:
                time = match.groupdict().get("time")
    tagged = prefixed and " kernel:" in raw
    width = len(raw.rstrip("\r\n"))
    return Line(
        number=number, text=text, time=time, prefixed=prefixed, cut=cut, caller=caller, width=width, tagged=tagged
    )
