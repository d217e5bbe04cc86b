"""kswapd: woken below LOW, at work up to HIGH, asleep in between, never in a loop without end."""

import pytest

from oomadvisor.kernel.gfp import Gfp, MigrateType
from oomadvisor.longrun.allocator import Allocator
from oomadvisor.longrun.clock import Clock
from oomadvisor.longrun.filepages import File
from oomadvisor.longrun.kswapd import CONGESTION_WAIT_US
from oomadvisor.longrun.livezone import zones_with
from oomadvisor.longrun.setting import write_min_free_kbytes
from oomadvisor.longrun.workload import Panic
from tests.longrun.boxes import box

BOX = box((4096, 0, 0), max_order=8)


def stop(_request: object) -> None:
    raise Panic


def full(file_pages: int, free: int) -> tuple[Allocator, Clock]:
    """Return a box of one zone with so many clean file pages and free blocks of 16 pages."""
    blocks = [(at, 4) for at in range(0, free, 16)]
    zones = zones_with(BOX, [blocks, [], []], [[MigrateType.MOVABLE] * 32, [], []])
    write_min_free_kbytes(1024, BOX, zones)
    clock = Clock()
    subject = Allocator(BOX, zones, clock, stop)
    file = File(file_pages)
    for index in range(file_pages):
        subject.files.add(file, index, free + index)
    return subject, clock


def test_it_sleeps_while_every_zone_is_above_low() -> None:
    subject, clock = full(file_pages=2000, free=1024)
    subject.kswapd.wakeup_kswapd(subject.zones, 2)
    subject.kswapd.run(10 * CONGESTION_WAIT_US)
    assert (subject.shrinker.reclaimed, clock.now_us) == (0, 10 * CONGESTION_WAIT_US)


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_woken_it_works_until_high_passes_at_the_order(order: int) -> None:
    subject, _clock = full(file_pages=2000, free=288)
    (zone,) = subject.zones
    assert zone.free_pages < zone.marks.low
    subject.kswapd.wakeup_kswapd(subject.zones, order)
    subject.kswapd.run(60_000_000)
    ok = BOX.family.zone_watermark_ok(zone.free_pages, zone.buddy.nr_free, order, zone.marks.high, 0)
    assert ok
    assert 0 < subject.shrinker.reclaimed < 1000
    reclaimed = subject.shrinker.reclaimed
    subject.kswapd.run(120_000_000)
    assert subject.shrinker.reclaimed == reclaimed  # asleep again


def test_it_sleeps_between_its_passes_so_a_fast_load_overtakes_it() -> None:
    subject, _clock = full(file_pages=2000, free=128)
    (zone,) = subject.zones
    subject.kswapd.wakeup_kswapd(subject.zones, 0)
    seen = []
    for moment in range(1, 20):
        subject.kswapd.run(moment * CONGESTION_WAIT_US)
        seen.append(zone.free_pages + zone.listed_pages)
    assert seen == sorted(seen)
    assert len(set(seen)) > 3
    assert seen[0] < zone.marks.high < seen[-1] + 64


def test_with_nothing_to_get_it_gives_up_until_something_happens() -> None:
    subject, clock = full(file_pages=0, free=64)
    subject.kswapd.wakeup_kswapd(subject.zones, 2)
    subject.kswapd.run(3_600_000_000)
    assert subject.kswapd.rounds < 20
    assert clock.now_us == 3_600_000_000


def test_a_request_wakes_it_below_low_only() -> None:
    subject, _clock = full(file_pages=2000, free=1024)
    page = subject.request(0, Gfp.GFP_HIGHUSER_MOVABLE)
    (zone,) = subject.zones
    while zone.free_pages > zone.marks.low + 8:
        subject.alloc(page)
    subject.sleep(1_000_000)
    assert subject.kswapd.rounds == 0
    for _ in range(32):
        subject.alloc(page)
    subject.sleep(1_000_000)
    assert subject.kswapd.rounds > 0
