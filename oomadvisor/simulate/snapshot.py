"""The part of a state that the allocator's decision depends on: zones in the order in which they are tried."""

from dataclasses import dataclass, replace
from functools import lru_cache

from oomadvisor.infer.arithmetic import families_of, family_of
from oomadvisor.infer.nodes import allowed_nodes, constraint_of, marks_are_whole
from oomadvisor.infer.tunables import SCALE_FACTOR, pages_by_node
from oomadvisor.kernel.family import Family
from oomadvisor.kernel.gfp import Gfp, TaskContext
from oomadvisor.kernel.marks import DEFAULT_SCALE_FACTOR
from oomadvisor.kernel.watermark import ONE_KIND, ORDINARY, FreeKinds, Privileges
from oomadvisor.kernel.zonelist import class_zone_index
from oomadvisor.model import Mark, Operation, SystemState, Tunable, Zone
from oomadvisor.model.state import MIN_FREE_KBYTES

GFP_KERNEL = int(Gfp.GFP_KERNEL)


@dataclass(frozen=True, slots=True)
class ZoneSnapshot:
    """A zone as the watermark test sees it. All in pages; ``blocks`` is indexed by order.

    ``free`` is the zone's counter, which can differ from the sum of ``blocks`` (drift, counter bug): the test reads
    both. ``reserve`` is the reserve against the request's class zone. ``kinds``: what of the free pages later kernels
    keep apart. ``boost``: what the marks hold beyond the setting (5.0).
    """

    name: str
    node: int
    index: int
    present: int
    free: int
    blocks: tuple[int, ...]
    mark_min: int
    mark_low: int
    mark_high: int
    reserve: int
    kinds: FreeKinds = ONE_KIND
    boost: int = 0

    def mark(self, mark: Mark) -> int:
        return {"min": self.mark_min, "low": self.mark_low, "high": self.mark_high}[mark]

    @property
    def listed(self) -> int:
        """Pages in the free lists."""
        return sum(count << order for order, count in enumerate(self.blocks))

    def with_blocks(self, blocks: tuple[int, ...]) -> "ZoneSnapshot":
        """Return the zone with other lists; the counter moves by the same number of pages."""
        listed = sum(count << order for order, count in enumerate(blocks))
        return replace(self, blocks=blocks, free=self.free + listed - self.listed)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a request is tested against. ``zones`` are the eligible ones, first tried first (page_alloc.c: zonelist).

    ``zone_names``/``present`` describe the whole build, lowest zone first, because marks and reserves are computed from
    all zones (since 3.9 ``present`` holds the managed pages, as the kernel counts with those). ``family`` holds the
    functions of this kernel. ``min_free_kbytes`` is the setting behind the marks as smallest and largest possible
    value, None where it is not known. ``gfp_mask`` and ``realtime`` decide how deep the request may go below MIN, and
    whether it may take CMA pages. ``present`` is that of ``node``; ``elsewhere``: the other nodes and the same of them,
    which share in min_free_kbytes. ``whole``: no zone that shares in it is missing in the report, so marks can be
    computed. ``assumed``: what is taken for granted that the report does not tell.
    """

    zones: tuple[ZoneSnapshot, ...]
    zone_names: tuple[str, ...]
    present: tuple[int, ...]
    class_zone_index: int
    family: Family
    bits: int
    smp: bool
    cpus: int = 1
    realtime: bool = False
    gfp_mask: int = GFP_KERNEL
    min_free_kbytes: tuple[int, int] | None = None
    scale_factor: int = DEFAULT_SCALE_FACTOR
    page_kb: int = 4
    node: int = 0
    elsewhere: tuple[tuple[int, tuple[int, ...]], ...] = ()
    whole: bool = True
    assumed: str | None = None

    def privileges(self, mark: Mark) -> Privileges:
        """Return what an attempt at ``mark`` may do beyond an ordinary one: nothing but at MIN, CMA pages at LOW too.

        The fast path (LOW) and the last look before a kill (HIGH) drop the privileges, whatever the mask
        (mm/page_alloc.c: __alloc_pages_nodemask, __alloc_pages_may_oom, 2.6.31).
        """
        if mark == "high":
            return ORDINARY
        # Of order 0 the flag for high-atomic pageblocks decides nothing, so it need not be told apart.
        at_min = _slow_privileges(self.family, self.gfp_mask, 1, TaskContext(rt=self.realtime))
        return at_min if mark == "min" else Privileges(cma=at_min.cma)

    @property
    def pages_by_node(self) -> dict[int, tuple[int, ...]]:
        """Pages that marks and reserves are computed from, by node, as ``present``."""
        return {self.node: self.present, **dict(self.elsewhere)}

    def place(self, zone: ZoneSnapshot) -> int:
        """Return where a zone stands among those of all nodes, one node after another as in ``pages_by_node``."""
        nodes = (self.node, *(node for node, _ in self.elsewhere))
        return nodes.index(zone.node) * len(self.zone_names) + zone.index

    @property
    def all_pages(self) -> int:
        """The same of all zones of all nodes together."""
        return sum(map(sum, self.pages_by_node.values()))

    def with_zones(self, zones: tuple[ZoneSnapshot, ...]) -> "Snapshot":
        return replace(self, zones=zones)


@lru_cache(maxsize=64)
def _slow_privileges(family: Family, gfp_mask: int, order: int, context: TaskContext) -> Privileges:
    return family.slow_privileges(gfp_mask, order, context)


def asked_by(snap: Snapshot, operation: Operation) -> Snapshot:
    """Return the snapshot as the blocks of ``operation`` are tested. (All blocks of an operation have one mask.)"""
    mask = operation.steps[0].gfp_mask
    return snap if mask == snap.gfp_mask else replace(snap, gfp_mask=snap.family.translated(mask))


def snapshot(state: SystemState, operation: Operation | None = None, family: Family | None = None) -> Snapshot | None:
    """Return what the allocator's test of the request needs, or None when the report lacks it.

    ``operation``: another than that of the request, whose mask may allow other zones. ``family``: one of the
    arithmetics that the kernel can have; else the oldest.

    Needed are a kernel whose functions are known and, for every eligible zone: free counter, free lists, marks and the
    reserve against the class zone; since 4.4 the kinds of the free blocks, for more than a page. A zone that lacks one
    of them makes the whole answer unknowable, because the request may be served from it. So does a limit to some nodes
    of several that the report does not name.
    """
    index, mask = state.class_zone_index, state.incident.request.gfp_mask
    family = family or family_of(state.kernel, state.incident)
    if family is None or not state.zones:
        return None
    if operation is not None and operation.steps[0].gfp_mask != mask:
        mask = family.translated(operation.steps[0].gfp_mask)
        index = _class_zone(state, family, mask)
    pages = pages_by_node(family, state.zones, state.build.zone_names)
    if index is None or not pages or _limited_unknown(state, family, mask):
        return None
    allowed = allowed_nodes(state.incident)
    order = state.incident.request.order or 0
    zones = []
    for zone in reversed(state.zones):
        if zone.index > index or zone.present_pages == 0 or (allowed is not None and zone.node not in allowed):
            continue
        if (
            zone.free_pages is None
            or zone.free_blocks is None
            or zone.marks is None
            or zone.present_pages is None
            or zone.reserve_pages is None
            or index >= len(zone.reserve_pages)
            or (family.test.scans and order > 0 and zone.block_types is None and any(zone.free_blocks[order:]))
        ):
            return None
        zones.append(
            ZoneSnapshot(
                name=zone.name,
                node=zone.node,
                index=zone.index,
                present=zone.present_pages,
                free=zone.free_pages,
                blocks=zone.free_blocks,
                mark_min=zone.marks.min,
                mark_low=zone.marks.low,
                mark_high=zone.marks.high,
                reserve=zone.reserve_pages[index],
                kinds=_kinds(zone, family),
                boost=zone.boost_pages or 0,
            )
        )
    if not zones:
        return None
    factor = state.tunables.get(SCALE_FACTOR)
    return Snapshot(
        zones=tuple(zones),
        zone_names=state.build.zone_names,
        present=next(iter(pages.values())),
        class_zone_index=index,
        family=family,
        bits=state.build.word_bits,
        smp=bool(state.build.smp),
        cpus=state.build.cpus_seen or 1,
        gfp_mask=family.translated(GFP_KERNEL) if mask is None else mask,
        min_free_kbytes=_interval(state.tunables.get(MIN_FREE_KBYTES)),
        scale_factor=factor.low if factor is not None and factor.low is not None else DEFAULT_SCALE_FACTOR,
        page_kb=state.page_kb,
        node=next(iter(pages)),
        elsewhere=tuple(pages.items())[1:],
        whole=marks_are_whole(state.incident, state.build.zone_names),
    )


def _limited_unknown(state: SystemState, family: Family, mask: int | None) -> bool:
    """Return whether the request was limited to nodes that the report does not name, on a box with several.

    __GFP_THISNODE asks for the node of the CPU, which no report tells.
    """
    if not state.build.numa:
        return False
    if mask is not None and mask & family.gfp_bits.get("__GFP_THISNODE", 0):
        return True
    return constraint_of(state.incident) is not None and allowed_nodes(state.incident) is None


def _class_zone(state: SystemState, family: Family, gfp_mask: int) -> int | None:
    names = state.build.zone_names
    populated = [any(z.index == index and z.present_pages for z in state.zones) for index in range(len(names))]
    try:
        return class_zone_index(names, populated, family.gfp_zone(gfp_mask, names))
    except ValueError:
        return None


def snapshots(state: SystemState, operation: Operation | None = None) -> tuple[Snapshot, ...]:
    """Return what the test needs under every arithmetic that the kernel can have, the oldest first, each test once.

    Empty when the report lacks what one of them needs. There is one where the release is known, but for kernels of
    which it is not known whether they took a change over, and for 6.12 and later when high-atomic pageblocks are
    reserved: how many of their pages are free, most of these kernels do not print.
    """
    found: dict[tuple[object, ...], Snapshot] = {}
    for family in families_of(state.kernel, state.incident):
        snap = snapshot(state, operation, family)
        if snap is None:
            return ()
        key = family.test, snap.privileges("min")
        found.setdefault(key, snap)
        none_free = tuple(replace(z, kinds=z.kinds._replace(highatomic=0)) for z in snap.zones)
        if family.test.letter == "J" and none_free != snap.zones and not _free_highatomic_printed(state):
            assumed = "if no page reserved for large atomic requests is free"
            other = replace(snap, zones=none_free, assumed=assumed)
            found.setdefault((*key, assumed), other)
    return tuple(found.values())


def _free_highatomic_printed(state: SystemState) -> bool:
    return any("free_highatomic" in zone.other_pages for zone in state.zones)


def _kinds(zone: Zone, family: Family) -> FreeKinds:
    """Return what of a zone's free pages the kernel keeps apart, as far as the report prints it.

    ``reserved_highatomic`` (5.6) is the size of the pageblocks. 6.12 asks for the free pages in them, which only later
    kernels print: then no more than that is taken off.
    """
    if family.test.cma == "not counted":
        return ONE_KIND
    free = zone.other_pages.get("free_highatomic")
    reserved = zone.reserved_highatomic_pages or 0
    return FreeKinds(
        lists=zone.block_types if family.test.scans else None,
        cma=zone.free_cma_pages or 0,
        highatomic=free if family.test.letter == "J" and free is not None else reserved,
    )


def _interval(setting: Tunable | None) -> tuple[int, int] | None:
    if setting is None or setting.low is None or setting.high is None:
        return None
    return setting.low, setting.high
