"""Damaged reports without end, through the parser: ``python -m tests.parse.fuzz [SECONDS [SEED]]``.

The corpus is made here: reports of all families, whole and behind every prefix and kind of damage. With atheris
installed (it is no dependency) its coverage guides what is changed next; without it lines, words and bytes are changed
at random. Each input has to be read within ``MAX_SECONDS``, in less than ``MAX_MB`` of memory, and without an
exception. What breaks it is written to the working folder as ``fuzz-parser-crash`` and the exit code is 1.
"""

import importlib
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import FrameType, FunctionType
from typing import Any

from oomadvisor.parse import read_incidents, scan_file
from oomadvisor.parse.errors import InputError
from oomadvisor.parse.forms import FORMS
from tests.parse.families import FAMILIES, rendered
from tests.parse.operators import HARMFUL, HARMLESS, with_dropped_characters
from tests.parse.samples import SAMPLES

MAX_SECONDS = 10
MAX_MB = 200
MAX_BYTES = 1 << 17
CRASH = Path("fuzz-parser-crash")
#: Now and then the path over a file is taken too, and has to find the same.
FILE_EVERY = 20
_WORDS = tuple(
    word.encode()
    for word in (
        *(key for form in FORMS for key in form.keys),
        *("=", "=3D", "#012", "\\x0a", '{"log":"', '"}', "> ", "<4>", "[    1.000000]", "[ T1]", "[ C0]", "&lt;", "\r"),
        *("kernel:", " 0", " -1", "99999999999999999999", "(U)", "*4kB", " = ", "kB", "Node 1 ", "DMA:", "\n", "\0"),
    )
)


class TooSlow(Exception):
    """An input took longer than ``MAX_SECONDS``."""


def corpus(random: Random) -> Iterator[bytes]:
    """Yield reports to begin with: each family whole, and each prefix and kind of damage once."""
    for number, family in enumerate(FAMILIES):
        report = rendered(family, number, failure=number % 2 == 1, numa=number % 3 == 0)
        yield "\n".join(report.lines).encode()
    for number, operator in enumerate({**HARMLESS, **HARMFUL, "dropped": with_dropped_characters}.values()):
        family = FAMILIES[number % len(FAMILIES)]
        report = rendered(family, number, failure=number % 2 == 0, numa=number % 3 == 1)
        yield "\n".join(operator(report.lines, random)).encode()
    for sample in SAMPLES:
        yield "\n".join((*sample.before, sample.line, *sample.after)).encode()


def changed(random: Random, one: bytes, other: bytes) -> bytes:
    """Return ``one`` after a few random changes; parts of ``other`` may come in."""
    lines = one.split(b"\n")
    for _ in range(random.randint(1, 6)):
        at = random.randrange(len(lines))
        line = lines[at]
        kind = random.randrange(10)
        if kind == 0:
            del lines[at : at + random.randint(1, 4)]
        elif kind == 1:
            lines[at:at] = lines[at : at + random.randint(1, 5)]
        elif kind == 2:
            spliced = other.split(b"\n")
            begin = random.randrange(len(spliced))
            lines[at:at] = spliced[begin : begin + random.randint(1, 40)]
        elif kind == 3 and line:
            cut = random.randrange(len(line))
            lines[at : at + 1] = [line[:cut], line[cut:]]
        elif kind == 4 and at + 1 < len(lines):
            lines[at : at + 2] = [line + random.choice((b"", b" ", b"=")) + lines[at + 1]]
        elif kind == 5:
            place = random.randint(0, len(line))
            lines[at] = line[:place] + random.choice(_WORDS) + line[place:]
        elif kind == 6 and line:
            place = random.randrange(len(line))
            lines[at] = line[:place] + bytes([random.randrange(256)]) + line[place + random.randint(0, 3) :]
        elif kind == 7:
            before = random.choice(
                (b"> ", b"[   12.345678] ", b"[    1.000000][   T7] ", b"Jan  1 00:00:00 box kernel: ")
            )
            lines = [before + text for text in lines]
        elif kind == 8:
            lines[at] = line[:400] * random.choice((2, 30, 300))
        elif kind == 9 and random.random() < 0.1:
            random.shuffle(lines)
        lines = lines or [b""]
    return b"\n".join(lines)[:MAX_BYTES]


def read(data: bytes) -> int:
    """Read one input; return the number of incidents. Raises whatever the parser raises, and AssertionError."""
    text = data.decode("utf-8", "replace")
    found = list(read_incidents(text.split("\n"), file="fuzz"))
    assert [incident.number for incident in found] == list(range(1, len(found) + 1))
    for incident in found:
        assert 1 <= incident.line <= incident.last_line
        for zone in incident.zones:
            assert zone.free_blocks is None or min(zone.free_blocks) >= 0
            assert zone.marks is None or zone.marks.min <= zone.marks.low <= zone.marks.high
    return len(found)


def read_file(data: bytes, path: Path) -> None:
    """Read one input as a file, as the commands do."""
    path.write_bytes(data)
    try:
        for incident in scan_file(str(path)):
            assert incident.line <= incident.last_line
    except InputError:
        return


def at_random(seconds: float, seed: int) -> int:
    """Change the corpus at random for some time; return the exit code."""
    random = Random(seed)
    inputs = list(corpus(random))
    begin, done, incidents, slowest = time.monotonic(), 0, 0, 0.0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    signal.signal(signal.SIGALRM, _too_slow)
    with tempfile.TemporaryDirectory(prefix="oomadvisor-fuzz-") as folder:
        while time.monotonic() - begin < seconds:
            data = inputs[done] if done < len(inputs) else changed(random, random.choice(inputs), random.choice(inputs))
            started = time.monotonic()
            signal.alarm(MAX_SECONDS)
            try:
                incidents += read(data)
                if done % FILE_EVERY == 0:
                    read_file(data, Path(folder) / "log")
            except BaseException as error:
                CRASH.write_bytes(data)
                print(f"fuzz-parser: seed {seed}, input {done}: {type(error).__name__}: {error}; see {CRASH}")
                return 1
            finally:
                signal.alarm(0)
            slowest = max(slowest, time.monotonic() - started)
            # What is odd enough to be read in many parts is a good place to go on from.
            if random.random() < 0.01:
                inputs[random.randrange(len(inputs))] = data
            done += 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"fuzz-parser: {done} inputs, {incidents} incidents, no exception, slowest {slowest:.2f} s, "
        f"{peak:.0f} MB at most, seed {seed}"
    )
    # Where this runs inside a larger process, only what it grew by is its own.
    return 0 if peak < max(MAX_MB, before + MAX_MB / 2) else 1


def _too_slow(_signal: int, _frame: FrameType | None) -> None:
    raise TooSlow(f"more than {MAX_SECONDS} s")


def parsing_functions() -> Iterator[FunctionType]:
    """Yield the functions and methods of the parser, each once; most of it happens in methods."""
    for name in [name for name in sys.modules if name.startswith("oomadvisor.parse")]:
        for value in vars(sys.modules[name]).values():
            if getattr(value, "__module__", "") != name:
                continue
            held = vars(value).values() if isinstance(value, type) else (value,)
            yield from (function for function in held if isinstance(function, FunctionType))


def guided(atheris: Any, seconds: float, seed: int) -> None:
    """Let atheris choose what to change next. Never returns: libFuzzer ends the process."""
    with tempfile.TemporaryDirectory(prefix="oomadvisor-fuzz-") as folder:
        for number, data in enumerate(corpus(Random(seed))):
            (Path(folder) / f"{number:04}").write_bytes(data)
        options = [
            f"-max_total_time={int(seconds)}",
            f"-timeout={MAX_SECONDS}",
            f"-rss_limit_mb={MAX_MB}",
            f"-max_len={MAX_BYTES}",
            f"-seed={seed}",
            "-print_final_stats=1",
        ]
        atheris.Setup([sys.argv[0], *options, folder], read)
        atheris.Fuzz()


def main(arguments: list[str]) -> int:
    """Run for as long as was asked (a minute), guided if possible."""
    seconds = float(arguments[0]) if arguments else 60.0
    seed = int(arguments[1]) if len(arguments) > 1 else time.time_ns() % (1 << 31)
    try:
        atheris = importlib.import_module("atheris")
    except ImportError:
        return at_random(seconds, seed)
    for function in parsing_functions():
        atheris.instrument_func(function)
    guided(atheris, seconds, seed)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
