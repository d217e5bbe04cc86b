"""Advice for kernels other than 2.6.31: by their own arithmetic, and no more than was run on them."""

import subprocess
import sys
from pathlib import Path

import pytest

from oomadvisor.advise import advise
from oomadvisor.book import load_book
from oomadvisor.facts import assess, facts_of
from oomadvisor.infer import build_state
from oomadvisor.infer.arithmetic import bounds_of_mask, families_of
from oomadvisor.infer.builders import vendor_of
from oomadvisor.model import Incident, IncidentAdvice, KernelRelease, Marks, Request, SystemState
from oomadvisor.parse import read_incidents
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
        ("4.9.1-imx8-g1234567", "a board's kernel"),
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


@pytest.mark.parametrize(
    ("release", "builder"),
    [
        ("2.6.18-398.el5", "Red Hat or a rebuild of it"),
        ("2.6.32-358.23.2.el5.x86_64", "Red Hat or a rebuild of it"),
        ("2.6.9-89.EL", "Red Hat or a rebuild of it"),
        ("2.6.9-42.0.3.ELsmp", "Red Hat or a rebuild of it"),
        ("3.10.0-1160.el7.x86_64", "Red Hat or a rebuild of it"),
        ("4.18.0-139.el8.ppc64le+debug", "Red Hat or a rebuild of it"),
        ("5.14.0-70.13.1.el9_0.aarch64", "Red Hat or a rebuild of it"),
        ("5.9.0-rc3-020ad03.cki", "Red Hat or a rebuild of it"),
        ("5.4.17-2136.300.7.el8uek.x86_64", "Oracle Linux (UEK)"),
        ("4.16.0-0.rc4.git0.1.fc28.x86_64", "Fedora"),
        ("4.14.243-185.433.amzn2.x86_64", "Amazon Linux"),
        ("2.6.31-19-generic", "Ubuntu"),
        ("2.6.32-21-server", "Ubuntu"),
        ("5.8.0-1031-oracle", "Ubuntu"),
        ("4.4.0-210-generic-lpae", "Ubuntu"),
        ("3.0.101-80-default", "SUSE"),
        ("3.0.58-0.6.6-xen", "SUSE"),
        ("5.3.18-150300.59.87-default", "SUSE"),
        ("6.8.0-rc3-1.gae4495f-default", "SUSE"),
        ("3.2.0-4-686-pae", "Debian"),
        ("4.19.0-21-amd64", "Debian"),
        ("5.10.0-8-armmp-lpae", "Debian"),
        ("5.18.0-0.deb11.4-amd64+bpo", "Debian"),
        ("3.18.31-perf-g9ad2e5f", "Android"),
        ("5.10.43-android12-9-ab7774452", "Android"),
        ("5.10.103-v7l+", "Raspberry Pi"),
        ("6.1.1-arch1-1", "Arch Linux"),
        ("5.15.158-2-pve", "Proxmox"),
        ("5.10.16.3-microsoft-standard-WSL2", "Microsoft (WSL)"),
        ("6.11.11-valve17-1-neptune-611", "SteamOS"),
        ("6.8.9-gentoo-PMacG4", "Gentoo"),
        ("3.2.34-grsec", "grsecurity"),
        ("2.6.24-rc6-mm1", "the mm tree, with the memory management to come"),
        ("2.6.31-rt11-lab126", "a board's kernel"),
        ("2.6.35.3-imx", "a board's kernel"),
        ("2.6.31+frans2+mel-00002-g90702f9-dirty", "an unknown builder"),
        ("2.6.31.12", None),
        ("4.4.146+", None),
        ("not a release", None),
    ],
)
def test_who_built_a_kernel(release: str, builder: str | None) -> None:
    assert vendor_of(release) == builder


@pytest.mark.parametrize(
    ("release", "measured"),
    [
        ("2.6.31", True),
        ("2.6.31.12", True),
        ("2.6.31-rt11-lab126", True),
        ("2.6.31-acme", True),
        ("2.6.31-19-generic", False),
        ("2.6.31.5-127.fc12.i686", False),
    ],
)
def test_a_distributions_2_6_31_is_not_the_one_that_was_run(release: str, measured: bool) -> None:
    """Its check is given, and no class that rests on what happens after the check."""
    state = build_state(seed_incident().model_copy(update={"kernel_release": release}))
    advice = advice_of(state)
    assert [v.ok for v in advice.verdicts] == [False] * 6
    assert (advice.fixes[0].verification.class_ == "certain") is measured
    said = any(warning.code == "vendor-kernel" for warning in advice.warnings)
    assert said is (vendor_of(release) is not None and "lab126" not in release)


def test_lines_of_a_later_series_prove_back_ports() -> None:
    """A 4.18 of Red Hat that prints what came with 5.4: it can have the arithmetic of either."""
    release = "4.18.0-372.el8.x86_64"
    report = later.report("5.10.20", order=0, mask="0x6000c0(GFP_KERNEL)")
    lines = [line.replace("5.10.20", release) for line in report]
    state = build_state(next(iter(read_incidents(lines, file="later.txt"))))
    assert state.kernel.backports is not None
    assert state.kernel.backports[:2] >= (5, 4)
    boosted = {family.marks.boost for family in families_of(state.kernel, state.incident)}
    assert boosted == {False, True}
    (warning,) = [w.text for w in advice_of(state).warnings if w.code == "vendor-kernel"]
    assert "Its lines are those of" in warning
    assert later.state("5.10.20", order=0).kernel.backports is None


def test_androids_own_setting_leaves_two_answers() -> None:
    """The seed's Normal has 133 pages left for an order 2: against 650 halved twice, 162, and shifted by 4 twice, 2."""
    state = build_state(seed_incident().model_copy(update={"kernel_release": "3.4.67-perf-g9ad2e5f"}))
    answers = {
        other.name: next(v.ok for v in other.verdicts if v.mark == "min" and v.zone == "Normal")
        for other in assess(state).alternatives
    }
    assert answers == {
        "the test of 3.3 on": False,
        "the test of 3.3 on with vm.min_free_order_shift 4": True,
    }
    texts = {warning.code: warning.text for warning in advice_of(state).warnings}
    assert "Android" in texts["vendor-kernel"]
    assert "vm.min_free_order_shift 4" in texts["several-kernels"]


MASKS = (
    # By the table of the bits: a kill needs a mask that may reclaim, and no mask has bits that its kernel lacks.
    (0xD0, (3, 10), None, None, (4, 3)),
    (0x24000C0, (4, 1), None, (4, 4), (4, 17)),  # to 4.9, and with NOLOCKDEP for the highest bit from 4.12 on
    (0x14200CA, (3, 10), (4, 20), (4, 4), (4, 17)),
    (0x6000C0, (4, 15), None, (4, 18), (5, 0)),
    (0xCC0, (4, 8), None, (5, 1), None),
    (0xD0, (2, 6, 32), (3, 6), None, None),
    (None, (3, 10), (4, 20), None, None),
)


@pytest.mark.parametrize(("mask", "oldest", "newest", "since", "until"), MASKS)
def test_the_mask_bounds_the_version(
    mask: int | None,
    oldest: tuple[int, ...],
    newest: tuple[int, ...] | None,
    since: tuple[int, ...] | None,
    until: tuple[int, ...] | None,
) -> None:
    incident = Incident(kind="oom", file="x", line=1, last_line=1, request=Request(gfp_mask=mask, order=0))
    assert bounds_of_mask(incident, oldest, newest) == (since, until)


def nameless(mask: str) -> SystemState:
    """Return the report of 4.1 to 4.7 without a line that names its kernel."""
    pages = "active_anon:12000kB inactive_anon:8000kB active_file:0kB inactive_file:0kB unevictable:0kB"
    rest = "mlocked:0kB dirty:0kB writeback:0kB mapped:0kB shmem:20kB slab_reclaimable:800kB slab_unreclaimable:32000kB"
    tail = "kernel_stack:300kB pagetables:240kB unstable:0kB bounce:0kB free_pcp:0kB local_pcp:0kB free_cma:0kB"
    lines = [
        f"app invoked oom-killer: gfp_mask={mask}, order=2, oom_score_adj=0",
        "Mem-Info:",
        "active_anon:3000 inactive_anon:2000 isolated_anon:0",
        " active_file:0 inactive_file:0 isolated_file:0",
        " unevictable:0 dirty:0 writeback:0 unstable:0",
        " slab_reclaimable:200 slab_unreclaimable:8000",
        " mapped:10 shmem:5 pagetables:60 bounce:0",
        " free:2000 free_pcp:0 free_cma:0",
        f"Normal free:8000kB min:976kB low:1220kB high:1464kB {pages} isolated(anon):0kB isolated(file):0kB "
        f"present:65536kB managed:60000kB {rest} {tail} writeback_tmp:0kB pages_scanned:0 all_unreclaimable? yes",
        "lowmem_reserve[]: 0 0",
        "Normal: 1996*4kB (UM) 0*8kB 1*16kB (U) 0*32kB 0*64kB 0*128kB 0*256kB 0*512kB 0*1024kB 0*2048kB 0*4096kB"
        " = 8000kB",
        "Free swap  = 0kB",
        "Total swap = 0kB",
        "16384 pages RAM",
    ]
    return build_state(next(iter(read_incidents([f"{line}\n" for line in lines], file="nameless.txt"))))


@pytest.mark.parametrize(
    ("mask", "text", "passes", "decides"),
    [
        ("0xd0", "4.1–4.3", [False, False, False], {"fragmentation", "slab-growth"}),
        ("0x24000c0", "4.4–4.5", [True, True, True], {"slab-growth"}),
    ],
)
def test_a_report_that_does_not_name_its_kernel(mask: str, text: str, passes: list[bool], decides: set[str]) -> None:
    """The same pages: before 4.4 the halved marks forbid the one block of 16 kB, since then it is enough.

    The mask without names bounds it to 4.5 from above; half of memory is slab in both.
    """
    state = nameless(mask)
    assert (state.kernel.text, state.kernel.source) == (text, "forms")
    assert [verdict.ok for verdict in assess(state).verdicts] == passes
    assert {cause.id for cause in advice_of(state).causes if cause.role == "decides"} == decides
    assert any("by the mask" in reason for reason in state.kernel.reasons)


def test_what_holds_from_below_is_said_of_a_kernel_known_from_below() -> None:
    """5.4 or later: the rules for 4.4 and later apply, those with an upper bound do not."""
    lines = [line for line in later.report("5.10.20") if "invoked oom-killer" in line or "Killed process" in line]
    state = build_state(next(iter(read_incidents(lines, file="later.txt"))))
    assert (state.kernel.version, state.kernel.source) == ((), "unknown")
    skipped = {row.rule: row.reason for row in advice_of(state).skipped}
    assert "for kernel <4.4" in skipped["mark-above-default"]
    assert "for kernel" not in skipped.get("larger-reserve-at-boot.later-kernels", "")
