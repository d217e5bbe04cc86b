"""Measures the aims of speed side by side in one run, so that the ratios hold on any machine.

``python -m bench.speed`` prints five tables, or those that are named; times are medians of interleaved runs.
``python -m bench.speed many --mb 1000 --runs 1`` measures a log of 1 GB with 10 000 incidents (2 GB of temporary
files, some minutes).
"""

import argparse
import gc
import gzip
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oomadvisor.longrun import Start
    from oomadvisor.model import SystemState

SEED = Path(__file__).parent.parent / "examples" / "seed-2.6.31-arm-order2.txt"
ADVISOR = [sys.executable, "-m", "oomadvisor"]
BARE = "import pydantic, typer, yaml, rich, durable_rules_engine"
USED = "from pydantic import BaseModel; import typer, yaml, rich.console, rich.table, durable_rules_engine"
PROCESS_RUNS = 15
LOG_RUNS = 5
LONG_RUNS = 3
LOG_MB = 200
SMALL_LOG_MB = 20
MANY_RUNS = 3
MANY_MB = 200
DENSITY_KB = 100
MB = 1024 * 1024


@dataclass(frozen=True)
class Run:
    """One finished process: seconds from start to end and of the processor, and the largest resident memory in MB."""

    seconds: float
    processor: float
    peak_mb: float


def run(command: Sequence[str]) -> Run:
    """Run ``command``; it has to end with 0. Its output goes to a file: grep stops early when that is /dev/null."""
    with tempfile.TemporaryFile() as output:
        begin = time.perf_counter()
        process = subprocess.Popen(command, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[:4]} ended with {process.returncode}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def interleaved(commands: Mapping[str, Sequence[str]], times: int) -> dict[str, Run]:
    """Run the commands by turns, once to warm up and then ``times`` times each; return medians."""
    for command in commands.values():
        run(command)
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for name in islice(cycle(commands), times * len(commands)):
        runs[name].append(run(commands[name]))
    return {
        name: Run(median(r.seconds for r in all_), median(r.processor for r in all_), max(r.peak_mb for r in all_))
        for name, all_ in runs.items()
    }


def whole_process() -> None:
    """The command as a user starts it, against the cost that no code of ours can avoid."""
    python = sys.executable
    commands = {
        "python -c pass": [python, "-c", "pass"],
        "importing the dependencies": [python, "-c", BARE],
        "importing what is used of them": [python, "-c", USED],
        "oomadvisor --version": [*ADVISOR, "--version"],
        "oomadvisor advise SEED": [*ADVISOR, "advise", str(SEED)],
        "oomadvisor advise SEED, json": [*ADVISOR, "advise", str(SEED), "--format", "json"],
    }
    result = interleaved(commands, PROCESS_RUNS)
    nothing, bare, used = (one.seconds for one in islice(result.values(), 3))
    print(f"Whole process, median of {PROCESS_RUNS} (aim: the seed within 2.5 x of importing the dependencies)")
    print(f"  {'':34}{'ms':>8}{'x pass':>8}{'x import':>10}{'x used':>8}")
    for name, one in result.items():
        ratios = f"{one.seconds / nothing:8.1f}{one.seconds / bare:10.2f}{one.seconds / used:8.2f}"
        print(f"  {name:34}{one.seconds * 1000:8.0f}{ratios}")


def in_process() -> None:
    """Whole advices in one process, as the fleet and the web page make them."""
    from oomadvisor import __version__
    from oomadvisor.advise import advise
    from oomadvisor.book import load_book
    from oomadvisor.infer import build_state
    from oomadvisor.model import Advice, SystemState
    from oomadvisor.parse import scan_file
    from oomadvisor.present.json import advice_json, dumps
    from oomadvisor.present.text import render_advice

    begin = time.perf_counter()
    book = load_book()
    loaded = time.perf_counter() - begin

    def parsed() -> SystemState:
        return build_state(next(iter(scan_file(str(SEED)))))

    def advised() -> Advice:
        return Advice(incidents=(advise(parsed(), book),), incidents_found=1, engine="", version=__version__)

    print(f"\nIn one process, a report per run (the rule book is loaded once, in {loaded * 1000:.0f} ms)")
    stages: dict[str, Callable[[], object]] = {
        "parse, infer": parsed,
        "parse, infer, advise": advised,
        "parse, infer, advise, text": lambda: render_advice(advised(), width=80, colour=False),
        "parse, infer, advise, json": lambda: dumps(advice_json(advised())),
    }
    for name, stage in stages.items():
        print(f"  {name:34}{per_second(stage):8.1f} reports/s")


def long_runs() -> None:
    """A day of the built-in mix on the example's box, against the bare lists that it runs on."""
    from oomadvisor.infer import build_state
    from oomadvisor.kernel.buddy import BuddyZone
    from oomadvisor.kernel.gfp import Gfp, MigrateType
    from oomadvisor.kernel.pcplist import PerCpuList
    from oomadvisor.longrun import AS_IT_IS, default_mix, from_boot, from_report, long_run, setting_of
    from oomadvisor.parse import scan_file

    def bare_lists() -> int:
        buddy = BuddyZone(
            max_order=11,
            pageblock_order=10,
            zone_start_pfn=0,
            spanned_pages=40960,
            free_lists=[(10, MigrateType.MOVABLE, range(0, 40960, 1024))],
            pageblock_types=[MigrateType.MOVABLE] * 40,
        )
        listed = PerCpuList(buddy, high=42, batch=7)
        for _ in range(10):
            pages = [listed.alloc(int(Gfp.GFP_KERNEL)) for _ in range(20_000)]
            for pfn in pages[::2] + pages[1::2]:
                if pfn is not None:
                    listed.free(pfn)
        return 2 * 10 * 20_000

    state = build_state(next(iter(scan_file(str(SEED)))))

    def a_day(start: "Callable[[SystemState], Start]") -> int:
        settings = [AS_IT_IS, setting_of({"vm.min_free_kbytes": (2039,)})]
        result = long_run(start(state), default_mix(), settings, seeds=1, days=1)
        return sum(run.allocator_events for runs in result.settings for run in runs.runs)

    stages: dict[str, Callable[[], int]] = {
        "buddy and per-cpu lists alone": bare_lists,
        "long run from boot, two settings": lambda: a_day(from_boot),
        "long run from the report, the same": lambda: a_day(from_report),
    }
    rates: dict[str, list[float]] = {name: [] for name in stages}
    for name in islice(cycle(stages), LONG_RUNS * len(stages)):
        begin = time.perf_counter()
        events = stages[name]()
        rates[name].append(events / (time.perf_counter() - begin) * 60 / 1e6)
    base = median(rates["buddy and per-cpu lists alone"])
    print(f"\nThe long run, pages and blocks taken or given back, median of {LONG_RUNS} (aim: 1 million a minute)")
    print(f"  {'':36}{'million/min':>12}{'x lists':>9}")
    for name, found in rates.items():
        print(f"  {name:36}{median(found):12.1f}{base / median(found):9.2f}")


def per_second(work: Callable[[], object], seconds: float = 2.0) -> float:
    """Return how often ``work`` can be done in a second."""
    work()
    gc.collect()
    times, begin = 0, time.perf_counter()
    while (spent := time.perf_counter() - begin) < seconds:
        work()
        times += 1
    return times / spent


def unrelated_lines() -> Iterator[str]:
    """Yield lines as a busy box logs them; one in a thousand nearly looks like a part of a report."""
    words = ("link up", "slot 12 of 40 is free", "normal exit", "order shipped", "cpu idle", "connection from 10.0.0.7")
    near = ("Mem-pool ok", "DMA ring full", "Normal exit", "order=2 shipped", "invoked by cron", "Out of paper")
    for n in range(1 << 62):
        day, second = divmod(n, 86400)
        clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        program = ("netd", "cron", "kernel", "app")[n % 4]
        text = words[n % len(words)] if n % 1000 else near[n // 1000 % len(near)]
        yield f"Jan {1 + day % 28:2} {clock} box {program}[{100 + n % 900}]: {text} {n * 2654435761 % 2**32:08x}\n"


def write_log(path: Path, size_mb: int) -> None:
    """Write a log of ``size_mb`` MB with the seed's report near its beginning, in its middle and near its end."""
    block = "".join(islice(unrelated_lines(), MB // 60)).encode()
    report = b"".join(b"Jan  9 03:14:15 box kernel:" + line for line in SEED.read_bytes().splitlines(keepends=True))
    blocks = size_mb * MB // len(block)
    with path.open("wb") as file:
        for number in range(blocks):
            if number in (1, blocks // 2, blocks - 1):
                file.write(report)
            file.write(block)


def long_logs(folder: Path) -> None:
    """Finding three incidents in a long log, against grep looking for one string in it."""
    large, small, packed = folder / "large.log", folder / "small.log", folder / "small.log.gz"
    write_log(large, LOG_MB)
    write_log(small, SMALL_LOG_MB)
    with small.open("rb") as plain, gzip.open(packed, "wb", compresslevel=1) as file:
        shutil.copyfileobj(plain, file)
    grep = ["grep", "-c", "invoked oom-killer"]
    commands = {
        f"grep -c, {LOG_MB} MB": [*grep, str(large)],
        f"grep -c in the C locale, {LOG_MB} MB": ["env", "LC_ALL=C", *grep, str(large)],
        f"oomadvisor incidents, {LOG_MB} MB": [*ADVISOR, "incidents", str(large)],
        f"oomadvisor incidents, {SMALL_LOG_MB} MB": [*ADVISOR, "incidents", str(small)],
        f"oomadvisor incidents, {SMALL_LOG_MB} MB .gz": [*ADVISOR, "incidents", str(packed)],
        "oomadvisor incidents SEED": [*ADVISOR, "incidents", str(SEED)],
    }
    result = interleaved(commands, LOG_RUNS)
    base = result[f"grep -c, {LOG_MB} MB"].seconds
    print(f"\nA log with 3 incidents, median of {LOG_RUNS}")
    print(f"(aim: scanning {LOG_MB} MB within 3 x of grep, memory independent of the size)")
    print(f"  {'':34}{'ms':>8}{'x grep':>8}{'peak MB':>9}")
    for name, one in result.items():
        print(f"  {name:34}{one.seconds * 1000:8.0f}{one.seconds / base:8.1f}{one.peak_mb:9.1f}")
    start = result["oomadvisor incidents SEED"].seconds
    scanning = result[f"oomadvisor incidents, {LOG_MB} MB"].seconds - start
    print(f"  scanning alone, start-up taken off: {scanning / base:.1f} x grep, {LOG_MB / scanning:.0f} MB/s")
    growth = (
        result[f"oomadvisor incidents, {LOG_MB} MB"].peak_mb
        - result[f"oomadvisor incidents, {SMALL_LOG_MB} MB"].peak_mb
    )
    print(f"  memory from {SMALL_LOG_MB} MB to {LOG_MB} MB: {growth:+.1f} MB")


def many_incidents(folder: Path, size_mb: int = MANY_MB, runs: int = MANY_RUNS) -> None:
    """A log with an incident every 100 kB: how fast they are read, and what lies between them is passed over."""
    full, quiet = folder / "many.log", folder / "none.log"
    report = b"".join(b"Jan  9 03:14:15 box kernel:" + line for line in SEED.read_bytes().splitlines(keepends=True))
    between = DENSITY_KB * 1000 - len(report)
    block = "".join(islice(unrelated_lines(), between // 60)).encode()
    block = block[: block.rfind(b"\n", 0, between) + 1]
    count = size_mb * 1000 // DENSITY_KB
    with full.open("wb") as one, quiet.open("wb") as other:
        for _ in range(count):
            one.write(block + report)
            other.write(block)
    quiet_mb = quiet.stat().st_size / 1e6
    grep = ["grep", "-c", "invoked oom-killer"]
    # grep ends with 1 where it finds nothing; the list of incidents, too.
    allowed = ["sh", "-c", '"$@"; [ $? -le 1 ]', "sh"]
    commands = {
        f"grep -c, {size_mb} MB, {count} incidents": [*grep, str(full)],
        f"grep -c, {size_mb} MB without": [*allowed, *grep, str(quiet)],
        f"incidents, {size_mb} MB, {count} of them": [*ADVISOR, "incidents", "--format", "jsonl", str(full)],
        f"incidents, {size_mb} MB without": [*allowed, *ADVISOR, "incidents", str(quiet)],
        "incidents, SEED": [*ADVISOR, "incidents", str(SEED)],
    }
    result = interleaved(commands, runs)
    with_them, without, listed, scanned, start = result.values()
    print(f"\nA log with an incident every {DENSITY_KB} kB, median of {runs}")
    print("(aim: between incidents no less than a third of grep's speed, 300 incidents/s, less than 150 MB)")
    print(f"  {'':38}{'ms':>8}{'cpu ms':>8}{'peak MB':>9}")
    for name, one in result.items():
        print(f"  {name:38}{one.seconds * 1000:8.0f}{one.processor * 1000:8.0f}{one.peak_mb:9.1f}")
    scanning = scanned.seconds - start.seconds, scanned.processor - start.processor
    reading = listed.seconds - scanned.seconds, listed.processor - scanned.processor
    print(
        f"  between incidents: {scanning[0] / without.seconds:.1f} x grep ({scanning[1] / without.processor:.1f} x in "
        f"processor time), {quiet_mb / scanning[0]:.0f} MB/s"
    )
    print(
        f"  with incidents: {listed.seconds / with_them.seconds:.0f} x grep, {count / reading[0]:.0f} incidents/s, "
        f"{count / reading[1]:.0f} for each second of a processor"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is named, in the order of the choices; everything where nothing is."""
    choices = ("process", "long", "many", "days", "advice")
    parser = argparse.ArgumentParser(prog="python -m bench.speed")
    parser.add_argument("tables", nargs="*", metavar="|".join(choices), help="what to measure (all)")
    parser.add_argument(
        "--mb", type=int, default=MANY_MB, help="size of the log full of incidents, in MB (%(default)s)"
    )
    parser.add_argument("--runs", type=int, default=MANY_RUNS, help="how often it is read (%(default)s)")
    given = parser.parse_args(arguments)
    if unknown := set(given.tables) - set(choices):
        parser.error(f"there is no table {', '.join(sorted(unknown))}; there are {', '.join(choices)}")
    tables = given.tables or choices
    if "process" in tables:
        whole_process()
    with tempfile.TemporaryDirectory(prefix="oomadvisor-bench-") as folder:
        if "long" in tables:
            long_logs(Path(folder))
        if "many" in tables:
            many_incidents(Path(folder), given.mb, given.runs)
    if "days" in tables:
        long_runs()
    if "advice" in tables:
        in_process()  # last: the peak of a child is never less than what this process held when it was started


if __name__ == "__main__":
    main()
