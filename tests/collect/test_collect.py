"""The collecting script under real shells: what it prints, what it starts, and that it does nothing else."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from oomadvisor.collect import MOST_EXECS, collect_script
from oomadvisor.model import Process, ProcState
from oomadvisor.parse import read_proc_paths, scan_file
from tests.collect.boxes import ARGUMENT, CONF, MAC, SECRET, SYSCTLS, Box
from tests.export.tools import needs

SHELLS = {"BusyBox": ("busybox", "sh"), "dash": ("dash",), "bash": ("bash", "--posix")}


@pytest.fixture(params=[pytest.param(shell, id=name, marks=needs(shell[0])) for name, shell in SHELLS.items()])
def box(request: pytest.FixtureRequest, tmp_path: Path) -> Box:
    return Box(tmp_path, request.param)


def read(box: Box, bundle: str) -> ProcState:
    file = box.put("bundle.txt", bundle)
    return read_proc_paths([str(file)])


def test_the_bundle_says_what_the_files_say(box: Box) -> None:
    found = read(box, box.collect())
    direct = read_proc_paths([str(box.folder / "proc")])
    for name in ("version", "meminfo_kb", "vmstat", "zones", "blocks_by_type", "swaps"):
        assert getattr(found, name) == getattr(direct, name), name
    assert [row.model_copy(update={"line": 0}) for row in found.slab] == [
        row.model_copy(update={"line": 0}) for row in direct.slab
    ]
    assert found.slab
    assert found.sysctls == {name.replace("/", "."): " ".join(text.split()) for name, text in SYSCTLS.items()}
    assert found.warnings == ()
    (conf,) = found.confs
    assert ("\n".join(conf.lines), conf.whole, conf.ended) == (CONF, True, False)
    assert (found.vmstat_earlier, found.vmstat_seconds) == (None, None)


def test_processes_and_tmpfs(box: Box) -> None:
    found = read(box, box.collect())
    rows = {row.pid: row for row in found.processes}
    assert rows[7] == Process(
        pid=7, name="watch dog", oom_adj=-17, vm_size_kb=7000, vm_rss_kb=300, page_table_kb=12, threads=1, state="S"
    )
    assert (rows[3].name, rows[3].vm_size_kb) == ("kswapd0", None)
    # The made-up tmpfs is a plain folder, so df names what it lies on: one row, and never the dead network mount.
    assert sum(mount.used_kb is not None for mount in found.mounts) == 1
    assert {mount.path for mount in found.mounts} >= {"/mnt/dead", "/with blank"}


def test_the_incident_of_the_log_is_in_it(box: Box) -> None:
    file = box.put("bundle.txt", box.collect())
    (incident,) = scan_file(str(file))
    assert (incident.kind, incident.request.order, incident.request.comm) == ("oom", 2, "myshellscript")
    assert incident.kernel_release == "2.6.31.12-ER1"


@pytest.mark.parametrize("redact", [True, False])
def test_what_names_the_device_is_left_out_unless_asked_for(box: Box, redact: bool) -> None:
    bundle = box.collect(redact=redact)
    for word in (SECRET, MAC, ARGUMENT, "ABC123"):
        assert (word in bundle) is not redact, word
    assert "root=/dev/mtdblock2" in bundle
    assert "link up" in bundle


def test_it_starts_as_few_programs_as_it_says(box: Box) -> None:
    (box.folder / "proc/config.gz").write_bytes(
        subprocess.run(["gzip", "-c"], input=b"CONFIG_MMU=y\n", capture_output=True, check=True).stdout
    )
    bundle = box.collect(pause=1)
    ran = box.ran.read_text().split()
    assert ran == ["dmesg", "dmesg", "head", "df", "sleep", "zcat"]
    assert len(ran) == MOST_EXECS
    assert bundle.endswith(f"#oomadvisor done {len(ran)}\n")
    assert "CONFIG_MMU=y" in bundle


def test_everything_a_shell_can_read_comes_before_the_first_program(box: Box) -> None:
    names = [line.split()[2] for line in box.collect().splitlines() if line.startswith("#oomadvisor begin")]
    assert set(names[names.index("dmesg") :]) == {"dmesg", "settings", "df"}


def test_two_readings_lie_a_pause_apart(box: Box) -> None:
    found = read(box, box.collect(pause=1))
    assert found.vmstat_earlier == found.vmstat
    assert found.vmstat_seconds == 0  # the made-up clock stands still
    assert "sleep" in box.ran.read_text().split()


def test_it_changes_nothing(box: Box) -> None:
    def picture() -> dict[str, tuple[str, int]]:
        files = [p for part in ("proc", "etc", "tmp") for p in (box.folder / part).rglob("*") if p.is_file()]
        return {str(p): (hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_mtime_ns) for p in files}

    before = picture()
    box.collect(redact=False)
    assert picture() == before


GONE = ["meminfo", "buddyinfo", "zoneinfo", "mounts", "cmdline", "version", "vmstat", "slabinfo", "sys", "swaps"]


@pytest.mark.parametrize("gone", GONE)
def test_a_missing_file_costs_nothing_but_itself(gone: str, tmp_path: Path) -> None:
    box = Box(tmp_path, ("sh",))
    whole = box.collect()
    path = box.folder / "proc" / gone
    path.rename(box.folder / "away")
    without = box.collect()
    assert (f"#oomadvisor missing /proc/{gone}\n" in without) == (gone != "sys")
    lost = set(whole.splitlines()) - set(without.splitlines())
    gone_text = {
        line
        for p in [box.folder / "away", *(box.folder / "away").rglob("*")]
        if p.is_file()
        for line in p.read_text().splitlines()
    }
    allowed = {
        line
        for line in lost
        if line.startswith(("#oomadvisor", "==>", "Filesystem")) or "%" in line or "REDACTED" in line
    }
    assert lost - allowed <= gone_text | {line.replace("\t", " ") for line in gone_text}


def test_an_empty_box(tmp_path: Path) -> None:
    box = Box(tmp_path, ("sh",))
    for name in ("proc", "etc"):
        (box.folder / name).rename(box.folder / f"no-{name}")
    lines = box.collect().splitlines()
    assert lines[0] == "#oomadvisor bundle 1"
    assert lines[-1].startswith("#oomadvisor done ")


def test_programs_that_are_not_there_leave_the_rest(tmp_path: Path) -> None:
    box = Box(tmp_path, ("sh",))
    for program in (box.folder / "bin").iterdir():
        program.unlink()
    found = read(box, box.collect())
    assert found.zones
    assert found.processes
    assert found.sysctls == {}


def test_on_this_machine() -> None:
    done = subprocess.run(
        ["sh", "-s"], input=collect_script(pause_seconds=0).encode(), capture_output=True, timeout=120, check=True
    )
    read_back = subprocess.run(
        [sys.executable, "-m", "oomadvisor", "facts", "--proc", "-"],
        input=done.stdout,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert read_back.returncode == 0, read_back.stderr
    assert b"kernel: {release: " in read_back.stdout


def test_it_is_plain_enough_for_a_shell_of_2009() -> None:
    text = collect_script()
    assert text.isascii()
    for modern in ("[[", "local ", "$'", "function ", "<<<", "&>", "read -t", "${!", "printf -v", "mapfile"):
        assert modern not in text
    assert "kmsg" not in text
