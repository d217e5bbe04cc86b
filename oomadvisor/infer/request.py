"""What was asked for: the flags by name, the class zone, the operation of the task, and what the box does all day."""

from oomadvisor import knowledge
from oomadvisor.kernel.series import functions_for
from oomadvisor.kernel.zonelist import class_zone_index
from oomadvisor.model import Incident, KernelRelease, Operation, OperationStep, Request, Zone

GFP_KERNEL = 0xD0


def mask_of(
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


def operation_of(incident: Incident, site: "knowledge.CallSite | None") -> Operation | None:
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


def workload_of(incident: Incident, operation: Operation | None) -> Operation | None:
    """Return what must work for the box to be cured: what it does all day, where that is more than the one request.

    Of a mere picture of the memory it is what comes next: a fork and exec where the architecture is known, else a page.
    """
    if operation is None:
        return _next(incident) if incident.kind == "mem-info" else None
    name = knowledge.workload_of(operation.id)
    return knowledge.operations(incident.arch).get(name, operation) if name else operation


def _next(incident: Incident) -> Operation:
    known = knowledge.operations(incident.arch)
    commonest = knowledge.workload_of("exec")
    if commonest is not None and commonest in known:
        return known[commonest]
    step = OperationStep(order=0, gfp_mask=GFP_KERNEL, what="single page", source="include/linux/gfp.h: GFP_KERNEL")
    return Operation(
        id="order-0",
        title="request for a page",
        source="mm/page_alloc.c: zone_watermark_ok, order 0",
        steps=(step,),
    )
