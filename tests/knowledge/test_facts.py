"""The knowledge files: complete, consistent, and what the published interval formula says."""

import pytest

from oomadvisor import knowledge
from oomadvisor.simulate import SetSysctl, snapshot
from oomadvisor.simulate.change import apply
from tests.expert.seed import seed_state


def test_versions_are_read_from_releases() -> None:
    assert knowledge.version_tuple("2.6.31-rt11") == (2, 6, 31)
    assert knowledge.version_tuple("4.19.78") == (4, 19, 78)
    assert knowledge.version_tuple("next") == ()
    assert knowledge.version_tuple("²") == ()


@pytest.mark.parametrize(
    ("knob", "version", "exists"),
    [
        ("vm.compact_memory", (2, 6, 31), False),
        ("vm.compact_memory", (2, 6, 35), True),
        ("vm.extfrag_threshold", (2, 6, 34), False),
        ("vm.watermark_scale_factor", (2, 6, 31), False),
        ("vm.watermark_scale_factor", (4, 6, 2), True),
        ("vm.min_free_kbytes", (2, 6, 31, 12), True),
        ("vm.min_free_kbytes", (6, 18, 2), True),
        ("vm.min_free_kbytes", (6, 19), True),
        ("vm.zone_reclaim_interval", (2, 6, 17, 4), True),
        ("vm.zone_reclaim_interval", (2, 6, 18), False),
        ("vm.extra_free_kbytes", (3, 18), False),
        ("vm.percpu_pagelist_fraction", (5, 15), False),
    ],
)
def test_a_knob_exists_where_its_kernels_say_so(knob: str, version: tuple[int, ...], exists: bool) -> None:
    assert knowledge.knobs()[knob].exists_in(version) is exists


def test_the_test_reads_the_knobs_that_are_marked_so_and_no_other() -> None:
    snap = snapshot(seed_state())
    assert snap is not None
    changed = {name for name in knowledge.knobs() if apply(snap, SetSysctl(name, (1,))) != snap}
    assert changed == {name for name, knob in knowledge.knobs().items() if knob.in_test}
    assert len(changed) == 2


def test_every_rate_is_possible_and_inside_its_interval() -> None:
    for rate in knowledge.measured_rates().values():
        interval = rate.wilson_permille()
        if rate.trials is None or rate.successes is None:
            assert interval is None
        else:
            assert 0 <= rate.successes <= rate.trials
            assert interval is not None
            assert interval[0] <= 1000 * rate.successes / rate.trials <= interval[1]


def test_the_wilson_interval_of_a_textbook_case() -> None:
    # 10 of 20: 0.2993 to 0.7007 by the published formula.
    rate = knowledge.MeasuredRate("x", "", "", "", None, 20, 10)
    assert rate.wilson_permille() == (299, 701)


def test_operations_that_call_sites_and_workloads_name_exist() -> None:
    arm = knowledge.operations("arm")
    for site in knowledge.call_sites():
        assert site.operation is None or site.operation in arm
        workload = knowledge.workload_of(site.operation) if site.operation else None
        assert workload is None or workload in arm
    assert knowledge.operations("vax") == {}
