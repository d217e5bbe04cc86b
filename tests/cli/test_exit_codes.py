"""Each way to end has its code; what went wrong stands on standard error, and standard output stays empty."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from oomadvisor.cli.exit_codes import ExitCode
from tests.cli.conftest import NEUTRAL, ROOT, SEED, Ran, run, run_once


def test_the_page_in_docs_is_the_table() -> None:
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", (ROOT / "docs" / "exit-codes.md").read_text(), re.MULTILINE)
    assert [(int(code), name) for code, name in rows] == [(code.value, code.name) for code in ExitCode]


def failed(ran: Ran, code: ExitCode, *said: str) -> None:
    assert (ran.code, ran.out) == (code, "")
    assert all(word in ran.err for word in said), ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["advise"], "REPORT"),
        (["incidents"], "REPORT"),
        (["no-such-command"], "no-such-command"),
        (["advise", "SEED", "--no-such-option"], "--no-such-option"),
        (["advise", "SEED", "--format", "xml"], "xml"),
        (["explain", "SEED", "--format", "markdown"], "markdown"),
        (["advise", "SEED", "--incident", "0"], "--incident"),
        (["advise", "SEED", "--incident", "1", "--all"], "--all"),
        (["advise", "SEED", "--kernel", "new"], "2.6.31"),
        (["advise", "SEED", "--width", "5"], "--width"),
        (["advise", "-", "--sysctl", "-"], "standard input can be read only once"),
        (["advise", "SEED", "extra"], "extra"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_2(arguments: list[str], said: str, seed: str) -> None:
    failed(run(*(seed if word == "SEED" else word for word in arguments)), ExitCode.USAGE, said)


def test_an_incident_out_of_range_is_2_and_says_how_many_there_are(seed: str, three_incidents: Path) -> None:
    failed(run_once("facts", seed, "--incident", "2"), ExitCode.USAGE, "there is 1 incident in")
    failed(run_once("facts", str(three_incidents), "--incident", "4"), ExitCode.USAGE, "there are 3 incidents in")


@pytest.mark.parametrize("arguments", [[], ["rules"]])
def test_without_a_command_the_help_is_shown_and_it_is_2(arguments: list[str]) -> None:
    ran = run(*arguments)
    assert ran.code == ExitCode.USAGE
    assert "Usage: oomadvisor" in ran.out + ran.err


@pytest.mark.parametrize("command", ["advise", "explain", "facts", "incidents"])
def test_no_incident_is_1(command: str, tmp_path: Path) -> None:
    (tmp_path / "dull.log").write_text("Jan  1 00:00:00 box cron[1]: nothing to report\n" * 1000)
    failed(run(command, "dull.log", cwd=tmp_path), ExitCode.NO_INCIDENT, "dull.log", "invoked oom-killer")


def test_no_incident_in_json_is_1_too(tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    failed(run("advise", "-", "--format", "json", "-o", str(target), stdin=b""), ExitCode.NO_INCIDENT, "standard input")
    assert not target.exists()


@pytest.mark.parametrize("option", ["--sysctl", "--proc", "--rules"])
def test_a_missing_file_beside_the_report_is_3(option: str, seed: str) -> None:
    failed(run("advise", seed, option, "no-such-file"), ExitCode.UNUSABLE, "no-such-file")


def test_a_broken_rule_file_is_3_and_names_the_place(tmp_path: Path, seed: str) -> None:
    (tmp_path / "mine.yaml").write_text("schema: 1\nrules:\n  - id: x\n    kind: guess\n")
    failed(run("advise", seed, "--rules", str(tmp_path)), ExitCode.UNUSABLE, f"{tmp_path / 'mine.yaml'}:4:11: error[")


def test_a_full_disk_is_74() -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "oomadvisor", "schema"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=NEUTRAL,
            cwd=ROOT,
            timeout=60,
            check=False,
        )
    assert done.returncode == ExitCode.NOT_WRITTEN
    assert done.stderr == b"oomadvisor: standard output: not written: No space left on device\n"


def started(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "oomadvisor", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=NEUTRAL,
        cwd=ROOT,
    )


def test_a_reader_that_went_away_is_quiet_and_141() -> None:
    with started("schema") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == ExitCode.PIPE_CLOSED


def test_ctrl_c_is_quiet_and_130() -> None:
    with started("incidents", "-") as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(b"a line\n" * 20_000)  # returns when the command reads, so it is well under way
        process.stdin.flush()
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == ExitCode.INTERRUPTED
        assert process.stderr.read() == b""


# What a Python process does before anything else: here, to break the first stage of the work.
BREAK_THE_SCANNER = """
import oomadvisor.parse.scan
def scan_file(path, **_options):
    raise RuntimeError("a \\x1b[2J test")
oomadvisor.parse.scan.scan_file = scan_file
"""


@pytest.mark.parametrize("debug", [False, True])
def test_a_defect_is_one_line_and_70(debug: bool, tmp_path: Path, seed: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(BREAK_THE_SCANNER)
    environment = {**NEUTRAL, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-m", "oomadvisor", "incidents", seed],
        capture_output=True,
        env={**environment, **({"OOMADVISOR_DEBUG": "1"} if debug else {})},
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (ExitCode.INTERNAL, b"")
    assert (b"Traceback" in done.stderr) == debug
    last = done.stderr.decode().splitlines()[-1]
    assert "RuntimeError: a \\x1b[2J test" in last
    assert "Please report" in last
    assert debug or done.stderr.count(b"\n") == 1


def test_python_minus_m_is_the_same_as_the_command() -> None:
    command = Path(sys.executable).with_name("oomadvisor")
    done = subprocess.run([command, "incidents", SEED], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, run_once("incidents", str(SEED)).out)
