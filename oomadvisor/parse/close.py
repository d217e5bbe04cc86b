"""From a draft to a value: kB become pages, the kind is settled, and what is missing gets its name."""

from oomadvisor.model import Counters, Incident, IncidentKind, Marks, Request, Swap, Trailer, Warning_, Zone
from oomadvisor.parse.checks import check
from oomadvisor.parse.draft import Draft, ZoneDraft
from oomadvisor.parse.fields import COUNTERS, ZONE_SIZES
from oomadvisor.parse.forms import gfp_era
from oomadvisor.parse.lineform import compiled
from oomadvisor.parse.lines.buddy import PAGE_SIZES_KB
from oomadvisor.parse.mend import mend

DEFAULT_PAGE_KB = 4
MAX_PAGES = 1 << 32
#: include/linux/sched.h: TASK_COMM_LEN, without the NUL at the end.
MAX_COMM_BYTES = 15
#: Functions that call the OOM killer for a group. A page fault's frames say so even where the group's lines are lost.
_GROUP_FRAMES = frozenset({"mem_cgroup_out_of_memory", "mem_cgroup_oom_synchronize", "mem_cgroup_oom"})
_ARCH_NAME = r"[.\-_](x86_64|i[3-6]86|aarch64|arm64|armv\w{1,4}|armhf|ppc64le|ppc64|s390x)$"
_ARCH_FORMS = {
    "backtrace-arm": "arm",
    "backtrace-arm-short": "arm",
    "backtrace-arm-no-symbols": "arm",
    "backtrace-ppc64": "ppc64",
    "registers-x86_64": "x86_64",
    "registers-i386": "i386",
}
_SLOTS = ("DMA", "DMA32", "Normal", "HighMem", "Movable", "Device")


def close(draft: Draft, number: int) -> Incident:
    """Return the incident. Nothing is guessed: what the text did not give is ``None`` and named in ``missing``."""
    if draft.interleaved_line is not None:
        _leave_mixed_parts_out(draft)
    _doubt_cut_ends(draft)
    _settle_comm(draft)
    _note_gfp_era(draft)
    page_kb = draft.page_kb or _page_kb_by_sums(draft)
    _settle_reserves(draft)
    mend(draft, page_kb)
    zones = tuple(_zone(draft, zone, page_kb) for zone in draft.zones.values())
    # Kernels up to 2.6.18 also print zones that the machine does not have; they count for the indices only.
    zones = tuple(zone for zone in _with_indices(zones) if zone.present_pages != 0)
    counters = _counters(draft, page_kb)
    incident = Incident(
        kind=_kind(draft),
        file=draft.file,
        line=draft.line,
        last_line=draft.last_line,
        number=number,
        time=draft.time,
        kernel_release=draft.kernel_release,
        kernel_release_line=draft.kernel_release_line,
        arch=_arch(draft),
        page_kb=page_kb,
        request=Request.model_validate(draft.request),
        backtrace=tuple(draft.frames),
        percpu=tuple(draft.percpu),
        counters=counters,
        zones=zones,
        swap=Swap(**draft.swap) if draft.swap else None,
        trailer=_trailer(draft),
        tasks=tuple(draft.tasks),
        kills=tuple(draft.kills),
        killed_before=draft.killed_before,
        memcg=draft.memcg,
        forms=tuple(draft.forms),
        lines=dict(draft.lines),
    )
    check(incident, draft)
    if draft.rejoined:
        what = "1 broken line was" if len(draft.rejoined) == 1 else f"{len(draft.rejoined)} broken lines were"
        draft.warn("rejoined-lines", f"{what} put together again; the first is here.", min(draft.rejoined))
    for what, count in sorted(draft.dropped.items()):
        draft.warnings.append(Warning_(code="capped", text=f"Too many {what}: {count} were left out."))
    return incident.model_copy(update={"missing": _missing(incident), "warnings": tuple(draft.warnings)})


def _leave_mixed_parts_out(draft: Draft) -> None:
    """Take out what the lines of two reports were mixed in: a value that may be the other's is not known."""
    draft.warn(
        "interleaved",
        "The report before this one goes on between its lines, and nothing tells whose is whose: the backtrace and the "
        "memory report are left out.",
        draft.interleaved_line,
    )
    draft.frames, draft.percpu, draft.zones = [], [], {}
    draft.counters, draft.other_counters, draft.node_fields_kb = {}, {}, {}
    draft.swap, draft.trailer, draft.vendor = {}, {}, {}
    draft.page_kb = draft.last_zone = None
    draft.request.pop("pid", None)


def _doubt_cut_ends(draft: Draft) -> None:
    """Where lines were cut off at some width, others of just that width were too, though they look whole."""
    for width, name in draft.last_counters:
        if draft.is_cut(width):
            draft.counters.pop(COUNTERS.get(name) or "", None)
            draft.other_counters.pop(name, None)
    for width, take_back in draft.ends:
        if draft.is_cut(width):
            take_back(draft)
    if draft.is_cut(draft.release_width):
        draft.kernel_release = draft.kernel_release_line = None
    if draft.is_cut(draft.swap_width):
        draft.swap.pop("find_total", None)
    if draft.memcg is not None and draft.is_cut(draft.limit_width):
        draft.memcg = draft.memcg.model_copy(update={"limit_path": None})
    if draft.head is None:
        return
    form, match, line = draft.head
    if not draft.is_cut(line.width):
        return
    pid = draft.request.get("pid")
    draft.request = {} if pid is None else {"pid": pid}
    form.read(draft, match, line._replace(cut=True))
    draft.warn(
        "cut-line", f"The lines are cut off at column {line.width}, the head too; its end is left out.", line.number
    )


def _note_gfp_era(draft: Draft) -> None:
    """The same names stood for other bits in other kernels."""
    mask, names = draft.request.get("gfp_mask"), draft.request.get("gfp_names")
    if isinstance(mask, int) and isinstance(names, tuple):
        era = gfp_era(mask, names)
        if era is not None:
            draft.forms.setdefault(era)


def _settle_comm(draft: Draft) -> None:
    """Leave out a name that is too long to be one: something of another line stands before it."""
    comm = draft.request.get("comm")
    if isinstance(comm, str) and len(comm.encode("utf-8", "replace")) > MAX_COMM_BYTES:
        draft.warn(
            "impossible-value",
            f"The task's name is read as {comm[:80]!r}, longer than the {MAX_COMM_BYTES} bytes that the kernel keeps; "
            "left out.",
            draft.lines.get("request"),
        )
        del draft.request["comm"]


def _page_kb_by_sums(draft: Draft) -> int:
    """Return the page size in which the zones' kB sum to the global counters, which are pages; 4 when none does."""
    zones = draft.zones.values()
    sums: dict[str, int] = {}
    for name in ("free", "active_anon", "inactive_anon", "active_file", "inactive_file"):
        if zones and all(name in zone.fields_kb for zone in zones):
            sums[name] = sum(zone.fields_kb[name] for zone in zones)
    pairs = [(kb, draft.counters[name]) for name, kb in sums.items() if draft.counters.get(name)]
    for page_kb in PAGE_SIZES_KB:
        if pairs and all(kb == pages * page_kb for kb, pages in pairs):
            return page_kb
    return DEFAULT_PAGE_KB


def _kind(draft: Draft) -> IncidentKind:
    kills = draft.kills
    if any(kill.kind == "panic" for kill in kills):
        return "oom-panic"
    in_group = draft.memcg is not None or any((kill.message or "").startswith("Memory cgroup") for kill in kills)
    in_group = in_group or any(frame.symbol in _GROUP_FRAMES for frame in draft.frames if frame.raw[0] != "?")
    in_group = in_group or any((kill.message or "").startswith("CONSTRAINT_MEMCG") for kill in kills)
    if draft.kind in ("oom", "mem-info", "cgroup-oom") and in_group:
        return "cgroup-oom"
    if draft.kind == "mem-info" and any(kill.kind in ("chosen", "killed", "constraint") for kill in kills):
        return "oom"
    return draft.kind


def _arch(draft: Draft) -> str | None:
    """Return the architecture, where the kernel's name or a form that only one prints gives it away."""
    named = compiled(_ARCH_NAME).search(draft.kernel_release or "")
    if named is not None:
        return named.group(1)
    return next((_ARCH_FORMS[form] for form in draft.forms if form in _ARCH_FORMS), None)


def _pages(draft: Draft, kb: int, page_kb: int, what: str, line: int | None) -> int | None:
    pages, rest = divmod(kb, page_kb)
    if kb < 0 or pages > MAX_PAGES:
        draft.warn("impossible-value", f"{what} is printed as {kb} kB, which cannot be; left out.", line)
        return None
    if rest:
        draft.warn(
            "odd-kb",
            f"{what} is printed as {kb} kB, which is no multiple of the page size {page_kb} kB: "
            f"a damaged line, or another page size; {pages} pages are assumed.",
            line,
        )
    return pages


def _zone(draft: Draft, zone: ZoneDraft, page_kb: int) -> Zone:
    part = f"zones.{zone.node}.{zone.name}"
    line = draft.lines.get(part)
    pages: dict[str, int] = {}
    for name, kb in zone.fields_kb.items():
        value = _pages(draft, kb, page_kb, f"{zone.label} {name}", line)
        if value is not None:
            pages[name] = value
    marks = None
    if {"min", "low", "high"} <= pages.keys():
        marks = Marks(min=pages["min"], low=pages["low"], high=pages["high"])
    modelled = {attr: pages[name] for name, attr in ZONE_SIZES.items() if attr is not None and name in pages}
    other = {n: v for n, v in pages.items() if ZONE_SIZES[n] is None and n not in ("min", "low", "high")}
    blocks = _blocks(draft, zone, pages.get("present"))
    return Zone(
        name=zone.name,
        node=zone.node,
        marks=marks,
        reserve_pages=zone.reserves[0] if zone.reserves else None,
        free_blocks=blocks,
        block_types=zone.block_types if blocks is not None else None,
        printed_total_kb=zone.total_kb if blocks is not None else None,
        pages_scanned=zone.pages_scanned,
        all_unreclaimable=zone.all_unreclaimable,
        other_pages=other,
        **modelled,
    )


def _blocks(draft: Draft, zone: ZoneDraft, present: int | None) -> tuple[int, ...] | None:
    if zone.blocks is None:
        return None
    line = draft.lines.get(f"zones.{zone.node}.{zone.name}.blocks")
    # Present pages leave out the page structs that were charged to the zone, some of which lie in another one.
    limit = MAX_PAGES if present is None else present + present // 8 + 1024
    total = sum(count << order for order, count in enumerate(zone.blocks))
    if min(zone.blocks) < 0 or total > limit:
        known = "any machine" if present is None else f"the zone's {present} pages"
        draft.warn(
            "impossible-value",
            f"The free blocks of {zone.label} would be {total} pages, impossible for {known}; left out.",
            line,
        )
        return None
    return zone.blocks


def _settle_reserves(draft: Draft) -> None:
    """Choose among the readings of reserve lines that go on in the next line: every zone prints as many values."""
    zones = [zone for zone in draft.zones.values() if zone.reserves]
    lengths = {len(zone.reserves[0]) for zone in zones if not zone.reserve_joined}
    if not lengths and zones:
        shared = set.intersection(*({len(reserve) for reserve in zone.reserves[1:]} for zone in zones))
        lengths = shared if len(shared) == 1 else set()
    for zone in zones:
        line = draft.lines.get(f"zones.{zone.node}.{zone.name}.reserve")
        if not zone.reserve_joined:
            continue
        fitting = [reserve for reserve in zone.reserves if len(reserve) in lengths]
        if len(lengths) == 1 and len(fitting) == 1:
            zone.reserves = fitting
            draft.rejoined.append(line or draft.line)
        else:
            zone.reserves = []
            draft.warn("ambiguous-wrap", f"The broken lowmem_reserve line of {zone.label} is left out.", line)
    _leave_strange_reserves_out(draft)
    lengths = {len(zone.reserves[0]) for zone in zones if zone.reserves}
    if len(lengths) > 1:
        longest = max(lengths)
        for zone in zones:
            if zone.reserves and len(zone.reserves[0]) < longest:
                line = draft.lines.get(f"zones.{zone.node}.{zone.name}.reserve")
                draft.warn(
                    "cut-line",
                    f"lowmem_reserve of {zone.label} has {len(zone.reserves[0])} values, another zone has {longest}: "
                    "a damaged line; left out.",
                    line,
                )
                zone.reserves = []


def _leave_strange_reserves_out(draft: Draft) -> None:
    """No zone keeps a reserve against itself or a lower one; a line that says so is of another zone."""
    ranks: dict[int, int] = {}
    for zone in draft.zones.values():
        rank = ranks[zone.node] = ranks.get(zone.node, -1) + 1
        if zone.reserves and any(zone.reserves[0][: rank + 1]):
            line = draft.lines.get(f"zones.{zone.node}.{zone.name}.reserve")
            draft.warn("lost-line", f"The lowmem_reserve below {zone.label} cannot be its own; left out.", line)
            zone.reserves = []


def _with_indices(zones: tuple[Zone, ...]) -> tuple[Zone, ...]:
    """Number the zones as the kernel does: unpopulated zones are not printed, but they have an index.

    A zone's reserve is 0 up to the next zone with memory, which tells how many indices lie between the two.
    """
    names = sorted({zone.name for zone in zones}, key=lambda n: (_SLOTS.index(n) if n in _SLOTS else len(_SLOTS), n))
    reserves = {zone.name: zone.reserve_pages for zone in reversed(zones) if zone.reserve_pages}
    indices: dict[str, int] = {}
    index = 0
    for name in names:
        indices[name] = index
        reserve = reserves.get(name, ())
        index = next((j for j in range(index + 1, len(reserve)) if reserve[j] > 0), index + 1)
    return tuple(zone.model_copy(update={"index": indices[zone.name]}) for zone in zones)


def _counters(draft: Draft, page_kb: int) -> Counters | None:
    line = draft.lines.get("counters")
    known: dict[str, int] = {}
    other: dict[str, int] = {}
    for source, target in ((draft.counters, known), (draft.other_counters, other)):
        for name, value in source.items():
            if 0 <= value <= MAX_PAGES:
                target[name] = value
            else:
                draft.warn("impossible-value", f"The counter {name} is printed as {value}; left out.", line)
    for name, kb in draft.node_fields_kb.items():
        value_pages = _pages(draft, kb, page_kb, name, line)
        if value_pages is not None:
            other[name] = value_pages
    return Counters(**known, other=other) if known or other else None


def _trailer(draft: Draft) -> Trailer | None:
    line = draft.lines.get("trailer")
    for source in (draft.trailer, draft.vendor):
        for name, value in list(source.items()):
            if not 0 <= value <= MAX_PAGES:
                draft.warn("impossible-value", f"{name} is printed as {value}; left out.", line)
                del source[name]
    if not draft.trailer and not draft.vendor:
        return None
    return Trailer(**draft.trailer, vendor=draft.vendor)


def _missing(incident: Incident) -> tuple[str, ...]:
    request = incident.request
    asked_for = "sysrq" in incident.forms
    killing = incident.kind in ("oom", "cgroup-oom")
    absent = {
        "header": not any(form.startswith(("oom-header", "alloc-failure")) for form in incident.forms)
        and not asked_for,
        "gfp_mask": request.gfp_mask is None,
        "order": request.order is None,
        "backtrace": not incident.backtrace,
        "counters": incident.counters is None,
        "zones": not incident.zones,
        "reserve": not incident.zones or any(zone.reserve_pages is None for zone in incident.zones),
        "blocks": not incident.zones or any(zone.free_blocks is None for zone in incident.zones),
        "swap": incident.swap is None,
        "trailer": incident.trailer is None,
        "kill": killing and not any(kill.kind == "killed" for kill in incident.kills),
    }
    return tuple(name for name, gone in absent.items() if gone)
