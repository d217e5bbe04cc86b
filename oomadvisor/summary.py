"""What happened, in two sentences that a tired person understands."""

from oomadvisor.knowledge import call_site_named
from oomadvisor.model import SystemState

DONE_BY = {"exec": "was being executed", "fork": "was starting a process", "clone": "was starting a thread"}


def summary(state: SystemState) -> tuple[str, ...]:
    """Return one sentence on what was asked and one on how it ended; what the report does not say is said to be
    unknown.
    """
    return (_asked(state), _ended(state))


def _asked(state: SystemState) -> str:
    request = state.incident.request
    comm = request.comm or "A task (the report does not say which)"
    if state.incident.kind == "cgroup-oom":
        group = state.incident.memcg.limit_path if state.incident.memcg else None
        return f"{comm} reached the limit of its memory cgroup{f' {group}' if group else ''}."
    if request.order is None:
        if state.incident.kind == "mem-info":
            return "This is a picture of the memory, without an event."
        if state.incident.kind == "oom-panic" and request.comm is None:
            return "Memory ran out; the log holds the panic alone, not what was asked for."
        return f"{comm} asked for memory; how much, the report does not say."
    if request.order < 0:
        return "The OOM killer was started by hand (SysRq-F)."
    size = f"{state.page_kb << request.order} kB"
    size = f"one page ({size})" if request.order == 0 else f"{size} in one piece (order {request.order})"
    mask = " ".join(state.gfp_flags)
    doing = DONE_BY.get(state.operation.id) if state.operation else None
    what = state.operation.steps[-1].what if state.operation and doing else None
    if doing and what:
        return f"{comm} {doing}, and the kernel needed {size} for its {what}."
    site = call_site_named(state.call_site)
    return f"{comm} asked for {size}{f', {mask}' if mask else ''}{f': {site.what}' if site else ''}."


def _ended(state: SystemState) -> str:
    incident = state.incident
    free = state.memory.free_pages
    had = f"{free * state.page_kb} kB were free" if free is not None else "How much was free is not known"
    victim = next((k for k in reversed(incident.kills) if k.kind in ("killed", "chosen", "vm-fault")), None)
    named = f"{victim.name} (process {victim.pid})" if victim and victim.name and victim.pid else None
    if incident.kind == "mem-info":
        return f"{had}."
    if incident.kind == "alloc-failure":
        return f"{had}, no zone could give it, and the request failed; nothing was killed."
    if incident.kind == "oom-panic":
        known = f"{had}; the" if free is not None else "The"
        return f"{known} kernel panicked instead of killing a process."
    if incident.kind == "page-fault-kill":
        return f"A page fault could not be served, and {named or 'the faulting process'} was killed."
    if incident.kind == "cgroup-oom":
        return f"{named} was killed." if named else "Who was killed, the report does not say."
    killed = f"it killed {named}" if named else "whom it killed, the report does not say"
    if incident.request.order is not None and incident.request.order < 0:
        return f"{had}, and no request had failed; {killed}."
    return f"{had}, yet the kernel gave up and started the OOM killer; {killed}."
