"""The global counters of show_free_areas, spread over one to eight lines of ``name:pages``."""

import re

from oomadvisor.parse.draft import Draft
from oomadvisor.parse.fields import BROKEN_COUNTER, COUNTER_FIELD, COUNTERS
from oomadvisor.parse.lineform import Line, LineForm, N, Variant
from oomadvisor.parse.lines.head import read_nothing


def read_counters(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Read every complete ``name:pages``; the last one of a cut line may lack digits and is left out."""
    words = match.group("fields").split(" ")
    if line.cut:
        words.pop()
    for word in words:
        name, _, value = word.partition(":")
        if name in COUNTERS and re.fullmatch(N, value):
            attribute = COUNTERS[name]
            target, key = (draft.other_counters, name) if attribute is None else (draft.counters, attribute)
            target.setdefault(key, int(value))
            draft.at("counters", line.number)
    if words:
        draft.last_counters.append((line.width, words[-1].partition(":")[0]))


def names_in(text: str) -> set[str]:
    """Return the model fields that a counter line holds (to see that a second report has begun)."""
    names = (word.partition(":")[0] for word in text.split(" "))
    return {attribute for name in names if (attribute := COUNTERS.get(name)) is not None}


FORMS: tuple[LineForm, ...] = (
    LineForm(
        "counters",
        ("active", "Active", "dirty:", "free:", "mapped:", "slab", "bounce:", "free_", "kernel_misc", "unevictable:"),
        rf"(?P<fields>{COUNTER_FIELD}(?: {COUNTER_FIELD})*)",
        read_counters,
        "memory",
        reads_partial=True,
        partial=rf"(?P<fields>{COUNTER_FIELD}(?: {COUNTER_FIELD})*)(?: {BROKEN_COUNTER})?",
        damaged=rf"(?P<fields>{COUNTER_FIELD}(?: {COUNTER_FIELD}){{1,12}}) .{{1,300}}",
        variants=(
            Variant("counters-sec_pagetables", r"sec_pagetables:", (6, 1)),
            Variant("counters-kernel_misc_reclaimable", r"kernel_misc_reclaimable:", (5, 15)),
            Variant("counters-free_pcp", r"free_pcp:", (4, 1)),
            Variant("counters-free_cma", r"^free_cma:", (3, 7), (4, 0)),
            Variant("counters-isolated", r"isolated_", (2, 6, 32)),
            Variant("counters-Active_anon", r"^Active_anon:", (2, 6, 28), (2, 6, 31)),
            Variant("counters-one-line", r"^Active:.* free:", (2, 6, 12), (2, 6, 20)),
            Variant("counters-Active", r"^Active:.* unstable:\d+$", (2, 6, 21), (2, 6, 27)),
            Variant("counters-unstable", r"^unevictable:.* unstable:", (2, 6, 28), (5, 7)),
        ),
    ),
    LineForm(
        "free-pages",
        ("Free pages:",),
        rf"Free pages: {N}kB \({N}kB HighMem\)",
        read_nothing,
        since=(2, 6, 0),
        until=(2, 6, 20),
    ),
)
