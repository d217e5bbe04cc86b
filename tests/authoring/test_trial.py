"""``rules test``: what passes, what fails and why, where reports are found, and the forms of the results."""

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from oomadvisor.authoring.pages import pages
from oomadvisor.authoring.trial import Session, run_tests
from oomadvisor.authoring.trial_results import as_json, as_junit, as_text
from oomadvisor.book import kinds, read_origins
from oomadvisor.knowledge import sources
from oomadvisor.packs import Origins, builtin_pack, folder_pack
from oomadvisor.rulebook.book import Pack
from oomadvisor.rulebook.load import require
from tests.cli.conftest import ROOT, SEED, Here, run

RULE = """\
schema: 1
rules:
  - id: big-slab
    title: Much slab
    kind: note
    when:
      - memory: {slab_permille: {ge: {param: least}}}
      - not: {swap: {present: true}}
    params: {least: 100}
    note: {topic: finding}
    explain: "{{memory.slab_permille|percent}}"
    sources: [ours]
    tests:
"""


def session_of(folder: Path, files: frozenset[str] | None = None) -> Session:
    packs = [builtin_pack(), folder_pack(str(folder))]
    wanted = files or frozenset(name for name, _ in packs[1].files)
    return run_tests(packs, kinds(), lambda some: require(read_origins(Origins(tuple(some)))), wanted)


def written(folder: Path, *tests: str) -> Session:
    (folder / "a.yaml").write_text(RULE + "".join(f"      - {test}\n" for test in tests))
    return session_of(folder)


def test_all_tests_of_the_built_in_rules_pass_and_none_is_missing() -> None:
    found = run_tests([builtin_pack()], kinds(), lambda some: require(read_origins(Origins(tuple(some)))))
    assert as_text(found, coverage=True).splitlines()[:-1] == ["every rule has a positive and a negative test"]
    assert found.failed == 0
    assert len(found.trials) >= 2 * len(require(read_origins(Origins((builtin_pack(),)))).rules)


@pytest.mark.parametrize(
    ("test", "status", "said"),
    [
        ("{name: t, given: [{memory: {slab_permille: 100}}], fires: true}", "passed", ()),
        ("{name: t, given: [{memory: {slab_permille: 99}}], fires: false}", "passed", ()),
        ("{name: t, given: [{memory: {slab_permille: 99}}], fires: true, with: {least: 99}}", "passed", ()),
        (
            "{name: t, given: [{memory: {slab_permille: 99}}], fires: true}",
            "failed",
            ("it did not fire, and should", "FAILS  memory with slab_permille ≥ 100", "         slab_permille is 99",
             "holds  no swap with present = true", "         there is none"),
        ),
        (
            "{name: t, given: [{memory: {slab_permille: 300}}, {swap: {present: true}}], fires: true}",
            "failed",
            ("it did not fire, and should", "holds  memory with slab_permille ≥ 100",
             "         memory: slab_permille = 300 (parameter least = 100)",
             "FAILS  no swap with present = true", "         swap: present = true"),
        ),
        (
            "{name: t, given: [{memory: {slab_permille: 300}}], fires: false}",
            "failed",
            ("it fired, and should not", "holds  memory with slab_permille ≥ 100",
             "         memory: slab_permille = 300 (parameter least = 100)",
             "holds  no swap with present = true", "         there is none"),
        ),
        ("{name: t, given: [{memory: {slab_pages: 9}}], fires: true}", "failed",
         ("it did not fire, and should", "FAILS  memory with slab_permille ≥ 100", "         slab_permille is not known",
          "holds  no swap with present = true", "         there is none")),
    ],
)  # fmt: skip
def test_one_test(tmp_path: Path, test: str, status: str, said: tuple[str, ...]) -> None:
    (trial,) = written(tmp_path, test).trials
    assert (trial.status, trial.reasons, trial.place) == (status, said, f"{tmp_path / 'a.yaml'}:14")


def test_a_report_is_looked_up_beside_the_file_then_among_the_examples(tmp_path: Path) -> None:
    ask = "{name: t, report: %s, fires: false}"
    shutil.copy(SEED, tmp_path / "mine.txt")
    (tmp_path / "empty.txt").write_text("nothing\n")
    (tmp_path / "folder.txt").mkdir()
    names = ["mine.txt", SEED.name, "nowhere.txt", "empty.txt", "folder.txt"]
    trials = written(tmp_path, *(ask % name for name in names)).trials
    assert [trial.status for trial in trials] == ["passed", "passed", "error", "error", "error"]
    assert trials[2].reasons == (
        f"no report 'nowhere.txt' lies beside {tmp_path / 'a.yaml'} or among the examples that come with oomadvisor",
    )
    assert "holds no incident" in trials[3].reasons[0]
    assert "no plain file" in trials[4].reasons[0]


def test_on_a_report_all_rules_take_part_and_those_for_other_kernels_do_not(tmp_path: Path) -> None:
    head = RULE[: RULE.index("    when:")].replace("big-slab", "%s")
    tail = "    note: {topic: finding}\n    explain: e\n    sources: [s]\n    when: [{cause: {name: fragmentation}}]\n"
    test = f"    tests: [{{name: t, report: {SEED.name}, fires: true}}]\n"
    later = head.replace("schema: 1\nrules:\n", "") % "for-others"
    (tmp_path / "a.yaml").write_text(
        head % "here" + tail + test + later + tail + '    applies: {kernel: "<2.6.30"}\n' + test
    )
    here, elsewhere = session_of(tmp_path).trials
    assert here.status == "passed"
    assert elsewhere.status == "failed"
    assert elsewhere.reasons == ("it takes no part: for kernel <2.6.30; this is 2.6.31",)


def test_a_test_speaks_of_the_rule_as_its_own_pack_has_it() -> None:
    """An override that changes a threshold does not break the tests of the pack below."""
    base = Pack(
        "base", [("base.yaml", RULE + "      - {name: t, given: [{memory: {slab_permille: 100}}], fires: true}\n")]
    )
    text = "schema: 1\nrules:\n  - {id: big-slab, override: true, params: {least: 900}%s}\n"
    load = lambda some: require(read_origins(Origins(tuple(some))))  # noqa: E731
    assert [one.status for one in run_tests([base, Pack("o", [("o", text % "")])], kinds(), load).trials] == ["passed"]
    own = ", tests: [{name: u, given: [{memory: {slab_permille: 100}}], fires: true}]"
    trials = run_tests([base, Pack("o", [("o", text % own)])], kinds(), load).trials
    assert [(one.name, one.status) for one in trials] == [("t", "passed"), ("u", "failed")]


def test_what_is_not_covered_is_listed(tmp_path: Path) -> None:
    session = written(tmp_path, "{name: t, given: [{memory: {slab_permille: 100}}], fires: true}")
    assert f"{tmp_path / 'a.yaml'}:3: big-slab has no negative test\n" in as_text(session, coverage=True)
    assert "negative" not in as_text(session, coverage=False)
    ran = run("rules", "test", str(tmp_path))
    assert (ran.code, ran.out) == (0, "1 test: 1 passed, 0 failed\n")
    assert run("rules", "test", str(tmp_path), "--coverage").code == 1


def test_the_forms_say_the_same(tmp_path: Path) -> None:
    session = written(
        tmp_path,
        "{name: good, given: [{memory: {slab_permille: 100}}], fires: true}",
        '{name: "bad <&\\u0001", given: [{memory: {slab_permille: 1}}], fires: true}',
        "{name: lost, report: nowhere, fires: true}",
    )
    statuses = ["passed", "failed", "error"]
    assert [one["status"] for one in json.loads(as_json(session))["tests"]] == statuses
    root = ElementTree.fromstring(as_junit(session).encode())
    (suite,) = root
    assert suite.attrib == {"name": str(tmp_path / "a.yaml"), "tests": "3", "failures": "1", "errors": "1"}
    assert [[child.tag for child in case] for case in suite] == [[], ["failure"], ["error"]]
    assert suite[1].attrib["name"] == "bad <&\ufffd"
    assert as_text(session, coverage=False).splitlines()[-1] == "3 tests: 1 passed, 1 failed, 1 could not be run"


def test_the_command_exits_with_1_for_a_failure_and_3_for_a_broken_file(tmp_path: Path) -> None:
    written(tmp_path, "{name: bad, given: [{memory: {slab_permille: 1}}], fires: true}")
    ran = run("rules", "test", str(tmp_path / "a.yaml"), "--format", "junit", "-o", str(tmp_path / "r.xml"))
    assert (ran.code, ran.out) == (1, "")
    assert ElementTree.parse(tmp_path / "r.xml").getroot()[0].attrib["failures"] == "1"
    (tmp_path / "a.yaml").write_text(RULE.replace("slab_permille", "slab_permill"))
    ran = run("rules", "test", str(tmp_path))
    assert (ran.code, ran.out) == (3, "")
    assert "did you mean 'slab_permille'" in ran.err


@pytest.mark.parametrize("name", ["/etc/hostname", "~/x"])
def test_a_report_outside_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.yaml").write_text(RULE + f'      - {{name: t, report: "{name}", fires: true}}\n')
    ran = run("rules", "check", str(tmp_path))
    assert ran.code == 3
    assert "a.yaml:14:27: error[bad-test]: a report is named by a relative path" in ran.out


def test_the_committed_pages_are_what_the_rules_say() -> None:
    rules = require(read_origins(Origins((builtin_pack(),)))).rules
    folder = ROOT / "docs" / "rules"
    wanted = pages(rules, sources())
    have = {path.name: path.read_text() for path in folder.glob("*.md")}
    stale = {name for name in wanted.keys() | have.keys() if wanted.get(name) != have.get(name)}
    assert not stale, "run: make rule-docs"


def test_the_committed_reference_of_facts_is_what_the_kinds_say(here: Here) -> None:
    written_now = here("rules", "facts", "--format", "markdown").out
    assert (ROOT / "docs" / "rule-facts.md").read_text() == written_now, "run: make rule-docs"
