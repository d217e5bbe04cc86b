"""``oomadvisor export`` as a user runs it: files that are whole or not there, and messages that help."""

import os
import resource
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from oomadvisor.cli.exit_codes import ExitCode
from tests.cli.conftest import NEUTRAL, ROOT, SEED, run
from tests.collect.boxes import Box
from tests.export.tools import needs

CONF = b"# of the vendor\nvm.min_free_kbytes = 4160\n"
REPORT = str(SEED)


def test_a_patch_from_report_to_result(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    conf = tmp_path / "etc" / "sysctl.conf"
    conf.write_bytes(CONF)
    ran = run("export", REPORT, "--sysctl-conf", "etc/sysctl.conf", "-o", "fix.patch", cwd=tmp_path)
    assert (ran.code, ran.out) == (0, "")
    assert "taken: lower-min-free-kbytes [CERTAIN]: vm.min_free_kbytes = 2039" in ran.err
    assert conf.read_bytes() == CONF  # it is only read
    if shutil.which("patch") is None:
        pytest.skip("patch not installed")
    subprocess.run(["patch", "-s", "-p1", "-i", "fix.patch"], cwd=tmp_path, check=True, timeout=30)
    assert b"\nvm.min_free_kbytes = 2039\n" in conf.read_bytes()
    again = run("export", REPORT, "--sysctl-conf", "etc/sysctl.conf", cwd=tmp_path)
    assert (again.code, again.out) == (0, "")
    assert "nothing to change: etc/sysctl.conf holds it already" in again.err
    back = run("export", REPORT, "--sysctl-conf", "etc/sysctl.conf", "--rollback", cwd=tmp_path)
    subprocess.run(["patch", "-s", "-p1"], input=back.out.encode(), cwd=tmp_path, check=True, timeout=30)
    assert conf.read_bytes() == CONF


@needs("patch")
def test_a_bundle_brings_its_own_sysctl_conf(tmp_path: Path) -> None:
    box = Box(tmp_path)
    bundle = box.put("bundle.txt", box.collect().replace("\n", "\r\n"))
    ran = run("export", str(bundle))
    assert "for the /etc/sysctl.conf that the report holds" in ran.err
    subprocess.run(["patch", "-s", "-p1"], input=ran.out.encode(), cwd=box.folder, check=True, timeout=30)
    assert "\nvm.min_free_kbytes = 2039\n" in (box.folder / "etc/sysctl.conf").read_text()


def test_a_drop_in_that_another_file_would_undo_is_told(tmp_path: Path) -> None:
    box = Box(tmp_path)
    bundle = box.put("bundle.txt", box.collect())
    ran = run("export", str(bundle), "--format", "dropin")
    assert "WARNING: /etc/sysctl.conf:3 sets vm.min_free_kbytes = 4160" in ran.err
    harmless = box.put(
        "other.txt", bundle.read_text().replace("\nvm.min_free_kbytes = 4160\n", "\nvm.swappiness = 9\n")
    )
    assert "WARNING" not in run("export", str(harmless), "--format", "dropin").err


def test_a_damaged_one_is_not_patched(tmp_path: Path) -> None:
    box = Box(tmp_path)
    bundle = box.put("bundle.txt", box.collect().replace("kernel.panic = 1\n", ""))
    ran = run("export", str(bundle))
    assert "holds a damaged /etc/sysctl.conf" in ran.err
    assert "--- /dev/null" in ran.out


@pytest.mark.parametrize("form", ["patch", "dropin", "script"])
@pytest.mark.parametrize("rollback", [False, True])
def test_what_is_printed_is_what_is_written(form: str, rollback: bool, tmp_path: Path) -> None:
    options = ["export", REPORT, "--format", form, *(["--rollback"] if rollback else [])]
    printed = run(*options)
    target = tmp_path / "out"
    assert run(*options, "-o", str(target)).code == 0
    assert target.read_text() == printed.out
    assert printed.out.isascii()


@pytest.mark.parametrize("until", ["now", "week", "firmware"])
@pytest.mark.parametrize("form", ["patch", "dropin", "script"])
def test_every_fix_of_the_advice_is_somewhere_in_it(until: str, form: str) -> None:
    text = run("export", REPORT, "--format", form, "--plan", until).out
    fixes = ["shrink-tmpfs", "fewer-large-requests", "compressed-swap", "realtime-spawner", "reboot-instead-of-kill"]
    assert [fix for fix in fixes if fix not in text] == []
    later = {"now": 3, "week": 2, "firmware": 0}[until]
    assert text.count("for later: it is in --plan") >= later


def test_what_is_harmful_needs_its_name_and_force() -> None:
    refused = run("export", REPORT, "--pick", "raise-min-free-kbytes")
    assert (refused.code, refused.out) == (ExitCode.USAGE, "")
    assert "is harmful here" in refused.err
    for until in ("now", "week", "firmware"):
        assert "8192" not in run("export", REPORT, "--plan", until, "--force").out
    forced = run("export", REPORT, "--pick", "raise-min-free-kbytes", "--force", "--format", "dropin")
    assert "HARMFUL" in forced.out
    assert "WARNING" in forced.err
    assert "vm.min_free_kbytes = 8192" in forced.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--pick", "lower-min-free"], "Did you mean lower-min-free-kbytes?"),
        (["--pick", "lower-min-free-kbytes-below-default"], "does not apply to this report"),
        (["--pick", "drop-caches"], "names nothing that could be written"),
        (["--pick", "lower-min-free-kbytes", "--pick", "raise-min-free-kbytes", "--force"], "to another value"),
        (["--format", "dropin", "--sysctl-conf", "x"], "--format patch"),
        (["--plan", "never"], "never"),
        (["--format", "deb"], "deb"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_2(arguments: list[str], said: str) -> None:
    ran = run("export", REPORT, *arguments, env={"COLUMNS": "400"})
    assert (ran.code, ran.out) == (ExitCode.USAGE, "")
    assert said in " ".join(ran.err.split())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"kernel.panic = 1\nvm.x\0 = 3\n", "conf:2:5: a NUL byte; expected text"),
        (b"# x\n" * 2_621_440, "at most 1048576 bytes"),
        (None, "no such file"),
    ],
    ids=["binary", "10 MB", "missing"],
)
def test_an_unusable_sysctl_conf_is_3_and_left_as_it_is(content: bytes | None, said: str, tmp_path: Path) -> None:
    conf = tmp_path / "conf"
    if content is not None:
        conf.write_bytes(content)
    ran = run("export", REPORT, "--sysctl-conf", "conf", "-o", "out", cwd=tmp_path)
    assert (ran.code, ran.out) == (ExitCode.UNUSABLE, "")
    assert said in ran.err
    assert "expected" in ran.err
    assert not (tmp_path / "out").exists()
    assert content is None or conf.read_bytes() == content


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_sysctl_conf_is_3(tmp_path: Path) -> None:
    (tmp_path / "conf").touch(0o000)
    ran = run("export", REPORT, "--sysctl-conf", "conf", cwd=tmp_path)
    assert ran.code == ExitCode.UNUSABLE
    assert "permission" in ran.err


def test_a_folder_or_a_link_as_sysctl_conf(tmp_path: Path) -> None:
    assert run("export", REPORT, "--sysctl-conf", ".", cwd=tmp_path).code == ExitCode.UNUSABLE
    (tmp_path / "real").write_bytes(CONF)
    (tmp_path / "link").symlink_to("real")
    ran = run("export", REPORT, "--sysctl-conf", "link", cwd=tmp_path)
    assert "-vm.min_free_kbytes = 4160" in ran.out
    assert (tmp_path / "link").is_symlink()


def test_a_disk_that_fills_up_in_the_middle_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "fix.sh"
    target.write_text("mine")
    done = subprocess.run(
        [sys.executable, "-m", "oomadvisor", "export", REPORT, "--format", "script", "-o", str(target), "--force"],
        capture_output=True,
        env=NEUTRAL,
        cwd=ROOT,
        timeout=60,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300)),
    )
    assert done.returncode == ExitCode.NOT_WRITTEN
    assert b"not written" in done.stderr
    assert b"Traceback" not in done.stderr
    assert target.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["fix.sh"]


def test_an_existing_file_is_left_alone_without_force(tmp_path: Path) -> None:
    target = tmp_path / "fix.sh"
    target.write_text("mine")
    assert run("export", REPORT, "--format", "script", "-o", str(target)).code == ExitCode.USAGE
    assert target.read_text() == "mine"


OTHER_RULES = """\
schema: 1
rules:
  - id: write-earlier
    title: Write dirty pages earlier
    kind: fix
    when:
      - incident: {type: oom}
    fix:
      kind: sysctl
      repairs: cause
      cost: none
      risk: low
      changes: [{sysctl: NAME, to: VALUE}]
      undo: Set it back.
    explain: For the test.
    sources: [vm-table]
    tests:
      - {name: a kill, given: [{incident: {type: oom}}], fires: true}
      - {name: none, given: [{incident: {type: alloc-failure}}], fires: false}
"""


@pytest.mark.parametrize(
    ("name", "value", "code", "said"),
    [
        # Refused when the rule file is read,
        ("vm.dirty_ratio", "101", ExitCode.UNUSABLE, "error[out-of-range]"),
        ("vm.percpu_pagelist_fraction", "4", ExitCode.UNUSABLE, "error[out-of-range]"),
        ("vm.no_such_knob", "1", ExitCode.UNUSABLE, "vm.no_such_knob"),
        # or by what this kernel takes.
        ("vm.nr_pdflush_threads", "4", ExitCode.USAGE, "is read-only"),
        ("vm.compact_memory", "1", ExitCode.USAGE, "does not exist in"),
    ],
)
def test_a_value_that_the_kernel_would_refuse_is_not_written(
    name: str, value: str, code: ExitCode, said: str, tmp_path: Path
) -> None:
    (tmp_path / "mine.yaml").write_text(OTHER_RULES.replace("NAME", name).replace("VALUE", value))
    ran = run("export", REPORT, "--rules", str(tmp_path), "--pick", "write-earlier", env={"COLUMNS": "400"})
    assert (ran.code, ran.out) == (code, "")
    assert said in " ".join(ran.err.split())


def test_what_the_box_does_not_list_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(OTHER_RULES.replace("NAME", "vm.laptop_mode").replace("VALUE", "5"))
    box = Box(tmp_path / "box")
    bundle = box.put("bundle.txt", box.collect())
    ran = run("export", str(bundle), "--rules", str(tmp_path), "--pick", "write-earlier", env={"COLUMNS": "400"})
    assert ran.code == ExitCode.USAGE
    assert "this box has no vm.laptop_mode" in " ".join(ran.err.split())


def test_collect_prints_a_script_and_writes_it_whole(tmp_path: Path) -> None:
    printed = run("collect", "--pause", "3")
    assert (printed.code, printed.err) == (0, "")
    assert "\nPAUSE=3\nREDACT=1\n" in printed.out
    target = tmp_path / "collect.sh"
    assert run("collect", "--pause", "3", "-o", str(target)).code == 0
    assert target.read_text() == printed.out
    assert run("collect", "-o", str(target)).code == ExitCode.USAGE
    assert stat.S_ISREG(target.stat().st_mode)
    assert "\nREDACT=0\n" in run("collect", "--no-redact").out
    assert run("collect", "--pause", "-1").code == ExitCode.USAGE


@pytest.mark.parametrize("command", ["advise", "explain", "facts", "incidents", "export"])
def test_a_bundle_is_an_input_of_every_command(command: str, tmp_path: Path) -> None:
    box = Box(tmp_path)
    bundle = box.put("bundle.txt", box.collect())
    by_path, by_stdin = run(command, str(bundle)), run(command, "-", stdin=bundle.read_bytes())
    assert (by_path.code, by_stdin.code) == (0, 0)
    for ran in (by_path, by_stdin):
        assert "myshellscript" in ran.out or command == "explain"
        assert "2.6.31.12" in ran.out


def test_what_a_bundle_says_of_the_box_is_used(tmp_path: Path) -> None:
    box = Box(tmp_path)
    bundle = box.put("bundle.txt", box.collect())
    facts = run("facts", str(bundle)).out
    assert "tunable: {name: vm.min_free_kbytes, low: 4160, high: 4160," in facts.replace("\n", " ")
    assert "2.6.31.12-ER1" in facts


def test_without_an_incident_the_state_is_advised_on(tmp_path: Path) -> None:
    box = Box(tmp_path)
    (box.folder / "log").write_text("nothing happened\n")
    bundle = box.put("bundle.txt", box.collect())
    ran = run("advise", str(bundle))
    assert ran.code == 0
    assert "no incident found; this is about the state" in ran.err
    assert run("incidents", str(bundle)).code == ExitCode.NO_INCIDENT


def test_where_nothing_is_proved_nothing_is_written(tmp_path: Path) -> None:
    """Another kernel: its arithmetic is not replayed here, so no fix of it can be proved."""
    (tmp_path / "kern.log").write_text("Linux version 4.9.11 (build@host) #1\n" + SEED.read_text())
    ran = run("export", "kern.log", "--kernel", "4.9.11", cwd=tmp_path)
    assert (ran.code, ran.out) == (0, "")
    assert "nothing to write" in ran.err
