"""Writes an incident as a 2.6.31 kernel prints it: the inverse of the parser, kept apart from its patterns."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

from oomadvisor.model import Incident, Kill, PerCpu, Swap, Task, Trailer, Zone

Style = Literal["arm", "generic"]


def render(incident: Incident, style: Style = "arm", *, numa: bool = False) -> list[str]:
    """Return the lines of ``incident`` in the order of oom_kill_process or of a failed allocation."""
    kb = incident.page_kb
    return [
        *_head(incident),
        *_stack(incident, style),
        "Mem-info:" if style == "arm" else "Mem-Info:",
        *_percpu(incident.percpu, numa),
        *_counters(incident),
        *(line for zone in incident.zones for line in _zone(zone, kb, numa)),
        *(_blocks(zone, kb, numa) for zone in incident.zones if zone.free_blocks is not None),
        *_trailer(incident.trailer, incident.swap, style),
        *_tasks(incident.tasks),
        *(_kill(kill) for kill in incident.kills),
    ]


def _head(incident: Incident) -> Iterator[str]:
    request = incident.request
    if incident.kind == "alloc-failure":
        yield f"{request.comm}: page allocation failure. order:{request.order}, mode:0x{request.gfp_mask:x}"
    else:
        yield f"{request.comm} invoked oom-killer: gfp_mask=0x{request.gfp_mask:x}, order={request.order}, oomkilladj={request.oom_adj}"


def _stack(incident: Incident, style: Style) -> Iterator[str]:
    symbols = [frame.raw for frame in incident.backtrace]
    if style == "arm":
        yield "Backtrace: "
        for callee, caller in pairwise(symbols):
            yield f"[<c0012340>] ({callee.partition('+')[0]}+0x0/0x40) from [<c0045678>] ({caller})"
            yield " r7:0000000b r6:0009230c r5:0009237c r4:000922fc"
    else:
        yield f"Pid: 77, comm: {incident.request.comm} Not tainted 2.6.31.12 #1"
        yield "Call Trace:"
        for raw in symbols:
            yield f" [<c0012340>] {raw}"


def _node(node: int, numa: bool) -> str:
    return f"Node {node} " if numa else ""


def _percpu(entries: tuple[PerCpu, ...], numa: bool) -> Iterator[str]:
    before = None
    for entry in entries:
        if (entry.node, entry.zone) != before:
            yield f"{_node(entry.node, numa)}{entry.zone} per-cpu:"
        before = (entry.node, entry.zone)
        yield f"CPU {entry.cpu:4}: hi:{entry.high_pages:5}, btch:{entry.batch_pages:4} usd:{entry.used_pages:4}"


def _counters(incident: Incident) -> Iterator[str]:
    c = incident.counters
    if c is None:
        return
    yield f"Active_anon:{c.active_anon} active_file:{c.active_file} inactive_anon:{c.inactive_anon}"
    yield (
        f" inactive_file:{c.inactive_file} unevictable:{c.unevictable} dirty:{c.dirty} "
        f"writeback:{c.writeback} unstable:{c.unstable}"
    )
    yield f" free:{c.free} slab:{c.slab} mapped:{c.mapped} pagetables:{c.pagetables} bounce:{c.bounce}"


def _zone(zone: Zone, kb: int, numa: bool) -> Iterator[str]:
    marks = zone.marks
    assert marks is not None
    sizes = {
        "free": zone.free_pages,
        "min": marks.min,
        "low": marks.low,
        "high": marks.high,
        "active_anon": zone.active_anon_pages,
        "inactive_anon": zone.inactive_anon_pages,
        "active_file": zone.active_file_pages,
        "inactive_file": zone.inactive_file_pages,
        "unevictable": zone.unevictable_pages,
        "present": zone.present_pages,
    }
    text = " ".join(f"{name}:{pages * kb}kB" for name, pages in sizes.items() if pages is not None)
    stuck = "yes" if zone.all_unreclaimable else "no"
    yield f"{_node(zone.node, numa)}{zone.name} {text} pages_scanned:{zone.pages_scanned} all_unreclaimable? {stuck}"
    assert zone.reserve_pages is not None
    yield "lowmem_reserve[]:" + "".join(f" {pages}" for pages in zone.reserve_pages)


def _blocks(zone: Zone, kb: int, numa: bool) -> str:
    assert zone.free_blocks is not None
    terms = "".join(f"{count}*{kb << order}kB " for order, count in enumerate(zone.free_blocks))
    return f"{_node(zone.node, numa)}{zone.name}: {terms}= {zone.printed_total_kb}kB"


def _trailer(trailer: Trailer | None, swap: Swap | None, style: Style) -> Iterator[str]:
    if trailer is not None:
        yield f"{trailer.pagecache_pages} total pagecache pages"
    if swap is not None:
        yield f"{swap.cache_pages} pages in swap cache"
        yield f"Swap cache stats: add {swap.added}, delete {swap.deleted}, find {swap.found}/{swap.find_total}"
        yield f"Free swap  = {swap.free_kb}kB"
        yield f"Total swap = {swap.total_kb}kB"
    if trailer is None:
        return
    if style == "arm":
        yield f"{trailer.ram_pages} pages of RAM"
        yield f"{trailer.zero_count_pages} free pages"
        yield f"{trailer.reserved_pages} reserved pages"
        yield f"{trailer.slab_pages} slab pages"
        yield f"{trailer.shared_count} pages shared"
        yield f"{trailer.swap_cached_pages} pages swap cached"
    else:
        yield f"{trailer.ram_pages} pages RAM"
        if trailer.highmem_pages is not None:
            yield f"{trailer.highmem_pages} pages HighMem"
        yield f"{trailer.reserved_pages} pages reserved"
        yield f"{trailer.shared_count} pages shared"
        yield f"{trailer.nonshared_pages} pages non-shared"


def _tasks(tasks: tuple[Task, ...]) -> Iterator[str]:
    if not tasks:
        return
    yield "[ pid ]   uid  tgid total_vm      rss cpu oom_adj name"
    for t in tasks:
        yield (
            f"[{t.pid:5}] {t.uid:5} {t.tgid:5} {t.total_vm_pages:8} {t.rss_pages:8} {t.cpu:3}     {t.oom_adj:3} {t.name}"
        )


def _kill(kill: Kill) -> str:
    if kill.kind == "chosen":
        return f"{kill.message}: kill process {kill.pid} ({kill.name}) score {kill.score} or a child"
    return f"Killed process {kill.pid} ({kill.name})"
