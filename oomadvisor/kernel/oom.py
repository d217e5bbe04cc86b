"""The OOM killer: who is chosen, and who dies instead."""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from oomadvisor.kernel.words import int_sqrt, unsigned

__all__ = [
    "OOM_DISABLE",
    "Child",
    "OomTask",
    "Selection",
    "Stop",
    "badness",
    "badness_shift_hz",
    "oom_kill_task",
    "oom_kill_victim",
    "select_bad_process",
]

OOM_DISABLE = -17


class Child(NamedTuple):
    """A child as badness counts it: ``same_mm`` and mm-less children add nothing. ``total_vm`` in pages."""

    same_mm: bool
    has_mm: bool
    total_vm: int


class OomTask(NamedTuple):
    """A task as the OOM killer sees it. ``mm`` numbers its address space (None: has none), ``points`` is badness."""

    pid: int
    mm: int | None
    points: int
    oom_adj: int = 0
    children: tuple[int, ...] = ()
    is_init: bool = False
    tif_memdie: bool = False
    exiting: bool = False
    is_current: bool = False


class Stop(Enum):
    """Why nobody is chosen."""

    VICTIM_PENDING = "a task that was killed before has not died yet, or one is exiting by itself"
    NOBODY_LEFT = "no killable process: the kernel panics"


class Selection(NamedTuple):
    """The chosen process, or why there is none."""

    pid: int | None
    stop: Stop | None = None


def badness_shift_hz(hz: int) -> int:
    """Return log2 of the tick rate as rounded by the kernel (include/linux/jiffies.h: SHIFT_HZ, 2.6.31).

    >>> badness_shift_hz(100), badness_shift_hz(250)
    (7, 8)
    """
    rounded = hz.bit_length() - 1
    return rounded + (hz >= 3 << (rounded - 1))


def badness(
    *,
    total_vm: int,
    has_mm: bool = True,
    children: Sequence[Child] = (),
    hz: int = 100,
    cpu_jiffies: int = 0,
    uptime_sec: int = 0,
    start_time_sec: int = 0,
    nice: int = 0,
    cap_sys_admin: bool = False,
    cap_sys_resource: bool = False,
    cap_sys_rawio: bool = False,
    cpuset_mems_intersect: bool = True,
    oom_adj: int = 0,
    pf_swapoff: bool = False,
    bits: int = 32,
) -> int:
    """Return the score that picks the victim (mm/oom_kill.c: badness, 2.6.31). Sizes are virtual sizes in pages.

    >>> badness(total_vm=1000, children=[Child(same_mm=False, has_mm=True, total_vm=500)])
    1251
    """
    if not has_mm:
        return 0
    if pf_swapoff:
        return unsigned(-1, bits)
    points = total_vm
    points += sum(child.total_vm // 2 + 1 for child in children if child.has_mm and not child.same_mm)
    points = unsigned(points, bits)
    points //= int_sqrt(cpu_jiffies >> (badness_shift_hz(hz) + 3)) or 1
    points //= int_sqrt(int_sqrt(max(0, uptime_sec - start_time_sec) >> 10)) or 1
    if nice > 0:
        points = unsigned(points * 2, bits)
    if cap_sys_admin or cap_sys_resource:
        points //= 4
    if cap_sys_rawio:
        points //= 4
    if not cpuset_mems_intersect:
        points //= 8
    if oom_adj > 0:
        return unsigned(max(points, 1) << oom_adj, bits)
    return points >> -oom_adj


def select_bad_process(tasks: Sequence[OomTask]) -> Selection:
    """Return the process with the highest score (mm/oom_kill.c: select_bad_process, 2.6.31). ``tasks`` in list order.

    A tie goes to the first. A pending victim or an exiting task ends the search without a choice; an exiting task that
    is the current one is chosen whatever the others score.
    """
    chosen: OomTask | None = None
    highest = 0
    for task in tasks:
        if task.mm is None or task.is_init:
            continue
        if task.tif_memdie:
            return Selection(None, Stop.VICTIM_PENDING)
        if task.exiting:
            if not task.is_current:
                return Selection(None, Stop.VICTIM_PENDING)
            chosen, highest = task, unsigned(-1)
        if task.oom_adj == OOM_DISABLE:
            continue
        if chosen is None or task.points > highest:
            chosen, highest = task, task.points
    return Selection(chosen.pid) if chosen else Selection(None, Stop.NOBODY_LEFT)


def oom_kill_task(tasks: Sequence[OomTask], pid: int) -> frozenset[int]:
    """Return all that die with ``pid``: every task on its address space (mm/oom_kill.c: oom_kill_task, 2.6.31).

    Empty when it has no address space, or when a task on it is protected by oom_adj −17.
    """
    mm = next(task.mm for task in tasks if task.pid == pid)
    sharing = [task for task in tasks if task.mm == mm]
    if mm is None or any(task.oom_adj == OOM_DISABLE for task in sharing):
        return frozenset()
    return frozenset(task.pid for task in sharing)


def oom_kill_victim(tasks: Sequence[OomTask], chosen_pid: int) -> int | None:
    """Return who is killed when ``chosen_pid`` was chosen (mm/oom_kill.c: oom_kill_process, 2.6.31).

    The first child with an address space of its own that may be killed, else the chosen process, else nobody. A chosen
    process that is already exiting is left to die.
    """
    by_pid = {task.pid: task for task in tasks}
    chosen = by_pid[chosen_pid]
    if chosen.exiting:
        return chosen_pid
    for child in chosen.children:
        if by_pid[child].mm != chosen.mm and oom_kill_task(tasks, child):
            return child
    return chosen_pid if oom_kill_task(tasks, chosen_pid) else None
