"""What was asked for: the flags by name, the class zone, the operation of the task, and what the box does all day."""

from oomadvisor import knowledge
from oomadvisor.kernel.family import Family
from oomadvisor.kernel.gfp import Gfp
from oomadvisor.kernel.zonelist import class_zone_index
from oomadvisor.model import Incident, Operation, OperationStep, Request, Zone


def mask_of(
    request: Request, zones: tuple[Zone, ...], names: tuple[str, ...], families: tuple[Family, ...]
) -> tuple[tuple[str, ...], str | None, int | None]:
    """Return the names of the mask, and the class zone, by the kernel's own bits.

    Where several kernels are possible, what they agree on; names that the report prints stand as they are.
    """
    mask = request.gfp_mask
    if mask is None:
        return request.gfp_names, None, None
    named = {family.flag_names(mask) for family in families}
    flags = request.gfp_names or (named.pop() if len(named) == 1 else ())
    if not names:
        return flags, None, None
    populated = [any(z.index == i and z.present_pages != 0 for z in zones) for i in range(len(names))]
    found = {_class_zone(family.gfp_zone(mask, names), names, populated) for family in families}
    index = found.pop() if len(found) == 1 else None
    return flags, None if index is None else names[index], index


def _class_zone(highest: str, names: tuple[str, ...], populated: list[bool]) -> int | None:
    if highest not in names:
        return None
    try:
        return class_zone_index(names, populated, highest)
    except ValueError:
        return None


def call_site_in(incident: Incident) -> "knowledge.CallSite | None":
    """Return what the backtrace shows of the request. Frames that the kernel itself was not sure of come second."""
    sure = [frame.symbol for frame in incident.backtrace if not frame.raw.startswith("? ")]
    return knowledge.call_site_of(sure) or knowledge.call_site_of([frame.symbol for frame in incident.backtrace])


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
    return single_page("order-0", "request for a page")


def single_page(id: str, title: str) -> Operation:
    """Return the operation that asks for one page as the kernel does for itself, under a name of the caller's."""
    mask = int(Gfp.GFP_KERNEL)
    step = OperationStep(order=0, gfp_mask=mask, what="single page", source="include/linux/gfp.h: GFP_KERNEL")
    return Operation(id=id, title=title, steps=(step,), source="mm/page_alloc.c: zone_watermark_ok, order 0")
