"""The fast path over files gives what the slow path over lines gives, and is fast."""

import gzip
import io
import random
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oomadvisor.model import Incident
from oomadvisor.parse import open_text, read_incidents, scan_file, source
from oomadvisor.parse.machine import LOOK_BACK
from tests.parse.render import render
from tests.parse.states import make_incident

WORDS = [
    "usb",
    "eth0",
    "link",
    "up",
    "process",
    "4096",
    "kB",
    "of",
    "memory",
    "error",
    "out",
    "range",
    "Mem-ory",
    "lowmem",
    "allocation",
    "failed",
    "killed",
    "kernel:",
    ">",
]


def noise(seed: int, lines: int) -> list[str]:
    chooser = random.Random(seed)
    return [" ".join(chooser.choices(WORDS, k=chooser.randint(0, 12))) for _ in range(lines)]


def same_from_file_and_lines(path: Path) -> list[Incident]:
    with open_text(str(path)) as lines:
        slow = list(read_incidents(lines, file=str(path)))
    fast = list(scan_file(str(path)))
    assert fast == slow
    return fast


gaps = st.sampled_from([0, 1, 3, 39, 41, 150, LOOK_BACK - 1, LOOK_BACK, LOOK_BACK + 1, 450])


@given(
    st.lists(st.tuples(gaps, st.integers(0, 1 << 32), st.integers(0, 40), st.integers(0, 40)), max_size=4),
    st.sampled_from([1 << 10, 1 << 13, 1 << 20]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_logs(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    plan: list[tuple[int, int, int, int]],
    block: int,
    end: str,
    finished: bool,
) -> None:
    monkeypatch.setattr(source, "BLOCK_BYTES", block)
    monkeypatch.setattr(source, "_SNIFF_BYTES", block)
    lines: list[str] = []
    headed = 0
    for gap, seed, head_lost, tail_lost in plan:
        lines += noise(seed, gap)
        report = render(make_incident(seed, "arm"))
        kept = report[head_lost : max(len(report) - tail_lost, head_lost)]
        headed += bool(kept) and head_lost == 0
        lines += kept
    path = tmp_path_factory.mktemp("scan") / "log"
    path.write_bytes((end.join(lines) + (end if finished else "")).encode())
    found = same_from_file_and_lines(path)
    assert len(found) >= headed


def test_line_numbers_are_those_of_the_file(tmp_path: Path) -> None:
    report = render(make_incident(3, "generic"))
    lines = [*noise(1, 5_000), *report, *noise(2, 5_000), *report]
    path = tmp_path / "log"
    path.write_text("\n".join(lines) + "\n")
    first, second = same_from_file_and_lines(path)
    assert (first.line, second.line) == (5_001, 10_001 + len(report))
    assert lines[second.lines["counters"] - 1].startswith("Active_anon")


def test_gz_and_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\n".join([*noise(1, 300), *render(make_incident(4, "arm"))]).encode() + b"\n"
    plain, packed = tmp_path / "log", tmp_path / "log.gz"
    plain.write_bytes(text)
    packed.write_bytes(gzip.compress(text))
    (expected,) = scan_file(str(plain))

    class Stdin:
        buffer = io.BytesIO(gzip.compress(text))

    monkeypatch.setattr("sys.stdin", Stdin())
    for name in (str(packed), "-"):
        (found,) = scan_file(name)
        assert found.file == name
        assert found.zones == expected.zones
        assert found.line == expected.line


def test_the_time_of_a_large_log_is_that_of_searching_it(tmp_path: Path) -> None:
    """Against ``bytes.find`` in this process, so that a slow machine does not matter."""
    report = "\n".join(render(make_incident(6, "arm"))) + "\n"
    quiet = "Jan  1 00:17:21 box sshd[812]: connection from 10.1.2.3 port 4022 closed by user\n" * 12_000
    path = tmp_path / "log"
    path.write_text((quiet + report) * 20)
    data = path.read_bytes()

    begin = time.perf_counter()
    for _ in range(9):
        data.find(b"oom-killer: nowhere")
    searched = time.perf_counter() - begin

    begin = time.perf_counter()
    found = list(scan_file(str(path)))
    taken = time.perf_counter() - begin
    assert len(found) == 20
    # Twenty reports cost some 2 ms each; the rest is one search per trigger word, reading, and counting lines.
    assert taken < 8 * searched + 1.0
