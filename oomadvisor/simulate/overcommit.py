"""Whether a fork is refused for overcommit, and the largest task that can still fork.

A fork promises the child all private writable memory of its parent once more. When the kernel does not believe that it
could keep the promise, fork returns ENOMEM, and no report is printed: to the device's programs it looks like any other
failure. Raising min_free_kbytes, or lowering lowmem_reserve_ratio, raises the pages that overcommit leaves alone, so
either can break fork silently (measured on 2.6.31.12: 19 of 1058 forks). vfork promises nothing and is never refused.

What a report does not print is an interval: ``worst`` and ``best`` hold the counters that refuse first and last, and
:func:`oomadvisor.kernel.commit.vm_enough_memory` is monotone in each of them, so the truth lies between its answers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from oomadvisor.infer.arithmetic import family_of
from oomadvisor.kernel.commit import CommitCounters, Overcommit, commit_limit, vm_enough_memory
from oomadvisor.kernel.family import Family
from oomadvisor.kernel.marks import calculate_totalreserve_pages
from oomadvisor.kernel.words import INT_MAX, PAGE_KB
from oomadvisor.model import Operation, SystemState
from oomadvisor.model.state import LOWMEM_RESERVE_RATIO, MIN_FREE_KBYTES
from oomadvisor.simulate.change import AddSwap, Change, FreeBlocks, FreePages, NotReplayable, SetSysctl
from oomadvisor.simulate.headroom import ORDER0_PAGES_PER_CHILD

OVERCOMMIT_MEMORY = "vm.overcommit_memory"
OVERCOMMIT_RATIO = "vm.overcommit_ratio"
DEFAULTS: Mapping[str, int] = {OVERCOMMIT_MEMORY: Overcommit.GUESS, OVERCOMMIT_RATIO: 50}
"""mm/mmap.c: sysctl_overcommit_memory, sysctl_overcommit_ratio, 2.6.31."""


@dataclass(frozen=True, slots=True)
class CommitState:
    """What the promise of memory depends on. All in pages, zones lowest first.

    ``worst`` and ``best`` are the counters between which the truth lies; their ``totalreserve_pages`` is not read, it
    follows from ``high_marks`` and ``reserves`` (``[zone][class zone]``). ``assumed`` names the sysctls that the input
    does not tell and for which this kernel's default stands.
    """

    worst: CommitCounters
    best: CommitCounters
    overcommit_memory: int
    overcommit_ratio: int
    zone_names: tuple[str, ...]
    present: tuple[int, ...]
    high_marks: tuple[int, ...]
    reserves: tuple[tuple[int, ...], ...]
    family: Family
    bits: int = 32
    assumed: tuple[str, ...] = ()

    @property
    def totalreserve_pages(self) -> int:
        """Pages that the guess leaves alone (mm/page_alloc.c: calculate_totalreserve_pages, 2.6.31)."""
        return calculate_totalreserve_pages(self.present, self.reserves, self.high_marks, bits=self.bits)


class LargestFork(NamedTuple):
    """The largest task that can fork, in pages of private writable memory; None: of any size.

    ``worst`` and ``best`` are equal where the input has every counter. 0: not even a task with one such page.
    """

    worst: int | None
    best: int | None


def commit_state(state: SystemState, *, anonymous_charged: bool = False) -> CommitState | None:
    """Return what overcommit looks at, or None when the input lacks zones, marks, reserves, free pages or the kernel.

    * Reclaimable slab is not printed apart by 2.6.31: between 0 and all slab pages. /proc/meminfo settles it.
    * Committed_AS is in no report (it counts in strict mode only): at least the pages of tmpfs and shared memory, which
      are charged one by one. ``anonymous_charged`` adds all other pages on the anonymous lists, which is right unless
      programs map with MAP_NORESERVE. /proc/meminfo settles it.
    * Only the zones of one node are known here, so a box with several nodes gives None.
    """
    memory, family = state.memory, family_of(state.kernel)
    zones = [zone for zone in state.zones if zone.present_pages]
    complete = all(zone.marks is not None and zone.reserve_pages is not None for zone in zones)
    if (
        family is None
        or not family.measured
        or not zones
        or not complete
        or state.build.numa
        or memory.free_pages is None
    ):
        return None
    names = state.build.zone_names
    present, high = [0] * len(names), [0] * len(names)
    reserves = [(0,) * len(names)] * len(names)
    for zone in zones:
        present[zone.index] = zone.present_pages or 0
        high[zone.index] = zone.marks.high if zone.marks else 0
        reserves[zone.index] = zone.reserve_pages or ()
    worst, best = _counters(state, sum(present), anonymous_charged=anonymous_charged)
    sysctls = {name: _known(state, name) for name in DEFAULTS}
    return CommitState(
        worst=worst,
        best=best,
        overcommit_memory=_or_default(sysctls, OVERCOMMIT_MEMORY),
        overcommit_ratio=_or_default(sysctls, OVERCOMMIT_RATIO),
        zone_names=names,
        present=tuple(present),
        high_marks=tuple(high),
        reserves=tuple(reserves),
        family=family,
        bits=state.build.word_bits,
        assumed=tuple(name for name, value in sysctls.items() if value is None),
    )


def with_changes(commit: CommitState, changes: Iterable[Change]) -> CommitState:
    """Return the state after ``changes``; those that overcommit does not look at leave it as it is.

    Pages given back were counted before: tmpfs and page cache as file pages, so only the reserve decides whether they
    are worth more as free pages. Raises NotReplayable when a value has the wrong number of entries.
    """
    for change in changes:
        if isinstance(change, SetSysctl):
            commit = _with_sysctl(commit, change)
        elif isinstance(change, FreePages):
            commit = _with_free_pages(commit, change)
        elif isinstance(change, FreeBlocks):
            commit = _with_free_pages(commit, FreePages(change.source, change.count << change.order))
        elif isinstance(change, AddSwap):
            commit = _with_swap(commit, change.kb // PAGE_KB)
    return commit


def with_blocks_taken(commit: CommitState, operation: Operation, *, batch: int = 1) -> CommitState:
    """Return the state at the moment of the check inside a fork (kernel/fork.c: dup_mmap): its blocks are taken.

    The stack and the page directory come first. The single pages that a new process takes may come out of per-cpu
    lists, which the counter does not include, or refill them in steps of ``batch`` pages: none at best, all at worst.
    """
    blocks = sum(1 << step.order for step in operation.steps if not step.replaces)
    singles = -(-ORDER0_PAGES_PER_CHILD // batch) * batch
    return replace(
        commit,
        worst=commit.worst._replace(nr_free_pages=max(commit.worst.nr_free_pages - blocks - singles, 0)),
        best=commit.best._replace(nr_free_pages=max(commit.best.nr_free_pages - blocks, 0)),
    )


def fork_refused(commit: CommitState, task_pages: int, *, root: bool | None = None) -> frozenset[bool]:
    """Return whether a fork of a task of ``task_pages`` is refused: {True}, {False}, or both where it is not decided.

    ``task_pages``: private writable memory, touched or not. The kernel asks mapping by mapping: the guess (0) looks at
    each alone, so give the largest one; strict mode (2) adds them up, so give the sum. ``root``: the task has
    CAP_SYS_ADMIN and may use the last 1/32; None when that is not known.
    """
    cases = ((commit.worst, bool(root)), (commit.best, root is not False))
    return frozenset(
        not _granted(commit, _with_reserve(commit, counters), task_pages, root=as_root) for counters, as_root in cases
    )


def largest_fork(commit: CommitState, *, root: bool | None = None) -> LargestFork:
    """Return the largest task that can still fork (pages as in :func:`fork_refused`)."""
    return LargestFork(
        worst=_largest(commit, commit.worst, root=bool(root)),
        best=_largest(commit, commit.best, root=root is not False),
    )


def _with_reserve(commit: CommitState, counters: CommitCounters) -> CommitCounters:
    return counters._replace(totalreserve_pages=commit.totalreserve_pages)


def _granted(commit: CommitState, counters: CommitCounters, pages: int, *, root: bool) -> bool:
    """Decide on counters whose ``totalreserve_pages`` are those of ``commit``."""
    decision = vm_enough_memory(
        pages,
        counters,
        overcommit_memory=commit.overcommit_memory,
        overcommit_ratio=commit.overcommit_ratio,
        cap_sys_admin=root,
        mm_total_vm=pages,
        bits=commit.bits,
    )
    return decision.result == 0


def _largest(commit: CommitState, counters: CommitCounters, *, root: bool) -> int | None:
    """Return the largest number of pages that is granted; every smaller one is, too.

    Bisection: the more pages, the less is granted. (Strict mode wraps below zero and then grants a task 32 times the
    limit; such a task is refused before it grows to that.)
    """
    if commit.overcommit_memory == Overcommit.ALWAYS:
        return None
    ceiling = counters.nr_file_pages + counters.nr_swap_pages + counters.nr_slab_reclaimable + counters.nr_free_pages
    if commit.overcommit_memory != Overcommit.GUESS:
        ceiling = commit_limit(counters, commit.overcommit_ratio, cap_sys_admin=root, bits=commit.bits)
    counters = _with_reserve(commit, counters)
    granted, refused = 0, max(ceiling, 0) + 1
    while refused - granted > 1:
        middle = (granted + refused) // 2
        if _granted(commit, counters, middle, root=root):
            granted = middle
        else:
            refused = middle
    return granted


def _with_sysctl(commit: CommitState, change: SetSysctl) -> CommitState:
    if change.name == LOWMEM_RESERVE_RATIO:
        needed = len(commit.zone_names) - 1
        if len(change.values) > needed:
            raise NotReplayable(f"{change.name} has {needed} entries on this kernel, not {len(change.values)}")
        padded = (*change.values, *(1,) * (needed - len(change.values)))
        rows = commit.family.setup_per_zone_lowmem_reserve(commit.present, padded)
        kept = commit.reserves[len(change.values) :]
        return replace(commit, reserves=(*(tuple(row) for row in rows[: len(change.values)]), *kept))
    if change.name not in (MIN_FREE_KBYTES, OVERCOMMIT_MEMORY, OVERCOMMIT_RATIO):
        return commit
    if len(change.values) != 1:
        raise NotReplayable(f"{change.name} takes one number, not {len(change.values)}")
    (value,) = change.values
    if change.name == MIN_FREE_KBYTES:
        marks = commit.family.setup_per_zone_wmarks(commit.zone_names, commit.present, value)
        return replace(commit, high_marks=tuple(mark.high for mark in marks))
    known = tuple(name for name in commit.assumed if name != change.name)
    if change.name == OVERCOMMIT_MEMORY:
        return replace(commit, overcommit_memory=value, assumed=known)
    return replace(commit, overcommit_ratio=value, assumed=known)


def _with_free_pages(commit: CommitState, change: FreePages) -> CommitState:
    def given_back(counters: CommitCounters, *, charged: int) -> CommitCounters:
        in_cache = change.pages if change.source in ("tmpfs", "page-cache") else 0
        slab = change.pages if change.source == "slab" else 0
        return counters._replace(
            nr_free_pages=counters.nr_free_pages + change.pages,
            nr_file_pages=max(counters.nr_file_pages - in_cache, 0),
            nr_slab_reclaimable=max(counters.nr_slab_reclaimable - slab, 0),
            committed=max(counters.committed - charged, 0),
        )

    # A process may have been charged for more than it touched, or (MAP_NORESERVE) for less.
    charged = {"tmpfs": (change.pages,) * 2, "process": (0, commit.best.committed)}.get(change.source, (0, 0))
    return replace(
        commit,
        worst=given_back(commit.worst, charged=charged[0]),
        best=given_back(commit.best, charged=charged[1]),
    )


def _with_swap(commit: CommitState, pages: int) -> CommitState:
    def larger(counters: CommitCounters) -> CommitCounters:
        return counters._replace(
            nr_swap_pages=counters.nr_swap_pages + pages, total_swap_pages=counters.total_swap_pages + pages
        )

    return replace(commit, worst=larger(commit.worst), best=larger(commit.best))


def _counters(state: SystemState, present: int, *, anonymous_charged: bool) -> tuple[CommitCounters, CommitCounters]:
    memory, swap, meminfo = state.memory, state.swap, state.proc.meminfo_kb or {}
    page_kb = state.page_kb
    ram = (memory.ram_pages or present) - (memory.reserved_pages or 0)
    slab, cache = memory.slab_reclaimable_pages, memory.pagecache_pages
    swap_total = (swap.total_kb or 0) // page_kb if swap else 0
    swap_free = swap_total if swap is None or swap.free_kb is None else swap.free_kb // page_kb
    charged, most = memory.shmem_low_pages or 0, INT_MAX
    if anonymous_charged:
        charged = max(charged, memory.anon_lru_pages or 0)
    if "Committed_AS" in meminfo:
        charged = most = meminfo["Committed_AS"] // page_kb
    worst = CommitCounters(
        nr_file_pages=(memory.file_lru_pages or 0) if cache is None else cache,
        nr_swap_pages=swap_free if swap is None or swap.free_kb is not None else 0,
        total_swap_pages=swap_total,
        nr_slab_reclaimable=slab or 0,
        nr_free_pages=memory.free_pages or 0,
        totalreserve_pages=0,
        totalram_pages=ram,
        committed=most,
    )
    best = worst._replace(
        nr_file_pages=ram if cache is None else cache,
        nr_swap_pages=swap_free,
        nr_slab_reclaimable=(ram if memory.slab_pages is None else memory.slab_pages) if slab is None else slab,
        committed=charged,
    )
    return worst, best


def _known(state: SystemState, name: str) -> int | None:
    tunable = state.tunables.get(name)
    return tunable.low if tunable is not None and tunable.low == tunable.high else None


def _or_default(sysctls: Mapping[str, int | None], name: str) -> int:
    value = sysctls[name]
    return DEFAULTS[name] if value is None else value
