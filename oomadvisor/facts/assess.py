"""A state with its verdicts and thresholds: computed once, read by facts, advice and every output."""

from collections.abc import Sequence
from dataclasses import dataclass

from oomadvisor import knowledge
from oomadvisor.model import Operation, SystemState, Thresholds, Verdict
from oomadvisor.simulate import Snapshot, order_verdicts, snapshots, thresholds


@dataclass(frozen=True, slots=True)
class Assessment:
    """A state with its verdicts: computed once, read by facts, advice and every output.

    ``operations``: the request's operation, what the device does all day, and the other operations of the architecture
    that need the same large blocks. ``snap`` is None when the report lacks what the test needs, and when the kernel can
    be one of several whose answers differ: those are the ``alternatives``.
    """

    state: SystemState
    snap: Snapshot | None
    verdicts: tuple[Verdict, ...]
    order_verdicts: tuple[Verdict, ...]
    operations: tuple[Operation, ...]
    thresholds: tuple[Thresholds, ...]
    alternatives: tuple["Alternative", ...] = ()


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of several tests that the kernel can have, with its answers about the request's order."""

    name: str
    verdicts: tuple[Verdict, ...]


def assess(state: SystemState) -> Assessment:
    """Replay the watermark test of the state's request, and solve for the thresholds of every operation it concerns.

    Of a picture of the memory without a request it is the operation that comes next. Where several kernels are
    possible, a verdict stands if the test of each gives it, and a threshold too.
    """
    asked = state.operation or (state.workload if state.incident.kind == "mem-info" else None)
    snaps = snapshots(state) if state.operation else snapshots(state, asked)
    operations = _operations(state, asked)
    if not snaps or asked is None:
        return Assessment(state, None, (), (), operations, ())
    orders = asked.orders
    top = max(len(z.blocks) for z in snaps[0].zones) - 1
    if max(orders) > top:
        # No list can hold such a block: the kernel returns at once, and no setting changes that.
        return Assessment(state, None, (), (), operations, ())
    tried = tuple(range(min(max(*orders, state.incident.request.order or 0) + 1, top) + 1))
    ladders = [order_verdicts(snap, tried) for snap in snaps]
    in_question = [tuple(v for v in ladder if v.order in orders) for ladder in ladders]
    if len({tuple(v.ok for v in verdicts) for verdicts in in_question}) > 1:
        different = tuple(
            Alternative(name, verdicts) for name, verdicts in zip(_names(snaps), in_question, strict=True)
        )
        return Assessment(state, None, (), (), operations, (), different)
    if not all(snap.whole for snap in snaps):
        return Assessment(state, snaps[0], in_question[0], ladders[0], operations, ())
    one_of_each = {operation.orders: operation for operation in operations}
    solved = [{orders: thresholds(snap, operation) for orders, operation in one_of_each.items()} for snap in snaps]
    return Assessment(
        state=state,
        snap=snaps[0],
        verdicts=in_question[0],
        order_verdicts=ladders[0],
        operations=operations,
        thresholds=tuple(
            row.model_copy(update={"operation": operation.id})
            for operation in operations
            for row in solved[0][operation.orders]
            if all(row in other[operation.orders] for other in solved)
        ),
    )


SHORT_CUTS = {"none": "without a short cut for one page", "no cma": "with the short cut of 4.7 for one page"}
SHORT_CUTS |= {"no reserve, wraps": "with that of 5.9", "no reserve": "with that of 5.19"}


def _names(snaps: Sequence[Snapshot]) -> list[str]:
    """Name each test; where two have one name, by what else they differ in."""
    names = [_name(snap) for snap in snaps]
    return [
        f"{name} {SHORT_CUTS[snap.family.test.order0]}" if names.count(name) > 1 else name
        for name, snap in zip(names, snaps, strict=True)
    ]


def _name(snap: Snapshot) -> str:
    """Name a test by the release that brought it, and what is assumed."""
    name = f"the test of {snap.family.test.since} on"
    if snap.family.test.any_list:
        name += " (before its fix of 4.15)"
    if snap.family.test.order_shift != 1:
        name += f" with vm.min_free_order_shift {snap.family.test.order_shift}"
    return f"{name} {snap.assumed}" if snap.assumed else name


def _operations(state: SystemState, asked: Operation | None) -> tuple[Operation, ...]:
    """Return the operations that matter here, the one in question first, each once."""
    if asked is None:
        return ()
    found = {asked.id: asked}
    known = knowledge.operations(state.incident.arch)
    if asked.id in known:
        for operation in known.values():
            if max(operation.orders) >= max(asked.orders):
                found.setdefault(operation.id, operation)
    return tuple(found.values())
