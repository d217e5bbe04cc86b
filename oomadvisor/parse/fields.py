"""The names that show_free_areas prints, and the model fields that hold them.

A name without a place in the model is kept under its printed name (``Counters.other``, ``Zone.other_pages``).
"""

import re

from oomadvisor.parse.lineform import N

#: Global counters, in pages. ``noreclaim`` is the name that ``unevictable`` had before 2.6.28.
COUNTERS: dict[str, str | None] = {
    "Active_anon": "active_anon",
    "active_anon": "active_anon",
    "inactive_anon": "inactive_anon",
    "isolated_anon": "isolated_anon",
    "active_file": "active_file",
    "inactive_file": "inactive_file",
    "isolated_file": "isolated_file",
    "Active": "active",
    "active": "active",
    "inactive": "inactive",
    "unevictable": "unevictable",
    "noreclaim": "unevictable",
    "dirty": "dirty",
    "writeback": "writeback",
    "unstable": "unstable",
    "free": "free",
    "slab": "slab",
    "slab_reclaimable": "slab_reclaimable",
    "slab_unreclaimable": "slab_unreclaimable",
    "mapped": "mapped",
    "shmem": "shmem",
    "pagetables": "pagetables",
    "sec_pagetables": None,
    "bounce": "bounce",
    "kernel_misc_reclaimable": None,
    "free_pcp": "free_pcp",
    "free_cma": "free_cma",
}

#: Fields of a zone line that are sizes. The marks are put together from min, low and high.
ZONE_SIZES: dict[str, str | None] = {
    "free": "free_pages",
    "boost": "boost_pages",
    "min": None,
    "low": None,
    "high": None,
    "reserved_highatomic": "reserved_highatomic_pages",
    "free_highatomic": None,
    "active_anon": "active_anon_pages",
    "inactive_anon": "inactive_anon_pages",
    "active_file": "active_file_pages",
    "inactive_file": "inactive_file_pages",
    "active": None,
    "inactive": None,
    "unevictable": "unevictable_pages",
    "noreclaim": "unevictable_pages",
    "isolated(anon)": "isolated_anon_pages",
    "isolated(file)": "isolated_file_pages",
    "writepending": None,
    "zspages": None,
    "present": "present_pages",
    "managed": "managed_pages",
    "mlocked": "mlocked_pages",
    "dirty": None,
    "writeback": None,
    "mapped": None,
    "shmem": None,
    "slab_reclaimable": None,
    "slab_unreclaimable": None,
    "kernel_stack": None,
    "shadow_call_stack": None,
    "pagetables": None,
    "unstable": None,
    "bounce": None,
    "free_pcp": None,
    "local_pcp": None,
    "free_cma": "free_cma_pages",
    "writeback_tmp": None,
}

#: Fields of the per-node line (since 4.8) that a zone line does not have.
NODE_SIZES = (
    "shmem_thp",
    "shmem_pmdmapped",
    "anon_thp",
    "file_thp",
    "sec_pagetables",
    "Balloon",
    "gpu_active",
    "gpu_reclaim",
)


def any_of(names: "tuple[str, ...] | dict[str, str | None]") -> str:
    """Return a pattern for one of ``names``, the longest first."""
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


#: One field of a zone or node line. Since 4.8 some names have a blank behind the colon.
SIZE_FIELD = rf"(?:{any_of((*ZONE_SIZES, *NODE_SIZES))}): ?{N}[kK]B"
SCANNED_FIELD = rf"pages_scanned:{N}"
RECLAIM_FIELD = r"all_unreclaimable\? (?:yes|no)"
#: The beginning of a field, where a line was broken.
BROKEN_FIELD = r"[A-Za-z_()]{1,24}(?:: ?(?:-?\d{0,20}[kK]?)?|\?(?: [yn]e?)?)?"

COUNTER_FIELD = rf"(?:{any_of(COUNTERS)}):{N}"
BROKEN_COUNTER = r"[A-Za-z_]{1,24}:?-?"
