"""A sysctl.conf is changed where it must be and nowhere else, and can always be brought back."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oomadvisor.export.change import with_settings
from oomadvisor.export.conf import assignment, plain_bytes, read_conf, shown_bytes
from oomadvisor.model.plan import Plan
from oomadvisor.parse import InputError, read_sysctls
from tests.export.plans import CONFS, plan_of, seed_plan

PLANS: dict[str, Plan] = {
    "the seed, now": seed_plan(),
    "the seed, firmware": seed_plan("firmware"),
    "two settings": plan_of(("vm.min_free_kbytes", "2039", "4160"), ("vm.panic_on_oom", "1", "0")),
    "bytes over a ratio": plan_of(("vm.dirty_bytes", "8388608", "0")),
    "nothing but by hand": plan_of(by_hand=("mount -o remount,size=8m /tmp",)),
    "an array": plan_of(("vm.lowmem_reserve_ratio", "256 32", None)),
}


def changed(data: bytes, plan: Plan) -> bytes:
    return shown_bytes(with_settings(read_conf(data, "sysctl.conf"), plan))


def in_force(data: bytes) -> dict[str, str]:
    """Return what sysctl would have set in the end, by a reader that knows nothing of the export."""
    lines = data.removeprefix(b"\xef\xbb\xbf").decode("latin-1").split("\n")
    try:
        values = read_sysctls(lines, file="-").values
    except InputError:
        return {}
    return {name: value.text for name, value in values.items()}


@pytest.mark.parametrize("path", CONFS, ids=lambda path: path.stem)
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
class TestOnEveryStyle:
    def test_the_settings_are_in_force_and_no_other_changed(self, path: Path, plan: Plan) -> None:
        before, after = in_force(path.read_bytes()), in_force(changed(path.read_bytes(), plan))
        wanted = {setting.name: setting.value for setting in plan.settings}
        assert {name: after.get(name) for name in wanted} == wanted
        off = {"vm.dirty_ratio"} if "vm.dirty_bytes" in wanted else set()
        assert after == {name: value for name, value in before.items() if name not in off} | wanted

    def test_it_can_be_brought_back_from_itself(self, path: Path, plan: Plan) -> None:
        data = path.read_bytes()
        assert plain_bytes(read_conf(changed(data, plan), "-")) == data

    def test_a_second_time_changes_nothing(self, path: Path, plan: Plan) -> None:
        once = changed(path.read_bytes(), plan)
        assert changed(once, plan) == once

    def test_one_plan_after_another_is_as_if_only_the_last_had_been(self, path: Path, plan: Plan) -> None:
        data = path.read_bytes()
        for other in PLANS.values():
            assert changed(changed(data, other), plan) == changed(data, plan)

    def test_no_line_of_ours_is_too_long_for_old_readers(self, path: Path, plan: Plan) -> None:
        ours = set(changed(path.read_bytes(), plan).splitlines()) - set(path.read_bytes().splitlines())
        assert all(len(line) < 128 and line.isascii() for line in ours if b"was: " not in line and b" = " not in line)


@pytest.mark.parametrize(
    ("line", "after"),
    [
        (b"vm.min_free_kbytes = 4160\n", b"vm.min_free_kbytes = 2039\n"),
        (b"vm/min_free_kbytes=4160\r\n", b"vm/min_free_kbytes=2039\r\n"),
        (b"\tvm.min_free_kbytes\t=\t4160\t# keep\n", b"\tvm.min_free_kbytes\t=\t2039\t# keep\n"),
        (b"-vm.min_free_kbytes = 4160", b"-vm.min_free_kbytes = 2039\n"),
        (b"vm.min_free_kbytes =\n", b"vm.min_free_kbytes =2039\n"),
        (b" vm.min_free_kbytes = 4160 ; x \n", b" vm.min_free_kbytes = 2039 ; x \n"),
        (b"vm.min_free_kbytes = 4160 \xe9\n", b"vm.min_free_kbytes = 2039\n"),
    ],
)
def test_an_assignment_keeps_everything_but_its_value(line: bytes, after: bytes) -> None:
    assert changed(line, plan_of(("vm.min_free_kbytes", "2039", "4160"))).splitlines(keepends=True)[-1] == after


@pytest.mark.parametrize(
    "line",
    [
        b"# vm.min_free_kbytes = 1",
        b";vm.min_free_kbytes = 1",
        b"vm.min_free_kbytes",
        b"",
        b"= 5",
        b"-vm.x",
        b"a b = 1",
        b"\xef\xbb\xbfvm.min_free_kbytes = 1",
    ],
)
def test_what_is_no_assignment(line: bytes) -> None:
    assert assignment(line) is None


def test_of_several_assignments_none_undoes_another() -> None:
    data = b"vm.min_free_kbytes = 8192\nkernel.panic = 1\nvm/min_free_kbytes=4160\n"
    lines = changed(data, plan_of(("vm.min_free_kbytes", "2039", "4160"))).splitlines()
    assert [line for line in lines if not line.startswith(b"#")] == [
        b"vm.min_free_kbytes = 2039",
        b"kernel.panic = 1",
        b"vm/min_free_kbytes=2039",
    ]


def test_a_ratio_that_would_zero_the_bytes_is_put_out_of_force() -> None:
    data = b"vm.dirty_ratio = 40\nvm.dirty_background_ratio = 10\n"
    after = changed(data, plan_of(("vm.dirty_bytes", "8388608", "0")))
    assert in_force(after) == {"vm.dirty_background_ratio": "10", "vm.dirty_bytes": "8388608"}


def test_lines_that_came_later_stay_where_they_are() -> None:
    """Somebody edits the file after us: inside the block, between comment and setting, and below."""
    plan = plan_of(("vm.min_free_kbytes", "2039", "4160"))
    after = changed(b"kernel.panic = 1\n", plan)
    for place in range(after.count(b"\n") + 1):
        lines = after.splitlines(keepends=True)
        lines.insert(place, b"fs.file-max = 99\n")
        again = changed(b"".join(lines), plan)
        assert in_force(again) == {"kernel.panic": "1", "fs.file-max": "99", "vm.min_free_kbytes": "2039"}
        assert in_force(plain_bytes(read_conf(again, "-"))).keys() >= {"kernel.panic", "fs.file-max"}
        assert changed(again, plan) == again


LINES = st.one_of(
    st.binary(max_size=30),
    st.sampled_from(
        [
            b"vm.min_free_kbytes = 4160",
            b"vm/min_free_kbytes=8192 # x",
            b"-vm.min_free_kbytes =2039",
            b"vm.dirty_ratio=40",
            b"# a comment",
            b"",
            b"kernel.panic = 5",
        ]
    ),
).filter(
    # Lines of ours, and the marks of a collected bundle, are no user's.
    lambda line: (
        not line.startswith(b"# oomadvisor") and b"#oomadvisor" not in line and b"\n" not in line and b"\0" not in line
    )
)
ENDS = st.sampled_from([b"\n", b"\r\n"])


@given(st.lists(st.tuples(LINES, ENDS)), LINES, st.sampled_from(list(PLANS.values())))
def test_any_file_can_be_changed_and_brought_back(rows: list[tuple[bytes, bytes]], rest: bytes, plan: Plan) -> None:
    data = b"".join(line + end for line, end in rows) + rest
    if b"\n" not in data and b"\r" in data:
        return
    after = changed(data, plan)
    assert plain_bytes(read_conf(after, "-")) == data
    assert changed(after, plan) == after
    wanted = {setting.name: setting.value for setting in plan.settings}
    found = in_force(after)
    assert {name: found.get(name) for name in wanted} == wanted


@pytest.mark.parametrize(
    ("data", "place", "said"),
    [
        (b"vm.swappiness = 60\nvm.x\0 = 1\n", "box.conf:2:5", "NUL byte"),
        (b"a = 1\rb = 2\r", "box.conf:1", "carriage returns"),
        (b"#" * (1 << 20) + b"\n", "box.conf", "1048577 bytes"),
    ],
)
def test_a_file_that_cannot_be_changed_safely_is_refused(data: bytes, place: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as error:
        read_conf(data, "box.conf")
    assert str(error.value).startswith(f"{place}: ")
    assert "; expected " in str(error.value)
