"""From a state to facts: all arithmetic, shares and comparisons are done here, so that rules only compare."""

from oomadvisor.facts.assess import Assessment
from oomadvisor.facts.kinds import IncidentFact, KernelFact, PanicReason
from oomadvisor.facts.memory import memory_fact, reclaim_fact, slab_facts, swap_fact, tmpfs_facts, trend_fact
from oomadvisor.facts.nodes import nodes_fact
from oomadvisor.facts.request import prospect_fact, request_fact
from oomadvisor.facts.settings import commit_fact, reserve_fact, threshold_fact, tunable_facts
from oomadvisor.facts.tasks import earlier_kill_facts, task_facts, victim_fact
from oomadvisor.facts.zones import zone_facts
from oomadvisor.infer.arithmetic import families_of
from oomadvisor.infer.nodes import constraint_of, says_unconstrained
from oomadvisor.kernel.buddy import mobility_disabled
from oomadvisor.model import Incident, SystemState
from oomadvisor.rulebook.kinds import Fact

PANICS: tuple[tuple[str, PanicReason], ...] = (
    ("no killable", "nothing killable"),
    ("page fault", "page fault"),
    ("compulsory", "compulsory"),
    ("panic_on_oom", "panic_on_oom"),
)
"""What a panic message says, the narrower sign first."""

PAGE_FAULT = "pagefault_out_of_memory"


def facts_of(assessment: Assessment) -> list[Fact]:
    """Return the facts of a state, in a fixed order."""
    state = assessment.state
    facts: list[Fact] = [_incident(state), _kernel(state)]
    request = request_fact(assessment)
    if request is not None:
        facts.append(request)
    prospect = prospect_fact(assessment)
    if prospect is not None:
        facts.append(prospect)
    facts += zone_facts(assessment)
    nodes = nodes_fact(state)
    if nodes is not None:
        facts.append(nodes)
    facts.append(memory_fact(state))
    trend = trend_fact(state)
    if trend is not None:
        facts.append(trend)
    reclaim = reclaim_fact(state)
    if reclaim is not None:
        facts.append(reclaim)
    swap = swap_fact(state)
    if swap is not None:
        facts.append(swap)
    facts += tunable_facts(state)
    if assessment.snap is not None:
        facts.append(threshold_fact(assessment))
        reserve = reserve_fact(assessment.snap, state)
        if reserve is not None:
            facts.append(reserve)
    commit = commit_fact(state)
    if commit is not None:
        facts.append(commit)
    facts += task_facts(state)
    victim = victim_fact(state)
    if victim is not None:
        facts.append(victim)
    facts += earlier_kill_facts(state)
    facts += slab_facts(state)
    facts += tmpfs_facts(state)
    return facts


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
        constraint=constraint_of(incident) is not None,
        unconstrained=says_unconstrained(incident),
        page_fault=_page_fault(incident),
        panic=_panic(incident),
        allocating_task=any("oom_kill_allocating_task" in (k.message or "") for k in incident.kills),
        manual=request.order == -1,
    )


def _page_fault(incident: Incident) -> bool:
    """Return whether a fault that came back without memory asked for the kill: it passes mask 0 and order 0 on
    (mm/oom_kill.c: pagefault_out_of_memory, 2.6.31 and later).
    """
    if incident.kind not in ("oom", "oom-panic"):
        return False
    by_chain = any(frame.symbol == PAGE_FAULT and not frame.raw.startswith("? ") for frame in incident.backtrace)
    return by_chain or (incident.request.gfp_mask == 0 and incident.request.order == 0)


def _panic(incident: Incident) -> PanicReason | None:
    """Return why the kernel panicked (mm/oom_kill.c: out_of_memory, pagefault_out_of_memory, 2.6.31)."""
    for kill in incident.kills:
        message = (kill.message or "").lower()
        if kill.kind != "panic":
            continue
        for sign, reason in PANICS:
            if sign in message:
                return reason
        return "other"
    return "other" if incident.kind == "oom-panic" else None


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
        pageblock_kb=None if build.max_order is None else build.page_kb << (build.max_order - 1),
        mobility_grouping=_grouping(state),
    )


def _grouping(state: SystemState) -> bool | None:
    """Return whether pages are grouped by mobility: known for 2.6.31, whose pageblock is the largest block."""
    build = state.build
    present = [zone.present_pages for zone in state.zones]
    families = families_of(state.kernel, state.incident)
    if not any(family.measured for family in families) or build.max_order is None or not present or None in present:
        return None
    return not mobility_disabled(sum(p for p in present if p is not None), build.max_order - 1)
