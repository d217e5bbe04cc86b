"""What follows from a report: tunables as intervals, memory by owner, kernel, zones. Numbers: tests/vectors/seed.json, and by hand."""

import pytest

from oomadvisor.infer import build_state, state_from_proc
from oomadvisor.model import Counters, ProcState, Request, SwapDevice, SystemState
from oomadvisor.parse import read_proc_paths, read_sysctls
from tests.expert.seed import incident_of, seed_incident, seed_lines, seed_state


@pytest.mark.parametrize(
    ("name", "low", "high", "default"),
    [
        ("vm.min_free_kbytes", 4160, 4167, 2039),
        ("vm.lowmem_reserve_ratio[DMA]", 256, 257, 256),
        ("vm.percpu_pagelist_fraction", 0, 0, 0),
    ],
)
def test_tunables_of_the_seed_are_proven_by_its_numbers(name: str, low: int, high: int, default: int) -> None:
    tunable = seed_state().tunables[name]
    assert (tunable.low, tunable.high, tunable.default, tunable.source) == (low, high, default, "inferred")


def test_the_build_of_the_seed() -> None:
    build = seed_state().build
    assert build.max_order == 13
    assert build.highmem is False
    assert build.smp is False
    assert build.zone_names == ("DMA", "Normal", "Movable")


def test_the_request_of_the_seed() -> None:
    state = seed_state()
    assert (state.class_zone, state.class_zone_index) == ("Normal", 1)
    assert state.gfp_flags == ("GFP_KERNEL",)
    assert state.operation is not None
    assert (state.operation.id, state.operation.orders) == ("exec", (2,))
    assert state.workload is not None
    assert (state.workload.id, state.workload.orders) == ("fork+exec", (1, 2, 2))


def test_the_size_of_a_request_is_counted_in_pages_of_the_box() -> None:
    # By hand: order 1 is two pages, 128 kB where the free lists begin at 64 kB.
    state = build_state(
        incident_of(
            [
                "sh invoked oom-killer: gfp_mask=0xd0, order=1, oom_adj=0\n",
                "Mem-info:\n",
                "Normal free:704kB min:64kB low:128kB high:192kB\n",
                "Normal: 3*64kB 2*128kB 1*256kB = 704kB\n",
            ]
        )
    )
    assert state.page_kb == 64
    assert state.operation is not None
    assert state.operation.title == "one request of 128 kB"


def test_the_kernel_of_the_seed_is_told_by_its_lines_and_functions() -> None:
    assert (seed_state().kernel.version, seed_state().kernel.source) == ((2, 6, 31), "forms")


def test_without_the_function_names_the_kernel_is_a_range_of_one_arithmetic() -> None:
    lines = [line for line in seed_lines() if "[<" not in line]
    kernel = build_state(incident_of(lines)).kernel
    assert (kernel.version, kernel.text, kernel.source) == ((2, 6, 31), "2.6.28–2.6.31", "forms")


def test_memory_of_the_seed() -> None:
    memory = seed_state().memory
    assert memory.anon_lru_pages == 46199
    assert memory.file_lru_pages == 29
    assert (memory.shmem_low_pages, memory.shmem_high_pages) == (26471, 26562)
    assert memory.anon_pages == 19892 - 164
    assert memory.unaccounted_pages == 65536 - 3967 - 9998 - 46199 - 29 - 2447 - 701


def test_without_the_vendor_lines_shmem_is_an_upper_bound() -> None:
    lines = [line for line in seed_lines() if "user pages" not in line and "user cache" not in line]
    memory = build_state(incident_of(lines)).memory
    assert memory.shmem_high_pages == 26562
    assert memory.anon_pages == 46199 - 26562


def test_the_marks_of_another_setting_give_another_interval() -> None:
    # 2039 on these zones: 190/237/285 and 318/397/477 pages.
    text = "".join(seed_lines())
    for old, new in (("min:1560kB low:1948kB high:2340kB", "min:760kB low:948kB high:1140kB"),
                     ("min:2600kB low:3248kB high:3900kB", "min:1272kB low:1588kB high:1908kB")):  # fmt: skip
        assert old in text
        text = text.replace(old, new)
    tunable = build_state(incident_of(text.splitlines(keepends=True))).tunables["vm.min_free_kbytes"]
    assert tunable.low is not None
    assert tunable.high is not None
    assert tunable.low <= 2039 <= tunable.high < tunable.low + 8


def test_marks_that_no_setting_gives_are_not_explained_away() -> None:
    text = "".join(seed_lines()).replace("min:1560kB", "min:1200kB")
    assert "vm.min_free_kbytes" not in build_state(incident_of(text.splitlines(keepends=True))).tunables


def with_sysctl(text: str) -> SystemState:
    return build_state(seed_incident(), sysctls=read_sysctls(text.splitlines(keepends=True), file="sysctl.txt"))


def test_an_observed_value_inside_the_proven_interval_is_taken() -> None:
    tunable = with_sysctl("vm.min_free_kbytes = 4164\n").tunables["vm.min_free_kbytes"]
    assert (tunable.low, tunable.high, tunable.source, tunable.default) == (4164, 4164, "observed", 2039)
    assert str(tunable.origin) == "sysctl.txt:1"


def test_an_observed_value_that_the_report_refutes_is_reported_with_both() -> None:
    state = with_sysctl("# after boot\nvm.min_free_kbytes = 2039\n")
    assert state.tunables["vm.min_free_kbytes"].low == 4160
    (warning,) = (w for w in state.warnings if w.code == "tunable-contradiction")
    assert "2039" in warning.text
    assert "4160 to 4167" in warning.text
    assert str(warning.origin) == "sysctl.txt:2"


def test_the_ratio_array_is_compared_zone_by_zone() -> None:
    same = with_sysctl("vm.lowmem_reserve_ratio = 256\t32\n")
    assert same.tunables["vm.lowmem_reserve_ratio[DMA]"].source == "observed"
    other = with_sysctl("vm.lowmem_reserve_ratio = 1 1\n")
    assert [w.code for w in other.warnings] == ["tunable-contradiction"]


def test_a_kernel_option_that_contradicts_the_log_is_reported() -> None:
    lines = ["Linux version 2.6.31.12 (a@b) #1\n", *seed_lines()]
    state = build_state(incident_of(lines), kernel="2.6.35")
    assert state.kernel.version == (2, 6, 31, 12)
    assert [w.code for w in state.warnings] == ["kernel-contradiction"]


def test_the_option_serves_when_the_log_does_not_say() -> None:
    kernel = build_state(seed_incident(), kernel="2.6.31.6").kernel
    assert (kernel.version, kernel.source) == ((2, 6, 31, 6), "option")


def test_another_kernel_is_not_given_this_arithmetic() -> None:
    """4.19 computes marks and reserves from managed pages, which this report does not print."""
    assert build_state(seed_incident(), kernel="4.19").tunables == {}
    assert build_state(seed_incident(), kernel="2.6.32").tunables == build_state(seed_incident()).tunables
    later = build_state(seed_incident(), kernel="6.19")
    assert (later.tunables, later.class_zone) == ({}, None)


def test_swap_from_proc_fills_a_gap_in_the_report() -> None:
    lines = [line for line in seed_lines() if "swap" not in line.lower()]
    assert build_state(incident_of(lines)).swap is None
    proc = ProcState(swaps=(SwapDevice(path="/dev/ramzswap0", size_kb=16384, used_kb=0),))
    swap = build_state(incident_of(lines), proc=proc).swap
    assert swap is not None
    assert swap.total_kb == 16384


def test_meminfo_gives_shmem_by_difference(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "meminfo").write_text(
        "MemTotal: 258540 kB\nMemFree: 40000 kB\nBuffers: 400 kB\nCached: 100000 kB\nSwapCached: 0 kB\n"
        "Active(anon): 120000 kB\nInactive(anon): 40000 kB\nActive(file): 8000 kB\nInactive(file): 4000 kB\n"
        "AnonPages: 71600 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n"
    )
    memory = state_from_proc(read_proc_paths([str(tmp_path / "meminfo")])).memory
    assert (memory.shmem_low_pages, memory.shmem_high_pages) == (22100, 22100)
    assert memory.ram_pages == 64635


def test_a_counter_for_shmem_settles_it() -> None:
    incident = seed_incident().model_copy(
        update={"counters": Counters(free=9, shmem=77, active_anon=5, inactive_anon=5)}
    )
    memory = build_state(incident).memory
    assert (memory.shmem_low_pages, memory.shmem_pages, memory.shmem_high_pages) == (77, 77, 77)


def test_nothing_is_invented_for_a_report_without_a_request() -> None:
    incident = seed_incident().model_copy(update={"request": Request()})
    state = build_state(incident)
    assert (state.operation, state.workload, state.class_zone) == (None, None, None)
