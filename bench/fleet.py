"""Measures a fleet: ``python -m bench.fleet [--incidents N] [--mb N] [--seed N] [--only truth|speed|tiny|line]``.

A fleet with known truth is made (:mod:`bench.fleets`), read by ``oomadvisor fleet``, and its tables compared with the
truth. Speed is measured side by side: grep, one process that only parses, one process that calls the library, and 1 and
2 workers. Beside the time on the clock stands the time of the processors, because a machine is seldom idle.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from pyarrow import dataset

from bench.fleets import Truth, make_fleet

MB = 1024 * 1024
ADVISOR = [sys.executable, "-m", "oomadvisor"]
PARSE = "import sys; from oomadvisor.parse import scan_file; print(sum(1 for f in sys.argv[1:] for _ in scan_file(f)))"
LIBRARY = """
import sys
from oomadvisor.advise import advise
from oomadvisor.book import engine_for, load_book
from oomadvisor.infer import build_state
from oomadvisor.parse import scan_file
book = load_book()
engine = engine_for(book)
print(sum(len(advise(build_state(i), book, engine=engine).fixes) > -1 for f in sys.argv[1:] for i in scan_file(f)))
"""


@dataclass
class Ran:
    """A finished process: seconds on the clock and of the processors, and the largest memory of its workers in MB, by
    halves of the run.
    """

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peaks_mb: list[tuple[float, float]] = field(default_factory=list)

    @property
    def halves_mb(self) -> tuple[float, float]:
        """The largest memory of a worker in the first and in the second half."""
        middle = self.seconds / 2
        first = max((mb for at, mb in self.peaks_mb if at <= middle), default=0.0)
        return first, max((mb for at, mb in self.peaks_mb if at > middle), default=0.0)


def run(command: Sequence[str], allowed: Sequence[int] = (0,)) -> Ran:
    """Run ``command`` and watch its processes."""
    ran, cpu = Ran(), dict[int, float]()
    began = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        process = psutil.Popen(command, stdout=out, stdin=subprocess.DEVNULL)
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(0.2):
                for one in _family(process):
                    try:
                        times, memory = one.cpu_times(), one.memory_info().rss
                    except psutil.Error:
                        continue
                    cpu[one.pid] = times.user + times.system
                    if one.pid != process.pid:
                        ran.peaks_mb.append((time.perf_counter() - began, memory / MB))

        watcher = threading.Thread(target=watch)
        watcher.start()
        code = process.wait()
        ended.set()
        watcher.join()
    if code not in allowed:
        raise SystemExit(f"{list(command)[:6]} ended with {code}")
    ran.seconds, ran.cpu_seconds = time.perf_counter() - began, sum(cpu.values())
    return ran


def _family(process: psutil.Popen) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def rows(out: Path, table: str) -> list[dict[str, object]]:
    """All rows of a table."""
    parts = sorted(str(file) for file in (out / table).glob("*.parquet"))
    found: list[dict[str, object]] = dataset.dataset(parts).to_table().to_pylist() if parts else []
    return found


def compare(truth: Truth, out: Path) -> None:
    """Say whether the tables are what was written into the logs; end with 1 when they are not."""
    incidents, inputs = rows(out, "incidents"), rows(out, "inputs")
    keys = ("input", "line", "kind", "comm", "order", "gfp_mask")
    same = {
        "incidents": sorted(tuple(r[k] for k in keys) for r in incidents) == sorted(truth.incidents),
        "different events": len({r["incident"] for r in incidents}) == len(truth.events),
        "lines of each input": {
            r["input"]: r["lines"] for r in inputs if r["kind"] == "log" and r["reason"] is None
        } == truth.lines,
        "unreadable inputs": {r["input"] for r in inputs if r["state"] != "finished"} == truth.unreadable,
    }  # fmt: skip
    print(f"  {len(incidents)} incidents, {len(truth.events)} different ones, in {len(inputs)} inputs")
    print("  the tables equal the truth:", ", ".join(f"{name} {'yes' if ok else 'NO'}" for name, ok in same.items()))
    if not all(same.values()):
        raise SystemExit(1)


@contextmanager
def fleet_of(incidents: int, mb: int, seed: int) -> Iterator[tuple[Path, Truth]]:
    with tempfile.TemporaryDirectory(prefix="oomadvisor-fleet-") as place:
        began = time.perf_counter()
        truth = make_fleet(Path(place) / "logs", seed=seed, incidents=incidents, text_bytes=mb * MB)
        text = sum(truth.bytes_written) / MB
        files = sum(1 for file in (Path(place) / "logs").rglob("*") if file.is_file())
        largest = max(truth.bytes_written) / MB
        print(
            f"A fleet of {len(truth.incidents)} incidents in {files} files, {text:.0f} MB of text (the largest "
            f"{largest:.0f} MB), made in {time.perf_counter() - began:.0f} s",
            flush=True,
        )
        yield Path(place), truth


def check_truth(incidents: int, mb: int, seed: int) -> None:
    """The large fleet, by two workers: are the tables right, and does the memory stay flat?"""
    with fleet_of(incidents, mb, seed) as (place, truth):
        out = place / "out"
        ran = run([*ADVISOR, "fleet", str(place / "logs"), "-o", str(out), "--workers", "2"])
        compare(truth, out)
        text = sum(truth.bytes_written) / MB
        first, second = ran.halves_mb
        size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file()) / MB
        print(f"  {ran.seconds:.0f} s, {ran.cpu_seconds:.0f} s of processors")
        print(f"  {len(truth.incidents) / ran.seconds:.1f} incidents/s, {text / ran.seconds:.2f} MB/s")
        print(
            f"  largest worker: {first:.0f} MB in the first half, {second:.0f} MB in the second; OUT is {size:.1f} MB"
        )


def speed(incidents: int, mb: int, seed: int) -> None:
    """Side by side, on plain logs that everyone can read."""
    with fleet_of(incidents, mb, seed) as (place, truth):
        logs = sorted(str(f) for f in (place / "logs").rglob("box-*.log"))
        names = set(logs)
        count = sum(1 for row in truth.incidents if row[0] in names)
        text = sum(Path(f).stat().st_size for f in logs) / MB

        def fleet(workers: int) -> list[str]:
            out = place / f"out{workers}"
            shutil.rmtree(out, ignore_errors=True)
            return [*ADVISOR, "fleet", *logs, "-o", str(out), "--workers", str(workers)]

        results = {
            "grep -c": run(["grep", "-c", "invoked oom-killer", *logs], (0, 1)),
            "one process, parsing alone": run([sys.executable, "-c", PARSE, *logs]),
            "one process, the library": run([sys.executable, "-c", LIBRARY, *logs]),
            "fleet, in process": run(fleet(0)),
            "fleet, 1 worker": run(fleet(1)),
            "fleet, 2 workers": run(fleet(2)),
        }
        print(f"The plain logs of it: {count} incidents, {text:.0f} MB")
        print(f"  {'':30}{'s':>8}{'cpu s':>8}{'inc/s':>8}{'MB/s':>8}{'inc/cpu s':>11}{'worker MB':>11}")
        for name, ran in results.items():
            cpu = f"{ran.cpu_seconds:8.1f}{count / ran.seconds:8.1f}{text / ran.seconds:8.2f}"
            per_cpu = count / ran.cpu_seconds if ran.cpu_seconds else 0.0
            print(f"  {name:30}{ran.seconds:8.1f}{cpu}{per_cpu:11.1f}{max(ran.halves_mb):11.0f}")
        one, two = results["fleet, 1 worker"], results["fleet, 2 workers"]
        print(f"  efficiency of 2 workers over 1: {one.seconds / two.seconds / 2:.2f} by the clock, "
              f"{one.cpu_seconds / two.cpu_seconds:.2f} by the processors' time")  # fmt: skip


def tiny(files: int = 1000) -> None:
    """What the engine costs where there is next to nothing to do."""
    with tempfile.TemporaryDirectory(prefix="oomadvisor-tiny-") as place:
        folder = Path(place) / "logs"
        folder.mkdir()
        for number in range(files):
            (folder / f"{number:04}.log").write_text(f"[    1.{number:06}] link up\n" * 40)
        parse = run([sys.executable, "-c", PARSE, *(str(file) for file in sorted(folder.iterdir()))])
        print(f"{files} tiny logs without an incident")
        print(f"  one process, parsing alone: {parse.seconds:.1f} s, {parse.cpu_seconds:.1f} s of processors")
        for workers in (0, 1, 2):
            out = Path(place) / f"out{workers}"
            ran = run([*ADVISOR, "fleet", str(folder), "-o", str(out), "--workers", str(workers)], (1,))
            parts = len(list((out / "inputs").iterdir()))
            print(
                f"  fleet, {workers} workers: {ran.seconds:.1f} s, {ran.cpu_seconds:.1f} s of processors, {parts} parts"
            )


def endless_line(gigabytes: int) -> None:
    """One line of many gigabytes: how long, and how much memory."""
    with tempfile.TemporaryDirectory(prefix="oomadvisor-line-") as place:
        file = Path(place) / "line.log"
        with file.open("wb") as log:
            for _ in range(gigabytes * 1024):
                log.write(b"x" * MB)
        out = Path(place) / "out"
        ran = run([*ADVISOR, "fleet", str(file), "-o", str(out), "--workers", "1"], (1,))
        print(f"One line of {gigabytes} GB: {ran.seconds:.1f} s, largest worker {max(ran.halves_mb):.0f} MB")
        print("  " + json.dumps(rows(out, "inputs")[0], default=str)[-120:])


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--incidents", type=int, default=5000)
    arguments.add_argument("--mb", type=int, default=250)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--only", choices=("truth", "speed", "tiny", "line"))
    arguments.add_argument("--gigabytes", type=int, default=2)
    asked = arguments.parse_args()
    if asked.only in (None, "tiny"):
        tiny()
    if asked.only in (None, "speed"):
        speed(max(asked.incidents // 10, 10), max(asked.mb // 10, 10), asked.seed)
    if asked.only in (None, "truth"):
        check_truth(asked.incidents, asked.mb, asked.seed)
    if asked.only in (None, "line"):
        endless_line(asked.gigabytes)


if __name__ == "__main__":
    main()
