"""Reclaim: what a box without swap cannot reach, and how weakly its caches are pressed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oomadvisor.kernel.reclaim import (
    Lru,
    LruCounts,
    Percent,
    ReclaimStat,
    ScanCall,
    descent_offer,
    get_scan_ratio,
    inactive_anon_is_low,
    lumpy_reclaim,
    nr_scan_try_batch,
    scannable,
    shrink_slab,
    shrink_zone,
)

PROPERTY = settings(deadline=None, derandomize=True, max_examples=150)
NOTHING = LruCounts(0, 0, 0, 0)
NO_HISTORY = ReclaimStat((0, 0), (0, 0))
Counts = st.builds(LruCounts, *[st.integers(0, 50_000)] * 4)
Saved = st.builds(LruCounts, *[st.integers(0, 31)] * 4)


@pytest.mark.parametrize(("free_slots", "reachable"), [(-1, 2), (0, 2), (1, 4)])
def test_without_swap_the_anon_lists_are_out_of_reach(free_slots: int, reachable: int) -> None:
    assert len(scannable(free_slots)) == reachable
    assert {Lru.INACTIVE_FILE, Lru.ACTIVE_FILE} <= scannable(free_slots)


@PROPERTY
@given(Counts, Saved, st.integers(0, 12), st.integers(0, 100), st.integers(0, 5000), st.integers(-1, 5000))
def test_a_pass_asks_only_reachable_lists_and_loses_no_page(
    lru: LruCounts, saved: LruCounts, priority: int, swappiness: int, zone_free: int, nr_swap_pages: int
) -> None:
    zone_pass = shrink_zone(
        lru,
        saved,
        NO_HISTORY,
        priority=priority,
        nr_swap_pages=nr_swap_pages,
        swappiness=swappiness,
        zone_free=zone_free,
        high_wmark=600,
        inactive_ratio=1,
    )
    assert {call.lru for call in zone_pass.calls if call.lru is not Lru.AGE_ACTIVE_ANON} <= scannable(nr_swap_pages)
    assert all(1 <= call.pages <= 32 for call in zone_pass.calls)
    assert all(left < 32 for left in zone_pass.saved)
    for lru_list, pages, before, after in zip(Lru, lru, saved, zone_pass.saved, strict=False):
        asked = sum(call.pages for call in zone_pass.calls if call.lru is lru_list)
        assert asked + after <= (pages >> priority) + before
        if nr_swap_pages <= 0 and lru_list in scannable(0):
            assert asked + after == (pages >> priority) + before


def test_the_seed_gets_nothing_from_a_whole_descent() -> None:
    """DMA's six file pages: after priorities 12 to 0 ten pages are saved up, not 32, and no list was asked."""
    lru, saved = LruCounts(2580, 12767, 0, 6), NOTHING
    for priority in range(12, -1, -1):
        zone_pass = shrink_zone(
            lru,
            saved,
            NO_HISTORY,
            priority=priority,
            nr_swap_pages=0,
            swappiness=60,
            zone_free=4282,
            high_wmark=585,
            inactive_ratio=1,
        )
        assert zone_pass.calls == ()
        saved = zone_pass.saved
    assert saved == LruCounts(0, 0, 0, 10)
    assert saved.active_file == descent_offer(6)


def test_few_file_pages_force_all_pressure_on_anon() -> None:
    lru = LruCounts(1000, 1000, 10, 10)
    crowded = {"nr_swap_pages": 100, "swappiness": 0, "zone_free": 80}
    assert get_scan_ratio(lru, NO_HISTORY, high_wmark=100, **crowded)[0] == Percent(100, 0)
    assert get_scan_ratio(lru, NO_HISTORY, high_wmark=99, **crowded)[0] == Percent(0, 100)


def test_history_longer_than_a_quarter_is_halved() -> None:
    lru = LruCounts(200, 200, 200, 200)
    _, stat = get_scan_ratio(
        lru,
        ReclaimStat((101, 100), (51, 50)),
        nr_swap_pages=1,
        swappiness=60,
        zone_free=0,
        high_wmark=0,
    )
    assert stat == ReclaimStat((50, 100), (25, 50))


@pytest.mark.parametrize(("pages", "saved", "result"), [(31, 0, (0, 31)), (32, 0, (32, 0)), (1, 31, (32, 0))])
def test_batches_of_32(pages: int, saved: int, result: tuple[int, int]) -> None:
    assert nr_scan_try_batch(pages, saved) == result


def test_lists_take_turns_and_ageing_comes_last() -> None:
    zone_pass = shrink_zone(
        LruCounts(40, 50, 0, 0),
        LruCounts(31, 31, 0, 0),
        NO_HISTORY,
        priority=0,
        nr_swap_pages=1,
        swappiness=60,
        zone_free=0,
        high_wmark=100,
        inactive_ratio=1,
    )
    assert zone_pass.calls == (
        ScanCall(Lru.INACTIVE_ANON, 32),
        ScanCall(Lru.ACTIVE_ANON, 32),
        ScanCall(Lru.INACTIVE_ANON, 32),
        ScanCall(Lru.ACTIVE_ANON, 32),
        ScanCall(Lru.INACTIVE_ANON, 7),
        ScanCall(Lru.ACTIVE_ANON, 17),
        ScanCall(Lru.AGE_ACTIVE_ANON, 32),
    )


def test_with_swap_the_last_pass_ignores_the_shares() -> None:
    zone_pass = shrink_zone(
        LruCounts(64, 0, 64, 0),
        NOTHING,
        NO_HISTORY,
        priority=0,
        nr_swap_pages=1,
        swappiness=60,
        zone_free=1000,
        high_wmark=0,
        inactive_ratio=1,
    )
    assert zone_pass.calls == (ScanCall(Lru.INACTIVE_ANON, 32), ScanCall(Lru.INACTIVE_FILE, 32)) * 2


@pytest.mark.parametrize(("ratio", "low"), [(1, True), (3, False)])
def test_inactive_anon_is_low(ratio: int, low: bool) -> None:
    assert inactive_anon_is_low(LruCounts(10, 30, 0, 0), ratio) is low


@pytest.mark.parametrize(
    ("order", "priority", "lumpy"),
    [(0, 0, False), (2, 10, False), (1, 9, True), (2, 9, True), (3, 12, False), (4, 12, True)],
)
def test_lumpy_reclaim(order: int, priority: int, lumpy: bool) -> None:
    assert lumpy_reclaim(order, priority) is lumpy


def test_slab_pressure_on_the_seed() -> None:
    """13 passes over 46 228 LRU pages add 1.8 % of a cache's objects; below 723 objects they add nothing."""
    assert shrink_slab(0, seeks=2, objects=722, lru_pages=46228) == (0, 0)
    kept = 0
    for _ in range(13):
        pressure = shrink_slab(0, seeks=2, objects=100_000, lru_pages=46228, kept=kept)
        assert pressure.scan % 128 == 0
        kept = pressure.kept + pressure.scan
    assert kept == 13 * 138
    assert shrink_slab(0, seeks=2, objects=100_000, lru_pages=46228, kept=127) == (256, 9)


@pytest.mark.parametrize(("lru_pages", "kept"), [(62, 1), (63, 1), (64, 0)])
def test_slab_pressure_divides_by_one_page_more(lru_pages: int, kept: int) -> None:
    assert shrink_slab(0, seeks=2, objects=1, lru_pages=lru_pages) == (0, kept)


def test_slab_pressure_is_capped_at_twice_the_cache() -> None:
    assert shrink_slab(10_000, seeks=1, objects=200, lru_pages=10) == (384, 16)
