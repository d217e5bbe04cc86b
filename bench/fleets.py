"""Made-up fleets with known truth: random states as a 2.6.31 kernel prints them, in logs of all kinds and sizes.

Sizes have a heavy tail, as those of real boxes have: most logs are small, a few hold a good part of everything.
"""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import count, islice
from pathlib import Path
from random import Random

from bench.speed import unrelated_lines
from oomadvisor.model import Incident
from tests.parse.render import render
from tests.parse.states import make_incident

REPORTS = 200
MOST_PAGES = 120_000
NOISE_LINES = 20_000
SITES, FIRMWARES = ("north", "south"), ("1.2", "1.3", "2.0")
FORMS = (".log", ".log", ".log", ".log", ".log.gz", ".log.xz", ".log.zst", ".log.bz2", ".tar.gz", ".zip")
INNER = "console.log"


@dataclass(frozen=True)
class Truth:
    """What is in a fleet. ``incidents``: input, line, kind, task, order and mask of each; ``lines``: of each input.

    ``events``: the different ones among them, because some logs were uploaded twice or come as dmesg and as syslog.
    """

    incidents: list[tuple[str, int, str, str | None, int | None, int | None]] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    events: set[tuple[str, int]] = field(default_factory=set)
    bytes_written: list[int] = field(default_factory=list)


@cache
def _seeds() -> tuple[int, ...]:
    """The random states that a small box can be in: with millions of pages a single advice takes minutes."""
    return tuple(islice((seed for seed in count() if _pages(make_incident(seed, "arm")) <= MOST_PAGES), REPORTS))


def _pages(made: Incident) -> int:
    return max(
        *(zone.present_pages or 0 for zone in made.zones),
        *(zone.free_pages or 0 for zone in made.zones),
        *(task.rss_pages or 0 for task in made.tasks),
        0,
    )


@cache
def _report(number: int) -> tuple[str, str | None, int | None, int | None, tuple[str, ...]]:
    made = make_incident(_seeds()[number], "arm")
    return made.kind, made.request.comm, made.request.order, made.request.gfp_mask, tuple(render(made))


@cache
def _noise() -> tuple[str, ...]:
    return tuple(line.rstrip("\n") for line in islice(unrelated_lines(), NOISE_LINES))


def make_fleet(folder: Path, *, seed: int, incidents: int, text_bytes: int) -> Truth:
    """Write a fleet of ``incidents`` incidents in about ``text_bytes`` of text, and return what is in it."""
    random = Random(seed)
    truth = Truth()
    sizes = _shares(random, incidents)
    noise_each = max((text_bytes // 62 - incidents * 32) // max(incidents, 1), 0)
    uptime = 0
    for number, share in enumerate(sizes):
        place = folder / random.choice(SITES) / random.choice(FIRMWARES)
        place.mkdir(parents=True, exist_ok=True)
        form = FORMS[number % len(FORMS)] if share < 200 else ".log"
        file = place / f"box-{number:05}{form}"
        known, uptime = _known(random, share, uptime)
        _write(truth, file, random, known, noise_each)
        if number % 9 == 4:
            twin = place / f"box-{number:05}-again.log"
            _write(truth, twin, random, known, noise_each // 2, syslog=number % 2 == 0)
    odd = {"core.bin": bytes(range(256)) * 64, "cut.log.gz": gzip.compress(b"abc" * 1000)[:9], "empty.log": b""}
    for name, data in odd.items():
        (folder / name).write_bytes(data)
        if data:
            truth.unreadable.add(str(folder / name))
        else:
            truth.lines[str(folder / name)] = 0
    return truth


def _shares(random: Random, incidents: int) -> list[int]:
    sizes: list[int] = []
    while (left := incidents - sum(sizes)) > 0:
        sizes.append(min(int(random.paretovariate(0.9)), max(incidents // 4, 1), left))
    return sizes


def _known(random: Random, share: int, uptime: int) -> tuple[list[tuple[int, int]], int]:
    """Return which report is printed when (in microseconds since boot), for the incidents of one box."""
    known = []
    for _ in range(share):
        uptime += random.randint(1_000, 900_000_000)
        known.append((random.randrange(REPORTS), uptime))
    return known, uptime


def _write(
    truth: Truth, file: Path, random: Random, known: Sequence[tuple[int, int]], noise: int, *, syslog: bool = False
) -> None:
    name = str(file)
    if file.name.endswith((".tar.gz", ".zip")):
        name = f"{name}!/{file.name[:9]}/{INNER}"
    lines: list[str] = []
    for report, uptime in known:
        kind, comm, order, mask, text = _report(report)
        lines += _between(random, noise)
        prefix = f"[{uptime // 1_000_000:5}.{uptime % 1_000_000:06}] "
        prefix = f"Jan {1 + uptime // 86_400_000_000 % 28:2} 03:14:15 box kernel: {prefix}" if syslog else prefix
        truth.incidents.append((name, len(lines) + 1, kind, comm, order, mask))
        truth.events.add((str(report), uptime))
        lines += [prefix + line for line in text]
    lines += _between(random, noise // 2)
    truth.lines[name] = len(lines)
    data = "".join(line + "\n" for line in lines).encode()
    truth.bytes_written.append(len(data))
    file.write_bytes(_packed(file, data))


def _between(random: Random, lines: int) -> Iterator[str]:
    begin = random.randrange(NOISE_LINES)
    noise = _noise()
    return (noise[(begin + n) % NOISE_LINES] for n in range(random.randint(lines // 2, lines + lines // 2)))


def _packed(file: Path, data: bytes) -> bytes:
    import zstandard

    out = io.BytesIO()
    if file.name.endswith(".tar.gz"):
        with tarfile.open(fileobj=out, mode="w:gz") as tar:
            info = tarfile.TarInfo(f"{file.name[:9]}/{INNER}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        return out.getvalue()
    if file.name.endswith(".zip"):
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{file.name[:9]}/{INNER}", data)
        return out.getvalue()
    packers = {".gz": gzip.compress, ".xz": lzma.compress, ".bz2": bz2.compress, ".zst": zstandard.compress}
    return packers.get(file.suffix, bytes)(data)
