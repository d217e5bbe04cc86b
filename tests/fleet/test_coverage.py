"""One incident at every value of a knob: every edge against brute force, and against what the real kernel did."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oomadvisor.facts import Assessment, assess
from oomadvisor.fleet.coverage import Coverage, Said, _proved, coverage, kept_pages, looked_at, said_at
from oomadvisor.fleet.knob import Knob, NoSuchKnob, knob_named, resolved
from oomadvisor.kernel.words import INT_MAX
from oomadvisor.model.state import MIN_FREE_KBYTES
from oomadvisor.simulate import asked_by
from oomadvisor.simulate.change import with_min_free_kbytes
from oomadvisor.simulate.replay import operation_passes
from oomadvisor.verify import judge, operations_beside
from tests.expert.seed import incident_of, seed_lines, seed_state
from tests.fleet.boxes import doing, seed_set_to, small_boxes, small_state
from tests.simulate.boxes import seed as seed_box

MIN_FREE = knob_named(MIN_FREE_KBYTES)
RATIO = knob_named("vm.lowmem_reserve_ratio[DMA]")
MOST_JUDGEMENTS = 40


def verified_class(assessment: Assessment, knob: Knob, value: int) -> str:
    """The class that a fix with this one change gets."""
    change = resolved(assessment, knob, value)
    return judge(assessment, (change,), assessment.state.workload).verification.class_


def no_gaps(found: Coverage) -> bool:
    lows, highs = [s.low for s in found.stretches], [s.high for s in found.stretches]
    return lows == [found.knob.low, *(high + 1 for high in highs[:-1])] and highs[-1] == found.knob.high


@settings(deadline=None, max_examples=15)
@given(small_boxes(), st.integers(0, 3))
def test_every_value_has_the_class_that_a_fix_would_get(assessment: Assessment, offset: int) -> None:
    found = coverage(assessment, MIN_FREE)
    assert no_gaps(found)
    assert found.judged <= MOST_JUDGEMENTS
    # Marks move once in four kB: every page up to 100, each at one of its four values.
    edges = [edge for s in found.stretches for edge in (s.low, s.high)]
    values = sorted({*range(offset, 400, 4), *edges})
    assert [found.at(value) for value in values] == list(said_at(assessment, [{MIN_FREE: v} for v in values])[1])
    for value in edges:
        assert found.at(value).class_ == verified_class(assessment, MIN_FREE, value), value
        assert found.at(value).breaks == something_breaks(assessment, value), value


def something_breaks(assessment: Assessment, value: int) -> bool:
    """Whether any operation, the one in question or another, passes at MIN now and not at the value."""
    snap, workload = assessment.snap, assessment.state.workload
    assert snap is not None
    assert workload is not None
    after = with_min_free_kbytes(snap, value)
    return any(
        operation_passes(asked_by(snap, one), orders, "min")
        and not operation_passes(asked_by(after, one), orders, "min")
        for one, orders in [
            (workload, (*workload.orders, 0)),
            *((one, one.orders) for one in operations_beside(assessment)),
        ]
    )


def test_what_only_the_operation_in_question_loses_counts_as_broken() -> None:
    """Three free blocks of order 3 among smaller ones: order 3 fails before anything of the architecture does."""
    lists = ((0,) * 11, (60, 20, 10, 3, 0, 0, 0, 0, 0, 0, 0))
    state = small_state(lists, (1, 300), 60, operation="order-3", kind="mem-info")
    found = coverage(assess(state), MIN_FREE)
    assert found.role == "bystander"
    first = next(s.low for s in found.stretches if s.said.breaks)
    others = operations_beside(assess(state))
    after = with_min_free_kbytes(assess(state).snap or seed_box(), first)
    assert all(operation_passes(asked_by(after, one), one.orders, "min") for one in others)
    assert not operation_passes(after, (3,), "min")


def test_an_edge_that_nobody_foresaw_is_found_all_the_same() -> None:
    """Where the two ends of a stretch are judged differently, the judgement itself is followed to the edge."""
    told = {False: Said("certain"), True: Said("no effect")}
    found = list(_proved(lambda value: told[value >= 137], 0, 1000))
    assert [(one.low, one.high, one.said.class_) for one in found] == [(0, 136, "certain"), (137, 1000, "no effect")]


@settings(deadline=None, max_examples=10)
@given(small_boxes())
def test_the_reserve_ratio_too(assessment: Assessment) -> None:
    found = coverage(assessment, RATIO)
    assert no_gaps(found)
    # A reserve is at most the pages above, so a ratio beyond their number acts as the largest.
    values = sorted({*range(1, 90), INT_MAX, *(edge for s in found.stretches for edge in (s.low, s.high))})
    assert [found.at(value) for value in values] == list(said_at(assessment, [{RATIO: v} for v in values])[1])


@pytest.mark.parametrize(
    ("operation", "edges"),
    [
        # 3967 worked in 3 of 3 boots of the real kernel, 3968 in none; nothing below the present value does harm.
        (
            "fork+exec",
            {(0, 2647): "certain", (2648, 3967): "marginal", (3968, 4167): "no effect", (4168, 41023): "harmful"},
        ),
        ("exec", {(0, 2763): "certain", (2764, 4139): "marginal", (4140, 4167): "no effect"}),
    ],
)
def test_the_seed_turns_where_the_kernel_did(operation: str, edges: dict[tuple[int, int], str]) -> None:
    state = seed_state().model_copy(update={"workload": doing(operation)})
    found = coverage(assess(state), MIN_FREE)
    assert edges.items() <= {(s.low, s.high): s.said.class_ for s in found.stretches}.items()
    assert (found.role, found.present, found.default) == ("case", (4160, 4167), 2039)
    assert found.at(2039).class_ == "certain"


def test_a_raised_value_breaks_what_passed() -> None:
    """From 41 024 on single pages fail, which passed in the report: more than a stricter test."""
    found = coverage(assess(seed_state()), MIN_FREE)
    assert [found.at(value).breaks for value in (4168, 41023, 41024, INT_MAX)] == [False, False, True, True]


def test_a_healthy_picture_can_only_be_harmed() -> None:
    found = coverage(assess(seed_set_to(2039, kind="mem-info")), MIN_FREE)
    assert found.role == "bystander"
    assert found.at(2039).class_ == "certain"
    assert (found.at(2647).worsens, found.at(2648).worsens, found.at(3967).worsens) == (False, True, True)
    assert (found.at(3967).breaks, found.at(3968).breaks) == (False, True)


def test_an_incident_that_passes_now_is_no_case() -> None:
    assert coverage(assess(seed_set_to(2039)), MIN_FREE).role == "bystander"
    assert coverage(assess(seed_set_to(4160, kind="mem-info")), MIN_FREE).role == "case"
    # At 3000 the seed passes at MIN: a picture of that is healthy, a kill with it is a case.
    assert [coverage(assess(seed_set_to(3000, kind=kind)), MIN_FREE).role for kind in ("mem-info", "oom")] == [
        "bystander",
        "case",
    ]


def test_what_cannot_be_replayed_is_not_decidable_everywhere() -> None:
    from oomadvisor.infer import build_state

    state = build_state(incident_of([line for line in seed_lines() if " free:" not in line]))
    found = coverage(assess(state), MIN_FREE)
    (only,) = found.stretches
    assert (only.low, only.high, only.said.class_) == (0, INT_MAX, "not decidable")
    assert "lacks" in only.said.why
    assert (found.role, found.box, found.judged) == ("case", None, 1)


def test_a_zone_that_a_box_lacks_is_said() -> None:
    found = coverage(assess(seed_state()), knob_named("vm.lowmem_reserve_ratio[DMA32]"))
    (only,) = found.stretches
    assert only.said.class_ == "not decidable"
    assert "no ratio of a zone DMA32" in only.said.why


def test_several_knobs_are_judged_together() -> None:
    """Neither the seed's ratio alone helps, nor does it undo what the other value does."""
    assessment = assess(seed_state())
    points = [{MIN_FREE: 2039}, {RATIO: 64}, {MIN_FREE: 2039, RATIO: 64}, {MIN_FREE: 2039, RATIO: 1}]
    role, told = said_at(assessment, points)
    assert role == "case"
    assert [one.class_ for one in told] == [
        "certain",
        "harmful",
        *(
            judge(
                assessment,
                tuple(resolved(assessment, knob, value) for knob, value in point.items()),
                assessment.state.workload,
            ).verification.class_
            for point in points[2:]
        ),
    ]


def test_the_room_is_that_of_the_fix() -> None:
    """14 boots of the real kernel at 2039 gave 11 to 14 children that stay; the simulator says 13."""
    role, ((told, children),) = looked_at(assess(seed_state()), MIN_FREE, [2039])
    assert (role, told.class_, children) == ("case", "certain", 13)


def test_what_interrupts_keep_is_the_measured_price() -> None:
    found = coverage(assess(seed_state()), MIN_FREE)
    assert found.box is not None
    assert [kept_pages(found.box, MIN_FREE, value) for value in (None, 4160, 2039, 2763)] == [649, 649, 316, 430]
    zones = with_min_free_kbytes(seed_box(), 2039).zones
    reserve = next(zone.reserve for zone in zones if zone.name == "DMA")
    assert kept_pages(found.box, RATIO, None) == kept_pages(found.box, RATIO, 256) == reserve


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("vm.swappiness", "does not read vm.swappiness"),
        ("vm.lowmem_reserve_ratio", "name one of them"),
        ("vm.nonsense", "not replayed"),
        ("vm.lowmem_reserve_ratio[D M A]", "not replayed"),
    ],
)
def test_a_knob_that_is_not_replayed_is_refused(name: str, words: str) -> None:
    with pytest.raises(NoSuchKnob, match=words):
        knob_named(name)
