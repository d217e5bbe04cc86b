"""What follows the free block lines: page cache, swap, and the architecture's own counts."""

import re

from oomadvisor.parse.draft import MAX_VENDOR_LINES, Draft
from oomadvisor.parse.lineform import Line, LineForm, N, Variant
from oomadvisor.parse.lines.head import read_nothing

#: ``N label`` lines and the fields that hold them. Two wordings each: ARM's own show_mem and the generic one.
LABELS: dict[str, str] = {
    "total pagecache pages": "pagecache_pages",
    "pages of RAM": "ram_pages",
    "pages RAM": "ram_pages",
    "pages of HIGHMEM": "highmem_pages",
    "pages HighMem": "highmem_pages",
    "pages HighMem/MovableOnly": "highmem_pages",
    "free pages": "zero_count_pages",
    "reserved pages": "reserved_pages",
    "pages reserved": "reserved_pages",
    "slab pages": "slab_pages",
    "pages shared": "shared_count",
    # Lab126 kernels print vanilla's "pages shared" under this name.
    "shared page count": "shared_count",
    "pages non-shared": "nonshared_pages",
    "pages swap cached": "swap_cached_pages",
}
#: Further lines of this shape, kept by their name.
VENDOR_LABELS = (
    "shared pages",
    "mapped shared page count",
    "mapped shared pages",
    "dma reserved pages",
    "total user pages",
    "RSS sum by tasks",
    "RSS sum by page stats",
    "user cache pages",
    "kernel cache pages",
    "pages cma reserved",
    "pages hwpoisoned",
    "pages in pagetable cache",
)
LAB126_LABELS = frozenset(VENDOR_LABELS[:9]) | {"shared page count"}


def read_swap_cache(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Read the size of the swap cache."""
    draft.at("swap", line.number)
    draft.swap.setdefault("cache_pages", int(match.group("pages")))


def read_swap_stats(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Read the swap cache's history; the last number of a cut line is left out."""
    draft.at("swap", line.number)
    draft.swap_width = line.width
    for name in ("added", "deleted", "found", "find_total"):
        if not (line.cut and name == "find_total"):
            draft.swap.setdefault(name, int(match.group(name)))


def read_swap_size(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Read free or total swap."""
    draft.at("swap", line.number)
    name = "free_kb" if match.group("which") == "Free" else "total_kb"
    value = int(match.group("kb"))
    if value < 0:
        draft.warn("impossible-value", f"{match.group('which')} swap is printed as {value} kB; left out.", line.number)
        return
    draft.swap.setdefault(name, value)


def read_label(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Read a count with its label."""
    label, pages = match.group("label"), int(match.group("pages"))
    draft.at("trailer", line.number)
    draft.in_trailer = True
    if label in LAB126_LABELS:
        draft.forms.setdefault("trailer-lab126")
    if label in LABELS:
        draft.trailer.setdefault(LABELS[label], pages)
    elif len(draft.vendor) < MAX_VENDOR_LINES:
        draft.vendor.setdefault(label, pages)


def read_unknown_label(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Read a label that no kernel known here prints, but only among the lines where such labels stand."""
    if draft.in_trailer and not draft.tasks and not line.cut and len(draft.vendor) < MAX_VENDOR_LINES:
        label = match.group("label")
        draft.vendor.setdefault(label, int(match.group("pages")))
        if line.text.endswith(label):
            draft.ends.append((line.width, lambda draft: _forget_label(draft, label)))


def _forget_label(draft: Draft, label: str) -> None:
    draft.vendor.pop(label, None)


def _labels(names: tuple[str, ...]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


def _beginnings(names: tuple[str, ...]) -> str:
    """Return a pattern for whatever a label of ``names`` may begin with, where the line was broken at a blank."""
    parts = {" ".join(words[:end]) for words in map(str.split, names) for end in range(1, len(words))}
    return _labels(tuple(parts - set(names)))


#: Until lib/show_mem.c had taken over each architecture counted for itself, most of them in the same words.
_ARCH_ONLY = ("pages of RAM", "free pages", "reserved pages", "pages of HIGHMEM", "pages swap cached")
_ARM_ONLY = ("slab pages",)
_GENERIC_ONLY = ("pages RAM", "pages HighMem", "pages reserved", "pages non-shared", "pages in pagetable cache")
_REST = tuple(label for label in (*LABELS, *VENDOR_LABELS) if label not in _ARCH_ONLY + _ARM_ONLY + _GENERIC_ONLY)

_BEGINNINGS = _beginnings((*LABELS, *VENDOR_LABELS, "pages in swap cache"))

FORMS: tuple[LineForm, ...] = (
    LineForm(
        "swap-cache",
        ("swap cache",),
        rf"(?P<pages>{N}) pages in swap cache",
        read_swap_cache,
        "memory",
        since=(2, 6, 27),
    ),
    LineForm(
        "swap-stats",
        ("Swap cache stats:",),
        rf"Swap cache stats: add (?P<added>{N}), delete (?P<deleted>{N}), find (?P<found>{N})/(?P<find_total>{N})",
        read_swap_stats,
        "memory",
        partial=rf"Swap cache stats:(?: add(?: {N},?)?)?(?: delete(?: {N},?)?)?(?: find(?: {N}/?)?)?",
        since=(2, 6, 27),
        until=(6, 7),
    ),
    LineForm(
        "swap-stats-race",
        ("Swap cache: add",),
        rf"Swap cache: add (?P<added>{N}), delete (?P<deleted>{N}), find (?P<found>{N})/(?P<find_total>{N})"
        rf"(?:, race {N}\+{N})?",
        read_swap_stats,
        "memory",
        until=(2, 6, 27),
    ),
    LineForm(
        "swap-size",
        (" swap",),
        rf"(?P<which>Free|Total) swap = (?P<kb>{N})kB",
        read_swap_size,
        "memory",
        partial=r"(?:Free|Total) swap(?: =)?",
        grows=False,
        since=(2, 6, 12),
    ),
    LineForm(
        "swap-size-old",
        ("Free swap:",),
        rf"(?P<which>Free) swap: (?P<kb>{N})kB",
        read_swap_size,
        until=(2, 6, 27),
    ),
    LineForm(
        "trailer-arch",
        ("pages",),
        rf"(?P<pages>{N}) (?P<label>{_labels(_ARCH_ONLY)})",
        read_label,
        "memory",
        until=(3, 19),
    ),
    LineForm(
        "trailer-arm",
        ("pages",),
        rf"(?P<pages>{N}) (?P<label>{_labels(_ARM_ONLY)})",
        read_label,
        "memory",
        until=(3, 19),
    ),
    LineForm(
        "trailer-generic",
        ("pages",),
        rf"(?P<pages>{N}) (?P<label>{_labels(_GENERIC_ONLY)})",
        read_label,
        "memory",
        since=(2, 6, 27),
        variants=(
            Variant("trailer-non-shared", r"non-shared", (2, 6, 27), (3, 11)),
            Variant("trailer-pagetable-cache", r"pagetable cache", (2, 6, 27), (5, 3)),
        ),
    ),
    LineForm(
        "trailer-movable",
        ("MovableOnly",),
        rf"(?P<pages>{N}) (?P<label>pages HighMem/MovableOnly)",
        read_label,
        "memory",
        since=(3, 12),
    ),
    LineForm(
        "trailer",
        ("page", "RSS"),
        rf"(?P<pages>{N}) (?P<label>{_labels(_REST)})",
        read_label,
        "memory",
        variants=(
            Variant("trailer-pagecache", r"total pagecache", (2, 6, 25)),
            Variant("trailer-shared", r"pages shared", None, (3, 11)),
            Variant("trailer-hwpoisoned", r"hwpoisoned", (2, 6, 39)),
            Variant("trailer-cma", r"cma reserved", (3, 18)),
        ),
    ),
    LineForm(
        "trailer-unknown",
        ("page",),
        rf"(?P<pages>{N}) (?!(?:{_BEGINNINGS})$)(?P<label>[A-Za-z][A-Za-z /_\-]{{0,40}})",
        read_unknown_label,
        partial=rf"{N}(?: (?:{_BEGINNINGS}))?",
        grows=False,
    ),
    LineForm(
        "slab-block",
        ("slab info:", "Name Used Total", "KB"),
        r"Unreclaimable slab info:|Name Used Total|\S{1,64}(?: \S{1,16})? \d{1,12}KB \d{1,12}KB",
        read_nothing,
        since=(4, 15),
    ),
    LineForm(
        "allocation-profile",
        ("Memory allocations", " func:"),
        r"Memory allocations(?: \(profiling is currently turned (?:on|off)\))?:|"
        r"[\d.]{1,12} (?:[kKMGT]?i?B )?\d{1,12} \S{1,200} (?:\[\w+\] )?func:\S{1,128}",
        read_nothing,
        since=(6, 10),
    ),
)
