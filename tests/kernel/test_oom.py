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
