"""Boxes for the tests: the seed, the measured machine, and small ones drawn by hypothesis."""

import csv
from functools import cache
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st

from oomadvisor import knowledge
from oomadvisor.infer import build_state
from oomadvisor.kernel.family import Family
from oomadvisor.kernel.series import functions_for
from oomadvisor.model import Mark, Operation, OperationStep
from oomadvisor.parse import scan_file
from oomadvisor.simulate import Snapshot, ZoneSnapshot, snapshot
from oomadvisor.simulate.blocks import Choice, split_block
from oomadvisor.simulate.replay import zone_verdict

ROOT = Path(__file__).parents[2]
SEED = ROOT / "examples" / "seed-2.6.31-arm-order2.txt"
RUNS = ROOT / "tests" / "runs"

PROPERTY = settings(deadline=None, derandomize=True, max_examples=200)
SLOW_PROPERTY = settings(deadline=None, derandomize=True, max_examples=60)

MEASURED_ZONES = ("DMA", "Normal", "Movable")
MEASURED_PRESENT = (24384, 40640, 0)
ARM = knowledge.operations("arm")


def family() -> Family:
    """Return the functions of 2.6.31."""
    found = functions_for((2, 6, 31))
    assert found is not None
    return found


@cache
def seed() -> Snapshot:
    """Return what the allocator saw in the seed report."""
    found = snapshot(build_state(next(iter(scan_file(str(SEED))))))
    assert found is not None
    return found


def operation(*orders: int) -> Operation:
    """Return an operation that holds blocks of these orders together."""
    steps = tuple(OperationStep(order=order, gfp_mask=0xD0, what="block", source="test") for order in orders)
    return Operation(id="test", title="test", steps=steps, source="test")


def zone(
    blocks: tuple[int, ...],
    *,
    marks: tuple[int, int, int] = (0, 0, 0),
    reserve: int = 0,
    index: int = 0,
    present: int | None = None,
    name: str | None = None,
) -> ZoneSnapshot:
    """Return a zone whose counter equals its lists."""
    free = sum(count << order for order, count in enumerate(blocks))
    return ZoneSnapshot(
        name=name or MEASURED_ZONES[index],
        node=0,
        index=index,
        present=free if present is None else present,
        free=free,
        blocks=blocks,
        mark_min=marks[0],
        mark_low=marks[1],
        mark_high=marks[2],
        reserve=reserve,
    )


def box(*zones: ZoneSnapshot, realtime: bool = False) -> Snapshot:
    """Return a box of these zones, lowest first, as a request for the last one sees it."""
    return Snapshot(
        zones=tuple(reversed(zones)),
        zone_names=tuple(z.name for z in zones),
        present=tuple(z.present for z in zones),
        class_zone_index=len(zones) - 1,
        family=family(),
        bits=32,
        smp=False,
        realtime=realtime,
    )


def trial_rows() -> list[dict[str, str]]:
    """Return the boots of the reproduced seed."""
    with (RUNS / "seed" / "trials.tsv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def trial_box(row: dict[str, str]) -> Snapshot:
    """Return the measured machine as it was right before the first child of a boot, from that boot's own log."""
    zones = []
    for index, name in ((1, "Normal"), (0, "DMA")):
        blocks = tuple(int(count) for count in row[f"pre_{name}"].split("/"))
        low, middle, high = (int(mark) for mark in row[f"wm_{name}"].split("/"))
        reserve = int(row["resv_DMA"]) if name == "DMA" else 0
        present = MEASURED_PRESENT[index]
        zones.append(zone(blocks, marks=(low, middle, high), reserve=reserve, index=index, present=present))
    return Snapshot(
        zones=tuple(zones),
        zone_names=MEASURED_ZONES,
        present=MEASURED_PRESENT,
        class_zone_index=1,
        family=family(),
        bits=32,
        smp=False,
        realtime=row["fix"] == "fifo",
    )


@st.composite
def free_lists(draw: st.DrawFn, *, top: int = 4, max_pages: int = 400) -> tuple[tuple[int, ...], int]:
    """Draw (blocks, present) that a zone can really have: every two free buddies have merged.

    A block of an order below the top needs a parent of its own, and no larger free block may lie in it.
    """
    present = draw(st.integers(1, max_pages))
    size = ((present >> top) + 1) << top
    blocks = [0] * (top + 1)
    for order in range(top, -1, -1):
        parent = min(order + 1, top)
        taken = sum(blocks[o] << (o - parent) for o in range(parent, top + 1) if o > order)
        places = (size >> parent) - taken
        dense = draw(st.booleans())
        blocks[order] = places if dense else draw(st.integers(0, places))
    return tuple(blocks), size


@st.composite
def zones(draw: st.DrawFn, *, index: int = 0, max_pages: int = 120) -> ZoneSnapshot:
    """Draw a zone with marks in their order and any reserve."""
    blocks, present = draw(free_lists(max_pages=max_pages))
    marks = sorted(draw(st.tuples(*[st.integers(0, present)] * 3)))
    reserve = draw(st.integers(0, present // 2))
    return zone(blocks, marks=(marks[0], marks[1], marks[2]), reserve=reserve, index=index, present=present)


@st.composite
def boxes(draw: st.DrawFn, *, max_pages: int = 120) -> Snapshot:
    """Draw a box of one or two zones."""
    count = draw(st.integers(1, 2))
    return box(*(draw(zones(index=index, max_pages=max_pages)) for index in range(count)))


operations = st.one_of(
    st.sampled_from(sorted(ARM.values(), key=lambda op: op.id)),
    st.lists(st.integers(0, 3), min_size=1, max_size=4).map(lambda orders: operation(*orders)),
)
"""What a task may do: the operations of ARM, and any other sequence of blocks."""


def take_block(blocks: tuple[int, ...], order: int, choice: Choice) -> tuple[int, ...] | None:
    """Return the lists after one block of ``order`` was taken, or None when no block is large enough."""
    after = list(blocks)
    return tuple(after) if split_block(after, order, choice) else None


def serve(snap: Snapshot, order: int, mark: Mark, choice: Choice) -> tuple[Snapshot, str] | None:
    """Take one block from the first zone whose verdict passes: the plain form of what simulate.lists does in place."""
    for at, zone in enumerate(snap.zones):
        if zone_verdict(snap, zone, order, mark).ok:
            blocks = take_block(zone.blocks, order, choice)
            if blocks is not None:
                zones = (*snap.zones[:at], zone.with_blocks(blocks), *snap.zones[at + 1 :])
                return snap.with_zones(zones), zone.name
    return None
