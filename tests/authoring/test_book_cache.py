"""Rules from the cache are the rules that were read; what is wrong with the cache costs nothing but time."""

import json
import os
import random
from dataclasses import replace
from pathlib import Path

import pytest

from oomadvisor import book_cache
from oomadvisor.book import book_for_advice, load_book
from oomadvisor.packs import origins
from oomadvisor.rulebook.codec import decoded, encoded
from oomadvisor.rulebook.rule import Rule
from tests.cli.conftest import Ran, run
from tests.rulebook.fuzz import Generator

MINE = """\
schema: 1
rules:
  - id: mine
    title: {0}
    kind: fix
    applies: {{kernel: "<4.4", arch: [arm], build: {{highmem: false}}}}
    when:
      - any: [{{zone: {{name: {{param: zone}}, free_pages: {{ge: 1, le: 9}}}}, as: z}}, {{slab: {{name: x}}, as: z}}]
      - not: {{swap: {{present: true}}}}
      - reserve: {{atomic_pages: {{lt: {{field: floor_pages}}}}}}
    params: {{zone: DMA}}
    fix:
      kind: sysctl
      repairs: symptom
      cost: low
      risk: low
      changes:
        - {{sysctl: vm.min_free_kbytes, to: {{largest_passing: high, in: every-zone, at_most: default, operation: workload}}}}
        - {{free: {{from: tmpfs, mb: 4}}}}
        - {{operation: vfork+exec}}
        - {{task: realtime}}
        - {{unsimulated: something else}}
      undo: u
      conflicts_with: [lower-min-free-kbytes]
    explain: e
    tags: [a, b]
    sources: [s]
"""


def bare(rule: Rule) -> Rule:
    return replace(rule, tests=(), test_places=())


def test_every_rule_comes_back_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(MINE.format("t"))
    random_rules = [rule for seed in range(30) for rule in Generator(random.Random(seed)).rules(30)[0]]
    for rule in (*load_book([str(tmp_path)]).rules, *random_rules):
        back = decoded(json.loads(json.dumps(encoded(rule))))
        assert back == bare(rule)
        assert type(back.applies.kernel) is type(rule.applies.kernel)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text(MINE.format("first"))
    return {"XDG_CACHE_HOME": str(tmp_path / "cache"), "XDG_CONFIG_HOME": str(tmp_path / "config")}


def title(tmp_path: Path, env: dict[str, str]) -> str:
    return book_for_advice([str(tmp_path / "rules")], env)["mine"].title


def kept(tmp_path: Path) -> Path:
    (file,) = (tmp_path / "cache" / "oomadvisor").iterdir()
    return file


def test_the_second_time_nothing_is_checked(tmp_path: Path, env: dict[str, str]) -> None:
    assert title(tmp_path, env) == "first"
    place = book_cache.place_of(origins([str(tmp_path / "rules")], env), env)
    assert place is not None
    assert place.file == kept(tmp_path)
    found = book_cache.read(place)
    assert found is not None
    assert found.rules == tuple(map(bare, load_book([str(tmp_path / "rules")]).rules))
    assert kept(tmp_path).stat().st_mode & 0o777 == 0o600


def test_a_change_of_rules_or_configuration_counts_at_once(tmp_path: Path, env: dict[str, str]) -> None:
    assert title(tmp_path, env) == "first"
    (tmp_path / "rules" / "a.yaml").write_text(MINE.format("secnd"))
    assert title(tmp_path, env) == "secnd"
    (tmp_path / "config" / "oomadvisor").mkdir(parents=True)
    (tmp_path / "config" / "oomadvisor" / "config.yaml").write_text("schema: 1\ndisable: [mine]\n")
    assert not book_for_advice([str(tmp_path / "rules")], env)["mine"].enabled
    (tmp_path / "config" / "oomadvisor" / "config.yaml").write_text("schema: 1\n")
    assert book_for_advice([str(tmp_path / "rules")], env)["mine"].enabled


@pytest.mark.parametrize("part", [0, 1, 50, 200, 0.5, 0.999])
def test_a_file_that_is_cut_short_is_not_used(tmp_path: Path, env: dict[str, str], part: float) -> None:
    title(tmp_path, env)
    file = kept(tmp_path)
    whole = file.read_bytes()
    file.write_bytes(whole[: int(part if part >= 1 else part * len(whole))])
    assert title(tmp_path, env) == "first"
    assert file.read_bytes() == whole


def test_a_file_with_another_content_is_not_used(tmp_path: Path, env: dict[str, str]) -> None:
    title(tmp_path, env)
    file = kept(tmp_path)
    file.write_bytes(file.read_bytes().replace(b"first", b"other"))
    assert title(tmp_path, env) == "first"


def test_a_file_whose_digest_is_right_but_whose_content_is_no_book_is_not_used(
    tmp_path: Path, env: dict[str, str]
) -> None:
    title(tmp_path, env)
    place = book_cache.place_of(origins([str(tmp_path / "rules")], env), env)
    assert place is not None
    for payload in (b"", b"{}", b"[1]", b"[[]]", b'[["a"]]', b"[" * 100_000, b"[[[],[],[],[null,[],{}],{}]]"):
        place.file.write_bytes(book_cache._head(place.key, payload) + payload)
        assert title(tmp_path, env) == "first"


def test_where_no_cache_can_be_written_everything_works(tmp_path: Path, env: dict[str, str]) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert title(tmp_path, env) == "first"
    assert title(tmp_path, {"XDG_CONFIG_HOME": "/nonexistent"}) == "first"
    assert title(tmp_path, {**env, "XDG_CACHE_HOME": "/dev/null"}) == "first"


def test_old_files_are_removed(tmp_path: Path, env: dict[str, str]) -> None:
    for number in range(book_cache.KEPT + 5):
        folder = tmp_path / f"rules{number}"
        folder.mkdir()
        (folder / "a.yaml").write_text(MINE.format("t"))
        book_for_advice([str(folder)], env)
    assert len(list((tmp_path / "cache" / "oomadvisor").iterdir())) == book_cache.KEPT


def test_rules_with_errors_are_never_kept(tmp_path: Path, env: dict[str, str]) -> None:
    (tmp_path / "rules" / "a.yaml").write_text(MINE.format("first").replace("explain: e", "explain: 1"))
    ran = [advise(tmp_path, env) for _ in range(2)]
    assert [one.code for one in ran] == [3, 3]
    assert not (tmp_path / "cache").exists()


def advise(tmp_path: Path, env: dict[str, str]) -> Ran:
    return run("advise", "examples/seed-2.6.31-arm-order2.txt", "--rules", str(tmp_path / "rules"), env=env)


def test_the_advice_is_the_same_with_and_without_the_cache(tmp_path: Path, env: dict[str, str]) -> None:
    first, second = advise(tmp_path, env), advise(tmp_path, env)
    assert os.listdir(tmp_path / "cache" / "oomadvisor")
    assert first.code == 0
    assert first == second
