"""The kernel's own time of a log line, among whatever else was put before it."""

from oomadvisor.parse.lineform import compiled
from oomadvisor.parse.prefix import PREFIXES, tidy

_MOST_CHARS = 600
_MOST_PREFIXES = 12


def uptime_of(raw: str) -> float | None:
    """Return the seconds since boot that a line bears, ``None`` when it bears none.

    >>> uptime_of("Jan  9 03:14:15 box kernel: [   12.345678] Mem-info:")
    12.345678
    >>> uptime_of("4,1203,12345678,-;Mem-info:")
    12.345678
    >>> uptime_of("Jan  9 03:14:15 box kernel: Mem-info:") is None
    True
    """
    text = tidy(raw[:_MOST_CHARS])
    for _ in range(_MOST_PREFIXES):
        for prefix in PREFIXES:
            match = compiled(prefix.pattern).match(text) if text[:1] in prefix.starts and text else None
            if match is not None:
                break
        else:
            return None
        if prefix.name == "uptime":
            return float(match.group("time"))
        if prefix.name == "kmsg":
            return int(match.group("time")) / 1_000_000
        text = text[match.end() :].lstrip()
    return None
