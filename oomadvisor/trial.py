"""Changes that somebody has in mind, tried on the state of one incident (``oomadvisor simulate``)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from oomadvisor import knowledge
from oomadvisor.facts import Assessment
from oomadvisor.kernel.gfp import Gfp
from oomadvisor.model import MARKS, Operation, OperationStep, Thresholds, Tunable, Verdict
from oomadvisor.model.state import LOWMEM_RESERVE_RATIO, MIN_FREE_KBYTES
from oomadvisor.model.trial import Effect, OperationTrial, Solved, Sweep, Trial, ZoneVerdicts
from oomadvisor.simulate import (
    AddSwap,
    JoinZones,
    Outcome,
    SetMaxOrder,
    SetSysctl,
    Snapshot,
    asked_by,
    order_verdicts,
    snapshot,
    thresholds,
)
from oomadvisor.simulate.effects import effects, fork_limit
from oomadvisor.simulate.replay import operation_passes
from oomadvisor.simulate.solve import reserve_thresholds
from oomadvisor.simulate.sweep import sweep
from oomadvisor.verify import Judged, Resolved, judge, operations_beside

SHORT_NAMES = {"vfork": "vfork+exec"}


class UnknownOperation(ValueError):
    """There is no such operation on this architecture; the text says which there are."""


class NotSolvable(ValueError):
    """A knob cannot be swept or solved for on this report; the text says why."""


def operation_named(assessment: Assessment, name: str | None) -> Operation | None:
    """Return the operation that ``name`` stands for: one of the architecture's, ``request``, or ``order:N``.

    None stands for what the device does all day, as the report tells it; the result is None when it does not tell.
    ``vfork`` is short for vfork+exec: a vfork alone asks for a stack only. Raises UnknownOperation.
    """
    state = assessment.state
    if name is None:
        return state.workload
    if name == "request":
        return state.operation
    if name.startswith("order:") and name[6:].isdecimal() and name[6:].isascii() and len(name) <= len("order:99"):
        return _single(int(name[6:]), state.incident.request.gfp_mask)
    known = knowledge.operations(state.incident.arch)
    found = known.get(name) or known.get(SHORT_NAMES.get(name, name))
    if found is None:
        there = ", ".join((*known, "request", "order:N"))
        arch = state.incident.arch or "a report that does not tell the architecture"
        raise UnknownOperation(f"'{name}' is no operation described for {arch}; there are {there}")
    return found


def _single(order: int, gfp_mask: int | None) -> Operation:
    title = f"one block of order {order}"
    step = OperationStep(order=order, gfp_mask=gfp_mask or int(Gfp.GFP_KERNEL), what=title, source="as asked")
    return Operation(id=f"order:{order}", title=title, steps=(step,), source="mm/page_alloc.c: __alloc_pages_nodemask")


@dataclass(frozen=True, slots=True)
class Questions:
    """What is asked besides the verdict: knobs to solve for, and one to move from ``low`` to ``high``."""

    solve: tuple[str, ...] = ()
    sweep: tuple[str, int, int] | None = None


def try_out(
    assessment: Assessment,
    resolved: Sequence[Resolved],
    operation: Operation | None,
    questions: Questions = Questions(),
) -> Trial:
    """Replay the changes together, and answer the questions on the state with the changes.

    Raises NotProposable when a value does not fit the kernel or the box, NotSolvable when a question has no answer.
    """
    if operation is not None:
        assessment = replace(assessment, snap=snapshot(assessment.state, operation))
    judged = judge(assessment, tuple(resolved), operation, _measurements(resolved))
    shown = tuple(r.shown for r in resolved)
    snap, outcome = assessment.snap, judged.outcome
    if snap is None or outcome is None or operation is None:
        if questions != Questions():
            raise NotSolvable(f"nothing can be solved for: {judged.verification.why}")
        return Trial(
            state=assessment.state,
            changes=shown,
            operation=operation,
            verification=judged.verification,
            notes=_notes(resolved, snap, operation),
        )
    trial = _trial(assessment, snap, judged, outcome, operation, resolved)
    after, target, tunables = outcome.worst_snapshot, outcome.operation, assessment.state.tunables
    return trial.model_copy(
        update={
            "solved": tuple(solve(after, knob, target, tunables) for knob in questions.solve),
            "sweep": questions.sweep and sweep_knob(after, *questions.sweep, target, tunables),
        }
    )


def _trial(
    assessment: Assessment,
    snap: Snapshot,
    judged: Judged,
    outcome: Outcome,
    operation: Operation,
    resolved: Sequence[Resolved],
) -> Trial:
    unsure = bool(outcome.worst)
    orders = tuple(sorted({*operation.orders, *outcome.operation.orders}))
    return Trial(
        state=assessment.state,
        changes=tuple(r.shown for r in resolved),
        operation=operation,
        instead=outcome.operation if outcome.operation.id != operation.id else None,
        verification=judged.verification,
        notes=_notes(resolved, outcome.worst_snapshot, outcome.operation),
        verdicts=_verdicts(
            order_verdicts(snap, orders),
            order_verdicts(outcome.snapshot, orders),
            order_verdicts(outcome.worst_snapshot, orders) if unsure else (),
        ),
        steps_before=next(r for r in outcome.before if r.mark == "min"),
        steps_after=next(r for r in outcome.worst or outcome.after if r.mark == "min"),
        others=_others(assessment, snap, outcome),
        effects=_effects(assessment, snap, outcome, resolved),
    )


def _effects(
    assessment: Assessment, snap: Snapshot, outcome: Outcome, resolved: Sequence[Resolved]
) -> tuple[Effect, ...]:
    moved = effects(snap, outcome.worst_snapshot, outcome.operation.orders)
    limit = fork_limit(assessment.state, [r.replayed for r in resolved if r.replayed is not None])
    return moved if limit is None else (*moved, limit)


def _measurements(resolved: Sequence[Resolved]) -> tuple[str, ...]:
    """Return the ids of the measurements that tell what a change did that the test cannot see."""
    return ("compressed-swap",) if any(isinstance(r.replayed, AddSwap) for r in resolved) else ()


def _notes(resolved: Sequence[Resolved], snap: Snapshot | None, operation: Operation | None) -> tuple[str, ...]:
    notes = []
    lists = max((len(zone.blocks) for zone in snap.zones), default=0) if snap is not None else 0
    if lists and operation is not None and max(operation.orders) >= lists:
        notes.append(
            f"The largest block of this kernel is of order {lists - 1}: a larger one is refused at once, without "
            "reclaim and without a kill."
        )
    if any(isinstance(r.replayed, SetMaxOrder | JoinZones) for r in resolved):
        notes.append(
            "A new kernel starts from boot, and its free lists would not be these: shown is what its rules make of the "
            "same free pages."
        )
    if any(isinstance(r.replayed, SetSysctl) and r.replayed.name == MIN_FREE_KBYTES for r in resolved):
        notes.append(
            "The lists are those of the report; what a value set at boot would have kept free by now is another matter."
        )
    return tuple(notes)


def _verdicts(
    before: Sequence[Verdict], after: Sequence[Verdict], worst: Sequence[Verdict]
) -> tuple[ZoneVerdicts, ...]:
    """Pair the tests of the same zone, mark and order, in the order in which the kernel would ask."""
    sides = [{(v.order, v.zone, v.mark): v for v in side} for side in (before, after, worst)]
    zones = list(dict.fromkeys(v.zone for v in (*before, *after)))
    places = sorted({*sides[0], *sides[1]}, key=lambda p: (p[0], zones.index(p[1]), MARKS.index(p[2])))
    return tuple(
        ZoneVerdicts(
            order=place[0],
            zone=place[1],
            mark=place[2],
            before=sides[0].get(place),
            after=sides[1].get(place),
            worst=sides[2].get(place),
        )
        for place in places
    )


def _others(assessment: Assessment, snap: Snapshot, outcome: Outcome) -> tuple[OperationTrial, ...]:
    """Return the other operations of the architecture and a single page, at MIN and HIGH before and after."""
    after = outcome.worst_snapshot
    return tuple(
        OperationTrial(
            operation=operation,
            min_before=operation_passes(asked_by(snap, operation), operation.orders, "min"),
            min_after=operation_passes(asked_by(after, operation), operation.orders, "min"),
            high_before=operation_passes(asked_by(snap, operation), operation.orders, "high"),
            high_after=operation_passes(asked_by(after, operation), operation.orders, "high"),
        )
        for operation in operations_beside(assessment)
        if operation.id != outcome.operation.id
    )


def solve(snap: Snapshot, knob: str, operation: Operation, tunables: Mapping[str, Tunable]) -> Solved:
    """Return the exact values of ``knob`` at which ``operation`` passes. Raises NotSolvable.

    vm.lowmem_reserve_ratio is solved for each zone that has one; any other sysctl is not in the test.
    """
    current = tunables.get(knob)
    rows: tuple[Thresholds, ...] = ()
    in_test = knob == MIN_FREE_KBYTES or knob.startswith(LOWMEM_RESERVE_RATIO)
    if knob == MIN_FREE_KBYTES and not snap.whole:
        raise NotSolvable(f"the report does not show all zones that share in {MIN_FREE_KBYTES}")
    if in_test:
        rows = thresholds(snap, operation) if knob == MIN_FREE_KBYTES else _ratio_rows(snap, knob, operation)
    return Solved(
        knob=knob,
        in_test=in_test,
        current_low=current.low if current else None,
        current_high=current.high if current else None,
        default=current.default if current else None,
        rows=rows,
    )


def _ratio_rows(snap: Snapshot, knob: str, operation: Operation) -> tuple[Thresholds, ...]:
    rows = reserve_thresholds(snap, operation)
    found = tuple(row for row in rows if knob in (LOWMEM_RESERVE_RATIO, row.knob))
    if not found:
        there = ", ".join(dict.fromkeys(row.knob for row in rows)) or "none: no zone keeps anything from this request"
        raise NotSolvable(f"{knob} takes no part in this request; those that do: {there}")
    return found


def sweep_knob(
    snap: Snapshot, knob: str, low: int, high: int, operation: Operation, tunables: Mapping[str, Tunable]
) -> Sweep:
    """Move ``knob`` from ``low`` to ``high``. Raises NotSolvable when the test does not read it."""
    zone: int | None = None
    if knob.startswith(LOWMEM_RESERVE_RATIO):
        knob, zone = _ratio_zone(snap, knob)
    elif knob != MIN_FREE_KBYTES:
        raise NotSolvable(f"the allocator's test does not read {knob}: at every value the verdict is the same")
    elif not snap.whole:
        raise NotSolvable(f"the report does not show all zones that share in {MIN_FREE_KBYTES}")
    return sweep(snap, operation, knob, low, high, marked=_marked(tunables.get(knob)), zone=zone)


def _ratio_zone(snap: Snapshot, knob: str) -> tuple[str, int]:
    """Return the full name and the zone of a ratio. Without a zone it is the only one that matters, if there is one."""
    named = {
        f"{LOWMEM_RESERVE_RATIO}[{snap.zone_names[z.index]}]": z.index
        for z in snap.zones
        if z.index < snap.class_zone_index
    }
    if knob == LOWMEM_RESERVE_RATIO and len(named) == 1:
        return next(iter(named.items()))
    if knob not in named:
        there = " or ".join(named) or "none: no zone keeps anything from this request"
        raise NotSolvable(f"a sweep moves the ratio of one zone: {there}")
    return knob, named[knob]


def _marked(tunable: Tunable | None) -> dict[int, str]:
    """Return the values of a knob that a reader looks for, each with a word."""
    marked: dict[int, str] = {}
    if tunable is not None and tunable.default is not None:
        marked[tunable.default] = "the kernel's default"
    if tunable is not None and tunable.low is not None:
        marked[tunable.low] = "now" if tunable.low == tunable.high else f"now ({tunable.interval})"
        if tunable.low == tunable.default:
            marked[tunable.low] += ", and the kernel's default"
    return marked
