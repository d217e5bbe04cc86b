"""Arithmetic that a report must satisfy. Where it does not, both numbers are given: a report is evidence, not truth."""

from oomadvisor.kernel.percpu import pageset
from oomadvisor.model import Incident, Zone
from oomadvisor.parse.draft import Draft

#: The page size of the 2.6.31 arithmetic.
PAGE_KB = 4
_LRU = ("active_anon", "inactive_anon", "active_file", "inactive_file")


def check(incident: Incident, draft: Draft) -> None:
    """Add a warning to ``draft`` for each sum that does not come out."""
    for zone in incident.zones:
        _check_blocks(zone, incident, draft)
        _check_percpu(zone, incident, draft)
    _check_sums(incident, draft)


def _check_percpu(zone: Zone, incident: Incident, draft: Draft) -> None:
    if incident.page_kb != PAGE_KB or "percpu-list" not in incident.forms:
        return
    found = {
        (entry.high_pages, entry.batch_pages) for entry in incident.percpu if (entry.zone, entry.node) == _key(zone)
    }
    # Since 3.10 the sizes follow from the managed pages.
    sizes = [pages for pages in (zone.present_pages, zone.managed_pages) if pages is not None]
    if not found or not sizes:
        return
    expected = [tuple(pageset(pages)) for pages in sizes]
    for high, batch in sorted(found - set(expected)):
        draft.warn(
            "percpu-size",
            f"The per-cpu lists of {_label(zone)} are hi {high}, btch {batch}; {sizes[0]} present pages give "
            f"hi {expected[0][0]}, btch {expected[0][1]}: vm.percpu_pagelist_fraction is set, or a line is damaged.",
            incident.lines.get(f"zones.{zone.node}.{zone.name}.percpu"),
        )


def _key(zone: Zone) -> tuple[str, int]:
    return zone.name, zone.node


def _label(zone: Zone) -> str:
    return f"Node {zone.node} {zone.name}" if zone.node else zone.name


def _check_blocks(zone: Zone, incident: Incident, draft: Draft) -> None:
    if zone.free_blocks is None or zone.printed_total_kb is None:
        return
    line = incident.lines.get(f"zones.{zone.node}.{zone.name}.blocks")
    pages = sum(count << order for order, count in enumerate(zone.free_blocks))
    if zone.free_pages is not None and pages != zone.free_pages:
        draft.warn(
            "zone-free",
            f"{_label(zone)} counts {zone.free_pages} free pages, its free blocks hold {pages}: the counter and the "
            "lists were read at different moments or drift apart on SMP; the allocator decides by the counter.",
            line,
        )


def _check_sums(incident: Incident, draft: Draft) -> None:
    counters, zones = incident.counters, incident.zones
    if counters is None or not zones:
        return
    line = incident.lines.get("counters")
    free = [zone.free_pages for zone in zones]
    known = [pages for pages in free if pages is not None]
    if counters.free is not None and len(known) == len(free) and sum(known) != counters.free:
        draft.warn(
            "free-sum",
            f"The zones' free pages sum to {sum(known)}, the global counter says {counters.free}: "
            "a zone line is missing, or the two were read at different moments.",
            line,
        )
    for name in _LRU:
        total = getattr(counters, name)
        parts = [getattr(zone, f"{name}_pages") for zone in zones]
        if total is None or None in parts or sum(parts) == total:
            continue
        draft.warn(
            "lru-sum",
            f"The zones' {name} pages sum to {sum(parts)}, the global counter says {total}: "
            "a zone line is missing or damaged, or the lists changed while the report was printed.",
            line,
        )
