"""The patch, taken by GNU patch, git and BusyBox; what it makes, read by procps, BusyBox and augeas."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oomadvisor.export import dropin, patch
from oomadvisor.export.change import with_settings
from oomadvisor.export.conf import plain_bytes, read_conf, shown_bytes
from tests.export.plans import CONFS, plan_of, seed_plan
from tests.export.tools import needs, needs_mount, ran

APPLIERS = {
    "GNU patch": ("patch", "-p1", "--no-backup-if-mismatch"),
    "git apply": ("git", "apply", "-"),
    "BusyBox patch": ("busybox", "patch", "-p1"),
}
GIT_ALONE = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CEILING_DIRECTORIES": "/",
    "HOME": "/nonexistent",
    "PATH": "/usr/bin:/bin",
}
appliers = pytest.mark.parametrize(
    "tool", [pytest.param(command, id=name, marks=needs(command[0])) for name, command in APPLIERS.items()]
)
every_conf = pytest.mark.parametrize("path", CONFS, ids=lambda path: path.stem)


def box(folder: Path, conf: bytes | None) -> Path:
    (folder / "etc").mkdir(exist_ok=True)
    if conf is not None:
        (folder / "etc" / "sysctl.conf").write_bytes(conf)
    return folder / "etc" / "sysctl.conf"


def apply(tool: tuple[str, ...], diff: bytes, folder: Path) -> None:
    ran(tool, cwd=folder, stdin=diff, env=GIT_ALONE)


def ended(tool: tuple[str, ...], conf: bytes) -> bytes:
    """BusyBox patch ends the last line of what it writes, whatever the patch says; the others must be exact."""
    return conf.removesuffix(b"\n") if tool[0] == "busybox" else conf


def target(conf: bytes) -> bytes:
    return shown_bytes(with_settings(read_conf(conf, "-"), seed_plan("firmware")))


@appliers
@every_conf
def test_there_and_back_again(tool: tuple[str, ...], path: Path, tmp_path: Path) -> None:
    conf, plan = path.read_bytes(), seed_plan("firmware")
    file = box(tmp_path, conf)
    apply(tool, patch(plan, conf, "-"), tmp_path)
    assert ended(tool, file.read_bytes()) == ended(tool, target(conf))
    assert patch(plan, file.read_bytes(), "-") == b""
    # The way back, made from the file of before and from the one that is there now, is the same.
    back = patch(plan, conf, "-", rollback=True)
    assert back == patch(plan, file.read_bytes(), "-", rollback=True)
    apply(tool, back, tmp_path)
    assert ended(tool, file.read_bytes()) == ended(tool, conf)


@appliers
def test_without_a_file_it_makes_one_and_takes_it_away(tool: tuple[str, ...], tmp_path: Path) -> None:
    file = box(tmp_path, None)
    apply(tool, patch(seed_plan(), None, "-"), tmp_path)
    assert file.read_bytes() == shown_bytes(with_settings([], seed_plan()))
    apply(tool, patch(seed_plan(), None, "-", rollback=True), tmp_path)
    assert not file.exists() or file.read_bytes() == b""


@needs("patch")
def test_a_patch_of_a_patched_file_changes_only_what_differs(tmp_path: Path) -> None:
    conf = (Path(__file__).parent / "confs" / "nas.conf").read_bytes()
    first = shown_bytes(with_settings(read_conf(conf, "-"), plan_of(("vm.min_free_kbytes", "3500", "4160"))))
    diff = patch(plan_of(("vm.min_free_kbytes", "2039", "4160")), first, "-")
    changed = [line for line in diff.splitlines() if line[:1] in b"+-" and line[:3] not in (b"+++", b"---")]
    assert {line[1:] for line in changed if b"= 2039" in line} == {
        b"vm.min_free_kbytes = 2039",
        b"vm/min_free_kbytes = 2039",
    }
    assert len(changed) <= 20
    file = box(tmp_path, first)
    apply(APPLIERS["GNU patch"], diff, tmp_path)
    assert plain_bytes(read_conf(file.read_bytes(), "-")) == conf


@needs("patch")
@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(st.sampled_from([b"", b"# c", b"kernel.panic = 5", b"vm.min_free_kbytes = 1", b"x"]), max_size=40),
    ended=st.booleans(),
)
def test_any_file_gnu_patch(rows: list[bytes], ended: bool, tmp_path_factory: pytest.TempPathFactory) -> None:
    conf = b"\n".join(rows) + (b"\n" if ended else b"")
    folder = tmp_path_factory.mktemp("box")
    file = box(folder, conf)
    apply(APPLIERS["GNU patch"], patch(seed_plan(), conf, "-"), folder)
    assert file.read_bytes() == shown_bytes(with_settings(read_conf(conf, "-"), seed_plan()))


@needs("sysctl")
@every_conf
def test_procps_reads_it(path: Path, tmp_path: Path) -> None:
    (tmp_path / "sysctl.conf").write_bytes(target(path.read_bytes()))
    if "--dry-run" not in ran(["sysctl", "--help"], cwd=tmp_path):
        pytest.skip("this sysctl has no --dry-run")
    shown = ran(["sysctl", "--dry-run", "-e", "-p", "sysctl.conf"], cwd=tmp_path)
    found = [line for line in shown.splitlines() if line.startswith("vm.min_free_kbytes")]
    assert found
    assert all(line.split("=")[1].split()[0] == "2039" for line in found)


@needs("sysctl")
def test_procps_reads_the_drop_in_and_finds_nothing_wrong_with_it(tmp_path: Path) -> None:
    (tmp_path / "60.conf").write_bytes(dropin(seed_plan("firmware")))
    (tmp_path / "back.conf").write_bytes(dropin(seed_plan("firmware"), rollback=True))
    if "--dry-run" not in ran(["sysctl", "--help"], cwd=tmp_path):
        pytest.skip("this sysctl has no --dry-run")
    assert ran(["sysctl", "--dry-run", "-p", "60.conf"], cwd=tmp_path) == "vm.min_free_kbytes = 2039\n"
    assert ran(["sysctl", "--dry-run", "-p", "back.conf"], cwd=tmp_path) == "vm.min_free_kbytes = 4160\n"


@needs("busybox", "unshare")
@needs_mount
@pytest.mark.parametrize("path", [path for path in CONFS if path.stem != "yocto"], ids=lambda path: path.stem)
def test_busybox_sets_it(path: Path, tmp_path: Path) -> None:
    """BusyBox has no dry run, so it gets a /proc/sys that is a folder of files. It does not know '-key' at all."""
    fake = tmp_path / "sys"
    (fake / "vm").mkdir(parents=True)
    (fake / "vm" / "min_free_kbytes").write_text("4160\n")
    (tmp_path / "sysctl.conf").write_bytes(target(path.read_bytes()))
    # Only if the mount stands is anything written.
    ran(
        [
            "unshare",
            "--mount",
            "sh",
            "-c",
            "mount --bind sys /proc/sys && cd . && busybox sysctl -e -p sysctl.conf || true",
        ],
        cwd=tmp_path,
    )
    assert (fake / "vm" / "min_free_kbytes").read_text().split()[0] == "2039"


@needs("augtool")
@pytest.mark.parametrize(
    "path", [path for path in CONFS if path.stem not in ("plc", "yocto")], ids=lambda path: path.stem
)
def test_augeas_reads_it(path: Path, tmp_path: Path) -> None:
    """Its lens has no words for a byte order mark or a leading '-', so the two files with those are left out."""
    box(tmp_path, target(path.read_bytes()))
    shown = ran(["augtool", "-A", "-r", ".", "-t", "Sysctl incl /etc/sysctl.conf", "print", "/files"], cwd=tmp_path)
    values = [
        line.rpartition(" = ")[2] for line in shown.splitlines() if "min_free_kbytes" in line and "#comment" not in line
    ]
    assert values
    # A trailing comment that begins with ';' is a part of the value for it, before and after.
    assert {value.strip('"').removesuffix("\\r").split()[0] for value in values} == {"2039"}


def test_what_is_harmful_is_named_so_in_every_file() -> None:
    plan = seed_plan(picks=("raise-min-free-kbytes",), force=True)
    for text in (patch(plan, None, "-"), patch(plan, b"vm.min_free_kbytes = 1\n", "-"), dropin(plan)):
        assert b"HARMFUL" in text
        assert b"vm.min_free_kbytes = 8192" in text


@pytest.mark.parametrize("make", [lambda plan: patch(plan, b"", "-"), dropin], ids=["patch", "dropin"])
def test_what_acts_once_is_in_no_file_of_settings(make) -> None:  # type: ignore[no-untyped-def]
    lines = make(plan_of(("vm.drop_caches", "3", "0"), once=True)).splitlines()
    assert any(b"drop_caches" in line for line in lines)
    assert all(b"#" in line for line in lines if b"drop_caches" in line)
