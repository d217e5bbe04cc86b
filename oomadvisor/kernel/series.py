"""Which functions stand for which kernel: a family holds everything that may differ from one version to another."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, Protocol

from oomadvisor.kernel import allocation, buddy, gfp, marks, oom, percpu, reserve, watermark

__all__ = ["Family", "functions_for"]


class WatermarkTest(Protocol):
    """The shape of a plain watermark test."""

    def __call__(
        self,
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
        """Return whether a block may be taken."""


class WatermarkLadder(Protocol):
    """The shape of a watermark test that shows its steps."""

    def __call__(
        self,
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
    ) -> watermark.Check:
        """Return every comparison."""


@dataclass(frozen=True, slots=True)
class Family:
    """The arithmetic of one kernel. What does not vary among the families (page lists, SLUB, scanning) is not here.

    ``executable_pages``: which referenced executable pages get one more trip through the active list: all that are not
    anonymous (tmpfs too), or those on the file lists. ``memcg_info_of``: whose cgroup a cgroup-OOM report names.
    """

    name: str
    zone_watermark_ok: WatermarkTest
    watermark_check: WatermarkLadder
    setup_per_zone_wmarks: Callable[[Sequence[str], Sequence[int], int], list[marks.ZoneMarks]]
    default_min_free_kbytes: Callable[[Sequence[str], Sequence[int]], int]
    default_ratios: Callable[[Sequence[str]], list[int]]
    setup_per_zone_lowmem_reserve: Callable[[Sequence[int], Sequence[int]], list[list[int]]]
    zone_batchsize: Callable[[int], int]
    flag_names: Callable[[int], tuple[str, ...]]
    gfp_zone: Callable[[int, Sequence[str]], str]
    slow_alloc_flags: Callable[[int, gfp.TaskContext], gfp.Alloc]
    badness: Callable[..., int]
    path_rules: allocation.PathRules
    max_reserve_blocks: int | None
    executable_pages: Literal["not anonymous", "on a file list"]
    memcg_info_of: Literal["current", "victim"]


LAST_STABLE = 14

LINUX_2_6_31_10 = Family(
    name="2.6.31.10",
    zone_watermark_ok=watermark.zone_watermark_ok,
    watermark_check=watermark.watermark_check,
    setup_per_zone_wmarks=marks.setup_per_zone_wmarks,
    default_min_free_kbytes=marks.default_min_free_kbytes,
    default_ratios=reserve.default_ratios,
    setup_per_zone_lowmem_reserve=reserve.setup_per_zone_lowmem_reserve,
    zone_batchsize=percpu.zone_batchsize,
    flag_names=gfp.flag_names,
    gfp_zone=gfp.gfp_zone,
    slow_alloc_flags=gfp.slow_alloc_flags,
    badness=oom.badness,
    path_rules=allocation.SINCE_2_6_31_7,
    max_reserve_blocks=buddy.MAX_RESERVE_BLOCKS,
    executable_pages="on a file list",
    memcg_info_of="victim",
)
# Each stable release below undoes what the next one in this file brought.
LINUX_2_6_31_7 = replace(LINUX_2_6_31_10, name="2.6.31.7", memcg_info_of="current")
LINUX_2_6_31_6 = replace(
    LINUX_2_6_31_7,
    name="2.6.31.6",
    path_rules=allocation.BEFORE_2_6_31_7,
    slow_alloc_flags=partial(gfp.slow_alloc_flags, rt_counts_in_interrupt=True),
)
LINUX_2_6_31_2 = replace(LINUX_2_6_31_6, name="2.6.31.2", executable_pages="not anonymous")
LINUX_2_6_31_0 = replace(LINUX_2_6_31_2, name="2.6.31", max_reserve_blocks=None)

SINCE_STABLE: tuple[tuple[int, Family], ...] = (
    (10, LINUX_2_6_31_10),
    (7, LINUX_2_6_31_7),
    (6, LINUX_2_6_31_6),
    (2, LINUX_2_6_31_2),
    (0, LINUX_2_6_31_0),
)


def functions_for(version: tuple[int, ...]) -> Family | None:
    """Return the family of a kernel such as (2, 6, 31, 12); None when its exact arithmetic is not available.

    (2, 6, 31) alone is the first release, whose rules Lab126's 2.6.31-rt11 has kept.

    >>> functions_for((2, 6, 31, 12)).name
    '2.6.31.10'
    >>> functions_for((4, 19)) is None
    True
    """
    if version[:3] != (2, 6, 31) or len(version) > 4:
        return None
    stable = version[3] if len(version) == 4 else 0
    if stable > LAST_STABLE:
        return None
    return next((family for since, family in SINCE_STABLE if stable >= since), None)
