"""Runs of ``oomadvisor fleet`` as processes, and what is in the tables that they write."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import NEUTRAL, ROOT

LONG = os.environ.get("OOMADVISOR_TEST_FLEET") == "long"
only_long = pytest.mark.skipif(not LONG, reason="takes long; OOMADVISOR_TEST_FLEET=long runs it")
PATIENCE_SECONDS = 600 if LONG else 300
ENVIRONMENT = {**NEUTRAL, "PYTHONPATH": str(ROOT)}


@contextlib.contextmanager
def process(
    *command: str, env: Mapping[str, str] | None = None, cwd: Path = ROOT
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a process in a session of its own, all of which ends with the block."""
    with tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as out:
        started = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True, cwd=cwd,
            env={**ENVIRONMENT, **(env or {})},
        )  # fmt: skip
        started.out, started.err = out, err  # type: ignore[attr-defined]
        try:
            yield started
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)
            started.wait()


def said(started: "subprocess.Popen[bytes]") -> str:
    """What a process has printed so far, on both ways."""
    texts = []
    for stream in (started.out, started.err):  # type: ignore[attr-defined]
        stream.seek(0)
        texts.append(stream.read().decode())
    return "\n".join(texts)


def fleet_command(inputs: Sequence[str], out: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "oomadvisor", "fleet", *inputs, "-o", str(out), *options]


def fleet(inputs: Sequence[str], out: Path, *options: str, code: int = 0, env: Mapping[str, str] | None = None) -> str:
    """Run a fleet to its end, and return what it said."""
    with process(*fleet_command(inputs, out, *options), env=env) as started:
        started.wait(PATIENCE_SECONDS)
        text = said(started)
        assert started.returncode == code, text
        assert "Traceback" not in text
        return text


def wait_until(condition: Any, seconds: float = PATIENCE_SECONDS) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def finished_bundles(out: Path) -> int:
    return len(list((out / "ledger").glob("*.json"))) if out.is_dir() else 0


def tables(out: Path) -> dict[str, list[str]]:
    """All rows of all tables, each as text, in order; how long a log took is left out."""
    from pyarrow import parquet

    from oomadvisor.fleet.schema import TABLES

    assert json.loads((out / "fleet.json").read_text())["finished"] is True
    assert not [file for file in out.rglob("*") if file.name.endswith(".part")]
    found = {}
    for table in TABLES:
        rows = [row for file in (out / table).glob("*.parquet") for row in parquet.ParquetFile(file).read().to_pylist()]
        found[table] = sorted(json.dumps({k: v for k, v in row.items() if k != "seconds"}) for row in rows)
    return found
