"""The command as a user runs it: a process of its own, with its streams kept apart."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from oomadvisor.cli import main

ROOT = Path(__file__).parents[2]
SEED = ROOT / "examples" / "seed-2.6.31-arm-order2.txt"

# What changes the output or the way to fail; a test that wants one of them sets it.
NEUTRAL = {
    name: value
    for name, value in os.environ.items()
    if name not in {"NO_COLOR", "COLUMNS", "TERM", "OOMADVISOR_DEBUG", "FORCE_COLOR", "OOMADVISOR_RULES"}
}
# Whoever runs the tests may have rules and a configuration of their own.
NEUTRAL["XDG_CONFIG_HOME"] = "/nonexistent"
NEUTRAL["XDG_CACHE_HOME"] = "/nonexistent/cache"


@dataclass(frozen=True)
class Ran:
    """A finished command: exit code, what it printed, and what it complained of."""

    code: int
    out: str
    err: str


def run(*arguments: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None, cwd: Path = ROOT) -> Ran:
    """Run ``oomadvisor`` with ``arguments``; there must never be a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "oomadvisor", *arguments],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        env={**NEUTRAL, "PYTHONPATH": str(ROOT), **(env or {})},
        cwd=cwd,
        timeout=60,
        check=False,
    )
    err = done.stderr.decode()
    assert "Traceback" not in err
    return Ran(done.returncode, done.stdout.decode(), err)


@cache
def run_once(*arguments: str) -> Ran:
    """Like :func:`run`, but the same arguments run once only."""
    return run(*arguments)


Here = Callable[..., Ran]


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Here:
    """Run the same entry point inside the test's own process: some twenty times as fast as :func:`run`."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("XDG_CONFIG_HOME", "/nonexistent")
    monkeypatch.setenv("XDG_CACHE_HOME", "/nonexistent/cache")
    monkeypatch.delenv("OOMADVISOR_RULES", raising=False)

    def run_here(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["oomadvisor", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        shown = capsys.readouterr()
        assert "Traceback" not in shown.err
        assert isinstance(end.value.code, int)
        return Ran(end.value.code, shown.out, shown.err)

    return run_here


@pytest.fixture(scope="session")
def seed() -> str:
    """The path of the seed report, as a user in the checkout would write it."""
    return str(SEED.relative_to(ROOT))


@pytest.fixture(scope="session")
def three_incidents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log with two OOM kills and a page allocation failure between them."""
    log = tmp_path_factory.mktemp("log") / "kern.log"
    report = SEED.read_text()
    failure = report.replace(
        "myshellscript invoked oom-killer: gfp_mask=0xd0, order=2, oomkilladj=0",
        "netd: page allocation failure. order:1, mode:0x20",
    )
    other = report.replace("myshellscript", "othershell")
    log.write_text("boot\n" + report + "box is idle\n" * 5 + failure + "box is idle\n" * 5 + other)
    return log
