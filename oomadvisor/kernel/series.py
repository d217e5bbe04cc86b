"""Which arithmetic stands for which kernel, from 2.6.12 to 6.18: each version is the one before it and a difference.

Sources: the kernel release of each row, and for releases up to 2.6.38 the commit. Where a stable release took a change
over from a later one, the row names its branch. Where it is not known which stable release did, or in which of two
releases a change came, the stretch is UNSURE: a kernel in it may or may not have the change.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any, NamedTuple

from oomadvisor.kernel import gfp, marks, oom, percpu, reserve, watermark
from oomadvisor.kernel.buddy import FALLBACKS, MAX_RESERVE_BLOCKS, BuddyRules
from oomadvisor.kernel.family import Family, KillRules, PathRules
from oomadvisor.kernel.gfp_bits import SINCE as GFP_SINCE

__all__ = ["FIRST", "LAST", "Family", "functions_for", "possible_families"]

Version = tuple[int, ...]
Difference = Callable[[Family], Family]

FIRST: Version = (2, 6, 12)
LAST: Version = (6, 18)
"""The oldest and the newest series that were read."""


def _form(letter: str, **switches: Any) -> Difference:
    """Change to another form of the watermark test, keeping what a form does not settle."""

    def changed(family: Family) -> Family:
        old = family.test
        form = replace(watermark.FORMS[letter], clamps=old.clamps, order0=old.order0, unboosted=old.unboosted)
        return replace(family, test=replace(form, **switches))

    return changed


def _test(**switches: Any) -> Difference:
    return lambda family: replace(family, test=replace(family.test, **switches))


def _marks(**switches: Any) -> Difference:
    return lambda family: replace(family, marks=replace(family.marks, **switches))


def _reserve(**switches: Any) -> Difference:
    return lambda family: replace(family, reserve=replace(family.reserve, **switches))


def _batch(chunk_kb: int, *, halved: bool = True) -> Difference:
    return lambda family: replace(family, batch=percpu.BatchRules(chunk_kb, halved))


def _slow(**switches: Any) -> Difference:
    return lambda family: replace(family, slow=family.slow._replace(**switches))


def _victim(**switches: Any) -> Difference:
    return lambda family: replace(family, victim=replace(family.victim, **switches))


def _kills(**switches: Any) -> Difference:
    return lambda family: replace(family, kills=family.kills._replace(**switches))


def _path(**switches: Any) -> Difference:
    return lambda family: replace(family, **switches)


class Since(NamedTuple):
    """A difference and the version that brought it. ``branch``: only its stable releases have it by this row."""

    version: Version
    difference: Difference
    branch: Version | None = None


class Unsure(NamedTuple):
    """A difference that kernels from ``version`` up to, not including, ``before`` may or may not have."""

    version: Version
    before: Version
    difference: Difference


OLDEST = Family(
    name="2.6.12",
    test=replace(watermark.FORMS["A"], clamps=False),
    marks=marks.MarkRules(gaps="of MIN", narrow_product=True),
    reserve=reserve.ReserveRules(),
    batch=None,
    gfp_since=FIRST,
    zone_table=False,
    slow=gfp.SlowRules(),
    victim=oom.BadnessRules(),
    kills=KillRules(costly=True),
)

BEFORE_2_6_31_7 = PathRules(restart_recomputes=False, rt_counts_in_interrupt=True)

ROWS: tuple[Since, ...] = (
    Since((2, 6, 13), _batch(256, halved=False)),
    Since((2, 6, 15), _marks(gaps="of the share")),
    Since((2, 6, 15), _batch(512)),
    Since((2, 6, 17), _marks(narrow_product=False)),
    Since((2, 6, 21), _test(clamps=True)),
    Since((2, 6, 23), _kills(costly=False)),  # a8bbf72ab9b, 2.6.23-rc2
    Since((2, 6, 31), _path(zone_table=True)),
    Since(
        (2, 6, 31),
        _path(
            path=BEFORE_2_6_31_7,
            buddy=BuddyRules(FALLBACKS, None),
            executable_pages="not anonymous",
            memcg_info_of="current",
        ),
    ),
    Since((2, 6, 31, 2), _path(buddy=BuddyRules(FALLBACKS, MAX_RESERVE_BLOCKS)), (2, 6, 31)),
    Since((2, 6, 31, 6), _path(executable_pages="on a file list"), (2, 6, 31)),
    Since((2, 6, 31, 7), _path(path=PathRules()), (2, 6, 31)),
    Since((2, 6, 31, 10), _path(memcg_info_of="victim"), (2, 6, 31)),
    Since((2, 6, 32), _path(path=None, buddy=None, executable_pages=None, memcg_info_of=None)),
    Since((2, 6, 35), _kills(compacts="orders above 3")),
    Since((2, 6, 36), _victim(by="permille", sacrifices_child="highest")),  # a63d83f427f, 2.6.36-rc1
    Since((2, 6, 38), _form("B")),  # 88f5acf88ae, 2.6.38-rc1
    Since((2, 6, 38), _slow(harder="not nomemalloc")),
    Since((2, 6, 38), _kills(compacts="yes")),
    Since((2, 6, 39), _victim(product="int", tables="ptes")),
    Since((3, 2), _victim(product="long")),
    Since((3, 3), _form("C")),
    Since((3, 4, 113), _slow(harder="not no_kswapd"), (3, 4)),
    Since((3, 5), _victim(by="pages")),
    Since((3, 6), _form("D")),
    Since((3, 7), _form("E")),
    Since((3, 7), _slow(cma=True)),
    Since((3, 9), _marks(pages="managed")),
    Since((3, 10), _form("F")),
    Since((3, 10, 105), _slow(harder="not no_kswapd"), (3, 10)),
    Since((3, 10, 105), _victim(admin="3 percent"), (3, 10)),
    Since((3, 12, 24), _victim(admin="3 percent"), (3, 12)),
    Since((3, 13, 10), _victim(admin="3 percent"), (3, 13)),
    Since((3, 14), _victim(admin="3 percent")),
    Since((3, 16), _slow(harder="not no_kswapd")),
    Since((4, 0), _victim(tables="ptes and pmds")),
    Since((4, 4), _form("G")),
    Since((4, 4), _slow(harder="atomic bit")),
    Since((4, 4, 121), _test(any_list=False), (4, 4)),
    Since((4, 6), _marks(gaps="scale factor")),
    Since((4, 7), _test(order0="no cma")),
    Since((4, 7), _victim(skips_reaped=True)),
    Since((4, 7), _kills(rounds=16)),
    Since((4, 8), _victim(skips_vfork=True)),
    Since((4, 9, 80), _test(any_list=False), (4, 9)),
    Since((4, 13), _kills(never=("__GFP_NORETRY", "__GFP_RETRY_MAYFAIL"))),
    Since((4, 14), _form("H", any_list=True)),
    Since((4, 14, 177), _test(any_list=False), (4, 14)),
    Since((4, 15), _test(any_list=False)),
    Since((4, 15), _victim(tables="bytes")),
    Since((4, 17), _victim(admin="nothing")),
    Since((4, 17), _reserve(below_1="0")),
    Since((4, 19), _batch(1024)),
    Since((5, 0), _marks(boost=True)),
    Since((5, 1), _victim(sacrifices_child="none")),
    Since((5, 4, 59), _marks(boost_spares_small=True), (5, 4)),
    Since((5, 7), _marks(default_cap=262144, boost_spares_small=True)),
    Since((5, 8), _reserve(empty_zone="left out")),
    Since((5, 9), _test(order0="no reserve, wraps", unboosted=True)),
    Since((5, 9), _victim(signed=True)),
    Since((5, 11), _reserve(empty_zone="none")),
    Since((5, 15, 85), _test(order0="no reserve"), (5, 15)),
    Since((5, 19), _test(order0="no reserve")),
    Since((6, 3), _form("I")),
    Since((6, 3), _slow(harder="non block", realtime="high", highatomic="non block")),
    Since((6, 5), _test(unaccepted=True)),
    Since((6, 6), _marks(movable_as_highmem=True)),
    Since((6, 8), _marks(narrow_divisor=False)),
    Since((6, 12), _form("J")),
    Since((6, 12), _reserve(empty_above=True)),
    Since((6, 13), _reserve(empty_above=False)),
    Since((6, 18), _slow(highatomic="min reserve")),
)

UNSURE: tuple[Unsure, ...] = (
    Unsure((3, 2, 1), (3, 3), _form("C")),
    Unsure((3, 4), (3, 4, 113), _slow(harder="not no_kswapd")),
    Unsure((3, 10), (3, 10, 105), _slow(harder="not no_kswapd")),
    Unsure((3, 10), (3, 10, 105), _victim(admin="3 percent")),
    Unsure((3, 11, 1), (3, 12, 24), _victim(admin="3 percent")),
    Unsure((3, 13), (3, 13, 10), _victim(admin="3 percent")),
    Unsure((3, 15), (3, 16), _slow(harder="not no_kswapd")),
    Unsure((4, 4), (4, 4, 121), _test(any_list=False)),
    Unsure((4, 9), (4, 9, 80), _test(any_list=False)),
    Unsure((4, 14), (4, 14, 177), _test(any_list=False)),
    Unsure((5, 4), (5, 4, 59), _marks(boost_spares_small=True)),
    Unsure((5, 10, 45), (5, 11), _test(order0="no reserve")),
    Unsure((5, 15, 17), (5, 15, 85), _test(order0="no reserve")),
    Unsure((5, 17, 1), (5, 19), _test(order0="no reserve")),
    Unsure((6, 10), (6, 12), _form("J")),
    Unsure((6, 10), (6, 12), _reserve(empty_above=True)),
    Unsure((6, 12, 1), (6, 13), _reserve(empty_above=False)),
    Unsure((6, 13), (6, 13, 7), _reserve(empty_above=True)),
    Unsure((6, 15), (6, 18), _slow(highatomic="min reserve")),
)


@cache
def functions_for(version: Version) -> Family | None:
    """Return the family of a kernel such as (2, 6, 31, 12); None when it is older or newer than all that were read.

    (2, 6, 31) alone is the first release, whose rules Lab126's 2.6.31-rt11 has kept. Of what is unsure the older rule
    is taken: :func:`possible_families` returns all.

    >>> functions_for((2, 6, 31, 12)).name, functions_for((4, 19, 78)).test.letter
    ('2.6.31.10', 'H')
    >>> functions_for((7, 0)) is None
    True
    """
    if len(version) < 2 or version < FIRST or version[: len(LAST)] > LAST:
        return None
    family = OLDEST
    for row in ROWS:
        if row.version > version or (row.branch is not None and version[: len(row.branch)] != row.branch):
            continue
        changed = row.difference(family)
        if changed != family:
            family = replace(changed, name=".".join(map(str, row.version)))
    return replace(family, gfp_since=max(since for since, _ in GFP_SINCE if since <= version))


@cache
def possible_families(oldest: Version, newest: Version | None = None) -> tuple[Family, ...]:
    """Return every family that a kernel from ``oldest`` to ``newest`` can have, each once, oldest first.

    ``newest`` None: the one version ``oldest``; else it includes its stable releases. Empty when nothing in the stretch
    was read.

    >>> sorted({family.test.letter for family in possible_families((2, 6, 36), (3, 5))})
    ['A', 'B', 'C']
    >>> [family.test.any_list for family in possible_families((4, 4, 50))]
    [True, False]
    """
    found: dict[Family, None] = {}
    for version in _corners(oldest, newest):
        base = functions_for(version)
        if base is None:
            continue
        doubts = [doubt.difference for doubt in UNSURE if doubt.version <= version < doubt.before]
        for chosen in product((False, True), repeat=len(doubts)):
            family = base
            for has, difference in zip(chosen, doubts, strict=True):
                family = difference(family) if has else family
            found.setdefault(family)
    return tuple(found)


def _corners(oldest: Version, newest: Version | None) -> Iterator[Version]:
    """Yield the versions of a stretch at which something changes, the oldest among them."""
    yield oldest
    if newest is None:
        return
    changes = {row.version for row in ROWS} | {version for version, _ in GFP_SINCE} | {FIRST}
    changes |= {doubt.version for doubt in UNSURE} | {doubt.before for doubt in UNSURE}
    yield from sorted(version for version in changes if oldest < version and version[: len(newest)] <= newest)
