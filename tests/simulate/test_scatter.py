"""Pages freed at unknown places: layouts hold what they must, no page is lost, and every draw lies within the bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oomadvisor.model import MARKS, Mark, Operation
from oomadvisor.simulate import Snapshot, ZoneSnapshot
from oomadvisor.simulate.blocks import Choice
from oomadvisor.simulate.headroom import children_that_stay
from oomadvisor.simulate.replay import operation_passes
from oomadvisor.simulate.scatter import Scatter, _merged, free_page_map, scatter
from tests.simulate.boxes import SLOW_PROPERTY, box, boxes, free_lists, operation, operations, seed, zone

DRAWS = 4


def merged_page_by_page(free: set[int], top: int) -> tuple[int, ...]:
    """Return the block counts of a set of free pages, by freeing them one after another as the kernel does."""
    lists: list[set[int]] = [set() for _ in range(top + 1)]
    for page in sorted(free):
        order = 0
        while order < top and page ^ (1 << order) in lists[order]:
            lists[order].remove(page ^ (1 << order))
            page &= ~(1 << order)
            order += 1
        lists[order].add(page)
    return tuple(len(blocks) for blocks in lists)


def pages_of(free: int) -> set[int]:
    return {page for page in range(free.bit_length()) if free >> page & 1}


def pages_from(zone: ZoneSnapshot, order: int) -> int:
    """Pages in blocks of ``order`` or larger."""
    return sum(count << o for o, count in enumerate(zone.blocks) if o >= order)


@SLOW_PROPERTY
@given(free_lists(max_pages=600), st.integers(0, 2**32))
def test_a_layout_holds_exactly_the_blocks_asked_for(drawn: tuple[tuple[int, ...], int], seed: int) -> None:
    """Dense lists included: half of the drawn ones fill every place that larger blocks have left."""
    blocks, present = drawn
    free = pages_of(free_page_map(blocks, present, str(seed)))
    assert merged_page_by_page(free, len(blocks) - 1) == blocks


@SLOW_PROPERTY
@given(st.sets(st.integers(0, 127)), st.integers(0, 5))
def test_merging_is_that_of_pages_freed_one_by_one(free: set[int], top: int) -> None:
    assert _merged(sum(1 << page for page in free), 127, top) == merged_page_by_page(free, top)


@pytest.mark.parametrize("draw", range(4))
def test_the_seed_s_lists_are_laid_out_exactly(draw: int) -> None:
    for part in seed().zones:
        free = free_page_map(part.blocks, part.present, f"{draw}")
        assert _merged(free, part.present, len(part.blocks) - 1) == part.blocks


@SLOW_PROPERTY
@given(boxes(max_pages=300), st.integers(1, 200), operations)
def test_no_page_is_lost(snap: Snapshot, pages: int, operation: Operation) -> None:
    freed = min(pages, sum(zone.present - zone.listed for zone in snap.zones))
    before = sum(zone.free for zone in snap.zones)
    spread = scatter(snap, pages, operation.orders, draws=DRAWS)
    for draw in spread.draws:
        assert sum(zone.free for zone in draw.zones) == sum(zone.listed for zone in draw.zones) == before + freed
        assert all(zone.listed <= zone.present for zone in draw.zones)
    for worst in spread.worst:
        # Where the zones might fail together in another split, no freed page is counted on at all.
        assert worst == snap or sum(zone.free for zone in worst.zones) == before + freed
        assert all(zone.listed <= zone.present for zone in worst.zones)


@SLOW_PROPERTY
@given(boxes(max_pages=300), st.integers(1, 200), operations)
def test_the_best_case_frees_the_pages_in_each_zone_and_no_more(
    snap: Snapshot, pages: int, operation: Operation
) -> None:
    best = scatter(snap, pages, operation.orders, draws=0).best
    for before, after in zip(snap.zones, best.zones, strict=True):
        assert after.free == before.free + min(pages, before.present - before.listed)
        assert all(count >= 0 for count in after.blocks)


@SLOW_PROPERTY
@given(boxes(max_pages=300), st.integers(1, 200), operations)
def test_every_draw_lies_between_worst_and_best(snap: Snapshot, pages: int, operation: Operation) -> None:
    """Zone by zone, in pages of blocks of each order that is asked about: what every comparison of the test looks at."""
    spread = scatter(snap, pages, operation.orders, draws=DRAWS)
    for draw in spread.draws:
        for at, drawn in enumerate(draw.zones):
            for asked in range(1, max(operation.orders) + 1):
                worst = min(pages_from(case.zones[at], asked) for case in spread.worst)
                assert worst <= pages_from(drawn, asked) <= pages_from(spread.best.zones[at], asked)
            assert drawn.free <= spread.best.zones[at].free


@SLOW_PROPERTY
@given(boxes(max_pages=300), st.integers(1, 100), operations, st.sampled_from(MARKS))
def test_outcomes_of_draws_lie_within_the_bounds(snap: Snapshot, pages: int, operation: Operation, mark: Mark) -> None:
    spread = scatter(snap, pages, operation.orders, draws=DRAWS)
    best, worst = passes(spread, operation, mark)
    for draw in spread.draws:
        drawn = operation_passes(draw, operation.orders, mark)
        assert worst <= drawn <= best


@SLOW_PROPERTY
@given(boxes(max_pages=60), st.integers(1, 30), operations, st.sampled_from(MARKS))
def test_no_split_between_zones_is_worse_than_the_worst(
    snap: Snapshot, pages: int, operation: Operation, mark: Mark
) -> None:
    """Every way to share the pages, as singles, tried one after another; and the worst is one of them or none helps."""
    _, worst = passes(scatter(snap, pages, operation.orders, draws=0), operation, mark)
    splits = [operation_passes(split, operation.orders, mark) for split in every_split(snap, pages)]
    assert worst <= all(splits)


@SLOW_PROPERTY
@given(boxes(max_pages=60), st.integers(1, 30), st.sampled_from(MARKS))
def test_for_a_single_page_the_worst_is_exactly_the_worst_split(snap: Snapshot, pages: int, mark: Mark) -> None:
    wanted = operation(0)
    _, worst = passes(scatter(snap, pages, wanted.orders, draws=0), wanted, mark)
    assert worst == all(operation_passes(split, wanted.orders, mark) for split in every_split(snap, pages))


@SLOW_PROPERTY
@given(boxes(max_pages=300), st.integers(1, 200), st.sampled_from(MARKS), st.sampled_from(("smallest", "largest")))
def test_for_a_single_page_a_layout_answers_as_single_pages_do(
    snap: Snapshot, pages: int, mark: Mark, choice: Choice
) -> None:
    laid_out = scatter(snap, pages, (1,), draws=DRAWS).draws
    counted = scatter(snap, pages, (0,), draws=DRAWS).draws
    assert len(counted) == DRAWS
    for layout, singles in zip(laid_out, counted, strict=True):
        assert [z.free for z in layout.zones] == [z.free for z in singles.zones]
        answers = [operation_passes(one, (0,), mark, choice) for one in (layout, singles)]
        assert answers[0] == answers[1]
        assert children_that_stay(layout, operation(0)) == children_that_stay(singles, operation(0))


def test_a_split_between_zones_can_be_worse_than_all_in_one() -> None:
    """Both zones lack 7 pages. 12 freed pages cure the zone that gets them all, 6 and 6 cure none; 13 cure in any case."""
    snap = box(*(zone((14,), marks=(20, 20, 20), index=index, present=100) for index in (0, 1)))
    for pages, sure in ((12, False), (13, True)):
        best, worst = passes(scatter(snap, pages, (0,), draws=0), operation(0), "min")
        assert (best, worst) == (True, sure)


def test_a_full_zone_gets_no_page() -> None:
    snap = box(zone((14,), marks=(20, 20, 20), present=14))
    spread = scatter(snap, 100, (0,), draws=1)
    assert spread.best == snap
    assert spread.worst == (snap,)
    assert spread.draws == (snap,)


def test_what_four_freed_pages_can_complete() -> None:
    """Three singles and a pair are free. At best the 4 + 3 + 2 pages make two blocks of 4, and one is left over."""
    best = scatter(box(zone((3, 1, 0), present=100)), 4, (2,), draws=0).best
    assert best.zones[0].blocks == (1, 0, 2)


def every_split(snap: Snapshot, pages: int) -> list[Snapshot]:
    """Return the box after each way to share so many single pages between its one or two zones."""
    room = [zone.present - zone.listed for zone in snap.zones]
    freed = min(pages, sum(room))
    splits = []
    for first in range(min(freed, room[0]) + 1):
        shares = [first, freed - first][: len(room)]
        if sum(shares) == freed and all(share <= most for share, most in zip(shares, room, strict=True)):
            splits.append(
                snap.with_zones(
                    tuple(
                        zone.with_blocks((zone.blocks[0] + share, *zone.blocks[1:]))
                        for zone, share in zip(snap.zones, shares, strict=True)
                    )
                )
            )
    return splits


def passes(spread: Scatter, operation: Operation, mark: Mark) -> tuple[bool, bool]:
    """Return whether the operation passes in the best case, and in every worst case."""
    best = operation_passes(spread.best, operation.orders, mark)
    return best, all(operation_passes(case, operation.orders, mark) for case in spread.worst)
