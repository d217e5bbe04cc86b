"""Advice for kernels other than 2.6.31: by their own arithmetic, and no more than was run on them."""

import subprocess
import sys
from pathlib import Path

import pytest

from oomadvisor.advise import advise
from oomadvisor.book import load_book
from oomadvisor.facts import assess, facts_of
from oomadvisor.infer import build_state
from oomadvisor.infer.arithmetic import families_of, vendor_of
from oomadvisor.model import Incident, IncidentAdvice, KernelRelease, Marks, Request, SystemState
from oomadvisor.rulebook.change import SysctlChange
from oomadvisor.simulate import SetSysctl, what_if
from oomadvisor.verify import judge, resolve
from tests.expert import later
from tests.expert.seed import seed_advice, seed_incident, seed_state

MODERN = (
    later.state("5.10.20"),
    later.state("5.10.20", order=0, large="U"),
    later.state("4.19.78"),
    later.state("6.6.9"),
)


def advice_of(state: SystemState) -> IncidentAdvice:
    return advise(state, load_book())


def test_settings_by_the_formulas_of_the_kernel() -> None:
    tunables = later.state().tunables
    setting, factor = tunables["vm.min_free_kbytes"], tunables["vm.watermark_scale_factor"]
    assert (setting.low, setting.high, setting.default) == (976, 979, 979)
    assert (factor.low, factor.high, factor.default) == (1, 41, 10)
    assert "vm.watermark_scale_factor" not in later.state("4.5.7").tunables


@pytest.mark.parametrize(
    ("release", "large", "ok", "steps"),
    [
        ("4.3.6", "U", False, [(1997, 244), (1, 122), (1, 61)]),
        ("4.5.7", "U", True, [(1997, 244), (4, 3)]),
        ("5.10.20", "U", True, [(1997, 244), (4, 3)]),
        ("5.10.20", "H", False, [(1997, 244), (0, 3)]),
        ("5.10.20", "C", False, [(1997, 244), (0, 3)]),
        ("6.18.2", "I", False, [(1997, 244), (0, 3)]),
    ],
)
def test_the_check_of_an_order_2_request(release: str, large: str, ok: bool, steps: list[tuple[int, int]]) -> None:
    """2000 pages are free, one block of 16 kB among them. Before 4.4 the mark forbids it, whatever its type."""
    mask = "0x24000c0(GFP_KERNEL)" if release.startswith("4.5") else "0xd0" if release.startswith("4.3") else "0xcc0"
    state = later.state(release, mask=mask, large=large)
    verdict = next(v for v in assess(state).verdicts if v.mark == "min")
    assert verdict.ok is ok
    assert [(step.remaining_pages, step.bound_pages) for step in verdict.steps] == steps


def test_a_cma_block_serves_a_movable_request_but_at_the_last_look() -> None:
    state = later.state("5.10.20", mask="0x100cca(GFP_HIGHUSER_MOVABLE)", large="C")
    assert [(v.mark, v.ok) for v in assess(state).verdicts] == [("min", True), ("low", True), ("high", False)]


@pytest.mark.parametrize("state", MODERN, ids=lambda state: state.kernel.text)
def test_no_class_and_no_rate_of_2_6_31(state: SystemState) -> None:
    advice = advice_of(state)
    for fix in advice.fixes:
        assert fix.verification.class_ == "not decidable"
        assert fix.verification.measured == ()
        assert fix.verification.headroom is None
    for refutation in advice.refuted:
        assert refutation.measured == ()
        assert refutation.verification is None or refutation.verification.class_ in (
            "not decidable",
            "no effect",
            "harmful",
        )


def test_the_seed_keeps_both() -> None:
    assert seed_advice().fixes[0].verification.class_ == "certain"
    assert seed_advice().fixes[0].verification.measured


def test_a_change_is_replayed_by_the_test_alone() -> None:
    """At 8000 kB MIN is 2000 pages, so the one page asked for fails; at 979 it passes, and more is not said."""
    state = later.state(order=0, mask="0xcc0(GFP_KERNEL)", large="U")
    assessment = assess(state)
    for value, class_, word in ((500, "not decidable", "would pass at HIGH"), (9000, "harmful", "fail")):
        resolved = resolve(assessment, SysctlChange(sysctl="vm.min_free_kbytes", to=value))
        judged = judge(assessment, (resolved,), state.operation)
        assert judged.verification.class_ == class_
        assert word in judged.verification.why
        assert judged.prices is None


def test_marks_follow_the_setting_with_boost_and_scale_factor() -> None:
    state = later.state("6.1.20", order=0, large="U")
    zone = state.zones[0].model_copy(
        update={"boost_pages": 100, "marks": Marks(min=344, low=405, high=466), "managed_pages": 15000}
    )
    boosted = state.model_copy(update={"zones": (zone,)})
    snap = assess(boosted).snap
    assert snap is not None
    operation = boosted.operation
    assert operation is not None
    after = what_if(snap, operation, (SetSysctl("vm.min_free_kbytes", (4000,)),)).snapshot.zones[0]
    assert (after.mark_min, after.mark_low, after.mark_high) == (1100, 1350, 1600)


@pytest.mark.parametrize(
    ("release", "vendor"),
    [
        ("3.10.0-514.el7.x86_64", "Red Hat or a rebuild of it"),
        ("4.14.117-android", "Android"),
        ("5.4.0-42-generic", "Ubuntu"),
        ("5.8.0-rc4-next-20200710", "linux-next, the series to come"),
        ("4.9.1-acme", "an unknown builder"),
        ("6.1.20", None),
        ("6.12.0-rc3+", None),
    ],
)
def test_a_vendors_kernel_is_probable(release: str, vendor: str | None) -> None:
    assert vendor_of(release) == vendor
    advice = advice_of(later.state(release))
    said = [warning.text for warning in advice.warnings if warning.code == "vendor-kernel"]
    assert bool(said) is (vendor is not None)
    assert all("probable, not proved" in text and (vendor or "") in text for text in said)


def test_the_mask_narrows_the_kernels() -> None:
    """0x201da may wait before 4.4; in later kernels the same number could not have led to a kill."""
    release = KernelRelease(version=(), oldest=(2, 6, 32), text="2.6.32 or later", source="unknown")
    incident = Incident(kind="oom", file="x", line=1, last_line=1, request=Request(gfp_mask=0x201DA, order=0))
    letters = {family.test.letter for family in families_of(release, incident)}
    assert letters == set("ABCDEF")
    later_mask = incident.model_copy(update={"request": Request(gfp_mask=0x100CCA, order=0)})
    assert {family.test.letter for family in families_of(release, later_mask)} == set("HIJ")
    failure = incident.model_copy(update={"kind": "alloc-failure"})
    assert {family.test.letter for family in families_of(release, failure)} == set("ABCDEFGHIJ")


def with_min_of_dma(state: SystemState, pages: int) -> SystemState:
    zones = tuple(
        zone.model_copy(update={"marks": Marks(min=pages, low=487, high=585)}) if zone.name == "DMA" else zone
        for zone in state.zones
    )
    return state.model_copy(update={"zones": zones})


STRETCH = KernelRelease(version=(2, 6, 32), newest=(3, 2), text="2.6.32–3.2", source="forms")


def test_one_verdict_where_all_kernels_agree() -> None:
    state = seed_state().model_copy(update={"kernel": STRETCH})
    assessment = assess(state)
    assert [v.ok for v in assessment.verdicts] == [False] * 6
    assert assessment.alternatives == ()


def test_both_answers_where_they_do_not() -> None:
    """At a MIN of 387 pages the zone passes with 97 > 96 left; 2.6.38 to 3.2 take two pages more off, and it fails."""
    state = with_min_of_dma(seed_state().model_copy(update={"kernel": STRETCH}), 387)
    assessment = assess(state)
    assert (assessment.snap, assessment.verdicts) == (None, ())
    answers = {
        other.name: next(v.short_by_pages for v in other.verdicts if v.zone == "DMA" and v.mark == "min")
        for other in assessment.alternatives
    }
    assert answers == {
        "the test of 2.6.12 on": 0,
        "the test of 2.6.38 on": 2,
        "the test of 3.3 on": 0,
    }
    (warning,) = [w.text for w in advice_of(state).warnings if w.code == "several-kernels"]
    assert "Order 2 in DMA at MIN: passes by the test of 2.6.12 on; fails, 2 short by the test of 2.6.38 on" in warning
    request = next(fact for fact in facts_of(assessment) if fact.kind == "request")
    assert request.values()["decided"] is False


@pytest.mark.parametrize("kernel", ["2.6.30", "2.6.32.61", "2.6.37"])
def test_the_verdict_of_neighbouring_series_is_the_same(kernel: str) -> None:
    state = build_state(seed_incident(), kernel=kernel)
    assert assess(state).verdicts == assess(seed_state()).verdicts
    assert {fix.verification.class_ for fix in advice_of(state).fixes} == {"not decidable"}


def test_the_slip_of_2_6_38_shows() -> None:
    state = build_state(seed_incident(), kernel="3.0.8")
    shorts = {(v.zone, v.mark): v.short_by_pages for v in assess(state).verdicts}
    assert (shorts["DMA", "min"], shorts["Normal", "min"]) == (3, 32)


@pytest.mark.parametrize("kernel", ["6.19", "2.6.11", "2.4.37"])
def test_a_kernel_that_was_not_read_gets_no_verdict(kernel: str) -> None:
    assert assess(build_state(seed_incident(), kernel=kernel)).verdicts == ()


def test_the_command_says_what_was_not_run(tmp_path: Path) -> None:
    path = tmp_path / "later.log"
    path.write_text("".join(later.report()), encoding="utf-8")

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "oomadvisor", *arguments]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (ended.returncode, ended.stderr) == (0, "")
        return " ".join(ended.stdout.split())

    advised = run("advise", str(path))
    assert "blocks ≥ 16 kB" in advised
    assert "0 FAILS, 4 short" in advised
    assert "Enough pages are free, but no block of that size" in advised
    assert "What this kernel does after the test was read, not run." in advised
    assert "CERTAIN" not in advised
    explained = run("explain", str(path))
    assert "app (process 300): 4010 pages" in explained
    assert "watchd (process 100)" not in explained
    assert "The road of a request in 5.10.20 was read, not run" in explained
    assert "DIRECT_RECLAIM: may reclaim by itself" in explained


def test_a_rule_must_hold_at_both_ends_of_a_stretch() -> None:
    """ "The kernel compacts by itself" is wrong before 2.6.35; of a kernel from 2.6.32 to 3.2 nobody can say."""
    judged = {one.rule for one in advice_of(seed_state()).refuted}
    assert "kernel-compacts-itself" in judged
    stretch = advice_of(seed_state().model_copy(update={"kernel": STRETCH}))
    assert "kernel-compacts-itself" not in {one.rule for one in stretch.refuted}
    reasons = {skipped.rule: skipped.reason for skipped in stretch.skipped}
    assert reasons["kernel-compacts-itself"] == "for kernel <2.6.35; this is 3.2"


def test_no_price_without_its_numbers() -> None:
    state = build_state(seed_incident(), kernel="2.6.32")
    priced = {fix.id: fix.price for fix in advice_of(state).fixes}
    assert priced["lower-min-free-kbytes"] is None
    measured = {fix.id: fix.price for fix in seed_advice().fixes}["lower-min-free-kbytes"]
    assert measured is not None
    assert "316" in measured
