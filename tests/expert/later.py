"""A small report of a later kernel, made up for the tests: 64 MB, one zone, no swap, every number computed by hand.

15000 managed pages; vm.min_free_kbytes 979, its default (isqrt(16 * 60000)), so MIN is 244 pages; the distance between
the marks is a quarter of that, 61 pages, which is more than 10/10000 of the zone.
"""

from oomadvisor.infer import build_state
from oomadvisor.model import SystemState
from oomadvisor.parse import read_incidents


def report(release: str = "5.10.20", *, order: int = 2, mask: str = "0xcc0(GFP_KERNEL)", large: str = "H") -> list[str]:
    """Return the lines; ``large``: the type of the one block of 16 kB that is free."""
    lines = f"""Linux version {release} (builder@host) (gcc) #1 PREEMPT
app invoked oom-killer: gfp_mask={mask}, order={order}, oom_score_adj=0
CPU: 0 PID: 300 Comm: app Not tainted {release} #1
Mem-Info:
active_anon:3000 inactive_anon:2000 isolated_anon:0
 active_file:0 inactive_file:0 isolated_file:0
 unevictable:0 dirty:0 writeback:0
 slab_reclaimable:200 slab_unreclaimable:900
 mapped:10 shmem:5 pagetables:60 bounce:0
 free:2000 free_pcp:0 free_cma:0
Node 0 active_anon:12000kB inactive_anon:8000kB active_file:0kB inactive_file:0kB unevictable:0kB isolated(anon):0kB \
isolated(file):0kB mapped:40kB dirty:0kB writeback:0kB shmem:20kB writeback_tmp:0kB kernel_stack:300kB \
all_unreclaimable? no
Normal free:8000kB min:976kB low:1220kB high:1464kB reserved_highatomic:0KB active_anon:12000kB inactive_anon:8000kB \
active_file:0kB inactive_file:0kB unevictable:0kB writepending:0kB present:65536kB managed:60000kB mlocked:0kB \
pagetables:240kB bounce:0kB free_pcp:0kB local_pcp:0kB free_cma:0kB
lowmem_reserve[]: 0 0
Normal: 1996*4kB (UM) 0*8kB 1*16kB ({large}) 0*32kB 0*64kB 0*128kB 0*256kB 0*512kB 0*1024kB 0*2048kB 0*4096kB = 8000kB
15 total pagecache pages
0 pages in swap cache
Swap cache stats: add 0, delete 0, find 0/0
Free swap  = 0kB
Total swap = 0kB
16384 pages RAM
0 pages HighMem/MovableOnly
1384 pages reserved
Tasks state (memory values in pages):
[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
[    100]     0   100      500      120    16384        0         -1000 watchd
[    300]   500   300     9000     4000    40960        0             0 app
oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,task=app,pid=300,\
uid=500
Out of memory: Killed process 300 (app) total-vm:36000kB, anon-rss:16000kB, file-rss:0kB, shmem-rss:0kB, UID:500 \
pgtables:40kB oom_score_adj:0
"""
    return lines.splitlines(keepends=True)


def state(
    release: str = "5.10.20", *, order: int = 2, mask: str = "0xcc0(GFP_KERNEL)", large: str = "H"
) -> SystemState:
    """Return the state of that report."""
    return build_state(
        next(iter(read_incidents(report(release, order=order, mask=mask, large=large), file="later.txt")))
    )
