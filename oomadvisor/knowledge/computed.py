"""Defaults that depend on the box, from the kernel's own formulas: what they are for a given amount of RAM."""

from collections.abc import Callable

from oomadvisor.kernel.marks import default_min_free_kbytes
from oomadvisor.kernel.percpu import pageset
from oomadvisor.kernel.threads import default_threads_max
from oomadvisor.knowledge.entry import Computed

PAGES_PER_MB = 256
PAGE_STRUCT_BYTES = 32  # sizeof(struct page) on 32 bits, without debugging extras
PAGE_BYTES = 4096
USUAL_RAM_MB = (16, 32, 64, 128, 256, 512)


def present_pages(ram_mb: int) -> int:
    """Return present_pages of one zone that holds all RAM (mm/page_alloc.c: free_area_init_core, 2.6.31; 32 bits).

    >>> present_pages(256)
    65024
    """
    spanned = ram_mb * PAGES_PER_MB
    return spanned - -(-spanned * PAGE_STRUCT_BYTES // PAGE_BYTES)


def _lists(ram_mb: int) -> str:
    lists = pageset(present_pages(ram_mb))
    return f"hi {lists.hi}, batch {lists.btch}"


FORMULAS: dict[Computed, Callable[[int], str]] = {
    "min_free_kbytes": lambda mb: str(default_min_free_kbytes(("Normal",), (present_pages(mb),))),
    "per_cpu_lists": _lists,
    "threads_max": lambda mb: str(default_threads_max(mb * PAGES_PER_MB)),
}


def computed_default(formula: Computed, ram_mb: int) -> str:
    """Return the default on a 32-bit box with one zone and ``ram_mb`` MB of RAM, in the setting's own unit."""
    return FORMULAS[formula](ram_mb)
