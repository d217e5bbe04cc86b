"""One case per vector kind of the other series (tests/vectors-versions): rows of 2.6.12 to 6.18 and what we say to them."""

from collections.abc import Callable, Iterator
from typing import Any

from oomadvisor import knowledge
from oomadvisor.kernel import marks, reserve
from oomadvisor.kernel.family import Family
from oomadvisor.kernel.gfp_bits import bits_of
from oomadvisor.kernel.watermark import FreeKinds, Privileges, zone_watermark_fast
from tests.kernel.cases import Case, Compared, Row
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
    optional,
    order,
    positive,
    record,
    same_length,
    text,
    zone_names,
)

FLAGS = {
    "HIGH": "high",
    "MIN_RESERVE": "high",
    "HARDER": "harder",
    "NON_BLOCK": "harder",
    "OOM": "oom",
    "CMA": "cma",
    "HIGHATOMIC": "highatomic",
}
MARK_FLAGS = ("WMARK_MIN", "WMARK_LOW", "WMARK_HIGH")


def test_of_a_zone(row: Row, kernel: Family) -> Iterator[Compared]:
    flags = Privileges(**{FLAGS[name]: True for name in row["alloc_flags"] if name in FLAGS})
    lists = row.get("lists")
    if lists is not None and not row.get("cma_config"):
        lists = [letters.replace("C", "") for letters in lists]  # a build without CMA has no such list
    kinds = FreeKinds(
        lists=lists,
        cma=row["free_cma"] if row.get("cma_config") else 0,
        highatomic=row.get("nr_free_highatomic", row.get("nr_reserved_highatomic", 0)),
        unaccepted=row["nr_unaccepted"] if row.get("unaccepted_config") else 0,
    )
    arguments = row["free_pages"], row["nr_free"], row["order"], row["mark"], row["lowmem_reserve"]
    given: dict[str, Any] = {"flags": flags, "kinds": kinds, "bits": row["bits"], "smp": bool(row["smp"])}
    if row["function"] == "ok":
        yield "ok", int(kernel.zone_watermark_ok(*arguments, **given)), row["ok"]
        yield "ok (ladder)", int(kernel.watermark_check(*arguments, **given).ok), row["ok"]
        return
    atomic = row.get("gfp_atomic", int(flags.high))
    boosted = atomic and row.get("watermark_boost") and "WMARK_MIN" in row["alloc_flags"]
    unboosted = row["wmark_min"] if boosted else None
    fast = zone_watermark_fast(*arguments, **given, rules=kernel.test, unboosted_min=unboosted)
    yield "ok", int(fast), row["ok"]
    if not boosted:
        yield "ok (attempt)", int(kernel.attempt_ok(*arguments, **given)), row["ok"]
        yield "ok (attempt's ladder)", int(kernel.attempt_check(*arguments, **given).ok), row["ok"]


def pages_of(row: Row, kernel: Family) -> list[int]:
    """Return the pages that this kernel counts with."""
    pages: list[int] = row["managed"] if kernel.marks.pages == "managed" else row["present"]
    return pages


def wmarks(row: Row, kernel: Family, min_free_kbytes: int | None = None) -> Iterator[Compared]:
    zones, pages = row["zones"], pages_of(row, kernel)
    factor = row.get("watermark_scale_factor", marks.DEFAULT_SCALE_FACTOR)
    setting = row["min_free_kbytes"] if min_free_kbytes is None else min_free_kbytes
    found = kernel.setup_per_zone_wmarks(zones, pages, setting, bits=row["bits"], scale_factor=factor)
    yield "min", [zone.min for zone in found], row["min"]
    yield "low", [zone.low for zone in found], row["low"]
    yield "high", [zone.high for zone in found], row["high"]
    if "totalreserve_pages" in row:
        matrix = kernel.setup_per_zone_lowmem_reserve(pages, kernel.default_ratios(zones))
        total = marks.calculate_totalreserve_pages(pages, matrix, [zone.high for zone in found], bits=row["bits"])
        yield "totalreserve_pages", total, row["totalreserve_pages"]


def minfree_default(row: Row, kernel: Family) -> Iterator[Compared]:
    zones, pages = row["zones"], pages_of(row, kernel)
    setting = kernel.default_min_free_kbytes(zones, pages)
    yield "nr_free_buffer_pages", marks.nr_free_buffer_pages(zones, pages), row["nr_free_buffer_pages"]
    yield "min_free_kbytes", setting, row["min_free_kbytes"]
    yield from wmarks(row, kernel, setting)


def lowmem_reserve(row: Row, kernel: Family) -> Iterator[Compared]:
    after = reserve.effective_ratios(row["ratios_in"], rules=kernel.reserve)
    yield "ratios_after", after, row["ratios_after"]
    matrix = kernel.setup_per_zone_lowmem_reserve(pages_of(row, kernel), row["ratios_in"])
    yield "reserve", matrix, row["reserve"]


def batch(row: Row, kernel: Family) -> Iterator[Compared]:
    pages = row["managed"] if kernel.marks.pages == "managed" else row["present"]
    yield "zone_batchsize", kernel.zone_batchsize(pages), row["zone_batchsize"]


def boost(row: Row, kernel: Family) -> Iterator[Compared]:
    after = marks.boost_watermark(
        row["managed"],
        row["high_wmark_base"],
        row["boost_before"],
        boost_factor=row["watermark_boost_factor"],
        pageblock_pages=row["pageblock_pages"],
        rules=kernel.marks,
    )
    yield "boost_after", after, row["boost_after"]


def badness(row: Row, kernel: Family) -> Iterator[Compared]:
    score = kernel.badness(
        rss=row["rss"],
        swapents=row["swapents"],
        totalpages=row["totalpages"],
        oom_score_adj=row["oom_score_adj"],
        nr_ptes=row["nr_ptes"],
        nr_pmds=row["nr_pmds"],
        pgtables_bytes=row["pgtables_bytes"],
        cap_sys_admin=bool(row["cap_sys_admin"]),
        reaped=bool(row["oom_skip"]),
        in_vfork=bool(row["in_vfork"]),
        bits=row["bits"],
    )
    yield "badness", score, row["badness"]


def gfpmap(row: Row, kernel: Family) -> Iterator[Compared]:
    """Every build since 2.6.23 has a Movable zone, which the rows do not list."""
    movable = ["Movable"] if "__GFP_MOVABLE" in kernel.gfp_bits and "Movable" not in row["zones"] else []
    yield "high_zone", kernel.gfp_zone(row["gfp"], [*row["zones"], *movable]), row["high_zone"]
    yield "mobility", kernel.mobility(row["gfp"]), row["mobility"]
    yield "mobility_index", kernel.mobility_index(row["gfp"]), row["mobility_index"]


def gfp_bits(row: Row, kernel: Family) -> Iterator[Compared]:
    """A row holds the names of one series; a bit that needs a debugging option is 0 there, and masks are internal."""
    known = bits_of(kernel.gfp_since)
    for name, value in row["bits"].items():
        internal = "BITS" in name or name == "GFP_ZONEMASK" or name.endswith(("_MASK", "_PAGECACHE"))
        if value and not internal and name not in NOT_FOR_PEOPLE:
            yield name, known.get(name), value


NOT_FOR_PEOPLE = ("GFP_THISNODE", "GFP_IOFS", "__GFP_NOTRACK_FALSE_POSITIVE")
"""Composites that no mask is named after, and the second name of a bit."""


def debug_bits(row: Row, kernel: Family) -> Iterator[Compared]:
    """The same for builds with debugging options, which enlarge some composites; the bits themselves are compared."""
    only_bits = {name: value for name, value in row["bits"].items() if name.startswith("__")}
    yield from gfp_bits({**row, "bits": only_bits}, kernel)


def families(row: Row, kernel: Family) -> Iterator[Compared]:
    """A row holds the switches of one series as they were read, before any stable release."""
    test, victim = kernel.test, kernel.victim
    yield "family", test.letter, row["family"]
    yield "free_minus", "2^k+1" if test.pages_too_many else "2^k-1", row["free_minus"]
    yield "first_comparison", "signed" if test.signed else "unsigned", row["first_comparison"]
    yield "order_gt0", "free_list_scan" if test.scans else "per_order_loop", row["order_gt0"]
    yield "counter_clamped_at_0_on_smp", test.clamps, row["counter_clamped_at_0_on_smp"]
    cma = {"not counted": "none", "off for good": "subtract_everywhere"}.get(
        test.cma, "subtract" if test.scans else "subtract_first_comparison_only"
    )
    yield "cma", cma, row["cma"]
    reserved = "nr_free_highatomic" if test.letter == "J" else "nr_reserved_highatomic"
    yield "highatomic", "none" if test.highatomic == "none" else reserved, row["highatomic"]
    yield "unaccepted_subtracted", test.unaccepted, row["unaccepted_subtracted"]
    yield "harder_shortcut_any_list", test.any_list, row["harder_shortcut_any_list"]
    yield "oom_flag", test.highatomic in ("not harder or oom", "no privilege"), row["oom_flag"]
    yield "rt_task_flag", {"harder": "HARDER", "high": "MIN_RESERVE"}[kernel.slow.realtime], row["rt_task_flag"]
    yield "harder_condition", HARDER[kernel.slow.harder], row["harder_condition"]
    yield "order0_fast_check", ORDER0[test.order0], row["order0_fast_check"]
    yield "order0_unboosted_retry", test.unboosted, row["order0_unboosted_retry"]
    yield "boost", kernel.marks.boost, row["boost"]
    yield "pages_base", kernel.marks.pages, row["pages_base"]
    yield "min_free_kbytes_cap", kernel.marks.default_cap, row["min_free_kbytes_cap"]
    yield "low_high", GAPS[kernel.marks.gaps], row["low_high"]
    yield "movable_like_highmem", kernel.marks.movable_as_highmem, row["movable_like_highmem"]
    yield "lowmem_ratio_below_1", RATIO[kernel.reserve.below_1], row["lowmem_ratio_below_1"]
    yield "costly_orders_kill", kernel.kills.costly, row["costly_orders_kill"]
    yield "retry_limit", kernel.kills.rounds, row["retry_limit"]
    yield "badness", {"virtual size": "old heuristic", "permille": "per-mille"}.get(victim.by, "pages"), row["badness"]
    yield "child_sacrifice", victim.sacrifices_child != "none", row["child_sacrifice"]


def sysctls(row: Row, _kernel: Family) -> Iterator[Compared]:
    """A row says in which kernels a file of /proc/sys/vm was seen."""
    knob = knowledge.knobs()[f"vm.{row['id']}"]
    yield "first_seen", ".".join(map(str, knob.since)), row["first_seen"]
    yield "last_seen", ".".join(map(str, knob.until)), row["last_seen"]
    yield "vendor_only", knob.vendor_only, bool(row.get("vendor_only"))


HARDER = {
    "no wait": "no WAIT",
    "not nomemalloc": "no WAIT, not NOMEMALLOC",
    "not no_kswapd": "no WAIT, no NO_KSWAPD, not NOMEMALLOC",
    "atomic bit": "__GFP_ATOMIC, not NOMEMALLOC",
    "non block": "no DIRECT_RECLAIM, not NOMEMALLOC (NON_BLOCK)",
}
ORDER0 = {
    "none": "none",
    "no cma": "free-cma vs mark+reserve, unsigned",
    "no reserve, wraps": "free-unusable, unsigned (wraps)",
    "no reserve": "free-unusable clamped at 0",
}
GAPS = {
    "of MIN": "min*5/4,min*6/4",
    "of the share": "min+t/4,min+t/2",
    "scale factor": "min+g,min+2g with g=max(t/4,base*scale/10000)",
}
RATIO = {"1": "forced to 1", "0": "no reserve"}

_either = optional(present=naturals, managed=naturals)
_marks = both(
    record(bits=one_of(32, 64), zones=zone_names, min=naturals, low=naturals, high=naturals, min_free_kbytes=integer),
    optional(present=naturals, managed=naturals, watermark_scale_factor=natural, totalreserve_pages=natural),
    same_length("zones", "min", "low", "high"),
)

VERSION_CASES: dict[str, Case] = {
    "watermark": Case(
        both(
            record(
                function=one_of("ok", "fast"),
                bits=one_of(32, 64),
                smp=bit,
                order=order,
                free_pages=integer,
                nr_free=naturals,
                mark=natural,
                lowmem_reserve=natural,
                alloc_flags=list_of(one_of(*FLAGS, *MARK_FLAGS)),
                ok=bit,
            ),
            optional(
                cma_config=bit,
                free_cma=integer,
                nr_reserved_highatomic=integer,
                nr_free_highatomic=integer,
                unaccepted_config=bit,
                nr_unaccepted=integer,
                lists=list_of(text),
                watermark_boost=natural,
                wmark_min=natural,
                gfp_atomic=bit,
            ),
        ),
        test_of_a_zone,
    ),
    "wmarks": Case(_marks, wmarks),
    "minfree_default": Case(both(_marks, record(nr_free_buffer_pages=natural)), minfree_default),
    "lowmem_reserve": Case(
        both(
            record(zones=zone_names, ratios_in=integers, ratios_after=naturals, reserve=list_of(naturals)),
            _either,
            same_length("zones", "reserve", less_one=["ratios_in", "ratios_after"]),
        ),
        lowmem_reserve,
    ),
    "batch": Case(both(record(zone_batchsize=natural), optional(present=natural, managed=natural)), batch),
    "boost": Case(
        record(
            managed=natural,
            high_wmark_base=natural,
            watermark_boost_factor=natural,
            boost_before=natural,
            pageblock_pages=positive,
            boost_after=natural,
        ),
        boost,
    ),
    "badness": Case(
        record(
            bits=one_of(32, 64),
            rss=natural,
            swapents=natural,
            nr_ptes=natural,
            nr_pmds=natural,
            pgtables_bytes=natural,
            oom_score_adj=integer,
            cap_sys_admin=bit,
            oom_skip=bit,
            in_vfork=bit,
            totalpages=natural,
            badness=integer,
        ),
        badness,
    ),
    "gfpmap": Case(
        record(
            zones=zone_names,
            gfp=natural,
            high_zone=text,
            mobility=nullable(text),
            mobility_index=nullable(natural),
        ),
        gfpmap,
    ),
}


def _values_are(shape: Shape) -> Shape:
    def check(value: Any) -> str | None:
        if not isinstance(value, dict):
            return "an object"
        return next((f"{name}: {found}" for name, item in value.items() if (found := shape(item))), None)

    return check


Rows = Callable[[Any], Iterator[tuple[str, Row]]]


def _of_series(document: Any) -> Iterator[tuple[str, Row]]:
    for series, switches in document.items():
        yield series, {"id": series, **switches}


def _bits_of_series(document: Any) -> Iterator[tuple[str, Row]]:
    for series, bits in document.items():
        yield series, {"id": series, "bits": bits}


def _of_knobs(document: Any) -> Iterator[tuple[str, Row]]:
    for name, seen in document.items():
        yield seen["last_seen"], {"id": name, **seen}


TABLES: dict[str, tuple[Shape, Rows, Case]] = {
    "families.json": (_values_are(_values_are(lambda _: None)), _of_series, Case(lambda _: None, families)),
    "gfp-bits.json": (_values_are(_values_are(natural)), _bits_of_series, Case(lambda _: None, gfp_bits)),
    "gfp-bits-debug-configs.json": (
        _values_are(_values_are(natural)),
        _bits_of_series,
        Case(lambda _: None, debug_bits),
    ),
    "sysctls.json": (
        _values_are(record(first_seen=text, last_seen=text)),
        _of_knobs,
        Case(lambda _: None, sysctls),
    ),
}
"""Tables of all series in one document: its shape, its rows with their series, and the case of a row."""
