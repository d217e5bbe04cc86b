"""Reports of all kernels from 2.6.13 to 6.18, rendered from random numbers: the inverse of the parser.

A family is the kernels that print a report alike; what it prints is said here line by line, apart from the parser's
patterns. ``rendered`` gives the lines, and beside them what must be read from them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

LRU = "active_anon inactive_anon active_file inactive_file"
_ZONE_2632 = (
    f"{LRU} unevictable isolated(anon) isolated(file) present mlocked dirty writeback mapped shmem slab_reclaimable "
    "slab_unreclaimable kernel_stack pagetables unstable bounce writeback_tmp"
)
_COUNTERS_2632 = (
    "active_anon inactive_anon isolated_anon",
    "active_file inactive_file isolated_file",
    "unevictable dirty writeback unstable",
    "free slab_reclaimable slab_unreclaimable",
    "mapped shmem pagetables bounce",
)
_COUNTERS_41 = (*_COUNTERS_2632[:3], "slab_reclaimable slab_unreclaimable", _COUNTERS_2632[4], "free free_pcp free_cma")
_COUNTERS_58 = (*_COUNTERS_41[:2], "unevictable dirty writeback", *_COUNTERS_41[3:])
_COUNTERS_515 = (*_COUNTERS_58[:5], "kernel_misc_reclaimable", _COUNTERS_58[5])
_COUNTERS_61 = (
    *_COUNTERS_58[:4],
    "mapped shmem pagetables",
    "sec_pagetables bounce",
    "kernel_misc_reclaimable",
    _COUNTERS_58[5],
)
_NODE_48 = f"{LRU} unevictable isolated(anon) isolated(file) mapped dirty writeback shmem writeback_tmp unstable"
_NODE_511 = f"{LRU} unevictable isolated(anon) isolated(file) mapped dirty writeback shmem writeback_tmp kernel_stack pagetables"
_TAIL_48 = "bounce free_pcp local_pcp free_cma"
_OLD_KILL = ("Out of memory: Kill process {pid} ({name}) score {score} or sacrifice child",)


@dataclass(frozen=True)
class Family:
    """What the kernels from ``since`` to ``until`` print. Names in braces are filled in; zone sizes are in kB."""

    name: str
    since: tuple[int, ...]
    until: tuple[int, ...] | None
    head: str
    counters: tuple[str, ...]
    zone: str
    kill: tuple[str, ...]
    failure: str
    task_head: str = "Pid: {pid}, comm: {comm} Not tainted {release} #1"
    percpu: str | None = "CPU {cpu:4}: hi:{high:5}, btch:{batch:4} usd:{used:4}"
    before_min: str = ""
    after_high: str = ""
    zone_end: str = " pages_scanned:{scanned} all_unreclaimable? {stuck}"
    node: str | None = None
    node_end: str = " all_unreclaimable? no"
    block_types: str = ""
    swap: tuple[str, ...] = (
        "{cache} pages in swap cache",
        "Swap cache stats: add {add}, delete {delete}, find {find}/{total}",
    )
    trailer: tuple[str, ...] = (
        "{ram} pages RAM",
        "{reserved} pages reserved",
        "{shared} pages shared",
        "{nonshared} pages non-shared",
    )
    tasks: str | None = None
    free_pages_line: bool = False
    names: str = ""
    release: str = ""


_H36 = "{comm} invoked oom-killer: gfp_mask=0x{mask:x}, order={order}, oom_adj={old_adj}, oom_score_adj={adj}"
_H37 = "{comm} invoked oom-killer: gfp_mask=0x{mask:x}, order={order}, oom_score_adj={adj}"
_H49 = "{comm} invoked oom-killer: gfp_mask=0x{mask:x}({names}), nodemask=(null),  order={order}, oom_score_adj={adj}"
_H50 = "{comm} invoked oom-killer: gfp_mask=0x{mask:x}({names}), order={order}, oom_score_adj={adj}"
_NEW_HEAD = "CPU: 1 PID: {pid} Comm: {comm} Not tainted {release} #1"
_SUMMARY = (
    "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,task={name},"
    "pid={pid},uid=0"
)
_KILL_RSS = "Killed process {pid} ({name}) total-vm:{vm}kB, anon-rss:{anon}kB, file-rss:{file}kB"
_TRAILER_310 = ("{ram} pages RAM", "{highmem} pages HighMem/MovableOnly", "{reserved} pages reserved")
_NEW_SWAP = ("{cache} pages in swap cache",)

FAMILIES: tuple[Family, ...] = (
    Family(
        "2.6.13-2.6.18",
        (2, 6, 13),
        (2, 6, 18),
        "oom-killer: gfp_mask=0x{mask:x}, order={order}",
        ("Active inactive dirty writeback unstable free slab mapped pagetables",),
        "active inactive present",
        (
            "Out of Memory: Kill process {pid} ({name}) score {score} and children.",
            "Out of memory: Killed process {pid} ({name}).",
        ),
        "{comm}: page allocation failure. order:{order}, mode:0x{mask:x}",
        percpu="cpu {cpu} hot: high {high}, batch {batch} used:{used}\ncpu {cpu} cold: high 62, batch 15 used:9",
        swap=("Swap cache: add {add}, delete {delete}, find {find}/{total}, race 0+0",),
        trailer=(
            "{ram} pages of RAM",
            "{reserved} reserved pages",
            "{shared} pages shared",
            "{cached} pages swap cached",
        ),
        free_pages_line=True,
        release="2.6.16",
    ),
    Family(
        "2.6.21-2.6.24",
        (2, 6, 21),
        (2, 6, 24),
        "{comm} invoked oom-killer: gfp_mask=0x{mask:x}, order={order}, oomkilladj={old_adj}",
        ("Active inactive dirty writeback unstable", "free slab mapped pagetables bounce"),
        "active inactive present",
        ("Out of memory: kill process {pid} ({name}) score {score} or a child", "Killed process {pid} ({name})"),
        "{comm}: page allocation failure. order:{order}, mode:0x{mask:x}",
        percpu="CPU {cpu:4}: Hot: hi:{high:5}, btch:{batch:4} usd:{used:4}   Cold: hi:   62, btch:  15 usd:   9",
        swap=("Swap cache: add {add}, delete {delete}, find {find}/{total}, race 0+0",),
        trailer=(
            "{ram} pages of RAM",
            "{reserved} reserved pages",
            "{shared} pages shared",
            "{cached} pages swap cached",
        ),
        release="2.6.22",
    ),
    Family(
        "2.6.28-2.6.31",
        (2, 6, 28),
        (2, 6, 31),
        "{comm} invoked oom-killer: gfp_mask=0x{mask:x}, order={order}, oomkilladj={old_adj}",
        (
            "Active_anon active_file inactive_anon",
            "inactive_file unevictable dirty writeback unstable",
            "free slab mapped pagetables bounce",
        ),
        f"{LRU} unevictable present",
        ("Out of memory: kill process {pid} ({name}) score {score} or a child", "Killed process {pid} ({name})"),
        "{comm}: page allocation failure. order:{order}, mode:0x{mask:x}",
        tasks="uid tgid total_vm rss cpu oom_adj",
        release="2.6.29.4",
    ),
    Family(
        "2.6.33-2.6.35",
        (2, 6, 33),
        (2, 6, 35),
        "{comm} invoked oom-killer: gfp_mask=0x{mask:x}, order={order}, oom_adj={old_adj}",
        _COUNTERS_2632,
        _ZONE_2632,
        (
            "Out of memory: kill process {pid} ({name}) score {score} or a child",
            "Killed process {pid} ({name}) vsz:{vm}kB, anon-rss:{anon}kB, file-rss:{file}kB",
        ),
        "{comm}: page allocation failure. order:{order}, mode:0x{mask:x}",
        tasks="uid tgid total_vm rss cpu oom_adj",
        release="2.6.34",
    ),
    Family(
        "2.6.36-3.5",
        (2, 6, 36),
        (3, 5),
        _H36,
        _COUNTERS_2632,
        _ZONE_2632,
        ("Out of memory: Kill process {pid} ({name}) score {score} or sacrifice child", _KILL_RSS),
        "{comm}: page allocation failure. order:{order}, mode:0x{mask:x}",
        tasks="uid tgid total_vm rss cpu oom_adj oom_score_adj",
        release="2.6.38",
    ),
    Family(
        "3.8-3.11",
        (3, 8),
        (3, 11),
        _H37,
        (*_COUNTERS_2632, "free_cma"),
        _ZONE_2632.replace("present", "present managed").replace("bounce", "bounce free_cma"),
        ("Out of memory: Kill process {pid} ({name}) score {score} or sacrifice child", _KILL_RSS),
        "{comm}: page allocation failure: order:{order}, mode:0x{mask:x}",
        task_head="Pid: {pid}, comm: {comm} Not tainted {release} #1",
        block_types="UEMRCI",
        tasks="uid tgid total_vm rss nr_ptes swapents oom_score_adj",
        release="3.8.13",
    ),
    Family(
        "3.18-3.19",
        (3, 18),
        (3, 19),
        _H37,
        (*_COUNTERS_2632, "free_cma"),
        _ZONE_2632.replace("present", "present managed").replace("bounce", "bounce free_cma"),
        ("Out of memory: Kill process {pid} ({name}) score {score} or sacrifice child", _KILL_RSS),
        "{comm}: page allocation failure: order:{order}, mode:0x{mask:x}",
        task_head=_NEW_HEAD,
        block_types="UEMRC",
        trailer=(*_TRAILER_310, "{cma} pages cma reserved"),
        tasks="uid tgid total_vm rss nr_ptes swapents oom_score_adj",
        release="3.18.20",
    ),
    Family(
        "4.1-4.5",
        (4, 1),
        (4, 5),
        _H37,
        _COUNTERS_41,
        _ZONE_2632.replace("present", "present managed").replace("bounce", "bounce free_pcp local_pcp free_cma"),
        ("Out of memory: Kill process {pid} ({name}) score {score} or sacrifice child", _KILL_RSS),
        "{comm}: page allocation failure: order:{order}, mode:0x{mask:x}",
        task_head=_NEW_HEAD,
        percpu=None,
        block_types="UMEHC",
        trailer=(*_TRAILER_310, "{cma} pages cma reserved"),
        tasks="uid tgid total_vm rss nr_ptes nr_pmds swapents oom_score_adj",
        release="4.4.38",
    ),
    Family(
        "4.11-4.12",
        (4, 11),
        (4, 12),
        _H49,
        _COUNTERS_41,
        f"{LRU} unevictable writepending present managed mlocked slab_reclaimable slab_unreclaimable kernel_stack "
        f"pagetables {_TAIL_48}",
        (
            "Out of memory: Kill process {pid} ({name}) score {score} or sacrifice child",
            _KILL_RSS + ", shmem-rss:{shmem}kB",
        ),
        "{comm}: page allocation failure: order:{order}, mode:0x{mask:x}({names}), nodemask=(null)",
        task_head=_NEW_HEAD,
        percpu=None,
        zone_end="",
        node=_NODE_48,
        block_types="UMEHC",
        trailer=(*_TRAILER_310, "{cma} pages cma reserved"),
        tasks="uid tgid total_vm rss nr_ptes nr_pmds swapents oom_score_adj",
        names="GFP_KERNEL|__GFP_COMP",
        release="4.12.14",
    ),
    Family(
        "4.19-4.20",
        (4, 19),
        (4, 20),
        _H49,
        _COUNTERS_41,
        f"{LRU} unevictable writepending present managed mlocked kernel_stack pagetables {_TAIL_48}",
        (
            "Out of memory: Kill process {pid} ({name}) score {score} or sacrifice child",
            _KILL_RSS + ", shmem-rss:{shmem}kB",
        ),
        "{comm}: page allocation failure: order:{order}, mode:0x{mask:x}({names}), nodemask=(null)",
        task_head=_NEW_HEAD,
        percpu=None,
        zone_end="",
        node=_NODE_48,
        block_types="UMEHC",
        trailer=(*_TRAILER_310, "{cma} pages cma reserved"),
        tasks="uid tgid total_vm rss pgtables_bytes swapents oom_score_adj",
        names="GFP_HIGHUSER_MOVABLE|__GFP_ZERO",
        release="4.19.78",
    ),
    Family(
        "5.6-5.7",
        (5, 6),
        (5, 7),
        _H50,
        _COUNTERS_41,
        f"{LRU} unevictable writepending present managed mlocked kernel_stack pagetables {_TAIL_48}",
        (
            _SUMMARY,
            "Out of memory: " + _KILL_RSS + ", shmem-rss:{shmem}kB, UID:0 pgtables:{tables}kB oom_score_adj:{adj}",
        ),
        "{comm}: page allocation failure: order:{order}, mode:0x{mask:x}({names}), nodemask=(null),cpuset=/,mems_allowed=0",
        task_head=_NEW_HEAD,
        percpu=None,
        after_high=" reserved_highatomic:{highatomic}KB",
        zone_end="",
        node=_NODE_48,
        block_types="UMEHC",
        trailer=(*_TRAILER_310, "{cma} pages cma reserved"),
        tasks="uid tgid total_vm rss pgtables_bytes swapents oom_score_adj",
        names="GFP_KERNEL",
        release="5.6.4",
    ),
    Family(
        "5.17-6.0",
        (5, 17),
        (6, 0),
        _H50,
        _COUNTERS_515,
        f"{LRU} unevictable writepending present managed mlocked {_TAIL_48}",
        (
            _SUMMARY,
            "Out of memory: " + _KILL_RSS + ", shmem-rss:{shmem}kB, UID:0 pgtables:{tables}kB oom_score_adj:{adj}",
        ),
        "{comm}: page allocation failure: order:{order}, mode:0x{mask:x}({names}), nodemask=(null),cpuset=/,mems_allowed=0",
        task_head=_NEW_HEAD,
        percpu=None,
        before_min=" boost:{boost}kB",
        after_high=" reserved_highatomic:{highatomic}KB",
        zone_end="",
        node=_NODE_511,
        block_types="UMEHC",
        trailer=(*_TRAILER_310, "{cma} pages cma reserved", "0 pages hwpoisoned"),
        tasks="uid tgid total_vm rss pgtables_bytes swapents oom_score_adj",
        names="GFP_KERNEL_ACCOUNT",
        release="5.19.0",
    ),
    Family(
        "6.8-6.18",
        (6, 8),
        None,
        _H50,
        _COUNTERS_61,
        f"{LRU} unevictable writepending zspages present managed mlocked {_TAIL_48}",
        (
            _SUMMARY,
            "Out of memory: " + _KILL_RSS + ", shmem-rss:{shmem}kB, UID:0 pgtables:{tables}kB oom_score_adj:{adj}",
        ),
        "{comm}: page allocation failure: order:{order}, mode:0x{mask:x}({names}), nodemask=(null),cpuset=/,mems_allowed=0",
        task_head="CPU: 1 UID: 0 PID: {pid} Comm: {comm} Not tainted {release} #1",
        percpu=None,
        before_min=" boost:{boost}kB",
        after_high=" reserved_highatomic:{highatomic}KB free_highatomic:{freeatomic}KB",
        zone_end="",
        node=f"{_NODE_511} sec_pagetables",
        node_end=" all_unreclaimable? no Balloon:0kB",
        block_types="UMEHC",
        swap=_NEW_SWAP,
        trailer=(*_TRAILER_310, "{cma} pages cma reserved", "0 pages hwpoisoned"),
        tasks="uid tgid total_vm rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj",
        names="GFP_KERNEL",
        release="6.18.2",
    ),
)

_ATTRIBUTES = {
    "isolated(anon)": "isolated_anon_pages",
    "isolated(file)": "isolated_file_pages",
    "free_cma": "free_cma_pages",
    **{name: f"{name}_pages" for name in (*LRU.split(), "unevictable", "present", "managed", "mlocked")},
}
#: Counters that have no place of their own in the model.
_OTHER = ("sec_pagetables", "kernel_misc_reclaimable")
_SUMMED = (*LRU.split(), "unevictable", "active", "inactive")
_COMMS = ("sh", "init", "kworker/0:1", "Web Content", "a.b-c_d", "9p", "(deleted)x", "mkfs.ext4", "x" * 15)
_SIZES = (0, 9, 600, 70_000, 3_000_000)


@dataclass
class Report:
    """The lines of a report, and what must be read from it: paths into the incident and their values."""

    family: Family
    lines: list[str] = field(default_factory=list)
    expected: dict[str, object] = field(default_factory=dict)


def _pages(random: Random) -> int:
    return random.randint(0, random.choice(_SIZES))


def rendered(family: Family, seed: int, *, failure: bool = False, numa: bool = False) -> Report:
    """Return a random report as the kernels of ``family`` print it."""
    random = Random(f"{family.name} {seed}")
    report = Report(family)
    report.lines += _head(report, random, failure)
    zones = _zones(report, random, numa)
    report.lines += _memory(report, random, zones)
    if not failure:
        report.lines += _tasks(report, random)
        report.lines += _kill(report, random)
    return report


def _head(report: Report, random: Random, failure: bool) -> Iterator[str]:
    family, expected = report.family, report.expected
    values = {
        "comm": random.choice(_COMMS),
        "pid": random.randint(1, 4_000_000),
        "mask": random.choice((0xD0, 0x201DA, 0x24200CA, 0x14000C0)) if not family.names else _mask(family),
        "order": random.randint(0, 10),
        "adj": random.randint(-1000, 1000),
        "old_adj": random.randint(-17, 15),
        "names": family.names,
        "release": family.release,
    }
    template = family.failure if failure else family.head
    yield template.format(**values)
    yield family.task_head.format(**values)
    yield "Call Trace:"
    for symbol in ("dump_stack", "dump_header", "out_of_memory", "__alloc_pages_nodemask"):
        yield f" [<ffffffff8110{random.randint(0x1000, 0xFFFF):x}>] {symbol}+0x{random.randint(1, 255):x}/0x2f0"
    expected["kind"] = "alloc-failure" if failure else "oom"
    expected["request.order"], expected["request.gfp_mask"] = values["order"], values["mask"]
    expected["request.comm"] = values["comm"]
    expected["request.pid"] = values["pid"]
    expected["kernel_release"] = family.release
    expected["request.gfp_names"] = tuple(family.names.split("|")) if "{names}" in template else ()
    if "_adj=" in template or "killadj=" in template:
        expected["request.oom_adj"] = values["adj"] if "{adj}" in template else values["old_adj"]


def _mask(family: Family) -> int:
    """GFP_KERNEL in the bits of this kernel (include/linux/gfp.h)."""
    eras = (((5, 1), 0xCC0), ((4, 18), 0x6000C0), ((4, 10), 0x14000C0), ((4, 4), 0x24000C0))
    return next(mask for since, mask in eras if family.since >= since)


@dataclass
class _Zone:
    node: int
    name: str
    sizes: dict[str, int]
    blocks: list[int]
    reserve: list[int]


def _zones(report: Report, random: Random, numa: bool) -> list[_Zone]:
    names = random.choice((("Normal",), ("DMA", "Normal"), ("DMA", "DMA32", "Normal"), ("DMA", "Normal", "HighMem")))
    zones = []
    for node in range(2 if numa else 1):
        for index, name in enumerate(names):
            blocks = [random.randint(0, random.choice((0, 9, 3_000))) for _ in range(11)]
            free = sum(count << order for order, count in enumerate(blocks))
            low = random.randint(8, 50_000)
            sizes = {"free": free, "min": low, "low": low + low // 4, "high": low + low // 2}
            sizes |= {field_: _pages(random) for field_ in report.family.zone.split()}
            sizes["present"] = free + sum(sizes.get(list_, 0) for list_ in _SUMMED) + 100
            if "managed" in sizes:
                sizes["managed"] = sizes["present"] - 50
            reserve = [0] * (index + 1) + [random.randint(1, 9_999) for _ in range(len(names) - index)]
            zones.append(_Zone(node, name, sizes, blocks, reserve))
    return zones


def _memory(report: Report, random: Random, zones: list[_Zone]) -> Iterator[str]:
    family, expected = report.family, report.expected
    numa = max(zone.node for zone in zones) > 0 or family.node is not None
    yield "Mem-Info:" if family.since >= (2, 6, 28) else "Mem-info:"
    for zone in zones if family.percpu else ():
        yield f"{_label(zone, numa)} per-cpu:"
        for cpu in range(2):
            used = random.randint(0, 186)
            yield from (family.percpu or "").format(cpu=cpu, high=186, batch=31, used=used).split("\n")
            expected[f"percpu.{zone.node}.{zone.name}.{cpu}.sizes"] = (186, 31)
            expected[f"percpu.{zone.node}.{zone.name}.{cpu}.used"] = used
    yield from _counters(report, random, zones)
    for node in sorted({zone.node for zone in zones}) if family.node else ():
        sizes = {name: _pages(random) for name in (family.node or "").split()}
        yield f"Node {node}" + "".join(f" {name}:{4 * pages}kB" for name, pages in sizes.items()) + family.node_end
        expected |= {f"counters.other.node{node}.{name}": pages for name, pages in sizes.items()}
    for zone in zones:
        yield _zone_line(report, random, zone, numa)
        yield "lowmem_reserve[]:" + "".join(f" {pages}" for pages in zone.reserve)
    for zone in zones:
        terms = []
        for order, count in enumerate(zone.blocks):
            letters = "".join(letter for letter in family.block_types if random.random() < 0.4) if count else ""
            terms.append(f"{count}*{4 << order}kB" + (f" ({letters})" if letters else ""))
        yield f"{_label(zone, numa)}: {' '.join(terms)} = {4 * zone.sizes['free']}kB"
        expected[f"zones.{zone.node}.{zone.name}.free_blocks"] = tuple(zone.blocks)
    yield from _trailer(report, random)


def _label(zone: _Zone, numa: bool) -> str:
    return f"Node {zone.node} {zone.name}" if numa else zone.name


def _counters(report: Report, random: Random, zones: list[_Zone]) -> Iterator[str]:
    family = report.family
    if family.free_pages_line:
        yield f"Free pages: {4 * sum(zone.sizes['free'] for zone in zones):11}kB (0kB HighMem)"
    for number, row in enumerate(family.counters):
        words = []
        for name in row.split():
            summed = [zone.sizes.get(name.lower()) for zone in zones]
            known = [pages for pages in summed if pages is not None]
            value = sum(known) if name.lower() in (*_SUMMED, "free") and known else _pages(random)
            words.append(f"{name}:{value}")
            key = f"counters.other.{name}" if name in _OTHER else f"counters.{name.lower()}"
            report.expected[key] = value
        yield (" " if number else "") + " ".join(words)


def _zone_line(report: Report, random: Random, zone: _Zone, numa: bool) -> str:
    family, expected = report.family, report.expected
    part = f"zones.{zone.node}.{zone.name}"
    extra = {name: _pages(random) for name in ("boost", "highatomic", "freeatomic")}
    in_kb = {name: 4 * pages for name, pages in extra.items()}
    marks = "".join(f" {name}:{4 * zone.sizes[name]}kB" for name in ("min", "low", "high"))
    rest = "".join(f" {name}:{4 * zone.sizes[name]}kB" for name in family.zone.split())
    scanned, stuck = random.randint(0, 9_999), random.choice(("yes", "no"))
    expected[f"{part}.free_pages"] = zone.sizes["free"]
    expected[f"{part}.marks"] = tuple(zone.sizes[name] for name in ("min", "low", "high"))
    expected[f"{part}.reserve_pages"] = tuple(zone.reserve)
    for name in family.zone.split():
        attribute = _ATTRIBUTES.get(name)
        expected[f"{part}.{attribute or f'other_pages.{name}'}"] = zone.sizes[name]
    if family.before_min:
        expected[f"{part}.boost_pages"] = extra["boost"]
    if family.after_high:
        expected[f"{part}.reserved_highatomic_pages"] = extra["highatomic"]
    if family.zone_end:
        expected[f"{part}.all_unreclaimable"] = stuck == "yes"
        expected[f"{part}.pages_scanned"] = scanned
    return (
        f"{_label(zone, numa)} free:{4 * zone.sizes['free']}kB{family.before_min.format(**in_kb)}{marks}"
        f"{family.after_high.format(**in_kb)}{rest}{family.zone_end.format(scanned=scanned, stuck=stuck)}"
    )


def _trailer(report: Report, random: Random) -> Iterator[str]:
    family, expected = report.family, report.expected
    if family.since >= (2, 6, 25):
        pagecache = _pages(random)
        yield f"{pagecache} total pagecache pages"
        expected["trailer.pagecache_pages"] = pagecache
    swap = {name: _pages(random) for name in ("cache", "add", "delete", "find", "total")}
    for line in family.swap:
        yield line.format(**swap)
    places = {"cache": "cache_pages", "add": "added", "delete": "deleted", "find": "found", "total": "find_total"}
    printed = " ".join(family.swap)
    expected |= {f"swap.{place}": swap[name] for name, place in places.items() if f"{{{name}}}" in printed}
    free, total = 4 * _pages(random), 4 * _pages(random)
    yield f"Free swap  = {free}kB"
    yield f"Total swap = {total}kB"
    expected["swap.free_kb"], expected["swap.total_kb"] = free, total
    names = {
        "ram": "ram_pages",
        "reserved": "reserved_pages",
        "shared": "shared_count",
        "nonshared": "nonshared_pages",
        "highmem": "highmem_pages",
        "cached": "swap_cached_pages",
        "cma": "vendor.pages cma reserved",
    }
    values = {name: _pages(random) for name in names}
    for line in family.trailer:
        yield line.format(**values)
    printed = " ".join(family.trailer)
    expected |= {f"trailer.{place}": values[name] for name, place in names.items() if f"{{{name}}}" in printed}


def _tasks(report: Report, random: Random) -> Iterator[str]:
    columns = report.family.tasks
    if columns is None:
        return
    if report.family.since >= (4, 19):
        yield "Tasks state (memory values in pages):"
    yield f"[{'  pid  ' if report.family.since >= (4, 19) else ' pid '}] {columns.replace(' ', '  ')} name"
    for _ in range(random.randint(1, 4)):
        pid, name = random.randint(1, 4_000_000), random.choice(_COMMS)
        values = {column: random.randint(0, 99_999) for column in columns.split()}
        values["oom_score_adj"] = random.randint(-1000, 1000)
        yield f"[{pid:5}] " + " ".join(f"{values[column]:7}" for column in columns.split()) + f" {name}"
        report.expected[f"tasks.{pid}"] = (name, values["uid"], values["tgid"], values["total_vm"], values["rss"])


def _kill(report: Report, random: Random) -> Iterator[str]:
    values: dict[str, object] = {name: 4 * _pages(random) for name in ("vm", "anon", "file", "shmem", "tables")}
    values |= {"pid": random.randint(1, 4_000_000), "name": random.choice(_COMMS), "score": random.randint(1, 99_999)}
    values["adj"] = random.randint(-1000, 1000)
    values |= {"limit": "/lxc/web-1", "task": "/lxc/web-1/user.slice"}
    for line in report.family.kill:
        yield line.format(**values)
    report.expected["kill.pid"], report.expected["kill.name"] = values["pid"], values["name"]
    if "{vm}" in " ".join(report.family.kill):
        report.expected["kill.total_vm_kb"], report.expected["kill.anon_rss_kb"] = values["vm"], values["anon"]


@dataclass(frozen=True)
class Group:
    """What the kernels print when a memory cgroup hits its limit, without the report of the whole machine."""

    name: str
    release: str
    head: str
    task_head: str
    lines: tuple[str, ...]
    tasks: str
    kill: tuple[str, ...]


_V1_USAGE = (
    "Task in {task} killed as a result of limit of {limit}",
    "memory: usage {usage}kB, limit {max}kB, failcnt {failcnt}",
    "memory+swap: usage {swap}kB, limit {swapmax}kB, failcnt 0",
    "kmem: usage 0kB, limit 18014398509481983kB, failcnt 0",
    "Memory cgroup stats for {limit}: cache:0KB rss:{usage}KB rss_huge:0KB mapped_file:0KB swap:0KB",
)
_V2_USAGE = (
    "memory: usage {usage}kB, limit {max}kB, failcnt {failcnt}",
    "swap: usage {swap}kB, limit {swapmax}kB, failcnt 0",
    "Memory cgroup stats for {limit}:",
    "anon 1048576",
    "file 0",
    "kernel_stack 36864",
    "workingset_refault_anon 0",
)
_GROUP_SUMMARY = (
    "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg={limit},task_memcg={task},"
    "task={name},pid={pid},uid=0"
)
GROUPS: tuple[Group, ...] = (
    Group(
        "memcg v1, 3.10",
        "3.10.105",
        _H37,
        _NEW_HEAD,
        _V1_USAGE,
        "uid tgid total_vm rss nr_ptes swapents oom_score_adj",
        ("Memory cgroup out of memory: Kill process {pid} ({name}) score {score} or sacrifice child", _KILL_RSS),
    ),
    Group(
        "memcg v1, 4.19",
        "4.19.78",
        _H49,
        _NEW_HEAD,
        _V1_USAGE,
        "uid tgid total_vm rss pgtables_bytes swapents oom_score_adj",
        (
            "Memory cgroup out of memory: Kill process {pid} ({name}) score {score} or sacrifice child",
            _KILL_RSS + ", shmem-rss:{shmem}kB",
        ),
    ),
    Group(
        "memcg v2, 6.6",
        "6.6.9",
        _H50,
        _NEW_HEAD,
        _V2_USAGE,
        "uid tgid total_vm rss pgtables_bytes swapents oom_score_adj",
        (
            _GROUP_SUMMARY,
            "Memory cgroup out of memory: "
            + _KILL_RSS
            + ", shmem-rss:{shmem}kB, UID:0 pgtables:{tables}kB oom_score_adj:{adj}",
        ),
    ),
)


def rendered_group(group: Group, seed: int) -> Report:
    """Return a random report of a memory cgroup as the kernel of ``group`` prints it."""
    random = Random(f"{group.name} {seed}")
    release = tuple(int(part) for part in group.release.split("."))
    names = "" if "{names}" not in group.head else "GFP_KERNEL"
    family = Family(
        group.name,
        release,
        release,
        group.head,
        (),
        "",
        group.kill,
        group.head,
        group.task_head,
        tasks=group.tasks,
        names=names,
        release=group.release,
    )
    report = Report(family)
    report.lines += _head(report, random, failure=False)
    values: dict[str, object] = {name: 4 * _pages(random) for name in ("usage", "max", "swap", "swapmax")}
    values |= {"failcnt": random.randint(0, 99_999), "task": "/lxc/web-1/user.slice", "limit": "/lxc/web-1"}
    report.lines += [line.format(**values) for line in group.lines]
    places = {"usage": "usage_kb", "max": "limit_kb", "swap": "swap_usage_kb", "swapmax": "swap_limit_kb"}
    report.expected |= {f"memcg.{place}": values[name] for name, place in places.items()}
    report.expected |= {"memcg.failcnt": values["failcnt"], "memcg.limit_path": "/lxc/web-1", "kind": "cgroup-oom"}
    report.expected["memcg.task_path"] = values["task"]
    report.lines += _tasks(report, random)
    report.lines += _kill(report, random)
    return report
