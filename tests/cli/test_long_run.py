"""``oomadvisor simulate --days`` as it is used. What the model itself does is tested in tests/longrun."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from oomadvisor.present.longrun import longrun_schema
from tests.cli.conftest import ROOT, Here, run

MIX = (ROOT / "knowledge" / "mix.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def light_mix(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A load that a day of takes no second: few commands, little growth."""
    path = tmp_path_factory.mktemp("mix") / "light.yaml"
    path.write_text(MIX.replace("per_hour: 70", "per_hour: 2").replace("touches_per_hour: 97", "touches_per_hour: 1"))
    return str(path)


def test_settings_stand_side_by_side(here: Here, seed: str, light_mix: str) -> None:
    ran = here("simulate", seed, "--days", "1", "--seeds", "1", "--mix", light_mix, "--set", "vm.min_free_kbytes=2039")
    assert ran.code == 0
    assert ran.err == ""
    for words in ("as it is", "min_free_kbytes=2039", "4160", "WHAT IT DOES NOT SHOW"):
        assert words in ran.out


def test_a_sysctl_given_twice_makes_two_settings(here: Here, seed: str, light_mix: str) -> None:
    arguments = ["--set", "vm.min_free_kbytes=512", "--set", "vm.min_free_kbytes=default", "--format", "json"]
    ran = here("simulate", seed, "--days", "1", "--seeds", "1", "--mix", light_mix, *arguments)
    document = json.loads(ran.out)
    Draft202012Validator(longrun_schema()).validate(document)
    assert document["schema"] == "oomadvisor/longrun/1"
    assert [setting["min_free_kbytes"] for setting in document["settings"]] == [4160, 512, 2039]


def test_it_can_begin_in_the_state_of_the_report(here: Here, seed: str, light_mix: str) -> None:
    ran = here("simulate", seed, "--days", "1", "--seeds", "1", "--mix", light_mix, "--from", "report")
    assert ran.code == 0
    assert "1 day from" in ran.out


def test_the_schema_is_valid_and_printed(here: Here) -> None:
    Draft202012Validator.check_schema(longrun_schema())
    assert json.loads(here("schema", "longrun").out) == longrun_schema()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--days", "0"], "--days"),
        (["--days", "1", "--free", "tmpfs=1M"], "takes --set only"),
        (["--days", "1", "--solve", "vm.min_free_kbytes"], "takes --set only"),
        (["--days", "1", "--set", "vm.swappiness=10"], "does not read vm.swappiness"),
        (["--days", "100000"], "can be run"),
        (["--mix", "x.yaml"], "belong to --days"),
        (["--from", "report"], "belong to --days"),
        (["--seeds", "5"], "belong to --days"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_makes_no_sense_is_2(here: Here, seed: str, arguments: list[str], said: str) -> None:
    ran = here("simulate", seed, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in " ".join(ran.err.split())


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (MIX.replace("per_hour: 70", "per_hour: many"), ":11:15:"),
        (MIX.replace("  commands:", "  comands:"), ":10:3:"),
        ("", ":1:1:"),
        ("- 1\n", ":1:1:"),
        ("mix: [", ":2:1:"),
    ],
)
def test_a_mix_with_errors_is_3_and_says_where(seed: str, tmp_path: Path, content: str, place: str) -> None:
    path = tmp_path / "mix.yaml"
    path.write_text(content)
    ran = run("simulate", seed, "--days", "1", "--mix", str(path))
    assert (ran.code, ran.out) == (3, "")
    assert f"mix.yaml{place}" in ran.err, ran.err


def test_a_mix_that_cannot_be_read_is_3(seed: str, tmp_path: Path) -> None:
    ran = run("simulate", seed, "--days", "1", "--mix", str(tmp_path / "none.yaml"))
    assert (ran.code, ran.out) == (3, "")
    assert "cannot be read" in ran.err
