"""The model beside the real kernel, in a run short enough for the suite; ``make longrun`` makes the whole comparison."""

from itertools import pairwise

import pytest

from oomadvisor.longrun import LongRun, Mix, Setting, boot, default_mix, long_run
from oomadvisor.longrun.setting import floor_pages
from tests.checks.longrun import (
    OPERATIONS,
    PAGES_PER_MB,
    SPEED,
    VALUES,
    Row,
    disagreements,
    floors,
    main,
    measured_box,
    read_measured,
    readings_of,
    row_of,
)
from tests.simulate.boxes import RUNS

SAMPLES = RUNS / "price" / "longrun.tsv.gz"
SHORT = (2039, 16384)
FULL_BEFORE_KB = 76_000
RECLAIM_SAMPLES = 30
"""2000 of the 6667 operations of a day in 100 samples: as long as the measured reclaim phase, from the first page on."""


@pytest.fixture(scope="module")
def measured() -> dict[int, Row]:
    return {value: row_of(boots) for value, boots in read_measured(SAMPLES).items()}


def starting_fuller(mix: Mix) -> Mix:
    """Return the mix with the tmpfs of two days there from the start, so that one day shows the end."""
    return mix.model_copy(update={"tmpfs": mix.tmpfs.model_copy(update={"initial_kb": FULL_BEFORE_KB})})


@pytest.fixture(scope="module")
def short() -> LongRun:
    settings = [Setting(str(value), value) for value in SHORT]
    return long_run(boot(measured_box()), starting_fuller(default_mix()), settings, seeds=1, days=1, speed=SPEED)


def test_the_measured_boots_are_what_their_readme_says(measured: dict[int, Row]) -> None:
    assert sorted(measured) == list(VALUES)
    assert [floor_pages(measured_box(), Setting(str(v), v)) for v in VALUES] == [286, 666, 1198, 2206, 4254]
    assert disagreements(measured, floors(VALUES), "measured") == []
    assert measured[16384].reclaim["order2"] > 15 * measured[512].reclaim["order2"]


def test_the_model_agrees_on_what_a_higher_value_keeps_and_costs(short: LongRun, measured: dict[int, Row]) -> None:
    low, high = (one.runs[0] for one in short.settings)
    phases = {}
    for value, run in zip(SHORT, (low, high), strict=True):
        reclaiming = [at for at, one in enumerate(run.samples) if one.reclaimed and not one.kills]
        phase = [readings_of(run)[at] for at in reclaiming[:RECLAIM_SAMPLES]]
        assert len(phase) == RECLAIM_SAMPLES
        phases[value] = {
            name: sum(getattr(one, name) for one in phase) / len(phase)
            for name in ("free_pages", "order2", "order3", "usable", "lowered")
        }
        for name in ("free_pages", "order2"):
            assert phases[value][name] == pytest.approx(measured[value].reclaim[name], rel=0.4)
    for name in ("free_pages", "order2", "order3", "lowered"):
        assert phases[SHORT[0]][name] < phases[SHORT[1]][name]
    # Kept, but locked: about as many may be taken under both, nearly all when the value is lowered again.
    assert phases[SHORT[1]]["usable"] < phases[SHORT[1]]["order2"] / 5
    assert phases[SHORT[1]]["lowered"] > phases[SHORT[1]]["order2"] * 4 / 5
    # The first kill comes earlier by the larger floor (14.0 MB; measured: 12.8 to 14.4).
    earlier = (low.kills[0].tmpfs_pages - high.kills[0].tmpfs_pages) / PAGES_PER_MB
    floor = floors(SHORT)
    assert earlier == pytest.approx(floor[SHORT[1]], abs=4)


def test_readings_carry_the_operation_of_the_measured_runs(short: LongRun) -> None:
    operations = [one.operation for one in readings_of(short.settings[0].runs[0])]
    assert operations[0] == 0
    assert operations[-1] == pytest.approx(OPERATIONS / 3, abs=100)
    assert all(a < b for a, b in pairwise(operations))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], 2),
        (["-x"], 2),
        (["a", "b", "c"], 2),
        (["a", "0"], 2),
        (["/nowhere.tsv"], 3),
        ([str(RUNS / "README.md")], 3),
    ],
)
def test_the_check_says_when_it_cannot_run(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == code
    assert capsys.readouterr().err
