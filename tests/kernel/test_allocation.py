"""The allocation path on the seed report: what it does, step by step, and what it never does."""

from functools import partial

import pytest

from oomadvisor.kernel.allocation import (
    OomScript,
    Outcome,
    ReclaimRound,
    ZoneSnapshot,
    alloc_pages,
    should_alloc_retry,
)
from oomadvisor.kernel.events import (
    AllocatedFrom,
    AllocationFailureMessage,
    CongestionWait,
    DirectReclaim,
    Event,
    KswapdWake,
    OomKill,
    RmqueueFail,
    ScriptEnd,
    WatermarkTest,
)
from oomadvisor.kernel.gfp import Alloc, Gfp, TaskContext
from oomadvisor.kernel.marks import ZoneMarks
from oomadvisor.kernel.series import functions_for

SEED = (
    ZoneSnapshot("DMA", 24384, ZoneMarks(390, 487, 585), (0, 158, 158), (2358, 912, 25) + (0,) * 10),
    ZoneSnapshot("Normal", 40640, ZoneMarks(650, 812, 975), (0, 0, 0), (4266, 657, 32, 1) + (0,) * 9),
    ZoneSnapshot("Movable", 0, ZoneMarks(0, 0, 0), (0, 0, 0), (0,) * 13),
)
MEASURED = functions_for((2, 6, 31, 12))
allocate = partial(alloc_pages, kernel=MEASURED)
CPUSET = Alloc.CPUSET
WAIT_NOFAIL = Gfp.WAIT | Gfp.NOFAIL


def both_zones(marks: tuple[int, int], class_zone: int, flags: Alloc) -> list[Event]:
    """Return the two failed tests of the seed's zones at these marks (Normal's, DMA's)."""
    return [
        WatermarkTest("Normal", 2, marks[0], class_zone, flags, False),
        WatermarkTest("DMA", 2, marks[1], class_zone, flags, False),
    ]


def test_the_seed_ends_in_a_kill() -> None:
    outcome = allocate(SEED, Gfp.GFP_KERNEL, 2, max_order=13)
    normal_wake, dma_wake = both_zones((812, 487), 0, Alloc(0))
    assert outcome.result == "script_exhausted"
    assert outcome.kills == 1
    assert list(outcome.events) == [
        *both_zones((812, 487), 1, Alloc.WMARK_LOW | CPUSET),
        normal_wake,
        KswapdWake("Normal", 2),
        dma_wake,
        KswapdWake("DMA", 2),
        *both_zones((650, 390), 1, CPUSET),
        DirectReclaim(0),
        *both_zones((975, 585), 1, Alloc.WMARK_HIGH | CPUSET),
        OomKill(),
        ScriptEnd(),
    ]


@pytest.mark.parametrize(("order", "zone"), [(0, "Normal"), (1, "Normal")])
def test_smaller_orders_are_served_at_once(order: int, zone: str) -> None:
    outcome = allocate(SEED, Gfp.GFP_KERNEL, order, max_order=13)
    assert (outcome.result, outcome.zone) == ("allocated", zone)
    assert len(outcome.events) == 2


def test_a_block_that_appears_without_progress_does_not_avert_the_kill() -> None:
    """One block more passes MIN in DMA, but after a fruitless reclaim only HIGH is looked at."""
    appears = ReclaimRound(progress=0, zone="DMA", order=2, blocks=1)
    assert allocate(SEED, Gfp.GFP_KERNEL, 2, reclaim=[appears], max_order=13).kills == 1
    helped = allocate(SEED, Gfp.GFP_KERNEL, 2, reclaim=[appears._replace(progress=1)], max_order=13)
    assert (helped.zone, helped.kills) == ("DMA", 0)
    enough = allocate(SEED, Gfp.GFP_KERNEL, 2, reclaim=[appears._replace(blocks=13)], max_order=13)
    assert (enough.zone, enough.kills) == ("DMA", 0)


def ending(outcome: Outcome) -> tuple[str, int, bool, int]:
    """Return the result, the kills, whether the failure message was printed, and the number of sleeps."""
    message = AllocationFailureMessage() in outcome.events
    return outcome.result, outcome.kills, message, outcome.events.count(CongestionWait())


@pytest.mark.parametrize(
    ("mask", "order", "context", "end"),
    [
        pytest.param(Gfp.GFP_NOFS, 2, TaskContext(), ("script_exhausted", 0, False, 3), id="NOFS loops, never kills"),
        pytest.param(Gfp.GFP_NOIO, 3, TaskContext(), ("script_exhausted", 0, False, 3), id="NOIO loops, never kills"),
        pytest.param(Gfp.GFP_NOFS, 4, TaskContext(), ("null", 0, True, 0), id="NOFS order 4 fails"),
        pytest.param(Gfp.GFP_KERNEL, 4, TaskContext(), ("null", 0, True, 0), id="order 4 fails, never kills"),
        pytest.param(
            Gfp.GFP_KERNEL | Gfp.NOFAIL, 4, TaskContext(), ("script_exhausted", 1, False, 0), id="NOFAIL kills"
        ),
        pytest.param(Gfp.GFP_KERNEL | Gfp.NORETRY, 2, TaskContext(), ("null", 0, True, 0), id="NORETRY"),
        pytest.param(Gfp.GFP_KERNEL | Gfp.NORETRY | Gfp.NOWARN, 2, TaskContext(), ("null", 0, False, 0), id="silent"),
        pytest.param(Gfp.GFP_KERNEL, 2, TaskContext(rt=True), ("allocated", 0, False, 0), id="real-time task passes"),
        pytest.param(Gfp.HIGH, 2, TaskContext(), ("allocated", 0, False, 0), id="atomic passes"),
        pytest.param(Gfp.HIGH, 3, TaskContext(), ("null", 0, True, 0), id="atomic fails without reclaim"),
        pytest.param(Gfp.GFP_KERNEL, 2, TaskContext(pf_memalloc=True), ("allocated", 0, False, 0), id="reclaimer"),
        pytest.param(Gfp.GFP_KERNEL, 4, TaskContext(pf_memalloc=True), ("null", 0, True, 0), id="reclaimer, no block"),
        pytest.param(Gfp.GFP_KERNEL, 4, TaskContext(tif_memdie=True), ("null", 0, True, 0), id="victim, no block"),
        pytest.param(Gfp.GFP_KERNEL, 13, TaskContext(), ("null", 0, False, 0), id="order beyond MAX_ORDER"),
    ],
)
def test_ends(mask: Gfp, order: int, context: TaskContext, end: tuple[str, int, bool, int]) -> None:
    outcome = allocate(SEED, mask, order, context=context, reclaim=[ReclaimRound()] * 3, max_order=13)
    assert ending(outcome) == end


def test_a_disabled_oom_killer_makes_the_request_fail() -> None:
    outcome = allocate(SEED, Gfp.GFP_KERNEL, 2, max_order=13, oom_killer_disabled=True)
    assert ending(outcome) == ("null", 0, True, 0)


def test_who_may_ignore_the_marks_and_not_fail_sleeps_until_the_story_ends() -> None:
    outcome = allocate(
        SEED, WAIT_NOFAIL, 4, context=TaskContext(pf_memalloc=True), reclaim=[], max_order=13, max_waits=5
    )
    assert ending(outcome) == ("script_exhausted", 0, False, 5)
    assert outcome.events.count(RmqueueFail("Normal")) == 5


def test_a_failed_grab_lowers_the_counter_for_order_above_0() -> None:
    """The counter is ahead of the lists, which hold no block: each grab finds nothing and takes 4 pages off it."""
    marks = ZoneMarks(100, 100, 100)
    drifted = ZoneSnapshot("Normal", 1000, marks, (0,), (10, 0, 0), free_pages=108)
    events = allocate([drifted], Gfp.GFP_KERNEL, 2, max_order=3).events
    assert [event.ok for event in events if isinstance(event, WatermarkTest)] == [True, True, True, False]
    assert events.count(RmqueueFail("Normal")) == 2
    order_0 = ZoneSnapshot("Normal", 1000, marks, (0,), (0, 0, 0), free_pages=101)
    events = allocate([order_0], Gfp.GFP_KERNEL, 0).events
    assert [event.ok for event in events if isinstance(event, WatermarkTest)] == [True] * 4
    assert events.count(RmqueueFail("Normal")) == 3


def test_kills_go_on_until_one_helps() -> None:
    """The seed lacks 8 blocks of order 2 in Normal at MIN: the ninth is for the request itself."""
    outcome = allocate(
        SEED,
        Gfp.GFP_KERNEL,
        2,
        reclaim=[ReclaimRound()] * 20,
        oom=OomScript(stop_after=20, zone="Normal", order=2, blocks=3),
        max_order=13,
    )
    assert (outcome.result, outcome.zone, outcome.kills) == ("allocated", "Normal", 3)
    assert outcome.events[-1] == AllocatedFrom("Normal")


@pytest.mark.parametrize(("stable", "wakes"), [(7, 4), (6, 2)])
def test_before_2_6_31_7_a_kill_did_not_wake_kswapd_again(stable: int, wakes: int) -> None:
    kernel = functions_for((2, 6, 31, stable))
    outcome = allocate(
        SEED, Gfp.GFP_KERNEL, 2, reclaim=[ReclaimRound()] * 2, oom=OomScript(stop_after=2), max_order=13, kernel=kernel
    )
    assert outcome.kills == 2
    assert sum(isinstance(event, KswapdWake) for event in outcome.events) == wakes


@pytest.mark.parametrize(("stable", "result"), [(7, "script_exhausted"), (6, "allocated")])
def test_before_2_6_31_7_an_interrupt_borrowed_the_privilege(stable: int, result: str) -> None:
    interrupted = TaskContext(rt=True, in_interrupt=True)
    kernel = functions_for((2, 6, 31, stable))
    assert allocate(SEED, Gfp.GFP_KERNEL, 2, context=interrupted, max_order=13, kernel=kernel).result == result


def test_a_path_that_was_never_run_is_not_retraced() -> None:
    with pytest.raises(ValueError, match=r"the allocation path of 2\.6\.38 was read, not run"):
        allocate(SEED, Gfp.GFP_KERNEL, 2, kernel=functions_for((2, 6, 38)))


def test_no_zone_no_trace() -> None:
    assert allocate(SEED[2:], Gfp.GFP_HIGHUSER_MOVABLE, 0) == Outcome("null", None, ())


@pytest.mark.parametrize(
    ("mask", "order", "pages_reclaimed", "retry"),
    [
        (Gfp.GFP_KERNEL, 3, 0, True),
        (Gfp.GFP_KERNEL, 4, 1000, False),
        (Gfp.GFP_KERNEL | Gfp.REPEAT, 4, 15, True),
        (Gfp.GFP_KERNEL | Gfp.REPEAT, 4, 16, False),
        (Gfp.GFP_KERNEL | Gfp.NOFAIL, 4, 1000, True),
        (Gfp.GFP_KERNEL | Gfp.NOFAIL | Gfp.NORETRY, 0, 0, False),
    ],
)
def test_should_alloc_retry(mask: Gfp, order: int, pages_reclaimed: int, retry: bool) -> None:
    assert should_alloc_retry(mask, order, pages_reclaimed) is retry
