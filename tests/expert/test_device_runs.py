"""Console logs of a real 2.6.31.12 whose history is known (tests/runs/README.md): is the tale told as it went?"""

from functools import cache
from pathlib import Path

import pytest

from oomadvisor.advise import advise
from oomadvisor.book import load_book
from oomadvisor.infer import build_state
from oomadvisor.model import IncidentAdvice
from oomadvisor.parse import scan_file

CASES = Path(__file__).parents[1] / "runs" / "cases"


@cache
def told(name: str, number: int) -> IncidentAdvice:
    incidents = list(scan_file(str(CASES / f"{name}.log.gz")))
    return advise(build_state(incidents[number - 1]), load_book(()))


def causes(advice: IncidentAdvice) -> list[str]:
    return [cause.id for cause in advice.causes]


@pytest.mark.parametrize(
    ("name", "number", "first", "others"),
    [
        # A process took anonymous memory until the kill; nothing else was in RAM, no swap.
        ("oom0_dump1", 1, "memory-exhausted", {"memory-exhausted.one-process", "nothing-reclaimable"}),
        ("oom0_killalloc", 1, "memory-exhausted", {"nothing-reclaimable"}),
        # tmpfs was filled first, then a process.
        ("tmpfs", 1, "memory-exhausted", {"shmem-pinned", "nothing-reclaimable"}),
        # A module asked for order 2, 4 and 9, once for DMA only, while the free memory lay in single pages.
        ("allocfail", 1, "fragmentation", set()),
        ("allocfail", 2, "fragmentation", set()),
        ("allocfail", 3, "fragmentation", set()),
        ("allocfail", 5, "dma-zone-exhausted", set()),
        # vm.min_free_kbytes 8192, 16384, 24576, 32768 were set on full memory: first forks failed, then single pages.
        ("hang_sysrq", 1, "fragmentation", {"mark-above-default"}),
        ("hang_sysrq", 5, "raised-mark-stops-pages", {"nothing-reclaimable"}),
        ("order0", 3, "raised-mark-stops-pages", {"nothing-reclaimable"}),
        # At last nothing was left to kill, and the kernel panicked.
        ("order0", 40, "raised-mark-stops-pages", {"nothing-killable"}),
    ],
)
def test_the_cause_is_what_was_done(name: str, number: int, first: str, others: set[str]) -> None:
    found = causes(told(name, number))
    assert found[0] == first
    assert others <= set(found)


@pytest.mark.parametrize(("name", "number"), [("hang_sysrq", 5), ("order0", 3), ("order0", 20), ("order0", 40)])
def test_memory_is_not_called_used_up_where_a_mark_locks_it(name: str, number: int) -> None:
    advice = told(name, number)
    assert "memory-exhausted" not in causes(advice)
    first = advice.fixes[0]
    assert (first.id, first.verification.class_) == ("default-min-free-kbytes", "certain")
    assert first.changes[0].target_value == 2039, "at this value the same boots forked without a kill"


def test_the_setting_that_chose_the_victim_is_named() -> None:
    assert "allocating-task-was-killed" in {note.id for note in told("oom0_killalloc", 1).notes}
    assert "allocating-task-was-killed" not in {note.id for note in told("oom0_dump1", 1).notes}


def test_a_panic_by_setting_is_told_from_one_for_want_of_a_victim() -> None:
    asked = told("oom0_panic", 1)
    assert asked.state.incident.kind == "oom-panic"
    assert "panic-by-setting" in {note.id for note in asked.notes}
    assert "nothing-killable" not in causes(asked)
    assert "panic-by-setting" not in {note.id for note in told("order0", 40).notes}


def test_freeing_tmpfs_and_ending_the_process_are_proved() -> None:
    fixes = {fix.id: fix.verification.class_ for fix in told("tmpfs", 1).fixes}
    assert (fixes["shrink-tmpfs"], fixes["shrink-processes"]) == ("certain", "certain")


def test_a_picture_without_an_event_needs_no_cause() -> None:
    """drop: the log shows the memory by SysRq-M before anything failed."""
    advice = told("drop", 1)
    assert advice.state.incident.kind == "mem-info"
    assert advice.causes == ()
    assert advice.fixes == ()
    assert "nothing-wrong" in {note.id for note in advice.notes}


def test_the_last_picture_of_the_hang_foretells_the_next_kill() -> None:
    """hang_sysrq ends with SysRq-M on a machine that no longer moved."""
    assert "next-one-fails" in {note.id for note in told("hang_sysrq", 13).notes}
