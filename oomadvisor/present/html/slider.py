"""What the what-if slider shows, worked out beforehand by the simulator for every value.

The script in the page only looks values up. Each table is a list of steps: a first value, and what holds from there on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from oomadvisor import knowledge
from oomadvisor.facts import Assessment
from oomadvisor.model import MARKS, Operation, SystemState
from oomadvisor.model.state import LOWMEM_RESERVE_RATIO, MIN_FREE_KBYTES
from oomadvisor.simulate import Snapshot, asked_by, children_that_stay, classify, snapshot
from oomadvisor.simulate.answers import (
    MOST_CHILDREN,
    Answers,
    Kept,
    Shortfall,
    Steps,
    answers,
    kept,
    shortfall,
    spinning,
)
from oomadvisor.simulate.change import with_min_free_kbytes, with_reserve_ratio
from oomadvisor.simulate.headroom import children_at_most, is_lower_bound
from oomadvisor.simulate.price import atomic_pages, spinning_zones
from oomadvisor.simulate.replay import operation_passes
from oomadvisor.trial import operation_named

SMALLEST_RANGE_KB = 4096
LARGEST_RANGE_KB = 131072
"""Above this the range ends, whatever the box is set to."""
DETAILED_RANGE_KB = 8192
"""Up to this range every operation is worked out, above it only what failed and what the device does all day."""
RATIOS = ((1, "1: the largest reserve"), (1_000_000, "1000000: practically none"))
MOST_ORDERS = 5

Table = dict[str, list[list[Any]]]


@dataclass(frozen=True, slots=True)
class Slider:
    """The slider of one incident. ``data`` goes into the page as JSON; ``answers``, ``kept``: of ``operation``."""

    operation: Operation
    answers: Answers
    kept: Steps[Kept]
    data: dict[str, Any]


def slider(assessment: Assessment) -> Slider | None:
    """Return the slider, or None where the report cannot be replayed."""
    state, snap = assessment.state, assessment.snap
    if snap is None or not snap.whole or not assessment.operations:
        return None
    high = range_kb(state)
    asked = assessment.operations[0]
    chosen = state.workload or asked
    operations = _operations(assessment, snap, (chosen, asked), every=high <= DETAILED_RANGE_KB)
    now = _answered(state, snap, operations, high)
    ratios = _ratios(snap) if high <= DETAILED_RANGE_KB else ()
    changed = [
        _answered(state, snap, [o for o in operations if o.id in (chosen.id, asked.id)], high, ratio)
        for ratio, _ in ratios
    ]
    tables: list[Table] = []
    at: dict[str, list[int | None]] = {}
    for operation in operations:
        rows = [answered.get(operation.id) for answered in (now, *changed)]
        at[operation.id] = [None if row is None else _place(tables, _table(row, operation)) for row in rows]
    keeps = kept(snap, high)
    tunable = state.tunables.get(MIN_FREE_KBYTES)
    data = {
        "knob": MIN_FREE_KBYTES,
        "high": now[chosen.id].high,
        "now": None if tunable is None else tunable.low,
        "now_high": None if tunable is None else tunable.high,
        "now_words": None if tunable is None else tunable.interval,
        "default": None if tunable is None else tunable.default,
        "operations": [
            {"id": o.id, "title": _title(o, state.page_kb), "tables": at[o.id], "edges": _edges(now[o.id])}
            for o in operations
        ],
        "chosen": chosen.id,
        "ratio": {"knob": _ratio_knob(snap), "choices": ["as it is", *(words for _, words in ratios)]},
        "ratios": [None, *(ratio for ratio, _ in ratios)],
        "tables": tables,
        "kept": [[start, _range(one.atomic_pages, one.most)] for start, one in keeps],
        "spins": [_spins(snap, high), *(_spins(with_every_ratio(snap, ratio), high) for ratio, _ in ratios)],
        "note": "" if now[chosen.id].exact else "Over so long a range the numbers are bounds; the verdict is exact.",
    }
    return Slider(operation=chosen, answers=now[chosen.id], kept=keeps, data=data)


def _spins(snap: Snapshot, high: int) -> list[list[Any]]:
    return [[start, zones_words(zones)] for start, zones in spinning(snap, high)]


def _range(least: int, most: int) -> str:
    return str(least) if least == most else f"{least} to {most}"


def zones_words(zones: tuple[str, ...]) -> str:
    """Say in which zones kswapd can spin."""
    return f"in {', '.join(zones)}" if zones else "in no zone"


def answer_at(assessment: Assessment, name: str | None, value: int, ratio: int | None) -> dict[str, Any] | None:
    """Return what the slider shows at one place, asked of the simulator, or None where nothing can be replayed.

    ``ratio``: of every zone that has one, None for as it is. Raises UnknownOperation.
    """
    state = assessment.state
    operation = operation_named(assessment, name) or state.operation
    now = None if operation is None or assessment.snap is None else snapshot(state, operation)
    if now is None or operation is None or not now.whole:
        return None
    if max(operation.orders) >= max(len(zone.blocks) for zone in now.zones):
        return None
    now = asked_by(now, operation)
    after = with_min_free_kbytes(now if ratio is None else with_every_ratio(now, ratio), value)
    room = children_that_stay(after, operation, MOST_CHILDREN)
    most = max(room, children_at_most(after, operation, MOST_CHILDREN)) if is_lower_bound(after) else room
    marks = {mark: operation_passes(after, operation.orders, mark) for mark in MARKS}
    return {
        "class": classify(now, after, operation),
        **{mark: "passes" if ok else "fails" for mark, ok in marks.items()},
        "missing": missing_words(shortfall(after, operation, "min") or shortfall(after, operation, "high"), operation),
        "headroom": headroom_words((room, most), operation),
        "kept": str(atomic_pages(after)),
        "spins": zones_words(spinning_zones(after)),
    }


def range_kb(state: SystemState) -> int:
    """Return the upper end in kB: a power of two with room above the present value and the default."""
    tunable = state.tunables.get(MIN_FREE_KBYTES)
    known = [] if tunable is None else [v for v in (tunable.low, tunable.high, tunable.default) if v is not None]
    largest = max((value for value in known if value >= 0), default=0)
    high = SMALLEST_RANGE_KB
    while high * 2 < largest * 3 and high < LARGEST_RANGE_KB:
        high *= 2
    return high


def _operations(assessment: Assessment, snap: Snapshot, first: Sequence[Operation], *, every: bool) -> list[Operation]:
    """Return what can be chosen: what fails here, the architecture's operations, and single blocks by order."""
    found = {operation.id: operation for operation in first}
    if every:
        request, arch = assessment.state.incident.request, assessment.state.incident.arch
        found |= {o.id: o for o in knowledge.operations(arch).values() if o.id not in found}
        top = max(len(zone.blocks) for zone in snap.zones) - 1
        last = min(top, max(request.order or 0, 2) + 1, MOST_ORDERS)
        singles = (operation_named(assessment, f"order:{order}") for order in range(last + 1))
        found |= {single.id: single for single in singles if single is not None}
    return list(found.values())


def _answered(
    state: SystemState, now: Snapshot, operations: Sequence[Operation], high: int, ratio: int | None = None
) -> dict[str, Answers]:
    """Return the answers by operation. Those that ask for the same in the same way are worked out once."""
    alike: dict[tuple[object, ...], list[Operation]] = {}
    for operation in operations:
        alike.setdefault(_key(operation), []).append(operation)
    found: dict[str, Answers] = {}
    for same in alike.values():
        own = snapshot(state, same[0]) or now
        changed = None if ratio is None else with_every_ratio(own, ratio)
        (answered,) = answers(own, same[:1], high, changed=changed)
        found |= {operation.id: answered for operation in same}
    return found


def _key(operation: Operation) -> tuple[object, ...]:
    steps = tuple((step.order, step.gfp_mask, step.replaces) for step in operation.steps)
    return steps, operation.creates_process


def with_every_ratio(snap: Snapshot, ratio: int) -> Snapshot:
    """Return the snapshot with this lowmem_reserve_ratio for every zone that keeps something from the request."""
    for zone in snap.zones:
        if zone.index < snap.class_zone_index:
            snap = with_reserve_ratio(snap, zone.index, ratio)
    return snap


def _ratios(snap: Snapshot) -> tuple[tuple[int, str], ...]:
    return RATIOS if any(zone.index < snap.class_zone_index for zone in snap.zones) else ()


def _ratio_knob(snap: Snapshot) -> str:
    names = [zone.name for zone in snap.zones if zone.index < snap.class_zone_index]
    return f"{LOWMEM_RESERVE_RATIO} of {', '.join(names)}" if names else LOWMEM_RESERVE_RATIO


def _title(operation: Operation, page_kb: int) -> str:
    if operation.id.startswith("order:"):
        return f"{operation.title} ({page_kb << operation.orders[0]} kB)"
    return f"{operation.title} (order {', then '.join(map(str, operation.orders))})"


def _place(tables: list[Table], table: Table) -> int:
    if table not in tables:
        tables.append(table)
    return tables.index(table)


def _edges(answered: Answers) -> list[list[Any]]:
    """Return the last value that passes at MIN, and at HIGH, for the buttons."""
    found: list[list[Any]] = []
    for mark in ("min", "high"):
        failing = next((start for start, one in answered.passes if not getattr(one, mark)), None)
        if failing:
            found.append([failing - 1, f"last that passes at {mark.upper()}: {failing - 1}"])
    return found


def _table(answered: Answers, operation: Operation) -> Table:
    return {
        "passes": [
            [start, one.class_, *("passes" if ok else "fails" for ok in (one.min, one.low, one.high))]
            for start, one in answered.passes
        ],
        "headroom": [[start, headroom_words(room, operation)] for start, room in answered.headroom],
        "missing": [[start, missing_words(one, operation)] for start, one in answered.shortfall],
    }


def headroom_words(room: tuple[int, int], operation: Operation) -> str:
    """Say how many more fit.

    >>> from oomadvisor.model import Operation
    >>> exec_ = Operation(id="exec", title="exec", steps=(), source="")
    >>> headroom_words((3, 3), exec_), headroom_words((3, 100), exec_)
    ('3 more such requests in a row', '3 to at least 100 more such requests in a row')
    """
    least, most = (f"at least {n}" if n >= MOST_CHILDREN else str(n) for n in room)
    number = least if least == most else f"{least} to {most}"
    what = "processes that stay alive" if operation.creates_process else "such requests in a row"
    return f"{number} more {what}"


def missing_words(missing: Shortfall | None, operation: Operation) -> str:
    """Say what the first block that fails lacks; nothing where all pass."""
    if missing is None:
        return "nothing"
    step = operation.steps[missing.block]
    if missing.pages is None or missing.most is None:
        pages = "some pages"
    else:
        pages = "1 page" if missing.most == 1 else f"{_range(missing.pages, missing.most)} pages"
    what = step.what if operation.id.startswith("order:") else f"{step.what}, order {step.order}"
    return f"at {missing.mark.upper()} {pages} in {missing.zone} ({what})"
