"""The long run beside the real kernel: ``python -m tests.checks.longrun FILE [SEEDS]`` (part B of price/trials.tsv[.gz]).

Fifteen boots of the measured machine did 20000 operations each under five values of vm.min_free_kbytes. The built-in mix
is modelled on them, at a device's pace; here it runs at the pace of those boots. What must agree is said by
:func:`disagreements`: which setting keeps more, by how much the first kill moves, what may be used of it.
"""

import csv
import gzip
import sys
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import mean, median

from oomadvisor import knowledge
from oomadvisor.kernel.reserve import setup_per_zone_lowmem_reserve
from oomadvisor.kernel.series import functions_for
from oomadvisor.longrun import Box, LongRun, Run, Setting, SettingRuns, boot, default_mix, long_run
from oomadvisor.longrun.setting import floor_pages
from oomadvisor.longrun.summary import kill_orders

VALUES = (512, 2039, 4160, 8192, 16384)
SEEDS = 3
OPERATIONS = 20_000
DAYS = 3
QUIET_US_PER_OPERATION = 700
"""What an operation took on the measured machine while nothing had to be read or reclaimed (README of the runs)."""

SPEED = DAYS * 86_400_000_000 // (OPERATIONS * QUIET_US_PER_OPERATION)
RECLAIM_PHASE = (12_600, 14_600)
LAST_OPERATIONS = 2000
PAGES_PER_MB = 256
MEASURED_USABLE = {512: (35, 11), 2039: (42, 18), 4160: (49, 32), 8192: (42, 31), 16384: (58, 40)}
"""Order-2 blocks that GFP_KERNEL may take without reclaim, in the reclaim phase and the last one (means of 3 boots)."""

MEASURED_LOWERED = {2039: (42, 18), 4160: (178, 125), 8192: (399, 379), 16384: (930, 912)}
"""The same on the same lists at 2039, for the values from 2039 on."""

KILLS_JUDGED_FROM = 2039
"""Below it most first kills are for want of order 2, in the model earlier than on the real machine (docs/longrun.md):
there the floor does not decide, and the first kill is shown, not judged. The blocks kept are judged at every value.
"""

SAMPLING_MB = 1.4
"""tmpfs is read every 200 operations, in which it grows by so much."""


@dataclass(frozen=True)
class Reading:
    """A sample of either side: blocks of order 2 and 3 count larger ones in their own size."""

    operation: int
    tmpfs_pages: int
    free_pages: int
    file_pages: int
    order2: int
    order3: int
    killed: bool
    stalls: int
    reclaimed: int
    read_mb: float
    usable: int = 0
    lowered: int = 0


@dataclass(frozen=True)
class Row:
    """A setting in numbers: tmpfs at the first kill for each seed, and means over the seeds of the reclaim phase and of
    the last one before that kill. ``until_kill``: direct reclaims, pages reclaimed and MB read until then. ``kill_mb`` is the median: a kill for want of order 2 among others shifts a mean.
    """

    kills_mb: tuple[float, ...]
    until_kill: dict[str, float]
    reclaim: dict[str, float]
    last: dict[str, float]

    @property
    def kill_mb(self) -> float:
        return median(self.kills_mb)

    def earlier_mb(self, than: "Row") -> list[float]:
        """Return how much earlier the first kill came than in ``than``, seed by seed: they had the same events."""
        return [other - mine for mine, other in zip(self.kills_mb, than.kills_mb, strict=True)]


Readings = dict[int, list[list[Reading]]]


def measured_box() -> Box:
    """Return the box of the runs (README: zones, MAX_ORDER; 744 pages of the DMA zone were never free)."""
    names, present = ("DMA", "Normal", "Movable"), (24384, 40640, 0)
    family = functions_for((2, 6, 31, 12))
    assert family is not None
    reserve = setup_per_zone_lowmem_reserve(present, family.default_ratios(names))
    return Box(
        zone_names=names,
        present=present,
        reserve=tuple(map(tuple, reserve)),
        max_order=11,
        image_pages=744,
        min_free_kbytes=family.default_min_free_kbytes(names, present),
        operation=knowledge.operations("arm")["fork+exec"],
        family=family,
    )


def read_measured(path: Path) -> Readings:
    """Return the boots of part B by setting. Raises ValueError when the file does not have the expected shape."""
    names: list[str] | None = None
    boots: dict[tuple[int, str], list[Reading]] = defaultdict(list)
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for number, cells in enumerate(csv.reader(lines, delimiter="\t"), 1):
            if cells and cells[0] == "part":
                names = cells
            elif cells and cells[0] == "B":
                try:
                    row = dict(zip(names or (), cells, strict=True))
                    boots[int(row["min_free_kbytes"]), row["log"]].append(
                        Reading(
                            operation=int(row["op"]),
                            tmpfs_pages=int(row["tmpfs_pages"]),
                            free_pages=int(row["free"]),
                            file_pages=int(row["file_lru"]),
                            order2=int(row["blocks_ge_o2"]),
                            order3=int(row["blocks_ge_o3"]),
                            killed=int(row["oom_reports_so_far"]) > 0,
                            stalls=int(row["allocstall"]),
                            reclaimed=int(row["pgsteal"]),
                            read_mb=int(row["pgpgin_kB"]) / 1024,
                        )
                    )
                except (KeyError, ValueError) as error:
                    raise ValueError(f"{path}:{number}: expected a sample with numbers ({error})") from error
    found: Readings = defaultdict(list)
    for (value, _), readings in sorted(boots.items()):
        found[value].append(readings)
    if not set(VALUES) <= set(found):
        raise ValueError(f"{path}:1: expected samples of part B at {', '.join(map(str, VALUES))}")
    return found


def modelled(values: Sequence[int], seeds: int) -> LongRun:
    """Run the built-in mix at the pace of the measured boots."""
    settings = [Setting(str(value), value) for value in values]
    return long_run(boot(measured_box()), default_mix(), settings, seeds=seeds, days=DAYS, speed=SPEED)


def readings_of(run: Run) -> list[Reading]:
    """Return the samples of a run in the shape of the measured ones."""
    return [
        Reading(
            operation=round(one.at_ms * OPERATIONS / (DAYS * 86_400_000)),
            tmpfs_pages=one.tmpfs_pages,
            free_pages=one.free_pages,
            file_pages=one.file_pages,
            order2=_blocks(one.free_blocks, 2),
            order3=_blocks(one.free_blocks, 3),
            killed=one.kills > 0,
            stalls=one.stalls,
            reclaimed=one.reclaimed,
            read_mb=one.read_kb / 1024,
            usable=one.usable,
            lowered=one.usable_lowered,
        )
        for one in run.samples
    ]


def _blocks(free_blocks: Sequence[int], order: int) -> int:
    return sum(count << (o - order) for o, count in enumerate(free_blocks) if o >= order)


def row_of(boots: Sequence[Sequence[Reading]]) -> Row:
    """Return the means over the boots of a setting. Raises ValueError when one was not killed."""
    reclaim, last, kills, work = [], [], [], []
    for readings in boots:
        first = next((at for at, one in enumerate(readings) if one.killed), None)
        if not first:
            raise ValueError("a run without a kill, or that begins with one")
        before = readings[first - 1]
        kills.append(before.tmpfs_pages / PAGES_PER_MB)
        work.append({"stalls": before.stalls, "reclaimed": before.reclaimed, "read_mb": before.read_mb})
        low, high = RECLAIM_PHASE
        reclaim.append(_means(one for one in readings[:first] if low <= one.operation <= high))
        last.append(_means(one for one in readings[:first] if one.operation > before.operation - LAST_OPERATIONS))
    return Row(tuple(kills), _over(work), _over(reclaim), _over(last))


def _means(readings: Iterable[Reading]) -> dict[str, float]:
    found = list(readings)
    return {
        name: mean(getattr(one, name) for one in found)
        for name in ("free_pages", "file_pages", "order2", "order3", "usable", "lowered")
    }


def _over(phases: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: mean(phase[name] for phase in phases) for name in phases[0]}


def floors(values: Sequence[int]) -> dict[int, float]:
    """Return for each value how much larger its floor is than that of the first one, in MB."""
    pages = [floor_pages(measured_box(), Setting(str(value), value)) for value in values]
    return {value: (one - pages[0]) / PAGES_PER_MB for value, one in zip(values, pages, strict=True)}


def disagreements(rows: dict[int, Row], extra_floor_mb: dict[int, float], whose: str) -> list[str]:
    """Return in words what of the measured findings does not hold in ``rows``; nothing when all do."""
    wrong = []
    values = sorted(rows)
    for phase in ("reclaim", "last"):
        for name in ("free_pages", "order2", "order3"):
            series = [getattr(rows[value], phase)[name] for value in values]
            if any(low >= high for low, high in pairwise(series)):
                wrong.append(f"{whose}: {name} in the {phase} phase do not rise with the setting: {series}")
    judged = [value for value in values if value >= KILLS_JUDGED_FROM]
    if any(low.kill_mb <= high.kill_mb for low, high in pairwise(rows[value] for value in judged)):
        wrong.append(f"{whose}: the first kill does not come earlier with every higher setting")
    for value in judged[1:]:
        earlier = rows[value].earlier_mb(rows[judged[0]])
        floor = extra_floor_mb[value] - extra_floor_mb[judged[0]]
        if not min(earlier) - SAMPLING_MB <= floor <= max(earlier) + SAMPLING_MB:
            wrong.append(
                f"{whose}: at {value} the first kill comes {min(earlier):.1f} to {max(earlier):.1f} MB of tmpfs earlier "
                f"than at {judged[0]}; the floor is {floor:.1f} MB larger"
            )
    return wrong


def usable_disagreements(rows: dict[int, Row]) -> list[str]:
    """Return what of the finding that kept blocks are locked does not hold in the model.

    From the lowest value to the highest the blocks kept grew twentyfold, those that GFP_KERNEL may take by less than
    two in the reclaim phase; lowered again, nearly all of them may be taken.
    """
    low, high = rows[min(rows)], rows[max(rows)]
    wrong = []
    for phase in ("reclaim", "last"):
        kept = getattr(high, phase)["order2"] - getattr(low, phase)["order2"]
        usable = getattr(high, phase)["usable"] - getattr(low, phase)["usable"]
        lowered = getattr(high, phase)["lowered"] - getattr(low, phase)["lowered"]
        if usable > kept / 10:
            wrong.append(f"model: {usable:.0f} of the {kept:.0f} blocks kept more may be taken in the {phase} phase")
        if lowered < kept * 9 / 10:
            wrong.append(
                f"model: lowered, only {lowered:.0f} of the {kept:.0f} blocks may be taken in the {phase} phase"
            )
    return wrong


def print_rows(measured: dict[int, Row], model: dict[int, Row], extra_floor_mb: dict[int, float]) -> None:
    """Print both sides of every setting. ``earlier``: than at 2039; ``floor``: how much larger than there."""
    print(f"{'':8}{'':10}{'first kill':>11}{'earlier':>9}{'reclaim phase':>22}{'':14}{'last phase':>22}")
    print(
        f"{'min_free':8}{'':10}{'tmpfs MB':>11}{'MB':>9}"
        + 2 * f"{'free':>8}{'order 2':>9}{'order 3':>9}{'usable':>8}{'':2}"
    )
    for value in sorted(model):
        for whose, rows in (("measured", measured), ("model", model)):
            row = rows[value]
            earlier = mean(row.earlier_mb(rows[KILLS_JUDGED_FROM]))
            print(f"{value if whose == 'measured' else '':<8}{whose:10}{row.kill_mb:>11.1f}{earlier:>9.1f}", end="")
            for number, phase in enumerate((row.reclaim, row.last)):
                usable = MEASURED_USABLE[value][number] if whose == "measured" else round(phase["usable"])
                print(f"{phase['free_pages']:>8.0f}{phase['order2']:>9.0f}{phase['order3']:>9.0f}{usable:>8}  ", end="")
            print()
        print(f"{'':8}{'floor':10}{'':11}{extra_floor_mb[value] - extra_floor_mb[KILLS_JUDGED_FROM]:>9.1f}")


def print_work(measured: dict[int, Row], model: dict[int, Row]) -> None:
    """Print what was done until the first kill on both sides; nothing of the mix was chosen by it."""
    print("until the first kill")
    print(f"{'min_free':8}{'':10}{'direct reclaims':>16}{'pages reclaimed':>17}{'read MB':>9}")
    for value in sorted(model):
        for whose, rows in (("measured", measured), ("model", model)):
            work = rows[value].until_kill
            name = value if whose == "measured" else ""
            print(f"{name:<8}{whose:10}{work['stalls']:>16.0f}{work['reclaimed']:>17.0f}{work['read_mb']:>9.0f}")


def usable_at(result: LongRun) -> dict[int, Row]:
    """Return the rows of the model."""
    return {one.min_free_kbytes: row_of(_readings(one)) for one in result.settings}


def _readings(one: SettingRuns) -> list[list[Reading]]:
    return [readings_of(run) for run in one.runs]


def print_longrun(path: Path, seeds: int) -> bool:
    """Print the table and the closing line; return whether everything agrees. Raises ValueError, OSError."""
    measured = {value: row_of(boots) for value, boots in read_measured(path).items()}
    result = modelled(VALUES, seeds)
    model = usable_at(result)
    extra = floors(VALUES)
    print_rows(measured, model, extra)
    print_work(measured, model)
    wrong = disagreements(measured, extra, "measured") + disagreements(model, extra, "model")
    wrong += usable_disagreements(model)
    for line in wrong:
        print(f"  {line}")
    orders = {one.min_free_kbytes: kill_orders(one) for one in result.settings}
    print(f"first kills of the model by order: {orders}")
    events = sum(run.allocator_events for one in result.settings for run in one.runs)
    print(f"longrun: {len(VALUES)} settings, {seeds} seeds, {events} allocator events, disagreements {len(wrong)}")
    return not wrong


def main(arguments: list[str]) -> int:
    """Return the exit code: 0 all right, 1 something disagrees, 2 wrong usage, 3 the file cannot be used."""
    seeds = arguments[1] if len(arguments) == 2 else str(SEEDS)
    if len(arguments) not in (1, 2) or arguments[0].startswith("-") or not seeds.isdecimal() or int(seeds) < 1:
        print("usage: python -m tests.checks.longrun FILE [SEEDS]", file=sys.stderr)
        return 2
    try:
        return 0 if print_longrun(Path(arguments[0]), int(seeds)) else 1
    except (ValueError, OSError, EOFError, zlib.error) as error:
        print(f"longrun: {error}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
