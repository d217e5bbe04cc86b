"""The seed report as structured input (seed.json) and everything that ``kernel/`` derives from it."""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

from oomadvisor.kernel import gfp, marks, percpu
from oomadvisor.kernel.allocation import ZoneSnapshot, alloc_pages
from oomadvisor.kernel.family import Family
from oomadvisor.kernel.watermark import Privileges
from oomadvisor.kernel.zonelist import class_zone_index
from tests.kernel.cases import Case, Compared, Row
from tests.kernel.rowshape import list_of, natural, naturals, record, text, tuple_of

NOT_FROM_THESE_NUMBERS = ("shmem_pages_upper", "shmem_pages_by_anon", "file_lru_pages", "anon_lru_pages")
"""Expected values that need the report's LRU counters, which seed.json does not hold; the parser's tests check them."""

LARGEST_SETTING = 1 << 20


def seed(row: Row, kernel: Family) -> Iterator[Compared]:
    report, expected = row["report"], row["expected"]
    populated = report["zones"]
    names = [zone["name"] for zone in populated] + ["Movable"]
    present = [zone["present"] for zone in populated] + [0]
    zone_marks = [marks.ZoneMarks(*zone["wmark"]) for zone in populated] + [marks.ZoneMarks(0, 0, 0)]
    order = report["order"]

    interval = kernel.min_free_kbytes_interval(names, present, *map(list, zip(*zone_marks, strict=True)))
    yield "min_free_kbytes_interval", list(interval or ()), expected["min_free_kbytes_interval"]
    default = kernel.default_min_free_kbytes(names, present)
    yield "min_free_kbytes_boot_default", default, expected["min_free_kbytes_boot_default"]
    matrix = kernel.setup_per_zone_lowmem_reserve(present, kernel.default_ratios(names))
    total = marks.calculate_totalreserve_pages(present, matrix, [zone.high for zone in zone_marks])
    yield "totalreserve_pages", total, expected["totalreserve_pages"]
    highest = kernel.gfp_zone(report["gfp"], names)
    class_zone = class_zone_index(names, [pages > 0 for pages in present], highest)
    yield "classzone", names[class_zone], expected["classzone"]
    yield "migratetype", int(gfp.migratetype(report["gfp"])), expected["migratetype"]

    passing: dict[str, set[int]] = {}
    for index, zone in enumerate(populated):
        name, here = zone["name"], f"zones.{zone['name']}"
        yield f"{here}.reserve", matrix[index], zone["reserve"]
        yield f"{here}.hi, btch", list(percpu.pageset(zone["present"])), [zone["hi"], zone["btch"]]
        state = zone["free"], zone["nr_free"]
        reserve = zone["reserve"][class_zone]
        for mark in marks.ZoneMarks._fields:
            pages = getattr(zone_marks[index], mark)
            check = kernel.watermark_check(*state, order, pages, reserve)
            got = {"ok": int(check.ok), "remaining": check.remaining, "bound": check.bound, "short": check.short}
            yield f"verdict_order2.{name}.{mark}", got, expected["verdict_order2"][name][mark]
            largest = _largest_passing(kernel, names, present, index, mark, state, order, reserve)
            real = expected["max_min_free_kbytes_passing_order2"][name][mark]
            yield f"max_min_free_kbytes_passing_order2.{name}.{mark}", largest, real
            passing[f"{name}.{mark}"] = {
                o for o in range(report["max_order"]) if kernel.zone_watermark_ok(*state, o, pages, reserve)
            }
        harder = kernel.zone_watermark_ok(*state, order, zone_marks[index].min, reserve, flags=Privileges(harder=True))
        yield f"order2_with_HARDER_at_min.{name}", int(harder), expected["order2_with_HARDER_at_min"][name]

    everywhere = sorted(set.intersection(*passing.values()))
    nowhere = sorted(set(range(5)) - set[int]().union(*passing.values()))
    yield "orders_passing_all_marks", everywhere, expected["orders_passing_all_marks"]
    yield "orders_failing_all_marks", nowhere, expected["orders_failing_all_marks"]
    by_order = [sum(zone["nr_free"][o] << o for zone in populated) for o in range(report["max_order"])]
    real = expected["free_pages_by_order"]
    yield "free_pages_by_order", by_order, real + [0] * (report["max_order"] - len(real))

    snapshots = [
        ZoneSnapshot(zone["name"], zone["present"], zone_marks[i], tuple(zone["reserve"]), tuple(zone["nr_free"]))
        for i, zone in enumerate(populated)
    ]
    empty = ZoneSnapshot("Movable", 0, zone_marks[-1], (0,) * len(names), (0,) * report["max_order"])
    outcome = alloc_pages([*snapshots, empty], report["gfp"], order, max_order=report["max_order"], kernel=kernel)
    yield "outcome", "oom_kill" if outcome.kills else outcome.result, expected["outcome"]


def _largest_passing(
    kernel: Family,
    names: list[str],
    present: list[int],
    index: int,
    mark: str,
    state: tuple[int, list[int]],
    order: int,
    reserve: int,
) -> int:
    """Find the largest min_free_kbytes whose mark passes; larger settings only raise the mark."""

    def fails(min_free_kbytes: int) -> bool:
        pages = getattr(kernel.setup_per_zone_wmarks(names, present, min_free_kbytes)[index], mark)
        return not kernel.zone_watermark_ok(*state, order, pages, reserve)

    return bisect_left(range(LARGEST_SETTING), True, key=fails) - 1


def _each(*names: str) -> Any:
    return record(**dict.fromkeys(names, record(min=natural, low=natural, high=natural)))


SEED = Case(
    record(
        report=record(
            gfp=natural,
            order=natural,
            max_order=natural,
            zones=list_of(
                record(
                    name=text,
                    present=natural,
                    free=natural,
                    nr_free=naturals,
                    wmark=tuple_of(natural, natural, natural),
                    reserve=naturals,
                    hi=natural,
                    btch=natural,
                )
            ),
        ),
        expected=record(
            min_free_kbytes_interval=naturals,
            min_free_kbytes_boot_default=natural,
            totalreserve_pages=natural,
            classzone=text,
            migratetype=natural,
            max_min_free_kbytes_passing_order2=_each("DMA", "Normal"),
            orders_passing_all_marks=naturals,
            orders_failing_all_marks=naturals,
            free_pages_by_order=naturals,
            outcome=text,
        ),
    ),
    seed,
)
