"""The first screen of the advice for a dozen kinds of incident, kept as text: ``python -m tests.expert.first_screens``.

Run as a module it writes the files in ``screens/`` anew; then they have to be read aloud. The inputs are our own runs,
or reports that are put together here so that what is wrong is known.
"""

import gzip
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from oomadvisor import __version__
from oomadvisor.advise import advise
from oomadvisor.book import load_book
from oomadvisor.infer import build_state, state_from_proc
from oomadvisor.kernel.marks import setup_per_zone_wmarks
from oomadvisor.model import Advice, SystemState
from oomadvisor.parse import read_incidents, read_proc_paths
from oomadvisor.parse.proc import read_proc_lines
from oomadvisor.present.text import render_advice

TESTS = Path(__file__).parents[1]
SCREENS = Path(__file__).parent / "screens"
WIDTH = 80
END = re.compile(r"^(THE CHECK|WHERE THE MEMORY IS|SETTINGS|CAUSES)")
"""Where the first screen ends: what follows is the proof."""

PRESENT = {"DMA": 24384, "Normal": 40640}
ORDERS = 11


@dataclass(frozen=True)
class Box:
    """A 256 MB ARM box of 2.6.31 at the moment of a report. Sizes in pages; ``blocks`` by zone and order."""

    head: str
    stack: tuple[str, ...]
    blocks: Mapping[str, tuple[int, ...]]
    min_free_kbytes: int = 2039
    anon: int = 40000
    file: tuple[int, int] = (2, 3)
    unevictable: int = 0
    dirty: int = 0
    writeback: int = 0
    slab: int = 700
    mapped: int = 3
    pagetables: int = 300
    pagecache: int = 60
    swap_kb: tuple[int, int] = (0, 0)
    tail: tuple[str, ...] = ()
    before: tuple[str, ...] = ()

    def text(self) -> str:
        """Return the report as ARM prints it; the zones share what is not free in proportion to their size."""
        names = ("DMA", "Normal", "Movable")
        marks = setup_per_zone_wmarks(names, (*PRESENT.values(), 0), self.min_free_kbytes)
        free = {zone: sum(n << o for o, n in enumerate(blocks)) for zone, blocks in self.blocks.items()}
        total = sum(PRESENT.values())
        lines = ["Linux version 2.6.31.12 (gcc version 4.3.2) #1 Mon Jan 4 10:00:00 UTC 2010", *self.before, self.head]
        lines += ["Backtrace: ", *self._stack(), "Mem-info:"]
        for zone, high, batch in (("DMA", 18, 3), ("Normal", 42, 7)):
            lines += [f"{zone} per-cpu:", f"CPU    0: hi:{high:5}, btch:{batch:4} usd:   0"]
        lines += [
            f"Active_anon:{self.anon // 2} active_file:{self.file[0]} inactive_anon:{self.anon - self.anon // 2}",
            f" inactive_file:{self.file[1]} unevictable:{self.unevictable} dirty:{self.dirty} "
            f"writeback:{self.writeback} unstable:0",
            f" free:{sum(free.values())} slab:{self.slab} mapped:{self.mapped} pagetables:{self.pagetables} bounce:0",
        ]
        for index, (zone, present) in enumerate(PRESENT.items()):
            share = [n * present // total * 4 for n in (self.anon // 2, self.anon - self.anon // 2, *self.file)]
            mark = marks[index]
            lines += [
                f"{zone} free:{free[zone] * 4}kB min:{mark.min * 4}kB low:{mark.low * 4}kB high:{mark.high * 4}kB "
                f"active_anon:{share[0]}kB inactive_anon:{share[1]}kB active_file:{share[2]}kB "
                f"inactive_file:{share[3]}kB unevictable:{self.unevictable * present // total * 4}kB "
                f"present:{present * 4}kB pages_scanned:0 all_unreclaimable? no",
                f"lowmem_reserve[]: {'0 158 158' if zone == 'DMA' else '0 0 0'}",
            ]
        for zone, blocks in self.blocks.items():
            padded = (*blocks, *(0,) * (ORDERS - len(blocks)))
            terms = " ".join(f"{n}*{4 << o}kB" for o, n in enumerate(padded))
            lines.append(f"{zone}: {terms} = {free[zone] * 4}kB")
        lines += [
            f"{self.pagecache} total pagecache pages",
            "0 pages in swap cache",
            "Swap cache stats: add 0, delete 0, find 0/0",
            f"Free swap  = {self.swap_kb[0]}kB",
            f"Total swap = {self.swap_kb[1]}kB",
            "65536 pages of RAM",
            f"{sum(free.values()) + 60} free pages",
            "901 reserved pages",
            f"{self.slab} slab pages",
            "90 pages shared",
            "0 pages swap cached",
            *self.tail,
        ]
        return "".join(f"{line}\n" for line in lines)

    def _stack(self) -> list[str]:
        return [
            f"[<c0012340>] ({callee}+0x0/0x40) from [<c0045678>] ({caller}+0x10/0x40)"
            for callee, caller in zip(self.stack, self.stack[1:], strict=False)
        ]


PAGE_FAULT = ("__alloc_pages_nodemask", "do_wp_page", "handle_mm_fault", "do_page_fault", "do_DataAbort")
READAHEAD = ("__alloc_pages_nodemask", "__do_page_cache_readahead", "ra_submit", "filemap_fault", "do_page_fault")
NETWORK = (
    "__alloc_pages_nodemask",
    "cache_grow",
    "kmem_cache_alloc",
    "__alloc_skb",
    "dev_alloc_skb",
    "eth_rx",
    "net_rx_action",
)
AT_THE_FLOOR = {"DMA": (20, 10, 10, 8, 5, 3, 1), "Normal": (30, 20, 15, 12, 4, 1)}
KILLED = ("Out of memory: kill process 312 (player) score 21000 or a child", "Killed process 312 (player)")

BUILT: dict[str, Box] = {
    "interrupt-without-pages": Box(
        "swapper: page allocation failure. order:0, mode:0x20",
        NETWORK,
        {"DMA": (60, 20, 10, 5), "Normal": (30, 10, 5, 4)},
    ),
    "jumbo-frame": Box(
        "swapper: page allocation failure. order:2, mode:0x4020",
        NETWORK,
        {"DMA": (400, 60, 0, 0), "Normal": (500, 40, 0, 0)},
    ),
    "slab": Box(
        "httpd invoked oom-killer: gfp_mask=0x201da, order=0, oomkilladj=0",
        READAHEAD,
        AT_THE_FLOOR,
        anon=30000,
        slab=31000,
        tail=KILLED,
    ),
    "initramfs": Box(
        "httpd invoked oom-killer: gfp_mask=0x201da, order=0, oomkilladj=0",
        READAHEAD,
        AT_THE_FLOOR,
        anon=36000,
        unevictable=25000,
        pagecache=25060,
        tail=KILLED,
    ),
    "swap-full": Box(
        "httpd invoked oom-killer: gfp_mask=0x200da, order=0, oomkilladj=0",
        PAGE_FAULT,
        AT_THE_FLOOR,
        anon=61000,
        swap_kb=(0, 65532),
        tail=KILLED,
    ),
    "page-leak": Box(
        "httpd invoked oom-killer: gfp_mask=0x201da, order=0, oomkilladj=0",
        READAHEAD,
        AT_THE_FLOOR,
        anon=30000,
        tail=KILLED,
    ),
}

CGROUP = """\
Linux version 2.6.31.12 (gcc version 4.3.2) #1 Mon Jan 4 10:00:00 UTC 2010
worker invoked oom-killer: gfp_mask=0xd0, order=0, oomkilladj=0
Task in /box killed as a result of limit of /box
memory: usage 16384kB, limit 16384kB, failcnt 51
memory+swap: usage 16384kB, limit 9007199254740991kB, failcnt 0
Memory cgroup out of memory: kill process 77 (worker) score 4100 or a child
Killed process 77 (worker)
"""


@dataclass(frozen=True)
class Screen:
    """One input: a file of ours and the incident in it, a text, or /proc files."""

    path: str | None = None
    incident: int = 1
    text: str | None = None
    proc: str | None = None
    extra: dict[str, str] = field(default_factory=dict)


SLABINFO = """\
slabinfo - version: 2.1
# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>
jffs2_refblock    440000 442000    248   16    1 : tunables  120   60    0 : slabdata  27625  27625      0
dentry              4000   4060    128   30    1 : tunables  120   60    0 : slabdata    135    135      0
"""

INPUTS: dict[str, Screen] = {
    "raised-mark": Screen("reports/seed-2.6.31-arm-order2.txt"),
    "process-too-big": Screen("reports/arm-2.6.31.12-order0-process-too-big.txt"),
    "tmpfs-beside-a-process": Screen("reports/arm-2.6.31.12-order0-process-beside-tmpfs.txt"),
    "raised-mark-single-pages": Screen("runs/cases/order0.log.gz", 3),
    "panic-by-setting": Screen("reports/arm-2.6.31.12-panic-on-oom.txt"),
    "driver-wants-64-kb": Screen("reports/arm-2.6.31.12-order4-probe-failure.txt"),
    "dma-only": Screen("runs/cases/allocfail.log.gz", 5),
    "healthy": Screen(proc="reports/arm-2.6.31.12-proc-dump.txt"),
    "cgroup": Screen(text=CGROUP),
    "slab": Screen(text=BUILT["slab"].text(), extra={"slabinfo": SLABINFO}),
    **{name: Screen(text=box.text()) for name, box in BUILT.items() if name != "slab"},
}


def state_of(screen: Screen) -> SystemState:
    """Return the state that an input gives."""
    if screen.proc is not None:
        lines = (TESTS / screen.proc).read_text(encoding="utf-8").splitlines(keepends=True)
        return state_from_proc(read_proc_lines(lines, file=screen.proc), kernel="2.6.31.12")
    if screen.path is not None:
        path = TESTS / screen.path
        text = gzip.decompress(path.read_bytes()).decode(errors="replace") if path.suffix == ".gz" else path.read_text()
    else:
        text = screen.text or ""
    incidents = list(read_incidents(text.splitlines(keepends=True), file=screen.path or "kern.log"))
    proc = None
    if screen.extra:
        with TemporaryDirectory() as folder:
            for name, content in screen.extra.items():
                (Path(folder) / name).write_text(content)
            proc = read_proc_paths([folder])
    return build_state(incidents[screen.incident - 1], proc=proc)


def first_screen(screen: Screen) -> str:
    """Return the advice down to where the proof begins."""
    advice = Advice(
        incidents=(advise(state_of(screen), load_book(())),), incidents_found=1, engine="", version=__version__
    )
    lines = render_advice(advice, width=WIDTH, colour=False).splitlines()
    end = next((n for n, line in enumerate(lines) if END.match(line)), len(lines))
    return "".join(f"{line}\n" for line in lines[:end]).rstrip("\n") + "\n"


def main() -> None:
    """Write every screen anew."""
    for name, screen in INPUTS.items():
        (SCREENS / f"{name}.txt").write_text(first_screen(screen), encoding="utf-8")
        print(f"screens/{name}.txt")


if __name__ == "__main__":
    main()
