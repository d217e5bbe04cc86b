"""The watermark test: may this zone serve a request of this order, or are too few of its free pages in large blocks?

Its forms from 2.6.12 to 6.18 differ in what :class:`TestRules` holds; there is one function for the answer and one that
shows every comparison.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from oomadvisor.kernel.words import div_trunc, signed, unsigned

__all__ = [
    "FORMS",
    "ONE_KIND",
    "ORDINARY",
    "Check",
    "FreeKinds",
    "Privileges",
    "Step",
    "TestRules",
    "suitable_pages",
    "watermark_check",
    "watermark_fast_check",
    "zone_watermark_fast",
    "zone_watermark_ok",
]


class Step(NamedTuple):
    """One comparison of the test: ``ok`` exactly when ``remaining`` is greater than ``bound`` (pages).

    Step 0 compares all free pages with mark + reserve. A step ``order`` ≥ 1 of a kernel before 4.4 compares the pages
    in blocks of that order or larger with the mark halved ``order`` times. Since 4.4 there is one further step, at the
    order of the request: the pages in blocks that it may take, against one page less than such a block has.
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


class Privileges(NamedTuple):
    """The flags of an attempt that the test reads; a form that has no such flag passes over it.

    ``high`` and ``harder`` are ALLOC_HIGH and ALLOC_HARDER; 6.3 renamed them MIN_RESERVE and NON_BLOCK. ``oom``,
    ``cma`` and ``highatomic`` came in 4.14, 3.7 and 6.3.
    """

    high: bool = False
    harder: bool = False
    oom: bool = False
    cma: bool = False
    highatomic: bool = False


ORDINARY = Privileges()


class FreeKinds(NamedTuple):
    """What kinds of pages the free ones are, as far as later kernels ask. In pages; 0 where there is no such kind.

    ``lists``: for each order the letters of its free lists that are not empty, as a report prints them (U unmovable,
    E reclaimable, M movable, H highatomic, C CMA, I isolated); None where nothing tells, which counts as unmovable.
    ``highatomic``: the size of the reserved pageblocks, since 6.12 the free pages in them. ``unaccepted``: of 6.5 to
    6.11.
    """

    lists: Sequence[str] | None = None
    cma: int = 0
    highatomic: int = 0
    unaccepted: int = 0


ONE_KIND = FreeKinds()


@dataclass(frozen=True, slots=True)
class TestRules:
    """What differs between the forms of the test (mm/page_alloc.c: zone_watermark_ok, __zone_watermark_ok).

    ``letter``: A to J. ``pages_too_many``: taken off the free pages beyond the request's own (2.6.38 to 3.2: 2).
    ``clamps``: on SMP a negative counter reads as 0 (since 2.6.21). ``signed``: the first comparison (since 3.6).
    ``cma``: whether free CMA pages are taken off for good or for the first comparison only. ``scans``: the free lists
    are looked at instead of the comparison for each order (since 4.4). ``any_list``: ALLOC_HARDER is then content with
    any list (4.4 to 4.14). ``highatomic``: whom the reserved pages are kept from: all without ALLOC_HARDER; without
    that or ALLOC_OOM (4.14); without any privilege (6.3). ALLOC_OOM halves the mark: in 4.14 instead of ALLOC_HARDER's
    quarter; in 6.3 after it, and the quarter is due only together with ALLOC_HIGH. ``unaccepted``: such pages are left
    out (6.5 to 6.11). ``order0``: the short cut of a single page: none; without CMA pages (4.7); without all that is
    kept (5.9), where the difference wraps; the same, not below 0 (5.19). ``unboosted``: a last try of an atomic
    request with the mark without its boost (5.9). ``order_shift``: by how many bits the mark falls from order to order:
    1 in mainline, vm.min_free_order_shift in Android's kernels.
    """

    letter: str
    pages_too_many: int = 0
    clamps: bool = True
    signed: bool = False
    cma: Literal["not counted", "off for good", "off at first"] = "not counted"
    scans: bool = False
    any_list: bool = False
    highatomic: Literal["none", "not harder", "not harder or oom", "no privilege"] = "none"
    unaccepted: bool = False
    order0: Literal["none", "no cma", "no reserve, wraps", "no reserve"] = "none"
    unboosted: bool = False
    order_shift: int = 1

    @property
    def since(self) -> str:
        """Return the release that brought this form."""
        return SINCE[self.letter]

    __test__ = False  # not a test of pytest's


_A = TestRules("A")
_B = TestRules("B", pages_too_many=2)
_D = TestRules("D", signed=True)
_E = replace(_D, letter="E", cma="off for good")
_F = replace(_D, letter="F", cma="off at first")
_G = replace(_F, letter="G", scans=True, any_list=True, highatomic="not harder")
_H = replace(_G, letter="H", any_list=False, highatomic="not harder or oom")
_I = replace(_H, letter="I", highatomic="no privilege")

SINCE = {
    "A": "2.6.12",
    "B": "2.6.38",
    "C": "3.3",
    "D": "3.6",
    "E": "3.7",
    "F": "3.10",
    "G": "4.4",
    "H": "4.14",
    "I": "6.3",
    "J": "6.12",
}

FORMS: dict[str, TestRules] = {
    rules.letter: rules for rules in (_A, _B, replace(_A, letter="C"), _D, _E, _F, _G, _H, _I, replace(_I, letter="J"))
}
"""The ten forms by letter. C differs from A in the spelling, J from I in what its pages of highatomic blocks count."""


def zone_watermark_ok(
    free_pages: int,
    nr_free: Sequence[int],
    order: int,
    mark: int,
    lowmem_reserve: int,
    *,
    flags: Privileges = ORDINARY,
    kinds: FreeKinds = ONE_KIND,
    bits: int = 32,
    smp: bool = False,
    rules: TestRules = _A,
) -> bool:
    """Return whether a block of ``order`` may be taken at ``mark`` (mm/page_alloc.c: zone_watermark_ok, 2.6.31).

    ``free_pages`` is the zone's counter, not the sum of ``nr_free`` (blocks per order; missing orders count as empty).
    ``lowmem_reserve`` is the zone's reserve against the request's class zone. With ``smp`` a negative counter reads as
    0. Words wrap at ``bits``. ``rules`` selects the form, 2.6.31's where it is not given.

    >>> zone_watermark_ok(4282, (2358, 912, 25), order=2, mark=390, lowmem_reserve=158)
    False
    >>> zone_watermark_ok(4282, (2358, 912, 25), order=2, mark=389, lowmem_reserve=158)
    False
    >>> zone_watermark_ok(4282, (2358, 912, 25), order=2, mark=387, lowmem_reserve=158)
    True
    """
    if smp and rules.clamps and free_pages < 0:
        free_pages = 0
    free = free_pages - (1 << order) + 1 - rules.pages_too_many
    min_pages = signed(mark, bits)
    if flags is not ORDINARY:
        min_pages = lowered_mark(min_pages, flags, rules)
    usable = free
    if rules is not _A:
        usable -= kept_pages(kinds, flags, rules)
        if rules.cma == "off for good":
            free = usable
    word = signed if rules.signed else unsigned
    if word(usable, bits) <= word(min_pages + lowmem_reserve, bits):
        return False
    if rules.scans:
        return order == 0 or suitable_pages(nr_free, order, kinds=kinds, flags=flags, rules=rules) > 0
    for o in range(order):
        blocks = nr_free[o] if o < len(nr_free) else 0
        free = signed(free - (blocks << o), bits)
        min_pages >>= rules.order_shift
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
    flags: Privileges = ORDINARY,
    kinds: FreeKinds = ONE_KIND,
    bits: int = 32,
    smp: bool = False,
    rules: TestRules = _A,
) -> Check:
    """Return the same test as :func:`zone_watermark_ok` with every comparison, also those after the first failure.

    >>> check = watermark_check(5716, (4266, 657, 32, 1), order=2, mark=650, lowmem_reserve=0)
    >>> check.failed_at, check.remaining, check.bound, check.short
    (2, 133, 162, 30)
    """
    free_pages = _read(free_pages, smp, rules)
    free = free_pages - (1 << order) + 1 - rules.pages_too_many
    min_pages = lowered_mark(signed(mark, bits), flags, rules)
    usable = free
    if rules is not _A:
        usable -= kept_pages(kinds, flags, rules)
        if rules.cma == "off for good":
            free = usable
    word = signed if rules.signed else unsigned
    remaining, bound = word(usable, bits), word(min_pages + lowmem_reserve, bits)
    steps = [Step(0, remaining, bound, remaining > bound)]
    if rules.scans and order > 0:
        pages = suitable_pages(nr_free, order, kinds=kinds, flags=flags, rules=rules)
        steps.append(Step(order, pages, (1 << order) - 1, pages > 0))
    for o in range(0 if rules.scans else order):
        blocks = nr_free[o] if o < len(nr_free) else 0
        free = signed(free - (blocks << o), bits)
        min_pages >>= rules.order_shift
        steps.append(Step(o + 1, free, min_pages, free > min_pages))
    return _ladder(steps)


def zone_watermark_fast(
    free_pages: int,
    nr_free: Sequence[int],
    order: int,
    mark: int,
    lowmem_reserve: int,
    *,
    flags: Privileges = ORDINARY,
    kinds: FreeKinds = ONE_KIND,
    bits: int = 32,
    smp: bool = False,
    rules: TestRules = _A,
    unboosted_min: int | None = None,
) -> bool:
    """Return the answer of the test as an allocation asks for it (mm/page_alloc.c: zone_watermark_fast, since 4.7).

    A single page has a short cut, which looks at no privilege. ``unboosted_min``: the mark MIN without its boost, where
    the attempt is one at MIN that may try it: it comes from an atomic request, and the zone is boosted.
    """

    def passes(at: int) -> bool:
        return zone_watermark_ok(
            free_pages,
            nr_free,
            order,
            at,
            lowmem_reserve,
            flags=flags,
            kinds=kinds,
            bits=bits,
            smp=smp,
            rules=rules,
        )

    if order == 0 and rules.order0 != "none":
        usable, bound = _single_page(free_pages, mark, lowmem_reserve, flags, kinds, bits, smp, rules)
        if usable > bound:
            return True
    if passes(mark):
        return True
    return order == 0 and rules.unboosted and unboosted_min is not None and passes(unboosted_min)


def watermark_fast_check(
    free_pages: int,
    nr_free: Sequence[int],
    order: int,
    mark: int,
    lowmem_reserve: int,
    *,
    flags: Privileges = ORDINARY,
    kinds: FreeKinds = ONE_KIND,
    bits: int = 32,
    smp: bool = False,
    rules: TestRules = _A,
) -> Check:
    """Return the test as an allocation asks for it, with every comparison; the short cut where it alone decides."""
    if order == 0 and rules.order0 != "none":
        usable, bound = _single_page(free_pages, mark, lowmem_reserve, flags, kinds, bits, smp, rules)
        if usable > bound:
            return _ladder([Step(0, usable, bound, True)])
    return watermark_check(
        free_pages,
        nr_free,
        order,
        mark,
        lowmem_reserve,
        flags=flags,
        kinds=kinds,
        bits=bits,
        smp=smp,
        rules=rules,
    )


def suitable_pages(
    nr_free: Sequence[int], order: int, *, kinds: FreeKinds, flags: Privileges = ORDINARY, rules: TestRules
) -> int:
    """Return the pages in blocks of ``order`` and larger on lists that the request may use, by the forms since 4.4.

    A report tells which lists of an order are not empty, not how much is on each: an order with one that the request
    may use counts in full. So the number is 0 exactly when the kernel finds no block.
    """
    letters = {"U", "M", "E"}
    if flags.cma:
        letters.add("C")
    if rules.highatomic == "no privilege":
        reserved_too = flags.highatomic or flags.oom
    else:
        reserved_too = flags.harder or (flags.oom and rules.highatomic == "not harder or oom")
    if reserved_too:
        letters.add("H")
    everything = kinds.lists is None or (rules.any_list and reserved_too)
    lists = kinds.lists or ()
    return sum(
        blocks << o
        for o, blocks in enumerate(nr_free)
        if o >= order and (everything or (o < len(lists) and not letters.isdisjoint(lists[o])))
    )


def _read(free_pages: int, smp: bool, rules: TestRules) -> int:
    """Return the counter as the kernel reads it."""
    return 0 if smp and rules.clamps and free_pages < 0 else free_pages


def lowered_mark(min_pages: int, flags: Privileges, rules: TestRules) -> int:
    """Return the mark as the privileges of the attempt lower it."""
    if flags.high:
        min_pages -= div_trunc(min_pages, 2)
    quarter = flags.harder
    if rules.highatomic == "not harder or oom":
        quarter = flags.harder and not flags.oom
    elif rules.highatomic == "no privilege":
        quarter = flags.harder and flags.high
    if quarter:
        min_pages -= div_trunc(min_pages, 4)
    if flags.oom and rules.highatomic in ("not harder or oom", "no privilege"):
        min_pages -= div_trunc(min_pages, 2)
    return min_pages


def kept_pages(kinds: FreeKinds, flags: Privileges, rules: TestRules) -> int:
    """Return the free pages that are not for this request."""
    kept = 0 if flags.cma or rules.cma == "not counted" else kinds.cma
    if rules.highatomic == "not harder":
        kept += 0 if flags.harder else kinds.highatomic
    elif rules.highatomic == "not harder or oom":
        kept += 0 if flags.harder or flags.oom else kinds.highatomic
    elif rules.highatomic == "no privilege":
        kept += 0 if flags.high or flags.harder or flags.highatomic or flags.oom else kinds.highatomic
    return kept + kinds.unaccepted if rules.unaccepted else kept


def _single_page(
    free_pages: int,
    mark: int,
    lowmem_reserve: int,
    flags: Privileges,
    kinds: FreeKinds,
    bits: int,
    smp: bool,
    rules: TestRules,
) -> tuple[int, int]:
    """Return both sides of the short cut of a single page: it passes when the first is greater."""
    free_pages = _read(free_pages, smp, rules)
    if rules.order0 == "no cma":
        usable = free_pages - (0 if flags.cma else kinds.cma)
    else:
        kept = kept_pages(kinds, flags, rules)
        usable = free_pages - (min(free_pages, kept) if rules.order0 == "no reserve" else kept)
    return unsigned(usable, bits), unsigned(mark + lowmem_reserve, bits)


def _ladder(steps: list[Step]) -> Check:
    decisive = next((step for step in steps if not step.ok), steps[-1])
    return Check(
        ok=decisive.ok,
        failed_at=None if decisive.ok else decisive.order,
        remaining=decisive.remaining,
        bound=decisive.bound,
        steps=tuple(steps),
    )
