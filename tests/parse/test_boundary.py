"""Where incidents begin and end, and what kind of incident they are."""

import pytest

from oomadvisor.model import Incident
from oomadvisor.parse import read_incidents
from oomadvisor.parse.boundary import MAX_UNRELATED
from tests.parse.render import render
from tests.parse.states import make_incident

OOM = "sh invoked oom-killer: gfp_mask=0xd0, order=2, oomkilladj=0"
FAILURE = "sh: page allocation failure. order:3, mode:0x20"
CHOSEN = "Out of memory: kill process 12 (sh) score 34 or a child"
KILLED = "Killed process 13 (sh)"
ONE_LINE = "Out of memory: Killed process 13 (sh) total-vm:8kB, anon-rss:8kB, file-rss:8kB, shmem-rss:0kB"
SUMMARY = "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,task=sh,pid=13,uid=0"
MEMORY = (
    "Mem-info:",
    "Normal free:40kB min:4kB low:8kB high:12kB active:4kB inactive:4kB present:400kB pages_scanned:0 all_unreclaimable? no",
    "lowmem_reserve[]: 0 0",
    "Normal: 2*4kB 4*8kB = 40kB",
    "100 pages of RAM",
)
TASK_IN_GROUP = "Task in /a/b killed as a result of limit of /a"
GROUP_CHOSEN = "Memory cgroup out of memory: Kill process 12 (sh) score 34 or sacrifice child"
PANIC = "Kernel panic - not syncing: out of memory. panic_on_oom is selected"
NOISE = "eth0: link up, 100 Mbps"


def kinds(*lines: str) -> list[str]:
    return [incident.kind for incident in read_incidents(lines, file="log")]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], []),
        ([NOISE] * 5, []),
        ([OOM, *MEMORY, CHOSEN, KILLED], ["oom"]),
        ([OOM, *MEMORY, SUMMARY, ONE_LINE], ["oom"]),
        ([OOM, OOM], ["oom", "oom"]),
        ([OOM, *MEMORY, FAILURE, *MEMORY], ["oom", "alloc-failure"]),
        ([FAILURE, *MEMORY, CHOSEN, KILLED], ["alloc-failure", "oom"]),
        ([CHOSEN, KILLED], ["oom"]),
        ([KILLED], ["oom"]),
        ([CHOSEN, KILLED, OOM, *MEMORY, CHOSEN, KILLED], ["oom", "oom"]),
        ([CHOSEN, KILLED, CHOSEN, KILLED], ["oom", "oom"]),
        ([CHOSEN, CHOSEN, KILLED], ["oom", "oom"]),
        ([ONE_LINE, ONE_LINE.replace("13", "14")], ["oom", "oom"]),
        ([SUMMARY, ONE_LINE, SUMMARY, ONE_LINE], ["oom", "oom"]),
        ([*MEMORY], ["mem-info"]),
        (["SysRq : Show Memory", *MEMORY], ["mem-info"]),
        (["SysRq : Show Memory", *MEMORY, CHOSEN, KILLED], ["mem-info", "oom"]),
        ([*MEMORY, *MEMORY], ["mem-info", "mem-info"]),
        ([*MEMORY[1:], *MEMORY[1:]], ["mem-info", "mem-info"]),
        ([*MEMORY[1:], CHOSEN, KILLED], ["oom"]),
        ([OOM, TASK_IN_GROUP, GROUP_CHOSEN, KILLED], ["cgroup-oom"]),
        ([TASK_IN_GROUP, GROUP_CHOSEN, KILLED], ["cgroup-oom"]),
        ([OOM, *MEMORY, CHOSEN, KILLED, TASK_IN_GROUP, GROUP_CHOSEN, KILLED], ["oom", "cgroup-oom"]),
        ([OOM, "[<c0012345>] mem_cgroup_out_of_memory+0x1/0x2"], ["cgroup-oom"]),
        ([OOM, "[<c0012345>] ? mem_cgroup_out_of_memory+0x1/0x2"], ["oom"]),
        ([OOM, *MEMORY, PANIC], ["oom-panic"]),
        ([PANIC], ["oom-panic"]),
        ([OOM, "VM: killing process sh", *MEMORY], ["oom", "page-fault-kill", "mem-info"]),
        ([OOM, "Linux version 2.6.31 (me@here)", *MEMORY], ["oom", "mem-info"]),
        (["java.lang.OutOfMemoryError: out of memory", "ran out of memory pools"], []),
        (["the oom-killer: what it is and how it works", "page allocation failure, explained"], []),
    ],
)
def test_kinds(lines: list[str], expected: list[str]) -> None:
    assert kinds(*lines) == expected


def test_lines_of_others_do_not_end_an_incident_but_many_of_them_do() -> None:
    assert kinds(OOM, *[NOISE] * MAX_UNRELATED, *MEMORY) == ["oom"]
    assert kinds(OOM, *[NOISE] * (MAX_UNRELATED + 1), *MEMORY) == ["oom", "mem-info"]


def test_empty_lines_end_nothing() -> None:
    assert kinds(OOM, *[""] * 2_000, *MEMORY) == ["oom"]


def test_a_group_is_killed_as_one_incident() -> None:
    killed = (
        "Memory cgroup out of memory: Killed process {} (sh) total-vm:8kB, anon-rss:8kB, file-rss:8kB, shmem-rss:0kB"
    )
    lines = [OOM, killed.format(1), "Tasks in /a are going to be killed due to memory.oom.group set"]
    lines += [killed.format(pid) for pid in (1, 2, 3)]
    (incident,) = read_incidents(lines, file="log")
    assert [kill.pid for kill in incident.kills] == [1, 1, 2, 3]


def test_kill_lines_without_a_report_name_all_that_is_missing() -> None:
    (incident,) = read_incidents([CHOSEN, KILLED], file="log")
    assert incident.missing == (
        "header",
        "gfp_mask",
        "order",
        "backtrace",
        "counters",
        "zones",
        "reserve",
        "blocks",
        "swap",
        "trailer",
    )
    assert [kill.pid for kill in incident.kills] == [12, 13]


def test_a_headless_report_begins_with_its_first_line_not_with_the_one_that_gives_it_away() -> None:
    state = make_incident(5, "arm")
    lines = render(state)
    start = next(number for number, line in enumerate(lines) if line.startswith("Active_anon"))
    (incident,) = read_incidents([NOISE] * 300 + lines[start:], file="log")
    assert incident.line == 301
    assert incident.counters == state.counters
    assert incident.missing[0] == "header"


def test_the_banner_of_the_last_boot_names_the_kernel() -> None:
    lines = ["Linux version 2.6.30-a (x)", OOM, "Linux version 2.6.31-b (x)", NOISE, OOM, *MEMORY]
    first, second = read_incidents(lines, file="log")
    assert (first.kernel_release, first.kernel_release_line) == ("2.6.30-a", 1)
    assert (second.kernel_release, second.kernel_release_line) == ("2.6.31-b", 3)


def test_the_report_itself_names_the_kernel_better_than_the_banner() -> None:
    lines = ["Linux version 2.6.30-a (x)", OOM, "Pid: 1, comm: sh Not tainted 2.6.31-b #1"]
    (incident,) = read_incidents(lines, file="log")
    assert (incident.kernel_release, incident.kernel_release_line) == ("2.6.31-b", 3)


def test_time_and_numbers() -> None:
    lines = [f"Jan  1 00:00:0{second} box kernel: {OOM}" for second in (1, 2, 3)]
    found = list(read_incidents(lines, file="log"))
    assert [(i.number, i.line, i.time) for i in found] == [
        (1, 1, "Jan 1 00:00:01"),
        (2, 2, "Jan 1 00:00:02"),
        (3, 3, "Jan 1 00:00:03"),
    ]


def test_incidents_come_out_as_soon_as_they_have_ended() -> None:
    def lines() -> object:
        yield from (OOM, *MEMORY, OOM)
        raise AssertionError("the first incident was held back")

    first = next(iter(read_incidents(lines(), file="log")))  # type: ignore[arg-type]
    assert isinstance(first, Incident)
    assert first.last_line == 1 + len(MEMORY)


def test_zones_that_the_machine_does_not_have_count_only_for_the_indices() -> None:
    nothing = (
        "free:0kB min:0kB low:0kB high:0kB active:0kB inactive:0kB present:0kB pages_scanned:0 all_unreclaimable? no"
    )
    lines = [OOM, MEMORY[1].replace("Normal", "DMA"), f"Normal {nothing}", MEMORY[1].replace("Normal", "HighMem")]
    lines += ["DMA: 2*4kB 4*8kB = 40kB", "Normal: empty", "HighMem: 2*4kB 4*8kB = 40kB"]
    (incident,) = read_incidents(lines, file="log")
    assert [(zone.name, zone.index) for zone in incident.zones] == [("DMA", 0), ("HighMem", 2)]
    assert "blocks" not in incident.missing
