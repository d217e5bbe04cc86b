"""The watermark test: may this zone serve a request of this order, or are too few of its free pages in large blocks?"""

from collections.abc import Sequence
from typing import NamedTuple

from oomadvisor.kernel.words import div_trunc, signed, unsigned

__all__ = ["Check", "Step", "watermark_check", "zone_watermark_ok"]


class Step(NamedTuple):
    """One comparison of the test: ``ok`` exactly when ``remaining`` is greater than ``bound`` (pages).

    Step 0 compares all free pages with mark + reserve, as the kernel does: unsigned. A step ``order`` ≥ 1 compares the
    pages in blocks of that order or larger with the mark halved ``order`` times, signed.
    """

    order: int
    remaining: int
    bound: int
    ok: bool


class Check(NamedTuple):
    """The whole ladder. ``remaining`` and ``bound`` are those of the first failed step, or of the last if all pass."""

    ok: bool
    failed_at: int | None
    remaining: int
    bound: int
    steps: tuple[Step, ...]

    @property
    def short(self) -> int:
        """Return how many more pages the first failed comparison wants; 0 when the test passes."""
        return 0 if self.ok else self.bound - self.remaining + 1


def zone_watermark_ok(
    free_pages: int,
    nr_free: Sequence[int],
    order: int,
    mark: int,
    lowmem_reserve: int,
    *,
    high: bool = False,
    harder: bool = False,
    bits: int = 32,
    smp: bool = False,
) -> bool:
    """Return whether a block of ``order`` may be taken at ``mark`` (mm/page_alloc.c: zone_watermark_ok, 2.6.31).

    ``free_pages`` is the zone's counter, not the sum of ``nr_free`` (blocks per order; missing orders count as empty).
    ``lowmem_reserve`` is the zone's reserve against the request's class zone. ``high`` and ``harder`` are ALLOC_HIGH
    and ALLOC_HARDER. With ``smp`` a negative counter reads as 0. Words wrap at ``bits``.

    >>> zone_watermark_ok(4282, (2358, 912, 25), order=2, mark=390, lowmem_reserve=158)
    False
    >>> zone_watermark_ok(4282, (2358, 912, 25), order=2, mark=389, lowmem_reserve=158)
    False
    >>> zone_watermark_ok(4282, (2358, 912, 25), order=2, mark=387, lowmem_reserve=158)
    True
    """
    if smp and free_pages < 0:
        free_pages = 0
    free = free_pages - (1 << order) + 1
    min_pages = signed(mark, bits)
    if high:
        min_pages -= div_trunc(min_pages, 2)
    if harder:
        min_pages -= div_trunc(min_pages, 4)
    if unsigned(free, bits) <= unsigned(min_pages + lowmem_reserve, bits):
        return False
    for o in range(order):
        blocks = nr_free[o] if o < len(nr_free) else 0
        free = signed(free - (blocks << o), bits)
        min_pages >>= 1
        if free <= min_pages:
            return False
    return True


def watermark_check(
    free_pages: int,
    nr_free: Sequence[int],
    order: int,
    mark: int,
    lowmem_reserve: int,
    *,
    high: bool = False,
    harder: bool = False,
    bits: int = 32,
    smp: bool = False,
) -> Check:
    """Return the same test as :func:`zone_watermark_ok` with every comparison, also those after the first failure.

    >>> check = watermark_check(5716, (4266, 657, 32, 1), order=2, mark=650, lowmem_reserve=0)
    >>> check.failed_at, check.remaining, check.bound, check.short
    (2, 133, 162, 30)
    """
    if smp and free_pages < 0:
        free_pages = 0
    free = free_pages - (1 << order) + 1
    min_pages = signed(mark, bits)
    if high:
        min_pages -= div_trunc(min_pages, 2)
    if harder:
        min_pages -= div_trunc(min_pages, 4)
    remaining, bound = unsigned(free, bits), unsigned(min_pages + lowmem_reserve, bits)
    steps = [Step(0, remaining, bound, remaining > bound)]
    for o in range(order):
        blocks = nr_free[o] if o < len(nr_free) else 0
        free = signed(free - (blocks << o), bits)
        min_pages >>= 1
        steps.append(Step(o + 1, free, min_pages, free > min_pages))
    decisive = next((step for step in steps if not step.ok), steps[-1])
    return Check(
        ok=decisive.ok,
        failed_at=None if decisive.ok else decisive.order,
        remaining=decisive.remaining,
        bound=decisive.bound,
        steps=tuple(steps),
    )
