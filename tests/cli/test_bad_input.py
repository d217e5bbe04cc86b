"""Whatever stands in a file: no traceback, bounded memory, the right exit code, and a message that names the file."""

import gzip
import random
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from oomadvisor.cli.exit_codes import ExitCode
from tests.cli.conftest import NEUTRAL, ROOT, SEED, Here, Ran, run
from tests.expert import later

REPORT = SEED.read_text()
LINES = REPORT.splitlines(keepends=True)


def zone_line(name: str) -> int:
    return next(n for n, line in enumerate(LINES) if line.startswith(f" {name} free:"))


@pytest.mark.parametrize("command", ["advise", "incidents"])
@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"", ExitCode.NO_INCIDENT, "no incident found"),
        (b"\n" * 100, ExitCode.NO_INCIDENT, "no incident found"),
        (random.Random(1).randbytes(200_000), ExitCode.UNUSABLE, "expected"),
        (b"\0" * 10_000, ExitCode.UNUSABLE, "expected"),
        (b"\x1f\x8b" + b"\xff" * 1000, ExitCode.UNUSABLE, "expected"),
    ],
    ids=["empty", "blank", "random", "zeros", "broken gzip"],
)
def test_a_file_that_is_no_log(command: str, content: bytes, code: ExitCode, said: str, tmp_path: Path) -> None:
    (tmp_path / "input").write_bytes(content)
    ran = run(command, "input", cwd=tmp_path)
    assert (ran.code, ran.out) == (code, "")
    assert "input" in ran.err
    assert said in ran.err


@pytest.mark.parametrize(("name", "said"), [(".", "folder"), ("missing.log", "does not exist")])
def test_what_is_no_file(name: str, said: str, tmp_path: Path) -> None:
    ran = run("advise", name, cwd=tmp_path)
    assert (ran.code, ran.out) == (ExitCode.UNUSABLE, "")
    assert said in ran.err
    assert "expected" in ran.err


def usable(ran: Ran) -> None:
    """The command gave advice, or said that it could not; it had no defect and no complaint about itself."""
    assert ran.code in (ExitCode.DONE, ExitCode.NO_INCIDENT), ran.err
    assert (ran.out != "") == (ran.code == ExitCode.DONE)


# A byte here and there, and the middle of: the mask, the counters, a zone line, a reserve, a buddy line, the trailer.
CUTS = [*range(1, len(REPORT), 257)]
CUTS += [REPORT.index(word) + 3 for word in ("0xd0", "Active_anon", "min:1560", "lowmem_reserve", "2358*", "RAM")]


@pytest.mark.parametrize("command", ["advise", "explain"])
def test_a_report_that_is_cut(command: str, tmp_path: Path, here: Here) -> None:
    log = tmp_path / "cut.log"
    for size in CUTS:
        log.write_text(REPORT[:size])
        usable(here(command, str(log)))


def replaced(old: str, new: str) -> str:
    assert old in REPORT
    return REPORT.replace(old, new)


DAMAGED: dict[str, Callable[[], str]] = {
    "10^9 blocks": lambda: replaced("DMA: 2358*4kB", "DMA: 1000000000*4kB"),
    "10^30 blocks": lambda: replaced("DMA: 2358*4kB", f"DMA: 1{'0' * 30}*4kB"),
    "a number of 5000 digits": lambda: replaced("free:9998", f"free:{'9' * 5000}"),
    "negative counters": lambda: replaced("free:9998 slab:2447", "free:-9998 slab:-2447"),
    "negative zone": lambda: replaced("free:17128kB min:1560kB", "free:-17128kB min:-1560kB"),
    "no zones": lambda: "".join(line for line in LINES if "kB" not in line),
    "zeros": lambda: replaced("present:97536kB", "present:0kB"),
    "order 11": lambda: replaced("order=2", "order=11"),
    "order 13": lambda: replaced("order=2", "order=13"),
    "order 99": lambda: replaced("order=2", "order=99"),
    "order 10^9": lambda: replaced("order=2", "order=1000000000"),
    "order -1": lambda: replaced("order=2", "order=-1"),
    "mask of 100 digits": lambda: replaced("gfp_mask=0xd0", f"gfp_mask=0x{'f' * 100}"),
    "100 orders": lambda: replaced("0*16384kB", " ".join(f"0*{4 << n}kB" for n in range(13, 100))),
    "every line twice": lambda: "".join(line * 2 for line in LINES),
    "lines backwards": lambda: "".join(reversed(LINES)),
    "a line of 5 MB": lambda: REPORT + "x" * 5_000_000 + "\n",
    "a box of 3 TB": lambda: re.sub(
        r"(?<=present:)\d+|(?<=[ :])\d+(?=\*)|\d+(?= pages of RAM)", lambda match: f"{int(match[0]) * 12345}", REPORT
    ),
    "old line ends": lambda: REPORT.replace("\n", "\r"),
    "hostile name": lambda: replaced("myshellscript", "\x1b]0;x\x07`<b>|\u202e"),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_report(damage: str, tmp_path: Path, here: Here) -> None:
    advised(DAMAGED[damage](), tmp_path, here)


LATER_DAMAGE = (
    ("order=2", "order=-1"),
    ("order=2", "order=11"),
    ("order=2", "order=99"),
    ("1996*4kB", "1000000000*4kB"),
    ("1*16kB (H)", "1*16kB (Q)"),
    ("managed:60000kB", "managed:0kB"),
    ("free:8000kB min:976kB", "free:-8000kB min:-976kB"),
    ("min:976kB low:1220kB", "min:1220kB low:976kB"),
    ("reserved_highatomic:0KB", f"reserved_highatomic:{'9' * 30}KB"),
    ("free_cma:0kB", "free_cma:99999999kB"),
)


@pytest.mark.parametrize(("old", "new"), LATER_DAMAGE, ids=[new[:30] for _, new in LATER_DAMAGE])
@pytest.mark.parametrize("release", ["4.3.6", "4.5.7", "6.6.1"])
def test_a_damaged_report_of_a_later_kernel(release: str, old: str, new: str, tmp_path: Path, here: Here) -> None:
    report = "".join(later.report(release))
    assert old in report
    advised(report.replace(old, new), tmp_path, here)


def advised(report: str, tmp_path: Path, here: Here) -> None:
    """Ask for every form of the advice, and look whether it is of use."""
    log = tmp_path / "damaged.log"
    log.write_bytes(report.encode())
    for form in ("text", "json", "markdown"):
        ran = here("advise", str(log), "--format", form)
        usable(ran)
        assert len(ran.out) < 500_000
        assert "\x1b" not in ran.out
        assert form == "json" or "\u202e" not in ran.out


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", None),
        (b"vm.min_free_kbytes = lots\n", None),
        (b"vm.min_free_kbytes = 1" + b"0" * 5000 + b"\n", None),
        (b"vm.min_free_kbytes = -5\nvm.swappiness\n===\n", None),
        (random.Random(2).randbytes(50_000), ExitCode.UNUSABLE),
    ],
    ids=["empty", "words", "digits", "odd", "binary"],
)
def test_a_sysctl_file_with_junk(content: bytes, code: ExitCode | None, tmp_path: Path, here: Here) -> None:
    """Junk is refused with its place, or told of as a warning; it is never silently taken for a value."""
    sysctl = tmp_path / "sysctl.txt"
    sysctl.write_bytes(content)
    ran = here("advise", str(SEED), "--sysctl", str(sysctl))
    if ran.code == ExitCode.UNUSABLE:
        assert str(sysctl) in ran.err
        assert "expected" in ran.err
    else:
        assert code is None
        assert ran.code == ExitCode.DONE
        assert "4160–4167" in ran.out


def test_a_gz_that_is_cut(tmp_path: Path) -> None:
    packed = gzip.compress(b"boot\n" * 1000 + SEED.read_bytes(), mtime=0)
    (tmp_path / "cut.gz").write_bytes(packed[: len(packed) - 20])
    ran = run("advise", "cut.gz", cwd=tmp_path)
    assert ran.code in (ExitCode.DONE, ExitCode.UNUSABLE)
    assert "cut.gz" in ran.out + ran.err


def test_memory_is_bounded_whatever_the_size_of_the_log(tmp_path: Path) -> None:
    """A log of 100 MB is read within an address space that could not hold it."""
    log = tmp_path / "long.log"
    line = b"Jan  1 00:00:00 box app[1]: free: 12 of 40 slots, order=2 shipped, Normal exit\n"
    with log.open("wb") as file:
        for _ in range(100):
            file.write(line * (1_000_000 // len(line)))
        file.write(SEED.read_bytes())

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (90 << 20, 90 << 20))

    done = subprocess.run(
        [sys.executable, "-m", "oomadvisor", "incidents", log, "--format", "jsonl"],
        capture_output=True,
        text=True,
        env=NEUTRAL,
        cwd=ROOT,
        timeout=60,
        preexec_fn=limit,
        check=False,
    )
    assert (done.returncode, done.stdout.count("\n"), done.stderr) == (0, 1, "")
