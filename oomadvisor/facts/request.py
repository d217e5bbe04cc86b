"""The request as a fact: what was asked, by whom, and how the test came out over all zones."""

import re

from oomadvisor import knowledge
from oomadvisor.facts.assess import Assessment
from oomadvisor.facts.kinds import ProspectFact, RequestFact
from oomadvisor.infer.arithmetic import families_of
from oomadvisor.kernel.family import Family
from oomadvisor.kernel.gfp import BITS_2_6_31
from oomadvisor.model import Mark, SystemState
from oomadvisor.model.state import MIN_FREE_KBYTES
from oomadvisor.simulate.change import SetRealtime, apply, with_min_free_kbytes
from oomadvisor.simulate.headroom import children_that_stay
from oomadvisor.simulate.replay import operation_passes
from oomadvisor.simulate.snapshot import Snapshot

COSTLY_ORDER = 3
MAY_FS = ("GFP_KERNEL", "GFP_USER", "GFP_HIGHUSER")
MAY_WAIT = (*MAY_FS, "GFP_NOFS", "GFP_NOIO")
OLD_MASKS = 0x3FFFFF
RECLAIM_FRAMES = frozenset({"try_to_free_pages", "do_try_to_free_pages", "balance_pgdat"})
"""Functions between which a task frees memory (mm/vmscan.c, 2.6.12 to 6.18)."""


def request_fact(assessment: Assessment) -> RequestFact | None:
    state, snap = assessment.state, assessment.snap
    asked = state.incident.request
    if asked.order is None or asked.order < 0:
        return None
    order, mask = asked.order, asked.gfp_mask
    families = families_of(state.kernel, state.incident)
    names = " ".join(state.gfp_flags)
    site = knowledge.call_site_named(state.call_site)
    operation, workload = state.operation, state.workload
    decided = snap is not None
    waits = _bit(mask, families, ("__GFP_WAIT", "__GFP_DIRECT_RECLAIM"), names, MAY_WAIT)

    def some(mark: Mark, wanted: int) -> bool | None:
        return operation_passes(snap, (wanted,), mark) if snap is not None else None

    largest = None
    if snap is not None:
        top = max(len(z.blocks) for z in snap.zones)
        largest = next((o for o in reversed(range(top)) if operation_passes(snap, (o,), "high")), -1)
    default = state.tunables[MIN_FREE_KBYTES].default if MIN_FREE_KBYTES in state.tunables else None
    return RequestFact(
        origin=state.incident.origin("request"),
        key=f"order {order}",
        order=order,
        block_kb=state.page_kb << order,
        block_pages=1 << order,
        order_halvings=order,
        gfp=names or None,
        gfp_hex=None if mask is None else hex(mask),
        may_wait=waits,
        may_fs=_bit(mask, families, ("__GFP_FS",), names, MAY_FS),
        atomic=None if waits is None else not waits,
        dma_only=None if mask is None else mask & 0xF in (1, 9),
        movable=_movable(mask, families),
        costly=order > COSTLY_ORDER and not (families and all(family.kills.costly for family in families)),
        class_zone=state.class_zone,
        comm=asked.comm,
        has_backtrace=bool(state.incident.backtrace),
        call_site=state.call_site,
        group=site.group if site else None,
        what=site.what if site else None,
        can_be_avoided=site is not None and site.avoidable is not None,
        avoidable=site.avoidable if site else None,
        operation=operation.id if operation else None,
        operation_title=operation.title if operation else None,
        operation_blocks=len(operation.steps) if operation else None,
        workload=workload.id if workload else None,
        workload_title=workload.title if workload else None,
        workload_orders=", ".join(map(str, workload.orders)) if workload else None,
        decided=decided,
        eligible_zones=", ".join(z.name for z in snap.zones) if snap is not None else None,
        passes_min=some("min", order),
        passes_low=some("low", order),
        passes_high=some("high", order),
        order0_passes_min=some("min", 0),
        order0_passes_high=some("high", 0),
        largest_passing_order=largest,
        passes_high_at_default=(
            operation_passes(with_min_free_kbytes(snap, default), (order,), "high")
            if snap is not None and default is not None
            else None
        ),
        page_passes_at_default=(
            operation_passes(with_min_free_kbytes(snap, default), (0,), "high")
            if snap is not None and default is not None
            else None
        ),
        realtime_passes_min=(
            operation_passes(apply(snap, SetRealtime()), (order,), "min") if snap is not None else None
        ),
        suitable_blocks=sum(sum(z.blocks[order:]) for z in snap.zones) if snap is not None else None,
        listed_blocks=_listed_blocks(state, order),
        elsewhere_free_pages=_elsewhere(state, snap),
        gives_up_reserve=_bit(mask, families, ("__GFP_NOMEMALLOC",), names, ("__GFP_NOMEMALLOC",)),
        reclaiming=_reclaiming(state),
    )


def _listed_blocks(state: SystemState, order: int) -> int | None:
    """Return the blocks of ``order`` or larger in all lists that are printed; None where none is."""
    lists = [zone.free_blocks for zone in state.incident.zones if zone.free_blocks is not None]
    return sum(sum(blocks[order:]) for blocks in lists) if lists else None


def _elsewhere(state: SystemState, snap: Snapshot | None) -> int | None:
    """Return the free pages outside the zones that the request may use: printed zones, and what none of them shows."""
    total = state.memory.free_pages
    if snap is None or total is None:
        return None
    return max(total - sum(zone.free for zone in snap.zones), 0)


def _reclaiming(state: SystemState) -> bool:
    """Return whether the asker frees memory itself (PF_MEMALLOC): kswapd always, others while they reclaim directly."""
    if re.fullmatch(r"kswapd\d+(:\d+)?", state.incident.request.comm or ""):
        return True
    return any(frame.symbol in RECLAIM_FRAMES and not frame.raw.startswith("? ") for frame in state.incident.backtrace)


def prospect_fact(assessment: Assessment) -> ProspectFact | None:
    """Return what comes next on a box that was merely looked at; None where something was asked for."""
    snap, operation = assessment.snap, assessment.state.workload
    if snap is None or operation is None or assessment.state.operation is not None:
        return None
    return ProspectFact(
        key=operation.id,
        operation_title=operation.title,
        passes_min=operation_passes(snap, operation.orders, "min"),
        passes_high=operation_passes(snap, operation.orders, "high"),
        headroom=children_that_stay(snap, operation),
        page_passes_min=operation_passes(snap, (0,), "min"),
    )


def _bit(
    mask: int | None, families: tuple[Family, ...], bits: tuple[str, ...], names: str, composites: tuple[str, ...]
) -> bool | None:
    """Return whether a mask allows something: by the bit where the kernel is known, by printed names elsewhere.

    A mask without bits above 0x3fffff, of a kernel that is not known, is read as one of the kernels before 4.4.
    """
    if mask is not None and families:
        answers = {any(mask & family.gfp_bits.get(bit, 0) for bit in bits) for family in families}
        return answers.pop() if len(answers) == 1 else None
    if names:
        words = set(names.replace("|", " ").split())
        return any(word.startswith(composites) for word in words)
    if mask is None or mask > OLD_MASKS:
        return None
    return any(mask & BITS_2_6_31.get(bit, 0) for bit in bits)


def _movable(mask: int | None, families: tuple[Family, ...]) -> bool | None:
    if mask is None:
        return None
    answers = {family.mobility(mask) for family in families} - {None}
    return answers == {"Movable"} if len(answers) == 1 else None
