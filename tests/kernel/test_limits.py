"""Overcommit, dirty limits and SLUB orders: cases worked by hand."""

import pytest

from oomadvisor.kernel.commit import CommitCounters, commit_limit, vm_enough_memory
from oomadvisor.kernel.dirty import DirtyLimits, determine_dirtyable_memory, get_dirty_limits
from oomadvisor.kernel.slub import calculate_order, get_order

BOX = CommitCounters(
    nr_file_pages=3200,
    nr_swap_pages=0,
    total_swap_pages=0,
    nr_slab_reclaimable=0,
    nr_free_pages=3300,
    totalreserve_pages=100,
    totalram_pages=10_000,
    committed=1000,
)


@pytest.mark.parametrize(
    ("mode", "pages", "root", "granted"),
    [
        pytest.param(1, 1 << 30, False, True, id="always"),
        pytest.param(0, 3099, False, True, id="file pages, tmpfs among them, count as free"),
        pytest.param(0, 6199, False, True, id="and free pages above totalreserve"),
        pytest.param(0, 6200, False, False, id="less a thirty-second each"),
        pytest.param(0, 6399, True, True, id="which root may use"),
        pytest.param(0, 6400, True, False, id="but no more"),
        pytest.param(2, 3843, False, True, id="strict: half of RAM less a thirty-second"),
        pytest.param(2, 3844, False, False, id="strict, full"),
        pytest.param(7, 3844, False, False, id="any other value is strict"),
        pytest.param(2, 3999, True, True, id="strict, root"),
    ],
)
def test_overcommit(mode: int, pages: int, root: bool, granted: bool) -> None:
    decided = vm_enough_memory(
        pages, BOX, overcommit_memory=mode, overcommit_ratio=50, cap_sys_admin=root, mm_total_vm=None
    )
    assert decided == ((0, 1000 + pages) if granted else (-12, 1000))


def test_the_guess_refuses_when_only_the_reserve_is_free() -> None:
    poor = BOX._replace(nr_free_pages=100)
    decided = vm_enough_memory(
        3100, poor, overcommit_memory=0, overcommit_ratio=50, cap_sys_admin=False, mm_total_vm=None
    )
    assert decided.result == -12


@pytest.mark.parametrize(("mm_total_vm", "granted"), [(31, False), (32, True), (None, False)])
def test_a_limit_below_zero_wraps(mm_total_vm: int | None, granted: bool) -> None:
    decided = vm_enough_memory(
        1, BOX, overcommit_memory=2, overcommit_ratio=0, cap_sys_admin=True, mm_total_vm=mm_total_vm
    )
    assert (decided.result == 0) is granted


def test_commit_limit_adds_swap_in_full() -> None:
    assert commit_limit(BOX._replace(total_swap_pages=500), 50, cap_sys_admin=False) == 5000 - 156 + 500


def test_dirtyable_memory_leaves_out_highmem_unless_told() -> None:
    assert determine_dirtyable_memory(100, 200) == 301
    assert determine_dirtyable_memory(100, 200, highmem_free=40, highmem_lru=60) == 201
    assert determine_dirtyable_memory(100, 200, highmem_free=40, highmem_lru=60, highmem_is_dirtyable=True) == 301
    assert determine_dirtyable_memory(100, 200, highmem_free=400) == 1


@pytest.mark.parametrize(
    ("settings", "limits"),
    [
        ({"dirty_ratio": 20, "dirty_background_ratio": 10}, (1000, 2000)),
        ({"dirty_ratio": 0, "dirty_background_ratio": 2}, (200, 500)),
        ({"dirty_ratio": 20, "dirty_background_ratio": 20}, (1000, 2000)),
        ({"dirty_ratio": 20, "dirty_background_ratio": 10, "dirty_bytes": 4097}, (1, 2)),
        ({"dirty_ratio": 20, "dirty_background_ratio": 10, "dirty_background_bytes": 8192}, (2, 2000)),
        ({"dirty_ratio": 20, "dirty_background_ratio": 10, "rt_or_less_throttled": True}, (1250, 2500)),
    ],
)
def test_dirty_limits(settings: dict[str, int], limits: tuple[int, int]) -> None:
    assert get_dirty_limits(10_000, **settings) == DirtyLimits(*limits)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("size", "order", "fallback"), [(1024, 1, 0), (2048, 2, 0), (4096, 3, 0), (8192, 3, 1), (65536, 4, 4)]
)
def test_slub_orders(size: int, order: int, fallback: int) -> None:
    assert calculate_order(size) == order
    assert get_order(size) == fallback


def test_slub_settings() -> None:
    assert calculate_order(4096, slub_max_order=0) == 0
    assert calculate_order(64, slub_min_order=1) == 1
    assert calculate_order(4096 << 10) == 10
    assert calculate_order(4096 << 11) == -38
    assert calculate_order(4096 << 11, max_order=13) == 11
