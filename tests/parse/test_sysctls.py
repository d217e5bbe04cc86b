"""Sysctl settings in every form in which people have them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oomadvisor.parse import InputError, SysctlDump, SysctlProblem, read_sysctl_path, read_sysctls


def read(*lines: str) -> SysctlDump:
    return read_sysctls([line + "\n" for line in lines], file="box.conf")


def texts(dump: SysctlDump) -> dict[str, str]:
    return {name: value.text for name, value in dump.values.items()}


FORMS = {
    "sysctl -a": ["vm.min_free_kbytes = 4167", "vm.lowmem_reserve_ratio = 256\t32\t16", "kernel.hostname = box"],
    "sysctl.conf": [
        "# made for the box",
        "; another comment",
        "",
        "  vm.min_free_kbytes=4167   # reserve",
        "-vm/lowmem_reserve_ratio = 256 32 16 ; zones",
        "kernel.hostname=box",
    ],
    "commands": [
        "sysctl -w vm.min_free_kbytes=4167",
        "echo 256 32 16 > /proc/sys/vm/lowmem_reserve_ratio",
        "# echo box > /proc/sys/kernel/hostname",
    ],
    "path and value": [
        "/proc/sys/vm/min_free_kbytes: 4167",
        "/proc/sys/vm/lowmem_reserve_ratio:256\t32\t16",
        "/proc/sys/kernel/hostname = box",
    ],
    "tail": [
        "==> /proc/sys/vm/min_free_kbytes <==",
        "4167",
        "",
        "==> /proc/sys/vm/lowmem_reserve_ratio <==",
        "256\t32\t16",
        "",
        "==> /proc/sys/kernel/hostname <==",
        "box",
    ],
    "dashes": [
        "--- /proc/sys/vm/min_free_kbytes",
        "4167",
        "--- /proc/sys/vm/lowmem_reserve_ratio ---",
        "256 32 16",
        "--- /proc/sys/kernel/hostname",
        "box",
    ],
    "begin and end": [
        "BEGIN min_free_kbytes",
        "4167",
        "END min_free_kbytes",
        "BEGIN vm/lowmem_reserve_ratio ",
        "256 32 16",
        "END vm/lowmem_reserve_ratio",
        "BEGIN /proc/sys/kernel/hostname",
        "box",
        "END /proc/sys/kernel/hostname",
    ],
    "shell": [
        "root@box:~# cat /proc/sys/vm/min_free_kbytes",
        "4167",
        "$ cat /proc/sys/vm/lowmem_reserve_ratio",
        "256     32      16",
        "# cat /proc/sys/kernel/hostname",
        "box",
    ],
    "colon": [
        "/proc/sys/vm/min_free_kbytes:",
        "4167",
        "/proc/sys/vm/lowmem_reserve_ratio:",
        "256 32 16",
        "/proc/sys/kernel/hostname:",
        "box",
    ],
}


@pytest.mark.parametrize("lines", FORMS.values(), ids=FORMS.keys())
def test_forms(lines: list[str]) -> None:
    dump = read(*lines)
    assert texts(dump) == {
        "vm.min_free_kbytes": "4167",
        "vm.lowmem_reserve_ratio": "256 32 16",
        "kernel.hostname": "box",
    }
    assert dump.problems == ()
    assert dump.warnings == ()


def test_lines_are_counted() -> None:
    dump = read("# a", "", "vm.swappiness = 60")
    assert dump.values["vm.swappiness"].line == 3
    assert dump.file == "box.conf"
    dump = read("==> /proc/sys/vm/swappiness <==", "60")
    assert dump.values["vm.swappiness"].line == 2


def test_the_last_of_several_values_counts_and_is_reported() -> None:
    dump = read("vm.swappiness = 60", "vm.swappiness = 10", "vm.swappiness = 10")
    assert texts(dump) == {"vm.swappiness": "10"}
    (warning,) = dump.warnings
    assert warning.code == "duplicate-key"
    assert str(warning.origin) == "box.conf:2"
    assert "'60' in line 1" in warning.text


@pytest.mark.parametrize(
    ("line", "column", "text", "expected"),
    [
        ("vm.dirty_bytes = 4 MB", 18, "vm.dirty_bytes: '4 MB' has a unit (MB)", "a whole number without a unit"),
        (
            "vm.min_free_kbytes=4096kB",
            20,
            "vm.min_free_kbytes: '4096kB' has a unit (kB)",
            "a whole number without a unit",
        ),
        ("vm.dirty_ratio = 20%", 18, "vm.dirty_ratio: '20%' has a unit (%)", "a whole number without a unit"),
        ("vm.swappiness = high", 17, "vm.swappiness: 'high' is no number", "a whole number without a unit"),
        ("  hello world", 3, "'hello world' is no setting", "name = value, as in vm.min_free_kbytes = 2039"),
        ("vm.swappiness =", 16, "vm.swappiness has no value", "name = value, as in vm.min_free_kbytes = 2039"),
    ],
)
def test_problems_have_a_place(line: str, column: int, text: str, expected: str) -> None:
    dump = read("vm.overcommit_memory = 0", line)
    assert texts(dump) == {"vm.overcommit_memory": "0"}
    assert dump.problems == (SysctlProblem(file="box.conf", line=2, column=column, text=text, expected=expected),)
    assert str(dump.problems[0]).startswith(f"box.conf:2:{column}: ")


def test_what_sysctl_itself_complains_about_is_no_problem() -> None:
    dump = read(
        "sysctl: permission denied on key 'vm.stat_refresh'", "vm.swappiness = 60", "cat: /proc/sys/vm/x: No such file"
    )
    assert texts(dump) == {"vm.swappiness": "60"}
    assert dump.problems == ()


def test_junk_only_is_an_error() -> None:
    with pytest.raises(InputError) as caught:
        read("", "  hello", "world")
    assert (caught.value.line, caught.value.column) == (2, 3)
    assert str(caught.value).startswith("box.conf:2:3: 'hello' is no setting; expected name = value")


def test_nothing_but_comments_is_no_error() -> None:
    assert read("# nothing yet", "").values == {}


def test_words_are_values_where_the_kernel_takes_words() -> None:
    assert texts(read("vm.numa_zonelist_order = Node")) == {"vm.numa_zonelist_order": "Node"}


def test_a_folder_of_files(tmp_path: Path) -> None:
    folder = tmp_path / "vm"
    folder.mkdir()
    (folder / "min_free_kbytes").write_text("4167\n")
    (folder / "lowmem_reserve_ratio").write_text("256\t32\n")
    (folder / "stat_refresh").write_text("")
    (folder / "broken").write_bytes(bytes(range(256)) * 10)
    for path in (folder, tmp_path):
        dump = read_sysctl_path(str(path))
        assert texts(dump) == {"vm.min_free_kbytes": "4167", "vm.lowmem_reserve_ratio": "256 32"}
        assert dump.values["vm.min_free_kbytes"].file == str(folder / "min_free_kbytes")
        assert [problem.file for problem in dump.problems] == [str(folder / "broken")]


def test_a_folder_of_conf_files(tmp_path: Path) -> None:
    (tmp_path / "10-a.conf").write_text("vm.swappiness = 60\nvm.dirty_ratio = 20\n")
    (tmp_path / "20-b.conf").write_text("vm.swappiness = 10\n")
    dump = read_sysctl_path(str(tmp_path))
    assert texts(dump) == {"vm.swappiness": "10", "vm.dirty_ratio": "20"}
    assert [warning.code for warning in dump.warnings] == ["duplicate-key"]


def test_unusable_paths(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_sysctl_path(str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="no settings in this folder"):
        read_sysctl_path(str(tmp_path))


def _as_problem(error: InputError) -> SysctlProblem:
    assert error.line is not None
    assert error.column is not None
    return SysctlProblem(
        file=error.file, line=error.line, column=error.column, text=error.text, expected=error.expected or ""
    )


@given(st.lists(st.text(max_size=60), max_size=20))
def test_any_text_is_settings_or_problems_or_an_error(lines: list[str]) -> None:
    try:
        dump = read_sysctls(lines, file="x")
    except InputError as error:
        dump = SysctlDump(file="x", values={}, problems=(_as_problem(error),))
    for problem in dump.problems:
        assert 1 <= problem.line <= len(lines)
        assert problem.column >= 1


@given(
    st.dictionaries(
        st.from_regex(r"vm\.[a-z][a-z_]{1,20}", fullmatch=True), st.integers(-(1 << 63), 1 << 63), min_size=1
    )
)
def test_what_sysctl_prints_reads_back(values: dict[str, int]) -> None:
    dump = read_sysctls([f"{name} = {value}\n" for name, value in values.items()], file="x")
    assert texts(dump) == {name: str(value) for name, value in values.items()}
