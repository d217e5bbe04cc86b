"""Reclaim: how many pages a pass looks at, which of them go, and in what order."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oomadvisor.kernel import reclaim
from oomadvisor.kernel.gfp import MigrateType
from oomadvisor.kernel.reclaim import LruCounts, ReclaimStat
from oomadvisor.longrun.filepages import File, FilePages
from oomadvisor.longrun.livezone import LiveZone, zones_with
from oomadvisor.longrun.shrink import Shrinker
from tests.longrun.boxes import PROPERTY, box

BOX = box((4096, 0, 0), max_order=8)


def full_zone() -> tuple[LiveZone, FilePages, list[int], Shrinker]:
    """Return a zone without a free page, its file pages, and what reclaim gives back."""
    zones = zones_with(BOX, [[], [], []], [[MigrateType.MOVABLE] * 32, [], []])
    files, freed = FilePages(zones), list[int]()
    return zones[0], files, freed, Shrinker(files, freed.append)


def fill(zone: LiveZone, files: FilePages, inactive: int, active: int, **how: bool) -> File:
    file = File(inactive + active, executable=how.get("text", False))
    file.mappings = how.get("mapped", False)
    for index in range(inactive + active):
        files.add(file, index, zone.start + index)
    files.referenced.clear()
    for pfn in range(zone.start, zone.start + active):
        del zone.inactive[pfn]
        zone.active[pfn] = None
    return file


@PROPERTY
@given(
    inactive=st.integers(0, 3000),
    active=st.integers(0, 1000),
    saved=st.tuples(st.integers(0, 31), st.integers(0, 31)),
    priority=st.integers(0, 12),
)
def test_a_pass_looks_at_as_many_pages_as_the_kernels(
    inactive: int, active: int, saved: tuple[int, int], priority: int
) -> None:
    zone, files, freed, shrinker = full_zone()
    fill(zone, files, inactive, active)
    files.dirty.update(range(zone.start, zone.start + inactive + active))
    files.referenced.update(files.dirty)  # so that the first look at a page reclaims nothing, as the other one assumes
    zone.saved = saved
    expected = reclaim.shrink_zone(
        LruCounts(0, 0, inactive, active),
        LruCounts(0, 0, *saved),
        ReclaimStat((0, 0), (0, 0)),
        priority=priority,
        nr_swap_pages=0,
        swappiness=60,
        zone_free=0,
        high_wmark=0,
        inactive_ratio=1,
    )
    done = shrinker.shrink_zone(zone, 0, priority, kswapd=True)
    assert zone.saved == (expected.saved.inactive_file, expected.saved.active_file)
    asked = sum(call.pages for call in expected.calls)
    assert done.scanned <= asked
    if inactive >= 2 * asked and active >= 2 * asked:
        assert done.scanned == asked
        assert not freed
    assert zone.file_pages + len(freed) == inactive + active


Preparation = Callable[[File, FilePages], None]


def clean(_file: File, _files: FilePages) -> None:
    pass


def dirty(file: File, files: FilePages) -> None:
    files.dirty.update(file.pages.values())


def read_twice(file: File, files: FilePages) -> None:
    for pfn in list(file.pages.values()) * 2:
        files.mark_page_accessed(pfn)


def mapped_and_used(file: File, files: FilePages) -> None:
    file.mappings = 1
    files.referenced.update(file.pages.values())


def used_but_not_mapped(_file: File, files: FilePages) -> None:
    files.referenced.update(files.place)


@pytest.mark.parametrize(
    ("prepare", "freed_pages", "active_pages"),
    [
        pytest.param(clean, 64, 0, id="clean pages go"),
        pytest.param(dirty, 0, 0, id="dirty pages are written first"),
        pytest.param(read_twice, 0, 64, id="what was read again is not on the inactive list"),
        pytest.param(mapped_and_used, 0, 64, id="text in use becomes active"),
        pytest.param(used_but_not_mapped, 64, 0, id="a page that was read once goes"),
    ],
)
def test_what_goes_first(prepare: Preparation, freed_pages: int, active_pages: int) -> None:
    zone, files, freed, shrinker = full_zone()
    file = fill(zone, files, 64, 0)
    prepare(file, files)
    was_active = len(zone.active)
    done = shrinker._shrink_inactive_list(zone, 64, 0, 12)
    assert done.reclaimed == len(freed) == freed_pages
    assert len(zone.active) == active_pages >= was_active
    assert len(file.pages) == 64 - freed_pages


def test_a_page_that_was_written_goes_the_next_time() -> None:
    zone, files, freed, shrinker = full_zone()
    dirty(fill(zone, files, 64, 0), files)
    for expected in (0, 64):
        shrinker._shrink_inactive_list(zone, 64, 0, 12)
        assert len(freed) == expected


def test_the_oldest_go_first() -> None:
    zone, files, freed, shrinker = full_zone()
    fill(zone, files, 100, 0)
    shrinker._shrink_inactive_list(zone, 32, 0, 12)
    assert freed == list(range(32))


@pytest.mark.parametrize(
    ("order", "priority", "freed_pages"),
    [(2, 12, [5]), (2, 10, [5]), (2, 9, [4, 5, 6, 7]), (1, 9, [4, 5]), (0, 0, [5])],
)
def test_lumpy_reclaim_takes_the_neighbours_of_the_block(order: int, priority: int, freed_pages: list[int]) -> None:
    zone, files, freed, shrinker = full_zone()
    fill(zone, files, 12, 0)
    zone.inactive.move_to_end(5, last=False)
    shrinker._shrink_inactive_list(zone, 1, order, priority)
    assert sorted(freed) == freed_pages


@pytest.mark.parametrize(("text", "stay"), [(True, 40), (False, 0)])
def test_only_text_that_ran_lately_gets_another_round(text: bool, stay: int) -> None:
    zone, files, _freed, shrinker = full_zone()
    file = fill(zone, files, 0, 100, text=text, mapped=True)
    files.referenced.update(list(file.pages.values())[:40])
    shrinker._shrink_active_list(zone, 100)
    assert len(zone.active) == stay
    assert len(zone.inactive) == 100 - stay
