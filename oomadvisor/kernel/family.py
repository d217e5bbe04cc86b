"""A kernel's arithmetic in one value: what may differ between versions as data, and the functions with it filled in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, NamedTuple, Protocol

from oomadvisor.kernel import attempt, gfp, marks, oom, percpu, reserve, watermark
from oomadvisor.kernel.buddy import BuddyRules, BuddyZone
from oomadvisor.kernel.gfp_bits import bits_of
from oomadvisor.kernel.marks import MarkRules, ZoneMarks
from oomadvisor.kernel.percpu import BatchRules
from oomadvisor.kernel.reserve import ReserveRules

__all__ = ["Family", "KillRules", "PathRules", "WatermarkLadder", "WatermarkTest"]


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
        flags: watermark.Privileges = watermark.ORDINARY,
        kinds: watermark.FreeKinds = watermark.ONE_KIND,
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
        flags: watermark.Privileges = watermark.ORDINARY,
        kinds: watermark.FreeKinds = watermark.ONE_KIND,
        bits: int = 32,
        smp: bool = False,
    ) -> watermark.Check:
        """Return every comparison."""


class PathRules(NamedTuple):
    """What differs inside 2.6.31 on the road of a request.

    ``restart_recomputes``: since .7 a kill is followed by a new wake-up of kswapd and new flags.
    ``rt_counts_in_interrupt``: before .7 an interrupt borrowed the real-time privilege of the task it hit.
    """

    restart_recomputes: bool = True
    rt_counts_in_interrupt: bool = False


class KillRules(NamedTuple):
    """When a request that finds nothing ends in a kill. Read in each kernel; run for 2.6.31 alone.

    ``costly``: an order above 3 kills too (to 2.6.22). ``rounds``: so many rounds without progress end the retries
    (4.7); None: one does, when nothing at all was reclaimed. ``never``: the mask bit that rules a kill out: NORETRY,
    and since 4.13 RETRY_MAYFAIL as well. ``compacts``: direct compaction is tried (2.6.35, all orders since 2.6.38).
    """

    costly: bool = False
    rounds: int | None = None
    never: tuple[str, ...] = ("__GFP_NORETRY",)
    compacts: Literal["no", "orders above 3", "yes"] = "no"


@dataclass(frozen=True, slots=True)
class Family:
    """The arithmetic of one kernel. What does not vary among the families (page lists, SLUB, scanning) is not here.

    Two families are equal when they do the same; ``name`` is the version that brought the last difference.
    ``path`` and ``buddy`` are None where the allocation path and the free lists were read but never run: then nothing
    beyond the test itself is claimed. ``zone_table``: the highest zone comes from a table (2.6.31) instead of tests.
    ``batch`` is None before 2.6.13. ``executable_pages``: which referenced executable pages get one more trip through
    the active list: all that are not anonymous (tmpfs too), or those on the file lists. ``memcg_info_of``: whose cgroup
    a cgroup-OOM report names.
    """

    name: str = field(compare=False)
    test: watermark.TestRules
    marks: MarkRules
    reserve: ReserveRules
    batch: BatchRules | None
    gfp_since: tuple[int, ...]
    zone_table: bool
    slow: gfp.SlowRules
    victim: oom.BadnessRules
    kills: KillRules
    path: PathRules | None = None
    buddy: BuddyRules | None = None
    executable_pages: Literal["not anonymous", "on a file list"] | None = None
    memcg_info_of: Literal["current", "victim"] | None = None

    def __hash__(self) -> int:
        return hash((self.test.letter, self.gfp_since))

    @property
    def measured(self) -> bool:
        """Return whether the whole road of a request was run on this kernel, not only its test."""
        return self.path is not None

    @property
    def zone_watermark_ok(self) -> WatermarkTest:
        """Return the test as the slow path and kswapd ask it."""
        return partial(watermark.zone_watermark_ok, rules=self.test)

    @property
    def watermark_check(self) -> WatermarkLadder:
        """Return the same test with its steps."""
        return partial(watermark.watermark_check, rules=self.test)

    @property
    def attempt_ok(self) -> WatermarkTest:
        """Return the test as an attempt to allocate asks it: since 4.7 a single page has a short cut."""
        if self.test.order0 == "none":
            return self.zone_watermark_ok
        return partial(watermark.zone_watermark_fast, rules=self.test)

    def attempt_test(
        self, *, flags: watermark.Privileges, kinds: watermark.FreeKinds, bits: int, smp: bool
    ) -> attempt.AttemptTest:
        """Return the same test step by step, for whoever takes many blocks out of a zone."""
        return attempt.attempt_test(flags=flags, kinds=kinds, bits=bits, smp=smp, rules=self.test)

    @property
    def attempt_check(self) -> WatermarkLadder:
        """Return the test of an attempt with its steps."""
        if self.test.order0 == "none":
            return self.watermark_check
        return partial(watermark.watermark_fast_check, rules=self.test)

    @property
    def setup_per_zone_wmarks(self) -> Callable[..., list[ZoneMarks]]:
        """Return the function of (zones, pages, min_free_kbytes) that gives the marks."""
        return partial(marks.setup_per_zone_wmarks, rules=self.marks)

    @property
    def default_min_free_kbytes(self) -> Callable[..., int]:
        """Return the function of (zones, pages) that gives the value chosen at boot, in kB."""
        return partial(marks.default_min_free_kbytes, rules=self.marks)

    @property
    def min_free_kbytes_interval(self) -> Callable[..., tuple[int, int] | None]:
        """Return the inverse of the marks: see :func:`oomadvisor.kernel.marks.min_free_kbytes_interval`."""
        return partial(marks.min_free_kbytes_interval, rules=self.marks)

    @property
    def min_free_kbytes_bounds(self) -> Callable[..., tuple[int, int] | None]:
        """Return the same for zone sizes within bounds: see :func:`oomadvisor.kernel.marks.min_free_kbytes_bounds`."""
        return partial(marks.min_free_kbytes_bounds, rules=self.marks)

    def default_ratios(self, zones: Sequence[str]) -> list[int]:
        """Return lowmem_reserve_ratio as it is at boot, zones − 1 entries."""
        return reserve.default_ratios(zones, rules=self.reserve)

    def setup_per_zone_lowmem_reserve(self, pages: Sequence[int], ratios: Sequence[int]) -> list[list[int]]:
        """Return the reserves in pages as ``[zone][class zone]``."""
        return reserve.setup_per_zone_lowmem_reserve(pages, ratios, rules=self.reserve)

    def ratio_interval(
        self, pages: Sequence[int], zone_index: int, reserves: Sequence[int]
    ) -> tuple[int, int | None] | None:
        """Return the ratios that give a printed row of reserves."""
        return reserve.ratio_interval(pages, zone_index, reserves, rules=self.reserve)

    def zone_batchsize(self, pages: int) -> int:
        """Return the batch of the per-cpu lists. Raises ValueError where it is not known (2.6.12)."""
        if self.batch is None:
            raise ValueError(f"the per-cpu batch of {self.name} is not known")
        return percpu.zone_batchsize(pages, rules=self.batch)

    @property
    def gfp_bits(self) -> Mapping[str, int]:
        """Return the names and values of the mask's bits."""
        return bits_of(self.gfp_since)

    def flag_names(self, mask: int) -> tuple[str, ...]:
        """Return the names that make up ``mask``."""
        return gfp.flag_names(mask, self.gfp_bits)

    def translated(self, mask: int) -> int:
        """Return a mask written in 2.6.31's bits in the bits of this kernel, name by name.

        What operations ask for (knowledge/operations.yaml) is written so.
        """
        if self.gfp_since == gfp.SINCE_2_6_31:
            return mask
        return sum(self.gfp_bits.get(name, 0) for name in gfp.flag_names(mask))

    def gfp_zone(self, mask: int, zones: Sequence[str]) -> str:
        """Return the highest zone that ``mask`` allows in a build with ``zones``."""
        return gfp.gfp_zone(mask, zones) if self.zone_table else gfp.gfp_zone_by_tests(mask, zones, self.gfp_bits)

    def mobility(self, mask: int) -> gfp.Mobility | None:
        """Return whose free lists ``mask`` takes from first; None where there is one list of each order."""
        return gfp.mobility(mask, self.gfp_bits)

    def mobility_index(self, mask: int) -> int | None:
        """Return the number of that list, as rows of /proc/pagetypeinfo are ordered."""
        found = self.mobility(mask)
        return None if found is None else gfp.mobility_order(self.gfp_bits).index(found)

    def slow_alloc_flags(self, mask: int, context: gfp.TaskContext) -> gfp.Alloc:
        """Return the flags of the slow path. Raises ValueError where they were not run."""
        if self.path is None:
            raise ValueError(f"the allocation path of {self.name} was read, not run")
        in_interrupt = self.path.rt_counts_in_interrupt
        return gfp.slow_alloc_flags(mask, context, rt_counts_in_interrupt=in_interrupt)

    def slow_privileges(
        self, mask: int, order: int, context: gfp.TaskContext = gfp.NORMAL_TASK
    ) -> watermark.Privileges:
        """Return what an attempt in the slow path may do beyond an ordinary one."""
        return gfp.slow_privileges(mask, order, context, bits=self.gfp_bits, rules=self.slow)

    @property
    def badness(self) -> Callable[..., int]:
        """Return the score: of the virtual size up to 2.6.35, of the memory used since."""
        if self.victim.by == "virtual size":
            return oom.badness
        return partial(oom.badness_by_memory, rules=self.victim)

    def buddy_zone(
        self,
        *,
        max_order: int,
        pageblock_order: int,
        zone_start_pfn: int,
        spanned_pages: int,
        free_lists: Sequence[tuple[int, int, Sequence[int]]],
        pageblock_types: Sequence[int],
        mobility_disabled: bool = False,
    ) -> BuddyZone:
        """Return a zone's free lists under this kernel's rules. Raises ValueError where they were not run."""
        if self.buddy is None:
            raise ValueError(f"the free lists of {self.name} were read, not run")
        return BuddyZone(
            max_order=max_order,
            pageblock_order=pageblock_order,
            zone_start_pfn=zone_start_pfn,
            spanned_pages=spanned_pages,
            free_lists=free_lists,
            pageblock_types=pageblock_types,
            mobility_disabled=mobility_disabled,
            rules=self.buddy,
        )
