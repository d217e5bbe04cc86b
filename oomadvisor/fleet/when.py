"""The day of an incident, from whatever time the log bears. Many logs bear none, or only the time since boot."""

import re
from datetime import datetime, timezone
from typing import Literal, NamedTuple

Known = Literal["day", "day without year", "since boot", "time of day", "none"]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T _]|$)", re.ASCII)
_NAMED = re.compile(
    r"(?:[A-Z][a-z]{2} +)?([A-Z][a-z]{2}) +(\d{1,2})(?: +(\d{4}))? +\d{1,2}:\d\d\S*(?: +(\d{4}))?", re.ASCII
)
_SHORT = re.compile(r"(\d\d)-(\d\d) \d{1,2}:\d\d", re.ASCII)
_UNIX = re.compile(r"(\d{9,10})\.\d{3,9}", re.ASCII)
_BOOT = re.compile(r"\d{1,8}\.\d{3,9}|\d{1,16}", re.ASCII)
_CLOCK = re.compile(r"\d{1,2}:\d\d:\d\d", re.ASCII)
_TAI = re.compile(r"4000000[0-9a-f]{9}", re.ASCII)
_TAI_OFFSET_SECONDS = 10
"""TAI64 is ahead of UTC by 10 seconds and the leap seconds since; for the day that is exact enough."""


class Day(NamedTuple):
    """A day as text that sorts, ``2011-06-04`` or ``06-04`` where the year is not known, and how much is known."""

    known: Known
    text: str | None = None


def day_of(time: str | None) -> Day:
    """Return the day that a time, as read from a log, falls on. Days are the log's own; unix times are taken as UTC.

    >>> [day_of(time).text for time in ("2011-06-04T12:00:00+02:00", "Jun  4 12:00:00", "812.345678")]
    ['2011-06-04', '06-04', None]
    """
    if time is None:
        return Day("none")
    text = time.strip()
    if iso := _ISO.match(text):
        return _day(int(iso[1]), int(iso[2]), int(iso[3]))
    if (named := _NAMED.match(text)) and named[1] in _MONTHS:
        year = named[3] or named[4]
        return _day(None if year is None else int(year), _MONTHS.index(named[1]) + 1, int(named[2]))
    if short := _SHORT.match(text):
        return _day(None, int(short[1]), int(short[2]))
    if unix := _UNIX.fullmatch(text):
        return _of_seconds(int(unix[1]))
    if _TAI.match(text):
        return _of_seconds(int(text[1:16], 16) - _TAI_OFFSET_SECONDS)
    if _BOOT.fullmatch(text):
        return Day("since boot")
    return Day("time of day" if _CLOCK.match(text) else "none")


def _day(year: int | None, month: int, day: int) -> Day:
    try:
        found = datetime(2000 if year is None else year, month, day)  # a leap year
    except ValueError:
        return Day("none")
    return Day("day without year", f"{found:%m-%d}") if year is None else Day("day", f"{year:04}-{month:02}-{day:02}")


def _of_seconds(seconds: int) -> Day:
    try:
        return Day("day", f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%d}")
    except (ValueError, OverflowError, OSError):
        return Day("none")
