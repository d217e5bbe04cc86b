"""Run every vector file of a folder through ``oomadvisor.kernel``: ``python -m tests.checks.conformance DIR``.

Exit codes: 0 all rows agree; 1 some do not; 2 wrong usage; 3 the folder or a row in it cannot be used.
"""

import gzip
import json
import multiprocessing
import re
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oomadvisor.kernel.family import Family
from oomadvisor.kernel.series import functions_for
from tests.kernel.cases import CASES, Case, Row
from tests.kernel.rowshape import Shape, both, integer, record
from tests.kernel.seed_case import SEED
from tests.kernel.version_cases import TABLES, VERSION_CASES

MEASURED_KERNEL = (2, 6, 31, 12)
"""The kernel behind files that name no version."""

WORKERS = 2
SHOWN_MISMATCHES = 5
SHOWN_CHARACTERS = 160

TREES: dict[tuple[int, ...], tuple[int, ...]] = {
    tree[: 3 if tree[0] == 2 else 2]: tree
    for tree in (
        (2, 6, 39, 4),
        (3, 0, 1),
        (3, 3, 8),
        (3, 4, 113),
        (3, 6, 5),
        (3, 7, 2),
        (3, 8, 13),
        (3, 9, 6),
        (3, 10, 105),
        (3, 12, 24),
        (3, 13, 10),
        (3, 14, 1),
        (3, 18, 20),
        (3, 19, 8),
        (4, 0, 5),
        (4, 1, 3),
        (4, 2, 8),
        (4, 4, 121),
        (4, 5, 7),
        (4, 6, 2),
        (4, 7, 4),
        (4, 8, 15),
        (4, 9, 80),
        (4, 10, 1),
        (4, 14, 177),
        (4, 16, 13),
        (4, 19, 78),
        (5, 1, 15),
        (5, 2, 1),
        (5, 3, 1),
        (5, 4, 59),
        (5, 6, 4),
        (5, 7, 14),
        (5, 8, 1),
        (5, 9, 2),
        (5, 10, 44),
        (5, 11, 14),
        (5, 14, 2),
        (5, 15, 85),
        (6, 0, 1),
        (6, 1, 20),
        (6, 2, 1),
        (6, 3, 8),
        (6, 4, 4),
        (6, 6, 9),
        (6, 13, 7),
        (6, 18, 2),
    )
}
"""The stable release whose functions were run for the files of a series; of others it was the first release."""

VECTOR_FILE = re.compile(r"(?P<family>[^.-]+)(?:\.[^-]*?)?(?:-(?P<version>.+?))?\.jsonl(?:\.gz)?")


class UnusableVectors(Exception):
    """A folder, file or row that cannot be judged: the message says where and what was expected."""


@dataclass(frozen=True)
class Mismatch:
    """The first field of a row that differs."""

    id: int | str
    field: str
    got: Any
    expected: Any

    def __str__(self) -> str:
        return f"id {self.id}: {self.field}: got {_short(self.got)}, expected {_short(self.expected)}"


@dataclass
class FileResult:
    """What running one file gave. ``unusable`` holds the message about a file or row that cannot be judged."""

    name: str
    rows: int = 0
    mismatches: int = 0
    shown: list[Mismatch] = field(default_factory=list)
    seconds: float = 0.0
    unusable: str | None = None


@dataclass(frozen=True)
class Job:
    """A file and what it is checked with. ``named``: the file name says the version."""

    path: Path
    kind: str
    version: tuple[int, ...]
    named: bool = False


def first_mismatch(row: Row, case: Case, kernel: Family) -> Mismatch | None:
    """Return the first field in which the kernel functions disagree with the row, None when they agree."""
    name = "(row)"
    try:
        for name, got, expected in case.compare(row, kernel):
            if got != expected:
                return Mismatch(row.get("id", "-"), name, got, expected)
    except Exception as error:  # a function that raises disagrees with a kernel that answered
        return Mismatch(row.get("id", "-"), f"after {name}", f"{type(error).__name__}: {error}", "an answer")
    return None


def read_rows(path: Path, case: Case) -> Iterator[Row]:
    """Yield the rows of a JSON-lines file, plain or gzip. Raises UnusableVectors for a row that does not fit."""
    shape = both(record(id=integer), case.shape)
    number = 0
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                yield _checked(path, number, line, shape)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise UnusableVectors(f"{path}:{number + 1}: expected readable text or gzip: {error}") from None
    if number == 0:
        raise UnusableVectors(f"{path}:1: expected at least one row")


def read_seed(path: Path) -> Row:
    """Return seed.json. Raises UnusableVectors when it does not fit."""
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableVectors(f"{path}:1: expected readable text: {error}") from None
    return _checked(path, 1, content, SEED.shape)


def read_table(path: Path, shape: Shape) -> Any:
    """Return a document that holds all series. Raises UnusableVectors when it does not fit."""
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableVectors(f"{path}:1: expected readable text: {error}") from None
    return _checked(path, 1, content, shape)


def run_file(job: Job) -> FileResult:
    """Run all rows of a file."""
    started = time.perf_counter()
    result = FileResult(job.path.name)
    try:
        for row, case, kernel in _rows_of(job):
            result.rows += 1
            if mismatch := first_mismatch(row, case, kernel):
                result.mismatches += 1
                if len(result.shown) < SHOWN_MISMATCHES:
                    result.shown.append(mismatch)
    except UnusableVectors as error:
        result.unusable = str(error)
    result.seconds = time.perf_counter() - started
    return result


def _rows_of(job: Job) -> Iterator[tuple[Row, Case, Family]]:
    """Yield the rows of a file with what answers them."""
    name = job.path.name
    if name in TABLES:
        shape, rows_of, case = TABLES[name]
        for series, row in rows_of(read_table(job.path, shape)):
            kernel = functions_for(_version(series))
            if kernel is None:
                raise UnusableVectors(f"{job.path}:1: expected series from 2.6.12 to 6.18, found {series}")
            yield row, case, kernel
        return
    kernel = functions_for(job.version)
    assert kernel is not None
    if name == "seed.json":
        yield read_seed(job.path), SEED, kernel
        return
    case = _case_of(job)
    for row in read_rows(job.path, case):
        yield row, case, kernel


def _case_of(job: Job) -> Case:
    """Return the case of a file. A name with a version may stand for either format; its first row tells which."""
    measured, other = CASES.get(job.kind), VERSION_CASES.get(job.kind)
    if measured is None or other is None or not job.named:
        found = measured or other
        assert found is not None
        return found
    try:
        next(iter(read_rows(job.path, other)))
    except UnusableVectors:
        with suppress(UnusableVectors):
            next(iter(read_rows(job.path, measured)))
            return measured
    return other


def find_jobs(folder: Path) -> tuple[list[Job], list[str]]:
    """Return the files to run, and a reason for each vector file that cannot be run. Raises UnusableVectors."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise UnusableVectors(f"{folder}: expected a readable folder: {error.strerror}") from None
    jobs, not_run = find_jobs_of(paths)
    if not jobs and not not_run:
        raise UnusableVectors(f"{folder}: expected vector files (*.jsonl.gz, *.jsonl or seed.json), found none")
    return jobs, not_run


def find_jobs_of(paths: Sequence[Path]) -> tuple[list[Job], list[str]]:
    """Return the same of a list of files; what is no vector file is passed over."""
    jobs, not_run = [], []
    for path in paths:
        if path.name == "seed.json" or path.name in TABLES:
            jobs.append(Job(path, path.stem, MEASURED_KERNEL))
            continue
        named = VECTOR_FILE.fullmatch(path.name)
        if not named:
            continue
        kind, series = named["family"], named["version"]
        version = MEASURED_KERNEL if series is None else tree_of(series)
        if kind not in CASES and (series is None or kind not in VERSION_CASES):
            not_run.append(f"{path.name}: kernel/ has no family {kind}")
        elif functions_for(version) is None:
            not_run.append(f"{path.name}: kernel/ does not have the functions of {series}")
        else:
            jobs.append(Job(path, kind, version, named=series is not None))
    return jobs, not_run


def tree_of(series: str) -> tuple[int, ...]:
    """Return the release that was run for a series; a name that says a stable release means that one, no name is ()."""
    version = _version(series)
    return TREES.get(version, version)


def run(folder: Path) -> int:
    """Run a folder, print the result and return the exit code."""
    try:
        jobs, not_run = find_jobs(folder)
    except UnusableVectors as error:
        print(f"conformance: {error}", file=sys.stderr)
        return 3
    largest_first = sorted(jobs, key=lambda job: -job.path.stat().st_size)
    results = sorted(_run_all(largest_first), key=lambda result: result.name)
    for result in results:
        print(f"{result.name}: {result.rows} rows, {result.mismatches} mismatches, {result.seconds:.1f} s")
        for mismatch in result.shown:
            print(f"  {mismatch}")
        if result.unusable:
            print(f"conformance: {result.unusable}", file=sys.stderr)
    for reason in not_run:
        print(f"not run: {reason}")
    rows = sum(result.rows for result in results)
    mismatches = sum(result.mismatches for result in results)
    print(f"conformance: {len(results)} files, {rows} rows, {mismatches} mismatches")
    if any(result.unusable for result in results):
        return 3
    if not results:
        print(f"conformance: {folder}: expected a vector file that can be run, found none", file=sys.stderr)
        return 3
    return 1 if mismatches else 0


def main(arguments: list[str]) -> int:
    """Return the exit code of the command."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python -m tests.checks.conformance DIR", file=sys.stderr)
        return 2
    return run(Path(arguments[0]))


def _run_all(jobs: list[Job]) -> list[FileResult]:
    if len(jobs) < 2:
        return [run_file(job) for job in jobs]
    with ProcessPoolExecutor(WORKERS, mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(run_file, jobs))


def _version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split("."))) if re.fullmatch(r"\d+(\.\d+)*", text) else ()


def _checked(path: Path, number: int, content: str, shape: Any) -> Row:
    try:
        row = json.loads(content)
    except (ValueError, RecursionError):
        raise UnusableVectors(f"{path}:{number}: expected one JSON object") from None
    if expected := shape(row):
        raise UnusableVectors(f"{path}:{number}: expected {expected}")
    assert isinstance(row, dict)
    return row


def _short(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + " …"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
