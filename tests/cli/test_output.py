"""Where the result goes: standard output and nothing else, or a file, whole or not at all."""

import json
import os
import pty
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from oomadvisor.cli.exit_codes import ExitCode
from tests.cli.conftest import NEUTRAL, ROOT, Here, run, run_once

ESCAPE = "\x1b"


def test_a_file_gets_what_standard_output_would_get(tmp_path: Path, seed: str) -> None:
    target = tmp_path / "advice.json"
    ran = run("advise", seed, "--format", "json", "-o", str(target))
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert target.read_text() == run_once("advise", seed, "--format", "json").out
    assert [path.name for path in tmp_path.iterdir()] == ["advice.json"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~current_umask()


def current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_an_existing_file_is_left_alone_without_force(tmp_path: Path, seed: str) -> None:
    target = tmp_path / "kept"
    target.write_text("mine")
    target.chmod(0o600)
    ran = run("incidents", seed, "-o", str(target))
    assert (ran.code, ran.out) == (ExitCode.USAGE, "")
    assert "--force" in ran.err
    assert target.read_text() == "mine"
    assert run("incidents", seed, "-o", str(target), "--force").code == 0
    assert target.read_text() == run_once("incidents", seed).out
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "kept"
    target.write_text("mine")
    assert run("advise", "no-such-log", "-o", str(target), "--force").code == ExitCode.UNUSABLE
    assert target.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_link_stays_a_link(tmp_path: Path, seed: str) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old")
    link.symlink_to(real)
    assert run("incidents", seed, "-o", str(link), "--force").code == 0
    assert link.is_symlink()
    assert real.read_text() == run_once("incidents", seed).out


def test_a_device_is_written_to_and_not_replaced() -> None:
    assert run("schema", "-o", "/dev/null").code == 0
    assert Path("/dev/null").is_char_device()
    full = run("schema", "-o", "/dev/full")
    assert (full.code, full.err) == (
        ExitCode.NOT_WRITTEN,
        "oomadvisor: /dev/full: not written: No space left on device\n",
    )


@pytest.mark.parametrize("target", [".", "no-such-folder/file"])
def test_an_impossible_target_is_refused_before_the_work(target: str, tmp_path: Path) -> None:
    """The report does not exist either, and that is not what it complains of."""
    ran = run("advise", "no-such-log", "-o", target, cwd=tmp_path)
    assert ran.code == ExitCode.USAGE
    assert "no-such-log" not in ran.err


def test_text_is_plain_when_piped(seed: str) -> None:
    assert ESCAPE not in run_once("advise", seed).out


def on_a_terminal(*arguments: str, columns: int = 100, **env: str) -> str:
    """Run the command with a terminal as its standard output, and return what it shows."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "oomadvisor", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env={**NEUTRAL, "TERM": "xterm-256color", "COLUMNS": str(columns), **env},
        cwd=ROOT,
    )
    os.close(theirs)
    shown = b""
    try:
        while block := os.read(ours, 65536):
            shown += block
    except OSError:  # how Linux says that the other side is closed
        pass
    os.close(ours)
    assert process.wait(timeout=60) == 0
    return shown.decode().replace("\r\n", "\n")


def test_a_terminal_gets_colours_unless_told_otherwise(seed: str) -> None:
    assert ESCAPE in on_a_terminal("advise", seed)
    assert ESCAPE not in on_a_terminal("advise", seed, NO_COLOR="1")
    assert ESCAPE not in on_a_terminal("advise", seed, TERM="dumb")


def test_colours_change_nothing_but_colours(here: Here, seed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    coloured = here("advise", seed, "--color", "always").out
    assert ESCAPE in coloured
    bare = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in bare.splitlines()] == run_once("advise", seed).out.splitlines()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_text_keeps_to_the_width(width: int, here: Here, seed: str) -> None:
    for command in ("advise", "explain"):
        lines = here(command, seed, "--width", str(width)).out.splitlines()
        assert max(map(len, lines)) <= width
        assert max(map(len, lines)) > width * 2 // 3


def test_the_width_of_a_pipe_is_80_or_columns(here: Here, seed: str) -> None:
    assert run_once("advise", seed).out == here("advise", seed, "--width", "80").out
    assert run("advise", seed, env={"COLUMNS": "60"}).out == here("advise", seed, "--width", "60").out


def test_any_locale_can_print_the_result(seed: str) -> None:
    ran = run("advise", seed, env={"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONCOERCECLOCALE": "0"})
    assert ran.code == 0
    assert ran.out.isascii()


@pytest.mark.parametrize(
    ("command", "schema"), [("advise", "oomadvisor/advice/1"), ("explain", "oomadvisor/explain/1")]
)
def test_json_is_alone_on_standard_output(command: str, schema: str, seed: str) -> None:
    ran = run_once(command, seed, "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out)["schema"] == schema


def test_the_same_input_gives_the_same_bytes(seed: str) -> None:
    for form in ("json", "markdown"):
        again = run("advise", seed, "--format", form, env={"PYTHONHASHSEED": "1"}).out
        assert again == run("advise", seed, "--format", form, env={"PYTHONHASHSEED": "2"}).out
