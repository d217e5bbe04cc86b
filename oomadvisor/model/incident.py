"""One event found in a log, as it stands there: nothing in these values is computed, except units."""

from typing import Literal

from pydantic import Field

from oomadvisor.model.base import Frozen, Origin, Warning_
from oomadvisor.model.zone import Zone

IncidentKind = Literal["oom", "alloc-failure", "cgroup-oom", "oom-panic", "page-fault-kill", "mem-info"]
"""``oom``: the global OOM killer ran (or only its kill line was kept). ``alloc-failure``: a page allocation failed
with a message. ``cgroup-oom``: the limit of a memory cgroup was hit. ``oom-panic``: the kernel panicked instead of
killing. ``page-fault-kill``: ARM's ``VM: killing process``. ``mem-info``: a memory report without one of these events
(SysRq-M), or /proc files alone.
"""


class Frame(Frozen):
    """One function of a backtrace: ``symbol`` without GCC's suffixes (``.clone.43``), ``raw`` as printed."""

    symbol: str
    raw: str
    line: int


class Request(Frozen):
    """What was asked of the page allocator, as printed. ``order`` -1 means that SysRq-F asked for the kill.

    ``gfp_names`` are the flag names that newer kernels print beside the mask. ``nodemask`` is the printed text.
    """

    comm: str | None = None
    pid: int | None = None
    order: int | None = None
    gfp_mask: int | None = None
    gfp_names: tuple[str, ...] = ()
    oom_adj: int | None = None
    oom_adj_label: Literal["oomkilladj", "oom_adj", "oom_score_adj"] | None = None
    nodemask: str | None = None
    cpuset: str | None = None
    mems_allowed: str | None = None


class PerCpu(Frozen):
    """A per-cpu page list: high limit, refill batch and current use in pages."""

    zone: str
    node: int = 0
    cpu: int
    high_pages: int
    batch_pages: int
    used_pages: int | None = None


class Counters(Frozen):
    """The global counters of show_free_areas, in pages. Which of them exist depends on the kernel."""

    active_anon: int | None = None
    inactive_anon: int | None = None
    isolated_anon: int | None = None
    active_file: int | None = None
    inactive_file: int | None = None
    isolated_file: int | None = None
    active: int | None = None
    inactive: int | None = None
    unevictable: int | None = None
    dirty: int | None = None
    writeback: int | None = None
    unstable: int | None = None
    free: int | None = None
    slab: int | None = None
    slab_reclaimable: int | None = None
    slab_unreclaimable: int | None = None
    mapped: int | None = None
    shmem: int | None = None
    pagetables: int | None = None
    bounce: int | None = None
    free_pcp: int | None = None
    free_cma: int | None = None
    other: dict[str, int] = Field(default_factory=dict)


class Swap(Frozen):
    """Swap as the report prints it: cache in pages, totals in kB."""

    cache_pages: int | None = None
    added: int | None = None
    deleted: int | None = None
    found: int | None = None
    find_total: int | None = None
    free_kb: int | None = None
    total_kb: int | None = None


class Trailer(Frozen):
    """The lines after the buddy lists, in pages. ``zero_count_pages`` is ARM's "free pages" (reference count 0).

    ``vendor`` holds further ``N name`` lines by their printed name, such as Lab126's "total user pages".
    """

    pagecache_pages: int | None = None
    ram_pages: int | None = None
    highmem_pages: int | None = None
    zero_count_pages: int | None = None
    reserved_pages: int | None = None
    slab_pages: int | None = None
    shared_count: int | None = None
    nonshared_pages: int | None = None
    swap_cached_pages: int | None = None
    vendor: dict[str, int] = Field(default_factory=dict)


class Task(Frozen):
    """A row of the task table (``oom_dump_tasks``). Sizes in pages; ``oom_adj`` under whichever name it was printed."""

    pid: int
    uid: int | None = None
    tgid: int | None = None
    total_vm_pages: int | None = None
    rss_pages: int | None = None
    page_table_bytes: int | None = None
    swapents: int | None = None
    cpu: int | None = None
    oom_adj: int | None = None
    name: str
    line: int


class Kill(Frozen):
    """What was killed. ``kind`` tells the line: ``chosen`` = "kill process N … or a child", ``killed`` = "Killed
    process".
    """

    kind: Literal["chosen", "killed", "panic", "vm-fault", "constraint"]
    pid: int | None = None
    name: str | None = None
    score: int | None = None
    total_vm_kb: int | None = None
    anon_rss_kb: int | None = None
    file_rss_kb: int | None = None
    shmem_rss_kb: int | None = None
    message: str | None = None
    line: int


class MemcgUsage(Frozen):
    """The memory cgroup whose limit was hit; usage and limit in kB."""

    task_path: str | None = None
    limit_path: str | None = None
    usage_kb: int | None = None
    limit_kb: int | None = None
    failcnt: int | None = None
    swap_usage_kb: int | None = None
    swap_limit_kb: int | None = None


class Incident(Frozen):
    """One event, with every value that its text gives.

    ``lines`` maps a part of the incident to the log line it was read from, by dotted names: ``request``, ``counters``,
    ``zones.0.DMA``, ``zones.0.DMA.reserve``, ``zones.0.DMA.blocks``, ``zones.0.DMA.percpu``, ``swap``, ``trailer``,
    ``kill``. Use :meth:`origin`, which falls back from a name to its parents.
    ``killed_before``: the last few kills of the same boot that the log tells of before this one.
    ``page_kb`` is the page size by which the report's kB were converted: the size of the first block of its free block
    lines, 4 when there is none.
    """

    kind: IncidentKind
    file: str
    line: int
    last_line: int
    number: int = 1
    time: str | None = None
    kernel_release: str | None = None
    kernel_release_line: int | None = None
    arch: str | None = None
    page_kb: int = 4
    request: Request = Request()
    backtrace: tuple[Frame, ...] = ()
    percpu: tuple[PerCpu, ...] = ()
    counters: Counters | None = None
    zones: tuple[Zone, ...] = ()
    swap: Swap | None = None
    trailer: Trailer | None = None
    tasks: tuple[Task, ...] = ()
    kills: tuple[Kill, ...] = ()
    killed_before: tuple[Kill, ...] = ()
    memcg: MemcgUsage | None = None
    forms: tuple[str, ...] = ()
    lines: dict[str, int] = Field(default_factory=dict)
    missing: tuple[str, ...] = ()
    warnings: tuple[Warning_, ...] = ()

    def origin(self, part: str) -> Origin:
        """Return where ``part`` was read; the closest known parent of the dotted name, at last the first line."""
        while part:
            if part in self.lines:
                return Origin(file=self.file, line=self.lines[part])
            part = part.rpartition(".")[0]
        return Origin(file=self.file, line=self.line)
