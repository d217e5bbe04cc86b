"""Overcommit: whether the kernel promises memory that it may not have."""

from enum import IntEnum
from typing import NamedTuple

from oomadvisor.kernel.words import unsigned

__all__ = ["ENOMEM", "CommitCounters", "CommitDecision", "Overcommit", "commit_limit", "vm_enough_memory"]

ENOMEM = 12


class Overcommit(IntEnum):
    """vm.overcommit_memory; every other value counts as NEVER."""

    GUESS = 0
    ALWAYS = 1
    NEVER = 2


class CommitCounters(NamedTuple):
    """The counters that are read, in pages. ``nr_file_pages`` includes tmpfs, which the guess takes for free memory."""

    nr_file_pages: int
    nr_swap_pages: int
    total_swap_pages: int
    nr_slab_reclaimable: int
    nr_free_pages: int
    totalreserve_pages: int
    totalram_pages: int
    committed: int


class CommitDecision(NamedTuple):
    """``result`` 0 or −ENOMEM, and what is committed afterwards (pages)."""

    result: int
    committed: int


def commit_limit(counters: CommitCounters, overcommit_ratio: int, *, cap_sys_admin: bool, bits: int = 32) -> int:
    """Return the pages that strict overcommit allows, process size aside (mm/mmap.c: __vm_enough_memory, 2.6.31)."""
    allowed = unsigned(counters.totalram_pages * overcommit_ratio, bits) // 100
    if not cap_sys_admin:
        allowed -= allowed // 32
    return allowed + counters.total_swap_pages


def vm_enough_memory(
    pages: int,
    counters: CommitCounters,
    *,
    overcommit_memory: int,
    overcommit_ratio: int,
    cap_sys_admin: bool,
    mm_total_vm: int | None,
    bits: int = 32,
) -> CommitDecision:
    """Decide whether ``pages`` more may be promised (mm/mmap.c: __vm_enough_memory, 2.6.31).

    ``mm_total_vm`` is the size of the asking process in pages, None when the kernel asks for itself. A limit below zero
    wraps and lets everything through: so does a ratio of 0 without swap for any process of 32 pages or more.
    """
    granted = CommitDecision(0, counters.committed + pages)
    refused = CommitDecision(-ENOMEM, counters.committed)
    if overcommit_memory == Overcommit.ALWAYS:
        return granted
    if overcommit_memory == Overcommit.GUESS:
        free = counters.nr_file_pages + counters.nr_swap_pages + counters.nr_slab_reclaimable
        if not cap_sys_admin:
            free -= free // 32
        if free > pages:
            return granted
        if counters.nr_free_pages <= counters.totalreserve_pages:
            return refused
        spare = counters.nr_free_pages - counters.totalreserve_pages
        if not cap_sys_admin:
            spare -= spare // 32
        return granted if free + spare > pages else refused
    allowed = commit_limit(counters, overcommit_ratio, cap_sys_admin=cap_sys_admin, bits=bits)
    if mm_total_vm is not None:
        allowed -= mm_total_vm // 32
    return granted if max(0, granted.committed) < unsigned(allowed, bits) else refused
