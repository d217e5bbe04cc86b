"""All line forms in the order in which they are tried, and the kernels that print them."""

import re
from collections.abc import Iterable

from oomadvisor.parse.lineform import LineForm, Version
from oomadvisor.parse.lines import buddy, counters, head, kill, memcg, percpu, tasks, trace, trailer, zones

#: Cheap and frequent forms first; the catch-all forms of each module stand at its end.
FORMS: tuple[LineForm, ...] = (
    *tasks.FORMS,
    *percpu.FORMS,
    *zones.FORMS,
    *buddy.FORMS,
    *counters.FORMS,
    *kill.FORMS,
    *memcg.FORMS,
    LineForm("mem-info-arch", ("Mem-info:",), r"Mem-info:", head.read_nothing, "mem-start", until=(3, 19)),
    LineForm("mem-info-generic", ("Mem-Info:",), r"Mem-Info:", head.read_nothing, "mem-start", since=(2, 6, 27)),
    *head.FORMS,
    *trailer.FORMS,
    *trace.FORMS,
)

#: No kernel prints longer lines; nothing longer is tried against the patterns.
MAX_TEXT = 8_192

_WRAPPABLE = tuple(form for form in FORMS if form.partial is not None)
_DAMAGEABLE = tuple(form for form in FORMS if form.damaged is not None)

#: One of these stands in or soon after the first line of every incident; the lines before it are then looked back on.
#: They are few and long, because a whole log is searched for each of them.
TRIGGERS: tuple[str, ...] = (
    "oom-killer",
    "page allocation",
    "ut of memory",
    "lowmem_reserve",
    "illed process",
    "VM: killing process",
    "Linux version",
)


def recognise(text: str) -> tuple[LineForm, re.Match[str]] | None:
    """Return the form of a complete line."""
    if len(text) > MAX_TEXT:
        return None
    for form in FORMS:
        for key in form.keys:
            if key in text:
                match = form.match(text)
                if match is not None:
                    return form, match
                break
    return None


def recognise_partial(text: str) -> LineForm | None:
    """Return the form that ``text`` may be the beginning of."""
    if len(text) > MAX_TEXT:
        return None
    for form in _WRAPPABLE:
        for key in form.keys:
            if key in text:
                if form.match_partial(text) is not None:
                    return form
                break
    return None


def recognise_damaged(text: str) -> tuple[LineForm, re.Match[str]] | None:
    """Return the form of a line that is readable only at its beginning."""
    if len(text) > MAX_TEXT:
        return None
    for form in _DAMAGEABLE:
        for key in form.keys:
            if key in text:
                match = form.match_damaged(text)
                if match is not None:
                    return form, match
                break
    return None


def versions_of_forms(names: Iterable[str]) -> tuple[Version | None, Version | None]:
    """Return the oldest and newest kernel that print all of ``names``; ``None`` where nothing bounds it.

    Distribution kernels have back-ports, so two names can exclude each other: then only the lower bound holds.

    >>> versions_of_forms(["oom-header-oomkilladj", "zone-active_anon"])
    ((2, 6, 28), (2, 6, 31))
    """
    ranges = kernel_ranges()
    known = [ranges[name] for name in names if name in ranges]
    oldest = max((since for since, _ in known if since is not None), default=None)
    newest = min((until for _, until in known if until is not None), default=None)
    if oldest is not None and newest is not None and newest < oldest[: len(newest)]:
        newest = None
    return oldest, newest


def kernel_ranges() -> dict[str, tuple[Version | None, Version | None]]:
    """Return the first and last kernel that print each name of ``Incident.forms``; ``None``: not known, or no end."""
    ranges: dict[str, tuple[Version | None, Version | None]] = {}
    for form in FORMS:
        ranges[form.name] = (form.since, form.until)
        for variant in form.variants:
            ranges[variant.name] = (variant.since, variant.until)
    return ranges
