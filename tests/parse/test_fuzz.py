"""The fuzzer itself, for a moment: the long run is ``make fuzz-parser SECONDS=…``."""

from random import Random

import pytest

from tests.parse import fuzz
from tests.parse.families import FAMILIES


def test_a_short_run_finds_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz.at_random(3, seed=1) == 0
    told = capsys.readouterr().out
    assert told.startswith("fuzz-parser: ")
    assert int(told.split()[1]) > len(FAMILIES)


def test_what_breaks_the_parser_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(str(tmp_path))

    def broken(data: bytes) -> int:
        raise ValueError(len(data))

    monkeypatch.setattr(fuzz, "read", broken)
    assert fuzz.at_random(3, seed=1) == 1
    assert "ValueError" in capsys.readouterr().out
    assert fuzz.CRASH.read_bytes() == next(iter(fuzz.corpus(Random(1))))
