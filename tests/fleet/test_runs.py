"""The same tables come out wherever the work is done, and whoever is killed in the middle of it."""

import contextlib
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from bench.fleets import Truth
from tests.fleet.conftest import LABEL
from tests.fleet.runs import (
    LONG,
    PATIENCE_SECONDS,
    finished_bundles,
    fleet,
    fleet_command,
    only_long,
    process,
    said,
    tables,
    wait_until,
)

pytest.importorskip("distributed")
pytest.importorskip("pyarrow")
psutil = pytest.importorskip("psutil")


def test_the_tables_equal_the_truth(made: tuple[Path, Truth], reference: dict[str, list[str]]) -> None:
    _, truth = made
    rows = [json.loads(row) for row in reference["incidents"]]
    found = sorted((r["input"], r["line"], r["kind"], r["comm"], r["order"], r["gfp_mask"]) for r in rows)
    assert found == sorted(truth.incidents)
    assert len({row["incident"] for row in rows}) == len(truth.events) < len(rows)
    inputs = {row["input"]: row for row in map(json.loads, reference["inputs"])}
    assert {name: row["lines"] for name, row in inputs.items() if row["kind"] == "log" and row["reason"] is None} == (
        truth.lines
    )
    assert {name for name, row in inputs.items() if row["state"] == "unreadable"} == truth.unreadable
    assert all(inputs[name]["reason"] for name in truth.unreadable)
    assert sum(row["incidents"] for row in inputs.values()) == len(rows)
    assert {tuple(dict(row["labels"])) for row in rows if "!/" not in row["input"]} == {("firmware", "serial", "site")}
    assert all(row["uptime_seconds"] for row in rows)


@pytest.mark.parametrize("workers", [pytest.param("1", marks=only_long), "2"])
def test_workers_write_the_same(
    made: tuple[Path, Truth], reference: dict[str, list[str]], tmp_path: Path, workers: str
) -> None:
    out = tmp_path / "out"
    text = fleet([str(made[0])], out, "--workers", workers, "--label", LABEL)
    assert f"{len(reference['incidents'])} incidents in" in text
    assert tables(out) == reference


def workers_of(pid: int) -> "list[psutil.Process]":
    """The processes below ``pid`` that do the work: they have no children, and are not there to watch others."""
    found = psutil.Process(pid).children(recursive=True)
    return [one for one in found if "spawn_main" in " ".join(one.cmdline()) and not one.children()]


def test_a_worker_may_be_killed(made: tuple[Path, Truth], reference: dict[str, list[str]], tmp_path: Path) -> None:
    out = tmp_path / "out"
    with process(*fleet_command([str(made[0])], out, "--workers", "2", "--label", LABEL)) as started:
        wait_until(lambda: finished_bundles(out) > 2 or started.poll() is not None)
        assert started.poll() is None
        workers_of(started.pid)[0].kill()
        started.wait(PATIENCE_SECONDS)
        assert started.returncode == 0, said(started)
    assert tables(out) == reference


def session(pid: int) -> list[int]:
    """The processes that are left of those which ``pid`` has started."""
    left = []
    for one in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError, PermissionError, psutil.Error):
            left += [one.pid] if os.getsid(one.pid) == pid and one.status() != psutil.STATUS_ZOMBIE else []
    return left


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_a_run_that_was_stopped_is_gone_on_with(
    made: tuple[Path, Truth], reference: dict[str, list[str]], tmp_path: Path, how: signal.Signals
) -> None:
    out, options = tmp_path / "out", ("--workers", "2", "--label", LABEL)
    with process(*fleet_command([str(made[0])], out, *options)) as started:
        wait_until(lambda: finished_bundles(out) > 2 or started.poll() is not None)
        os.killpg(started.pid, how) if how == signal.SIGINT else os.kill(started.pid, how)
        started.wait(PATIENCE_SECONDS)
        text = said(started)
        assert started.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL), text
        assert "Traceback" not in text
        assert how == signal.SIGKILL or "--resume" in text
        wait_until(lambda: not session(started.pid))
    done = {file.name: file.stat().st_mtime_ns for file in (out / "incidents").glob("*.parquet")}
    assert len(done) > 0
    assert json.loads((out / "fleet.json").read_text())["finished"] is False
    fleet([str(made[0])], out, "--workers", "0", "--label", LABEL, "--resume")
    assert tables(out) == reference
    kept = [name for name, time in done.items() if (out / "incidents" / name).stat().st_mtime_ns == time]
    assert len(kept) >= len(done) - 1


def test_a_scheduler_elsewhere(made: tuple[Path, Truth], reference: dict[str, list[str]], tmp_path: Path) -> None:
    """A scheduler and two workers as processes of their own; where there is time, one is killed in the middle before."""
    out = tmp_path / "out"
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    file = tmp_path / "scheduler.json"
    for attempt in ("killed", "whole") if LONG else ("whole",):
        with process(
            *command,
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--no-dashboard",
            "--scheduler-file",
            str(file),
            cwd=tmp_path,
        ) as scheduler:
            wait_until(file.exists)
            wait_until(lambda: file.stat().st_size > 0)
            address = json.loads(file.read_text())["address"]
            worker = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard"]
            with process(*worker, "--nworkers", "2", "--local-directory", str(tmp_path), cwd=tmp_path):
                options = ("--scheduler", address, "--label", LABEL, *(("--resume",) if out.exists() else ()))
                with process(*fleet_command([str(made[0])], out, *options)) as started:
                    if attempt == "killed":
                        wait_until(lambda: finished_bundles(out) > 2 or started.poll() is not None)
                        assert started.poll() is None, said(started)
                        os.killpg(scheduler.pid, signal.SIGKILL)
                    started.wait(PATIENCE_SECONDS)
                    text = said(started)
                    assert "Traceback" not in text
                    assert started.returncode == (75 if attempt == "killed" else 0), text
        file.unlink(missing_ok=True)
    assert tables(out) == reference
