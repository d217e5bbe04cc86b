"""The tunables that a report proves, by the kernel's formulas inverted; and what was observed beside it."""

from typing import TYPE_CHECKING

from oomadvisor.kernel.marks import min_free_kbytes_interval
from oomadvisor.kernel.percpu import fraction_interval, pageset
from oomadvisor.kernel.reserve import ratio_interval
from oomadvisor.kernel.series import functions_for
from oomadvisor.model import Build, Incident, KernelRelease, Origin, ProcState, Tunable, Warning_, Zone
from oomadvisor.model.state import LOWMEM_RESERVE_RATIO, MIN_FREE_KBYTES

if TYPE_CHECKING:
    from oomadvisor.parse import SysctlDump

FRACTION = "vm.percpu_pagelist_fraction"


def inferred_tunables(
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
