"""One hand-made line for every form and every name that a form goes by, with what must be read from it.

``before`` are lines that it needs above it, ``after`` lines below it that show where it comes from. Values are named by a path into the incident.
"""

from typing import Any, NamedTuple

HEAD = "sh invoked oom-killer: gfp_mask=0xd0, order=1, oomkilladj=0"


class Sample(NamedTuple):
    name: str
    line: str
    values: dict[str, Any]
    before: tuple[str, ...] = (HEAD,)
    after: tuple[str, ...] = ()


def begun(name: str, line: str, after: str, **values: Any) -> Sample:
    return Sample(name, line, {path.replace("__", "."): value for path, value in values.items()}, (), (after,))


def alone(name: str, line: str, **values: Any) -> Sample:
    return Sample(name, line, {path.replace("__", "."): value for path, value in values.items()}, ())


def inside(name: str, line: str, *before: str, **values: Any) -> Sample:
    return Sample(name, line, {path.replace("__", "."): value for path, value in values.items()}, (HEAD, *before))


ZONE = "Normal free:4000kB min:400kB low:500kB high:600kB"
OLD_ZONE = "active:100kB inactive:200kB present:65536kB pages_scanned:3 all_unreclaimable? no"
LRU = "active_anon:8kB inactive_anon:12kB active_file:16kB inactive_file:20kB unevictable:24kB"

SAMPLES: tuple[Sample, ...] = (
    # --- heads
    alone("oom-header-mask-only", "oom-killer: gfp_mask=0xd2", kind="oom", request__gfp_mask=0xD2, request__order=None),
    alone("oom-header-order", "oom-killer: gfp_mask=0x1d2, order=3", request__gfp_mask=0x1D2, request__order=3),
    alone(
        "oom-header-oomkilladj",
        "my shell.sh invoked oom-killer: gfp_mask=0x201da, order=0, oomkilladj=-17",
        request__comm="my shell.sh",
        request__order=0,
        request__oom_adj=-17,
        request__oom_adj_label="oomkilladj",
    ),
    alone(
        "oom-header-oom_adj",
        "httpd invoked oom-killer: gfp_mask=0x280da, order=0, oom_adj=5",
        request__oom_adj=5,
        request__oom_adj_label="oom_adj",
    ),
    alone(
        "oom-header-oom_adj-oom_score_adj",
        "httpd invoked oom-killer: gfp_mask=0x280da, order=2, oom_adj=-3, oom_score_adj=-176",
        request__oom_adj=-176,
        request__oom_adj_label="oom_score_adj",
        request__order=2,
    ),
    alone(
        "oom-header-oom_score_adj",
        "httpd invoked oom-killer: gfp_mask=0x24201ca, order=1, oom_score_adj=300",
        request__gfp_mask=0x24201CA,
        request__oom_adj=300,
    ),
    alone(
        "oom-header-gfp-names",
        "httpd invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO), order=0, oom_score_adj=0",
        request__gfp_names=("GFP_HIGHUSER_MOVABLE", "__GFP_COMP", "__GFP_ZERO"),
        request__gfp_mask=0x140DCA,
    ),
    alone(
        "oom-header-nodemask",
        "httpd invoked oom-killer: gfp_mask=0x14200ca(GFP_HIGHUSER_MOVABLE), nodemask=(null),  order=0, oom_score_adj=0",
        request__nodemask="(null)",
        request__order=0,
        request__gfp_names=("GFP_HIGHUSER_MOVABLE",),
    ),
    alone(
        "alloc-failure-dot",
        "swapper: page allocation failure. order:4, mode:0x4020",
        kind="alloc-failure",
        request__comm="swapper",
        request__order=4,
        request__gfp_mask=0x4020,
    ),
    alone(
        "alloc-failure-colon",
        "a: b: page allocation failure: order:3, mode:0x204d0",
        request__comm="a: b",
        request__order=3,
    ),
    alone(
        "alloc-failure-gfp-names",
        "kworker/1:2: page allocation failure: order:5, mode:0x2404020(GFP_ATOMIC|__GFP_COMP)",
        request__gfp_names=("GFP_ATOMIC", "__GFP_COMP"),
        request__comm="kworker/1:2",
    ),
    alone(
        "alloc-failure-nodemask",
        "cat: page allocation failure: order:6, mode:0x14040c0(GFP_KERNEL|__GFP_COMP), nodemask=(null)",
        request__nodemask="(null)",
        request__order=6,
    ),
    alone(
        "alloc-failure-cpuset",
        "cat: page allocation failure: order:7, mode:0x40dc0(GFP_KERNEL|__GFP_COMP|__GFP_ZERO), nodemask=(null),cpuset=/,mems_allowed=0",
        request__order=7,
        request__gfp_mask=0x40DC0,
    ),
    begun(
        "alloc-failure-vmalloc",
        "cat: vmalloc: allocation failure: 40960 bytes, mode:0x14080c0(GFP_KERNEL|__GFP_ZERO), nodemask=(null)",
        "lowmem_reserve[]: 0 0",
        kind="alloc-failure",
        request__order=None,
        request__gfp_mask=0x14080C0,
    ),
    inside("cpuset", "sh cpuset=/user mems_allowed=0-3", request__cpuset="/user", request__mems_allowed="0-3"),
    inside(
        "task-head-3.10",
        "CPU: 1 PID: 812 Comm: sh Tainted: G        W  O    4.4.99+ #16",
        request__pid=812,
        kernel_release="4.4.99+",
        kernel_release_line=2,
    ),
    inside(
        "task-head-2.6",
        "Pid: 4711, comm: sh Not tainted 2.6.35.3-99-abc #1",
        kernel_release="2.6.35.3-99-abc",
        request__pid=4711,
    ),
    inside("task-head-bare", "CPU: 0    Not tainted  (2.6.31-rt11 #1)", kernel_release="2.6.31-rt11"),
    inside(
        "task-head-process", "Process sh (pid: 321, task: 000000001baa6838, ksp: 0000000013867968)", request__pid=321
    ),
    inside("hardware-name", "Hardware name: Acme Board (Device Tree)"),
    Sample("sysrq", "SysRq : Manual OOM execution", {}),
    # --- backtraces
    inside("backtrace-head", "Call Trace:"),
    inside(
        "backtrace",
        " [<c0123456>] ? foo_bar.isra.3+0x12/0x34 [mod]",
        backtrace__0__symbol="foo_bar",
        backtrace__0__raw="? foo_bar.isra.3+0x12/0x34",
    ),
    inside("backtrace", " do_syscall_64+0x74/0x180", backtrace__0__symbol="do_syscall_64"),
    inside("backtrace", "([<00000000001052a8>] show_trace+0xf4/0x144)", backtrace__0__symbol="show_trace"),
    inside("backtrace", "[c00097e8] dump_stack+0x18/0x28", backtrace__0__symbol="dump_stack"),
    inside(
        "backtrace",
        " <IRQ>  [<ffffffff810f97de>] __alloc_pages_slowpath+0x56e/0x580",
        backtrace__0__symbol="__alloc_pages_slowpath",
    ),
    inside(
        "backtrace",
        " [<ffffffff810f97de>] __alloc_pages_slowpath.constprop.99+0x56e/0x580",
        backtrace__0__symbol="__alloc_pages_slowpath",
    ),
    inside(
        "backtrace-ppc64",
        "[c0000000e5ae1200] [c000000000012b24] .show_stack+0x70/0x1bc (unreliable)",
        backtrace__0__symbol="show_stack",
        arch="ppc64",
    ),
    inside(
        "backtrace-arm",
        "[<c0012340>] (foo+0x0/0x40) from [<c0056789>] (bar.part.2+0x18/0x44 [mod])",
        backtrace__0__symbol="foo",
        backtrace__1__symbol="bar",
        arch="arm",
    ),
    inside(
        "backtrace-arm",
        "[<c0012340>] (show_stack) from [<c0056789>] (dump_stack+0x18/0x44)",
        backtrace__0__symbol="show_stack",
        backtrace__1__symbol="dump_stack",
    ),
    inside(
        "backtrace-arm-short",
        " show_stack from dump_stack_lvl+0x2b/0x34",
        backtrace__0__symbol="show_stack",
        backtrace__1__symbol="dump_stack_lvl",
    ),
    inside(
        "backtrace-arm-no-symbols",
        "Function entered at [<c0012340>] from [<c0056789>]",
        backtrace__0__symbol="0xc0012340",
        backtrace__1__symbol="0xc0056789",
    ),
    inside("registers", " r7:0000000b r6:0009230c r5:0009237c r4:000922fc", backtrace=()),
    inside("registers-x86_64", "RIP: 0033:0x7f5ba27c6d6f", arch="x86_64"),
    inside("registers-i386", "EIP: 0x8048000", arch="i386"),
    # --- memory information
    begun("mem-info-arch", "Mem-info:", "lowmem_reserve[]: 0 0", kind="mem-info"),
    begun("mem-info-generic", "Mem-Info:", "lowmem_reserve[]: 0 0", kind="mem-info"),
    inside("percpu-zone", "Node 2 HighMem per-cpu:", lines={"request": 1, "zones.2.HighMem.percpu": 2}),
    inside(
        "percpu-list",
        "CPU    3: hi:  186, btch:  31 usd:  77",
        "Node 1 Normal per-cpu:",
        percpu__0__zone="Normal",
        percpu__0__node=1,
        percpu__0__cpu=3,
        percpu__0__high_pages=186,
        percpu__0__batch_pages=31,
        percpu__0__used_pages=77,
    ),
    inside(
        "percpu-hot-cold",
        "CPU    1: Hot: hi:  186, btch:  31 usd:   9   Cold: hi:   62, btch:  15 usd:  51",
        "DMA per-cpu:",
        percpu__0__high_pages=186,
        percpu__0__used_pages=9,
    ),
    inside(
        "percpu-hot-line",
        "cpu 0 hot: low 14, high 42, batch 7 used:20",
        "DMA per-cpu:",
        percpu__0__high_pages=42,
        percpu__0__used_pages=20,
    ),
    inside(
        "percpu-hot-line",
        "cpu 1 hot: low 2, high 6, batch 1",
        "DMA per-cpu:",
        percpu__0__used_pages=None,
        percpu__0__batch_pages=1,
    ),
    inside("percpu-cold-line", "cpu 0 cold: low 0, high 14, batch 7 used:8", "DMA per-cpu:", percpu=()),
    inside("free-pages", "Free pages:        1416kB (0kB HighMem)"),
    inside(
        "counters-one-line",
        "Active:14014 inactive:718 dirty:1 writeback:2 unstable:3 free:354 slab:468 mapped:1472 pagetables:58",
        counters__active=14014,
        counters__inactive=718,
        counters__pagetables=58,
    ),
    inside(
        "counters-Active",
        "Active:1234 inactive:567 dirty:8 writeback:9 unstable:10",
        counters__active=1234,
        counters__unstable=10,
    ),
    inside(
        "counters-Active_anon",
        "Active_anon:111 active_file:222 inactive_anon:333",
        counters__active_anon=111,
        counters__inactive_anon=333,
    ),
    inside(
        "counters",
        " free:44 slab:639 mapped:1724 pagetables:475 bounce:1",
        counters__free=44,
        counters__slab=639,
        counters__bounce=1,
    ),
    inside("counters", " inactive_file:7 noreclaim:8 dirty:20", counters__unevictable=8),
    inside("counters-isolated", "active_anon:11 inactive_anon:22 isolated_anon:33", counters__isolated_anon=33),
    inside("counters-unstable", " unevictable:1 dirty:2 writeback:3 unstable:4", counters__unstable=4),
    inside("counters-free_cma", " free_cma:77", counters__free_cma=77),
    inside("counters-free_pcp", " free:12856 free_pcp:235 free_cma:1", counters__free_pcp=235, counters__free=12856),
    inside(
        "counters-kernel_misc_reclaimable",
        " kernel_misc_reclaimable:12",
        counters__other={"kernel_misc_reclaimable": 12},
    ),
    inside(
        "counters-sec_pagetables",
        " sec_pagetables:3 bounce:4",
        counters__other={"sec_pagetables": 3},
        counters__bounce=4,
    ),
    inside(
        "zone-active",
        f"{ZONE} {OLD_ZONE}",
        zones__0__free_pages=1000,
        zones__0__marks__min=100,
        zones__0__marks__high=150,
        zones__0__present_pages=16384,
        zones__0__other_pages={"active": 25, "inactive": 50},
        zones__0__pages_scanned=3,
        zones__0__all_unreclaimable=False,
    ),
    inside(
        "zone-active_anon",
        f"Node 1 {ZONE} {LRU} present:65536kB pages_scanned:0 all_unreclaimable? yes",
        zones__0__node=1,
        zones__0__active_anon_pages=2,
        zones__0__inactive_file_pages=5,
        zones__0__unevictable_pages=6,
        zones__0__all_unreclaimable=True,
    ),
    inside(
        "zone-isolated",
        f"{ZONE} {LRU} isolated(anon):4kB isolated(file):8kB present:65536kB mlocked:12kB dirty:0kB writeback:0kB mapped:16kB "
        "shmem:20kB slab_reclaimable:24kB slab_unreclaimable:28kB kernel_stack:32kB pagetables:36kB unstable:0kB bounce:0kB "
        "writeback_tmp:0kB pages_scanned:44 all_unreclaimable? no",
        zones__0__isolated_anon_pages=1,
        zones__0__isolated_file_pages=2,
        zones__0__mlocked_pages=3,
        zones__0__pages_scanned=44,
    ),
    inside(
        "zone-free_cma",
        f"{ZONE} {LRU} isolated(anon):0kB isolated(file):0kB present:65536kB mlocked:0kB bounce:0kB free_cma:40kB "
        "writeback_tmp:0kB pages_scanned:0 all_unreclaimable? no",
        zones__0__free_cma_pages=10,
    ),
    inside(
        "zone-managed",
        f"{ZONE} {LRU} isolated(anon):0kB isolated(file):0kB present:65536kB managed:61440kB mlocked:0kB bounce:0kB "
        "free_cma:0kB writeback_tmp:0kB pages_scanned:0 all_unreclaimable? no",
        zones__0__managed_pages=15360,
    ),
    inside(
        "zone-free_pcp",
        f"{ZONE} {LRU} isolated(anon):0kB isolated(file):0kB present:65536kB managed:61440kB mlocked:0kB bounce:0kB "
        "free_pcp:48kB local_pcp:4kB free_cma:0kB writeback_tmp:0kB pages_scanned:0 all_unreclaimable? no",
        zones__0__managed_pages=15360,
    ),
    inside(
        "zone-writepending-slab",
        f"{ZONE} {LRU} writepending:4kB present:65536kB managed:61440kB mlocked:0kB slab_reclaimable:0kB "
        "slab_unreclaimable:8kB kernel_stack:0kB pagetables:0kB bounce:0kB free_pcp:8kB local_pcp:0kB free_cma:0kB",
        zones__0__managed_pages=15360,
    ),
    inside(
        "zone-writepending",
        f"{ZONE} {LRU} writepending:4kB present:65536kB managed:61440kB mlocked:0kB bounce:0kB free_pcp:8kB "
        "local_pcp:0kB free_cma:0kB",
        zones__0__managed_pages=15360,
    ),
    inside(
        "zone-highatomic-kernel_stack",
        f"{ZONE} reserved_highatomic:2048KB {LRU} writepending:0kB present:65536kB managed:61440kB mlocked:0kB "
        "kernel_stack:0kB pagetables:0kB bounce:0kB free_pcp:0kB local_pcp:0kB free_cma:0kB",
        zones__0__reserved_highatomic_pages=512,
    ),
    inside(
        "zone-highatomic-pagetables",
        f"{ZONE} reserved_highatomic:2048KB {LRU} writepending:0kB present:65536kB managed:61440kB mlocked:0kB "
        "pagetables:0kB bounce:0kB free_pcp:0kB local_pcp:0kB free_cma:0kB",
        zones__0__reserved_highatomic_pages=512,
    ),
    inside(
        "zone-writepending-kernel_stack",
        f"Node 0 {ZONE} {LRU} writepending:4kB present:65536kB managed:61440kB mlocked:0kB kernel_stack:0kB pagetables:0kB "
        "bounce:0kB free_pcp:8kB local_pcp:0kB free_cma:0kB",
        zones__0__managed_pages=15360,
        zones__0__all_unreclaimable=None,
    ),
    inside(
        "zone-reserved_highatomic",
        f"{ZONE} reserved_highatomic:2048KB {LRU} writepending:0kB present:65536kB managed:61440kB mlocked:0kB bounce:0kB "
        "free_pcp:0kB local_pcp:0kB free_cma:0kB",
        zones__0__reserved_highatomic_pages=512,
    ),
    inside(
        "zone-boost",
        f"Normal free:4000kB boost:2048kB min:400kB low:500kB high:600kB reserved_highatomic:0KB {LRU} writepending:0kB "
        "present:65536kB managed:61440kB mlocked:0kB bounce:0kB free_pcp:0kB local_pcp:0kB free_cma:0kB",
        zones__0__boost_pages=512,
        zones__0__marks__min=100,
    ),
    inside(
        "zone-free_highatomic",
        f"Normal free:4000kB boost:0kB min:400kB low:500kB high:600kB reserved_highatomic:4KB free_highatomic:4KB {LRU} "
        "writepending:0kB zspages:0kB present:65536kB managed:61440kB mlocked:0kB bounce:0kB free_pcp:0kB local_pcp:0kB free_cma:0kB",
        zones__0__reserved_highatomic_pages=1,
    ),
    inside(
        "node-pages_scanned",
        "Node 0 active_anon:392kB inactive_anon:668kB active_file:552kB inactive_file:904kB unevictable:4kB isolated(anon):0kB "
        "isolated(file):0kB mapped:7556kB dirty:0kB writeback:0kB shmem:109kB writeback_tmp:0kB unstable:0kB "
        "pages_scanned:7 all_unreclaimable? no",
        counters__other__node0_pages_scanned=7,
    ),
    inside(
        "node-unstable",
        "Node 1 active_anon:392kB inactive_anon:668kB active_file:552kB inactive_file:904kB unevictable:4kB isolated(anon):0kB "
        "isolated(file):0kB mapped:7556kB dirty:0kB writeback:0kB shmem:109kB shmem_thp: 0kB shmem_pmdmapped: 0kB anon_thp: 0kB "
        "writeback_tmp:0kB unstable:0kB all_unreclaimable? yes",
        counters__other__node1_mapped=1889,
        counters__other__node1_all_unreclaimable=1,
    ),
    inside(
        "node-kernel_stack",
        "Node 0 active_anon:188kB inactive_anon:196kB shmem:320kB writeback_tmp:0kB kernel_stack:584kB all_unreclaimable? no",
        counters__other__node0_shmem=80,
        counters__other__node0_kernel_stack=146,
    ),
    inside(
        "node-pagetables",
        "Node 0 active_anon:188kB inactive_anon:196kB kernel_stack:584kB pagetables:1648kB all_unreclaimable? no",
        counters__other__node0_pagetables=412,
    ),
    inside(
        "node-sec_pagetables",
        "Node 0 active_anon:188kB inactive_anon:196kB pagetables:1648kB sec_pagetables:4kB all_unreclaimable? no",
        counters__other__node0_sec_pagetables=1,
    ),
    inside(
        "node-Balloon",
        "Node 0 active_anon:188kB inactive_anon:196kB pagetables:16kB sec_pagetables:4kB all_unreclaimable? no Balloon:8kB",
        counters__other__node0_Balloon=2,
    ),
    inside(
        "lowmem-reserve", "lowmem_reserve[]: 0 158 158", f"{ZONE} {OLD_ZONE}", zones__0__reserve_pages=(0, 158, 158)
    ),
    inside(
        "blocks",
        "Normal: 3*4kB 2*8kB 1*16kB 0*32kB = 44kB",
        zones__0__free_blocks=(3, 2, 1, 0),
        zones__0__printed_total_kb=44,
        zones__0__block_types=None,
    ),
    inside(
        "blocks",
        "Node 3 DMA: 3*64kB 2*128kB 1*256kB = 704kB",
        page_kb=64,
        zones__0__free_blocks=(3, 2, 1),
        zones__0__node=3,
    ),
    inside(
        "blocks-types",
        "Node 0 DMA32: 3*4kB (UME) 2*8kB (R) 1*16kB (C) 0*32kB = 44kB",
        zones__0__free_blocks=(3, 2, 1, 0),
        zones__0__block_types=("UME", "R", "C", ""),
    ),
    inside("blocks-empty", "HighMem: empty", zones=()),
    inside("hugepages", "Node 0 hugepages_total=0 hugepages_free=0 hugepages_surp=0 hugepages_size=2048kB"),
    inside("trailer-pagecache", "26591 total pagecache pages", trailer__pagecache_pages=26591),
    inside("trailer-shared", "44 pages shared", trailer__shared_count=44),
    inside("trailer-lab126", "892 shared page count", trailer__shared_count=892),
    inside("trailer-lab126", "19892 total user pages", trailer__vendor={"total user pages": 19892}),
    inside("trailer-hwpoisoned", "0 pages hwpoisoned", trailer__vendor={"pages hwpoisoned": 0}),
    inside("trailer-cma", "57344 pages cma reserved", trailer__vendor={"pages cma reserved": 57344}),
    inside("trailer-arch", "65536 pages of RAM", trailer__ram_pages=65536),
    inside("trailer-arch", "10471 free pages", trailer__zero_count_pages=10471),
    inside("trailer-arm", "639 slab pages", trailer__slab_pages=639),
    inside("trailer-generic", "4096 pages RAM", trailer__ram_pages=4096),
    inside("trailer-non-shared", "77 pages non-shared", trailer__nonshared_pages=77),
    inside("trailer-pagetable-cache", "3 pages in pagetable cache", trailer__vendor={"pages in pagetable cache": 3}),
    inside("trailer-generic", "12 pages HighMem", trailer__highmem_pages=12),
    inside("trailer-movable", "13 pages HighMem/MovableOnly", trailer__highmem_pages=13),
    inside(
        "trailer-unknown", "512 pages of vendor pool", "4096 pages RAM", trailer__vendor={"pages of vendor pool": 512}
    ),
    inside("swap-cache", "5650 pages in swap cache", swap__cache_pages=5650),
    inside(
        "swap-stats",
        "Swap cache stats: add 14, delete 13, find 12/15",
        swap__added=14,
        swap__deleted=13,
        swap__found=12,
        swap__find_total=15,
    ),
    inside(
        "swap-stats-race",
        "Swap cache: add 5689, delete 5485, find 583/725, race 0+0",
        swap__added=5689,
        swap__find_total=725,
    ),
    inside("swap-size", "Free swap  = 255420kB", swap__free_kb=255420),
    inside("swap-size", "Total swap = 262136kB", swap__total_kb=262136),
    inside("swap-size-old", "Free swap:       255424kB", swap__free_kb=255424),
    inside("slab-block", "Unreclaimable slab info:"),
    inside("slab-block", "kmalloc-4k               860KB        992KB"),
    inside("allocation-profile", "Memory allocations:"),
    inside("allocation-profile", "    78.6 MiB   120000 mm/slub.c:1891 func:alloc_slab_page"),
    # --- masks, whose bits were renumbered
    alone("gfp-bits-4.4", "x invoked oom-killer: gfp_mask=0x24000c0(GFP_KERNEL), order=0, oom_score_adj=0"),
    alone("gfp-bits-4.10", "x invoked oom-killer: gfp_mask=0x14000c0(GFP_KERNEL), order=0, oom_score_adj=0"),
    alone("gfp-bits-4.18", "x invoked oom-killer: gfp_mask=0x6000c0(GFP_KERNEL), order=0, oom_score_adj=0"),
    alone("gfp-bits-5.1", "x invoked oom-killer: gfp_mask=0x100cca(GFP_HIGHUSER_MOVABLE), order=0, oom_score_adj=0"),
    # --- tasks
    inside("tasks-state", "Tasks state (memory values in pages):"),
    inside("tasks-head", "[ pid ]   uid  tgid total_vm      rss name"),
    inside(
        "tasks-cpu-oom_adj",
        "[  410]    11   412      533       52   1     -17 my init",
        "[ pid ]   uid  tgid total_vm      rss cpu oom_adj name",
        tasks__0__pid=410,
        tasks__0__uid=11,
        tasks__0__tgid=412,
        tasks__0__total_vm_pages=533,
        tasks__0__rss_pages=52,
        tasks__0__cpu=1,
        tasks__0__oom_adj=-17,
        tasks__0__name="my init",
    ),
    inside(
        "tasks-cpu-oom_score_adj",
        "[  584]     0   584      722       18   0       0          -941 udhcpc",
        "[ pid ]   uid  tgid total_vm      rss cpu oom_adj oom_score_adj name",
        tasks__0__oom_adj=-941,
        tasks__0__name="udhcpc",
    ),
    inside(
        "tasks-nr_ptes",
        "[  273]     0   273     4869       50      13        7             5 upstart",
        "[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name",
        tasks__0__page_table_bytes=13 * 4096,
        tasks__0__swapents=7,
        tasks__0__oom_adj=5,
    ),
    inside(
        "tasks-nr_pmds",
        "[  273]     0   273     4869       50      13       3        7             5 upstart",
        "[ pid ]   uid  tgid total_vm      rss nr_ptes nr_pmds swapents oom_score_adj name",
        tasks__0__page_table_bytes=16 * 4096,
    ),
    inside(
        "tasks-pgtables_bytes",
        "[     72]     0    72      398       15     6144        2             0 syslogd",
        "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
        tasks__0__page_table_bytes=6144,
        tasks__0__swapents=2,
    ),
    inside(
        "tasks-rss_anon",
        "[    589]     0   589    16816       32        2       30         0    40960       21             9 winbindd",
        "[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name",
        tasks__0__rss_pages=32,
        tasks__0__page_table_bytes=40960,
        tasks__0__swapents=21,
        tasks__0__oom_adj=9,
        tasks__0__name="winbindd",
    ),
    inside(
        "tasks-row",
        "[  410]    11   412      533       52   1     -17 7 of 9",
        "[ pid ]   uid  tgid total_vm      rss cpu oom_adj name",
        tasks__0__name="7 of 9",
    ),
    # --- memory cgroups
    inside(
        "memcg-limit",
        "Task in /a/b killed as a result of limit of /a",
        kind="cgroup-oom",
        memcg__task_path="/a/b",
        memcg__limit_path="/a",
    ),
    inside(
        "memcg-usage",
        "memory: usage 1024kB, limit 2048kB, failcnt 7",
        memcg__usage_kb=1024,
        memcg__limit_kb=2048,
        memcg__failcnt=7,
    ),
    inside(
        "memcg-usage",
        "memory+swap: usage 96kB, limit 9007199254740988kB, failcnt 0",
        memcg__swap_usage_kb=96,
        memcg__swap_limit_kb=9007199254740988,
    ),
    inside("memcg-kmem", "kmem: usage 0kB, limit 9007199254740988kB, failcnt 0"),
    inside("memcg-stats", "Memory cgroup stats for /a: cache:80KB rss:516KB"),
    inside(
        "memcg-group-kill", "Tasks in /a/c are going to be killed due to memory.oom.group set", memcg__limit_path="/a/c"
    ),
    # --- the end
    begun(
        "chosen-children",
        "Out of Memory: Kill process 12 (sh) score 34 and children.",
        "Out of memory: Killed process 12 (sh).",
        kills__0__score=34,
        kills__0__pid=12,
    ),
    alone(
        "chosen-child",
        "Out of memory: kill process 12 (a (b) c) score 34 or a child",
        kills__0__name="a (b) c",
        kills__0__kind="chosen",
    ),
    inside(
        "chosen-child",
        "No available memory (MPOL_BIND): kill process 1 (x) score 2 or a child",
        kills__0__message="No available memory (MPOL_BIND)",
    ),
    alone(
        "chosen-sacrifice",
        "Memory cgroup out of memory: Kill process 12 (sh) score 34 or sacrifice child",
        kind="cgroup-oom",
    ),
    alone("killed-message", "Out of Memory: Killed process 30055 (cc1).", kills__0__pid=30055, kills__0__kind="killed"),
    alone("killed", "Killed process 22 (init)", kills__0__name="init", missing__0="header"),
    alone(
        "killed-vsz",
        "Killed process 22 (sh) vsz:400kB, anon-rss:300kB, file-rss:200kB",
        kills__0__total_vm_kb=400,
        kills__0__file_rss_kb=200,
    ),
    alone(
        "killed-total-vm",
        "Killed process 9682, UID 27, (mysqld) total-vm:473kB, anon-rss:37kB, file-rss:8kB",
        kills__0__anon_rss_kb=37,
        kills__0__name="mysqld",
    ),
    alone(
        "killed-shmem-rss",
        "Killed process 7 (x) total-vm:473kB, anon-rss:37kB, file-rss:8kB, shmem-rss:6kB",
        kills__0__shmem_rss_kb=6,
    ),
    alone(
        "killed-one-line",
        "Out of memory: Killed process 7 (x) total-vm:473kB, anon-rss:37kB, file-rss:8kB",
        kills__0__message="Out of memory",
    ),
    alone(
        "killed-pgtables",
        "Memory cgroup out of memory: Killed process 7 (x) total-vm:473kB, anon-rss:37kB, file-rss:8kB, shmem-rss:6kB, UID:0 pgtables:24kB oom_score_adj:-5",
        kind="cgroup-oom",
        kills__0__total_vm_kb=473,
    ),
    inside(
        "constraint",
        "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0-1,oom_memcg=/a,task_memcg=/a/b,task=Web Content,pid=93,uid=0",
        kind="cgroup-oom",
        kills__0__kind="constraint",
        kills__0__name="Web Content",
        kills__0__pid=93,
        memcg__limit_path="/a",
        memcg__task_path="/a/b",
        request__cpuset="/",
        request__mems_allowed="0-1",
    ),
    inside(
        "panic",
        "Kernel panic - not syncing: out of memory. panic_on_oom is selected",
        kind="oom-panic",
        kills__0__message="out of memory. panic_on_oom is selected",
    ),
    inside("panic", "Kernel panic - not syncing: Out of memory: compulsory panic_on_oom is enabled", kind="oom-panic"),
    inside(
        "panic",
        "Kernel panic - not syncing: Out of memory and no killable processes...",
        kind="oom-panic",
        kills__0__message="Out of memory and no killable processes",
    ),
    inside("panic-deadlocked", "Kernel panic - not syncing: System is deadlocked on memory", kind="oom-panic"),
    inside("no-victim", "Out of memory and no killable processes...", kind="oom", kills=()),
    alone("vm-fault", "VM: killing process my browser", kind="page-fault-kill", kills__0__name="my browser"),
    inside("reaper", "oom_reaper: reaped process 7 (x), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB"),
)
