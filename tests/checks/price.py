"""Bursts on the real machine against the closed formula: ``python -m tests.checks.price FILE`` (price/trials.tsv[.gz]).

Part A has one row a burst: one order under one mask until the first NULL, in each zone. The free lists are not among its
columns, only the free pages; but bursts in the same moment of a boot (same setting, same free pages) met the same lists.
So one burst of such a group gives the pages in blocks of its order or larger (a multiple of the block, and the window of
the formula is one block wide: there is exactly one), and all others, under other masks and in other contexts, must come
out exactly. Where none of a group gives them, only the first comparison, which reads no lists, is a bound.
"""

import csv
import gzip
import sys
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from oomadvisor.kernel.gfp import Gfp, slow_alloc_flags
from oomadvisor.kernel.marks import setup_per_zone_wmarks
from oomadvisor.kernel.reserve import setup_per_zone_lowmem_reserve
from oomadvisor.simulate.burst import burst_blocks, burst_limit
from oomadvisor.simulate.snapshot import ZoneSnapshot

ZONE_NAMES = ("DMA", "Normal", "Movable")
PRESENT = (24384, 40640, 0)
RATIOS = (256, 32)
"""The measured box: README of the runs."""

PCP_BAND_PAGES = 60
"""For order 0 the per-cpu lists add or withhold up to their high limits: 42 and 18 pages on this box."""

SHOWN = 20


@dataclass(frozen=True)
class ZoneBurst:
    """What one burst got from one zone, and what is known about the zone at its first instant."""

    line: int
    moment: tuple[str, str, int, str, int, int]
    order: int
    mask: int
    zone: ZoneSnapshot
    got: int


@dataclass
class Judged:
    """How the bursts of one order came out, counted by zone."""

    bursts: int = 0
    gave_lists: int = 0
    exact: int = 0
    bounded: int = 0
    wrong: int = 0


@dataclass
class Result:
    """A whole file. ``rows`` counts bursts, ``orders`` what each zone gave."""

    rows: int = 0
    single_rows: int = 0
    wrong_marks: int = 0
    outside_band: int = 0
    orders: dict[int, Judged] = field(default_factory=lambda: defaultdict(Judged))
    missed: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> int:
        return sum(judged.wrong for judged in self.orders.values())


def read_bursts(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line, columns) of part A. Each part begins with its own line of names. Raises ValueError."""
    names: list[str] | None = None
    number = 0
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for number, cells in enumerate(csv.reader(lines, delimiter="\t"), 1):
            if cells and cells[0] == "part":
                names = cells
            elif cells and cells[0] == "A":
                if names is None or len(cells) != len(names):
                    raise ValueError(f"{path}:{number}: expected as many values as the line 'part …' has names")
                yield number, dict(zip(names, cells, strict=True))
    if number == 0:
        raise ValueError(f"{path}:1: expected a table with tabs, its first line 'part …'")


def zone_bursts(line: int, row: Mapping[str, str]) -> list[ZoneBurst]:
    """Return what a row says about each zone that its mask may reach. Raises KeyError or ValueError for a bad row."""
    setting, order, mask = int(row["min_free_kbytes"]), int(row["order"]), int(row["gfp"], 16)
    marks = setup_per_zone_wmarks(ZONE_NAMES, PRESENT, setting)
    reserves = setup_per_zone_lowmem_reserve(PRESENT, RATIOS)
    class_zone = 0 if mask & Gfp.DMA else 1
    found = []
    for index, name in reversed(list(enumerate(ZONE_NAMES[: class_zone + 1]))):
        free = int(row[f"{name.lower()}_free"])
        zone = ZoneSnapshot(
            name=name,
            node=0,
            index=index,
            present=PRESENT[index],
            free=free,
            blocks=(free,),
            mark_min=marks[index].min,
            mark_low=marks[index].low,
            mark_high=marks[index].high,
            reserve=reserves[index][class_zone],
        )
        moment = (row["log"], row["state"], setting, name, free, order)
        found.append(ZoneBurst(line, moment, order, mask, zone, int(row[f"{name.lower()}_got"])))
    return found


def judge(path: Path) -> Result:
    """Check every burst of a file. Raises ValueError when it does not have the expected shape."""
    result = Result()
    moments: dict[tuple[str, str, int, str, int, int], list[ZoneBurst]] = defaultdict(list)
    for line, row in read_bursts(path):
        try:
            bursts = zone_bursts(line, row)
            printed = {"DMA": int(row["dma_min"]), "Normal": int(row["normal_min"])}
            measured = int(row["measured"])
        except (KeyError, ValueError) as error:
            raise ValueError(f"{path}:{line}: expected a burst with numbers ({error})") from error
        result.wrong_marks += any(burst.zone.mark_min != printed[burst.zone.name] for burst in bursts)
        if bursts[0].order == 0:
            result.single_rows += 1
            pages = sum(burst_blocks(burst.zone, 0, burst.mask) for burst in bursts)
            result.outside_band += abs(measured - pages) > PCP_BAND_PAGES
            continue
        result.rows += 1
        for burst in bursts:
            moments[burst.moment].append(burst)
    for group in moments.values():
        _judge_moment(group, result)
    return result


def with_lists(zone: ZoneSnapshot, order: int, pages: int) -> ZoneSnapshot:
    """Return the zone with ``pages`` in blocks of ``order``, and the others in blocks one order smaller.

    Which smaller blocks does not matter as long as the comparisons between are slacker than the first and the last.
    """
    smaller, single = divmod(zone.free - pages, 1 << (order - 1))
    blocks = [0] * (order + 1)
    blocks[order] = pages >> order
    blocks[0] += single
    blocks[order - 1] += smaller
    return zone.with_blocks(tuple(blocks))


def _judge_moment(group: Sequence[ZoneBurst], result: Result) -> None:
    """Recover the lists from one burst of the group and foretell the others."""
    judged = result.orders[group[0].order]
    judged.bursts += len(group)
    giver = next((burst for burst in group if 0 < burst.got < _without_lists(burst)), None)
    for burst in group:
        if giver is None:
            right = burst.got <= _without_lists(burst)
            judged.bounded += right
        else:
            expected = burst_blocks(with_lists(burst.zone, burst.order, _pages_of(giver)), burst.order, burst.mask)
            right = burst.got == expected
            judged.gave_lists += burst is giver
            judged.exact += right and burst is not giver
        if not right:
            judged.wrong += 1
            result.missed.append(
                f"line {burst.line}: order {burst.order} {burst.mask:#x} {burst.zone.name}: {burst.got}"
            )


def _without_lists(burst: ZoneBurst) -> int:
    """Return the blocks that the first comparison alone allows: every page lies in a block that is large enough."""
    blocks = (*[0] * burst.order, (burst.zone.free >> burst.order) + 1)
    return burst_blocks(replace(burst.zone, blocks=blocks), burst.order, burst.mask)


def _pages_of(burst: ZoneBurst) -> int:
    """Return the pages in blocks of the burst's order or larger: the multiple of the block that gives its count."""
    least = (burst.got << burst.order) + (burst_limit(burst.zone.mark_min, slow_alloc_flags(burst.mask)) >> burst.order)
    return -(-least >> burst.order) << burst.order


def print_price(path: Path) -> bool:
    """Print the table and the closing line; return whether nothing was wrong. Raises ValueError, OSError."""
    result = judge(path)
    print(f"{'order':<8}{'zone bursts':>12}{'gave lists':>12}{'exact':>8}{'bounded':>9}{'wrong':>7}")
    for order, judged in sorted(result.orders.items()):
        print(
            f"{order:<8}{judged.bursts:>12}{judged.gave_lists:>12}{judged.exact:>8}{judged.bounded:>9}{judged.wrong:>7}"
        )
    for line in result.missed[:SHOWN]:
        print(f"  {line}")
    print(
        f"price: {result.rows} bursts of order 1-3, wrong {result.wrong}; {result.single_rows} of order 0, "
        f"outside the per-cpu band {result.outside_band}; marks wrong {result.wrong_marks}"
    )
    return not (result.wrong or result.outside_band or result.wrong_marks)


def main(arguments: list[str]) -> int:
    """Return the exit code: 0 all right, 1 something is wrong, 2 wrong usage, 3 the file cannot be used."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python -m tests.checks.price FILE", file=sys.stderr)
        return 2
    try:
        return 0 if print_price(Path(arguments[0])) else 1
    except (ValueError, OSError, EOFError, zlib.error) as error:
        print(f"price: {error}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
