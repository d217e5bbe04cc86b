"""The script, run by real shells in a made-up /proc."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from oomadvisor.export import script
from oomadvisor.model.plan import Plan
from tests.export.plans import plan_of, seed_plan
from tests.export.tools import needs

SHELLS = {"BusyBox": ("busybox", "sh"), "dash": ("dash",), "bash": ("bash", "--posix")}
VERSION = "Linux version {} (somebody@somewhere) (gcc version 4.3.3) #1 PREEMPT\n"


@dataclass
class Box:
    """A folder that stands for the /proc of a device, and a shell on it."""

    folder: Path
    shell: tuple[str, ...]

    def put(self, name: str, text: str) -> Path:
        file = self.folder / "sys" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def get(self, name: str) -> str:
        return (self.folder / "sys" / name).read_text().strip()

    def run(self, plan: Plan, *words: str, rollback: bool = False, code: int = 0, path: str | None = None) -> str:
        file = self.folder / "fix.sh"
        file.write_bytes(script(plan, rollback=rollback))
        environment = {"PROC": str(self.folder), "KEEP": str(self.keep), "PATH": path or os.environ["PATH"]}
        interpreter = (f"/usr/bin/{self.shell[0]}", *self.shell[1:]) if path else self.shell
        done = subprocess.run(
            [*interpreter, str(file), *words], env=environment, capture_output=True, text=True, timeout=30, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert done.stderr == ""
        return done.stdout

    @property
    def keep(self) -> Path:
        return self.folder / "old"


@pytest.fixture(params=[pytest.param(shell, id=name, marks=needs(shell[0])) for name, shell in SHELLS.items()])
def box(request: pytest.FixtureRequest, tmp_path: Path) -> Box:
    made = Box(tmp_path, request.param)
    (tmp_path / "version").write_text(VERSION.format("2.6.31.12-ER1"))
    made.put("vm/min_free_kbytes", "4163\n")
    made.put("vm/lowmem_reserve_ratio", "256\t32\n")
    made.put("vm/dirty_ratio", "20\n")
    made.put("vm/dirty_bytes", "0\n")
    return made


def test_apply_and_back(box: Box) -> None:
    said = box.run(seed_plan())
    assert "vm/min_free_kbytes: 4163 -> 2039" in said
    assert box.get("vm/min_free_kbytes") == "2039"
    assert "4163 is back" in box.run(seed_plan(), "rollback")
    assert box.get("vm/min_free_kbytes") == "4163"


def test_a_second_apply_keeps_the_first_old_values(box: Box) -> None:
    box.run(seed_plan())
    assert "holds 2039 already" in box.run(seed_plan())
    box.run(seed_plan(), "rollback")
    assert box.get("vm/min_free_kbytes") == "4163"


def test_the_rollback_form_needs_nothing_that_was_kept(box: Box) -> None:
    box.put("vm/min_free_kbytes", "2039\n")
    said = box.run(seed_plan(), rollback=True)
    assert "the report's are used" in said
    assert box.get("vm/min_free_kbytes") == "4160"


def test_status_changes_nothing(box: Box) -> None:
    assert "holds 4163; advised 2039, in the report 4160" in box.run(seed_plan(), "status", code=1)
    assert box.get("vm/min_free_kbytes") == "4163"
    assert not box.keep.exists()


@pytest.mark.parametrize(
    ("release", "fits"),
    [
        ("2.6.31.12-ER1", True),
        ("2.6.31", True),
        ("2.6.31-rt11", True),
        ("2.6.32", False),
        ("2.6.310", False),
        ("", False),
    ],
)
def test_another_kernel_is_refused_unless_told(box: Box, release: str, fits: bool) -> None:
    (box.folder / "version").write_text(VERSION.format(release) if release else "")
    said = box.run(seed_plan(), code=0 if fits else 2)
    assert box.get("vm/min_free_kbytes") == ("2039" if fits else "4163")
    if not fits:
        assert "2.6.31" in said
        box.run(seed_plan(), "--any-kernel")
        assert box.get("vm/min_free_kbytes") == "2039"


def test_a_release_that_the_log_names_must_be_that_one(box: Box) -> None:
    (box.folder / "version").write_text(VERSION.format("2.6.31.13-ER1"))
    box.run(plan_of(("vm.min_free_kbytes", "2039", "4160")), code=2)


def test_a_file_that_does_not_exist_is_told_and_the_others_are_written(box: Box) -> None:
    plan = plan_of(("vm.compact_memory", "1", None), ("vm.min_free_kbytes", "2039", "4160"))
    assert "compact_memory: this kernel has no such file" in box.run(plan, code=1)
    assert box.get("vm/min_free_kbytes") == "2039"
    assert not (box.folder / "sys/vm/compact_memory").exists()


def test_an_array_is_read_with_its_tabs_and_put_back(box: Box) -> None:
    plan = plan_of(("vm.lowmem_reserve_ratio", "1 1", None))
    assert "256 32 -> 1 1" in box.run(plan)
    box.run(plan, "rollback")
    assert box.get("vm/lowmem_reserve_ratio") == "256 32"


def test_what_zeroes_another_is_taken_back_by_writing_the_other(box: Box) -> None:
    """A kernel refuses dirty_bytes 0; writing the old dirty_ratio is what brings the old state back."""
    plan = plan_of(("vm.dirty_bytes", "8388608", "0"))
    box.run(plan)
    box.put("vm/dirty_ratio", "0\n")  # as the kernel does it
    assert "vm/dirty_ratio: 20 is back" in box.run(plan, "rollback")
    assert box.get("vm/dirty_ratio") == "20"


def test_what_acts_once_is_written_once_and_not_taken_back(box: Box) -> None:
    box.put("vm/drop_caches", "0\n")
    plan = plan_of(("vm.drop_caches", "3", "0"), once=True)
    assert "3 was written, once" in box.run(plan)
    assert box.get("vm/drop_caches") == "3"
    box.run(plan, "rollback")
    assert box.get("vm/drop_caches") == "3"


def test_it_works_where_no_program_can_be_started(box: Box, tmp_path_factory: pytest.TempPathFactory) -> None:
    nothing = str(tmp_path_factory.mktemp("no-programs"))
    if box.shell[0] == "busybox":
        pytest.skip("BusyBox finds its applets without PATH")
    said = box.run(seed_plan(), path=nothing)
    assert "2039 was written; it could not be read back" in said
    assert box.get("vm/min_free_kbytes") == "2039"
    box.run(seed_plan(), "rollback", path=nothing)
    assert box.get("vm/min_free_kbytes") == "4160"


def test_a_link_in_the_place_of_the_old_values_is_not_followed(box: Box) -> None:
    victim = box.folder / "victim"
    victim.write_text("precious")
    for aim in (victim, box.folder / "not-there"):
        box.keep.unlink(missing_ok=True)
        box.keep.symlink_to(aim)
        box.put("vm/min_free_kbytes", "4163\n")
        assert "no plain file" in box.run(seed_plan())
    assert victim.read_text() == "precious"
    assert not (box.folder / "not-there").exists()


@pytest.mark.parametrize("junk", ["$(touch hacked)", "4160; touch hacked", "`touch hacked`", "x"])
def test_what_stands_among_the_old_values_is_never_run(box: Box, junk: str) -> None:
    box.keep.write_text(f"==> vm/min_free_kbytes <==\n{junk}\n")
    box.run(seed_plan(), "rollback", code=1)
    assert box.get("vm/min_free_kbytes") == "4163"
    assert not list(box.folder.rglob("hacked"))


def test_wrong_words_are_refused(box: Box) -> None:
    assert "expected apply, rollback" in box.run(seed_plan(), "aply", code=2)
    assert box.get("vm/min_free_kbytes") == "4163"


def test_sourced_in_the_shell_that_one_has(box: Box) -> None:
    file = box.folder / "fix.sh"
    file.write_bytes(script(seed_plan()))
    done = subprocess.run(
        [*box.shell, "-c", f"set -- apply; . {file}; echo still here"],
        env={"PROC": str(box.folder), "KEEP": str(box.keep), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "still here" in done.stdout
    assert box.get("vm/min_free_kbytes") == "2039"


def test_hostile_texts_stay_comments() -> None:
    """Names of tasks and texts of rules reach the file; neither can end a comment or a word."""
    plan = seed_plan().model_copy(update={"about": "x\n$(reboot)\r`reboot`\x1b[2J ' \" \u2028 reboot"})
    lines = script(plan).decode("ascii").splitlines()
    assert all(line.lstrip().startswith("#") for line in lines if "reboot" in line)
