"""Everything known about the box at the moment of the incident: the report, the sysctls, the /proc files."""

from typing import Literal

from pydantic import Field

from oomadvisor.model.base import Frozen, Origin, Warning_
from oomadvisor.model.incident import Incident, Swap
from oomadvisor.model.zone import Zone

MIN_FREE_KBYTES = "vm.min_free_kbytes"
LOWMEM_RESERVE_RATIO = "vm.lowmem_reserve_ratio"


class KernelRelease(Frozen):
    """Which kernel this is. ``version`` is (2, 6, 31, 12)-like; ``text`` as found; ``exact`` when known to the
    patch level.

    ``source``: ``log``, ``option`` (--kernel), ``proc`` (/proc/version), ``forms`` (only the forms of the lines say
    so, then ``version`` is the oldest and ``newest`` the newest kernel that prints them), or ``unknown`` (then
    ``oldest`` is the oldest that prints them, if any form tells). ``vendor``: who built it, where the name shows that
    it is no plain release: it may hold changes of later series, so what is said of its arithmetic is probable only.

    ``backports``: the oldest series that prints such lines, where that is later than the version of a builder's kernel.

    ``reasons``: where only forms and functions tell, each bound of the version in words with what it rests on.
    """

    version: tuple[int, ...]
    newest: tuple[int, ...] | None = None
    oldest: tuple[int, ...] | None = None
    text: str
    source: Literal["log", "option", "proc", "forms", "unknown"]
    vendor: str | None = None
    backports: tuple[int, ...] | None = None
    reasons: tuple[str, ...] = ()


class Tunable(Frozen):
    """A sysctl as an interval ``low..high`` (equal when the value is known), and where that came from.

    ``source``: ``observed`` (a sysctl file), ``inferred`` (arithmetic on the report, named in ``basis``),
    ``default`` (nothing contradicts the kernel's own default, named in ``basis``). ``default`` is that kernel's
    default on this box.
    """

    name: str
    low: int | None = None
    high: int | None = None
    text: str | None = None
    source: Literal["observed", "inferred", "default"]
    basis: str
    default: int | None = None
    origin: Origin | None = None

    @property
    def interval(self) -> str:
        """The value in words: ``4160–4167``, ``2039``, ``4160 or more``, ``unknown``."""
        if self.low is None:
            return "unknown"
        if self.high is None:
            return f"{self.low} or more"
        return str(self.low) if self.low == self.high else f"{self.low}–{self.high}"


class Build(Frozen):
    """What the report shows of how the kernel was built. ``None`` = it does not show."""

    page_kb: int = 4
    max_order: int | None = None
    highmem: bool | None = None
    smp: bool | None = None
    cpus_seen: int | None = None
    numa: bool | None = None
    word_bits: int = 32
    zone_names: tuple[str, ...] = ()


class SlabCache(Frozen):
    """A row of /proc/slabinfo. ``pages`` = slabs × pages per slab, ``reclaimable`` by the cache's known use."""

    name: str
    active_objects: int
    objects: int
    object_bytes: int
    objects_per_slab: int
    pages_per_slab: int
    slabs: int
    line: int

    @property
    def pages(self) -> int:
        return self.slabs * self.pages_per_slab


class Mount(Frozen):
    """A row of /proc/mounts (``size_kb`` = the size= option of tmpfs) or of df (then ``used_kb`` is known)."""

    device: str
    path: str
    fstype: str
    options: tuple[str, ...] = ()
    size_kb: int | None = None
    used_kb: int | None = None
    line: int = 0


class SwapDevice(Frozen):
    """A row of /proc/swaps."""

    path: str
    size_kb: int
    used_kb: int
    line: int = 0


class Process(Frozen):
    """A process as ``oomadvisor collect`` lists it. Sizes in kB; None for a kernel thread, which has no memory."""

    pid: int
    name: str
    oom_adj: int | None = None
    vm_size_kb: int | None = None
    vm_rss_kb: int | None = None
    page_table_kb: int | None = None
    threads: int | None = None
    state: str | None = None


class ConfFile(Frozen):
    """A file of settings that stands on the device, such as /etc/sysctl.conf: what a restart will set.

    ``whole``: every line of it has arrived. ``ended``: its last line has an end.
    """

    path: str
    lines: tuple[str, ...]
    whole: bool = True
    ended: bool = True


class ProcState(Frozen):
    """What the given /proc files say. A file that was not given is ``None`` or empty.

    ``vmstat_earlier``: an earlier reading, where two were given; in a bundle ``vmstat_seconds`` lie between them.
    """

    files: tuple[str, ...] = ()
    version: str | None = None
    cmdline: str | None = None
    meminfo_kb: dict[str, int] | None = None
    vmstat: dict[str, int] | None = None
    vmstat_earlier: dict[str, int] | None = None
    vmstat_seconds: int | None = None
    zones: tuple[Zone, ...] = ()
    blocks_by_type: dict[str, dict[str, tuple[int, ...]]] | None = None
    pageblock_order: int | None = None
    slab: tuple[SlabCache, ...] = ()
    mounts: tuple[Mount, ...] = ()
    swaps: tuple[SwapDevice, ...] | None = None
    processes: tuple[Process, ...] = ()
    confs: tuple[ConfFile, ...] = ()
    sysctls: dict[str, str] = Field(default_factory=dict)
    origins: dict[str, Origin] = Field(default_factory=dict)
    warnings: tuple[Warning_, ...] = ()


class OperationStep(Frozen):
    """One allocation of an operation: a block of ``order`` under ``gfp_mask``, while the earlier steps' blocks are
    held.

    ``replaces``: when the operation is complete, an earlier block of the same order is given back (exec frees the
    page directory of the program that it replaces).
    """

    order: int
    gfp_mask: int
    what: str
    source: str
    replaces: bool = False


class Operation(Frozen):
    """What a task does, as the blocks that the kernel asks for, in sequence, all held together at the worst instant.

    ``id`` is kebab-case (``exec``, ``fork``, ``fork+exec``); ``title`` is for people. ``creates_process``: a process
    stays behind that holds the blocks, so it makes sense to count how many more fit.
    """

    id: str
    title: str
    steps: tuple[OperationStep, ...]
    source: str
    creates_process: bool = False

    @property
    def orders(self) -> tuple[int, ...]:
        return tuple(step.order for step in self.steps)


class Memory(Frozen):
    """Where the memory is, in pages. ``shmem_pages`` is an interval, because 2.6.31 has no counter for it.

    ``shmem_basis`` names the arithmetic. ``unaccounted_pages`` = RAM − reserved − free − LRU − slab − page tables.
    """

    ram_pages: int | None = None
    reserved_pages: int | None = None
    free_pages: int | None = None
    anon_lru_pages: int | None = None
    file_lru_pages: int | None = None
    unevictable_pages: int | None = None
    shmem_low_pages: int | None = None
    shmem_pages: int | None = None
    shmem_high_pages: int | None = None
    shmem_basis: str | None = None
    anon_pages: int | None = None
    pagecache_pages: int | None = None
    mapped_pages: int | None = None
    slab_pages: int | None = None
    slab_reclaimable_pages: int | None = None
    slab_unreclaimable_pages: int | None = None
    pagetable_pages: int | None = None
    swap_cache_pages: int | None = None
    unaccounted_pages: int | None = None


class SystemState(Frozen):
    """The whole input of the expert. ``zones`` lists the zones of all nodes, lowest first (of several nodes the
    last one first, each zone called ``Node 1 DMA32``): what is tried first stands last.
    """

    incident: Incident
    kernel: KernelRelease
    build: Build
    zones: tuple[Zone, ...] = ()
    memory: Memory = Memory()
    swap: Swap | None = None
    tunables: dict[str, Tunable] = Field(default_factory=dict)
    proc: ProcState = ProcState()
    gfp_flags: tuple[str, ...] = ()
    class_zone: str | None = None
    class_zone_index: int | None = None
    operation: Operation | None = None
    workload: Operation | None = None
    call_site: str | None = None
    warnings: tuple[Warning_, ...] = ()

    @property
    def page_kb(self) -> int:
        return self.build.page_kb

    def zone(self, name: str) -> Zone | None:
        """Return the zone called ``name``, or None."""
        return next((z for z in self.zones if z.name == name), None)
