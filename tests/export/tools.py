"""Programs of the field that read what is exported; a test that needs one that is not installed is skipped."""

import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip a test where one of the programs is not installed."""
    missing = [program for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} not installed")


@cache
def can_mount() -> bool:
    """Return whether this process may mount in a namespace of its own."""
    if shutil.which("unshare") is None:
        return False
    done = subprocess.run(["unshare", "--mount", "true"], capture_output=True, timeout=20, check=False)
    return done.returncode == 0


needs_mount = pytest.mark.skipif(not can_mount(), reason="no right to mount in a namespace of its own")


def ran(
    command: Sequence[str], *, cwd: Path, stdin: bytes = b"", code: int = 0, env: dict[str, str] | None = None
) -> str:
    """Run a program and return what it printed; it must end with ``code``."""
    done = subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, timeout=60, check=False, env=env)
    shown = (done.stdout + done.stderr).decode("latin-1")
    assert done.returncode == code, shown
    return shown
