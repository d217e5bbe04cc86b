"""The guide for authors says what is so: its rules are sound, and no field of the language is left out."""

import re
from pathlib import Path

import pytest

from oomadvisor.authoring.field_texts import TEXTS
from oomadvisor.rulebook.settings import read_settings
from oomadvisor.rulebook.template import FILTERS
from tests.cli.conftest import ROOT, run

GUIDE = (ROOT / "docs" / "rules.md").read_text()
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
FILES = [block for block in BLOCKS if block.startswith("schema: 1\n") and "disable:" not in block]
CONFIGS = [block for block in BLOCKS if "disable:" in block]


@pytest.mark.parametrize("number", range(len(FILES)))
def test_the_rules_of_the_guide_are_sound_and_tested(tmp_path: Path, number: int) -> None:
    (tmp_path / "x.yaml").write_text(FILES[number])
    ran = run("rules", "check", str(tmp_path))
    assert ", 0 errors, 0 warnings" in ran.out, ran.out
    ran = run("rules", "test", str(tmp_path), "--coverage")
    assert ran.code == 0, ran.out


def test_there_are_such_blocks() -> None:
    assert (len(FILES), len(CONFIGS)) == (4, 1)


def test_the_configuration_of_the_guide_can_be_read() -> None:
    settings = read_settings("config.yaml", CONFIGS[0].encode())
    assert settings.problems == ()
    assert settings.folders == ("/srv/oom-rules",)
    assert len(settings.tables) == 2


def test_the_message_in_the_tutorial_is_what_the_command_says(tmp_path: Path) -> None:
    (tmp_path / "my-rules").mkdir()
    file = tmp_path / "my-rules" / "flash.yaml"
    file.write_text(FILES[0].replace("ram_permille: {ge", "ram_permile: {ge"))
    told = run("rules", "check", "my-rules/", cwd=tmp_path).out
    assert told in GUIDE
    file.write_text(FILES[0].replace("ram_permille: 38,", "ram_permille: 15,"))
    assert run("rules", "test", "my-rules/", "--coverage", cwd=tmp_path).out in GUIDE


def test_every_field_of_the_language_is_in_the_guide() -> None:
    words = set(re.findall(r"[\w-]+", GUIDE))
    assert {field for fields in TEXTS.values() for field in fields} - words == set()


def test_every_filter_is_in_the_guide() -> None:
    assert all(f"`{name}`" in GUIDE for name in FILTERS)


def test_every_code_of_a_problem_is_in_the_guide() -> None:
    """Codes are what messages carry; those of files and folders as a whole say by themselves what to do."""
    source = "\n".join(path.read_text() for path in (ROOT / "oomadvisor" / "rulebook").glob("*.py"))
    known = set(
        re.findall(
            r'(?:error|warn|at|at_key|warn_at|tell)\([^()"]*?(?:\([^()]*\)[^()"]*?)*"([a-z0-9]+(?:-[a-z0-9]+)+)"',
            source,
        )
    )
    assert len(known) > 30
    explained = set(re.findall(r"`([a-z0-9-]+)`", GUIDE))
    by_themselves = {code for code in known if code.startswith(("too-", "book-", "file-", "text-", "empty-", "bad-"))}
    assert known - explained - by_themselves == set()
