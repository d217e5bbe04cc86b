"""The road of a request through live zones is that of kernel/allocation, which is checked against the real one."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oomadvisor.kernel import events as ev
from oomadvisor.kernel.allocation import OomScript, ReclaimRound, ZoneSnapshot, alloc_pages
from oomadvisor.kernel.gfp import Gfp, MigrateType
from oomadvisor.longrun import Setting
from oomadvisor.longrun.allocator import Allocator, Refused, Request
from oomadvisor.longrun.clock import Clock
from oomadvisor.longrun.filepages import File
from oomadvisor.longrun.livezone import LiveZone, zones_with
from oomadvisor.longrun.setting import write_min_free_kbytes
from tests.longrun.boxes import PROPERTY, box

BOX = box((512, 1024, 0), max_order=6)


class Killed(Exception):
    """The OOM killer was called."""


def no_way_out(_request: Request) -> None:
    raise Killed


def outcome(subject: Allocator, request: Request) -> int | str:
    """Return the page frame, or in a word why there is none."""
    try:
        return subject.alloc(request)
    except Killed:
        return "killed"
    except Refused:
        return "refused"


def allocator(zones: list[LiveZone]) -> Allocator:
    return Allocator(BOX, zones, Clock(), no_way_out)


@st.composite
def free_blocks(draw: st.DrawFn, present: int) -> list[tuple[int, int]]:
    """Draw free blocks of a zone, none of them buddies: each in a region of its own."""
    found, largest = [], BOX.max_order - 1
    for first in range(0, present, 1 << largest):
        order = draw(st.sampled_from([None, 0, 0, 0, 1, 1, 2, 3, largest]))
        if order is not None:
            found.append((first, order))
            if order < largest - 1:
                found += [(first + at, 0) for at in range(2 << order, 1 << largest, 2) if draw(st.booleans())]
    return found


Blocks = Sequence[tuple[int, int]]


def live(dma: Blocks, normal: Blocks, value: int) -> list[LiveZone]:
    types = [[MigrateType.MOVABLE] * 16, [MigrateType.MOVABLE] * 32, []]
    zones = zones_with(BOX, [dma, normal, []], types)
    write_min_free_kbytes(value, BOX, zones)
    return zones


def as_snapshots(zones: list[LiveZone]) -> list[ZoneSnapshot]:
    found = [ZoneSnapshot(z.name, z.present, z.marks, z.reserve, tuple(z.buddy.nr_free)) for z in zones]
    return [*found, ZoneSnapshot("Movable", 0, zones[0].marks, (0, 0, 0), (0,) * BOX.max_order)]


@PROPERTY
@given(
    dma=free_blocks(512),
    normal=free_blocks(1024),
    value=st.integers(0, 3000),
    order=st.integers(0, 5),
    mask=st.sampled_from([Gfp.GFP_KERNEL, Gfp.GFP_HIGHUSER_MOVABLE, Gfp.GFP_KERNEL | Gfp.DMA]),
)
def test_where_nothing_can_be_reclaimed_the_outcome_is_that_of_the_kernel(
    dma: Blocks, normal: Blocks, value: int, order: int, mask: int
) -> None:
    zones = live(dma, normal, value)
    expected = alloc_pages(
        as_snapshots(zones),
        mask,
        order,
        kernel=BOX.family,
        reclaim=(ReclaimRound(),),
        oom=OomScript(stop_after=1),
        max_order=BOX.max_order,
    )
    before = {zone.name: zone.free_pages for zone in zones}
    subject = allocator(zones)
    pfn = outcome(subject, subject.request(order, mask))
    if isinstance(pfn, str):
        killed = any(isinstance(event, ev.OomKill) for event in expected.events)
        assert pfn == ("killed" if killed else "refused")
        assert expected.result == ("script_exhausted" if killed else "null")
        return
    assert expected.result == "allocated"
    zone = subject.files.zone_of(pfn)
    assert zone.name == expected.zone
    assert zone.free_pages + zone.listed_pages == before[zone.name] - (1 << order)


@pytest.mark.parametrize("order", [0, 1, 2])
def test_a_block_comes_back_to_where_it_was(order: int) -> None:
    zones = live([], [(0, 5), (64, 4)], 0)
    subject = allocator(zones)
    lists = zones[1].buddy.free_lists
    pfn = subject.alloc(subject.request(order, Gfp.GFP_HIGHUSER_MOVABLE))
    subject.free(pfn, order)
    zones[1].pcp.drain()
    assert sorted(zones[1].buddy.free_lists) == sorted(lists)
    assert (subject.taken, subject.given) == (1, 1)


def test_clean_file_pages_are_reclaimed_before_anybody_is_killed() -> None:
    zones = live([], [(index, 0) for index in range(0, 1024, 2)], 400)
    subject = allocator(zones)
    page = subject.request(0, Gfp.GFP_HIGHUSER_MOVABLE)
    file = File(2000)
    for index in range(300):
        subject.files.add(file, index, subject.alloc(page))
    held = []
    while isinstance(pfn := outcome(subject, page), int):
        held.append(pfn)
    assert pfn == "killed"
    assert len(subject.files) < 32  # no more than what a list is spared for (kernel.reclaim: nr_scan_try_batch)
    assert subject.stalls > 0
    assert len(held) + len(subject.files) + sum(z.free_pages + z.listed_pages for z in zones) == 512


def test_a_setting_is_written_like_the_kernel_writes_it() -> None:
    zones = live([], [(0, 5)], 512)
    marks = BOX.family.setup_per_zone_wmarks(BOX.zone_names, BOX.present, 512)
    assert [zone.marks for zone in zones] == marks[:2]
    assert zones[1].buddy.pageblock_types[:2] == [MigrateType.RESERVE] * 2
    assert zones[0].buddy.pageblock_types[0] == MigrateType.MOVABLE  # there lies the kernel's image
    assert Setting("as it is").value_on(BOX) == BOX.min_free_kbytes
