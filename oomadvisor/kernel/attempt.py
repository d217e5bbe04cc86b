"""The watermark test prepared for many blocks: what does not change from block to block is computed once."""

from collections.abc import Callable, Sequence

from oomadvisor.kernel.watermark import (
    ONE_KIND,
    ORDINARY,
    FreeKinds,
    Privileges,
    TestRules,
    kept_pages,
    lowered_mark,
    zone_watermark_fast,
)
from oomadvisor.kernel.words import signed, unsigned

__all__ = ["AttemptTest", "PreparedTest", "attempt_test"]

PreparedTest = Callable[[int, Sequence[int], int], bool]
"""A function of (free pages, blocks per order, order)."""

AttemptTest = Callable[[int, int], PreparedTest]
"""A function of (mark, reserve) that returns such a test."""


def attempt_test(
    *,
    flags: Privileges = ORDINARY,
    kinds: FreeKinds = ONE_KIND,
    bits: int = 32,
    smp: bool = False,
    rules: TestRules,
) -> AttemptTest:
    """Return the test that an allocation asks for step by step: what does not change is computed once.

    The result is a function of (mark, reserve), which returns a function of (free pages, blocks per order, order) that
    answers as :func:`zone_watermark_fast` does: for whoever takes thousands of blocks out of a zone.

    >>> from oomadvisor.kernel.watermark import FORMS
    >>> passes = attempt_test(rules=FORMS["A"])(389, 158)
    >>> passes(4282, (2358, 912, 25), 2), passes(4282, (2358, 912, 25), 1)
    (False, True)
    """
    if rules.scans or rules.order0 != "none":

        def asked(mark: int, reserve: int) -> PreparedTest:
            return lambda free_pages, nr_free, order: zone_watermark_fast(
                free_pages, nr_free, order, mark, reserve, flags=flags, kinds=kinds, bits=bits, smp=smp, rules=rules
            )

        return asked

    kept = kept_pages(kinds, flags, rules)
    kept_for_good = kept if rules.cma == "off for good" else 0
    clamped, too_many = smp and rules.clamps, rules.pages_too_many - 1
    word = signed if rules.signed else unsigned
    largest = (1 << (bits - 1)) - 1

    def at_mark(mark: int, reserve: int) -> PreparedTest:
        least = signed(mark, bits) if flags is ORDINARY else lowered_mark(signed(mark, bits), flags, rules)
        bound = word(least + reserve, bits)

        def passes(free_pages: int, nr_free: Sequence[int], order: int) -> bool:
            if clamped and free_pages < 0:
                free_pages = 0
            free = free_pages - (1 << order) - too_many
            usable = free - kept
            # Within this range a word holds what was stored in it.
            if (usable if 0 <= usable <= largest else word(usable, bits)) <= bound:
                return False
            free -= kept_for_good
            min_pages = least
            for o in range(order):
                if o < len(nr_free):
                    free -= nr_free[o] << o
                if not -largest <= free <= largest:
                    free = signed(free, bits)
                min_pages >>= 1
                if free <= min_pages:
                    return False
            return True

        return passes

    return at_mark
