"""The sum over a fleet, and the value that is chosen: made fleets whose answer can be read off."""

from collections import Counter
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oomadvisor.facts import assess
from oomadvisor.fleet.choice import Choice, choose, smallest_safe
from oomadvisor.fleet.coverage import Coverage, Said, Stretch, coverage
from oomadvisor.fleet.curve import Counts, counted, curve
from oomadvisor.fleet.knob import knob_named
from oomadvisor.kernel.words import INT_MAX
from oomadvisor.model.state import MIN_FREE_KBYTES
from oomadvisor.model.verification import VerificationClass
from oomadvisor.simulate import Snapshot
from tests.fleet.boxes import seed_set_to

MIN_FREE = knob_named(MIN_FREE_KBYTES)
SEED = coverage(assess(seed_set_to(4160)), MIN_FREE)
HEALTHY = coverage(assess(seed_set_to(1000, kind="mem-info")), MIN_FREE)
CLASSES: tuple[VerificationClass, ...] = ("certain", "marginal", "bounded", "not decidable", "no effect", "harmful")


def made(*edges: tuple[int, VerificationClass], now: int = 4160, role: str = "case") -> Coverage:
    """An incident with these classes from these values on, on a box like the seed's that is set to ``now``."""
    starts = [low for low, _ in edges]
    stretches = tuple(
        Stretch(low, after - 1, Said(class_))
        for (low, class_), after in zip(edges, [*starts[1:], INT_MAX + 1], strict=True)
    )
    return Coverage(MIN_FREE, "case" if role == "case" else "bystander", stretches, (now, now), 2039, box_set_to(now))


@cache
def box_set_to(now: int) -> Snapshot | None:
    return coverage(assess(seed_set_to(now)), MIN_FREE).box


def chosen(*incidents: Coverage, floor: int = 0, asked: int | None = None) -> Choice:
    found = choose(curve(MIN_FREE, incidents), incidents, floor=floor, asked=asked)
    assert found is not None
    return found


stretched = st.lists(
    st.tuples(st.integers(1, 40), st.sampled_from(CLASSES)), max_size=5, unique_by=lambda pair: pair[0]
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(CLASSES), stretched, st.sampled_from(("case", "bystander"))), max_size=6))
def test_the_curve_counts_every_incident_once_at_every_value(
    fleet: list[tuple[VerificationClass, list[tuple[int, VerificationClass]], str]],
) -> None:
    incidents = [
        Coverage(MIN_FREE, one.role, one.stretches)
        for one in (made((0, first), *sorted(rest), role=role) for first, rest, role in fleet)
    ]
    whole = curve(MIN_FREE, incidents)
    assert [one.low for one in whole.intervals] == [0, *(one.high + 1 for one in whole.intervals[:-1])]
    assert whole.intervals[-1].high == INT_MAX
    assert all(a.counts != b.counts for a, b in zip(whole.intervals, whole.intervals[1:], strict=False))
    for value in [*range(45), INT_MAX]:
        told = [(one.role, one.at(value)) for one in incidents]
        classes = Counter(said.class_ for role, said in told if role == "case")
        counts = whole.at(value)
        assert counts[:6] == tuple(
            classes[name] for name in ("certain", "marginal", "no effect", "harmful", "bounded", "not decidable")
        )
        assert counts.cases + counts.bystanders == len(incidents)
        assert counts.harmed == sum(role == "bystander" and said.class_ == "harmful" for role, said in told)


@pytest.mark.parametrize(
    ("role", "said", "field"),
    [
        ("case", Said("no effect"), "no_effect"),
        ("case", Said("not decidable"), "not_decidable"),
        ("bystander", Said("certain"), "unmoved"),
        ("bystander", Said("marginal", worsens=True), "weakened"),
        ("bystander", Said("harmful", breaks=True), "harmed"),
        ("bystander", Said("not decidable", breaks=True), "harmed"),
    ],
)
def test_one_incident_counts_in_one_place(role: str, said: Said, field: str) -> None:
    assert counted(role, said) == Counts()._replace(**{field: 1})


def test_the_seed_alone_gets_the_largest_certain_value() -> None:
    """It changes the reserve of interrupts least of all that are certain: 649 pages now, 154 + 257 then."""
    found = chosen(SEED)
    assert (found.point.value, found.low, found.high, found.good) == (2647, 0, 2647, True)
    kept = found.point.kept
    assert kept is not None
    assert (kept.before_low_kb, kept.after_low_kb) == (649 * 4, 411 * 4)
    (box,) = found.boxes
    assert [zone.before for zone in box.zones] == [(650, 812, 975), (390, 487, 585)]
    assert [(other.point.value, other.short) for other in found.others] == [(2039, "default"), (4160, "now at 1")]


def test_most_certain_comes_before_least_harm_and_least_change() -> None:
    few = made((0, "certain"), (1000, "no effect"), (4164, "harmful"))
    many = [made((0, "certain"), (3000, "no effect"), (4164, "harmful"))] * 2
    assert chosen(few, *many).point.value == 999
    apart = [made((0, "no effect"), (2000, "certain"), (3000, "no effect"))] * 2
    assert (chosen(few, *apart).point.value, chosen(few, *apart).low) == (2999, 2000)


def test_of_values_as_certain_the_one_with_less_harm_is_taken() -> None:
    helped = made((0, "certain"), (3000, "no effect"))
    low = made((0, "no effect"), (1000, "harmful"), now=960)
    found = chosen(helped, low)
    assert (found.point.value, found.point.counts.hurt) == (999, 0)


def test_a_bystander_counts_as_harm() -> None:
    passing = made((0, "certain"), (500, "harmful"), role="bystander", now=400)
    helped = made((0, "certain"), (3000, "no effect"))
    found = chosen(helped, passing)
    assert (found.point.value, found.point.counts.harmed) == (499, 0)


def test_harm_to_as_many_as_are_helped_is_not_good() -> None:
    helped = made((0, "no effect"), (3000, "certain"), (3100, "no effect"))
    low = made((0, "no effect"), (1000, "harmful"), now=960)
    found = chosen(helped, low)
    assert (found.point.value, found.point.counts.helped, found.point.counts.hurt, found.good) == (3099, 1, 1, False)
    assert chosen(helped, helped, low).good


def test_the_value_that_moves_the_reserve_least_lies_between_the_boxes() -> None:
    """Two boxes at 1000 and one at 3000: the sum of the distances is smallest at 1000."""
    fleet = [made((0, "certain"), (3500, "no effect"), now=now) for now in (1000, 1000, 3000)]
    assert chosen(*fleet).point.value in range(1000, 1004)
    steps = {value: sum(abs(value - now) for now in (1000, 1000, 3000)) for value in (500, 1000, 3000, 3499)}
    assert min(steps, key=lambda value: steps[value]) == 1000


@settings(deadline=None, max_examples=20)
@given(st.lists(st.sampled_from((100, 300, 310, 650, 900)), min_size=1, max_size=4), st.integers(150, 800))
def test_no_value_of_the_plateau_changes_less(nows: list[int], edge: int) -> None:
    fleet = [made((0, "certain"), (edge, "no effect"), now=now) for now in nows]
    found = chosen(*fleet)
    assert found.point.kept is not None
    least = found.point.kept.change_kb
    for value in range(0, edge, 23):
        other = chosen(*fleet, asked=value).point.kept
        assert other is not None
        # Pages are whole in every zone, so between two places the sum can wobble by a page of each.
        assert least <= other.change_kb + 8 * len(fleet), value


def test_without_a_certain_value_the_most_marginal_is_taken() -> None:
    found = chosen(made((0, "marginal"), (800, "no effect")), made((0, "marginal"), (600, "no effect")))
    assert (found.point.value, found.point.counts.marginal) == (599, 2)


def test_no_value_that_helps_is_no_choice() -> None:
    fleet = [made((0, "no effect"), (4164, "harmful")), made((0, "not decidable"))]
    assert choose(curve(MIN_FREE, fleet), fleet) is None


def test_below_the_floor_nothing_is_recommended_and_it_is_said() -> None:
    fleet = [made((0, "certain"), (500, "no effect")), made((0, "certain"), (3000, "no effect"))]
    found = chosen(*fleet, floor=615)
    assert (found.point.value, found.low, found.floor) == (2999, 615, 615)
    assert found.below is not None
    assert (found.below.value, found.below.counts.certain) == (499, 2)
    assert chosen(*fleet).below is None
    assert choose(curve(MIN_FREE, fleet[:1]), fleet[:1], floor=615) is None


def test_a_named_value_is_looked_at_whatever_it_does() -> None:
    found = chosen(SEED, asked=8192)
    assert (found.point.value, found.asked, found.good, found.point.counts.harmful) == (8192, True, False, 1)


def test_the_burst_that_stays_safe_is_the_measured_rule() -> None:
    """5/32 of the value minus 60 pages: 36 pages need 615, and one of 614 is sure of 35 (device runs, price)."""
    assert smallest_safe([SEED], 36) == 615
    assert 5 * 615 // 32 - 60 == 36
    assert 5 * 614 // 32 - 60 == 35
    assert smallest_safe([SEED], 10_000) == 2039, "the kernel's own default is enough for it"
    assert smallest_safe([], 36) == 0


def test_a_healthy_box_keeps_the_fleet_from_what_would_break_it() -> None:
    """The seed's memory at 1000 passes and is a bystander; up to 3967 it goes on to pass at MIN."""
    found = chosen(SEED, HEALTHY)
    assert (found.point.value, found.point.counts.harmed, found.point.counts.weakened) == (2647, 0, 0)
    assert curve(MIN_FREE, [SEED, HEALTHY]).at(3968).harmed == 1


def test_the_nearly_as_good_value_is_offered() -> None:
    fleet = [made((0, "certain"), (700, "no effect")), *[made((0, "certain"), (2500, "no effect"))] * 19]
    found = chosen(*fleet)
    assert found.point.value == 699
    assert (2499, "nearly as many") in [(other.point.value, other.short) for other in found.others]
