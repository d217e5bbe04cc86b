"""Memory nodes: to which of them a request was limited, and whether the report shows all of them."""

import re

from oomadvisor.model import Incident

LARGEST_NODE = 1023  # MAX_NUMNODES is at most 1 << 10
UNSEEN_PAGES, UNSEEN_PERMILLE = 64, 2
"""What may come and go between the reading of the first counter and the last."""

CONSTRAINTS: dict[str, str] = {
    "CONSTRAINT_CPUSET": "cpuset",
    "CONSTRAINT_MEMORY_POLICY": "memory policy",
    "No available memory (MPOL_BIND)": "memory policy",
}
"""What the kernel says of a limited request (mm/oom_kill.c: constrained_alloc), and who limited it."""


def listed_nodes(text: str | None) -> frozenset[int] | None:
    """Return the nodes of a printed list; None where there is none, or where it is no such list.

    >>> sorted(listed_nodes("0-2,5")), listed_nodes("(null)"), listed_nodes("7-3")
    ([0, 1, 2, 5], None, None)
    """
    if text is None:
        return None
    nodes: set[int] = set()
    for part in text.split(","):
        bounds = re.fullmatch(r"(\d{1,4})(?:-(\d{1,4}))?", part)
        if bounds is None:
            return None
        first, last = int(bounds[1]), int(bounds[2] or bounds[1])
        if not first <= last <= LARGEST_NODE:
            return None
        nodes.update(range(first, last + 1))
    return frozenset(nodes)


def node_label(node: int, zone: str) -> str:
    """Return the name of a zone as reports of NUMA builds print it."""
    return f"Node {node} {zone}"


def shown_nodes(incident: Incident) -> frozenset[int]:
    """Return the nodes of which the report prints zones."""
    return frozenset(zone.node for zone in incident.zones)


def allowed_nodes(incident: Incident) -> frozenset[int] | None:
    """Return the nodes that a memory policy or cpuset left to the request; None where the report does not name them.

    ``nodemask`` is that of the request. ``mems_allowed`` is that of the asking task's cpuset, which binds only some
    requests: it counts where the kernel says that the cpuset did (mm/oom_kill.c: constrained_alloc, dump_header).
    """
    lists = [listed_nodes(incident.request.nodemask)]
    if constraint_of(incident) == "cpuset":
        lists.append(listed_nodes(incident.request.mems_allowed))
    known = [nodes for nodes in lists if nodes is not None]
    return frozenset.intersection(*known) if known else None


def constraint_of(incident: Incident) -> str | None:
    """Return who limited the request to some nodes: ``memory policy``, ``cpuset``, or None where nothing says so.

    The kernel's own word first; else a nodemask that leaves a node of the report out.
    """
    for kill in incident.kills:
        if kill.message in CONSTRAINTS:
            return CONSTRAINTS[kill.message]
    nodes, shown = listed_nodes(incident.request.nodemask), shown_nodes(incident)
    return "memory policy" if nodes is not None and not shown <= nodes else None


def says_unconstrained(incident: Incident) -> bool:
    """Return whether the kernel itself says that nothing limited the request (5.0 and later)."""
    return any(kill.message == "CONSTRAINT_NONE" for kill in incident.kills)


def all_zones_shown(incident: Incident) -> bool:
    """Return whether the zones that are printed hold all that is free.

    Since 6.x only the zones are printed that the request may use, a cpuset hides nodes, and a report can be cut. Where
    the free counter is not printed, nothing contradicts the zones.
    """
    total = incident.counters.free if incident.counters else None
    if total is None or any(zone.free_pages is None for zone in incident.zones):
        return True
    seen = sum(zone.free_pages or 0 for zone in incident.zones)
    return total - seen <= UNSEEN_PAGES + total * UNSEEN_PERMILLE // 1000


def marks_are_whole(incident: Incident, zone_names: tuple[str, ...]) -> bool:
    """Return whether the report shows all zones that share in min_free_kbytes, so that marks can be computed.

    A HighMem zone that is not printed does not share. Of several nodes each must be known to be there: by the free
    counter, or because /proc/zoneinfo, which lists every node, is all that there is.
    """
    if len(shown_nodes(incident)) < 2:
        return all_zones_shown(incident) or "HighMem" in zone_names
    if incident.counters is None:
        return incident.kind == "mem-info" and not incident.forms
    known = incident.counters.free is not None and all(zone.free_pages is not None for zone in incident.zones)
    return known and all_zones_shown(incident)
