"""The events of a mix: the same for a seed, in order, as many as the mix says, independent of one another."""

import hashlib
from collections import Counter
from itertools import islice, takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oomadvisor.longrun import Mix, default_mix
from oomadvisor.longrun.run import events_per_hour
from oomadvisor.longrun.timeline import Moment, ReadFile, StartCommand, WriteFile, timeline
from tests.longrun.boxes import HOUR_US, SLOW_PROPERTY, mix, mixes

FIRST_200_OF_SEED_1 = "9fe59446"


def first(mix: Mix, seed: int, count: int = 200, *, speed: int = 1) -> list[Moment]:
    return list(islice(timeline(mix, seed, speed=speed), count))


@SLOW_PROPERTY
@given(mix=mixes(), seed=st.integers(0, 1 << 40))
def test_events_come_in_order_and_again_for_the_same_seed(mix: Mix, seed: int) -> None:
    moments = first(mix, seed)
    assert moments == first(mix, seed)
    assert [m.at_us for m in moments] == sorted(m.at_us for m in moments)


def test_seeds_differ() -> None:
    assert first(default_mix(), 1) != first(default_mix(), 2)


def test_the_events_are_those_of_every_other_python() -> None:
    """A recorded digest: the same was seen on CPython 3.10, 3.11, 3.12 and 3.13."""
    digest = hashlib.sha256(repr(first(default_mix(), 1)).encode()).hexdigest()
    assert digest[:8] == FIRST_200_OF_SEED_1


@pytest.mark.parametrize("hours", [200])
def test_there_are_as_many_events_as_the_mix_says(hours: int) -> None:
    moments = list(takewhile(lambda m: m.at_us <= hours * HOUR_US, timeline(default_mix(), 3)))
    counted = Counter(type(m.event).__name__ for m in moments)
    assert counted["StartCommand"] == pytest.approx(70 * hours, rel=0.02)
    assert counted["Touch"] == pytest.approx(97 * hours, rel=0.02)
    assert counted["GrowTmpfs"] == pytest.approx(1975 / 16 * hours, rel=0.02)
    assert len(moments) == pytest.approx(events_per_hour(default_mix()) * hours, rel=0.01)


def test_leaving_an_activity_out_does_not_move_the_others() -> None:
    def reads(one: Mix) -> list[tuple[int, object]]:
        return [(m.at_us, m.event) for m in first(one, 5, 400) if isinstance(m.event, ReadFile)][:20]

    assert reads(mix(commands={"per_hour": 0})) == reads(mix())


@pytest.mark.parametrize("speed", [2, 1000])
def test_speed_moves_the_times_and_nothing_else(speed: int) -> None:
    slow, fast = first(default_mix(), 1), first(default_mix(), 1, speed=speed)
    for one, other in zip(slow, fast, strict=True):
        assert one.number == other.number
        assert one.at_us == pytest.approx(other.at_us * speed, abs=speed)
        event = one.event
        if isinstance(event, StartCommand):
            event = event._replace(lives_us=event.lives_us // speed)
        elif isinstance(event, WriteFile):
            event = event._replace(kept_us=event.kept_us // speed)
        assert event == other.event


def test_lifetimes_have_their_shares() -> None:
    lives = [m.event.lives_us for m in first(default_mix(), 1, 40_000) if isinstance(m.event, StartCommand)]
    short = sum(13_000_000 <= life <= 130_000_000 for life in lives) / len(lives)
    long = sum(life >= 12_960_000_000 for life in lives) / len(lives)
    assert short == pytest.approx(0.70, abs=0.02)
    assert long == pytest.approx(0.05, abs=0.01)


def test_an_empty_mix_has_no_events() -> None:
    still = mix(
        commands={"per_hour": 0},
        files={"reads_per_hour": 0, "writes_per_hour": 0},
        tmpfs={"growth_kb_per_hour": 0, "log_growth_kb_per_hour": 0},
        pipes={"opened_per_hour": 0},
        slab={"growth_kb_per_hour": 0, "reclaimable_growth_kb_per_hour": 0},
        residents=(),  # type: ignore[arg-type]
    )
    assert first(still, 1) == []
