"""From a change as a rule writes it to a change that is replayed: what it does, and how sure that is."""

from dataclasses import dataclass
from functools import lru_cache

from oomadvisor import knowledge
from oomadvisor.facts import Assessment
from oomadvisor.facts.kinds import ChangeScope, OutcomeScope
from oomadvisor.facts.memory import reclaim_possible
from oomadvisor.infer.arithmetic import families_of, family_of
from oomadvisor.infer.request import single_page
from oomadvisor.kernel.family import Family
from oomadvisor.model import (
    Change,
    Headroom,
    KernelRelease,
    Measured,
    Operation,
    SystemState,
    Tunable,
    Verdict,
    Verification,
)
from oomadvisor.model.state import LOWMEM_RESERVE_RATIO, MIN_FREE_KBYTES
from oomadvisor.model.verification import VerificationClass
from oomadvisor.rulebook.change import (
    Change as WrittenChange,
)
from oomadvisor.rulebook.change import (
    FreeChange,
    LargestPassing,
    OperationChange,
    SysctlChange,
    TaskChange,
)
from oomadvisor.simulate import (
    AddSwap,
    FreePages,
    NotReplayable,
    Outcome,
    SetOperation,
    SetRealtime,
    SetSysctl,
    Snapshot,
    largest_passing,
    snapshot,
    what_if,
)
from oomadvisor.simulate.change import Change as Replayed
from oomadvisor.simulate.effects import fork_words
from oomadvisor.simulate.headroom import children_range, is_lower_bound
from oomadvisor.simulate.overcommit import commit_state, largest_fork, with_changes
from oomadvisor.simulate.price import Price, price
from oomadvisor.simulate.whatif import broken

HEADROOM_MODEL = "largest block first, 7 single pages for each child, the second page directory while the first is held"


OUTSIDE_SYSCTL = "outside sysctl"
"""The knob of a change in words; its target is a template until the fix is made."""

SINGLE_PAGE = single_page("order:0", "a single page")


class NotProposable(ValueError):
    """The change makes no sense on this box (its knob does not exist, no value passes); the text says why."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A written change made definite. ``replayed`` is None for what the simulator has no model of; ``already``: the
    box has this value.
    """

    shown: Change
    replayed: Replayed | None
    default: int | None = None
    already: bool = False

    @property
    def scope(self) -> ChangeScope:
        """What the texts of fixes and refutations may quote of it."""
        shown = self.shown
        return ChangeScope(
            knob=shown.knob,
            current=shown.current or "as it is" if shown.current_low is None else str(shown.current_low),
            target=shown.target,
            target_value=shown.target_value if isinstance(self.replayed, SetSysctl) else None,
            default=self.default,
            freed_pages=self.replayed.pages if isinstance(self.replayed, FreePages) else None,
        )


@dataclass(frozen=True, slots=True)
class Verified:
    """A set of changes with the simulator's word on it, and the values that texts may quote."""

    changes: tuple[Change, ...]
    verification: Verification
    change: ChangeScope
    outcome: OutcomeScope


def resolve(assessment: Assessment, written: WrittenChange) -> Resolved:
    """Make a written change definite. Raises NotProposable."""
    if isinstance(written, SysctlChange):
        return _sysctl(assessment, written)
    if isinstance(written, FreeChange):
        pages = written.free.mb * 1024 // assessment.state.page_kb
        text = f"{written.free.mb} MB less"
        shown = Change(knob=written.free.source, current=None, target=text, target_value=pages, unit="pages")
        return Resolved(shown, FreePages(written.free.source, pages))
    if isinstance(written, OperationChange):
        operation = knowledge.operations(assessment.state.incident.arch).get(written.operation)
        if operation is None:
            raise NotProposable(f"the operation {written.operation} is not described for this architecture")
        now = assessment.state.workload
        current = now.title if now else "unknown"
        shown = Change(knob="operation", current=current, target=operation.title)
        return Resolved(shown, SetOperation(operation))
    if isinstance(written, TaskChange):
        shown = Change(knob="scheduling", current="normal", target="real-time (SCHED_FIFO)")
        return Resolved(shown, SetRealtime())
    text = " ".join(written.unsimulated.split())
    return Resolved(Change(knob=OUTSIDE_SYSCTL, target=text), None)


def _sysctl(assessment: Assessment, written: SysctlChange) -> Resolved:
    state = assessment.state
    knob = knowledge.knobs().get(written.sysctl)
    if knob is not None and not _exists(knob, state.kernel):
        raise NotProposable(f"{written.sysctl} does not exist in {state.kernel.text}")
    values = _target(assessment, written)
    now = _current(state, written.sysctl)
    shown = Change(
        knob=written.sysctl,
        current=now.interval if now else "unknown",
        current_low=now.low if now else None,
        current_high=now.high if now else None,
        target=" ".join(map(str, values)),
        target_value=values[0] if len(values) == 1 else None,
        unit="kB" if written.sysctl.endswith("_kbytes") else None,
    )
    already = now is not None and now.low == now.high and values == (now.low,)
    return Resolved(shown, SetSysctl(written.sysctl, values), now.default if now else None, already)


def _exists(knob: knowledge.Knob, kernel: KernelRelease) -> bool:
    """Return whether some kernel that this can be has the knob."""
    known = [version for version in (kernel.version or kernel.oldest, kernel.newest) if version]
    if not known:
        return True
    if kernel.source == "unknown":
        return knob.until >= known[0][: len(knob.until)]  # that version or a later one
    return any(knob.exists_in(version) for version in known)


def _current(state: SystemState, name: str) -> Tunable | None:
    tunable = state.tunables.get(name)
    if tunable is None and name == LOWMEM_RESERVE_RATIO:
        return next((t for key, t in state.tunables.items() if key.startswith(LOWMEM_RESERVE_RATIO + "[")), None)
    return tunable


def _default(state: SystemState, name: str) -> int | None:
    tunable = _current(state, name)
    return tunable.default if tunable else None


def _target(assessment: Assessment, written: SysctlChange) -> tuple[int, ...]:
    state, target = assessment.state, written.to
    if isinstance(target, int):
        return (target,)
    if isinstance(target, LargestPassing):
        return (_solved(assessment, written.sysctl, target),)
    if target != "default":
        wanted = tuple(int(word) for word in target.split())
        return wanted[: len(state.build.zone_names) - 1] if written.sysctl == LOWMEM_RESERVE_RATIO else wanted
    family = family_of(state.kernel, state.incident)
    if written.sysctl == LOWMEM_RESERVE_RATIO and family is not None:
        return tuple(family.default_ratios(state.build.zone_names))
    default = _default(state, written.sysctl)
    if default is None:
        raise NotProposable(f"the default of {written.sysctl} on this box is not known")
    return (default,)


def _solved(assessment: Assessment, name: str, target: LargestPassing) -> int:
    state, snap = assessment.state, assessment.snap
    operation = state.workload if target.operation == "workload" else state.operation
    if name != MIN_FREE_KBYTES or snap is None or operation is None:
        raise NotProposable(f"no value of {name} can be solved for on this report")
    largest = largest_passing(snap, operation.orders, target.largest_passing, every_zone=target.zones == "every-zone")
    if largest is None:
        raise NotProposable(f"at no value of {name} does {operation.title} pass at {target.largest_passing.upper()}")
    cap = _default(state, name) if target.at_most == "default" else target.at_most
    return largest if cap is None else min(largest, cap)


@dataclass(frozen=True, slots=True)
class Judged:
    """A set of changes replayed. ``outcome`` is None, and ``prices`` too, where nothing could be replayed."""

    verification: Verification
    outcome: Outcome | None = None
    prices: tuple[Price, Price] | None = None


def verify(assessment: Assessment, written: tuple[WrittenChange, ...], measured: tuple[str, ...]) -> Verified:
    """Resolve and replay a set of changes together. Raises NotProposable when one of them makes no sense here."""
    resolved = tuple(resolve(assessment, change) for change in written)
    for change in resolved:
        if change.already:
            raise NotProposable(f"{change.shown.knob} is {change.shown.target} already")
    shown = tuple(r.shown for r in resolved)
    scope = resolved[0].scope if resolved else ChangeScope(knob="nothing", current="", target="")
    judged = judge(assessment, resolved, assessment.state.workload, measured)
    if judged.outcome is None:
        nothing = OutcomeScope(verification=judged.verification.class_, operation="")
        return Verified(shown, judged.verification, scope, nothing)
    told = _outcome_scope(judged.outcome, judged.verification.class_, judged.prices)
    return Verified(shown, judged.verification, scope, told)


def judge(
    assessment: Assessment, resolved: tuple[Resolved, ...], operation: Operation | None, measured: tuple[str, ...] = ()
) -> Judged:
    """Replay a set of changes on ``operation``. Raises NotProposable when a value does not fit the kernel.

    ``measured`` names measurements to quote beside that of the class.
    """
    state, snap = assessment.state, assessment.snap
    reason = _not_replayable(assessment, resolved)
    if reason is not None or snap is None or operation is None:
        why = reason or "the report lacks what the allocator's test needs"
        return Judged(Verification(class_="not decidable", measured=measured_for(state, None, measured), why=why))
    try:
        outcome = what_if(snap, operation, tuple(r.replayed for r in resolved if r.replayed is not None))
    except NotReplayable as error:
        raise NotProposable(str(error)) from error
    class_, why = _class(assessment, outcome, resolved)
    run = snap.family.measured
    if not run:
        class_, why = _by_the_test_alone(state, snap.family, outcome, class_, why)
    prices = _prices(state, snap, resolved) if run else None
    verification = Verification(
        class_=class_,
        operation=outcome.operation.id,
        passes_min=outcome.passes("min"),
        passes_low=outcome.passes("low"),
        passes_high=outcome.passes("high"),
        before=outcome.before,
        after=outcome.after,
        worst=outcome.worst,
        estimate_permille=_share(outcome.estimate_high, outcome.draws),
        estimate_min_permille=_share(outcome.estimate_min, outcome.draws),
        draws=outcome.draws or None,
        headroom_before=_headroom(snap, operation, _children_now(snap, operation)) if run else None,
        headroom=_headroom(outcome.snapshot, outcome.operation, outcome.children) if run else None,
        side_effects=(*_side_effects(prices), *_fork_limit(state, resolved)),
        measured=measured_for(state, class_, measured),
        why=why,
    )
    return Judged(verification, outcome, prices)


def _not_replayable(assessment: Assessment, resolved: tuple[Resolved, ...]) -> str | None:
    if any(r.replayed is None for r in resolved):
        return "not simulated: the report holds nothing that this change could be replayed on"
    if assessment.snap is None:
        state = assessment.state
        if not families_of(state.kernel, state.incident):
            return f"the arithmetic of {state.kernel.text} is not replayed here"
        if assessment.alternatives:
            return f"the kernel is known as {state.kernel.text} only, and the tests of these kernels differ here"
        return "the report lacks zone lines, marks, reserves or free lists, so the test cannot be replayed"
    return None


def _class(assessment: Assessment, outcome: Outcome, resolved: tuple[Resolved, ...]) -> tuple[VerificationClass, str]:
    """Return the class and its reason. With reclaimable pages a failing MIN proves nothing (54 of 54 went through)."""
    operation = outcome.operation.title
    found = outcome.verification
    lost = _lost(assessment, outcome)
    if lost and found != "harmful":
        return "harmful", f"{', '.join(lost)} passed at MIN before and would fail"
    several = len(outcome.operation.steps) > 1
    blocks = f"every block of {operation} passes" if several else f"{operation} passes"
    held = ", each taken while the earlier ones are held" if several else ""
    swap = any(isinstance(r.replayed, AddSwap) for r in resolved)
    if found == "no effect" and swap:
        return "not decidable", (
            f"{operation} still fails at MIN on these lists, but with swap the kernel reclaims before it kills: "
            "anonymous pages and tmpfs can then be written out, and what comes back is not in the report"
        )
    if found == "no effect" and reclaim_possible(assessment.state):
        return "not decidable", (
            f"{operation} still fails at MIN, but pages can be reclaimed here, and the report cannot tell which"
        )
    if found == "certain":
        return found, f"{blocks} at HIGH{held}"
    if found == "marginal":
        return found, f"{blocks} at MIN, but not at HIGH, where the last look before a kill is"
    if found == "bounded":
        return found, f"in the best case {operation} passes, in the worst it does not; the report cannot tell which"
    if found == "harmful":
        return found, "a bound rises: the test gets stricter, and nothing passes that failed before"
    if resolved and all(isinstance(r.replayed, SetSysctl) and not _in_the_test(r.replayed.name) for r in resolved):
        return found, "the allocator's test does not read it, and nothing can be reclaimed"
    return found, f"{operation} still fails at MIN"


def _by_the_test_alone(
    state: SystemState, family: Family, outcome: Outcome, class_: VerificationClass, why: str
) -> tuple[VerificationClass, str]:
    """Return the class and its reason for a kernel whose test is replayed, and whose road to a kill was never run.

    That the test then passes is said, and no more: no class better than *not decidable*. That it still fails stands,
    unless pages can come back by reclaim or compaction, whose rules are 2.6.31's here.
    """
    operation, kernel = outcome.operation.title, state.kernel.text
    if class_ in ("certain", "marginal", "bounded"):
        at = "HIGH" if outcome.passes("high") else "MIN, but not at HIGH"
        case = "in the best case " if outcome.worst else ""
        return "not decidable", (
            f"by the test of {kernel} {operation} would {case}pass at {at}; what this kernel does after its test was "
            f"read, not run. What was measured on {knowledge.measured_ground()['text']} does not carry over"
        )
    if class_ == "no effect":
        brings = []
        if state.memory.file_lru_pages != 0 or state.swap is None or state.swap.total_kb:
            brings.append("reclaims")
        if max(outcome.operation.orders) > 0 and family.kills.compacts != "no":
            brings.append("compacts")
        if brings:
            return "not decidable", (
                f"{operation} still fails at MIN; this kernel also {' and '.join(brings)} memory, and what that brings "
                "is not in the report"
            )
    return class_, why


def _lost(assessment: Assessment, outcome: Outcome) -> list[str]:
    """Return the names of what passes at MIN now and would not any more: other operations, a single page."""
    if assessment.snap is None:
        return []
    return [o.title for o in broken(assessment.snap, outcome.worst_snapshot, operations_beside(assessment))]


def operations_beside(assessment: Assessment) -> tuple[Operation, ...]:
    """Return the operations of the architecture, and a single page, that the same zones may serve as the request.

    Of one with another class zone the snapshot says nothing.
    """
    state, snap = assessment.state, assessment.snap
    if snap is None:
        return ()
    known = (*knowledge.operations(state.incident.arch).values(), SINGLE_PAGE)
    one_of_each = {o.steps[0].gfp_mask: o for o in known}
    same = {mask: snapshot(state, o) for mask, o in one_of_each.items()}
    zones = tuple(zone.name for zone in snap.zones)
    return tuple(o for o in known if (own := same[o.steps[0].gfp_mask]) and tuple(z.name for z in own.zones) == zones)


def _in_the_test(name: str) -> bool:
    knob = knowledge.knobs().get(name)
    return knob is not None and knob.in_test


def _share(count: int | None, draws: int) -> int | None:
    return None if count is None or draws == 0 else count * 1000 // draws


@lru_cache(maxsize=8)  # of the state before, which is the same for every change that is tried on it
def _children_now(snap: Snapshot, operation: Operation) -> tuple[int, int]:
    return children_range(snap, operation)


def _headroom(snap: Snapshot, operation: Operation, children: tuple[int, int]) -> Headroom | None:
    """Return the headroom; None of an operation that takes single pages: how many are left says the same."""
    low, high = children
    if not any(operation.orders):
        return None
    if high == 0:
        note = "not even the first passes"
    elif not operation.creates_process:
        note = "nothing given back in between"
    elif is_lower_bound(snap):
        note = "blocks of 64 kB and more are free; how they are broken up decides"
    else:
        note = "short-lived ones give their blocks back"
    return Headroom(
        operation=operation.id,
        processes=operation.creates_process,
        children=low,
        children_high=None if low == high else high,
        model=HEADROOM_MODEL if operation.creates_process else "largest block first",
        note=note,
    )


def _prices(state: SystemState, snap: Snapshot, resolved: tuple[Resolved, ...]) -> tuple[Price, Price] | None:
    """Return the price before and after, when min_free_kbytes changes and its present value is known."""
    tunable = state.tunables.get(MIN_FREE_KBYTES)
    change = next(
        (r.replayed for r in resolved if isinstance(r.replayed, SetSysctl) and r.replayed.name == MIN_FREE_KBYTES), None
    )
    if change is None or tunable is None or tunable.low is None:
        return None
    return price(snap, tunable.low), price(snap, change.values[0])


def _side_effects(prices: tuple[Price, Price] | None) -> tuple[str, ...]:
    if prices is None:
        return ()
    before, after = prices
    effects = [f"interrupts keep {after.atomic_pages} pages at the floor instead of {before.atomic_pages}"]
    if before.spinning_zones and not after.spinning_zones:
        effects.append(f"kswapd can no longer spin in {', '.join(before.spinning_zones)}")
    if after.spinning_zones and not before.spinning_zones:
        effects.append(f"kswapd can spin in {', '.join(after.spinning_zones)}")
    return tuple(effects)


def _fork_limit(state: SystemState, resolved: tuple[Resolved, ...]) -> tuple[str, ...]:
    """Say so when the change makes overcommit refuse forks that it allows now: that leaves no report."""
    commit = commit_state(state)
    if commit is None:
        return ()
    changed = with_changes(commit, [r.replayed for r in resolved if r.replayed is not None])
    if changed == commit:
        return ()
    before, after = largest_fork(commit), largest_fork(changed)
    if after.best is None or (before.best is not None and after.best >= before.best):
        return ()
    return (
        f"a task of more than {fork_words(after)} MB can no longer fork (now {fork_words(before)}): it gets ENOMEM, "
        "without any report",
    )


def _nearest(verdicts: tuple[Verdict, ...]) -> Verdict | None:
    """Return the verdict that comes closest to passing (or passes by most): the one worth quoting."""
    return max(verdicts, key=lambda v: (v.ok, v.remaining_pages - v.bound_pages), default=None)


def _layouts(outcome: Outcome) -> str:
    if outcome.draws:
        return (
            f"of {outcome.draws} random layouts {outcome.estimate_min} pass at MIN and {outcome.estimate_high} at HIGH"
        )
    return "none was laid out at random, the box is too large for that" if outcome.worst else "no layout was drawn"


def _outcome_scope(outcome: Outcome, class_: str, prices: tuple[Price, Price] | None) -> OutcomeScope:
    """Return the values that texts may quote: the largest block of the operation at MIN, before and after."""
    at_min_before = next(r for r in outcome.before if r.mark == "min")
    at_min_after = next(r for r in outcome.after if r.mark == "min")
    before = _nearest(at_min_before.steps[-1].verdicts)
    step = at_min_after.steps[-1]
    after = before and next((v for v in step.verdicts if v.zone == before.zone), _nearest(step.verdicts))
    cost_before, cost_after = prices or (None, None)
    return OutcomeScope(
        verification=class_,
        operation=outcome.operation.title,
        zone=before.zone if before else None,
        remaining_before_pages=before.remaining_pages if before else None,
        bound_before_pages=before.bound_pages if before else None,
        short_before_pages=before.short_by_pages if before else None,
        remaining_after_pages=after.remaining_pages if after else None,
        bound_after_pages=after.bound_pages if after else None,
        short_after_pages=after.short_by_pages if after else None,
        headroom_before=outcome.headroom_before,
        headroom=outcome.headroom,
        headroom_low=outcome.headroom_draws[0] if outcome.headroom_draws else None,
        headroom_high=outcome.headroom_draws[-1] if outcome.headroom_draws else None,
        layouts=_layouts(outcome),
        draws=outcome.draws or None,
        draws_min=outcome.estimate_min,
        draws_high=outcome.estimate_high,
        atomic_before_pages=cost_before.atomic_pages if cost_before else None,
        atomic_after_pages=cost_after.atomic_pages if cost_after else None,
        atomic_loss_pages=cost_before.atomic_pages - cost_after.atomic_pages if cost_before and cost_after else None,
        above_floor_pages=cost_before.above_floor_pages if cost_before else None,
        burst_after_pages=cost_after.safe_burst_pages if cost_after else None,
        spins_before=bool(cost_before.spinning_zones) if cost_before else None,
        spins_after=bool(cost_after.spinning_zones) if cost_after else None,
    )


def measured_for(state: SystemState, class_: str | None, ids: tuple[str, ...]) -> tuple[Measured, ...]:
    """Return the measured rate of a class and the named measurements, each with whether it carries over to this box.

    None of them for a kernel that is not the measured one.
    """
    families = families_of(state.kernel, state.incident)
    if families and not any(family.measured for family in families):
        return ()
    rates = knowledge.measured_rates()
    chosen = [rate for rate in rates.values() if class_ is not None and rate.rate_of == class_]
    chosen += [rates[name] for name in ids if name in rates]
    chosen = [rate for rate in chosen if not rate.state.startswith("seed") or _starts_programs(state)]
    applies, conditions = _carries_over(state)
    result = []
    for rate in chosen:
        interval = rate.wilson_permille()
        result.append(
            Measured(
                id=rate.id,
                text=rate.text,
                trials=rate.trials,
                successes=rate.successes,
                of_class=rate.rate_of is not None,
                low_permille=interval[0] if interval else None,
                high_permille=interval[1] if interval else None,
                conditions=conditions,
                applies=applies,
                source=rate.source,
            )
        )
    return tuple(result)


def _starts_programs(state: SystemState) -> bool:
    """Return whether this is about what was measured in the example's state: new processes that need large blocks."""
    workload = state.workload
    return workload is not None and workload.creates_process and any(workload.orders)


def _carries_over(state: SystemState) -> tuple[bool, str]:
    """Return whether this box is like the measured one, and what to say about it.

    What the report does not tell is no difference, but it is said: the rate then holds if the box is like that.
    """
    ground = knowledge.measured_ground()
    differences, untold = [], []
    if ".".join(map(str, state.kernel.version[:3])) != ground["kernel"]:
        differences.append(f"this is {state.kernel.text}")
    if state.incident.arch is None:
        untold.append("the architecture")
    elif state.incident.arch != ground["arch"]:
        differences.append(f"this is {state.incident.arch}")
    if state.build.smp:
        differences.append("this box has more than one CPU")
    elif state.build.smp is None and state.build.cpus_seen is None:
        untold.append("how many CPUs there are")
    if state.swap is None or state.swap.total_kb is None:
        untold.append("whether there is swap")
    elif state.swap.total_kb:
        differences.append("this box has swap")
    where = f"measured on {ground['text']}"
    if differences:
        return False, f"{where}; {', '.join(differences)}, so the rate does not carry over"
    if untold:
        return True, f"{where}; the report does not tell {' and '.join(untold)}"
    return True, where
