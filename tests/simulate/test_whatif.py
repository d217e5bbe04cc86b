"""Classes of changes: the seed's, each tried on the real kernel, and the rows of whatif.jsonl."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oomadvisor.model import MARKS, Operation
from oomadvisor.model.verification import VerificationClass
from oomadvisor.simulate import (
    FreePages,
    NotReplayable,
    SetOperation,
    SetRealtime,
    SetSysctl,
    Snapshot,
    apply,
    children_that_stay,
    what_if,
)
from oomadvisor.simulate.change import Change
from oomadvisor.simulate.replay import operation_passes
from oomadvisor.simulate.scatter import MOST_PAGES
from tests.checks.whatif import predict, rows
from tests.simulate.boxes import ARM, RUNS, SLOW_PROPERTY, box, boxes, operation, operations, seed, zone


def min_free(value: int) -> SetSysctl:
    return SetSysctl("vm.min_free_kbytes", (value,))


def ratio(*values: int) -> SetSysctl:
    return SetSysctl("vm.lowmem_reserve_ratio", values)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        # vm.min_free_kbytes: 2039 worked in 16 of 16 boots, 3967 in 3 of 3 for one child, 3968 and 4138 in none.
        (min_free(2039), "certain"),
        (min_free(2763), "marginal"),
        (min_free(3967), "marginal"),
        (min_free(3968), "no effect"),
        (min_free(4138), "no effect"),
        (min_free(4160), "no effect"),
        (min_free(8192), "harmful"),
        (min_free(6000), "harmful"),
        (ratio(1, 1), "harmful"),
        (ratio(0, 0), "harmful"),
        (ratio(1000000, 1000000), "no effect"),
        (SetRealtime(), "marginal"),
        (SetSysctl("vm.swappiness", (100,)), "no effect"),
        (SetSysctl("vm.overcommit_memory", (1,)), "no effect"),
        (SetSysctl("vm.compact_memory", (1,)), "no effect"),
        (SetOperation(ARM["vfork+exec"]), "no effect"),
    ],
)
def test_the_seed_s_classes(change: Change, expected: VerificationClass) -> None:
    assert what_if(seed(), ARM["fork+exec"], (change,)).verification == expected


def test_2763_passes_high_for_exec_alone_but_not_for_fork_and_exec() -> None:
    """The README's 2763 is for one block of order 2: with a second directory HIGH fails, and MIN carries 8 children."""
    assert what_if(seed(), ARM["exec"], (min_free(2763),)).verification == "certain"
    outcome = what_if(seed(), ARM["fork+exec"], (min_free(2763),))
    assert (outcome.verification, outcome.headroom) == ("marginal", 8)


def test_changes_add_up() -> None:
    """vfork saves a directory: at 4138 it passes MIN where fork+exec does not (3 of 3 boots and 0 of 10)."""
    both = (min_free(4138), SetOperation(ARM["vfork+exec"]))
    assert what_if(seed(), ARM["fork+exec"], both).verification == "marginal"
    assert what_if(seed(), ARM["fork+exec"], both[:1]).verification == "no effect"
    assert what_if(seed(), ARM["fork+exec"], (SetRealtime(), min_free(5276))).verification == "marginal"
    assert what_if(seed(), ARM["fork+exec"], (SetRealtime(), min_free(5284))).verification == "harmful"


@pytest.mark.parametrize(("mb", "expected"), [(1, "bounded"), (4, "bounded"), (16, "bounded"), (64, "bounded")])
def test_freed_tmpfs_is_bounded_because_the_places_are_unknown(mb: int, expected: VerificationClass) -> None:
    outcome = what_if(seed(), ARM["fork+exec"], (FreePages("tmpfs", mb * 256),))
    assert outcome.verification == expected
    assert {r.mark: r.ok for r in outcome.worst}["min"] is False
    assert outcome.passes("high")


def test_scattered_draws_are_about_as_lucky_as_scattered_boots() -> None:
    """Scattered tmpfs pages on the real kernel: 1.5 MB cured 5 of 10 boots, 4.8 MB and 16 MB all of them.

    The draws know nothing of where tmpfs lies. Of children that stay they promise fewer than the 10 to 19 of the boots
    with 4.8 MB, where the deleted files were the free pages' neighbours: they may err on the careful side only.
    """
    shares, most = {}, {}
    for pages in (375, 1210, 4150):
        outcome = what_if(seed(), ARM["fork+exec"], (FreePages("tmpfs", pages),))
        assert outcome.estimate_min is not None
        shares[pages], most[pages] = outcome.estimate_min / outcome.draws, outcome.headroom_draws[-1]
    assert 0.2 <= shares[375] <= 0.8
    assert shares[1210] >= 0.9  # 20 draws: one may fail where the boots (10 of 10) had none that did
    assert shares[4150] == 1
    assert most[375] <= 3
    assert 5 <= most[1210] <= 19


def test_single_pages_freed_are_certain_for_a_single_page() -> None:
    """For order 0 the place does not matter: 100 pages for a zone that lacks 7 at MIN and 27 at HIGH."""
    snap = box(zone((14,), marks=(20, 30, 40), present=1000))
    assert what_if(snap, operation(0), (FreePages("tmpfs", 100),)).verification == "certain"
    assert what_if(snap, operation(0), (FreePages("tmpfs", 15),)).verification == "marginal"
    assert what_if(snap, operation(0), (FreePages("tmpfs", 5),)).verification == "no effect"


changes = st.one_of(
    st.integers(0, 2000).map(min_free),
    st.integers(0, 400).map(ratio),
    st.just(SetRealtime()),
)


@SLOW_PROPERTY
@given(boxes(max_pages=200), operations, st.lists(changes, max_size=2))
def test_what_the_classes_promise(snap: Snapshot, operation: Operation, wanted: list[Change]) -> None:
    """certain: passes at every mark. No effect and harmful: fails at MIN, or a single page does after it."""
    if len(snap.zones) == 1:
        wanted = [change for change in wanted if not (isinstance(change, SetSysctl) and "ratio" in change.name)]
    outcome = what_if(snap, operation, tuple(wanted))
    after = snap
    for change in wanted:
        assert not isinstance(change, FreePages | SetOperation)
        after = apply(after, change)
    orders = (*operation.orders, 0)
    assert outcome.snapshot == after
    if outcome.verification == "certain":
        assert all(operation_passes(after, orders, "high", choice) for choice in ("smallest", "largest"))
    elif outcome.verification == "marginal":
        assert operation_passes(after, orders, "min")
    else:
        assert not operation_passes(after, orders, "min")
    assert {r.mark: r.ok for r in outcome.after} == {m: operation_passes(after, operation.orders, m) for m in MARKS}
    assert outcome.headroom == children_that_stay(after, operation)


@SLOW_PROPERTY
@given(boxes(max_pages=200), operations, st.integers(1, 100))
def test_the_estimate_lies_between_worst_and_best(snap: Snapshot, operation: Operation, pages: int) -> None:
    outcome = what_if(snap, operation, (FreePages("tmpfs", pages),), draws=5)
    assert outcome.draws == 5
    for mark, passed in (("min", outcome.estimate_min), ("high", outcome.estimate_high)):
        worst = next(r.ok for r in outcome.worst if r.mark == mark)
        best = next(r.ok for r in outcome.after if r.mark == mark)
        assert passed is not None
        assert (passed > 0) <= best
        assert worst <= (passed == 5) or mark == "high", "at HIGH both ways to split a block must pass"


@pytest.mark.parametrize(
    "change", [SetSysctl("vm.min_free_kbytes", (1, 2)), SetSysctl("vm.lowmem_reserve_ratio", (1, 2, 3))]
)
def test_a_value_of_the_wrong_shape_is_refused(change: SetSysctl) -> None:
    with pytest.raises(NotReplayable, match=change.name):
        what_if(seed(), ARM["exec"], (change,))


def test_measured_rows_of_reports() -> None:
    """Reports of the real kernel, a setting for each, and what a later fork did: no certain one fails, no hopeless one
    succeeds, and each row gets a class.
    """
    table: Counter[tuple[str, str]] = Counter()
    for number, (report, wanted, outcome) in rows(RUNS / "whatif.jsonl.gz"):
        table[predict(report, wanted, f"row {number}"), outcome] += 1
    assert table["certain", "oom"] == 0
    assert table["no effect", "ok"] == table["harmful", "ok"] == 0
    assert table["unreadable", "ok"] + table["unreadable", "oom"] == 0
    assert table["not decidable", "ok"] + table["not decidable", "oom"] == 0
    # That this can fail: every class is there, and the middle one went both ways.
    assert table["certain", "ok"] > 200
    assert table["no effect", "oom"] > 50
    assert table["harmful", "oom"] > 100
    assert table["marginal", "ok"] > 0
    assert table["marginal", "oom"] > 0


def test_a_box_that_is_too_large_to_be_laid_out_has_the_bounds_alone() -> None:
    """Every page of a layout takes time and memory; the best and the worst case do not."""
    free = (20000, 3000, 40, 0, 0, 0, 0, 0, 0, 0, 0)
    marks = (4000, 5000, 6000)
    large, small = (box(zone(free, marks=marks, present=pages)) for pages in (MOST_PAGES + 1, MOST_PAGES))
    change = (FreePages("tmpfs", 4096),)
    without, drawn = (what_if(snap, operation(2), change, draws=2) for snap in (large, small))
    assert (without.draws, without.estimate_min, without.headroom_draws) == (0, None, ())
    assert (drawn.draws, drawn.verification) == (2, without.verification)
    assert without.children[0] <= drawn.children[0] <= drawn.children[1] <= without.children[1]
