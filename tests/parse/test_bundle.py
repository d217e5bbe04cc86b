"""Bundles of ``oomadvisor collect``: whole, cut anywhere, with noise of a serial line; and folders of such files."""

import random
import struct
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oomadvisor.model import ProcState
from oomadvisor.parse import read_proc_paths, read_sysctl_path
from oomadvisor.parse.bundle import BundleCatcher
from oomadvisor.parse.proc import read_proc_lines
from oomadvisor.parse.report import Report
from tests.collect.boxes import CONF, SEED, SYSCTLS, Box

PARTS = (
    "version",
    "meminfo_kb",
    "vmstat",
    "zones",
    "blocks_by_type",
    "swaps",
    "cmdline",
    "sysctls",
    "processes",
    "mounts",
)
#: The section that each part stands in.
PLACES = {
    "version": "/proc/version",
    "meminfo_kb": "/proc/meminfo",
    "blocks_by_type": "/proc/pagetypeinfo",
    "swaps": "/proc/swaps",
    "cmdline": "/proc/cmdline",
    "sysctls": "settings",
    "processes": "processes",
}


@cache
def bundle() -> str:
    with TemporaryDirectory() as folder:
        return Box(Path(folder)).collect()


@cache
def whole() -> ProcState:
    return read_proc_lines(bundle().splitlines(keepends=True), file="-")


def said(state: ProcState, part: str) -> object:
    """Return a part of a state without line numbers."""
    value = getattr(state, part)
    if part == "mounts":
        return {mount.model_copy(update={"line": 0}) for mount in value}
    return value


def test_cut_at_any_line_nothing_is_lost_that_was_whole() -> None:
    lines = bundle().splitlines(keepends=True)
    ends = {line.split()[2]: n for n, line in enumerate(lines) if line.startswith("#oomadvisor end ")}
    for cut in range(len(lines) + 1):
        found = read_proc_lines(lines[:cut], file="-")
        for part, section in PLACES.items():
            if cut > ends[section]:
                assert said(found, part) == said(whole(), part), (cut, part)
        if cut > max(ends["/proc/buddyinfo"], ends["/proc/zoneinfo"]):
            assert found.zones == whole().zones, cut
        begun = [line.split()[2] for line in lines[:cut] if line.startswith("#oomadvisor begin")]
        if begun and cut <= ends[begun[-1]]:
            assert any(warning.text.startswith(f"{begun[-1]} is cut off") for warning in found.warnings), cut


def test_cut_at_any_byte_of_a_line(tmp_path: Path) -> None:
    text = bundle()
    for cut in random.Random(7).sample(range(len(text)), 120):
        file = tmp_path / "cut.txt"
        file.write_text(text[:cut])
        report = Report(str(file))
        list(report.incidents())
        state = report.proc()
        assert (state is None) == ("#oomadvisor bundle " not in text[:cut])


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(lambda text: text.replace("\n", "\r\n"), id="carriage returns"),
        pytest.param(lambda text: text.replace("\n", "\r\r\n"), id="two of them"),
        pytest.param(
            lambda text: "".join(
                f"[12:{n // 60 % 60:02}:{n % 60:02}] {line}\n" for n, line in enumerate(text.splitlines())
            ),
            id="times",
        ),
        pytest.param(lambda text: "login: root\n# sh -s\n" + text + "# exit\n", id="a session around it"),
        pytest.param(
            lambda text: text.replace("#oomadvisor bundle", "box:~# #oomadvisor bundle"), id="a prompt before it"
        ),
        pytest.param(lambda text: text.replace("\n", "\n\x00"), id="zeros"),
    ],
)
def test_what_a_line_adds_to_every_line_changes_nothing(changed) -> None:  # type: ignore[no-untyped-def]
    found = read_proc_lines(changed(bundle()).split("\n")[:-1], file="-")
    assert {part: said(found, part) for part in PARTS} == {part: said(whole(), part) for part in PARTS}
    assert [conf.lines for conf in found.confs] == [tuple(CONF.splitlines())]


NOISE = st.sampled_from(
    ["[ 4021.771] eth0: link down", "<4>eth0: link up", "\x07\x1b[2K", "", "login:", "MemTotal:", "Node 0, zone", "��"]
)


@given(st.lists(st.tuples(st.integers(0, 2000), NOISE), max_size=12))
def test_noise_between_lines_is_noticed_and_costs_no_other_section(noise: list[tuple[int, str]]) -> None:
    lines = bundle().splitlines()
    hit = set()
    for place, text in noise:
        at = place % len(lines)
        before = [line.split()[:3] for line in lines[:at] if line.startswith(("#oomadvisor begin", "#oomadvisor end"))]
        if before and before[-1][1] == "begin":
            hit.add(before[-1][2])
        lines.insert(at, text)
    found = read_proc_lines(lines, file="-")
    for part, section in PLACES.items():
        if section not in hit:
            assert said(found, part) == said(whole(), part), part
    counted = hit - {"dmesg", "settings", "df"}  # programs print those, so how many lines they sent is not known
    told = {warning.text.split(":")[0] for warning in found.warnings if warning.code == "damaged-section"}
    assert counted <= told | {"dmesg"}


@pytest.mark.parametrize("size", [1, 7, 100, 4096, 1 << 20])
def test_the_bundle_is_found_however_the_blocks_fall(size: int) -> None:
    text = ("boot noise\n" * 50 + bundle() + "after\n" * 50).encode()
    catcher = BundleCatcher()
    for start in range(0, len(text), size):
        catcher.feed(text[start : start + size], text.count(b"\n", 0, start) + 1)
    found = catcher.proc("-")
    assert found is not None
    assert {part: said(found, part) for part in PARTS} == {part: said(whole(), part) for part in PARTS}
    assert found.origins["zones.0.DMA"].line == whole().origins["zones.0.DMA"].line + 50


def test_places_are_those_of_the_file(tmp_path: Path) -> None:
    """The bundle stands behind a long log with an incident of its own, so that the scanner has gone back and forth."""
    before = "quiet\n" * 300_000 + SEED.read_text() + "quiet\n" * 200_000
    (tmp_path / "long.log").write_text(before + bundle())
    report = Report(str(tmp_path / "long.log"))
    assert len(list(report.incidents())) == 2
    found = report.proc()
    assert found is not None
    assert found.origins["zones.0.DMA"].line == whole().origins["zones.0.DMA"].line + before.count("\n")


def test_of_two_bundles_in_a_capture_the_last_counts() -> None:
    later = bundle().replace("\n4160\n", "\n2039\n")
    catcher = BundleCatcher()
    catcher.feed((bundle() + later).encode(), 1)
    found = catcher.proc("-")
    assert found is not None
    assert found.sysctls["vm.min_free_kbytes"] == "2039"


def test_endless_text_after_the_beginning_is_not_kept() -> None:
    catcher = BundleCatcher()
    catcher.feed(b"#oomadvisor bundle 1\n", 1)
    for number in range(40):
        catcher.feed(b"x" * (1 << 20) + b"\n", number + 2)
    assert catcher.proc("-") is not None
    assert sum(map(len, catcher._kept or ())) <= 16 << 20


def test_as_a_file_of_sysctls_it_says_what_is_in_force_and_not_what_the_conf_says(tmp_path: Path) -> None:
    file = tmp_path / "bundle.txt"
    file.write_text(bundle().replace("\n4160\n", "\n2039\n"))
    found = read_sysctl_path(str(file))
    assert found.values["vm.min_free_kbytes"].text == "2039"
    assert set(found.values) == {name.replace("/", ".") for name in SYSCTLS}


# Folders.


def sos(folder: Path) -> Path:
    box = Box(folder / "box")
    root = folder / "sosreport-box"
    (root / "sos_commands/kernel").mkdir(parents=True)
    (box.folder / "proc/kmsg").unlink()
    (box.folder / "proc").rename(root / "proc")
    (root / "sos_commands/kernel/dmesg").write_text((box.folder / "log").read_text())
    (root / "sos_commands/kernel/sysctl_-a").write_text("vm.min_free_kbytes = 4160\nvm.swappiness = 60\n")
    (root / "var/log").mkdir(parents=True)
    messages = "".join(f"Jan  1 00:00:00 box kernel: {line}\n" for line in SEED.read_text().splitlines())
    (root / "var/log/messages").write_text(messages)
    (root / "var/log/kern.log.xz").write_bytes(b"\xfd7zXZ\x00")
    return root


def test_a_sos_report_is_one_report(tmp_path: Path) -> None:
    report = Report(str(sos(tmp_path)))
    (incident,) = report.incidents()  # the same one stands in dmesg and in messages
    assert (incident.number, incident.request.order) == (1, 2)
    proc, sysctls = report.proc(), report.sysctls()
    assert proc is not None
    assert sysctls is not None
    assert proc.zones == read_proc_paths([str(tmp_path / "sosreport-box/proc")]).zones
    assert sysctls.values["vm.min_free_kbytes"].text == "4160"


@pytest.mark.parametrize("name", ["dmesg-ramoops-0", "console-ramoops", "dmesg-efi-1"])
def test_a_folder_of_pstore(name: str, tmp_path: Path) -> None:
    lines = SEED.read_text().splitlines()
    text = "Panic#2 Part1\n====1234567890.123456-D\n" + "".join(f"<4>[  12.345678] {line}\n" for line in lines)
    (tmp_path / name).write_text(text)
    (incident,) = Report(str(tmp_path)).incidents()
    (alone,) = Report(str(tmp_path / name)).incidents()
    assert (incident.request.order, len(incident.zones)) == (2, 2)
    assert alone == incident


def test_a_raw_dump_of_mtdoops(tmp_path: Path) -> None:
    """Records of one flash page: a number, a magic word, the end of the log, erased flash."""
    log = SEED.read_bytes()
    record = struct.pack("<II", 7, 0x5D005D00) + log[:8000]
    data = record.ljust(8192, b"\xff") + struct.pack("<II", 8, 0x5D005D00).ljust(8192, b"\xff") + b"\xff" * 65536
    (tmp_path / "mtd5.bin").write_bytes(data)
    (incident,) = Report(str(tmp_path / "mtd5.bin")).incidents()
    (plain,) = Report(str(SEED)).incidents()
    assert (incident.request, incident.zones) == (plain.request, plain.zones)
