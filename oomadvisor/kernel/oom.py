"""The OOM killer: who is chosen, and who dies instead."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal, NamedTuple

from oomadvisor.kernel.words import PAGE_SIZE, int_sqrt, signed, unsigned

__all__ = [
    "OOM_DISABLE",
    "OOM_SCORE_ADJ_MIN",
    "BadnessRules",
    "Child",
    "OomTask",
    "Selection",
    "Stop",
    "badness",
    "badness_by_memory",
    "badness_shift_hz",
    "oom_kill_task",
    "oom_kill_victim",
    "select_bad_process",
]

OOM_DISABLE = -17
OOM_SCORE_ADJ_MIN = -1000


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


@dataclass(frozen=True, slots=True)
class BadnessRules:
    """What differs between kernels in the score (mm/oom_kill.c: badness, oom_badness).

    ``by``: virtual size weighed by run time and niceness (to 2.6.35); memory used, in permille of all (2.6.36) or in
    pages (3.5). ``product``: the word in which the permille are computed, and in which they overflow: int from 2.6.39,
    long from 3.2. ``tables``: what of the page tables counts: nothing, their pages (2.6.39), those and the pages of
    middle directories (4.0), their bytes (4.15). ``admin``: what CAP_SYS_ADMIN takes off: 30 permille of all memory
    (2.6.36), 3 % of the task's own (3.14), nothing (4.17). ``skips_reaped`` (4.7), ``skips_vfork`` (4.8): such tasks
    are not chosen. ``signed``: the result may be negative, and LONG_MIN says never (5.9).
    ``sacrifices_child``: which child dies instead of the chosen one: the first that may, the one with the highest
    score (2.6.36), none (5.1).
    """

    by: Literal["virtual size", "permille", "pages"] = "virtual size"
    product: Literal["unsigned long", "int", "long"] = "unsigned long"
    tables: Literal["none", "ptes", "ptes and pmds", "bytes"] = "none"
    admin: Literal["30 permille", "3 percent", "nothing"] = "30 permille"
    skips_reaped: bool = False
    skips_vfork: bool = False
    signed: bool = False
    sacrifices_child: Literal["first", "highest", "none"] = "first"


def badness_by_memory(
    *,
    rss: int,
    swapents: int,
    totalpages: int,
    oom_score_adj: int = 0,
    nr_ptes: int = 0,
    nr_pmds: int = 0,
    pgtables_bytes: int = 0,
    cap_sys_admin: bool = False,
    reaped: bool = False,
    in_vfork: bool = False,
    bits: int = 32,
    rules: BadnessRules,
) -> int:
    """Return the score that picks the victim since 2.6.36 (mm/oom_kill.c: oom_badness). Sizes in pages.

    ``totalpages``: RAM and swap (of the cgroup, cpuset or policy that ran out). Permille up to 3.4, pages after.
    """
    never = -(1 << (bits - 1)) if rules.signed else 0
    if oom_score_adj == OOM_SCORE_ADJ_MIN or (reaped and rules.skips_reaped) or (in_vfork and rules.skips_vfork):
        return never
    used = rss + swapents
    if rules.tables == "bytes":
        used += pgtables_bytes // PAGE_SIZE
    elif rules.tables != "none":
        used += nr_ptes + (nr_pmds if rules.tables == "ptes and pmds" else 0)
    total = totalpages or 1
    if rules.by == "permille":
        points = _permille(used, total, bits, rules)
        if cap_sys_admin:
            points -= 30
        points += oom_score_adj
        return min(points, 1000) if points > 0 else 1
    adj = oom_score_adj
    if cap_sys_admin and rules.admin == "30 permille":
        adj -= 30
    elif cap_sys_admin and rules.admin == "3 percent":
        used -= used * 3 // 100
    points = used + adj * (totalpages // 1000)
    return points if rules.signed or points > 0 else 1


def _permille(used: int, total: int, bits: int, rules: BadnessRules) -> int:
    """Return used / total in permille as the kernel's words give it: with much memory they overflow."""
    word = 32 if rules.product == "int" else bits
    product = unsigned(used * 1000, bits) if rules.product == "unsigned long" else signed(used * 1000, word)
    return signed(unsigned(product, bits) // total, bits if rules.product == "long" else 32)


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
