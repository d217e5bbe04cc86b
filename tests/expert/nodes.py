"""A small report of a box with two memory nodes, made up for the tests, every number computed by hand.

Node 0 has a DMA32 and a Normal zone of 100000 pages each, node 1 a Normal zone of 200000: 400000 pages share in
vm.min_free_kbytes = 8000, which are 2000 pages, so their MIN marks are 500, 500 and 1000, and LOW and HIGH lie a quarter
and a half above. DMA32 keeps 100000 / 256 = 390 pages from requests for Normal: those of its own node count, no others.
"""

from oomadvisor.infer import build_state
from oomadvisor.model import SystemState
from oomadvisor.parse import read_incidents

FREE = (811, 487, 90013)
"""Free pages of Node 0 DMA32, Node 0 Normal, Node 1 Normal: below MIN, below MIN, nearly half of the zone."""

OLD_TAIL = (
    "dirty:0kB writeback:0kB mapped:0kB shmem:0kB slab_reclaimable:0kB slab_unreclaimable:0kB kernel_stack:0kB "
    "pagetables:0kB unstable:0kB bounce:0kB writeback_tmp:0kB pages_scanned:0 all_unreclaimable? yes"
)

HEADS = {
    "2.6.34": "app invoked oom-killer: gfp_mask=0x200da, order={order}, oom_adj=0",
    "4.9.100": "app invoked oom-killer: gfp_mask=0x24200ca(GFP_HIGHUSER_MOVABLE), nodemask={nodes}, order={order}, "
    "oom_score_adj=0",
    "5.10.20": "app invoked oom-killer: gfp_mask=0x100cca(GFP_HIGHUSER_MOVABLE), order={order}, oom_score_adj=0",
}


def report(
    release: str = "2.6.34",
    *,
    free: tuple[int, int, int] = FREE,
    order: int = 0,
    nodes: str = "(null)",
    mems_allowed: str = "0-1",
    constraint: str | None = None,
    counted: int | None = None,
    missing: str = "no such zone",
) -> list[str]:
    """Return the lines. ``counted``: the free counter, else the sum; ``missing``: a zone whose lines are left out."""
    managed = release != "2.6.34"
    lines = [
        f"Linux version {release} (builder@host) (gcc) #1 SMP",
        HEADS[release].format(order=order, nodes=nodes),
        f"app cpuset=/ mems_allowed={mems_allowed}",
        f"Pid: 300, comm: app Not tainted {release} #1",
        "Mem-Info:",
        "active_anon:200000 inactive_anon:90000 isolated_anon:0",
        " active_file:20 inactive_file:10 isolated_file:0",
        " unevictable:0 dirty:0 writeback:0 unstable:0",
        " slab_reclaimable:300 slab_unreclaimable:2000",
        " mapped:10 shmem:5 pagetables:600 bounce:0",
        f" free:{sum(free) if counted is None else counted} free_cma:0",
    ]
    zones = (
        ("Node 0 DMA32", 100000, 500, "0 390 390", free[0]),
        ("Node 0 Normal", 100000, 500, "0 0 0", free[1]),
        ("Node 1 Normal", 200000, 1000, "0 0 0", free[2]),
    )
    for name, pages, low, reserve, left in zones:
        if name == missing:
            continue
        size = f"present:{4 * pages}kB" + (f" managed:{4 * pages}kB" if managed else "")
        lines.append(
            f"{name} free:{4 * left}kB min:{4 * low}kB low:{5 * low}kB high:{6 * low}kB active_anon:40kB "
            f"inactive_anon:40kB active_file:8kB inactive_file:4kB unevictable:0kB {size} mlocked:0kB "
            + ("bounce:0kB free_pcp:0kB local_pcp:0kB free_cma:0kB" if managed else OLD_TAIL)
        )
        lines.append(f"lowmem_reserve[]: {reserve}")
    for name, _, _, _, left in zones:
        if name != missing:
            letters = " (UM)" if managed else ""
            lines.append(
                f"{name}: {left}*4kB{letters} 0*8kB 0*16kB 0*32kB 0*64kB 0*128kB 0*256kB 0*512kB 0*1024kB 0*2048kB "
                f"0*4096kB = {4 * left}kB"
            )
    lines += ["Free swap  = 0kB", "Total swap = 0kB", "402000 pages RAM"]
    if constraint is not None:
        lines.append(
            f"oom-kill:constraint={constraint},nodemask={nodes},cpuset=/,mems_allowed={mems_allowed},global_oom,"
            "task_memcg=/,task=app,pid=300,uid=500"
        )
    lines.append("Out of memory: Killed process 300 (app) total-vm:36000kB, anon-rss:16000kB, file-rss:0kB")
    return [f"{line}\n" for line in lines]


def state(
    release: str = "2.6.34",
    *,
    free: tuple[int, int, int] = FREE,
    order: int = 0,
    nodes: str = "(null)",
    mems_allowed: str = "0-1",
    constraint: str | None = None,
    counted: int | None = None,
    missing: str = "no such zone",
) -> SystemState:
    """Return the state of that report."""
    lines = report(
        release,
        free=free,
        order=order,
        nodes=nodes,
        mems_allowed=mems_allowed,
        constraint=constraint,
        counted=counted,
        missing=missing,
    )
    return build_state(next(iter(read_incidents(lines, file="nodes.txt"))))
