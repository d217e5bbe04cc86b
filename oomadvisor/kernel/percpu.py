"""Per-cpu page lists: how many order-0 pages each cpu keeps to itself, and in what batches."""

from dataclasses import dataclass
from typing import NamedTuple

from oomadvisor.kernel.words import INT_MAX, PAGE_SHIFT, PAGE_SIZE

__all__ = [
    "MIN_PERCPU_PAGELIST_FRACTION",
    "BatchRules",
    "Pageset",
    "fraction_interval",
    "pageset",
    "pageset_fraction",
    "zone_batchsize",
]

MIN_PERCPU_PAGELIST_FRACTION = 8
MAX_BATCH_PAGES = PAGE_SHIFT * 8


@dataclass(frozen=True, slots=True)
class BatchRules:
    """What differs between kernels in the batch chosen at boot (mm/page_alloc.c: zone_batchsize).

    ``chunk_kb``: what one batch is derived from at most (256, 512 since 2.6.15, 1024 since 4.19). ``halved``: the power
    of two is the one below (since 2.6.15).
    """

    chunk_kb: int = 512
    halved: bool = True


LINUX_2_6_31 = BatchRules()


class Pageset(NamedTuple):
    """The two limits that a report prints for each cpu and zone, in pages."""

    hi: int
    btch: int


def zone_batchsize(pages: int, *, rules: BatchRules = LINUX_2_6_31) -> int:
    """Return the batch chosen at boot for a zone of ``pages`` (mm/page_alloc.c: zone_batchsize, 2.6.31).

    The pages are the present ones, the managed ones since 3.9.
    """
    batch = max(1, min(pages // 1024, rules.chunk_kb * 1024 // PAGE_SIZE) // 4)
    return (1 << ((batch + batch // 2).bit_length() - rules.halved)) - 1


def pageset(pages: int, *, rules: BatchRules = LINUX_2_6_31) -> Pageset:
    """Return ``hi`` and ``btch`` as the kernel sets them at boot (mm/page_alloc.c: setup_pageset, 2.6.31).

    2.6.25 to 5.13; before there was a hot and a cold list for each cpu, since 5.14 ``hi`` follows from the LOW mark.

    >>> pageset(40640)
    Pageset(hi=42, btch=7)
    """
    batch = zone_batchsize(pages, rules=rules)
    return Pageset(6 * batch, max(1, batch))


def pageset_fraction(present: int, fraction: int) -> Pageset:
    """Return both limits after vm.percpu_pagelist_fraction was set (mm/page_alloc.c: setup_pagelist_highmark, 2.6.31).

    The kernel refuses a ``fraction`` below 8.
    """
    high = present // fraction
    return Pageset(high, min(max(1, high // 4), MAX_BATCH_PAGES))


def fraction_interval(present: int, hi: int, btch: int) -> tuple[int, int] | None:
    """Return the smallest and largest vm.percpu_pagelist_fraction that give these limits; None when none does."""
    low = max(MIN_PERCPU_PAGELIST_FRACTION, present // (hi + 1) + 1)
    high = present // hi if hi else INT_MAX
    if low > high or pageset_fraction(present, low) != (hi, btch):
        return None
    return low, high
