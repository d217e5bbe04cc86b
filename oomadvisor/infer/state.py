"""One incident and what was given beside it, made a SystemState."""

from typing import TYPE_CHECKING

from oomadvisor.infer.arithmetic import families_of
from oomadvisor.infer.box import (
    build_of,
    release_of,
    with_arch,
    with_node_lines,
    with_possible_order,
    with_reasons,
    zone_names_of,
    zones_of,
)
from oomadvisor.infer.memory import memory_of, swap_of
from oomadvisor.infer.request import call_site_in, mask_of, operation_of, workload_of
from oomadvisor.infer.tunables import inferred_tunables, with_observed
from oomadvisor.model import Incident, ProcState, SystemState, Warning_

if TYPE_CHECKING:
    from oomadvisor.parse import SysctlDump


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
    incident = with_node_lines(with_possible_order(with_arch(incident)))
    warnings: list[Warning_] = [*incident.warnings, *proc.warnings]
    release = with_reasons(release_of(incident, proc, kernel, warnings), incident)
    zone_names = zone_names_of(incident)
    zones = zones_of(incident, zone_names)
    build = build_of(incident, zones, zone_names)
    families = families_of(release, incident)
    flags, class_zone, class_index = mask_of(incident.request, zones, zone_names, families)
    site = call_site_in(incident)
    operation = operation_of(incident, site)
    tunables = inferred_tunables(incident, zones, zone_names, families, build)
    if sysctls is not None or proc.sysctls:
        tunables, contradictions = with_observed(tunables, sysctls, proc)
        warnings += contradictions
    swap = swap_of(incident, proc)
    return SystemState(
        incident=incident,
        kernel=release,
        build=build,
        zones=zones,
        memory=memory_of(incident, proc),
        swap=swap,
        tunables=tunables,
        proc=proc,
        gfp_flags=flags,
        class_zone=class_zone,
        class_zone_index=class_index,
        operation=operation,
        workload=workload_of(incident, operation),
        call_site=site.id if site else None,
        warnings=tuple(warnings),
    )


def state_from_proc(proc: ProcState, *, sysctls: "SysctlDump | None" = None, kernel: str | None = None) -> SystemState:
    """Return the state of a box of which only /proc files are known: an incident of kind ``mem-info`` without a
    request.
    """
    file = proc.files[0] if proc.files else "-"
    incident = Incident(kind="mem-info", file=file, line=1, last_line=1, zones=proc.zones)
    return build_state(incident, sysctls=sysctls, proc=proc, kernel=kernel)
