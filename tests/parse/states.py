"""Made-up incidents of a 2.6.31 kernel, for properties."""

from collections.abc import Sequence
from random import Random

from hypothesis import strategies as st

from oomadvisor.model import Counters, Frame, Incident, Kill, Marks, PerCpu, Request, Swap, Task, Trailer, Zone
from tests.parse.render import Style, render

_SIZES = (0, 1, 7, 40, 5_000, 1 << 22)
_LAYOUTS = (("Normal",), ("DMA",), ("DMA", "Normal"), ("DMA", "Normal", "HighMem"))
#: Names as the kernel allows them; double blanks are left out, because web pages and mail collapse them.
_NAMES = ("init", "sh", "kworker/0:1", "Web Content", "a", "9p", "x.y-z_1", "sync svc 43", "migration/0", "(deleted)x")


def _pages(random: Random) -> int:
    return random.randint(0, random.choice(_SIZES))


def _named(random: Random, names: Sequence[str]) -> dict[str, int]:
    return {name: _pages(random) for name in names}


def make_zone(random: Random, name: str, node: int, index: int, slots: int, max_order: int, kb: int) -> Zone:
    blocks = tuple(random.randint(0, random.choice((0, 9, 3_000))) for _ in range(max_order))
    total = sum(count << order for order, count in enumerate(blocks))
    low = random.randint(0, 5_000)
    lists = _named(random, ("active_anon_pages", "inactive_anon_pages", "active_file_pages", "inactive_file_pages"))
    return Zone(
        name=name,
        node=node,
        index=index,
        present_pages=total + 1 + _pages(random),
        free_pages=total,
        marks=Marks(min=low, low=low + low // 4, high=low + low // 2),
        reserve_pages=(0,) * (index + 1) + tuple(random.randint(1, 10_000) for _ in range(slots - index - 1)),
        free_blocks=blocks,
        printed_total_kb=total * kb,
        unevictable_pages=_pages(random),
        pages_scanned=_pages(random),
        all_unreclaimable=random.random() < 0.5,
        **lists,
    )


def _make_task(random: Random) -> Task:
    return Task(
        pid=random.randint(1, 32_768),
        uid=random.randint(0, 65_535),
        tgid=random.randint(1, 32_768),
        total_vm_pages=_pages(random),
        rss_pages=_pages(random),
        cpu=random.randint(0, 63),
        oom_adj=random.randint(-17, 15),
        name=random.choice(_NAMES),
        line=0,
    )


def make_incident(seed: int, style: Style, *, numa: bool = False) -> Incident:
    """Return an incident whose sums are right, and of which a 2.6.31 report says everything but line numbers."""
    random = Random(seed)
    kb = random.choice((4, 4, 4, 16, 64))
    max_order = random.randint(9, 14)
    layout = random.choice(_LAYOUTS)
    zones = tuple(
        make_zone(random, name, node, index, len(layout) + 1, max_order, kb)
        for node in range(random.randint(2, 3) if numa else 1)
        for index, name in enumerate(layout)
    )
    failure = random.random() < 0.5
    lists = ("active_anon", "inactive_anon", "active_file", "inactive_file", "unevictable", "free")
    sums = {name: sum(getattr(zone, f"{name}_pages") for zone in zones) for name in lists}
    rest = _named(random, ("dirty", "writeback", "unstable", "slab", "mapped", "pagetables", "bounce"))
    trailer = ["pagecache_pages", "ram_pages", "reserved_pages", "shared_count"]
    trailer += ["zero_count_pages", "slab_pages", "swap_cached_pages"] if style == "arm" else ["nonshared_pages"]
    if style == "generic" and random.random() < 0.5:
        trailer.append("highmem_pages")
    victim = random.choice(_NAMES)
    chosen = Kill(kind="chosen", pid=_pages(random), name=victim, score=_pages(random), message="Out of memory", line=0)
    killed = Kill(kind="killed", pid=_pages(random), name=victim, line=0)
    symbols = random.sample(("out_of_memory", "__alloc_pages_nodemask", "do_fork", "sys_execve", "kmalloc_order"), 4)
    return Incident(
        kind="alloc-failure" if failure else "oom",
        file="made-up",
        line=1,
        last_line=1,
        page_kb=kb,
        request=Request(
            comm=random.choice(_NAMES),
            order=random.randint(0, 12),
            gfp_mask=random.getrandbits(22),
            oom_adj=None if failure else random.randint(-17, 15),
            oom_adj_label=None if failure else "oomkilladj",
        ),
        backtrace=tuple(Frame(symbol=symbol, raw=f"{symbol}+0x18/0x40", line=0) for symbol in symbols),
        percpu=tuple(
            PerCpu(zone=zone.name, node=zone.node, cpu=cpu, high_pages=18, batch_pages=3, used_pages=_pages(random))
            for zone in zones
            for cpu in range(random.randint(1, 3))
        ),
        counters=Counters(**sums, **rest),
        zones=zones,
        swap=Swap(**_named(random, ("cache_pages", "added", "deleted", "found", "find_total", "free_kb", "total_kb"))),
        trailer=Trailer(**_named(random, trailer)),
        tasks=() if failure else tuple(_make_task(random) for _ in range(random.randint(0, 4))),
        kills=() if failure else (chosen, killed),
    )


def _made(style: Style, numa: bool, seed: int) -> tuple[Incident, list[str]]:
    state = make_incident(seed, style, numa=numa)
    return state, render(state, style, numa=numa)


#: An incident and its lines. Built from one seed, because drawing each of its hundreds of numbers takes ten times longer.
reports = st.builds(_made, st.sampled_from(["arm", "generic"]), st.booleans(), st.integers(0, 1 << 32))
