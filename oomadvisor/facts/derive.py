"""From a state to facts: all arithmetic, shares and comparisons are done here, so that rules only compare."""

from dataclasses import dataclass

from oomadvisor import knowledge
from oomadvisor.facts.kinds import (
    IncidentFact,
    KernelFact,
    MemoryFact,
    ReclaimFact,
    RequestFact,
    ReserveFact,
    SlabFact,
    Step,
    SwapFact,
    TaskFact,
    TaskTableFact,
    ThresholdFact,
    TmpfsFact,
    TunableFact,
    ZoneFact,
)
from oomadvisor.infer.arithmetic import families_of
from oomadvisor.kernel.family import Family
from oomadvisor.kernel.gfp import BITS_2_6_31
from oomadvisor.kernel.reclaim import SWAP_CLUSTER_MAX, descent_offer
from oomadvisor.model import Mark, Operation, SystemState, Thresholds, Verdict, Zone
from oomadvisor.model.state import MIN_FREE_KBYTES
from oomadvisor.rulebook.kinds import Fact
from oomadvisor.simulate import Snapshot, order_verdicts, snapshots, thresholds
from oomadvisor.simulate.change import SetRealtime, apply, with_min_free_kbytes
from oomadvisor.simulate.price import price
from oomadvisor.simulate.replay import operation_passes, zone_verdict

COSTLY_ORDER = 3
CONSTRAINTS = ("CONSTRAINT_CPUSET", "CONSTRAINT_MEMORY_POLICY", "No available memory (MPOL_BIND)")
LARGEST_MEMBERS = 20


@dataclass(frozen=True, slots=True)
class Assessment:
    """A state with its verdicts: computed once, read by facts, advice and every output.

    ``operations``: the request's operation, what the device does all day, and the other operations of the architecture
    that need the same large blocks. ``snap`` is None when the report lacks what the test needs, and when the kernel can
    be one of several whose answers differ: those are the ``alternatives``.
    """

    state: SystemState
    snap: Snapshot | None
    verdicts: tuple[Verdict, ...]
    order_verdicts: tuple[Verdict, ...]
    operations: tuple[Operation, ...]
    thresholds: tuple[Thresholds, ...]
    alternatives: tuple["Alternative", ...] = ()


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of several tests that the kernel can have, with its answers about the request's order."""

    name: str
    verdicts: tuple[Verdict, ...]


def assess(state: SystemState) -> Assessment:
    """Replay the watermark test of the state's request, and solve for the thresholds of every operation it concerns.

    Where several kernels are possible, the verdict stands if the test of each gives it, and a threshold too.
    """
    snaps = snapshots(state)
    operations = _operations(state)
    if not snaps or state.operation is None:
        return Assessment(state, None, (), (), operations, ())
    orders = state.operation.orders
    top = max(len(z.blocks) for z in snaps[0].zones) - 1
    if max(orders) > top:
        # No list can hold such a block: the kernel returns at once, and no setting changes that.
        return Assessment(state, None, (), (), operations, ())
    asked = tuple(range(min(max(*orders, state.incident.request.order or 0) + 1, top) + 1))
    ladders = [order_verdicts(snap, asked) for snap in snaps]
    if len({tuple((v.ok, v.order) for v in ladder if v.order in orders) for ladder in ladders}) > 1:
        different = tuple(
            Alternative(_name(snap), tuple(v for v in ladder if v.order in orders))
            for snap, ladder in zip(snaps, ladders, strict=True)
        )
        return Assessment(state, None, (), (), operations, (), different)
    one_of_each = {operation.orders: operation for operation in operations}
    solved = [{orders: thresholds(snap, operation) for orders, operation in one_of_each.items()} for snap in snaps]
    rows = solved[0]
    return Assessment(
        state=state,
        snap=snaps[0],
        verdicts=tuple(v for v in ladders[0] if v.order in orders),
        order_verdicts=ladders[0],
        operations=operations,
        thresholds=tuple(
            row.model_copy(update={"operation": operation.id})
            for operation in operations
            for row in rows[operation.orders]
            if all(row in other[operation.orders] for other in solved)
        ),
    )


def _name(snap: Snapshot) -> str:
    """Name a test by the release that brought it, and what is assumed."""
    name = f"the test of {snap.family.test.since} on"
    if snap.family.test.any_list:
        name += " (before its fix of 4.15)"
    return f"{name} {snap.assumed}" if snap.assumed else name


def _operations(state: SystemState) -> tuple[Operation, ...]:
    """Return the operations that matter here, the request's own first, each once."""
    if state.operation is None:
        return ()
    found = {state.operation.id: state.operation}
    known = knowledge.operations(state.incident.arch)
    if state.operation.id in known:
        for operation in known.values():
            if max(operation.orders) >= max(state.operation.orders):
                found.setdefault(operation.id, operation)
    return tuple(found.values())


def facts_of(assessment: Assessment) -> list[Fact]:
    """Return the facts of a state, in a fixed order."""
    state = assessment.state
    facts: list[Fact] = [_incident(state), _kernel(state)]
    request = _request(assessment)
    if request is not None:
        facts.append(request)
    facts += _zones(assessment)
    facts.append(_memory(state))
    reclaim = _reclaim(state)
    if reclaim is not None:
        facts.append(reclaim)
    swap = _swap(state)
    if swap is not None:
        facts.append(swap)
    facts += _tunables(state)
    if assessment.snap is not None:
        facts.append(_threshold(assessment))
        reserve = _reserve(assessment.snap, state)
        if reserve is not None:
            facts.append(reserve)
    facts += _tasks(state)
    facts += _slabs(state)
    facts += _tmpfs(state)
    return facts


def permille(part: int | None, whole: int | None) -> int | None:
    """Return part / whole in permille, rounded; None when one is unknown or the whole is not positive."""
    if part is None or whole is None or whole <= 0:
        return None
    return (part * 1000 + whole // 2) // whole


def _incident(state: SystemState) -> IncidentFact:
    incident = state.incident
    killed = next((k for k in reversed(incident.kills) if k.kind == "killed"), None)
    chosen = next((k for k in incident.kills if k.kind == "chosen"), None)
    victim = killed or chosen
    request = incident.request
    return IncidentFact(
        origin=incident.origin("request"),
        type=incident.kind,
        has_memory_report=any(z.free_pages is not None and z.marks is not None for z in incident.zones),
        has_blocks=any(z.free_blocks is not None for z in incident.zones),
        killed=victim.name if victim else None,
        killed_pid=victim.pid if victim else None,
        panicked=incident.kind == "oom-panic" or any(k.kind == "panic" for k in incident.kills),
        score=next((k.score for k in incident.kills if k.score is not None), None),
        cgroup=incident.memcg.limit_path if incident.memcg else None,
        cgroup_usage_kb=incident.memcg.usage_kb if incident.memcg else None,
        cgroup_limit_kb=incident.memcg.limit_kb if incident.memcg else None,
        constraint=any(k.message in CONSTRAINTS for k in incident.kills),
        page_fault=request.gfp_mask == 0 and request.order == 0 and incident.kind == "oom",
    )


def _kernel(state: SystemState) -> KernelFact:
    build, families = state.build, families_of(state.kernel, state.incident)
    return KernelFact(
        origin=state.incident.origin("kernel"),
        release=state.kernel.text,
        known=state.kernel.source in ("log", "proc", "option"),
        exact=bool(families),
        measured=any(family.measured for family in families),
        arch=state.incident.arch,
        max_order=build.max_order,
        largest_block_kb=None if build.max_order is None else build.page_kb << (build.max_order - 1),
        highmem=build.highmem,
        smp=build.smp,
        zones=len(build.zone_names) or None,
    )


def _request(assessment: Assessment) -> RequestFact | None:
    state, snap = assessment.state, assessment.snap
    asked = state.incident.request
    if asked.order is None or asked.order < 0:
        return None
    order, mask = asked.order, asked.gfp_mask
    families = families_of(state.kernel, state.incident)
    names = " ".join(state.gfp_flags)
    site = next((s for s in knowledge.call_sites() if s.id == state.call_site), None)
    operation, workload = state.operation, state.workload
    decided = snap is not None
    waits = _bit(mask, families, ("__GFP_WAIT", "__GFP_DIRECT_RECLAIM"), names, MAY_WAIT)

    def some(mark: Mark, wanted: int) -> bool | None:
        return operation_passes(snap, (wanted,), mark) if snap is not None else None

    largest = None
    if snap is not None:
        top = max(len(z.blocks) for z in snap.zones)
        largest = next((o for o in reversed(range(top)) if operation_passes(snap, (o,), "high")), -1)
    default = state.tunables[MIN_FREE_KBYTES].default if MIN_FREE_KBYTES in state.tunables else None
    return RequestFact(
        origin=state.incident.origin("request"),
        key=f"order {order}",
        order=order,
        block_kb=state.page_kb << order,
        block_pages=1 << order,
        order_halvings=order,
        gfp=names or None,
        gfp_hex=None if mask is None else hex(mask),
        may_wait=waits,
        may_fs=_bit(mask, families, ("__GFP_FS",), names, MAY_FS),
        atomic=None if waits is None else not waits,
        dma_only=None if mask is None else mask & 0xF in (1, 9),
        movable=_movable(mask, families),
        costly=order > COSTLY_ORDER and not (families and all(family.kills.costly for family in families)),
        class_zone=state.class_zone,
        comm=asked.comm,
        has_backtrace=bool(state.incident.backtrace),
        call_site=state.call_site,
        group=site.group if site else None,
        what=site.what if site else None,
        operation=operation.id if operation else None,
        operation_title=operation.title if operation else None,
        operation_blocks=len(operation.steps) if operation else None,
        workload=workload.id if workload else None,
        workload_title=workload.title if workload else None,
        workload_orders=", ".join(map(str, workload.orders)) if workload else None,
        decided=decided,
        eligible_zones=", ".join(z.name for z in snap.zones) if snap is not None else None,
        passes_min=some("min", order),
        passes_low=some("low", order),
        passes_high=None if waits is False else some("high", order),
        order0_passes_min=some("min", 0),
        order0_passes_high=some("high", 0),
        largest_passing_order=largest,
        passes_high_at_default=(
            operation_passes(with_min_free_kbytes(snap, default), (order,), "high")
            if snap is not None and default is not None
            else None
        ),
        realtime_passes_min=(
            operation_passes(apply(snap, SetRealtime()), (order,), "min") if snap is not None else None
        ),
        suitable_blocks=sum(sum(z.blocks[order:]) for z in snap.zones) if snap is not None else None,
    )


MAY_FS = ("GFP_KERNEL", "GFP_USER", "GFP_HIGHUSER")
MAY_WAIT = (*MAY_FS, "GFP_NOFS", "GFP_NOIO")
OLD_MASKS = 0x3FFFFF


def _bit(
    mask: int | None, families: tuple[Family, ...], bits: tuple[str, ...], names: str, composites: tuple[str, ...]
) -> bool | None:
    """Return whether a mask allows something: by the bit where the kernel is known, by printed names elsewhere.

    A mask without bits above 0x3fffff, of a kernel that is not known, is read as one of the kernels before 4.4.
    """
    if mask is not None and families:
        answers = {any(mask & family.gfp_bits.get(bit, 0) for bit in bits) for family in families}
        return answers.pop() if len(answers) == 1 else None
    if names:
        words = set(names.replace("|", " ").split())
        return any(word.startswith(composites) for word in words)
    if mask is None or mask > OLD_MASKS:
        return None
    return any(mask & BITS_2_6_31.get(bit, 0) for bit in bits)


def _movable(mask: int | None, families: tuple[Family, ...]) -> bool | None:
    if mask is None:
        return None
    answers = {family.mobility(mask) for family in families} - {None}
    return answers == {"Movable"} if len(answers) == 1 else None


def _zones(assessment: Assessment) -> list[ZoneFact]:
    """Return the zones, those that are tried first first, then those that the request may not use."""
    state, snap = assessment.state, assessment.snap
    eligible = [z.name for z in snap.zones] if snap is not None else []
    index = state.class_zone_index
    ordered = sorted(
        state.zones, key=lambda z: eligible.index(z.name) if z.name in eligible else len(eligible) + z.index
    )
    return [_zone(assessment, zone, eligible, index) for zone in ordered]


def _zone(assessment: Assessment, zone: Zone, eligible: list[str], index: int | None) -> ZoneFact:
    state = assessment.state
    order = state.incident.request.order
    blocks = zone.free_blocks
    listed = None if blocks is None else sum(n << o for o, n in enumerate(blocks))
    usable = suitable = None
    if blocks is not None and order is not None and order >= 0:
        usable = sum(n << o for o, n in enumerate(blocks) if o >= order)
        suitable = sum(blocks[order:])
    largest = None if blocks is None else next((o for o in reversed(range(len(blocks))) if blocks[o] > 0), -1)
    tests = {v.mark: v for v in assessment.order_verdicts if v.zone == zone.name and v.order == order}
    at_min, at_high = tests.get("min"), tests.get("high")
    scans = assessment.snap is not None and assessment.snap.family.test.scans
    reserve = None
    if zone.reserve_pages is not None and index is not None and index < len(zone.reserve_pages):
        reserve = zone.reserve_pages[index]
    return ZoneFact(
        origin=state.incident.origin(f"zones.{zone.node}.{zone.name}"),
        key=zone.name,
        name=zone.name,
        eligible=zone.name in eligible if eligible else index is None or zone.index <= index,
        preferred=bool(eligible) and zone.name == eligible[0],
        present_pages=zone.present_pages,
        present_mb=None if zone.present_pages is None else zone.present_pages * state.page_kb // 1024,
        free_pages=zone.free_pages,
        min_pages=zone.marks.min if zone.marks else None,
        low_pages=zone.marks.low if zone.marks else None,
        high_pages=zone.marks.high if zone.marks else None,
        reserve_pages=reserve,
        min=_step(tests.get("min"), scans),
        low=_step(tests.get("low"), scans),
        high=_step(tests.get("high"), scans),
        usable_pages=usable,
        suitable_blocks=suitable,
        remaining_pages=at_min.remaining_pages if at_min else None,
        bound_pages=at_min.bound_pages if at_min else None,
        short_pages=at_min.short_by_pages if at_min else None,
        bound_default_pages=_bound_at_default(assessment, zone.name),
        remaining_high_pages=at_high.remaining_pages if at_high else None,
        bound_high_pages=at_high.bound_pages if at_high else None,
        short_high_pages=at_high.short_by_pages if at_high else None,
        singles_permille=None if blocks is None else permille(blocks[0], listed),
        largest_block_kb=None if largest is None else (state.page_kb << largest if largest >= 0 else 0),
        largest_order=largest,
        counter_minus_blocks_pages=None if zone.free_pages is None or listed is None else zone.free_pages - listed,
        file_lru_pages=zone.file_lru_pages,
        anon_lru_pages=zone.anon_lru_pages,
        free_permille=permille(zone.free_pages, zone.present_pages),
        spins=_spins(zone, reserve),
    )


def _bound_at_default(assessment: Assessment, name: str) -> int | None:
    """Return what the request's last comparison at MIN would ask for with the default vm.min_free_kbytes."""
    tunable, snap = assessment.state.tunables.get(MIN_FREE_KBYTES), assessment.snap
    order = assessment.state.incident.request.order
    if snap is None or tunable is None or tunable.default is None or order is None:
        return None
    at_default = with_min_free_kbytes(snap, tunable.default)
    return next(
        (zone_verdict(at_default, z, order, "min").steps[-1].bound_pages for z in at_default.zones if z.name == name),
        None,
    )


def _spins(zone: Zone, reserve: int | None) -> bool | None:
    """Return whether kswapd's goal lies above the floor of ordinary requests here (vmscan.c: balance_pgdat)."""
    if zone.marks is None or reserve is None:
        return None
    return reserve > 0 and zone.marks.high > zone.marks.min + reserve


def _step(verdict: Verdict | None, scans: bool) -> Step:
    if verdict is None:
        return "unknown"
    if verdict.ok:
        return "passes"
    if verdict.failed_at_order == 0:
        return "fails_first_check"
    return "fails_in_free_lists" if scans else "fails_in_order_loop"


def _memory(state: SystemState) -> MemoryFact:
    memory = state.memory
    ram = memory.ram_pages
    if ram is None:
        present = [z.present_pages for z in state.incident.zones]
        ram = sum(p for p in present if p is not None) if present and None not in present else None
    singles = listed = None
    if state.incident.zones and all(z.free_blocks for z in state.incident.zones):
        singles = sum(z.free_blocks[0] for z in state.incident.zones if z.free_blocks)
        listed = sum(n << o for z in state.incident.zones for o, n in enumerate(z.free_blocks or ()))
    unmapped = None
    if memory.pagecache_pages is not None and memory.mapped_pages is not None:
        unmapped = max(memory.pagecache_pages - memory.mapped_pages, 0)
    vendor = state.incident.trailer.vendor if state.incident.trailer else {}
    return MemoryFact(
        origin=state.incident.origin("counters"),
        ram_pages=ram,
        free_pages=memory.free_pages,
        free_kb=None if memory.free_pages is None else memory.free_pages * state.page_kb,
        free_permille=permille(memory.free_pages, ram),
        anon_lru_pages=memory.anon_lru_pages,
        anon_pages=memory.anon_pages,
        anon_permille=permille(memory.anon_pages, ram),
        file_lru_pages=memory.file_lru_pages,
        file_lru_permille=permille(memory.file_lru_pages, ram),
        shmem_pages=memory.shmem_pages,
        shmem_low_pages=memory.shmem_low_pages,
        shmem_high_pages=memory.shmem_high_pages,
        shmem_permille=permille(memory.shmem_pages, ram),
        pagecache_pages=memory.pagecache_pages,
        mapped_pages=memory.mapped_pages,
        unmapped_cache_pages=unmapped,
        slab_pages=memory.slab_pages,
        slab_permille=permille(memory.slab_pages, ram),
        slab_unreclaimable_permille=permille(memory.slab_unreclaimable_pages, ram),
        pagetable_pages=memory.pagetable_pages,
        pagetable_permille=permille(memory.pagetable_pages, ram),
        unevictable_pages=memory.unevictable_pages,
        unevictable_permille=permille(memory.unevictable_pages, ram),
        unaccounted_pages=memory.unaccounted_pages,
        unaccounted_permille=permille(memory.unaccounted_pages, ram),
        singles_permille=permille(singles, listed),
        kernel_cache_pages=vendor.get("kernel cache pages"),
    )


def _reclaim(state: SystemState) -> ReclaimFact | None:
    """Return what could be taken back. Unknown without swap totals or file lists.

    Without swap only the file lists are scanned, and a list not before its share adds up to a batch of 32 pages
    (vmscan.c: get_scan_ratio, nr_scan_try_batch).
    """
    swap, file = state.swap, state.memory.file_lru_pages
    if swap is None or swap.total_kb is None or file is None:
        return None
    longest = max(_file_lists(state), default=file)
    return ReclaimFact(
        origin=state.incident.origin("counters"),
        possible=bool(reclaim_possible(state)),
        swap=swap.total_kb > 0,
        file_lru_pages=file,
        largest_file_list_pages=longest,
        largest_offer_pages=descent_offer(longest),
        batch_pages=SWAP_CLUSTER_MAX,
        anon_lru_pages=state.memory.anon_lru_pages,
    )


def reclaim_possible(state: SystemState) -> bool | None:
    """Return whether a direct reclaim could have scanned anything; None when swap or the file lists are not known.

    With swap everything can be scanned. Without, a file list is reached when its shares over the priorities 12 to 0 add
    up to a batch of 32 pages (vmscan.c: get_scan_ratio, nr_scan_try_batch, 2.6.31).
    """
    swap, file = state.swap, state.memory.file_lru_pages
    if swap is None or swap.total_kb is None or file is None:
        return None
    longest = max(_file_lists(state), default=file)
    return swap.total_kb > 0 or descent_offer(longest) >= SWAP_CLUSTER_MAX


def _file_lists(state: SystemState) -> list[int]:
    zones = state.incident.zones
    return [n for z in zones for n in (z.active_file_pages, z.inactive_file_pages) if n is not None]


def _swap(state: SystemState) -> SwapFact | None:
    swap = state.swap
    if swap is None or swap.total_kb is None:
        return None
    used = None if swap.free_kb is None else swap.total_kb - swap.free_kb
    return SwapFact(
        origin=state.incident.origin("swap"),
        present=swap.total_kb > 0,
        total_kb=swap.total_kb,
        free_kb=swap.free_kb,
        used_permille=permille(used, swap.total_kb),
    )


def _tunables(state: SystemState) -> list[TunableFact]:
    facts = []
    for name in sorted(state.tunables):
        tunable = state.tunables[name]
        low, high, default = tunable.low, tunable.high, tunable.default
        facts.append(
            TunableFact(
                origin=tunable.origin,
                key=name,
                name=name,
                low=low,
                high=high,
                default=default,
                source=tunable.source,
                above_default=None if low is None or default is None else low > default,
                below_default=None if high is None or default is None else high < default,
                of_default_permille=permille(low, default),
            )
        )
    return facts


def _threshold(assessment: Assessment) -> ThresholdFact:
    request, workload = assessment.state.operation, assessment.state.workload

    def solved(operation: Operation | None, mark: Mark, *, alone: bool = False) -> int | None:
        """Return the least over the zones each alone, or the value of the zone list; None when it was not solved."""
        values = (
            -1 if row.largest is None else row.largest
            for row in assessment.thresholds
            if operation is not None
            and row.operation == operation.id
            and (row.zone is not None) is alone
            and row.mark == mark
        )
        return min(values, default=None)

    return ThresholdFact(
        request_min_kb=solved(request, "min"),
        request_high_kb=solved(request, "high"),
        request_high_every_kb=solved(request, "high", alone=True),
        workload_min_kb=solved(workload, "min"),
        workload_high_kb=solved(workload, "high"),
    )


def _reserve(snap: Snapshot, state: SystemState) -> ReserveFact | None:
    tunable = state.tunables.get(MIN_FREE_KBYTES)
    if tunable is None or tunable.low is None:
        return None
    cost = price(snap, tunable.low)
    spinning = cost.spinning_zones
    return ReserveFact(
        origin=tunable.origin,
        atomic_pages=cost.atomic_pages,
        floor_pages=cost.floor_pages,
        above_floor_pages=cost.above_floor_pages,
        safe_burst_pages=cost.safe_burst_pages,
        spins=bool(spinning),
        spinning_zone=spinning[0] if spinning else None,
        spinning_now=any(z.name in spinning and z.free <= z.mark_high for z in snap.zones),
    )


def _tasks(state: SystemState) -> list[Fact]:
    tasks = state.incident.tasks
    if not tasks:
        return []
    ram = state.memory.ram_pages
    largest = sorted(tasks, key=lambda t: (-(t.rss_pages or 0), t.pid))[:LARGEST_MEMBERS]
    table = TaskTableFact(
        origin=state.incident.origin("tasks"),
        count=len(tasks),
        rss_pages=sum(t.rss_pages or 0 for t in tasks),
        largest_permille=permille(largest[0].rss_pages, ram),
        protected=sum(t.oom_adj in (-17, -1000) for t in tasks),
    )
    return [
        table,
        *(
            TaskFact(
                key=f"{task.name} {task.pid}",
                name=task.name,
                pid=task.pid,
                total_vm_pages=task.total_vm_pages,
                rss_pages=task.rss_pages,
                rss_permille=permille(task.rss_pages, ram),
                oom_adj=task.oom_adj,
                largest=task is largest[0],
            )
            for task in largest
        ),
    ]


def _slabs(state: SystemState) -> list[SlabFact]:
    caches = sorted(state.proc.slab, key=lambda c: (-c.pages, c.name))[:LARGEST_MEMBERS]
    return [
        SlabFact(
            key=cache.name,
            name=cache.name,
            pages=cache.pages,
            ram_permille=permille(cache.pages, state.memory.ram_pages),
            objects=cache.objects,
            object_bytes=cache.object_bytes,
            largest=cache is caches[0],
        )
        for cache in caches
    ]


def _tmpfs(state: SystemState) -> list[TmpfsFact]:
    return [
        TmpfsFact(
            key=mount.path,
            path=mount.path,
            size_kb=mount.size_kb,
            used_kb=mount.used_kb,
            ramfs=mount.fstype == "ramfs",
            limited=mount.size_kb is not None,
        )
        for mount in state.proc.mounts
        if mount.fstype in ("tmpfs", "ramfs")
    ][:LARGEST_MEMBERS]
