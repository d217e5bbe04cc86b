"""One case per vector family: what a row must look like, and what our kernel functions say to it.

A case takes a row and the functions of a kernel family and yields every output field as (field, got, expected).
``CASES`` lists them by family name; tests/checks/conformance.py and tests/kernel/test_vectors.py run them.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from oomadvisor.kernel import commit, dirty, events, gfp, marks, oom, percpu, reclaim, reserve, slub
from oomadvisor.kernel.allocation import OomScript, ReclaimRound, ZoneSnapshot, alloc_pages
from oomadvisor.kernel.buddy import BuddyZone
from oomadvisor.kernel.family import Family
from oomadvisor.kernel.pcplist import PerCpuList
from oomadvisor.kernel.watermark import Privileges
from tests.kernel.rowshape import (
    Shape,
    bit,
    both,
    integer,
    integers,
    list_of,
    natural,
    naturals,
    nullable,
    one_of,
    order,
    positive,
    record,
    same_length,
    tagged,
    text,
    tuple_of,
    zone_names,
)

Row = dict[str, Any]
Compared = tuple[str, Any, Any]


class Case(NamedTuple):
    """A family: the shape of its rows and the comparison."""

    shape: Shape
    compare: Callable[[Row, Family], Iterator[Compared]]


def watermark(row: Row, kernel: Family) -> Iterator[Compared]:
    arguments = row["free_pages"], row["nr_free"], row["order"], row["mark"], row["lowmem_reserve"]
    flags, smp = Privileges(high=bool(row["high"]), harder=bool(row["harder"])), bool(row["smp"])
    ok = kernel.zone_watermark_ok(*arguments, flags=flags, bits=row["bits"], smp=smp)
    yield "ok", int(ok), row["ok"]
    check = kernel.watermark_check(*arguments, flags=flags, bits=row["bits"], smp=smp)
    yield "ok (ladder)", int(check.ok), row["ok"]


def _marks(row: Row, kernel: Family, min_free_kbytes: int) -> Iterator[Compared]:
    zone_marks = kernel.setup_per_zone_wmarks(row["zones"], row["present"], min_free_kbytes)
    yield "min", [zone.min for zone in zone_marks], row["min"]
    yield "low", [zone.low for zone in zone_marks], row["low"]
    yield "high", [zone.high for zone in zone_marks], row["high"]
    matrix = kernel.setup_per_zone_lowmem_reserve(row["present"], kernel.default_ratios(row["zones"]))
    total = marks.calculate_totalreserve_pages(row["present"], matrix, [zone.high for zone in zone_marks])
    yield "totalreserve_pages", total, row["totalreserve_pages"]


def wmarks(row: Row, kernel: Family) -> Iterator[Compared]:
    yield from _marks(row, kernel, row["min_free_kbytes"])


def minfree_default(row: Row, kernel: Family) -> Iterator[Compared]:
    zones, present = row["zones"], row["present"]
    min_free_kbytes = kernel.default_min_free_kbytes(zones, present)
    yield "nr_free_buffer_pages", marks.nr_free_buffer_pages(zones, present), row["nr_free_buffer_pages"]
    yield "vm_total_pages", sum(present), row["vm_total_pages"]
    yield "min_free_kbytes", min_free_kbytes, row["min_free_kbytes"]
    yield from _marks(row, kernel, min_free_kbytes)
    matrix = kernel.setup_per_zone_lowmem_reserve(present, kernel.default_ratios(zones))
    yield "lowmem_reserve", matrix, row["lowmem_reserve"]
    yield "inactive_ratio", [marks.inactive_ratio(pages) for pages in present], row["inactive_ratio"]


def lowmem_reserve(row: Row, kernel: Family) -> Iterator[Compared]:
    yield "ratios_after", reserve.effective_ratios(row["ratios_in"], rules=kernel.reserve), row["ratios_after"]
    yield "reserve", kernel.setup_per_zone_lowmem_reserve(row["present"], row["ratios_in"]), row["reserve"]


def batch(row: Row, kernel: Family) -> Iterator[Compared]:
    present, fraction = row["present"], row["percpu_pagelist_fraction"]
    yield "zone_batchsize", kernel.zone_batchsize(present), row["zone_batchsize"]
    pageset = percpu.pageset(present)
    yield "hi", pageset.hi, row["hi"]
    yield "btch", pageset.btch, row["btch"]
    if fraction is not None:
        pageset = percpu.pageset_fraction(present, fraction)
        yield "hi_fraction", pageset.hi, row["hi_fraction"]
        yield "btch_fraction", pageset.btch, row["btch_fraction"]


CONTEXTS = {
    "normal": gfp.TaskContext(),
    "rt_task": gfp.TaskContext(rt=True),
    "pf_memalloc": gfp.TaskContext(pf_memalloc=True),
    "tif_memdie": gfp.TaskContext(tif_memdie=True),
    "irq": gfp.TaskContext(in_interrupt=True),
    "irq_rt_memalloc_memdie": gfp.TaskContext(rt=True, pf_memalloc=True, tif_memdie=True, in_interrupt=True),
}


def gfp_mask(row: Row, kernel: Family) -> Iterator[Compared]:
    mask = row["gfp"]
    yield "high_zone", kernel.gfp_zone(mask, row["zones"]), row["high_zone"]
    yield "bad_combination", int(not gfp.is_valid_zone_selector(mask)), row["bad_combination"]
    yield "migratetype", int(gfp.migratetype(mask)), row["migratetype"]
    for name, context in CONTEXTS.items():
        got = int(kernel.slow_alloc_flags(mask, context))
        yield f"alloc_flags.{name}", got, row["alloc_flags"][name]


def decision(row: Row, kernel: Family) -> Iterator[Compared]:
    zones = [
        ZoneSnapshot(
            zone["name"],
            zone["present"],
            marks.ZoneMarks(*zone["wmark"]),
            tuple(zone["reserve"]),
            tuple(zone["nr_free"]),
        )
        for zone in row["zones"]
    ]
    task, kills = row["task"], row["oom_script"]
    outcome = alloc_pages(
        zones,
        row["gfp"],
        row["order"],
        kernel=kernel,
        context=gfp.TaskContext(
            rt=bool(task["rt"]),
            pf_memalloc=bool(task["pf_memalloc"]),
            tif_memdie=bool(task["tif_memdie"]),
            in_interrupt=bool(task["in_interrupt"]),
        ),
        reclaim=[ReclaimRound(r["progress"], r["zone"], r["order"], r["blocks"]) for r in row["reclaim_script"]],
        oom=OomScript(
            kills["stop_after"], kills["zone"], kills["order"], kills["blocks"], bool(kills["sets_tif_memdie"])
        ),
        max_order=row["max_order"],
        oom_killer_disabled=bool(task["oom_killer_disabled"]),
    )
    yield "outcome", outcome.result, row["outcome"]
    got = [_event(event) for event in outcome.events]
    for index in range(max(len(got), len(row["events"]))):
        ours = got[index] if index < len(got) else None
        real = row["events"][index] if index < len(row["events"]) else None
        yield f"events[{index}]", ours, real


def _event(event: events.Event) -> Row:
    match event:
        case events.WatermarkTest(zone, block_order, mark, class_zone, alloc_flags, ok):
            return {
                "ev": "watermark",
                "zone": zone,
                "order": block_order,
                "mark": mark,
                "classzone": class_zone,
                "alloc_flags": int(alloc_flags),
                "ok": int(ok),
            }
        case events.KswapdWake(zone, block_order):
            return {"ev": "kswapd_wake", "zone": zone, "kswapd_max_order": block_order}
        case events.DirectReclaim(progress):
            return {"ev": "direct_reclaim", "progress": progress}
        case events.CongestionWait():
            return {"ev": "congestion_wait"}
        case events.OomKill():
            return {"ev": "oom_kill"}
        case events.AllocatedFrom(zone):
            return {"ev": "allocated_from", "zone": zone}
        case events.RmqueueFail(zone):
            return {"ev": "rmqueue_fail", "zone": zone}
        case events.AllocationFailureMessage():
            return {"ev": "allocation_failure_message"}
        case events.ScriptEnd():
            return {"ev": "script_end"}


def _buddy_zone(row: Row, kernel: Family) -> BuddyZone:
    return kernel.buddy_zone(
        max_order=row["max_order"],
        pageblock_order=row["pageblock_order"],
        zone_start_pfn=row["zone_start_pfn"],
        spanned_pages=row["spanned_pages"],
        free_lists=row["init"]["free_lists"],
        pageblock_types=row["init"]["pageblock_types"],
        mobility_disabled=bool(row.get("mobility_disabled", 0)),
    )


def _lists(zone: BuddyZone) -> list[list[Any]]:
    return [[listed.order, listed.migratetype, list(listed.pfns)] for listed in zone.free_lists]


def buddy(row: Row, kernel: Family) -> Iterator[Compared]:
    zone = _buddy_zone(row, kernel)
    yield "init.nr_free", zone.nr_free, row["init"]["nr_free"]
    yield "init.nr_free_pages", zone.nr_free_pages, row["init"]["nr_free_pages"]
    after_each = row["nr_free_after_each_op"]
    for index, op in enumerate(row["ops"]):
        if op[0] == "alloc":
            yield f"ops[{index}]", zone.alloc(op[1], op[2]), op[3]
        else:
            zone.free(op[1], op[2])
        if after_each is not None:
            yield f"nr_free_after_each_op[{index}]", zone.nr_free, after_each[index]
    final = row["final"]
    yield "final.nr_free", zone.nr_free, final["nr_free"]
    yield "final.nr_free_pages", zone.nr_free_pages, final["nr_free_pages"]
    yield "final.free_lists", _lists(zone), final["free_lists"]
    yield "final.pageblock_types", zone.pageblock_types, final["pageblock_types"]


def pcp(row: Row, kernel: Family) -> Iterator[Compared]:
    zone = _buddy_zone(row, kernel)
    listed = PerCpuList(zone, high=row["pcp_high"], batch=row["pcp_batch"])
    for index, op in enumerate(row["ops"]):
        if op[0] == "alloc0":
            yield f"ops[{index}]", listed.alloc(op[1]), op[2]
        elif op[0] == "free0":
            listed.free(op[1], cold=bool(op[2]))
        else:
            listed.drain()
    final = row["final"]
    yield "final.nr_free", zone.nr_free, final["nr_free"]
    yield "final.nr_free_pages", zone.nr_free_pages, final["nr_free_pages"]
    yield "final.pcp_count", len(listed.pages), final["pcp_count"]
    yield "final.pcp_list", [list(page) for page in listed.pages], final["pcp_list"]
    yield "final.free_lists", _lists(zone), final["free_lists"]


def migrate_reserve(row: Row, kernel: Family) -> Iterator[Compared]:
    zone = kernel.buddy_zone(
        max_order=row["pageblock_order"] + 1,
        pageblock_order=row["pageblock_order"],
        zone_start_pfn=row["zone_start_pfn"],
        spanned_pages=row["spanned_pages"],
        free_lists=[],
        pageblock_types=row["pageblock_types_before"],
    )
    zone.setup_migrate_reserve(row["min_wmark_pages"], row["first_page_reserved"])
    yield "pageblock_types_after", zone.pageblock_types, row["pageblock_types_after"]


def badness(row: Row, kernel: Family) -> Iterator[Compared]:
    got = kernel.badness(
        total_vm=row["total_vm"],
        has_mm=bool(row["has_mm"]),
        children=[
            oom.Child(bool(child["same_mm"]), bool(child["has_mm"]), child["total_vm"]) for child in row["children"]
        ],
        hz=row["hz"],
        cpu_jiffies=row["utime_jiffies"] + row["stime_jiffies"],
        uptime_sec=row["uptime_sec"],
        start_time_sec=row["start_time_sec"],
        nice=row["nice"],
        cap_sys_admin=bool(row["cap_sys_admin"]),
        cap_sys_resource=bool(row["cap_sys_resource"]),
        cap_sys_rawio=bool(row["cap_sys_rawio"]),
        cpuset_mems_intersect=bool(row["cpuset_mems_intersect"]),
        oom_adj=row["oom_adj"],
        pf_swapoff=bool(row["pf_swapoff"]),
    )
    yield "badness", got, row["badness"]


def overcommit(row: Row, _kernel: Family) -> Iterator[Compared]:
    counters = commit.CommitCounters(
        nr_file_pages=row["nr_file_pages"],
        nr_swap_pages=row["nr_swap_pages"],
        total_swap_pages=row["total_swap_pages"],
        nr_slab_reclaimable=row["nr_slab_reclaimable"],
        nr_free_pages=row["nr_free_pages"],
        totalreserve_pages=row["totalreserve_pages"],
        totalram_pages=row["totalram_pages"],
        committed=row["committed_before"],
    )
    decided = commit.vm_enough_memory(
        row["pages"],
        counters,
        overcommit_memory=row["overcommit_memory"],
        overcommit_ratio=row["overcommit_ratio"],
        cap_sys_admin=bool(row["cap_sys_admin"]),
        mm_total_vm=row["mm_total_vm"],
    )
    yield "result", decided.result, row["result"]
    yield "committed_after", decided.committed, row["committed_after"]


def dirty_limits(row: Row, _kernel: Family) -> Iterator[Compared]:
    dirtyable = dirty.determine_dirtyable_memory(
        row["nr_free_pages"],
        row["lru_pages"],
        highmem_free=row["highmem_free"] or 0,
        highmem_lru=row["highmem_lru"] or 0,
        highmem_is_dirtyable=bool(row["highmem_is_dirtyable"]),
    )
    limits = dirty.get_dirty_limits(
        dirtyable,
        dirty_ratio=row["dirty_ratio"],
        dirty_background_ratio=row["dirty_background_ratio"],
        dirty_bytes=row["dirty_bytes"],
        dirty_background_bytes=row["dirty_background_bytes"],
        rt_or_less_throttled=bool(row["rt_task"]),
    )
    yield "dirtyable", dirtyable, row["dirtyable"]
    yield "background_thresh", limits.background, row["background_thresh"]
    yield "dirty_thresh", limits.dirty, row["dirty_thresh"]


def _lru_counts(by_name: Row) -> reclaim.LruCounts:
    return reclaim.LruCounts(*(by_name[name] for name in reclaim.LruCounts._fields))


def scan(row: Row, _kernel: Family) -> Iterator[Compared]:
    zone_pass = reclaim.shrink_zone(
        _lru_counts(row["lru"]),
        _lru_counts(row["nr_saved_scan"]),
        reclaim.ReclaimStat(tuple(row["recent_scanned"]), tuple(row["recent_rotated"])),
        priority=row["priority"],
        nr_swap_pages=row["nr_swap_pages"],
        swappiness=row["swappiness"],
        zone_free=row["zone_free"],
        high_wmark=row["high_wmark"],
        inactive_ratio=row["inactive_ratio"],
    )
    yield "calls", [[call.lru.value, call.pages] for call in zone_pass.calls], row["calls"]
    yield "nr_saved_scan_after", zone_pass.saved._asdict(), row["nr_saved_scan_after"]
    yield "recent_scanned_after", list(zone_pass.stat.scanned), row["recent_scanned_after"]
    yield "recent_rotated_after", list(zone_pass.stat.rotated), row["recent_rotated_after"]


def slub_order(row: Row, _kernel: Family) -> Iterator[Compared]:
    chosen = slub.calculate_order(
        row["size"],
        slub_min_order=row["slub_min_order"],
        slub_max_order=row["slub_max_order"],
        slub_min_objects=row["slub_min_objects"],
        nr_cpu_ids=row["nr_cpu_ids"],
    )
    yield "order", chosen, row["order"]
    yield "min_order_fallback", slub.get_order(row["size"]), row["min_order_fallback"]


_zone_columns = both(
    record(zones=zone_names, present=naturals, min=naturals, low=naturals, high=naturals, totalreserve_pages=natural),
    same_length("zones", "present", "min", "low", "high"),
)
_four_lists = record(inactive_anon=natural, active_anon=natural, inactive_file=natural, active_file=natural)
_added_blocks = {"zone": text, "order": order, "blocks": natural}
_free_lists = list_of(tuple_of(order, one_of(0, 1, 2, 3, 4), naturals))
_buddy_fields = {
    "max_order": order,
    "pageblock_order": order,
    "zone_start_pfn": natural,
    "spanned_pages": positive,
}
_buddy_operations = {"alloc": tuple_of(text, order, natural, nullable(natural)), "free": tuple_of(text, natural, order)}
_pcp_operations = {
    "alloc0": tuple_of(text, natural, nullable(natural)),
    "free0": tuple_of(text, natural, bit),
    "drain": tuple_of(text),
}


CASES: dict[str, Case] = {
    "watermark": Case(
        record(
            bits=one_of(32, 64),
            smp=bit,
            free_pages=integer,
            nr_free=naturals,
            mark=natural,
            lowmem_reserve=natural,
            order=order,
            high=bit,
            harder=bit,
            ok=bit,
        ),
        watermark,
    ),
    "wmarks": Case(both(record(min_free_kbytes=integer), _zone_columns), wmarks),
    "minfree_default": Case(
        both(
            _zone_columns,
            record(
                nr_free_buffer_pages=natural,
                vm_total_pages=natural,
                min_free_kbytes=natural,
                lowmem_reserve=list_of(naturals),
                inactive_ratio=naturals,
            ),
            same_length("zones", "lowmem_reserve", "inactive_ratio"),
        ),
        minfree_default,
    ),
    "lowmem_reserve": Case(
        both(
            record(
                zones=zone_names, present=naturals, ratios_in=integers, ratios_after=naturals, reserve=list_of(naturals)
            ),
            same_length("zones", "present", "reserve", less_one=["ratios_in", "ratios_after"]),
        ),
        lowmem_reserve,
    ),
    "batch": Case(
        record(
            present=natural,
            zone_batchsize=natural,
            hi=natural,
            btch=natural,
            percpu_pagelist_fraction=nullable(positive),
            hi_fraction=nullable(natural),
            btch_fraction=nullable(natural),
        ),
        batch,
    ),
    "gfp": Case(
        record(
            zones=zone_names,
            gfp=natural,
            high_zone=text,
            bad_combination=bit,
            migratetype=natural,
            alloc_flags=record(**dict.fromkeys(CONTEXTS, natural)),
        ),
        gfp_mask,
    ),
    "decision": Case(
        record(
            max_order=order,
            zones=list_of(
                record(
                    name=text,
                    present=natural,
                    wmark=tuple_of(natural, natural, natural),
                    reserve=naturals,
                    nr_free=naturals,
                )
            ),
            gfp=natural,
            order=order,
            task=record(rt=bit, pf_memalloc=bit, tif_memdie=bit, in_interrupt=bit, oom_killer_disabled=bit),
            reclaim_script=list_of(record(progress=natural, **_added_blocks)),
            oom_script=record(stop_after=positive, sets_tif_memdie=bit, **_added_blocks),
            outcome=text,
            events=list_of(record(ev=text)),
        ),
        decision,
    ),
    "buddy": Case(
        record(
            **_buddy_fields,
            mobility_disabled=bit,
            init=record(free_lists=_free_lists, pageblock_types=naturals, nr_free=naturals, nr_free_pages=natural),
            ops=list_of(tagged(_buddy_operations)),
            nr_free_after_each_op=nullable(list_of(naturals)),
            final=record(nr_free=naturals, nr_free_pages=natural, free_lists=_free_lists, pageblock_types=naturals),
        ),
        buddy,
    ),
    "pcp": Case(
        record(
            **_buddy_fields,
            pcp_batch=positive,
            pcp_high=positive,
            init=record(free_lists=_free_lists, pageblock_types=naturals),
            ops=list_of(tagged(_pcp_operations)),
            final=record(
                nr_free=naturals,
                nr_free_pages=natural,
                pcp_count=natural,
                pcp_list=list_of(tuple_of(natural, natural)),
                free_lists=_free_lists,
            ),
        ),
        pcp,
    ),
    "migrate_reserve": Case(
        record(
            pageblock_order=order,
            zone_start_pfn=natural,
            spanned_pages=positive,
            min_wmark_pages=natural,
            first_page_reserved=naturals,
            pageblock_types_before=naturals,
            pageblock_types_after=naturals,
        ),
        migrate_reserve,
    ),
    "badness": Case(
        record(
            hz=positive,
            has_mm=bit,
            total_vm=natural,
            pf_swapoff=bit,
            utime_jiffies=natural,
            stime_jiffies=natural,
            uptime_sec=natural,
            start_time_sec=natural,
            nice=integer,
            cap_sys_admin=bit,
            cap_sys_resource=bit,
            cap_sys_rawio=bit,
            cpuset_mems_intersect=bit,
            oom_adj=integer,
            children=list_of(record(same_mm=bit, has_mm=bit, total_vm=natural)),
            badness=natural,
        ),
        badness,
    ),
    "overcommit": Case(
        record(
            overcommit_memory=integer,
            overcommit_ratio=natural,
            pages=natural,
            cap_sys_admin=bit,
            nr_file_pages=natural,
            nr_swap_pages=integer,
            total_swap_pages=natural,
            nr_slab_reclaimable=natural,
            nr_free_pages=natural,
            totalreserve_pages=natural,
            totalram_pages=natural,
            committed_before=integer,
            mm_total_vm=nullable(natural),
            result=integer,
            committed_after=integer,
        ),
        overcommit,
    ),
    "dirty": Case(
        record(
            dirty_ratio=natural,
            dirty_background_ratio=natural,
            dirty_bytes=natural,
            dirty_background_bytes=natural,
            highmem_is_dirtyable=bit,
            rt_task=bit,
            nr_free_pages=natural,
            lru_pages=natural,
            highmem_free=nullable(natural),
            highmem_lru=nullable(natural),
            dirtyable=natural,
            background_thresh=natural,
            dirty_thresh=natural,
        ),
        dirty_limits,
    ),
    "scan": Case(
        record(
            priority=natural,
            swappiness=natural,
            nr_swap_pages=integer,
            zone_free=natural,
            high_wmark=natural,
            inactive_ratio=natural,
            lru=_four_lists,
            nr_saved_scan=_four_lists,
            recent_scanned=tuple_of(natural, natural),
            recent_rotated=tuple_of(natural, natural),
            calls=list_of(tuple_of(text, natural)),
            nr_saved_scan_after=_four_lists,
            recent_scanned_after=tuple_of(natural, natural),
            recent_rotated_after=tuple_of(natural, natural),
        ),
        scan,
    ),
    "slub_order": Case(
        record(
            size=positive,
            slub_min_order=order,
            slub_max_order=order,
            slub_min_objects=natural,
            nr_cpu_ids=positive,
            order=integer,
            min_order_fallback=integer,
        ),
        slub_order,
    ),
}
