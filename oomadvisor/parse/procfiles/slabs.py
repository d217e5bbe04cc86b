"""/proc/slabinfo."""

import re
from collections.abc import Sequence

from oomadvisor.model import SlabCache
from oomadvisor.parse.procfiles.notes import Notes, NumberedLine

_COUNT = r"\d{1,12}"
_ROW = re.compile(
    rf"\s*(?P<name>\S.{{0,60}}?)\s+(?P<active>{_COUNT})\s+(?P<objects>{_COUNT})\s+(?P<bytes>{_COUNT})"
    rf"\s+(?P<per_slab>{_COUNT})\s+(?P<pages>{_COUNT})\s+:\s+tunables[\s\d]+:\s+slabdata\s+{_COUNT}\s+(?P<slabs>{_COUNT})"
    r"\s+\d+.*"
)
_HEAD = re.compile(r"\s*(?:slabinfo - version.*|# ?name .*)")
_MAX_CACHES = 5_000


def read_slabinfo(lines: Sequence[NumberedLine], notes: Notes) -> tuple[SlabCache, ...]:
    """Return the caches in the order of the file."""
    caches: list[SlabCache] = []
    for number, text in lines:
        if _HEAD.fullmatch(text) or not text.strip():
            continue
        match = _ROW.fullmatch(text[:1_000])
        if match is None:
            notes.unreadable((number, text), "NAME and five numbers : tunables … : slabdata …")
        elif len(caches) < _MAX_CACHES:
            caches.append(
                SlabCache(
                    name=match.group("name"),
                    active_objects=int(match.group("active")),
                    objects=int(match.group("objects")),
                    object_bytes=int(match.group("bytes")),
                    objects_per_slab=int(match.group("per_slab")),
                    pages_per_slab=int(match.group("pages")),
                    slabs=int(match.group("slabs")),
                    line=number,
                )
            )
    return tuple(caches)
