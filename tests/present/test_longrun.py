"""The long run as text and as JSON: what it says is what was seen, in any width, with nothing that a terminal acts on."""

import doctest
import json
import re

import pytest

from oomadvisor.longrun import AS_IT_IS, LongRun, Setting, boot, long_run
from oomadvisor.longrun.summary import before_first_kill
from oomadvisor.present import longrun as module
from oomadvisor.present.longrun import HIGH_ORDER_KILLS, SCHEMA, findings, longrun_json, render_longrun
from tests.longrun.boxes import box, mix

GROWING = mix(tmpfs={"initial_kb": 2000, "growth_kb_per_hour": 800})
STILL = mix(tmpfs={"growth_kb_per_hour": 0})
MANY = [Setting(f"min_free_kbytes={value}", value) for value in (100, 200, 400, 800, 1600)]


@pytest.fixture(scope="module")
def two() -> LongRun:
    return long_run(boot(box()), GROWING, [AS_IT_IS, Setting("min_free_kbytes=1600", 1600)], seeds=3, days=1)


@pytest.fixture(scope="module")
def many() -> LongRun:
    return long_run(boot(box()), GROWING, MANY, seeds=1, days=1)


@pytest.fixture(scope="module")
def quiet() -> LongRun:
    return long_run(boot(box()), STILL, [AS_IT_IS, Setting("evil \x1b[2J\nname", 200)], seeds=1, days=1)


@pytest.fixture(scope="module")
def hopeless() -> LongRun:
    return long_run(boot(box((300, 0, 0), image=290)), GROWING, [AS_IT_IS], seeds=2, days=1)


@pytest.fixture(params=["two", "many", "quiet", "hopeless"])
def any_run(request: pytest.FixtureRequest) -> LongRun:
    found: LongRun = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_asked_for_and_none_acts_on_a_terminal(any_run: LongRun, width: int) -> None:
    text = render_longrun(any_run, width=width, colour=False)
    assert max(map(len, text.splitlines())) <= width
    assert all(character.isprintable() or character == "\n" for character in text)


def test_colour_changes_nothing_but_colour(any_run: LongRun) -> None:
    coloured = re.sub(r"\x1b\[[0-9;]*m", "", render_longrun(any_run, width=80, colour=True))
    plain = render_longrun(any_run, width=80, colour=False)
    assert [line.rstrip() for line in coloured.splitlines()] == plain.splitlines()


def test_the_text_holds_the_numbers_of_the_run(two: LongRun) -> None:
    text = render_longrun(two, width=80, colour=False)
    assert "Long run · 1 day from boot · 3 seeds for each setting" in text
    for setting in two.settings:
        assert f"{setting.floor_pages * 4 / 1024:.1f} MB" in text
        before = before_first_kill(two, setting)
        assert before is not None
        assert str(before.blocks.median) in " ".join(findings(two))
    hours = sorted(run.kills[0].schedule_us / 3.6e9 for run in two.settings[0].runs)
    assert f"{hours[1]:.1f} h ({hours[0]:.1f}–{hours[2]:.1f})" in text


def test_the_findings_say_what_is_kept_what_is_locked_and_what_it_costs(two: LongRun) -> None:
    kept, cost = findings(two)
    value = two.settings[0].min_free_kbytes
    assert kept.startswith("In the last stretch before the first kill (or the end), min_free_kbytes=1600 kept ")
    assert f"where the present value ({value}) kept" in kept
    assert f"could be taken at {value}" in kept
    differences = sorted(
        (mine.kills[0].tmpfs_pages - other.kills[0].tmpfs_pages) / 256
        for mine, other in zip(two.settings[0].runs, two.settings[1].runs, strict=True)
    )
    assert f"tmpfs held {differences[1]:.1f} MB less " in cost
    floor = (two.settings[1].floor_pages - two.settings[0].floor_pages) / 256
    assert f"The floor of min_free_kbytes=1600 is {floor:.1f} MB higher." in cost


def test_a_kill_for_want_of_a_larger_block_is_not_taken_at_its_word(any_run: LongRun) -> None:
    first = [run.kills[0].order for runs in any_run.settings for run in runs.runs if run.kills]
    assert (HIGH_ORDER_KILLS in longrun_json(any_run)["limits"]) is any(first)


def test_five_settings_stand_side_by_side_as_far_as_they_fit(many: LongRun) -> None:
    text = render_longrun(many, width=80, colour=False)
    for setting in many.settings:
        assert text.count(setting.setting.name) >= 4
    assert "One seed: there is no spread" in text


def test_without_a_kill_it_says_so(quiet: LongRun) -> None:
    text = render_longrun(quiet, width=80, colour=False)
    assert "0 of 1 seeds had a kill" in " ".join(text.split())
    assert "none" in text


def test_a_box_that_panics_at_once_is_shown_too(hopeless: LongRun) -> None:
    assert "panic" in render_longrun(hopeless, width=80, colour=False)
    (setting,) = longrun_json(hopeless)["settings"]
    assert [run["panic_hours"] for run in setting["runs"]] == [0.0, 0.0]
    assert setting["samples"] == []
    assert setting["before_first_kill"] is None


def test_json_holds_every_sample_and_kill(any_run: LongRun) -> None:
    document = json.loads(json.dumps(longrun_json(any_run), allow_nan=False))
    assert document["schema"] == SCHEMA == "oomadvisor/longrun/1"
    assert document["shows"] == list(findings(any_run))
    for shown, runs in zip(document["settings"], any_run.settings, strict=True):
        assert len(shown["samples"]) == min(len(run.samples) for run in runs.runs)
        for number, row in enumerate(shown["samples"]):
            for name in ("free_pages", "usable", "tmpfs_pages"):
                values = sorted(getattr(run.samples[number], name) for run in runs.runs)
                assert (row[name]["low"], row[name]["high"]) == (values[0], values[-1])
                assert row[name]["median"] in values
        for one, run in zip(shown["runs"], runs.runs, strict=True):
            assert [kill["order"] for kill in one["kills"]] == [kill.order for kill in run.kills]


def test_samples_in_the_documentation() -> None:
    failed, tried = doctest.testmod(module)
    assert tried > 0
    assert failed == 0
