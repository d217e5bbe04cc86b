"""Plans: what goes together, what is left out and why, and that the whole is replayed."""

from itertools import pairwise
from pathlib import Path

import pytest

from oomadvisor.advise import advise
from oomadvisor.book import load_book
from oomadvisor.facts import assess
from oomadvisor.handlers import handler_of, why_not_written
from oomadvisor.knowledge import knobs
from oomadvisor.model.plan import HORIZONS, Horizon, Plan
from oomadvisor.plan import CannotPlan, make_plan
from oomadvisor.simulate import SetSysctl, what_if
from tests.export.plans import seed_advice, seed_plan, seed_state

RULE = """\
  - id: {id}
    title: {id}
    kind: fix
    when:
      - incident: {{type: oom}}
    fix:
      kind: {kind}
      repairs: {repairs}
      cost: none
      risk: none
      changes: [{change}]
      undo: Set it back.
{more}
    explain: For the test.
    sources: [vm-table]
    tests:
      - {{name: a kill, given: [{{incident: {{type: oom}}}}], fires: true}}
      - {{name: none, given: [{{incident: {{type: alloc-failure}}}}], fires: false}}
"""


def with_rules(
    tmp_path: Path,
    *rules: dict[str, str],
    picks: tuple[str, ...] = (),
    force: bool = False,
    until: Horizon = "now",
) -> Plan:
    rows = [RULE.format(**{"kind": "sysctl", "repairs": "cause", "more": "", **rule}) for rule in rules]
    (tmp_path / "mine.yaml").write_text("schema: 1\nrules:\n" + "".join(rows))
    book, state = load_book([str(tmp_path)]), seed_state()
    return make_plan(assess(state), advise(state, book), book, until=until, picks=picks, force=force)


def sysctl(name: str, value: str) -> str:
    return f"{{sysctl: {name}, to: {value}}}"


def test_each_horizon_holds_those_before_it() -> None:
    steps = [[step.id for step in seed_plan(until).steps] for until in HORIZONS]
    for earlier, later in pairwise(steps):
        assert set(earlier) < set(later)
    assert steps[0] == ["lower-min-free-kbytes"]


@pytest.mark.parametrize("until", HORIZONS)
def test_no_fix_is_lost(until: str) -> None:
    plan = seed_plan(until)  # type: ignore[arg-type]
    told = [step.id for step in plan.steps] + [one.id for one in plan.left_out]
    assert sorted(told) == sorted(fix.id for fix in seed_advice().fixes)


def test_the_settings_are_replayed_together_as_the_simulator_does_it() -> None:
    plan = seed_plan()
    snap, workload = assess(seed_state()).snap, seed_state().workload
    assert snap is not None
    assert workload is not None
    outcome = what_if(snap, workload, (SetSysctl("vm.min_free_kbytes", (2039,)),))
    assert plan.written is not None
    assert (plan.written.class_, plan.written.after) == (outcome.verification, outcome.after)
    assert [(s.name, s.value, s.before, s.restore) for s in plan.settings] == [
        ("vm.min_free_kbytes", "2039", "4160–4167", "4160")
    ]


def test_of_two_values_for_one_knob_the_better_fix_wins(tmp_path: Path) -> None:
    plan = with_rules(tmp_path, {"id": "another-value", "change": sysctl("vm.min_free_kbytes", "2271")})
    assert len({setting.name for setting in plan.settings}) == len(plan.settings) == 1
    reasons = {one.id: one.reason for one in plan.left_out}
    chosen = plan.settings[0].fix
    other = ({"another-value", "lower-min-free-kbytes"} - {chosen}).pop()
    assert reasons[other] == f"{chosen} sets vm.min_free_kbytes to another value ({plan.settings[0].value})"


def test_a_conflict_that_a_rule_names_is_kept(tmp_path: Path) -> None:
    plan = with_rules(
        tmp_path,
        {
            "id": "zz-other",
            "change": "{free: {from: tmpfs, mb: 64}}",
            "kind": "command",
            "more": "      conflicts_with: [lower-min-free-kbytes]",
        },
    )
    assert {one.id: one.reason for one in plan.left_out}["zz-other"] == "it conflicts with lower-min-free-kbytes"


def test_knobs_that_zero_each_other_are_not_both_picked(tmp_path: Path) -> None:
    rules = (
        {"id": "bytes", "change": sysctl("vm.dirty_bytes", "8388608")},
        {"id": "ratio", "change": sysctl("vm.dirty_ratio", "10")},
    )
    with pytest.raises(CannotPlan, match="set each other to 0"):
        with_rules(tmp_path, *rules, picks=("bytes", "ratio"))


def test_settings_that_do_harm_together_are_refused_unless_forced(tmp_path: Path) -> None:
    rules = (
        {"id": "high", "change": sysctl("vm.min_free_kbytes", "8192")},
        {"id": "ratio", "change": sysctl("vm.swappiness", "10")},
    )
    with pytest.raises(CannotPlan, match="harmful"):
        with_rules(tmp_path, *rules, picks=("high", "ratio"))
    forced = with_rules(tmp_path, *rules, picks=("high", "ratio"), force=True)
    assert forced.forced
    assert forced.written is not None
    assert forced.written.class_ == "harmful"


def test_what_acts_once_is_kept_apart(tmp_path: Path) -> None:
    plan = with_rules(tmp_path, {"id": "drop", "change": sysctl("vm.drop_caches", "3")}, picks=("drop",))
    assert plan.settings == ()
    assert [(setting.name, setting.value) for setting in plan.once] == [("vm.drop_caches", "3")]


@pytest.mark.parametrize(
    "command", ["reboot", "echo 1 > /etc/passwd", "echo $X > /proc/sys/vm/x", "echo 1 > /proc/sys/../../etc/x"]
)
def test_only_plain_writes_below_proc_sys_are_taken_from_commands(command: str, tmp_path: Path) -> None:
    rule = {
        "id": "by-command",
        "change": "{unsimulated: Something else.}",
        "kind": "command",
        "more": f'      commands: ["{command}"]',
    }
    plan = with_rules(tmp_path, rule, picks=("by-command",))
    assert (plan.settings, plan.once) == ((), ())
    assert command in plan.steps[0].by_hand


# Handlers.


@pytest.mark.parametrize(
    ("name", "values", "version", "why"),
    [
        ("vm.min_free_kbytes", [2039], (2, 6, 31), None),
        ("vm.lowmem_reserve_ratio", [256, 32], (2, 6, 31), None),
        ("vm.swappiness", [10, 20], (2, 6, 31), "takes one number"),
        ("vm.swappiness", [101], (2, 6, 31), "0 to 100"),
        ("vm.swappiness", [101], (), "0 to 100"),
        ("vm.swappiness", [150], (5, 10), None),
        ("vm.dirty_bytes", [4096], (2, 6, 31), "8192 and more"),
        ("vm.min_free_kbytes", [2**31], (2, 6, 31), "32-bit"),
        ("vm.compact_memory", [1], (2, 6, 31), "does not exist"),
        ("vm.compact_memory", [1], (2, 6, 35), None),
        ("vm.extra_free_kbytes", [1], (2, 6, 31), "does not exist"),
        ("kernel.panic", [10], (2, 6, 31), None),
    ],
)
def test_what_a_kernel_takes(name: str, values: list[int], version: tuple[int, ...], why: str | None) -> None:
    reason = why_not_written(name, values, version)
    assert (reason is None) == (why is None)
    assert why is None or why in str(reason)


def test_handlers_are_of_knobs_that_exist_and_pairs_are_mutual() -> None:
    for name in knobs():
        handler = handler_of(name)
        assert handler.min <= handler.max
        if handler.zeroes is not None:
            assert handler_of(handler.zeroes).zeroes == name
        if handler.one_shot:
            assert not handler.read_only
    named = [name for name in knobs() if handler_of(name) != type(handler_of(name))(name)]
    assert len(named) == 15


def test_what_can_be_done_now_is_not_left_out_for_what_comes_later(tmp_path: Path) -> None:
    build = {
        "id": "aa-build",
        "change": "{unsimulated: Another build.}",
        "kind": "build",
        "more": "      conflicts_with: [lower-min-free-kbytes]",
    }
    plan = with_rules(tmp_path, build, until="firmware")
    assert plan.steps[0].id == "lower-min-free-kbytes"
    assert {one.id: one.reason for one in plan.left_out}["aa-build"] == "it conflicts with lower-min-free-kbytes"


def test_the_same_pages_are_not_counted_twice(tmp_path: Path) -> None:
    rules = [{"id": f"free-{n}", "change": "{free: {from: tmpfs, mb: 90}}", "kind": "mount"} for n in (1, 2)]
    plan = with_rules(tmp_path, *rules, until="week")
    taken = {step.id for step in plan.steps} & {"free-1", "free-2", "shrink-tmpfs"}
    assert len(taken) == 1
    reasons = {one.id: one.reason for one in plan.left_out}
    for other in {"free-1", "free-2", "shrink-tmpfs"} - taken:
        assert reasons[other] == f"it overlaps with {taken.copy().pop()}: both take pages from tmpfs"


def test_a_stage_is_the_plan_of_its_horizon() -> None:
    whole = seed_plan("firmware")
    assert [stage.horizon for stage in whole.stages] == list(HORIZONS)
    for stage in whole.stages:
        alone = seed_plan(stage.horizon)
        assert alone.whole == stage.verification
        until = HORIZONS.index(stage.horizon)
        assert [s.id for s in alone.steps] == [s.id for s in whole.steps if HORIZONS.index(s.horizon) <= until]
