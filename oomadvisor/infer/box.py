"""Which kernel, which architecture, which zones: what the forms of a report and its numbers show of the box."""

from typing import Literal

from oomadvisor import knowledge
from oomadvisor.infer.arithmetic import MEASURED_SERIES, bounds_of_mask
from oomadvisor.infer.builders import vendor_of
from oomadvisor.infer.nodes import node_label, shown_nodes
from oomadvisor.model import Build, Incident, KernelRelease, ProcState, Warning_, Zone

ZONE_ORDER = ("DMA", "DMA32", "Normal", "HighMem", "Movable", "Device")
ARM_FORMS = frozenset({"backtrace-arm", "trailer-arm"})
LARGEST_ORDER = 30  # far above any MAX_ORDER (9 to 20 in practice)
SAME_TEST_SINCE = (2, 6, 28)


def release_of(incident: Incident, proc: ProcState, option: str | None, warnings: list[Warning_]) -> KernelRelease:
    """Return the kernel: from the log, else /proc/version, else --kernel, else what the forms of the lines allow."""
    found: list[KernelRelease] = []
    if incident.kernel_release and knowledge.version_tuple(incident.kernel_release):
        text = incident.kernel_release
        found.append(_named(text, "log"))
    if proc.version:
        words = proc.version.split()
        text = words[2] if words[:2] == ["Linux", "version"] and len(words) > 2 else proc.version
        if knowledge.version_tuple(text):
            found.append(_named(text, "proc"))
    if option:
        found.append(_named(option, "option"))
    if found:
        first = _with_backports(found[0], incident)
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
    since, until = bounds_of_mask(incident, oldest, newest)
    oldest, newest = since or oldest, until or newest
    if oldest is None or newest is None:
        text = "unknown" if oldest is None else f"{'.'.join(map(str, oldest))} or later"
        return KernelRelease(version=(), oldest=oldest, text=text, source="unknown")
    text = ".".join(map(str, newest))
    if newest[:3] != oldest[:3]:
        text = f"{'.'.join(map(str, oldest))}–{text}"
    if newest[:3] == MEASURED_SERIES and oldest[:3] >= SAME_TEST_SINCE:
        # The test, the marks and the reserves are the same arithmetic in all of them (one family, 2.6.12 to 2.6.37).
        return KernelRelease(version=MEASURED_SERIES, newest=newest, text=text, source="forms")
    return KernelRelease(version=oldest, newest=newest, text=text, source="forms")


def _with_backports(release: KernelRelease, incident: Incident) -> KernelRelease:
    """Note of a builder's kernel the series whose lines it prints, where that is later than its own."""
    if release.vendor is None or not release.version:
        return release
    oldest, _ = _versions_shown(incident)
    later = oldest is not None and oldest[:3] > release.version[:3]
    return release.model_copy(update={"backports": oldest}) if later else release


def _named(text: str, source: Literal["log", "proc", "option"]) -> KernelRelease:
    return KernelRelease(version=knowledge.version_tuple(text), text=text, source=source, vendor=vendor_of(text))


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


def with_arch(incident: Incident) -> Incident:
    """Name the architecture where only it prints such lines (arch/arm: dump_backtrace_entry, show_mem)."""
    if incident.arch is None and ARM_FORMS & set(incident.forms):
        return incident.model_copy(update={"arch": "arm"})
    return incident


def with_possible_order(incident: Incident) -> Incident:
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


def zone_rank(name: str) -> int:
    """Return the place of a zone among all that a build can have, lowest first; unknown names come last."""
    return ZONE_ORDER.index(name) if name in ZONE_ORDER else len(ZONE_ORDER)


def zones_of(incident: Incident, names: tuple[str, ...]) -> tuple[Zone, ...]:
    """Return the zones with their place among the zones of the build, lowest first.

    Of several nodes the last comes first, so that what is tried first stands last: a report does not say which node
    asked, and the first one is taken as tried first. Each zone is then called as the kernel prints it, such as
    ``Node 1 DMA32``.
    """
    several = len(shown_nodes(incident)) > 1
    return tuple(
        zone.model_copy(
            update={"index": names.index(zone.name), "name": node_label(zone.node, zone.name) if several else zone.name}
        )
        for zone in sorted(incident.zones, key=lambda z: (-z.node, zone_rank(z.name)))
        if zone.name in names
    )


def with_node_lines(incident: Incident) -> Incident:
    """Let the lines of a zone be found under its name with the node as well, where there are several nodes."""
    if len(shown_nodes(incident)) < 2:
        return incident
    also = {}
    for part, line in incident.lines.items():
        words = part.split(".")
        if words[0] == "zones" and len(words) > 2 and words[1].isdigit():
            words[2] = node_label(int(words[1]), words[2])
            also[".".join(words)] = line
    return incident.model_copy(update={"lines": incident.lines | also})


def zone_names_of(incident: Incident) -> tuple[str, ...]:
    """Return the zones of the build, lowest first. All nodes have the same; which of them are empty differs.

    Populated zones are printed; the number of values after ``lowmem_reserve[]:`` is the number of zones that the build
    has (page_alloc.c: show_free_areas), which tells whether an empty HighMem is among them.
    """
    printed = sorted({z.name for z in incident.zones if z.name in ZONE_ORDER}, key=zone_rank)
    slots = max((len(z.reserve_pages) for z in incident.zones if z.reserve_pages), default=0)
    names = list(printed)
    if names and "Movable" not in names and len(names) < slots:
        names.append("Movable")
    candidates = ["HighMem", "Normal", "DMA"] if "DMA32" not in names else ["Normal", "DMA"]
    for candidate in candidates:
        if len(names) < slots and candidate not in names and _below_is_possible(candidate, printed):
            names.append(candidate)
    if "Movable" in names and len(names) < slots:
        names.append("Device")  # ZONE_DEVICE, since 4.3: never printed, but counted
    return tuple(sorted(names, key=zone_rank))


def _below_is_possible(candidate: str, printed: list[str]) -> bool:
    return candidate == "HighMem" or zone_rank(candidate) > zone_rank(printed[0]) if printed else False


def build_of(incident: Incident, zones: tuple[Zone, ...], names: tuple[str, ...]) -> Build:
    """Return what the report shows of how the kernel was built; what it does not show is None."""
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


def with_reasons(release: KernelRelease, incident: Incident) -> KernelRelease:
    """Say what the version rests on, where only the forms of the lines and the functions traced tell it."""
    if release.source not in ("forms", "unknown"):
        return release
    from oomadvisor.parse import narrowed

    symbols = {frame.symbol for frame in incident.backtrace}
    told = list(narrowed(incident.forms).reasons)
    for symbol in knowledge.version_symbols():
        if symbol.name in symbols:
            if symbol.since is not None:
                told.append(f"{'.'.join(map(str, symbol.since))} or later, by the function {symbol.name}")
            if symbol.until is not None:
                told.append(f"{'.'.join(map(str, symbol.until))} or earlier, by the function {symbol.name}")
    since, until = bounds_of_mask(incident, *_versions_shown(incident))
    by = f"by the mask {incident.request.gfp_mask or 0:#x}"
    told += [
        f"{'.'.join(map(str, version))} or {word}, {by}"
        for version, word in ((since, "later"), (until, "earlier"))
        if version
    ]
    return release.model_copy(update={"reasons": tuple(told)})
