"""Mix files: what they may say, and that every error names its place."""

from pathlib import Path

import pytest
import yaml

from oomadvisor.longrun import Mix, default_mix, read_mix
from oomadvisor.rulebook.errors import RuleBookError
from tests.simulate.boxes import ROOT

TEXT = (ROOT / "knowledge" / "mix.yaml").read_text(encoding="utf-8")


def test_the_built_in_mix_names_where_it_comes_from() -> None:
    mix = default_mix()
    assert "20000 operations" in mix.source
    assert [resident.name for resident in mix.residents] == ["application", "daemon"]


def test_a_mix_written_out_is_read_back() -> None:
    mix = default_mix()
    text = yaml.safe_dump({"schema": 1, "mix": yaml.safe_load(mix.model_dump_json())}, width=1000)
    assert read_mix("again.yaml", text) == mix
    assert Mix.model_validate(mix.model_dump()) == mix


MISTAKES = {
    "empty": ("‹", "empty-file", "schema: 1"),
    "a list": ("‹- mix\n", "wrong-type", "mapping"),
    "no schema": (TEXT.replace("schema: 1\n", "").replace("mix:\n", "‹mix:\n"), "missing-field", "schema"),
    "another schema": (TEXT.replace("schema: 1", "schema: ‹2"), "bad-word", ""),
    "unknown part": (TEXT.replace("  tmpfs:", "  ‹tmpsf:"), "unknown-field", "did you mean 'tmpfs'?"),
    "unknown field": (
        TEXT.replace("initial_kb: 1024, ", "‹inital_kb: 1024, "),
        "unknown-field",
        "did you mean 'initial_kb'?",
    ),
    "text for a number": (TEXT.replace("per_hour: 70", "per_hour: ‹often"), "wrong-type", "a whole number"),
    "a fraction": (TEXT.replace("per_hour: 70", "per_hour: ‹0.5"), "float", ""),
    "negative": (TEXT.replace("per_hour: 70", "per_hour: ‹-1"), "bad-size", "greater than or equal to 0"),
    "huge": (TEXT.replace("per_hour: 70", "per_hour: ‹99999999999"), "bad-size", "less than or equal"),
    "shares": (
        TEXT.replace("commands:\n    per_hour", "commands:\n    ‹per_hour").replace("percent: 25", "percent: 24"),
        "bad-shares",
        "99 %",
    ),
    "range turned round": (TEXT.replace("{min: 4, max: 63}", "‹{min: 64, max: 63}"), "bad-range", "min is above max"),
    "too many residents": (
        TEXT.replace("  title", "  ‹title").replace("count: 6\n", "count: 1000\n"),
        "too-many",
        "1001",
    ),
    "tab": (TEXT.replace("  programs:", "‹\tprograms:"), "yaml-syntax", ""),
    "object": (TEXT.replace("per_hour: 70", "per_hour: ‹!!python/object/apply:os.getpid []"), "tag", ""),
    "alias": (TEXT.replace("per_hour: 70", "per_hour: ‹*x"), "alias", ""),
}


@pytest.mark.parametrize(("marked", "code", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_told_at_its_place(marked: str, code: str, said: str) -> None:
    before, _, after = marked.partition("‹")
    with pytest.raises(RuleBookError) as told:
        read_mix("mix.yaml", before + after)
    problem = next(one for one in told.value.problems if one.code == code)
    assert said in problem.headline
    assert (problem.line, problem.column) == (before.count("\n") + 1, len(before) - before.rfind("\n"))
    assert problem.headline.startswith(f"mix.yaml:{problem.line}:{problem.column}: error[{code}]")


def test_all_mistakes_are_told_at_once() -> None:
    text = TEXT.replace("per_hour: 70", "per_hour: x").replace("text_kb: 1024", "text_kb: y")
    with pytest.raises(RuleBookError) as told:
        read_mix("mix.yaml", text)
    assert len(told.value.problems) == 2


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\x00", b"a: " + b"[" * 5000, b"x" * 2_000_000])
def test_no_content_is_a_hang_or_a_traceback(content: bytes) -> None:
    with pytest.raises(RuleBookError):
        read_mix("mix.yaml", content)


def test_the_mix_is_packaged_with_the_knowledge() -> None:
    assert Path("knowledge/mix.yaml").name in {path.name for path in (ROOT / "knowledge").iterdir()}
