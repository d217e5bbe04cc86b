"""Which family answers for which kernel."""

from collections import Counter

import pytest

from oomadvisor.kernel.gfp import Alloc, TaskContext
from oomadvisor.kernel.series import FIRST, LAST, OLDEST, ROWS, UNSURE, functions_for, possible_families


@pytest.mark.parametrize(
    ("version", "reserve_blocks", "executable_pages", "restart_recomputes", "memcg_info_of"),
    [
        ((2, 6, 31), None, "not anonymous", False, "current"),
        ((2, 6, 31, 1), None, "not anonymous", False, "current"),
        ((2, 6, 31, 2), 2, "not anonymous", False, "current"),
        ((2, 6, 31, 5), 2, "not anonymous", False, "current"),
        ((2, 6, 31, 6), 2, "on a file list", False, "current"),
        ((2, 6, 31, 7), 2, "on a file list", True, "current"),
        ((2, 6, 31, 10), 2, "on a file list", True, "victim"),
        ((2, 6, 31, 14), 2, "on a file list", True, "victim"),
    ],
)
def test_stable_releases(
    version: tuple[int, ...],
    reserve_blocks: int | None,
    executable_pages: str,
    restart_recomputes: bool,
    memcg_info_of: str,
) -> None:
    family = functions_for(version)
    assert family is not None
    assert family.path is not None
    assert family.buddy is not None
    assert family.buddy.max_reserve_blocks == reserve_blocks
    assert family.executable_pages == executable_pages
    assert family.path.restart_recomputes is restart_recomputes
    assert family.memcg_info_of == memcg_info_of
    interrupted = family.slow_alloc_flags(0xD0, TaskContext(rt=True, in_interrupt=True))
    assert bool(interrupted & Alloc.HARDER) is not restart_recomputes


@pytest.mark.parametrize("version", [(), (2, 6), (3,), (2, 4, 37), (2, 6, 11, 12), (6, 19), (7, 0, 1), (10, 2)])
def test_what_was_not_read_has_no_family(version: tuple[int, ...]) -> None:
    assert functions_for(version) is None
    assert possible_families(version) == ()


@pytest.mark.parametrize(
    ("version", "letter", "measured"),
    [
        ((2, 6, 12), "A", False),
        ((2, 6, 30, 9), "A", False),
        ((2, 6, 31, 14), "A", True),
        ((2, 6, 32, 71), "A", False),
        ((2, 6, 37, 6), "A", False),
        ((2, 6, 38), "B", False),
        ((3, 2, 102), "B", False),
        ((3, 3), "C", False),
        ((3, 5, 7), "C", False),
        ((3, 6, 11), "D", False),
        ((3, 7), "E", False),
        ((3, 9, 11), "E", False),
        ((3, 10, 108), "F", False),
        ((4, 3, 6), "F", False),
        ((4, 4, 302), "G", False),
        ((4, 13, 16), "G", False),
        ((4, 14, 336), "H", False),
        ((6, 2, 16), "H", False),
        ((6, 3), "I", False),
        ((6, 11, 11), "I", False),
        ((6, 12, 50), "J", False),
        ((6, 18, 2), "J", False),
    ],
)
def test_between_the_series_that_were_measured(version: tuple[int, ...], letter: str, measured: bool) -> None:
    family = functions_for(version)
    assert family is not None
    assert family.test.letter == letter
    assert family.measured is measured


@pytest.mark.parametrize(
    ("version", "any_list"),
    [
        ((4, 4), {False, True}),
        ((4, 4, 120), {False, True}),
        ((4, 4, 121), {False}),
        ((4, 4, 302), {False}),
        ((4, 8, 17), {True}),
        ((4, 9, 80), {False}),
        ((4, 12, 14), {True}),
        ((4, 14, 100), {False, True}),
        ((4, 15), {False}),
    ],
)
def test_a_fix_that_stable_releases_took_over(version: tuple[int, ...], any_list: set[bool]) -> None:
    assert {family.test.any_list for family in possible_families(version)} == any_list


@pytest.mark.parametrize(
    ("oldest", "newest", "letters"),
    [
        ((2, 6, 21), (2, 6, 24), "A"),
        ((2, 6, 32), (2, 6, 35), "A"),
        ((2, 6, 36), (3, 5), "ABC"),
        ((3, 2, 0), (3, 2, 0), "B"),
        ((3, 2, 50), (3, 2, 50), "BC"),
        ((3, 0), (3, 2), "BC"),
        ((6, 10), (6, 11), "IJ"),
        ((6, 14), (6, 19), "J"),
        ((2, 6, 5), (2, 6, 12), "A"),
        (FIRST, LAST, "ABCDEFGHIJ"),
        ((6, 19), (7, 0), ""),
    ],
)
def test_a_stretch_of_versions(oldest: tuple[int, ...], newest: tuple[int, ...], letters: str) -> None:
    found = possible_families(oldest, newest)
    assert "".join(sorted({family.test.letter for family in found})) == letters
    assert len(set(found)) == len(found)


def test_every_row_changes_something() -> None:
    """A row that changes nothing would be a mistake in its version, its branch or its switches."""
    mainline, branches = OLDEST, {}
    for row in ROWS:
        before = mainline if row.branch is None else branches.get(row.branch, mainline)
        after = row.difference(before)
        assert after != before, row.version
        if row.branch is None:
            mainline = after
        else:
            assert row.version[: len(row.branch)] == row.branch
            branches[row.branch] = after
    assert [row.version for row in ROWS] == sorted(row.version for row in ROWS)


def test_every_doubt_is_about_something() -> None:
    for doubt in UNSURE:
        assert doubt.version < doubt.before
        base = functions_for(doubt.version)
        assert base is not None
        assert doubt.difference(base) != base, doubt


def test_equal_families_are_one() -> None:
    """2.6.14 brought a gfp bit; nothing came between 4.1 and 4.3."""
    assert functions_for((4, 1)) == functions_for((4, 3, 6))
    assert hash(functions_for((4, 1))) == hash(functions_for((4, 3, 6)))
    assert functions_for((2, 6, 13)) != functions_for((2, 6, 14))
    counted = Counter(functions_for((4, minor)) for minor in range(21))
    assert sum(counted.values()) == 21
    assert len(counted) > 10
