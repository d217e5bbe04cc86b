"""``oomadvisor rules``: list, show, why, new, facts, docs, as a user runs them."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Here, run

MINE = """\
schema: 1
rules:
  - {id: drop-caches, override: true, title: Ours, params: {file_pages: 20}}
  - {id: swappiness, override: true, enabled: false}
  - id: on-others
    title: t
    kind: note
    applies: {kernel: ">=4.4", build: {highmem: false}}
    note: {topic: finding}
    explain: e
    when: [{incident: {}}]
  - id: on-highmem
    title: t
    kind: note
    applies: {build: {highmem: true}}
    note: {topic: finding}
    explain: e
    when: [{incident: {}}]
  - id: pair
    title: t
    kind: note
    note: {topic: finding}
    explain: e
    when:
      - zone: {name: Normal}
        as: one
      - zone: {name: Normal}
        as: two
"""


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mine")
    (folder / "a.yaml").write_text(MINE)
    return folder


def test_the_list_says_what_changed_a_rule(here: Here, mine: Path) -> None:
    ran = here("rules", "list", "--rules", str(mine), "--format", "json")
    rules = {row["id"]: row for row in json.loads(ran.out)}
    lines = [
        json.loads(line) for line in here("rules", "list", "--rules", str(mine), "--format", "jsonl").out.splitlines()
    ]
    assert lines == list(rules.values())
    assert rules["drop-caches"]["changed_by"] == [{"pack": str(mine), "place": f"{mine / 'a.yaml'}:3"}]
    assert (rules["swappiness"]["enabled"], rules["on-others"]["pack"]) == (False, str(mine))
    assert (rules["on-others"]["kernel"], rules["on-others"]["build"]) == (">=4.4", {"highmem": False})
    text = {line.split()[0]: line for line in here("rules", "list", "--rules", str(mine)).out.splitlines()}
    assert text["id"].split() == ["id", "kind", "applies", "to", "pack", "title", "state"]
    assert text["drop-caches"].endswith(f"changed by {mine / 'a.yaml'}:3")
    assert text["swappiness"].endswith(f"disabled by {mine / 'a.yaml'}:4")
    assert "kernel >=4.4, without HIGHMEM" in text["on-others"]
    assert here("rules", "list").out.splitlines()[0].split()[-1] == "title"


def test_show_tells_a_rule_as_it_is_in_use(here: Here, mine: Path) -> None:
    text = here("rules", "show", "drop-caches", "--rules", str(mine)).out
    assert text.splitlines()[:2] == ["drop-caches", "  Ours"]
    assert f"  changed by {mine / 'a.yaml'}:3" in text
    assert "\nPARAMETERS\n  file_pages = 20\n" in text
    record = json.loads(here("rules", "show", "drop-caches", "--rules", str(mine), "--format", "json").out)
    assert record["when"][0] == "memory with file_lru_pages < 20 and unmapped_cache_pages ≥ 0 (parameter file_pages)"
    assert record["refute"]["judged"] == "false"
    page = here("rules", "show", "lower-min-free-kbytes", "--format", "markdown").out
    assert page == (ROOT / "docs" / "rules" / "lower-min-free-kbytes.md").read_text()


@pytest.mark.parametrize("command", ["show", "why"])
def test_an_unknown_rule_is_2_with_the_nearest_name(here: Here, seed: str, command: str) -> None:
    ran = here("rules", command, "fragmantation", *([seed] if command == "why" else []))
    assert (ran.code, ran.out) == (2, "")
    assert "did you mean 'fragmentation'?" in ran.err


WHY = {
    "fragmentation": ("fired.", "holds  zone with eligible = true and high = fails_in_order_loop",
                      "Normal: eligible = true, high = fails_in_order_loop", "cause number 1: high confidence", "It fired 2 times:"),
    "lower-min-free-kbytes": ("fired.", "In the advice: fix number 1: certain"),
    "raise-min-free-kbytes": ("fired.", "In the advice: judged advice: false"),
    "why-so-many-cache-pages": ("fired.", "In the advice: note"),
    "slab-growth": ("did not fire.", "FAILS  memory with slab_permille ≥ 200", "slab_permille is 37",
                    "holds  incident with type one of oom, oom-panic"),
    "largest-slab-caches": ("did not fire.", "no slab is known"),
    "on-others": ("took no part.", "It is for kernel >=4.4; this is 2.6.31."),
    "on-highmem": ("took no part.", "It is for kernels built with HIGHMEM; this one is built without HIGHMEM."),
    "swappiness": ("took no part.", "It is disabled ("),
    "pair": ("did not fire.", "Each condition holds by itself, but not with a fact of its own for each."),
}  # fmt: skip


@pytest.mark.parametrize("rule", WHY)
def test_why(here: Here, seed: str, mine: Path, rule: str) -> None:
    ran = here("rules", "why", rule, seed, "--rules", str(mine))
    assert ran.code == 0
    outcome, *said = WHY[rule]
    assert ran.out.splitlines()[0].endswith(outcome)
    for words in said:
        assert words in ran.out
    document = json.loads(here("rules", "why", rule, seed, "--rules", str(mine), "--format", "json").out)
    assert (document["rule"], document["fired"]) == (rule, outcome == "fired.")
    assert bool(document["firings"]) == document["fired"]


def test_why_follows_what_a_rule_waits_for(here: Here) -> None:
    """An order-0 kill: the rule waits for a cause, and the cause says which of its own conditions failed."""
    report = "tests/reports/arm-2.6.31.12-order0-process-too-big.txt"
    ran = here("rules", "why", "high-order-operation", report)
    assert "did not fire." in ran.out.splitlines()[0]
    assert "FAILS  cause with name = fragmentation" in ran.out
    assert "What it waits for would come from fragmentation:" in ran.out
    assert "    fragmentation (cause, rules/fragmentation.yaml:4) did not fire." in ran.out
    assert "order is 0" in ran.out


@pytest.mark.parametrize("kind", ["cause", "fix", "refutation", "note"])
def test_a_new_rule_is_sound_and_its_test_is_to_be_filled_in(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "new.yaml"
    assert run("rules", "new", "my-rule", "--kind", kind, "-o", str(target)).code == 0
    assert run("rules", "check", str(target)).out == "1 sound rule, 0 errors, 0 warnings\n"
    ran = run("rules", "test", str(target))
    assert (ran.code, ran.out.splitlines()[-1]) == (1, "2 tests: 1 passed, 1 failed")
    text = target.read_text().replace("given: []", "given: [{memory: {slab_pages: 9000, slab_permille: 140}}]")
    target.write_text(text)
    assert run("rules", "test", str(target)).code == 0
    assert run("rules", "new", "my-rule", "-o", str(target)).code == 2  # it is there already


def test_a_new_rule_needs_a_usable_id(here: Here) -> None:
    for name in ("My_Rule", "a" * 81, "a b", "é"):
        ran = here("rules", "new", name)
        assert (ran.code, ran.out) == (2, "")
        assert "lower-case words joined by -" in ran.err


def test_facts_are_documented_in_three_forms(here: Here) -> None:
    text = here("rules", "facts").out
    document = json.loads(here("rules", "facts", "--format", "json").out)
    markdown = here("rules", "facts", "--format", "markdown").out
    for kind in document["kinds"]:
        assert f"\n{kind['name']}  (" in f"\n{text}"
        assert f"\n## {kind['name']}\n" in markdown
        for field in kind["fields"]:
            assert field["meaning"]
            assert f"    {field['name']} " in text
            assert f"| `{field['name']}` |" in markdown
    zone = next(kind for kind in document["kinds"] if kind["name"] == "zone")
    (free,) = (field for field in zone["fields"] if field["name"] == "free_pages")
    assert (free["type"], free["unit"], free["may_be_missing"]) == ("int", "pages", True)
    assert here("rules", "facts", "swap").out.startswith("swap  (one at most)\n")
    ran = here("rules", "facts", "zoen")
    assert (ran.code, "did you mean 'zone'?" in ran.err) == (2, True)


def test_docs_writes_pages_removes_stale_ones_and_leaves_others_alone(tmp_path: Path, mine: Path) -> None:
    folder = tmp_path / "pages"
    arguments = ("rules", "docs", str(folder), "--pack", str(mine), "--rules", str(mine))
    assert run(*arguments).code == 0
    names = {"README.md", "on-others.md", "on-highmem.md", "pair.md"}
    assert {path.name for path in folder.iterdir()} == names
    assert run(*arguments, "--check").code == 0
    (folder / "mine.md").write_text("my own")
    (folder / "gone.md").write_text((folder / "pair.md").read_text())
    (folder / "pair.md").write_text("changed")
    ran = run(*arguments, "--check")
    assert ran.code == 1
    assert {line.split(":")[0].rpartition("/")[2] for line in ran.err.splitlines()} == {"gone.md", "pair.md"}
    assert run(*arguments).code == 0
    assert {path.name for path in folder.iterdir()} == names | {"mine.md"}
    assert (folder / "mine.md").read_text() == "my own"
    assert run("rules", "docs", str(folder), "--pack", "nothing").code == 2
    assert run("rules", "docs", "/dev/null/x").code == 74
