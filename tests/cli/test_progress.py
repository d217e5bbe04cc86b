"""The sign of life: only for a person at a terminal, only when it takes long, and never on standard output."""

import os
import pty
import subprocess
import sys
import time

from tests.cli.conftest import NEUTRAL, ROOT, SEED


def on_standard_error_of_a_terminal(wait_seconds: float) -> tuple[bytes, bytes]:
    """Run ``incidents -`` with the seed after ``wait_seconds``; return standard output and what the terminal showed."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "oomadvisor", "incidents", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**NEUTRAL, "TERM": "xterm"},
        cwd=ROOT,
    ) as process:
        os.close(theirs)
        time.sleep(wait_seconds)
        out, _ = process.communicate(SEED.read_bytes(), timeout=60)
        shown = b""
        try:
            while block := os.read(ours, 65536):
                shown += block
        except OSError:  # how Linux says that the other side is closed
            pass
        os.close(ours)
    assert process.returncode == 0
    return out, shown


def test_long_work_is_shown_on_a_terminal_and_leaves_the_result_alone() -> None:
    out, shown = on_standard_error_of_a_terminal(4.0)
    assert b"Reading standard input" in shown
    assert out.splitlines()[1].split()[3:5] == [b"oom", b"myshellscript"]
    assert b"\x1b" not in out


def test_short_work_is_not() -> None:
    _, shown = on_standard_error_of_a_terminal(0.0)
    assert shown == b""
