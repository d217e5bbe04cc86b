"""The OOM killer: scores and victims."""

import pytest

from oomadvisor.kernel.oom import (
    OOM_DISABLE,
    Child,
    OomTask,
    Selection,
    Stop,
    badness,
    badness_shift_hz,
    oom_kill_task,
    oom_kill_victim,
    select_bad_process,
)
from oomadvisor.kernel.series import functions_for


@pytest.mark.parametrize(
    ("task", "score"),
    [
        ({}, 8000),
        ({"has_mm": False}, 0),
        ({"pf_swapoff": True}, 0xFFFFFFFF),
        ({"children": [Child(False, True, 100), Child(True, True, 100), Child(False, False, 100)]}, 8051),
        ({"cpu_jiffies": 4 << 10}, 4000),
        ({"cpu_jiffies": 4 << 10, "hz": 250}, 8000),
        ({"uptime_sec": 5000 + (16 << 10), "start_time_sec": 5000}, 4000),
        ({"uptime_sec": 10, "start_time_sec": 5000}, 8000),
        ({"nice": 1}, 16000),
        ({"nice": -20}, 8000),
        ({"cap_sys_admin": True}, 2000),
        ({"cap_sys_resource": True, "cap_sys_rawio": True}, 500),
        ({"cpuset_mems_intersect": False}, 1000),
        ({"oom_adj": 3}, 64000),
        ({"oom_adj": -3}, 1000),
        ({"oom_adj": 15, "total_vm": 1 << 20}, 0),
        ({"oom_adj": 15, "total_vm": 0}, 1 << 15),
    ],
)
def test_badness(task: dict[str, object], score: int) -> None:
    assert badness(**{"total_vm": 8000, **task}) == score  # type: ignore[arg-type]


@pytest.mark.parametrize(("hz", "shift"), [(24, 5), (100, 7), (128, 7), (250, 8), (300, 8), (1000, 10), (1024, 10)])
def test_shift_hz(hz: int, shift: int) -> None:
    assert badness_shift_hz(hz) == shift


INIT = OomTask(1, mm=1, points=9999, is_init=True)
KTHREAD = OomTask(2, mm=None, points=9999)
SHELL = OomTask(10, mm=10, points=500, children=(11, 12, 13))
THREAD = OomTask(11, mm=10, points=500)
DAEMON = OomTask(12, mm=12, points=300, oom_adj=-17)
WORKER = OomTask(13, mm=13, points=100)
BOX = (INIT, KTHREAD, SHELL, THREAD, DAEMON, WORKER)


def test_the_highest_score_is_chosen() -> None:
    assert select_bad_process(BOX) == Selection(10)
    assert select_bad_process((WORKER, SHELL)) == Selection(10)
    assert select_bad_process((WORKER, SHELL._replace(points=100))) == Selection(13)
    assert select_bad_process((WORKER._replace(points=0),)) == Selection(13)


@pytest.mark.parametrize(
    "dying", [OomTask(20, mm=20, points=0, tif_memdie=True), OomTask(20, mm=20, points=0, exiting=True)]
)
def test_a_dying_task_stops_the_search(dying: OomTask) -> None:
    assert select_bad_process((*BOX, dying)) == Selection(None, Stop.VICTIM_PENDING)
    assert select_bad_process((*BOX, dying._replace(mm=None))) == Selection(10)


def test_the_current_task_is_chosen_when_it_is_exiting() -> None:
    assert select_bad_process((OomTask(20, mm=20, points=1, exiting=True, is_current=True), *BOX)) == Selection(20)


def test_nobody_left() -> None:
    assert select_bad_process((INIT, KTHREAD, DAEMON)) == Selection(None, Stop.NOBODY_LEFT)


def test_a_child_dies_first() -> None:
    """The thread shares the shell's memory and the daemon is protected, so the worker is the first that may die."""
    assert oom_kill_victim(BOX, 10) == 13


def test_without_such_a_child_the_chosen_dies_with_all_that_share_its_memory() -> None:
    childless = tuple(task for task in BOX if task is not WORKER)
    childless = tuple(task._replace(children=(11, 12)) if task is SHELL else task for task in childless)
    assert oom_kill_victim(childless, 10) == 10
    assert oom_kill_task(childless, 10) == {10, 11}


def test_one_protected_thread_protects_all() -> None:
    protected = (SHELL._replace(children=()), THREAD._replace(oom_adj=OOM_DISABLE))
    assert oom_kill_task(protected, 10) == frozenset()
    assert oom_kill_victim(protected, 10) is None


def test_an_exiting_choice_is_left_to_die_without_its_children() -> None:
    assert oom_kill_victim((SHELL._replace(exiting=True), *BOX[3:]), 10) == 10


@pytest.mark.parametrize(
    ("version", "score"),
    [
        ((2, 6, 36), 300 - 30 + 100),
        ((2, 6, 39), 310 - 30 + 100),
        ((3, 4), 310 - 30 + 100),
        ((3, 5), 3100 + (100 - 30) * 10),
        ((3, 14), 3100 - 93 + 100 * 10),
        ((4, 0), 3150 - 94 + 100 * 10),
        ((4, 15), 3200 - 96 + 100 * 10),
        ((4, 17), 3200 + 100 * 10),
        ((5, 9), 3200 + 100 * 10),
    ],
)
def test_the_score_of_a_root_process_by_version(version: tuple[int, ...], score: int) -> None:
    """10000 pages in all; 2500 mapped, 500 swapped out, 100 + 50 pages of tables, 200 by their bytes; adj 100."""
    family = functions_for(version)
    assert family is not None
    assert score == family.badness(
        rss=2500,
        swapents=500,
        nr_ptes=100,
        nr_pmds=50,
        pgtables_bytes=200 * 4096,
        totalpages=10000,
        oom_score_adj=100,
        cap_sys_admin=True,
    )


@pytest.mark.parametrize(
    ("version", "never", "floor"), [((3, 6), 0, 1), ((5, 8), 0, 1), ((5, 9), -(2**31), 3200 - 999 * 10)]
)
def test_who_is_never_chosen_and_who_hardly(version: tuple[int, ...], never: int, floor: int) -> None:
    family = functions_for(version)
    assert family is not None
    about = {"rss": 3200, "swapents": 0, "totalpages": 10000}
    assert family.badness(**about, oom_score_adj=-1000) == never
    assert family.badness(**about, oom_score_adj=-999) == floor


@pytest.mark.parametrize(
    ("version", "reaped", "vfork"),
    [((4, 6), 3200, 3200), ((4, 7), 0, 3200), ((4, 8), 0, 0), ((5, 9), -(2**31), -(2**31))],
)
def test_reaped_and_vforking_tasks(version: tuple[int, ...], reaped: int, vfork: int) -> None:
    family = functions_for(version)
    assert family is not None
    about = {"rss": 3200, "swapents": 0, "totalpages": 10000}
    assert family.badness(**about, reaped=True) == reaped
    assert family.badness(**about, in_vfork=True) == vfork
