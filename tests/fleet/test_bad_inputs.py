"""What no log should be: each is reported with its reason, bounded in time and memory, and the run goes on."""

import bz2
import gzip
import io
import json
import lzma
import os
import resource
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("distributed")
pytest.importorskip("pyarrow")

import zstandard

from oomadvisor.fleet.streams import FREE_BYTES
from tests.cli.conftest import ROOT, SEED
from tests.fleet.runs import ENVIRONMENT, fleet_command, tables

REPORT = SEED.read_bytes()


def tar_of(files: dict[str, bytes], mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as tar:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zip_of(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def lying_zip() -> bytes:
    """Its directory says that a member is empty."""
    data = bytearray(zip_of({"a.log": REPORT}))
    place = data.rindex(b"PK\x01\x02") + 24
    data[place : place + 4] = bytes(4)
    return bytes(data)


def bomb(packed: Callable[[bytes], bytes] = gzip.compress) -> bytes:
    return packed(b"a line of a log\n" * ((FREE_BYTES + (80 << 20)) // 16))


def nested(depth: int) -> bytes:
    data = REPORT
    for level in range(depth):
        data = tar_of({f"level-{level}.tar" if level else "a.log": data})
    return data


GZ = gzip.compress(REPORT)
LYING_GZ = GZ[:-4] + (1 << 31).to_bytes(4, "little")

#: name, content, incidents, and what is said of it (None: nothing).
CASES: list[tuple[str, bytes, int, str | None]] = [
    ("good.log", REPORT, 1, None),
    ("good.log.gz", GZ, 1, None),
    ("good.log.xz", lzma.compress(REPORT), 1, None),
    ("good.log.bz2", bz2.compress(REPORT), 1, None),
    ("good.log.zst", zstandard.compress(REPORT), 1, None),
    ("two-streams.gz", GZ + gzip.compress(b"x\n" * 300 + REPORT.replace(b"39992", b"39988")), 2, None),
    ("two-streams.xz", lzma.compress(REPORT) + lzma.compress(b"x\n" * 9), 1, None),
    ("good.tar", tar_of({"x/a.log": REPORT, "b.log.gz": GZ}), 2, None),
    ("good.tgz", tar_of({"x/a.log": REPORT}, "w:gz"), 1, None),
    ("good.zip", zip_of({"a.log": REPORT, "in.tar.gz": tar_of({"b.log": REPORT}, "w:gz")}), 2, None),
    ("three-deep.tar", nested(3), 1, None),
    ("six-deep.tar", nested(6), 0, "lies in more than 4 archives"),
    ("gz-that-lies.gz", LYING_GZ, 1, "damaged or cut off"),
    ("cut.gz", GZ[: len(GZ) // 2], 1, "damaged or cut off"),
    ("cut.xz", lzma.compress(REPORT)[:-30], 1, "damaged or cut off"),
    ("cut.tar", tar_of({"a.log": REPORT, "b.log": REPORT})[:6_000], 1, "damaged or cut off"),
    ("cut.zip", zip_of({"a.log": REPORT})[:-30], 0, "damaged or cut off"),
    ("lying.zip", lying_zip(), 0, "damaged or cut off"),
    ("bomb.gz", bomb(), 0, "taken for a bomb"),
    ("bomb.tar.gz", gzip.compress(tar_of({"a.log": REPORT, "z.log": b"x\n" * (80 << 20)})), 1, "taken for a bomb"),
    ("bomb.xz", bomb(lambda data: lzma.compress(data, preset=0)), 0, "taken for a bomb"),
    ("utf-16.log", REPORT.decode().encode("utf-16"), 1, None),
    ("utf-16-without-a-mark.log", REPORT.decode().encode("utf-16-le"), 0, "not text"),
    ("name with\na newline.log", REPORT, 1, None),
    ("name-\udcff-of-no-encoding.log", REPORT, 1, None),
    ("one-line.log", b"x" * (20 << 20), 0, None),
    ("one-line-behind-a-report.log", REPORT + b"x" * (20 << 20), 1, None),
    ("binary", os.urandom(1 << 16) + bytes(1 << 16), 0, "not text"),
    ("empty", b"", 0, None),
]


def test_bad_inputs_are_reported_and_the_run_goes_on(tmp_path: Path) -> None:
    """All of them in one run, in one process with little memory; 40 GB of zeros and a pipe are there, too."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name, data, _, _ in CASES:
        (folder / name).write_bytes(data)
    with (folder / "sparse.log").open("wb") as file:
        file.truncate(40 << 30)
    os.mkfifo(folder / "pipe")
    limit = 1 << 30
    done = subprocess.run(
        fleet_command([str(folder)], out, "--workers", "0"),
        env=ENVIRONMENT, cwd=ROOT, capture_output=True, timeout=300, check=False, stdin=subprocess.DEVNULL,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    rows = [json.loads(row) for row in tables(out)["inputs"]]
    wrong = []
    for name, _, incidents, reason in CASES:
        shown = str(folder / name).encode("utf-8", "backslashreplace").decode()
        own = [row for row in rows if row["input"] == shown or row["input"].startswith(f"{shown}!/")]
        reasons = " ".join(row["reason"] for row in own if row["reason"])
        found = sum(row["incidents"] for row in own)
        if not own or found != incidents or bool(reasons) != bool(reason) or (reason or "") not in reasons:
            wrong.append((name, incidents, reason, own))
    assert not wrong
    by_name = {row["input"].rpartition("/")[2]: row for row in rows}
    assert "not text" in by_name["sparse.log"]["reason"]
    assert by_name["pipe"]["reason"] == "is no regular file"
    assert sum(row["incidents"] for row in rows) == len(tables(out)["incidents"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    (folder / "locked").mkdir(parents=True)
    (folder / "good.log").write_bytes(REPORT)
    (folder / "secret.log").write_bytes(REPORT)
    (folder / "secret.log").chmod(0)
    (folder / "locked").chmod(0)
    try:
        subprocess.run(fleet_command([str(folder)], out, "--workers", "0"), env=ENVIRONMENT, check=True, timeout=300)
    finally:
        (folder / "locked").chmod(0o700)
    rows = {row["input"].rpartition("/")[2]: row for row in map(json.loads, tables(out)["inputs"])}
    assert "permission denied" in rows["secret.log"]["reason"]
    assert "permission denied" in rows["locked"]["reason"]
    assert rows["good.log"]["incidents"] == 1


USAGE: list[tuple[list[str], str]] = [
    (["nowhere.log"], "does not exist"),
    (["nowhere/*.log"], "no file is named like"),
    (["no-such-protocol://a/b"], "no-such-protocol"),
    ([str(SEED), "--label", "{a}{b}"], "could not be told"),
    ([str(SEED), "--label", "{a"], "stands alone"),
    ([str(SEED), "--label", "*.log"], "names no label"),
    ([str(SEED), "--workers", "2", "--scheduler", "tcp://x:1"], "--scheduler"),
    ([str(SEED), "--resume"], "nothing to go on with"),
    ([str(SEED), "--resume", "--force"], "--resume"),
    ([str(SEED), "--kernel", "new"], "not a kernel version"),
]


@pytest.mark.parametrize(
    ("arguments", "said"), USAGE, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_wrong_usage_is_said_before_anything_is_written(tmp_path: Path, arguments: list[str], said: str) -> None:
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-m", "oomadvisor", "fleet", *arguments, "-o", str(out)],
        env=ENVIRONMENT, cwd=ROOT, capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr.decode()
    assert said in " ".join(done.stderr.decode().replace("\n", " ").split())
    assert b"Traceback" not in done.stderr
    assert not out.exists()


def test_what_is_there_is_not_lost(tmp_path: Path) -> None:
    """OUT is replaced only when it is a fleet and --force says so; an unfinished one is gone on with only as it began."""
    out = tmp_path / "out"

    def run(*options: str) -> tuple[int, str]:
        command = fleet_command([str(SEED)], out, "--workers", "0", *options)
        done = subprocess.run(command, env=ENVIRONMENT, cwd=ROOT, capture_output=True, timeout=300, check=False)
        return done.returncode, " ".join(done.stderr.decode().split())

    out.mkdir()
    (out / "thesis.tex").write_text("three years of work")
    code, said = run("--force")
    assert code == 2
    assert "other files" in said
    assert (out / "thesis.tex").exists()
    (out / "thesis.tex").unlink()
    assert run() == (0, "")
    before = tables(out)
    code, said = run()
    assert (code, "--resume" in said, "--force" in said) == (2, True, True)
    assert run("--resume") == (0, "")
    assert tables(out) == before
    code, said = run("--resume", "--kernel", "2.6.31")
    assert code == 2
    assert "begun with another options" in said
    assert run("--force", "--kernel", "2.6.31")[0] == 0
    assert len(tables(out)["incidents"]) == 1
