"""Whole comparisons: the same again for a seed, the same load under every setting, bounded, and true to the marks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oomadvisor.longrun import Box, LongRun, Mix, NoLongRun, Setting, boot, long_run
from oomadvisor.longrun import run as run_module
from oomadvisor.longrun.summary import Band, band, bands, before_first_kill
from tests.longrun.boxes import FEW, box, boxes, mix, mixes

GROWING = mix(tmpfs={"initial_kb": 2000, "growth_kb_per_hour": 800})
SETTINGS = [Setting("low", 200), Setting("high", 1600)]


@pytest.fixture(scope="module")
def growing() -> LongRun:
    return long_run(boot(box()), GROWING, SETTINGS, seeds=3, days=1)


def test_a_run_is_the_same_for_the_same_seed(growing: LongRun) -> None:
    again = long_run(boot(box()), GROWING, SETTINGS, seeds=(2,), days=1)
    for mine, other in zip(growing.settings, again.settings, strict=True):
        assert mine.runs[1] == other.runs[0]
        assert mine.runs[0] != mine.runs[1]


def test_every_setting_meets_the_same_load(growing: LongRun) -> None:
    """Up to the first kill under either, the same pages of tmpfs are there, and the same processes."""
    low, high = growing.settings
    for mine, other in zip(low.runs, high.runs, strict=True):
        before = [(a, b) for a, b in zip(mine.samples, other.samples, strict=False) if not a.kills and not b.kills]
        assert len(before) > 10
        for a, b in before:
            assert (a.at_ms, a.tmpfs_pages, a.processes) == (b.at_ms, b.tmpfs_pages, b.processes)


def test_a_higher_value_kills_earlier_and_keeps_more(growing: LongRun) -> None:
    low, high = growing.settings
    for mine, other in zip(low.runs, high.runs, strict=True):
        assert other.kills[0].tmpfs_pages < mine.kills[0].tmpfs_pages
    kept, kept_high = before_first_kill(growing, low), before_first_kill(growing, high)
    assert kept is not None
    assert kept_high is not None
    assert kept_high.free_pages.low > kept.free_pages.high
    assert kept_high.atomic_pages.low > kept.atomic_pages.high


def test_a_kill_proves_that_high_failed(growing: LongRun) -> None:
    for setting in growing.settings:
        marks = box().family.setup_per_zone_wmarks(box().zone_names, box().present, setting.min_free_kbytes)
        most = sum(mark.high + row[1] for mark, row in zip(marks[:2], box().reserve[:2], strict=True))
        kills = [kill for run in setting.runs for kill in run.kills if kill.order == 0]
        assert kills
        assert all(kill.free_pages <= most for kill in kills)


def test_ordinary_requests_stop_at_the_floor(growing: LongRun) -> None:
    for setting in growing.settings:
        lowest = min(one.free_pages for run in setting.runs for one in run.samples)
        batches = 2 * 31  # a refill of a per-cpu list passes the test once for a whole batch
        assert lowest >= setting.floor_pages - batches


def test_what_is_taken_at_a_lower_mark_is_never_less(growing: LongRun) -> None:
    for setting in growing.settings:
        for one in (one for run in setting.runs for one in run.samples):
            assert one.usable <= one.usable_lowered <= one.large_pages >> growing.order


@FEW
@given(box=boxes(), mix=mixes(), seed=st.integers(0, 1000))
def test_any_load_on_any_box_ends_and_says_how(box: Box, mix: Mix, seed: int) -> None:
    result = long_run(boot(box), mix, [Setting("as it is")], seeds=(seed,), days=1, speed=24)
    (run,) = result.settings[0].runs
    assert run.panic_ms is not None or run.stopped is not None or len(run.samples) >= 100
    assert [one.at_ms for one in run.samples] == sorted({one.at_ms for one in run.samples})
    assert all(one.kills <= two.kills for one, two in zip(run.samples, run.samples[1:], strict=False))


def test_progress_goes_from_nothing_to_all() -> None:
    seen: list[tuple[float, str]] = []
    long_run(boot(box()), mix(), SETTINGS, seeds=2, days=1, progress=lambda part, what: seen.append((part, what)))
    parts = [part for part, _ in seen]
    assert parts == sorted(parts)
    assert (parts[0], parts[-1]) == (0.0, 1.0)
    assert {what for _, what in seen} == {f"{name}, seed {seed}" for name in ("low", "high") for seed in (1, 2)}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"days": 0}, "0 days"),
        ({"days": 367}, "1 to 366"),
        ({"seeds": 0}, "0 seeds"),
        ({"seeds": range(101)}, "101 seeds"),
        ({"speed": 0}, "speed of 0"),
        ({"settings": []}, "0 settings"),
        ({"settings": [Setting("x", 1)] * 13}, "13 settings"),
        ({"mix": mix(commands={"per_hour": 1_000_000})}, "events in 1 days"),
        ({"mix": mix(files={"reads_per_hour": 50_000, "size_kb": 1_000_000, "read_kb": 1_000_000})}, "pages to visit"),
    ],
)
def test_what_would_take_too_long_is_refused(arguments: dict[str, object], said: str) -> None:
    usual: dict[str, object] = {"start": boot(box()), "mix": mix(), "settings": SETTINGS, "days": 1}
    with pytest.raises(NoLongRun, match=said):
        long_run(**{**usual, **arguments})  # type: ignore[arg-type]


def test_a_run_of_kills_without_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "MOST_KILLS", 3)
    result = long_run(boot(box((512, 0, 0), image=10)), GROWING, [Setting("x", 0)], seeds=1, days=1)
    (run,) = result.settings[0].runs
    assert run.stopped == "more than 3 kills" or run.panic_ms is not None
    assert len(run.kills) <= 20


def test_bands_are_the_ends_and_the_middle(growing: LongRun) -> None:
    assert band([5]) == Band(5, 5, 5)
    assert band([4, 1, 3, 2]) == Band(1, 2, 4)
    for at, one in bands(growing.settings[0], lambda sample: sample.free_pages):
        values = sorted(s.free_pages for run in growing.settings[0].runs for s in run.samples if s.at_ms == at)
        assert (one.low, one.median, one.high) == tuple(values)
