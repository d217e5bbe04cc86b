"""Buddy lists: no page is lost or doubled, buddies merge, RESERVE comes last."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oomadvisor.kernel.buddy import LINUX_2_6_31_2, BuddyRules, BuddyZone, mobility_disabled
from oomadvisor.kernel.gfp import MigrateType
from oomadvisor.kernel.pcplist import PerCpuList

PROPERTY = settings(deadline=None, derandomize=True, max_examples=100)

UNMOVABLE, RECLAIMABLE, MOVABLE, RESERVE = list(MigrateType)[:4]
KERNEL, HIGHUSER_MOVABLE, TEMPORARY, COLD = 0xD0, 0x200DA, 0x800D0, 0x100


def fresh_zone(
    *,
    max_order: int = 6,
    pageblock_order: int = 4,
    blocks: int = 4,
    types: list[int] | None = None,
    rules: BuddyRules = LINUX_2_6_31_2,
) -> BuddyZone:
    """Return a zone of free blocks of the largest order, all Movable unless ``types`` says otherwise."""
    largest = max_order - 1
    pageblocks = types or [MOVABLE] * (blocks << (largest - pageblock_order))
    lists: dict[int, list[int]] = {}
    for pfn in range(0, blocks << largest, 1 << largest):
        lists.setdefault(pageblocks[pfn >> pageblock_order], []).append(pfn)
    return BuddyZone(
        max_order=max_order,
        pageblock_order=pageblock_order,
        zone_start_pfn=0,
        spanned_pages=blocks << largest,
        free_lists=[(largest, migratetype, pfns) for migratetype, pfns in lists.items()],
        pageblock_types=pageblocks,
        rules=rules,
    )


def free_pages(zone: BuddyZone) -> set[int]:
    """Return every free page, and check on the way that blocks are aligned, disjoint and merged."""
    blocks = [(pfn, listed.order) for listed in zone.free_lists for pfn in listed.pfns]
    assert all(pfn % (1 << order) == 0 for pfn, order in blocks)
    assert not [1 for pfn, order in blocks if order < zone.max_order - 1 and (pfn ^ (1 << order), order) in blocks]
    pages = [page for pfn, order in blocks for page in range(pfn, pfn + (1 << order))]
    assert len(pages) == len(set(pages)) == zone.nr_free_pages
    return set(pages)


Operations = st.lists(
    st.one_of(
        st.tuples(st.just("alloc"), st.integers(0, 5), st.sampled_from((UNMOVABLE, RECLAIMABLE, MOVABLE))),
        st.tuples(st.just("free"), st.integers(0, 1000), st.just(0)),
    ),
    max_size=60,
)


@PROPERTY
@given(Operations)
def test_pages_are_conserved(operations: list[tuple[str, int, int]]) -> None:
    zone = fresh_zone()
    everything = free_pages(zone)
    held: list[tuple[int, int]] = []
    for kind, number, migratetype in operations:
        before = free_pages(zone)
        if kind == "alloc":
            pfn = zone.alloc(number, migratetype)
            if pfn is None:
                assert not any(zone.nr_free[number:])
                assert free_pages(zone) == before
            else:
                taken = set(range(pfn, pfn + (1 << number)))
                assert taken <= before
                assert free_pages(zone) == before - taken
                held.append((pfn, number))
        elif held:
            pfn, order = held.pop(number % len(held))
            zone.free(pfn, order)
            assert free_pages(zone) == before | set(range(pfn, pfn + (1 << order)))
    for pfn, order in held:
        zone.free(pfn, order)
    assert free_pages(zone) == everything
    assert zone.nr_free == [0] * 5 + [4]


@PROPERTY
@given(
    st.lists(
        st.one_of(
            st.sampled_from((KERNEL, TEMPORARY, HIGHUSER_MOVABLE, HIGHUSER_MOVABLE | COLD)).map(lambda g: ("alloc", g)),
            st.integers(0, 1000).map(lambda n: ("free", n)),
            st.just(("drain", 0)),
        ),
        max_size=80,
    ),
    st.sampled_from((1, 3, 7)),
)
def test_pages_are_conserved_behind_a_per_cpu_list(operations: list[tuple[str, int]], batch: int) -> None:
    zone = fresh_zone()
    listed = PerCpuList(zone, high=6 * batch, batch=batch)
    everything = free_pages(zone)
    held: set[int] = set()
    for kind, number in operations:
        if kind == "alloc":
            pfn = listed.alloc(number)
            if pfn is None:
                assert held == everything
            else:
                assert pfn not in held
                held.add(pfn)
        elif kind == "free" and held:
            pfn = sorted(held)[number % len(held)]
            held.remove(pfn)
            listed.free(pfn, cold=bool(number % 2))
            assert len(listed.pages) < 6 * batch + batch
        elif kind == "drain":
            listed.drain()
            assert not listed.pages
        on_list = {page.pfn for page in listed.pages}
        assert len(on_list) == len(listed.pages)
        assert free_pages(zone) | on_list | held == everything
        assert len(free_pages(zone)) + len(on_list) + len(held) == len(everything)


def test_an_allocation_splits_from_below() -> None:
    zone = fresh_zone(max_order=4, pageblock_order=3, blocks=1)
    assert zone.alloc(0, MOVABLE) == 0
    assert [(listed.order, listed.pfns) for listed in zone.free_lists] == [(0, (1,)), (1, (2,)), (2, (4,))]


def test_reserve_is_handed_out_last_and_goes_back_to_its_list() -> None:
    zone = fresh_zone(max_order=5, pageblock_order=4, blocks=2, types=[RESERVE, MOVABLE])
    taken = [zone.alloc(4, UNMOVABLE), zone.alloc(4, UNMOVABLE), zone.alloc(0, UNMOVABLE)]
    assert taken == [16, 0, None]
    assert zone.pageblock_types == [RESERVE, UNMOVABLE]
    zone.free(0, 4)
    assert [(listed.migratetype, listed.pfns) for listed in zone.free_lists] == [(RESERVE, (0,))]


def test_a_small_steal_leaves_the_rest_of_the_pageblock_alone() -> None:
    """Order 1 is below half of pageblock order 4: only the block itself is taken, its other half stays Movable."""
    zone = BuddyZone(
        max_order=6,
        pageblock_order=4,
        zone_start_pfn=0,
        spanned_pages=32,
        free_lists=[(1, MOVABLE, (2, 8))],
        pageblock_types=[MOVABLE, MOVABLE],
    )
    assert zone.alloc(0, UNMOVABLE) == 2
    assert [(f.order, f.migratetype, f.pfns) for f in zone.free_lists] == [(0, MOVABLE, (3,)), (1, MOVABLE, (8,))]
    assert zone.alloc(0, RECLAIMABLE) == 8  # a reclaimable request moves what is free in the pageblock
    assert [(f.order, f.migratetype, f.pfns) for f in zone.free_lists] == [(0, RECLAIMABLE, (9, 3))]
    assert zone.pageblock_types == [MOVABLE, MOVABLE]


@pytest.mark.parametrize(
    ("min_wmark_pages", "max_blocks", "types"),
    [
        (0, 2, "2022"),
        (1, 2, "3022"),
        (16, 2, "3022"),
        (17, 2, "3032"),
        (100, 2, "3032"),
        (100, None, "3033"),
    ],
)
def test_number_of_reserve_blocks(min_wmark_pages: int, max_blocks: int | None, types: str) -> None:
    rules = BuddyRules(max_reserve_blocks=max_blocks)
    zone = fresh_zone(max_order=5, pageblock_order=4, types=[RESERVE, UNMOVABLE, MOVABLE, MOVABLE], rules=rules)
    before = free_pages(zone)
    zone.setup_migrate_reserve(min_wmark_pages)
    assert "".join(str(int(kind)) for kind in zone.pageblock_types) == types
    assert free_pages(zone) == before
    on_lists = {pfn: listed.migratetype for listed in zone.free_lists for pfn in listed.pfns}
    assert on_lists == {block * 16: int(kind) for block, kind in enumerate(types)}


@pytest.mark.parametrize(("max_order", "megabytes"), [(11, 20), (13, 80)])
def test_grouping_needs_five_pageblocks(max_order: int, megabytes: int) -> None:
    assert mobility_disabled(megabytes * 256 - 1, max_order - 1)
    assert not mobility_disabled(megabytes * 256, max_order - 1)
