"""The tunables that a report proves, by the kernel's formulas inverted; and what was observed beside it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from oomadvisor.infer.nodes import marks_are_whole
from oomadvisor.kernel.family import Family
from oomadvisor.kernel.marks import (
    DEFAULT_SCALE_FACTOR,
    ZoneMarks,
    nr_free_buffer_pages,
    recommended_min_free_kbytes,
    scale_factor_interval,
)
from oomadvisor.kernel.percpu import fraction_interval, pageset
from oomadvisor.kernel.words import PAGE_KB
from oomadvisor.model import Build, Incident, Origin, ProcState, Tunable, Warning_, Zone
from oomadvisor.model.state import LOWMEM_RESERVE_RATIO, MIN_FREE_KBYTES

if TYPE_CHECKING:
    from oomadvisor.parse import SysctlDump

FRACTION = "vm.percpu_pagelist_fraction"
SCALE_FACTOR = "vm.watermark_scale_factor"


def inferred_tunables(
    incident: Incident,
    zones: tuple[Zone, ...],
    names: tuple[str, ...],
    families: tuple[Family, ...],
    build: Build,
) -> dict[str, Tunable]:
    """Return the tunables that the report proves, as intervals, by the kernel's own formulas.

    Where several kernels are possible, an interval that holds for all of them, and only where all give one.
    """
    if not families or not zones:
        return {}
    answers = [_by(family, incident, zones, names, build) for family in families]
    found = {}
    for name, first in answers[0].items():
        others = [answer.get(name) for answer in answers]
        if all(other is not None for other in others):
            found[name] = _together(first, [other for other in others if other is not None])
    return found


def _together(first: Tunable, all_of_them: list[Tunable]) -> Tunable:
    """Return one tunable that holds whichever kernel it is."""
    lows = [t.low for t in all_of_them if t.low is not None]
    highs = [t.high for t in all_of_them if t.high is not None]
    defaults = {t.default for t in all_of_them}
    return first.model_copy(
        update={
            "low": min(lows) if len(lows) == len(all_of_them) else None,
            "high": max(highs) if len(highs) == len(all_of_them) else None,
            "default": first.default if len(defaults) == 1 else None,
        }
    )


def counted_pages(family: Family, zones: tuple[Zone, ...], names: tuple[str, ...]) -> tuple[int, ...] | None:
    """Return the pages of each zone of the build that marks and reserves are computed from; None when one is missing.

    ``zones``: those of one node. Present pages, since 3.9 managed ones.
    """
    pages = [0] * len(names)
    for zone in zones:
        size = zone.managed_pages if family.marks.pages == "managed" else zone.present_pages
        if size is None and zone.present_pages != 0:
            return None
        pages[zone.index] = size or 0
    return tuple(pages)


def pages_by_node(family: Family, zones: tuple[Zone, ...], names: tuple[str, ...]) -> dict[int, tuple[int, ...]] | None:
    """Return :func:`counted_pages` of each node, the first node first; None when one is missing."""
    found = {}
    for node in sorted({zone.node for zone in zones}):
        pages = counted_pages(family, tuple(zone for zone in zones if zone.node == node), names)
        if pages is None:
            return None
        found[node] = pages
    return found


def _by(
    family: Family, incident: Incident, zones: tuple[Zone, ...], names: tuple[str, ...], build: Build
) -> dict[str, Tunable]:
    """Return what the report proves if this is the kernel's arithmetic."""
    pages = pages_by_node(family, zones, names)
    if pages is None:
        return {}
    tunables = [*_marks(family, incident, zones, names, pages, build)]
    tunables += _ratios(family, incident, zones, names, pages)
    fraction = _fraction(family, incident, zones, names, pages) if build.page_kb == PAGE_KB else None
    if fraction is not None:
        tunables.append(fraction)
    return {tunable.name: tunable for tunable in tunables}


def _marks(
    family: Family,
    incident: Incident,
    zones: tuple[Zone, ...],
    names: tuple[str, ...],
    by_node: dict[int, tuple[int, ...]],
    build: Build,
) -> Iterator[Tunable]:
    """Infer min_free_kbytes and watermark_scale_factor from the printed marks less the boost.

    The low zones of all nodes share in min_free_kbytes, so only a report that shows all of them gives it.
    """
    if not any(z.marks for z in zones) or not marks_are_whole(incident, names):
        return
    kinds = names
    by_place = {(zone.node, zone.index): zone for zone in zones}
    places = [(node, index) for node in by_node for index in range(len(kinds))]
    names = kinds * len(by_node)
    pages = tuple(size for sizes in by_node.values() for size in sizes)
    marks = [_without_boost(by_place[place]) if place in by_place else None for place in places]
    boost_unknown = family.marks.boost and any(z.boost_pages is None for z in zones)
    interval = family.min_free_kbytes_interval(
        names,
        pages,
        [m.min if m else None for m in marks],
        [m.low if m else None for m in marks],
        [m.high if m else None for m in marks],
        page_kb=build.page_kb,
    )
    origin = incident.origin(f"zones.{zones[0].node}.{zones[0].name}")
    basis = "the only values that give the printed marks (page_alloc.c: setup_per_zone_wmarks)"
    if interval is None and family.marks.pages == "managed" and not boost_unknown and not build.numa:
        interval = _with_earlier_pages(family, zones, names, pages, marks, build)
        basis = (
            "the printed MIN marks, with the zone sizes that the printed reserves show for the time when they were set "
            "(page_alloc.c: setup_per_zone_wmarks, setup_per_zone_lowmem_reserve, default ratios): managed pages have "
            "changed since"
        )
    if interval is not None:
        if boost_unknown:
            basis += "; if no zone is boosted, which this kernel does not print"
        default = family.default_min_free_kbytes(names, pages, page_kb=build.page_kb)
        raised = recommended_min_free_kbytes(sum(map(bool, pages)), nr_free_buffer_pages(names, pages))
        huge_pages = family.kills.compacts == "yes" and build.page_kb == PAGE_KB  # both came with 2.6.38
        if huge_pages and raised > default and interval[0] <= raised <= interval[1]:
            basis += (
                f"; transparent huge pages have raised the default of {default} to this "
                "(khugepaged.c: set_recommended_min_free_kbytes)"
            )
            default = raised
        yield Tunable(
            name=MIN_FREE_KBYTES,
            low=interval[0],
            high=interval[1],
            source="inferred",
            basis=basis,
            default=default,
            origin=origin,
        )
    factor = scale_factor_interval(names, pages, marks, rules=family.marks)
    if factor is not None:
        yield Tunable(
            name=SCALE_FACTOR,
            low=factor[0],
            high=factor[1],
            source="inferred",
            basis="the only values that give the printed distances between the marks "
            "(page_alloc.c: setup_per_zone_wmarks)",
            default=DEFAULT_SCALE_FACTOR,
            origin=origin,
        )


def _with_earlier_pages(
    family: Family,
    zones: tuple[Zone, ...],
    names: tuple[str, ...],
    pages: tuple[int, ...],
    marks: list[ZoneMarks | None],
    build: Build,
) -> tuple[int, int] | None:
    """Return bounds of min_free_kbytes where the zones had other sizes when the marks were set, early in the boot.

    The reserve of the zone below, times its ratio, is a zone's size at that time. A size that differs by more than a
    tenth from that of now means that the ratio is not the default, and nothing is known.
    """
    by_index = {zone.index: zone for zone in zones}
    ratios = family.default_ratios(names)
    sizes = []
    for index, now in enumerate(pages):
        below = by_index.get(index - 1)
        row = below.reserve_pages if below is not None else None
        if row is None or len(row) != len(names) or not now or not ratios[index - 1]:
            sizes.append((now, now))
            continue
        ratio = ratios[index - 1]
        least = row[index] * ratio
        if not now * 9 // 10 <= least <= now * 11 // 10:
            return None
        sizes.append((least, least + ratio - 1))
    return family.min_free_kbytes_bounds(names, sizes, [m.min if m else None for m in marks], page_kb=build.page_kb)


def _without_boost(zone: Zone) -> ZoneMarks | None:
    if zone.marks is None:
        return None
    boost = zone.boost_pages or 0
    return ZoneMarks(zone.marks.min - boost, zone.marks.low - boost, zone.marks.high - boost)


def _ratios(
    family: Family,
    incident: Incident,
    zones: tuple[Zone, ...],
    names: tuple[str, ...],
    by_node: dict[int, tuple[int, ...]],
) -> Iterator[Tunable]:
    """Infer lowmem_reserve_ratio of each zone from the row of reserves printed for it, in each node that has it.

    What two nodes say of one zone must both hold; where that cannot be, nothing is said of it.
    """
    found: dict[str, list[Tunable]] = {}
    for node, pages in by_node.items():
        own = tuple(zone for zone in zones if zone.node == node)
        for tunable in _ratios_of_node(family, incident, own, names, pages):
            found.setdefault(tunable.name, []).append(tunable)
    for tunables in found.values():
        low = max(tunable.low or 0 for tunable in tunables)
        high = min((tunable.high for tunable in tunables if tunable.high is not None), default=None)
        if high is None or low <= high:
            yield tunables[0].model_copy(update={"low": low, "high": high})


def _ratios_of_node(
    family: Family, incident: Incident, zones: tuple[Zone, ...], names: tuple[str, ...], pages: tuple[int, ...]
) -> Iterator[Tunable]:
    defaults = family.default_ratios(names)
    for zone in zones:
        if zone.index >= len(defaults) or zone.reserve_pages is None or len(zone.reserve_pages) != len(names):
            continue
        if not any(pages[zone.index + 1 :]):
            continue
        ratios = family.ratio_interval(pages, zone.index, zone.reserve_pages)
        if ratios is not None:
            yield Tunable(
                name=f"{LOWMEM_RESERVE_RATIO}[{names[zone.index]}]",
                low=ratios[0],
                high=ratios[1],
                source="inferred",
                basis="the only ratios that give the printed lowmem_reserve[] row "
                "(page_alloc.c: setup_per_zone_lowmem_reserve)",
                default=defaults[zone.index],
                origin=incident.origin(f"zones.{zone.node}.{zone.name}.reserve"),
            )


def _fraction(
    family: Family,
    incident: Incident,
    zones: tuple[Zone, ...],
    names: tuple[str, ...],
    by_node: dict[int, tuple[int, ...]],
) -> Tunable | None:
    """Infer percpu_pagelist_fraction: 0 (never set) when every per-cpu line shows the boot-time size."""
    rows = []
    for row in incident.percpu:
        zone = next((z for z in zones if names[z.index] == row.zone and z.node == row.node), None)
        if zone is not None and by_node[zone.node][zone.index]:
            rows.append((row, by_node[zone.node][zone.index]))
    if not rows or family.batch is None:
        return None
    origin = incident.origin(f"zones.{rows[0][0].node}.{rows[0][0].zone}.percpu")
    boot = [pageset(size, rules=family.batch) for _, size in rows]
    if all((r.high_pages, r.batch_pages) == tuple(set_) for (r, _), set_ in zip(rows, boot, strict=True)):
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
    for r, size in rows:
        interval = fraction_interval(size, r.high_pages, r.batch_pages)
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


def with_observed(
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
    if not words or not all(word.lstrip("-").isascii() and word.lstrip("-").isdigit() for word in words):
        return None
    # kernel.shmmax and the like may be as large as an unsigned long: a text, since nothing here computes with it.
    numbers = tuple(int(word) for word in words if len(word) <= 20)
    return numbers if len(numbers) == len(words) and all(abs(number) < 1 << 63 for number in numbers) else None
