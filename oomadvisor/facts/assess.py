"""A state with its verdicts and thresholds: computed once, read by facts, advice and every output."""

from dataclasses import dataclass

from oomadvisor import knowledge
from oomadvisor.model import Operation, SystemState, Thresholds, Verdict
from oomadvisor.simulate import Snapshot, order_verdicts, snapshot, thresholds


@dataclass(frozen=True, slots=True)
class Assessment:
    """A state with its verdicts: computed once, read by facts, advice and every output.

    ``operations``: the request's operation, what the device does all day, and the other operations of the architecture
    that need the same large blocks. ``snap`` is None when the report lacks what the test needs.
    """

    state: SystemState
    snap: Snapshot | None
    verdicts: tuple[Verdict, ...]
    order_verdicts: tuple[Verdict, ...]
    operations: tuple[Operation, ...]
    thresholds: tuple[Thresholds, ...]


def assess(state: SystemState) -> Assessment:
    """Replay the watermark test of the state's request, and solve for the thresholds of every operation it concerns.

    Of a picture of the memory without a request it is the operation that comes next.
    """
    asked = state.operation or (state.workload if state.incident.kind == "mem-info" else None)
    snap = snapshot(state) if state.operation else snapshot(state, asked)
    operations = _operations(state, asked)
    if snap is None or asked is None:
        return Assessment(state, None, (), (), operations, ())
    orders = asked.orders
    top = max(len(z.blocks) for z in snap.zones) - 1
    if max(orders) > top:
        # No list can hold such a block: the kernel returns at once, and no setting changes that.
        return Assessment(state, None, (), (), operations, ())
    ladder = order_verdicts(snap, tuple(range(min(max(*orders, state.incident.request.order or 0) + 1, top) + 1)))
    one_of_each = {operation.orders: operation for operation in operations}
    rows = {orders: thresholds(snap, operation) for orders, operation in one_of_each.items()}
    return Assessment(
        state=state,
        snap=snap,
        verdicts=tuple(v for v in ladder if v.order in orders),
        order_verdicts=ladder,
        operations=operations,
        thresholds=tuple(
            row.model_copy(update={"operation": operation.id})
            for operation in operations
            for row in rows[operation.orders]
        ),
    )


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
