"""All line forms in the order in which they are tried, and the kernels that print them."""

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import NamedTuple

from oomadvisor.parse.lineform import CUT, LineForm, Version
from oomadvisor.parse.lines import buddy, counters, head, kill, memcg, percpu, tasks, trace, trailer, zones
from oomadvisor.parse.search import WordSearch, searchable

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


class GfpEra(NamedTuple):
    """Where the two bits that let a request reclaim stood: they moved with each renumbering of the gfp bits."""

    name: str
    bits: int
    since: Version
    until: Version | None


#: include/linux/gfp.h: __GFP_DIRECT_RECLAIM and __GFP_KSWAPD_RECLAIM; tried in this order.
GFP_ERAS: tuple[GfpEra, ...] = (
    GfpEra("gfp-bits-5.1", 0xC00, (5, 1), None),
    GfpEra("gfp-bits-4.18", 0x600000, (4, 18), (5, 0)),
    GfpEra("gfp-bits-4.10", 0x1400000, (4, 10), (4, 17)),
    GfpEra("gfp-bits-4.4", 0x2400000, (4, 4), (4, 9)),
)
#: The names that stand for a mask with both bits.
_RECLAIMING = frozenset(
    {"GFP_KERNEL", "GFP_KERNEL_ACCOUNT", "GFP_NOFS", "GFP_NOIO", "GFP_USER", "GFP_HIGHUSER", "GFP_HIGHUSER_MOVABLE"}
)


def gfp_era(mask: int, names: Iterable[str]) -> str | None:
    """Return the era of a mask whose printed names say that both bits are in it.

    >>> gfp_era(0x6000C0, ["GFP_KERNEL"]), gfp_era(0xCC0, ["GFP_KERNEL"]), gfp_era(0x20, ["GFP_ATOMIC"])
    ('gfp-bits-4.18', 'gfp-bits-5.1', None)
    """
    if _RECLAIMING.isdisjoint(names):
        return None
    return next((era.name for era in GFP_ERAS if mask & era.bits == era.bits), None)


#: No kernel prints longer lines; nothing longer is tried against the patterns.
MAX_TEXT = 8_192

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


TRIGGER_SEARCH = WordSearch(TRIGGERS)

#: Forms whose keys are looked for at once. Most lines hold keys of one or two groups.
_GROUP = 8


@cache
def _groups() -> tuple[tuple[WordSearch, tuple[LineForm, ...]], ...]:
    groups = (FORMS[place : place + _GROUP] for place in range(0, len(FORMS), _GROUP))
    return tuple((WordSearch({key for form in group for key in form.keys}), group) for group in groups)


@lru_cache(maxsize=2)
def _near(text: str) -> tuple[tuple[LineForm, ...], ...]:
    """Return the groups of which a key stands in ``text``. A line is asked for up to three times."""
    if len(text) > MAX_TEXT:
        return ()
    subject = searchable(text)
    return tuple([group for search, group in _groups() if search.in_searchable(subject)])


def _candidates(text: str) -> Iterator[LineForm]:
    """Yield the forms of which a key stands in ``text``, in their order."""
    for group in _near(text):
        for form in group:
            for key in form.keys:
                if key in text:
                    yield form
                    break


def recognise(text: str) -> tuple[LineForm, re.Match[str]] | None:
    """Return the form of a complete line."""
    for form in _candidates(text):
        match = form.match(text)
        if match is not None:
            return form, match
    return None


def recognise_partial(text: str) -> LineForm | None:
    """Return the form that ``text`` may be the beginning of."""
    return next((form for form in _candidates(text) if form.match_partial(text) is not None), None)


def recognise_damaged(text: str) -> tuple[LineForm, re.Match[str]] | None:
    """Return the form of a line that is readable only at its beginning."""
    for form in _candidates(text):
        match = form.match_damaged(text)
        if match is not None:
            return form, match
    return None


class Narrowed(NamedTuple):
    """The kernels that print all forms of a report, and the forms that say so.

    ``contradicted`` names the form by which the newest kernel would be older than the oldest: a distribution's kernel
    with back-ports, or damage. Then only the lower bound holds.
    """

    oldest: Version | None = None
    newest: Version | None = None
    oldest_by: str | None = None
    newest_by: str | None = None
    contradicted: str | None = None

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return the bounds in words, each with the form that it rests on."""
        told = []
        if self.oldest is not None:
            told.append(f"{_dotted(self.oldest)} or later, by the form {self.oldest_by}")
        if self.newest is not None:
            told.append(f"{_dotted(self.newest)} or earlier, by the form {self.newest_by}")
        if self.contradicted is not None:
            told.append(f"the form {self.contradicted} is of older kernels: a back-port, or a damaged line")
        return tuple(told)


def narrowed(names: Iterable[str]) -> Narrowed:
    """Return the oldest and newest kernel that print all of ``names``, with the reasons.

    >>> narrowed(["oom-header-oomkilladj", "zone-active_anon"]).reasons
    ('2.6.28 or later, by the form zone-active_anon', '2.6.31 or earlier, by the form oom-header-oomkilladj')
    """
    ranges = kernel_ranges()
    oldest: tuple[Version, str] | None = None
    newest: tuple[Version, str] | None = None
    for full in names:
        name = full.removesuffix(CUT)
        since, until = ranges.get(name, (None, None))
        if since is not None and (oldest is None or since > oldest[0]):
            oldest = since, name
        if until is not None and not full.endswith(CUT) and (newest is None or until < newest[0]):
            newest = until, name
    contradicted = None
    if oldest is not None and newest is not None and newest[0] < oldest[0][: len(newest[0])]:
        contradicted, newest = newest[1], None
    since_version, since_form = oldest or (None, None)
    until_version, until_form = newest or (None, None)
    return Narrowed(since_version, until_version, since_form, until_form, contradicted)


def versions_of_forms(names: Iterable[str]) -> tuple[Version | None, Version | None]:
    """Return the oldest and newest kernel that print all of ``names``; ``None`` where nothing bounds it.

    >>> versions_of_forms(["oom-header-oomkilladj", "zone-active_anon"])
    ((2, 6, 28), (2, 6, 31))
    """
    found = narrowed(names)
    return found.oldest, found.newest


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))


def kernel_ranges() -> dict[str, tuple[Version | None, Version | None]]:
    """Return the first and last kernel that print each name of ``Incident.forms``; ``None``: not known, or no end."""
    ranges: dict[str, tuple[Version | None, Version | None]] = {}
    for form in FORMS:
        ranges[form.name] = (form.since, form.until)
        for variant in form.variants:
            ranges[variant.name] = (variant.since, variant.until)
    ranges.update({era.name: (era.since, era.until) for era in GFP_ERAS})
    return ranges
