"""Everything that can be asked about one operation, for every value of vm.min_free_kbytes in a range.

A sweep tells where the verdict turns; this tells besides how many pages are missing, and how many children fit, at
each value between. All of it changes in steps of one page (4 kB), so lists of the values at which something changes are
exact for every value. Over a long range only the verdicts are: the numbers are then bounds for every value of a cell.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TypeVar

from oomadvisor.kernel.watermark import Check, Privileges
from oomadvisor.model import MARKS, Mark, Operation
from oomadvisor.model.verification import VerificationClass
from oomadvisor.simulate.change import with_min_free_kbytes
from oomadvisor.simulate.headroom import children_at_most, children_that_stay, is_lower_bound
from oomadvisor.simulate.lists import FreeLists, lists_of, serve
from oomadvisor.simulate.price import atomic_pages, spinning_zones
from oomadvisor.simulate.replay import operation_passes
from oomadvisor.simulate.snapshot import Snapshot, asked_by
from oomadvisor.simulate.whatif import classify

EXACT_PAGES = 2048
"""Up to this many pages of range every number is exact; beyond, that would be seconds of work."""
CELLS, HEADROOM_CELLS = 512, 64
"""Into so many cells a longer range is cut; counting children takes longer than a test."""
MOST_CHILDREN = 100
"""Children are not counted further than this."""

Answer = TypeVar("Answer")
Steps = tuple[tuple[int, Answer], ...]
"""A step function: pairs of the first value (kB) and the answer that holds from there to the next pair."""


@dataclass(frozen=True, slots=True)
class Passes:
    """Whether an operation passes at each mark, and the class of the change from the present state."""

    class_: VerificationClass
    min: bool
    low: bool
    high: bool


@dataclass(frozen=True, slots=True)
class Shortfall:
    """The block of an operation that no zone gives, counted from 0, and the zone nearest to giving it.

    ``pages``: how many more pages, in blocks of the size of the comparison that fails, that zone would need; with
    ``most`` a range. None: it starts anew somewhere within the cell.
    ``way``: the zones that gave the earlier blocks, and for every zone the order whose comparison failed.
    """

    mark: Mark
    block: int
    zone: str
    pages: int | None
    most: int | None
    way: tuple[tuple[str, ...], tuple[int | None, ...]]


@dataclass(frozen=True, slots=True)
class Answers:
    """An operation at every vm.min_free_kbytes from ``low`` to ``high``.

    ``headroom``: least and most children that stay; ``MOST_CHILDREN`` means that or more. ``shortfall``: at MIN where
    that fails, else at HIGH; None where both pass. ``exact``: no cell is wider than a page.
    """

    operation: str
    low: int
    high: int
    passes: Steps[Passes]
    headroom: Steps[tuple[int, int]]
    shortfall: Steps[Shortfall | None]
    exact: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """What interrupts can take at the floor, least and most, in pages (:class:`oomadvisor.simulate.price.Price`)."""

    atomic_pages: int
    most: int


def answers(
    now: Snapshot, operations: Sequence[Operation], high: int, *, changed: Snapshot | None = None
) -> tuple[Answers, ...]:
    """Return what becomes of each operation at every vm.min_free_kbytes from 0 to ``high``.

    ``changed``: the state with other changes made, ``now`` where there are none; the class compares with ``now``.
    """
    base = now if changed is None else changed
    page_kb = now.page_kb
    after = cache(lambda asked, page: with_min_free_kbytes(asked, page * page_kb))
    return tuple(_answers(now, one, high // page_kb, partial(after, asked_by(base, one))) for one in operations)


def _answers(now: Snapshot, operation: Operation, last: int, at: Callable[[int], Snapshot]) -> Answers:
    """Return the answers from page 0 to ``last`` of the value.

    Verdicts and headroom are monotone in the value (a larger mark never passes where a smaller one failed), so their
    steps are found by halving. So is the shortfall for as long as the blocks come from the same zones and the same
    comparisons fail, which is part of it: it starts anew where an earlier one fails.
    """
    unsure = is_lower_bound(now)

    def passes(page: int) -> Passes:
        after = at(page)
        marks = (operation_passes(after, operation.orders, mark) for mark in MARKS)
        return Passes(classify(now, after, operation), *marks)

    def headroom(page: int) -> tuple[int, int]:
        after = at(page)
        least = children_that_stay(after, operation, MOST_CHILDREN)
        return least, max(least, children_at_most(after, operation, MOST_CHILDREN)) if unsure else least

    def missing(page: int) -> Shortfall | None:
        after = at(page)
        return shortfall(after, operation, "min") or shortfall(after, operation, "high")

    verdicts = steps_of_monotone(passes, last)
    return Answers(
        operation=operation.id,
        low=0,
        high=last * now.page_kb + now.page_kb - 1,
        passes=_in_kb(verdicts, now.page_kb),
        headroom=_in_kb(_headroom(headroom, last, unsure=unsure), now.page_kb),
        shortfall=_in_kb(_shortfalls(missing, last, [page for page, _ in verdicts]), now.page_kb),
        exact=last <= EXACT_PAGES,
    )


def _headroom(counted: Callable[[int], tuple[int, int]], last: int, *, unsure: bool) -> Steps[tuple[int, int]]:
    """Return the children by value: they get fewer, so those at the ends of a cell bound what lies between."""
    if last <= EXACT_PAGES and not unsure:
        return steps_of_monotone(counted, last)
    known = cache(counted)
    return _merged((first, (known(end)[0], known(first)[1])) for first, end in _cells(last, HEADROOM_CELLS, (0,)))


def _shortfalls(missing: Callable[[int], Shortfall | None], last: int, edges: list[int]) -> Steps[Shortfall | None]:
    """Return the shortfall by value. Between two values with the same way it lies between theirs.

    ``edges``: where a verdict turns.
    """
    if last <= EXACT_PAGES:
        return steps_of_monotone(missing, last)

    def of(first: int, end: int) -> Shortfall | None:
        low, high = missing(first), missing(end)
        if low is None or high is None:
            return None
        same = (low.mark, low.block, low.way, low.zone) == (high.mark, high.block, high.way, high.zone)
        return replace(low, most=high.pages) if same else replace(low, pages=None, most=None)

    return _merged((first, of(first, end)) for first, end in _cells(last, CELLS, edges))


def _cells(last: int, count: int, edges: Iterable[int]) -> list[tuple[int, int]]:
    """Return the first and last page of each of about ``count`` cells; each of ``edges`` begins one."""
    stride = -(-(last + 1) // count)
    starts = sorted({*range(0, last + 1, stride), *edges})
    return list(zip(starts, [*(start - 1 for start in starts[1:]), last], strict=True))


def kept(snap: Snapshot, high: int) -> Steps[Kept]:
    """Return what every vm.min_free_kbytes from 0 to ``high`` keeps for interrupts, whatever the operation."""
    last, page_kb = high // snap.page_kb, snap.page_kb

    def pages(page: int) -> int:
        return atomic_pages(with_min_free_kbytes(snap, page * page_kb))

    cells = _cells(last, last + 1 if last <= EXACT_PAGES else CELLS, ())
    return _in_kb(_merged((first, Kept(pages(first), pages(end))) for first, end in cells), page_kb)


def spinning(snap: Snapshot, high: int) -> Steps[tuple[str, ...]]:
    """Return the zones in which kswapd can spin, for every vm.min_free_kbytes from 0 to ``high``: ever more of them."""
    page_kb = snap.page_kb
    found = steps_of_monotone(lambda page: spinning_zones(with_min_free_kbytes(snap, page * page_kb)), high // page_kb)
    return _in_kb(found, page_kb)


def shortfall(snap: Snapshot, operation: Operation, mark: Mark) -> Shortfall | None:
    """Return what the first block that no zone gives lacks, or None when the operation passes at ``mark``."""
    lists = lists_of(snap, mark)
    given: list[str] = []
    for block, order in enumerate(operation.orders):
        served = serve(lists, order, "smallest")
        if served is not None:
            given.append(served.zone.name)
            continue
        flags = snap.privileges(mark)
        checks = [(_check(snap, one, order, mark, flags), one.zone.name) for one in lists]
        # A zone that passes and gives nothing has no block of the size.
        pages, zone = min(((check.short or 1 << order, name) for check, name in checks), key=lambda short: short[0])
        way = tuple(given), tuple(check.failed_at for check, _ in checks)
        return Shortfall(mark=mark, block=block, zone=zone, pages=pages, most=pages, way=way)
    return None


def _check(snap: Snapshot, lists: FreeLists, order: int, mark: Mark, flags: Privileges) -> Check:
    return snap.family.attempt_check(
        lists.free,
        lists.blocks,
        order,
        lists.zone.mark(mark),
        lists.zone.reserve,
        flags=flags,
        kinds=lists.kinds,
        bits=snap.bits,
        smp=snap.smp,
    )


def steps_of_monotone(answer: Callable[[int], Answer], last: int) -> Steps[Answer]:
    """Return the steps of ``answer`` from 0 to ``last``; equal answers at two places must mean the same between them.

    >>> steps_of_monotone(lambda page: page // 4, 9)
    ((0, 0), (4, 1), (8, 2))
    """
    known = cache(answer)

    def between(first: int, end: int) -> Iterator[tuple[int, Answer]]:
        if known(first) == known(end):
            return
        if end - first == 1:
            yield end, known(end)
            return
        middle = (first + end) // 2
        yield from between(first, middle)
        yield from between(middle, end)

    return ((0, known(0)), *between(0, last))


def _merged(places: Iterable[tuple[int, Answer]]) -> Steps[Answer]:
    merged: list[tuple[int, Answer]] = []
    for page, one in places:
        if not merged or merged[-1][1] != one:
            merged.append((page, one))
    return tuple(merged)


def _in_kb(steps: Steps[Answer], page_kb: int) -> Steps[Answer]:
    return tuple((page * page_kb, one) for page, one in steps)
