"""From one incident and what was given beside it to a SystemState: what follows from the numbers, and how it follows.

Everything here is an interval or carries its reason; nothing is guessed. The kernel's own formulas are inverted
(marks → min_free_kbytes, reserves → lowmem_reserve_ratio, per-cpu limits → percpu_pagelist_fraction).
"""

from typing import TYPE_CHECKING

from oomadvisor import knowledge
from oomadvisor.kernel.marks import min_free_kbytes_interval
from oomadvisor.kernel.percpu import fraction_interval, pageset
from oomadvisor.kernel.reserve import ratio_interval
from oomadvisor.kernel.series import functions_for
from oomadvisor.kernel.zonelist import class_zone_index
from oomadvisor.model import (
    Build,
    Incident,
    KernelRelease,
    Memory,
    Operation,
    OperationStep,
    Origin,
    ProcState,
    Request,
    Swap,
    SystemState,
    Tunable,
    Warning_,
    Zone,
)
from oomadvisor.model.state import LOWMEM_RESERVE_RATIO, MIN_FREE_KBYTES

if TYPE_CHECKING:
    from oomadvisor.parse import SysctlDump

FRACTION = "vm.percpu_pagelist_fraction"
ZONE_ORDER = ("DMA", "DMA32", "Normal", "HighMem", "Movable")
EXACT_SERIES = (2, 6, 31)
ARM_FORMS = frozenset({"backtrace-arm", "trailer-arm"})
LARGEST_ORDER = 30  # far above any MAX_ORDER (9 to 20 in practice)
SAME_TEST_SINCE = (2, 6, 28)


def build_state(
    incident: Incident,
    *,
    sysctls: "SysctlDump | None" = None,
    proc: ProcState | None = None,
    kernel: str | None = None,
) -> SystemState:
    """Return everything that is known about the box at the moment of ``incident``.

    ``sysctls`` and ``proc`` refine the picture; where they contradict what the report proves, both stay and a warning
    names them. ``kernel`` is used when the log does not say (and is reported when the log says otherwise).
    """
    proc = proc or ProcState()
    incident = _possible(_with_arch(incident))
    warnings: list[Warning_] = [*incident.warnings, *proc.warnings]
    release = _release(incident, proc, kernel, warnings)
    node = _node_in_question(incident)
    zone_names = _zone_names(incident, node)
    zones = tuple(
        zone.model_copy(update={"index": zone_names.index(zone.name)})
        for zone in sorted((z for z in incident.zones if z.node == node), key=lambda z: _rank(z.name))
        if zone.name in zone_names
    )
    build = _build(incident, zones, zone_names)
    flags, class_zone, class_index = _mask(incident.request, zones, zone_names, release)
    site = knowledge.call_site_of(frozenset(frame.symbol for frame in incident.backtrace))
    operation = _operation(incident, site)
    tunables = _tunables(incident, zones, zone_names, release, build)
    if sysctls is not None or proc.sysctls:
        tunables, contradictions = _observed(tunables, sysctls, proc)
        warnings += contradictions
    swap = _swap(incident, proc)
    return SystemState(
        incident=incident,
        kernel=release,
        build=build,
        zones=zones,
        memory=_memory(incident, proc),
        swap=swap,
        tunables=tunables,
        proc=proc,
        gfp_flags=flags,
        class_zone=class_zone,
        class_zone_index=class_index,
        operation=operation,
        workload=_workload(incident, operation),
        call_site=site.id if site else None,
        warnings=tuple(warnings),
    )


def state_from_proc(proc: ProcState, *, sysctls: "SysctlDump | None" = None, kernel: str | None = None) -> SystemState:
    """Return the state of a box of which only /proc files are known: an incident of kind ``mem-info`` without a
    request.
    """
    file = proc.files[0] if proc.files else "-"
    incident = Incident(kind="mem-info", file=file, line=1, last_line=1, zones=proc.zones, missing=("header",))
    return build_state(incident, sysctls=sysctls, proc=proc, kernel=kernel)


# --- which kernel, which zones -----------------------------------------------------------------------------------


def _release(incident: Incident, proc: ProcState, option: str | None, warnings: list[Warning_]) -> KernelRelease:
    """Return the kernel: from the log, else /proc/version, else --kernel, else what the forms of the lines allow."""
    found: list[KernelRelease] = []
    if incident.kernel_release and knowledge.version_tuple(incident.kernel_release):
        text = incident.kernel_release
        found.append(KernelRelease(version=knowledge.version_tuple(text), text=text, source="log"))
    if proc.version:
        words = proc.version.split()
        text = words[2] if words[:2] == ["Linux", "version"] and len(words) > 2 else proc.version
        if knowledge.version_tuple(text):
            found.append(KernelRelease(version=knowledge.version_tuple(text), text=text, source="proc"))
    if option:
        found.append(KernelRelease(version=knowledge.version_tuple(option), text=option, source="option"))
    if found:
        first = found[0]
        for other in found[1:]:
            shared = min(len(first.version), len(other.version), 3)
            if first.version[:shared] != other.version[:shared]:
                warnings.append(
                    Warning_(
                        code="kernel-contradiction",
                        text=f"the kernel is {first.text} by {_said_by(first)} and {other.text} by {_said_by(other)}; "
                        f"the first is used",
                    )
                )
        return first
    oldest, newest = _versions_shown(incident)
    if oldest is None or newest is None:
        text = "unknown" if oldest is None else f"{'.'.join(map(str, oldest))} or later"
        return KernelRelease(version=(), text=text, source="unknown")
    text = ".".join(map(str, newest))
    if newest[:3] != oldest[:3]:
        text = f"{'.'.join(map(str, oldest))}–{text}"
    if newest[:3] == EXACT_SERIES and oldest[:3] >= SAME_TEST_SINCE:
        # The test, the marks and the reserves are the same arithmetic in all of them (one family, 2.6.12 to 2.6.37).
        return KernelRelease(version=EXACT_SERIES, newest=newest, text=text, source="forms")
    return KernelRelease(version=oldest, newest=newest, text=text, source="forms")


def _said_by(release: KernelRelease) -> str:
    return {"log": "the log", "proc": "/proc/version", "option": "--kernel"}.get(release.source, release.source)


def _versions_shown(incident: Incident) -> tuple[tuple[int, ...] | None, tuple[int, ...] | None]:
    """Narrow the version: by the kernels that print the forms of these lines, and that have the functions traced.

    Returns oldest and newest, each None when nothing bounds it; (None, None) when the two contradict each other.
    """
    from oomadvisor.parse import versions_of_forms

    symbols = {frame.symbol for frame in incident.backtrace}
    ranges = [versions_of_forms(incident.forms)]
    ranges += [(s.since, s.until) for s in knowledge.version_symbols() if s.name in symbols]
    oldest = max((since for since, _ in ranges if since is not None), default=None)
    newest = min((until for _, until in ranges if until is not None), default=None)
    if oldest is not None and newest is not None and oldest[: len(newest)] > newest:
        return None, None
    return oldest, newest


def _with_arch(incident: Incident) -> Incident:
    """Name the architecture where only it prints such lines (arch/arm: dump_backtrace_entry, show_mem)."""
    if incident.arch is None and ARM_FORMS & set(incident.forms):
        return incident.model_copy(update={"arch": "arm"})
    return incident


def _possible(incident: Incident) -> Incident:
    """Take an order away that no kernel can be asked for: it is damage, and what it was is unknown."""
    order = incident.request.order
    if order is None or -1 <= order <= LARGEST_ORDER:
        return incident
    warning = Warning_(
        code="impossible-value",
        text=f"order {order} is impossible (-1 to {LARGEST_ORDER} were expected); the order is taken as unknown",
        origin=incident.origin("request"),
    )
    request = incident.request.model_copy(update={"order": None})
    return incident.model_copy(update={"request": request, "warnings": (*incident.warnings, warning)})


def _node_in_question(incident: Incident) -> int:
    """Return the node whose zones are judged: the only one, or the first (a NUMA report names none)."""
    return min((zone.node for zone in incident.zones), default=0)


def _rank(name: str) -> int:
    return ZONE_ORDER.index(name) if name in ZONE_ORDER else len(ZONE_ORDER)


def _zone_names(incident: Incident, node: int) -> tuple[str, ...]:
    """Return the zones of the build, lowest first.

    Populated zones are printed; the number of values after ``lowmem_reserve[]:`` is the number of zones that the build
    has (page_alloc.c: show_free_areas), which tells whether an empty HighMem is among them.
    """
    printed = sorted({z.name for z in incident.zones if z.node == node and z.name in ZONE_ORDER}, key=_rank)
    slots = max((len(z.reserve_pages) for z in incident.zones if z.reserve_pages), default=0)
    names = list(printed)
    if names and "Movable" not in names and len(names) < slots:
        names.append("Movable")
    candidates = ["HighMem", "Normal", "DMA"] if "DMA32" not in names else ["Normal", "DMA"]
    for candidate in candidates:
        if len(names) < slots and candidate not in names and _below_is_possible(candidate, printed):
            names.append(candidate)
    return tuple(sorted(names, key=_rank))


def _below_is_possible(candidate: str, printed: list[str]) -> bool:
    return candidate == "HighMem" or _rank(candidate) > _rank(printed[0]) if printed else False


def _build(incident: Incident, zones: tuple[Zone, ...], names: tuple[str, ...]) -> Build:
    cpus = {row.cpu for row in incident.percpu}
    orders = [len(z.free_blocks) for z in zones if z.free_blocks]
    slots = any(z.reserve_pages for z in zones)
    return Build(
        page_kb=incident.page_kb,
        max_order=max(orders, default=None),
        highmem="HighMem" in names if slots or "HighMem" in names else None,
        smp=len(cpus) > 1 if cpus else None,
        cpus_seen=len(cpus) or None,
        numa=len({z.node for z in incident.zones}) > 1 if incident.zones else None,
        word_bits=64 if incident.arch in ("x86_64", "arm64", "ppc64", "s390", "s390x", "ia64", "mips64") else 32,
        zone_names=names,
    )


# --- the request -------------------------------------------------------------------------------------------------


def _mask(
    request: Request, zones: tuple[Zone, ...], names: tuple[str, ...], release: KernelRelease
) -> tuple[tuple[str, ...], str | None, int | None]:
    """Return the names of the mask, and the class zone where the mask's bits are known to mean what 2.6.31 means."""
    if request.gfp_mask is None:
        return request.gfp_names, None, None
    family = functions_for(release.version)
    flags = family.flag_names(request.gfp_mask) if family and not request.gfp_names else request.gfp_names
    if family is None or not names:
        return flags, None, None
    populated = [any(z.index == i and z.present_pages != 0 for z in zones) for i in range(len(names))]
    highest = family.gfp_zone(request.gfp_mask, names)
    if highest not in names:
        return flags, None, None
    try:
        index = class_zone_index(names, populated, highest)
    except ValueError:
        return flags, None, None
    return flags, names[index], index


def _operation(incident: Incident, site: "knowledge.CallSite | None") -> Operation | None:
    """Return what the task was doing. Without a telling backtrace it is the one request that the report names."""
    order = incident.request.order
    if order is None or order < 0:
        return None
    known = knowledge.operations(incident.arch)
    if site is not None and site.operation in known:
        operation = known[site.operation]
        if order in operation.orders:
            return operation
    return Operation(
        id=f"order-{order}",
        title=f"one request of {incident.page_kb << order} kB" if order else "one page",
        source="the report's own request",
        steps=(
            OperationStep(
                order=order,
                gfp_mask=incident.request.gfp_mask or 0,
                what=site.what if site else "one block",
                source=site.source if site else "the report's own request",
            ),
        ),
    )


def _workload(incident: Incident, operation: Operation | None) -> Operation | None:
    """Return what must work for the box to be cured: what it does all day, where that is more than the one request."""
    if operation is None:
        return None
    name = knowledge.workload_of(operation.id)
    return knowledge.operations(incident.arch).get(name, operation) if name else operation


# --- tunables ----------------------------------------------------------------------------------------------------


def _tunables(
    incident: Incident, zones: tuple[Zone, ...], names: tuple[str, ...], release: KernelRelease, build: Build
) -> dict[str, Tunable]:
    """Return the tunables that the report proves, as intervals. Only for a series whose formulas are known exactly."""
    family = functions_for(release.version)
    if family is None or not zones or any(z.present_pages is None for z in zones):
        return {}
    present = [0] * len(names)
    by_index: dict[int, Zone] = {}
    for zone in zones:
        present[zone.index] = zone.present_pages or 0
        by_index[zone.index] = zone
    numa = bool(build.numa)
    found: dict[str, Tunable] = {}
    default = None if numa else family.default_min_free_kbytes(names, present)
    if any(z.marks for z in zones) and not numa:
        marks = [by_index[i].marks if i in by_index else None for i in range(len(names))]
        interval = min_free_kbytes_interval(
            names,
            present,
            [m.min if m else None for m in marks],
            [m.low if m else None for m in marks],
            [m.high if m else None for m in marks],
        )
        if interval is not None:
            found[MIN_FREE_KBYTES] = Tunable(
                name=MIN_FREE_KBYTES,
                low=interval[0],
                high=interval[1],
                source="inferred",
                basis="the only values that give the printed marks (page_alloc.c: setup_per_zone_wmarks)",
                default=default,
                origin=incident.origin(f"zones.{zones[0].node}.{zones[0].name}"),
            )
    if any(z.reserve_pages for z in zones):
        defaults = family.default_ratios(names)
        for zone in zones:
            if zone.index >= len(defaults) or zone.reserve_pages is None or len(zone.reserve_pages) != len(names):
                continue
            if not any(present[zone.index + 1 :]):
                continue
            ratios = ratio_interval(present, zone.index, zone.reserve_pages)
            if ratios is not None:
                name = f"{LOWMEM_RESERVE_RATIO}[{zone.name}]"
                found[name] = Tunable(
                    name=name,
                    low=ratios[0],
                    high=ratios[1],
                    source="inferred",
                    basis="the only ratios that give the printed lowmem_reserve[] row "
                    "(page_alloc.c: setup_per_zone_lowmem_reserve)",
                    default=defaults[zone.index],
                    origin=incident.origin(f"zones.{zone.node}.{zone.name}.reserve"),
                )
    fraction = _fraction(incident, zones)
    if fraction is not None:
        found[FRACTION] = fraction
    return found


def _fraction(incident: Incident, zones: tuple[Zone, ...]) -> Tunable | None:
    """Infer percpu_pagelist_fraction: 0 (never set) when every per-cpu line shows the boot-time size."""
    rows = []
    for row in incident.percpu:
        zone = next((z for z in zones if z.name == row.zone and z.node == row.node), None)
        if zone is not None and zone.present_pages:
            rows.append((row, zone.present_pages))
    if not rows:
        return None
    origin = incident.origin(f"zones.{rows[0][0].node}.{rows[0][0].zone}.percpu")
    if all((r.high_pages, r.batch_pages) == tuple(pageset(present)) for r, present in rows):
        return Tunable(
            name=FRACTION,
            low=0,
            high=0,
            source="inferred",
            basis="per-cpu lists have their boot-time size (page_alloc.c: zone_batchsize, setup_pageset)",
            default=0,
            origin=origin,
        )
    low, high = 8, 2**31 - 1
    for r, present in rows:
        interval = fraction_interval(present, r.high_pages, r.batch_pages)
        if interval is None:
            return None
        low, high = max(low, interval[0]), min(high, interval[1])
    if low > high:
        return None
    return Tunable(
        name=FRACTION,
        low=low,
        high=high,
        source="inferred",
        basis="the only fractions that give the printed per-cpu limits (page_alloc.c: setup_pagelist_highmark)",
        default=0,
        origin=origin,
    )


def _observed(
    inferred: dict[str, Tunable], sysctls: "SysctlDump | None", proc: ProcState
) -> tuple[dict[str, Tunable], list[Warning_]]:
    """Put observed values over inferred ones, and report where the report proves that another value was in force."""
    found = dict(inferred)
    warnings: list[Warning_] = []
    values: dict[str, tuple[str, Origin | None]] = {
        name: (text, proc.origins.get(name)) for name, text in proc.sysctls.items()
    }
    if sysctls is not None:
        values |= {
            name: (value.text, Origin(file=sysctls.file, line=value.line)) for name, value in sysctls.values.items()
        }
    for name, (text, origin) in values.items():
        numbers = _numbers(text)
        if name == LOWMEM_RESERVE_RATIO and numbers is not None:
            zones = [key for key in inferred if key.startswith(LOWMEM_RESERVE_RATIO + "[")]
            for position, key in enumerate(zones):
                if position < len(numbers):
                    _compare(found, key, numbers[position], text, origin, warnings)
            found[name] = _seen(name, None, text, origin, None)
        elif numbers is not None and len(numbers) == 1:
            _compare(found, name, numbers[0], text, origin, warnings)
        else:
            found[name] = _seen(name, None, text, origin, None)
    return found, warnings


def _compare(
    found: dict[str, Tunable], name: str, value: int, text: str, origin: Origin | None, warnings: list[Warning_]
) -> None:
    """Record an observed value. When the report proves another one, the proven interval stays and a warning names
    both.
    """
    before = found.get(name)
    if before is None:
        found[name] = _seen(name, value, text, origin, None)
        return
    low, high = before.low, before.high
    if (low is not None and value < low) or (high is not None and value > high):
        proved = str(low) if low == high else f"{low} to {high if high is not None else 'any larger value'}"
        warnings.append(
            Warning_(
                code="tunable-contradiction",
                text=f"{name} is {value} in {origin}, but the report's own numbers prove {proved}: the value was "
                "changed after the report or before the file was written; the report's is used",
                origin=origin,
            )
        )
        return
    found[name] = _seen(name, value, text, origin, before.default)


def _seen(name: str, value: int | None, text: str, origin: Origin | None, default: int | None) -> Tunable:
    where = str(origin) if origin else "a /proc file"
    return Tunable(
        name=name, low=value, high=value, text=text, source="observed", basis=where, default=default, origin=origin
    )


def _numbers(text: str) -> tuple[int, ...] | None:
    words = text.split()
    if words and all(word.lstrip("-").isascii() and word.lstrip("-").isdigit() and len(word) <= 20 for word in words):
        return tuple(int(word) for word in words)
    return None


# --- memory ------------------------------------------------------------------------------------------------------


def _swap(incident: Incident, proc: ProcState) -> Swap | None:
    """Return swap as the report prints it; a /proc/meminfo fills in where the report has no line."""
    if incident.swap is not None and incident.swap.total_kb is not None:
        return incident.swap
    if proc.meminfo_kb is not None and "SwapTotal" in proc.meminfo_kb:
        return Swap(total_kb=proc.meminfo_kb["SwapTotal"], free_kb=proc.meminfo_kb.get("SwapFree"))
    if proc.swaps is not None:
        return Swap(total_kb=sum(device.size_kb for device in proc.swaps))
    return incident.swap


def _sum(*values: int | None) -> int | None:
    known = [v for v in values if v is not None]
    return sum(known) if len(known) == len(values) else None


def _memory(incident: Incident, proc: ProcState) -> Memory:
    """Say where the memory is, in pages. tmpfs/shm has no counter in 2.6.31: it is found by two independent
    differences.
    """
    counters, trailer = incident.counters, incident.trailer
    meminfo = proc.meminfo_kb or {}

    def from_meminfo(*names: str) -> int | None:
        return _sum(*(meminfo.get(name) for name in names)) if meminfo else None

    def pages(kb: int | None) -> int | None:
        return None if kb is None else kb // incident.page_kb

    anon = _sum(counters.active_anon, counters.inactive_anon) if counters else None
    file = _sum(counters.active_file, counters.inactive_file) if counters else None
    free = counters.free if counters else None
    if free is None and incident.zones and all(z.free_pages is not None for z in incident.zones):
        free = sum(z.free_pages or 0 for z in incident.zones)
    slab = (counters.slab if counters else None) or (trailer.slab_pages if trailer else None)
    reclaimable = counters.slab_reclaimable if counters else None
    unreclaimable = counters.slab_unreclaimable if counters else None
    if slab is None:
        slab = _sum(reclaimable, unreclaimable)
    if anon is None:
        anon = pages(from_meminfo("Active(anon)", "Inactive(anon)"))
    if file is None:
        file = pages(from_meminfo("Active(file)", "Inactive(file)"))
    if free is None:
        free = pages(meminfo.get("MemFree"))
    if slab is None:
        slab = pages(meminfo.get("Slab"))
    reclaimable = reclaimable if reclaimable is not None else pages(meminfo.get("SReclaimable"))
    unreclaimable = unreclaimable if unreclaimable is not None else pages(meminfo.get("SUnreclaim"))
    pagetables = counters.pagetables if counters else pages(meminfo.get("PageTables"))
    unevictable = counters.unevictable if counters else pages(meminfo.get("Unevictable"))
    cache = trailer.pagecache_pages if trailer else None
    swap_cache = incident.swap.cache_pages if incident.swap else None
    if cache is None and "Cached" in meminfo:
        cache = pages(meminfo["Cached"] + meminfo.get("Buffers", 0) + meminfo.get("SwapCached", 0))
    if swap_cache is None and "SwapCached" in meminfo:
        swap_cache = pages(meminfo["SwapCached"])
    anon_pages = _anonymous(incident, meminfo)
    low, estimate, high, basis = _shmem(incident, anon, file, unevictable, cache, swap_cache, anon_pages, meminfo)
    ram = trailer.ram_pages if trailer else None
    reserved = trailer.reserved_pages if trailer else None
    if ram is None and "MemTotal" in meminfo:
        ram, reserved = pages(meminfo["MemTotal"]), 0
    accounted = _sum(reserved, free, anon, file, slab, pagetables)
    return Memory(
        ram_pages=ram,
        reserved_pages=reserved,
        free_pages=free,
        anon_lru_pages=anon,
        file_lru_pages=file,
        unevictable_pages=unevictable,
        shmem_low_pages=low,
        shmem_pages=estimate,
        shmem_high_pages=high,
        shmem_basis=basis,
        anon_pages=anon_pages if anon_pages is not None else _difference(anon, estimate),
        pagecache_pages=cache,
        mapped_pages=counters.mapped if counters else pages(meminfo.get("Mapped")),
        slab_pages=slab,
        slab_reclaimable_pages=reclaimable,
        slab_unreclaimable_pages=unreclaimable,
        pagetable_pages=pagetables,
        swap_cache_pages=swap_cache,
        unaccounted_pages=None if ram is None or accounted is None else ram - accounted - (unevictable or 0),
    )


def _difference(whole: int | None, part: int | None) -> int | None:
    return None if whole is None or part is None else max(whole - part, 0)


def _anonymous(incident: Incident, meminfo: dict[str, int]) -> int | None:
    """Return the anonymous pages that are mapped: AnonPages, or Lab126's user pages minus user cache pages."""
    if "AnonPages" in meminfo:
        return meminfo["AnonPages"] // incident.page_kb
    vendor = incident.trailer.vendor if incident.trailer else {}
    user, cache = vendor.get("total user pages"), vendor.get("user cache pages")
    return user - cache if user is not None and cache is not None else None


def _shmem(
    incident: Incident,
    anon: int | None,
    file: int | None,
    unevictable: int | None,
    cache: int | None,
    swap_cache: int | None,
    anon_pages: int | None,
    meminfo: dict[str, int],
) -> tuple[int | None, int | None, int | None, str | None]:
    """Return tmpfs/shm pages as (low, estimate, high, basis).

    By page cache: total page cache − swap cache − file LRU; an upper bound, because mlocked file pages are in it too.
    By anonymous pages: anon LRU − mapped anonymous pages. A counter (2.6.32 and later) settles it.
    """
    counter = incident.counters.shmem if incident.counters else None
    if counter is None and "Shmem" in meminfo:
        counter = meminfo["Shmem"] // incident.page_kb
    if counter is not None:
        return counter, counter, counter, "the kernel's own shmem counter"
    by_cache = None
    if cache is not None and file is not None:
        by_cache = max(cache - (swap_cache or 0) - file, 0)
    by_anon = None if anon is None or anon_pages is None else max(anon - anon_pages, 0)
    if by_cache is not None and by_anon is not None:
        low, high = sorted((by_cache, by_anon))
        return low, by_anon, high, "page cache − file LRU, and anonymous LRU − mapped anonymous pages, both"
    if by_cache is not None:
        floor = max(by_cache - (unevictable or 0), 0)
        return (
            floor,
            by_cache,
            by_cache,
            "page cache − swap cache − file LRU (an upper bound: no shmem counter in 2.6.31)",
        )
    if by_anon is not None:
        return by_anon, by_anon, by_anon, "anonymous LRU − mapped anonymous pages"
    return None, None, None, None
