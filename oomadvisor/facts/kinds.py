"""The kinds of fact, declared once: type, unit, meaning and example of every field that a rule may look at.

A field that is ``None`` is not known from the input; no comparison with it holds. All numbers are integers: pages,
kB, permille. Facts of one incident; of a ``single`` kind there is one at most.
"""

from typing import ClassVar, Literal

from pydantic import Field
from pydantic.config import JsonDict

from oomadvisor.model.incident import IncidentKind
from oomadvisor.rulebook.kinds import Fact

PAGES: JsonDict = {"unit": "pages"}
KB: JsonDict = {"unit": "kB"}
PERMILLE: JsonDict = {"unit": "permille"}

Step = Literal["passes", "fails_first_check", "fails_in_order_loop", "fails_in_free_lists", "unknown"]


PanicReason = Literal["panic_on_oom", "compulsory", "page fault", "nothing killable", "other"]


class IncidentFact(Fact):
    kind: ClassVar[str] = "incident"
    meaning: ClassVar[str] = "The event that was found in the log."
    single: ClassVar[bool] = True

    type: IncidentKind = Field(description="what happened", examples=["oom"])
    has_memory_report: bool = Field(description="zone lines with free pages and marks were found")
    has_blocks: bool = Field(description="the free lists by order were found")
    killed: str | None = Field(default=None, description="name of the process that was killed", examples=["httpd"])
    killed_pid: int | None = Field(default=None, description="its process id", examples=[312])
    panicked: bool = Field(description="the kernel panicked instead of killing")
    score: int | None = Field(default=None, description="badness of the chosen process", examples=[64122])
    cgroup: str | None = Field(default=None, description="path of the memory cgroup at its limit", examples=["/box"])
    cgroup_usage_kb: int | None = Field(default=None, description="its usage", json_schema_extra=KB)
    cgroup_limit_kb: int | None = Field(default=None, description="its limit", json_schema_extra=KB)
    constraint: bool = Field(description="the report names a cpuset or mempolicy constraint")
    unconstrained: bool = Field(default=False, description="the kernel itself says that there was no constraint")
    page_fault: bool = Field(
        description="raised by a page fault, not by a failed request: gfp mask 0 and order 0, or the call chain says so"
    )
    panic: PanicReason | None = Field(default=None, description="why it panicked", examples=["panic_on_oom"])
    allocating_task: bool = Field(
        default=False, description="vm.oom_kill_allocating_task chose the task that asked, not the largest"
    )
    manual: bool = Field(default=False, description="SysRq-F asked for the kill (order -1)")


class KernelFact(Fact):
    kind: ClassVar[str] = "kernel"
    meaning: ClassVar[str] = "The kernel and how it was built, as far as the input shows."
    single: ClassVar[bool] = True

    release: str = Field(description="release as found", examples=["2.6.31.12"])
    known: bool = Field(description="the input or the user says which release it is")
    exact: bool = Field(description="the allocator's test of this series is replayed exactly")
    measured: bool = Field(description="the whole road of a request was run on this series, not only its test")
    arch: str | None = Field(default=None, description="processor architecture", examples=["arm"])
    max_order: int | None = Field(default=None, description="number of block orders (MAX_ORDER)", examples=[13])
    largest_block_kb: int | None = Field(
        default=None, description="size of the largest block that this kernel can hold", json_schema_extra=KB
    )
    highmem: bool | None = Field(default=None, description="built with HIGHMEM")
    smp: bool | None = Field(default=None, description="more than one CPU is shown")
    zones: int | None = Field(default=None, description="zones of the build", examples=[3])
    pageblock_kb: int | None = Field(
        default=None,
        description="size of a pageblock: the largest block, without huge pages",
        json_schema_extra=KB,
        examples=[16384],
    )
    mobility_grouping: bool | None = Field(
        default=None, description="pages are grouped by mobility; off when RAM is below five pageblocks"
    )


class RequestFact(Fact):
    kind: ClassVar[str] = "request"
    meaning: ClassVar[str] = "What was asked of the page allocator, and how the test of it came out over all zones."
    single: ClassVar[bool] = True

    order: int = Field(description="the block is 2^order pages", examples=[2])
    block_kb: int = Field(description="size of the block", json_schema_extra=KB)
    block_pages: int = Field(description="size of the block", json_schema_extra=PAGES)
    order_halvings: int = Field(description="how often the mark was halved at the last comparison (= order)")
    gfp: str | None = Field(default=None, description="names of the mask", examples=["GFP_KERNEL"])
    gfp_hex: str | None = Field(default=None, description="the mask as printed", examples=["0xd0"])
    may_wait: bool | None = Field(default=None, description="may sleep and reclaim")
    may_fs: bool | None = Field(default=None, description="may call the file system; without it there is no kill")
    atomic: bool | None = Field(default=None, description="may not wait: interrupts, network")
    dma_only: bool | None = Field(default=None, description="must come from the DMA zone")
    movable: bool | None = Field(default=None, description="the page could be migrated")
    costly: bool = Field(description="order above 3: fails instead of killing")
    class_zone: str | None = Field(default=None, description="highest zone that may serve it", examples=["Normal"])
    comm: str | None = Field(default=None, description="name of the asking task", examples=["myshellscript"])
    has_backtrace: bool = Field(description="the log shows who asked")
    call_site: str | None = Field(
        default=None, description="entry of knowledge/call-sites.yaml", examples=["exec-page-directory"]
    )
    group: str | None = Field(default=None, description="what kind of code asked", examples=["exec", "fork", "network"])
    what: str | None = Field(default=None, description="what was being allocated")
    can_be_avoided: bool = Field(default=False, description="it is known how to do without the request")
    avoidable: str | None = Field(default=None, description="how to do without it, in words")
    operation: str | None = Field(default=None, description="id of the operation", examples=["exec"])
    operation_title: str | None = Field(default=None, description="the operation in words")
    operation_blocks: int | None = Field(default=None, description="blocks that the operation needs")
    workload: str | None = Field(default=None, description="what the device does all day", examples=["fork+exec"])
    workload_title: str | None = Field(default=None, description="the same in words")
    workload_orders: str | None = Field(default=None, description="its orders in sequence", examples=["1, 2, 2"])
    decided: bool = Field(description="the test could be replayed from the report")
    eligible_zones: str | None = Field(default=None, description="zones tried, first tried first")
    passes_min: bool | None = Field(default=None, description="passes at MIN in some zone")
    passes_low: bool | None = Field(default=None, description="passes at LOW in some zone")
    passes_high: bool | None = Field(default=None, description="passes at HIGH in some zone")
    order0_passes_min: bool | None = Field(default=None, description="a single page passes at MIN in some zone")
    order0_passes_high: bool | None = Field(default=None, description="a single page passes at HIGH in some zone")
    page_passes_at_default: bool | None = Field(
        default=None, description="a single page would pass at HIGH with the default vm.min_free_kbytes"
    )
    largest_passing_order: int | None = Field(
        default=None, description="largest order that passes at HIGH in some zone; -1 when none does"
    )
    passes_high_at_default: bool | None = Field(
        default=None, description="would pass at HIGH with the default vm.min_free_kbytes"
    )
    realtime_passes_min: bool | None = Field(
        default=None, description="would pass at MIN for a real-time task (mark less a quarter)"
    )
    suitable_blocks: int | None = Field(default=None, description="free blocks of its size or larger in eligible zones")
    listed_blocks: int | None = Field(
        default=None, description="free blocks of its size or larger in all lists that the report shows"
    )
    elsewhere_free_pages: int | None = Field(
        default=None, description="free pages in zones that it may not use", json_schema_extra=PAGES
    )
    gives_up_reserve: bool | None = Field(
        default=None, description="the mask (__GFP_NOMEMALLOC) renounces the reserve of those who free memory"
    )
    reclaiming: bool = Field(
        default=False, description="asked by kswapd, or in the middle of a reclaim: it cannot wait for another one"
    )


class ProspectFact(Fact):
    kind: ClassVar[str] = "prospect"
    meaning: ClassVar[str] = "What the next operation would meet: of a picture of the memory, without an event."
    single: ClassVar[bool] = True

    operation_title: str = Field(description="the operation in words", examples=["fork+exec"])
    passes_min: bool = Field(description="every block of it passes at MIN")
    passes_high: bool = Field(description="every block of it passes at HIGH")
    headroom: int = Field(description="how many more of it fit one after another, at least")
    page_passes_min: bool = Field(description="a single page passes at MIN in some zone")


class ZoneFact(Fact):
    kind: ClassVar[str] = "zone"
    meaning: ClassVar[str] = "One memory zone, with the test of the request in it at each mark."

    name: str = Field(description="the zone's name", examples=["Normal"])
    place: str = Field(
        default="", description="its name with the node, where there are several", examples=["Node 1 Normal"]
    )
    node: int | None = Field(default=None, description="its memory node, where there are several")
    eligible: bool = Field(description="the request may be served from it")
    preferred: bool = Field(description="it is tried first")
    present_pages: int | None = Field(default=None, description="pages of the zone", json_schema_extra=PAGES)
    present_mb: int | None = Field(default=None, description="size of the zone", json_schema_extra={"unit": "MB"})
    free_pages: int | None = Field(default=None, description="its free counter", json_schema_extra=PAGES)
    min_pages: int | None = Field(default=None, description="MIN mark", json_schema_extra=PAGES)
    low_pages: int | None = Field(default=None, description="LOW mark", json_schema_extra=PAGES)
    high_pages: int | None = Field(default=None, description="HIGH mark", json_schema_extra=PAGES)
    reserve_pages: int | None = Field(
        default=None, description="reserve against the request's class zone", json_schema_extra=PAGES
    )
    min: Step = Field(description="how the test at MIN ends")
    low: Step = Field(description="how the test at LOW ends")
    high: Step = Field(description="how the test at HIGH ends")
    usable_pages: int | None = Field(
        default=None, description="free pages in blocks of the request's size or larger", json_schema_extra=PAGES
    )
    suitable_blocks: int | None = Field(default=None, description="free blocks of the request's size or larger")
    remaining_pages: int | None = Field(
        default=None, description="left side of the deciding comparison at MIN", json_schema_extra=PAGES
    )
    bound_pages: int | None = Field(
        default=None, description="right side of the deciding comparison at MIN", json_schema_extra=PAGES
    )
    short_pages: int | None = Field(default=None, description="missing at MIN (0 = passes)", json_schema_extra=PAGES)
    bound_default_pages: int | None = Field(
        default=None, description="right side at MIN with the default vm.min_free_kbytes", json_schema_extra=PAGES
    )
    remaining_high_pages: int | None = Field(default=None, description="left side at HIGH", json_schema_extra=PAGES)
    bound_high_pages: int | None = Field(default=None, description="right side at HIGH", json_schema_extra=PAGES)
    short_high_pages: int | None = Field(default=None, description="missing at HIGH", json_schema_extra=PAGES)
    singles_permille: int | None = Field(
        default=None, description="share of its free pages that are single pages", json_schema_extra=PERMILLE
    )
    largest_block_kb: int | None = Field(default=None, description="its largest free block", json_schema_extra=KB)
    largest_order: int | None = Field(default=None, description="order of its largest free block; -1: none")
    counter_minus_blocks_pages: int | None = Field(
        default=None, description="free counter minus the sum of the free lists", json_schema_extra=PAGES
    )
    file_lru_pages: int | None = Field(default=None, description="file pages on its lists", json_schema_extra=PAGES)
    anon_lru_pages: int | None = Field(default=None, description="anon and tmpfs pages", json_schema_extra=PAGES)
    free_permille: int | None = Field(default=None, description="free share of the zone", json_schema_extra=PERMILLE)
    clean_file_permille: int | None = Field(
        default=None,
        description="share of the zone that is file pages on the lists, neither dirty nor under write",
        json_schema_extra=PERMILLE,
    )
    spins: bool | None = Field(
        default=None, description="its HIGH mark lies above MIN plus reserve: kswapd may never reach it"
    )


class NodesFact(Fact):
    kind: ClassVar[str] = "nodes"
    meaning: ClassVar[str] = "The memory nodes of a NUMA box, and where a single page would still have passed at HIGH."
    single: ClassVar[bool] = True

    count: int = Field(description="nodes that the report shows", examples=[2])
    full: int = Field(description="nodes in which no zone lets a page pass")
    limited_by: str | None = Field(
        default=None, description="what limited the request, where the report says so", examples=["memory policy"]
    )
    allowed_known: bool = Field(default=False, description="the report says which nodes were left to it")
    allowed: str | None = Field(default=None, description="the nodes that were left to it", examples=["0"])
    roomiest: int | None = Field(default=None, description="the node with most room")
    roomiest_zone: str | None = Field(default=None, description="its zone with most room", examples=["Normal"])
    roomiest_free_pages: int | None = Field(default=None, description="free there", json_schema_extra=PAGES)
    roomiest_surplus_pages: int | None = Field(
        default=None, description="what is left there above HIGH and reserve", json_schema_extra=PAGES
    )
    roomiest_surplus_permille: int | None = Field(
        default=None, description="the same as a share of that zone", json_schema_extra=PERMILLE
    )


class MemoryFact(Fact):
    kind: ClassVar[str] = "memory"
    meaning: ClassVar[str] = "Where the memory is, in pages and as shares of RAM."
    single: ClassVar[bool] = True

    ram_pages: int | None = Field(default=None, description="all RAM", json_schema_extra=PAGES)
    free_pages: int | None = Field(default=None, description="free", json_schema_extra=PAGES)
    free_kb: int | None = Field(default=None, description="free", json_schema_extra=KB)
    free_permille: int | None = Field(default=None, description="free share of RAM", json_schema_extra=PERMILLE)
    free_known_permille: int | None = Field(
        default=None, description="free share of what the counters show together", json_schema_extra=PERMILLE
    )
    listed_pages: int | None = Field(
        default=None, description="pages in the free lists that the report shows", json_schema_extra=PAGES
    )
    low_memory_pages: int | None = Field(
        default=None, description="RAM that is not HighMem, by the lines at the end", json_schema_extra=PAGES
    )
    anon_lru_pages: int | None = Field(default=None, description="anon and tmpfs together", json_schema_extra=PAGES)
    anon_pages: int | None = Field(default=None, description="processes' own memory", json_schema_extra=PAGES)
    anon_permille: int | None = Field(default=None, description="its share of RAM", json_schema_extra=PERMILLE)
    file_lru_pages: int | None = Field(default=None, description="file cache on the lists", json_schema_extra=PAGES)
    file_lru_permille: int | None = Field(default=None, description="its share of RAM", json_schema_extra=PERMILLE)
    shmem_pages: int | None = Field(default=None, description="tmpfs and shared memory", json_schema_extra=PAGES)
    shmem_low_pages: int | None = Field(default=None, description="at least so much of it", json_schema_extra=PAGES)
    shmem_high_pages: int | None = Field(default=None, description="at most so much of it", json_schema_extra=PAGES)
    shmem_low_permille: int | None = Field(
        default=None, description="at least so large a share of RAM", json_schema_extra=PERMILLE
    )
    shmem_permille: int | None = Field(default=None, description="its share of RAM", json_schema_extra=PERMILLE)
    shmem_leads: bool = Field(
        default=False, description="tmpfs and shared memory hold at least as much as the processes' own memory"
    )
    pagecache_pages: int | None = Field(default=None, description="total page cache", json_schema_extra=PAGES)
    mapped_pages: int | None = Field(default=None, description="cache that processes map", json_schema_extra=PAGES)
    unmapped_cache_pages: int | None = Field(
        default=None, description="page cache that no process maps", json_schema_extra=PAGES
    )
    slab_pages: int | None = Field(default=None, description="kernel objects", json_schema_extra=PAGES)
    slab_permille: int | None = Field(default=None, description="its share of RAM", json_schema_extra=PERMILLE)
    slab_unreclaimable_permille: int | None = Field(
        default=None, description="share of RAM in unreclaimable slab", json_schema_extra=PERMILLE
    )
    pagetable_pages: int | None = Field(default=None, description="page tables", json_schema_extra=PAGES)
    pagetable_known_permille: int | None = Field(
        default=None, description="their share of what the counters show together", json_schema_extra=PERMILLE
    )
    pagetable_permille: int | None = Field(default=None, description="its share of RAM", json_schema_extra=PERMILLE)
    unevictable_pages: int | None = Field(default=None, description="locked or ramfs", json_schema_extra=PAGES)
    unevictable_permille: int | None = Field(default=None, description="its share", json_schema_extra=PERMILLE)
    unaccounted_pages: int | None = Field(
        default=None,
        description="in no counter: stacks, ARM page directories, vmalloc, drivers",
        json_schema_extra=PAGES,
    )
    unaccounted_permille: int | None = Field(default=None, description="its share", json_schema_extra=PERMILLE)
    singles_permille: int | None = Field(
        default=None, description="share of the free pages that are single pages", json_schema_extra=PERMILLE
    )
    mlocked_pages: int | None = Field(
        default=None, description="locked by processes (/proc/meminfo)", json_schema_extra=PAGES
    )
    mlocked_permille: int | None = Field(
        default=None, description="the same as a share of RAM", json_schema_extra=PERMILLE
    )
    dirty_pages: int | None = Field(default=None, description="to be written", json_schema_extra=PAGES)
    writeback_pages: int | None = Field(
        default=None, description="being written, NFS pages included", json_schema_extra=PAGES
    )
    in_flight_permille: int | None = Field(
        default=None,
        description="dirty pages and pages under write, as a share of the file lists",
        json_schema_extra=PERMILLE,
    )
    mapped_permille: int | None = Field(
        default=None, description="mapped cache (program text above all) as a share of RAM", json_schema_extra=PERMILLE
    )
    kernel_cache_pages: int | None = Field(
        default=None, description="Lab126 line: page cache mapped by nobody", json_schema_extra=PAGES
    )


class TrendFact(Fact):
    kind: ClassVar[str] = "trend"
    meaning: ClassVar[str] = "What moved between two readings of /proc/vmstat; how far they are apart is not in them."
    single: ClassVar[bool] = True

    major_faults: int | None = Field(default=None, description="pages that had to be read from storage")
    mapped_before_pages: int | None = Field(default=None, description="mapped cache, first", json_schema_extra=PAGES)
    mapped_after_pages: int | None = Field(default=None, description="mapped cache, then", json_schema_extra=PAGES)
    mapped_fell_permille: int | None = Field(
        default=None, description="by how much it fell; 0: it did not", json_schema_extra=PERMILLE
    )
    file_lru_before_pages: int | None = Field(default=None, description="file lists, first", json_schema_extra=PAGES)
    file_lru_after_pages: int | None = Field(default=None, description="file lists, then", json_schema_extra=PAGES)
    direct_reclaims: int | None = Field(default=None, description="requests that had to reclaim for themselves")


class ReclaimFact(Fact):
    kind: ClassVar[str] = "reclaim"
    meaning: ClassVar[str] = "What the kernel could have taken back instead of killing."
    single: ClassVar[bool] = True

    possible: bool = Field(description="something could be scanned: swap, or a file list that offers a whole batch")
    swap: bool = Field(description="swap is on")
    file_lru_pages: int = Field(description="file pages on all lists", json_schema_extra=PAGES)
    largest_file_list_pages: int = Field(description="the longest file list of a zone", json_schema_extra=PAGES)
    largest_offer_pages: int = Field(
        description="what that list offers to a whole reclaim, over all its priorities", json_schema_extra=PAGES
    )
    batch_pages: int = Field(description="a list is not scanned before so many pages add up", json_schema_extra=PAGES)
    anon_lru_pages: int | None = Field(
        default=None, description="pages that cannot be scanned without swap", json_schema_extra=PAGES
    )


class SwapFact(Fact):
    kind: ClassVar[str] = "swap"
    meaning: ClassVar[str] = "Swap, where the input says something about it."
    single: ClassVar[bool] = True

    present: bool = Field(description="swap is on")
    total_kb: int = Field(description="its size", json_schema_extra=KB)
    free_kb: int | None = Field(default=None, description="free part", json_schema_extra=KB)
    used_permille: int | None = Field(default=None, description="used share", json_schema_extra=PERMILLE)
    would_take_pages: int | None = Field(
        default=None,
        description="pages on the lists that it could take and has room for; before 2.6.28 file pages among them",
        json_schema_extra=PAGES,
    )
    would_take_permille: int | None = Field(
        default=None, description="the same as a share of RAM", json_schema_extra=PERMILLE
    )


class TunableFact(Fact):
    kind: ClassVar[str] = "tunable"
    meaning: ClassVar[str] = "A sysctl whose value was observed, or follows from the report (an interval)."

    name: str = Field(description="its name", examples=["vm.min_free_kbytes", "vm.lowmem_reserve_ratio[DMA]"])
    low: int | None = Field(default=None, description="smallest possible value", examples=[4160])
    high: int | None = Field(default=None, description="largest possible value", examples=[4167])
    default: int | None = Field(default=None, description="this kernel's default on this box", examples=[2039])
    source: Literal["observed", "inferred", "default"] = Field(description="where the value came from")
    above_default: bool | None = Field(default=None, description="certainly above the default")
    below_default: bool | None = Field(default=None, description="certainly below the default")
    of_default_permille: int | None = Field(
        default=None, description="smallest possible value as a share of the default", json_schema_extra=PERMILLE
    )


class ThresholdFact(Fact):
    kind: ClassVar[str] = "threshold"
    meaning: ClassVar[str] = "The largest vm.min_free_kbytes at which things pass on this snapshot; -1: at no value."
    single: ClassVar[bool] = True

    request_min_kb: int | None = Field(default=None, description="the request at MIN, some zone", json_schema_extra=KB)
    request_high_kb: int | None = Field(
        default=None, description="the request at HIGH, some zone", json_schema_extra=KB
    )
    request_high_every_kb: int | None = Field(
        default=None, description="the request at HIGH in every eligible zone", json_schema_extra=KB
    )
    workload_min_kb: int | None = Field(default=None, description="the workload at MIN", json_schema_extra=KB)
    workload_high_kb: int | None = Field(default=None, description="the workload at HIGH", json_schema_extra=KB)


class ReserveFact(Fact):
    kind: ClassVar[str] = "reserve"
    meaning: ClassVar[str] = "What the current marks keep for interrupts, and whether kswapd can spin."
    single: ClassVar[bool] = True

    atomic_pages: int = Field(description="left for GFP_ATOMIC at the floor", json_schema_extra=PAGES)
    floor_pages: int = Field(description="where ordinary requests stop", json_schema_extra=PAGES)
    above_floor_pages: int = Field(description="free pages above that", json_schema_extra=PAGES)
    safe_burst_pages: int = Field(description="burst that was never undercut", json_schema_extra=PAGES)
    spins: bool = Field(description="a zone's HIGH mark lies above its MIN plus reserve")
    spinning_zone: str | None = Field(default=None, description="which zone")
    spinning_now: bool = Field(description="that zone is at or below its HIGH mark now")
    free_pages: int = Field(default=0, description="free in the zones that may serve it", json_schema_extra=PAGES)
    min_pages: int = Field(default=0, description="their MIN marks together", json_schema_extra=PAGES)
    unmet: bool = Field(default=False, description="less is free in these zones than their MIN marks ask for")
    min_free_kb: int = Field(default=0, description="vm.min_free_kbytes, at least", json_schema_extra=KB)
    ram_permille: int | None = Field(
        default=None, description="vm.min_free_kbytes as a share of RAM", json_schema_extra=PERMILLE
    )


class CommitFact(Fact):
    kind: ClassVar[str] = "commit"
    meaning: ClassVar[str] = "What overcommit would promise: a fork beyond it fails with ENOMEM and leaves no report."
    single: ClassVar[bool] = True

    mode: int = Field(description="vm.overcommit_memory: 0 guesses, 1 always, else strict", examples=[0])
    totalreserve_pages: int = Field(description="pages that the guess leaves alone", json_schema_extra=PAGES)
    largest_fork_low_mb: int | None = Field(
        default=None, description="the largest task that can fork, at least", json_schema_extra={"unit": "MB"}
    )
    largest_fork_high_mb: int | None = Field(
        default=None, description="the largest task that can fork, at most", json_schema_extra={"unit": "MB"}
    )
    tight: bool = Field(
        default=False, description="a task of a quarter of RAM is refused for sure, whatever the report leaves open"
    )


class TaskFact(Fact):
    kind: ClassVar[str] = "task"
    meaning: ClassVar[str] = "A process of the task table; the twenty largest by memory in use."
    bounded: ClassVar[bool] = False

    name: str = Field(description="its name")
    pid: int = Field(description="its process id")
    total_vm_pages: int | None = Field(default=None, description="virtual size", json_schema_extra=PAGES)
    rss_pages: int | None = Field(default=None, description="memory in use", json_schema_extra=PAGES)
    rss_permille: int | None = Field(default=None, description="share of RAM", json_schema_extra=PERMILLE)
    oom_adj: int | None = Field(default=None, description="its adjustment")
    largest: bool = Field(description="it uses most")


class TaskTableFact(Fact):
    kind: ClassVar[str] = "tasks"
    meaning: ClassVar[str] = "The task table as a whole."
    single: ClassVar[bool] = True

    count: int = Field(description="processes listed")
    rss_pages: int = Field(description="sum of memory in use", json_schema_extra=PAGES)
    largest_permille: int | None = Field(
        default=None, description="largest as a share of RAM", json_schema_extra=PERMILLE
    )
    protected: int = Field(description="processes that may not be killed (oom_adj -17)")
    killable: int = Field(default=0, description="processes with memory of their own that may be killed, init apart")
    largest_name: str | None = Field(default=None, description="the process that uses most memory")
    largest_rss_pages: int | None = Field(default=None, description="what it uses", json_schema_extra=PAGES)
    largest_virtual_name: str | None = Field(default=None, description="the process with the largest address space")
    largest_virtual_pages: int | None = Field(default=None, description="its size", json_schema_extra=PAGES)
    by_size_differs: bool = Field(
        default=False, description="another process is largest in address space than in memory used"
    )


class VictimFact(Fact):
    kind: ClassVar[str] = "victim"
    meaning: ClassVar[str] = "The process that was killed, as far as the kill lines and the task table tell."
    single: ClassVar[bool] = True

    name: str = Field(description="its name", examples=["httpd"])
    pid: int | None = Field(default=None, description="its process id", examples=[312])
    chosen: str | None = Field(default=None, description="the process with the highest score", examples=["sh"])
    child: bool = Field(default=False, description="it was killed as a child of the chosen one")
    score: int | None = Field(default=None, description="score of the chosen one", examples=[64122])
    total_vm_pages: int | None = Field(default=None, description="its address space", json_schema_extra=PAGES)
    rss_pages: int | None = Field(
        default=None, description="memory that it used: what the kill can bring", json_schema_extra=PAGES
    )
    rss_permille: int | None = Field(default=None, description="as a share of RAM", json_schema_extra=PERMILLE)
    small: bool = Field(default=False, description="it used less than a tenth of what the largest process used")


class EarlierKillFact(Fact):
    kind: ClassVar[str] = "earlier_kill"
    meaning: ClassVar[str] = "A process that an earlier report of the log killed, and that the task table still shows."

    name: str = Field(description="its name", examples=["httpd"])
    pid: int = Field(description="its process id", examples=[312])
    line: int = Field(description="line of the log that says so", examples=[2041])
    again: bool = Field(default=False, description="this report killed it once more")
    rss_pages: int | None = Field(default=None, description="memory that it holds still", json_schema_extra=PAGES)
    rss_permille: int | None = Field(default=None, description="as a share of RAM", json_schema_extra=PERMILLE)


class SlabFact(Fact):
    kind: ClassVar[str] = "slab"
    meaning: ClassVar[str] = "A slab cache of /proc/slabinfo; the twenty largest."
    bounded: ClassVar[bool] = False

    name: str = Field(description="its name", examples=["jffs2_refblock"])
    pages: int = Field(description="pages held", json_schema_extra=PAGES)
    ram_permille: int | None = Field(default=None, description="share of RAM", json_schema_extra=PERMILLE)
    objects: int = Field(description="objects")
    object_bytes: int = Field(description="size of one", json_schema_extra={"unit": "bytes"})
    largest: bool = Field(description="it holds most pages")


class TmpfsFact(Fact):
    kind: ClassVar[str] = "tmpfs"
    meaning: ClassVar[str] = "A mounted tmpfs or ramfs, from /proc/mounts or df."

    path: str = Field(description="where it is mounted", examples=["/tmp"])
    size_kb: int | None = Field(default=None, description="its size= limit", json_schema_extra=KB)
    used_kb: int | None = Field(default=None, description="what lies in it", json_schema_extra=KB)
    ramfs: bool = Field(description="ramfs: no limit is possible")
    limited: bool = Field(description="it has a size= option")


FACT_KINDS: tuple[type[Fact], ...] = (
    IncidentFact,
    KernelFact,
    RequestFact,
    ProspectFact,
    ZoneFact,
    NodesFact,
    MemoryFact,
    TrendFact,
    ReclaimFact,
    SwapFact,
    TunableFact,
    ThresholdFact,
    ReserveFact,
    CommitFact,
    TaskFact,
    TaskTableFact,
    VictimFact,
    EarlierKillFact,
    SlabFact,
    TmpfsFact,
)


class ChangeScope(Fact):
    """What a fix's first change became when it was resolved; for the texts of fixes and refutations."""

    kind: ClassVar[str] = "change"
    meaning: ClassVar[str] = "The change as it was resolved: from what to what."

    knob: str = Field(description="what is changed")
    current: str = Field(description="its value now")
    target: str = Field(description="its value afterwards")
    target_value: int | None = Field(default=None, description="the number to write")
    default: int | None = Field(default=None, description="the default")
    freed_pages: int | None = Field(default=None, description="pages that come back", json_schema_extra=PAGES)


class OutcomeScope(Fact):
    """What the simulator said; for the texts of fixes and refutations."""

    kind: ClassVar[str] = "outcome"
    meaning: ClassVar[str] = "The replay of the change: the deciding comparison, headroom and price before and after."

    verification: str = Field(description="class of the verification", examples=["certain"])
    operation: str = Field(description="what was replayed, in words")
    zone: str | None = Field(default=None, description="zone in which the nearest comparison stands")
    remaining_before_pages: int | None = Field(default=None, description="left side before", json_schema_extra=PAGES)
    bound_before_pages: int | None = Field(default=None, description="right side before", json_schema_extra=PAGES)
    short_before_pages: int | None = Field(default=None, description="missing before", json_schema_extra=PAGES)
    remaining_after_pages: int | None = Field(default=None, description="left side after", json_schema_extra=PAGES)
    bound_after_pages: int | None = Field(default=None, description="right side after", json_schema_extra=PAGES)
    short_after_pages: int | None = Field(default=None, description="missing after", json_schema_extra=PAGES)
    headroom_before: int | None = Field(default=None, description="children that stay, before")
    headroom: int | None = Field(default=None, description="children that stay, after")
    headroom_low: int | None = Field(default=None, description="fewest in the drawn layouts")
    headroom_high: int | None = Field(default=None, description="most in the drawn layouts")
    layouts: str = Field(
        default="no layout was drawn",
        description="how many of the drawn layouts pass, in words",
        examples=["of 20 random layouts 12 pass at MIN and 3 at HIGH"],
    )
    draws: int | None = Field(default=None, description="layouts drawn")
    draws_min: int | None = Field(default=None, description="of them pass at MIN")
    draws_high: int | None = Field(default=None, description="of them pass at HIGH")
    atomic_before_pages: int | None = Field(
        default=None, description="kept for interrupts, before", json_schema_extra=PAGES
    )
    atomic_after_pages: int | None = Field(
        default=None, description="kept for interrupts, after", json_schema_extra=PAGES
    )
    atomic_loss_pages: int | None = Field(default=None, description="the difference", json_schema_extra=PAGES)
    above_floor_pages: int | None = Field(
        default=None, description="free pages to be used up before the difference is due", json_schema_extra=PAGES
    )
    burst_after_pages: int | None = Field(default=None, description="safe burst after", json_schema_extra=PAGES)
    spins_before: bool | None = Field(default=None, description="kswapd can spin before")
    spins_after: bool | None = Field(default=None, description="kswapd can spin after")


SCOPES: dict[str, type[Fact]] = {"change": ChangeScope, "outcome": OutcomeScope}
