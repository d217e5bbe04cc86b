"""Overcommit: the limits against the kernel's own function by brute force, and what must hold for any box."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from oomadvisor.infer import build_state
from oomadvisor.kernel.commit import CommitCounters, vm_enough_memory
from oomadvisor.model import Operation, OperationStep, ProcState, SystemState
from oomadvisor.parse import scan_file
from oomadvisor.simulate import (
    CommitState,
    FreePages,
    NotReplayable,
    SetRealtime,
    SetSysctl,
    commit_state,
    fork_refused,
    largest_fork,
    with_blocks_taken,
    with_changes,
)
from tests.simulate.boxes import ARM, MEASURED_PRESENT, MEASURED_ZONES, PROPERTY, SEED, family

MIN_FREE = "vm.min_free_kbytes"
RATIO = "vm.lowmem_reserve_ratio"
ROOT = st.sampled_from([None, True, False])
few = st.integers(0, 60)
MODES = st.integers(0, 3)


@st.composite
def boxes(draw: st.DrawFn) -> CommitState:
    """Draw a small box, so that every size of a task can be tried."""
    present = tuple(draw(st.tuples(st.integers(1, 80), st.integers(0, 80), st.just(0))))
    worst = CommitCounters(
        nr_file_pages=draw(few),
        nr_swap_pages=draw(few),
        total_swap_pages=draw(few),
        nr_slab_reclaimable=draw(few),
        nr_free_pages=draw(few),
        totalreserve_pages=0,
        totalram_pages=sum(present),
        committed=draw(few),
    )
    best = worst._replace(
        nr_slab_reclaimable=worst.nr_slab_reclaimable + draw(few), committed=draw(st.integers(0, worst.committed))
    )
    return CommitState(
        worst=worst,
        best=best,
        overcommit_memory=draw(MODES),
        overcommit_ratio=draw(st.integers(0, 200)),
        zone_names=MEASURED_ZONES,
        present=present,
        high_marks=tuple(draw(st.integers(0, pages)) for pages in present),
        reserves=((0, draw(few), draw(few)), (0, 0, draw(few)), (0, 0, 0)),
        family=family(),
    )


def granted(box: CommitState, counters: CommitCounters, pages: int, *, root: bool) -> bool:
    """Ask the kernel's function itself (its agreement with the real one is checked by the vectors)."""
    reserve = sum(
        min(pages_of_zone, max(box.reserves[zone][zone:]) + box.high_marks[zone])
        for zone, pages_of_zone in enumerate(box.present)
    )
    decision = vm_enough_memory(
        pages,
        counters._replace(totalreserve_pages=reserve),
        overcommit_memory=box.overcommit_memory,
        overcommit_ratio=box.overcommit_ratio,
        cap_sys_admin=root,
        mm_total_vm=pages,
    )
    return decision.result == 0


def wraps(box: CommitState, counters: CommitCounters, pages: int) -> bool:
    """Whether strict mode's limit falls below zero and so lets a task of this size through (it is a word without sign)."""
    limit = counters.totalram_pages * box.overcommit_ratio // 100
    return box.overcommit_memory > 1 and pages // 32 > limit - limit // 32 + counters.total_swap_pages


@PROPERTY
@given(boxes(), ROOT)
def test_the_largest_fork_is_the_last_that_the_kernel_grants(box: CommitState, root: bool | None) -> None:
    found = largest_fork(box, root=root)
    for limit, counters, as_root in (
        (found.worst, box.worst, bool(root)),
        (found.best, box.best, root is not False),
    ):
        if limit is None:
            assert box.overcommit_memory == 1
            assert granted(box, counters, 1 << 20, root=as_root)
            continue
        tried = [granted(box, counters, pages, root=as_root) for pages in range(1, limit + 40)]
        assert all(tried[:limit])
        assert not any(
            tried[pages - 1] for pages in range(limit + 1, len(tried) + 1) if not wraps(box, counters, pages)
        )


@PROPERTY
@given(boxes(), st.integers(1, 300), ROOT)
def test_a_fork_is_refused_exactly_beyond_the_largest(box: CommitState, pages: int, root: bool | None) -> None:
    assume(not any(wraps(box, counters, pages) for counters in (box.worst, box.best)))
    limits = largest_fork(box, root=root)
    expected = frozenset(limit is not None and pages > limit for limit in limits)
    assert fork_refused(box, pages, root=root) == expected


@PROPERTY
@given(boxes(), st.integers(0, 400), st.integers(0, 400), ROOT)
def test_a_higher_mark_never_lets_a_larger_task_fork(box: CommitState, one: int, other: int, root: bool | None) -> None:
    low, high = sorted((one, other))
    less, more = (largest_fork(with_changes(box, [SetSysctl(MIN_FREE, (value,))]), root=root) for value in (high, low))
    for small, large in zip(less, more, strict=True):
        assert large is None or (small is not None and small <= large)


@PROPERTY
@given(boxes(), st.integers(1, 400), st.integers(1, 400))
def test_a_smaller_ratio_is_a_larger_reserve(box: CommitState, one: int, other: int) -> None:
    low, high = sorted((one, other))
    reserve = [with_changes(box, [SetRealtime(), SetSysctl(RATIO, (v, 32))]).totalreserve_pages for v in (low, high)]
    assert reserve[0] >= reserve[1]


@PROPERTY
@given(boxes(), st.sampled_from(["tmpfs", "page-cache", "process", "slab"]), few, ROOT)
def test_pages_given_back_never_refuse_more_by_guess(
    box: CommitState, source: str, pages: int, root: bool | None
) -> None:
    """Pages that leave the cache for the free lists are worth nothing below the reserve, and as much above it.

    So only those that were not counted before (of a process) must never make it worse.
    """
    guess = replace(box, overcommit_memory=0)
    before, after = (
        largest_fork(guess, root=root),
        largest_fork(with_changes(guess, [FreePages(source, pages)]), root=root),
    )
    if source == "process":
        assert after.worst is not None
        assert before.worst is not None
        assert after.worst >= before.worst
    else:
        assert after.best is not None
        assert before.best is not None
        assert after.best <= before.best + pages


@PROPERTY
@given(boxes(), st.integers(1, 16))
def test_blocks_taken_count_against_the_free_pages(box: CommitState, batch: int) -> None:
    taken = with_blocks_taken(box, ARM["fork+exec"], batch=batch)
    assert box.best.nr_free_pages - taken.best.nr_free_pages == min(2 + 4, box.best.nr_free_pages)
    assert taken.worst.nr_free_pages <= max(box.worst.nr_free_pages - 6 - 7, 0)
    assert all(a is None or a <= (b or 0) for a, b in zip(largest_fork(taken), largest_fork(box), strict=True))


def seed_state() -> SystemState:
    return build_state(next(iter(scan_file(str(SEED)))))


def seed() -> CommitState:
    found = commit_state(seed_state())
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("change", "reserve"),
    [
        (None, 1718),  # 158 + 585 in DMA, 975 in Normal: section 6 of the printed marks and reserves
        (SetSysctl(MIN_FREE, (2039,)), 158 + 285 + 477),
        (SetSysctl(RATIO, (1, 1)), 24384 + 975),  # no zone counts for more than it has
        (SetSysctl(RATIO, (0,)), 24384 + 975),
        (SetSysctl("vm.swappiness", (0,)), 1718),
    ],
)
def test_what_overcommit_leaves_alone_in_the_seed(change: SetSysctl | None, reserve: int) -> None:
    assert with_changes(seed(), [change] if change else []).totalreserve_pages == reserve


def test_the_limits_of_the_seed() -> None:
    """26591 page cache + 9998 free − 1718 reserved − 1; slab (2447) may all be reclaimable, or none."""
    limits = largest_fork(seed(), root=True)
    assert limits == (26591 + 9998 - 1718 - 1, 26591 + 2447 + 9998 - 1718 - 1)
    assert largest_fork(seed(), root=False).worst == 26591 - 26591 // 32 + 8280 - 8280 // 32 - 1
    assert largest_fork(seed()) == (largest_fork(seed(), root=False).worst, limits.best)


@pytest.mark.parametrize(
    ("mode", "pages", "refused"),
    [(0, 30000, {False}), (0, 36000, {True, False}), (0, 40000, {True}), (1, 10**6, {False}), (2, 40000, {True})],
)
def test_a_fork_in_the_seed(mode: int, pages: int, refused: set[bool]) -> None:
    commit = with_changes(seed(), [SetSysctl("vm.overcommit_memory", (mode,))])
    assert fork_refused(commit, pages) == refused
    assert commit.assumed == ("vm.overcommit_ratio",)


def test_strict_mode_needs_to_know_what_was_charged() -> None:
    """The limit is half of 61569 pages for root; 26427 of tmpfs are charged for certain, 46199 when all was."""
    strict = [SetSysctl("vm.overcommit_memory", (2,))]
    sure, charged = commit_state(seed_state()), commit_state(seed_state(), anonymous_charged=True)
    assert sure is not None
    assert charged is not None
    assert fork_refused(with_changes(sure, strict), 1, root=True) == {True, False}
    assert fork_refused(with_changes(charged, strict), 1, root=True) == {True}


def test_proc_files_leave_no_interval() -> None:
    meminfo = {"SReclaimable": 400, "SUnreclaim": 800, "Committed_AS": 50_000, "MemTotal": 246_276}
    proc = ProcState(meminfo_kb=meminfo, sysctls={"vm.overcommit_memory": "2", "vm.overcommit_ratio": "80"})
    commit = commit_state(build_state(next(iter(scan_file(str(SEED)))), proc=proc))
    assert commit is not None
    assert commit.assumed == ()
    assert (commit.overcommit_memory, commit.overcommit_ratio) == (2, 80)
    limits = largest_fork(commit, root=True)
    assert limits.worst == limits.best
    # committed + pages < 80 % of RAM − pages / 32
    assert limits.best is not None
    assert 12500 + limits.best < 61569 * 80 // 100 - limits.best // 32 <= 12500 + limits.best + 2


@pytest.mark.parametrize(
    "change", [SetSysctl(MIN_FREE, (1, 2)), SetSysctl(RATIO, (1, 1, 1)), SetSysctl("vm.overcommit_memory", ())]
)
def test_a_value_of_the_wrong_shape_is_refused(change: SetSysctl) -> None:
    with pytest.raises(NotReplayable, match=r"entries|one number"):
        with_changes(seed(), [change])


@pytest.mark.parametrize("lacking", ["zones", "kernel"])
def test_what_the_report_lacks_gives_none(lacking: str) -> None:
    state = seed_state()
    if lacking == "zones":
        state = state.model_copy(update={"zones": ()})
    else:
        state = state.model_copy(update={"kernel": state.kernel.model_copy(update={"version": (4, 19)})})
    assert commit_state(state) is None


def test_the_measured_box_is_the_seeds() -> None:
    assert (seed().zone_names, seed().present) == (MEASURED_ZONES, MEASURED_PRESENT)


def test_a_block_that_replaces_another_comes_after_the_check() -> None:
    steps = (OperationStep(order=3, gfp_mask=0xD0, what="x", source="t", replaces=True),)
    operation = Operation(id="x", title="x", steps=steps, source="t")
    assert with_blocks_taken(seed(), operation).best == seed().best
