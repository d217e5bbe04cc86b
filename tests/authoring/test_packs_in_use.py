"""Where rules come from for a user: packs, folders, environment, configuration; and who wins."""

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
import yaml

from oomadvisor.packs import config_home, origins
from oomadvisor.rulebook.errors import RuleBookError
from tests.cli.conftest import ROOT, Ran, run

PACK = ROOT / "examples" / "pack-jffs2"
OVER = "schema: 1\nrules:\n  - {{id: drop-caches, override: true, title: {0}}}\n"
NOTE = """\
schema: 1
rules:
  - id: {0}
    title: t
    kind: note
    note: {{topic: finding}}
    explain: e
    when: [{{incident: {{}}}}]
"""


def listed(ran: Ran) -> dict[str, dict[str, object]]:
    assert ran.code == 0, ran.err
    return {row["id"]: row for row in json.loads(ran.out)}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "config" / "oomadvisor"
    (folder / "rules").mkdir(parents=True)
    return folder


def ask(home: Path, *arguments: str, **env: str) -> Ran:
    return run(*arguments, env={"XDG_CONFIG_HOME": str(home.parent), **env})


def test_the_later_origin_wins(home: Path, tmp_path: Path) -> None:
    folders = {"env": tmp_path / "env", "option": tmp_path / "option", "config": tmp_path / "named"}
    for name, folder in {**folders, "home": home / "rules"}.items():
        folder.mkdir(exist_ok=True)
        (folder / "over.yaml").write_text(OVER.format(name))
    titles = []
    config = home / "config.yaml"
    for given in ([], ["config"], ["config", "env"], ["config", "env", "option"]):
        config.write_text(f"schema: 1\nrules: [{folders['config']}]\n" if "config" in given else "schema: 1\n")
        env = {"OOMADVISOR_RULES": str(folders["env"])} if "env" in given else {}
        options = ["--rules", str(folders["option"])] if "option" in given else []
        rule = listed(ask(home, "rules", "list", "--format", "json", *options, **env))["drop-caches"]
        titles.append(rule["title"])
        assert rule["pack"] == "builtin"
    assert titles == ["home", "config", "env", "option"]
    assert [one["place"] for one in rule["changed_by"]] == [  # type: ignore[attr-defined]
        f"{folder / 'over.yaml'}:3" for folder in (home / "rules", folders["config"], folders["env"], folders["option"])
    ]


def test_several_folders_in_the_environment(home: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.yaml").write_text(NOTE.format(f"mine-{name}"))
    both = os.pathsep.join(str(tmp_path / name) for name in ("a", "b"))
    rules = listed(ask(home, "rules", "list", "--format", "json", OOMADVISOR_RULES=both))
    assert {"mine-a", "mine-b"} <= rules.keys()


def test_the_configuration_disables_and_sets_thresholds(home: Path) -> None:
    (home / "config.yaml").write_text("schema: 1\ndisable: [swappiness]\nparams:\n  drop-caches: {file_pages: 512}\n")
    rules = listed(ask(home, "rules", "list", "--format", "json"))
    assert (rules["swappiness"]["enabled"], rules["drop-caches"]["enabled"]) == (False, True)
    text = ask(home, "rules", "list").out
    assert f"disabled by {home / 'config.yaml'}:2" in text
    assert f"changed by {home / 'config.yaml'}:4" in text
    shown = ask(home, "rules", "show", "drop-caches", "--format", "json")
    assert json.loads(shown.out)["params"] == {"file_pages": 512}
    advice = json.loads(ask(home, "advise", "examples/seed-2.6.31-arm-order2.txt", "--format", "json").out)
    (incident,) = advice["incidents"]
    assert "swappiness" not in {one["rule"] for one in incident["refuted"]}


CONFIGS = {
    "unknown field": ("schema: 1\n‹disabled: [a]\n", "unknown-field", "did you mean 'disable'?"),
    "unknown rule": (
        "schema: 1\ndisable: [swappiness, ‹swapiness]\n",
        "nothing-to-override",
        "did you mean 'swappiness'?",
    ),
    "unknown rule with params": (
        "schema: 1\nparams:\n  ‹drop-cache: {file_pages: 1}\n",
        "nothing-to-override",
        "drop-caches",
    ),
    "unknown parameter": ("schema: 1\nparams:\n  drop-caches: {‹file_page: 1}\n", "unknown-param", "file_pages"),
    "wrong type": ("schema: 1\nparams:\n  drop-caches: {file_pages: ‹yes}\n", "yaml-trap", "write true"),
    "a text for a number": ('schema: 1\nparams:\n  drop-caches: {file_pages: ‹"1"}\n', "wrong-type", ""),
    "not a mapping": ("‹- a\n", "wrong-type", "schema: 1"),
    "no schema": ("‹rules: []\n", "missing-field", "schema: 1"),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_wrong_configuration_is_told_at_its_place(home: Path, name: str) -> None:
    marked, code, hint = CONFIGS[name]
    (home / "config.yaml").write_text(marked.replace("‹", ""))
    before = marked[: marked.index("‹")]
    place = f"{home / 'config.yaml'}:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
    ran = ask(home, "advise", "examples/seed-2.6.31-arm-order2.txt")
    assert (ran.code, ran.out) == (3, "")
    told = [line for line in ran.err.splitlines() if "error[" in line]
    assert len(told) == 1, ran.err
    assert f"error[{code}]" in told[0]
    assert hint in told[0]
    if name != "a text for a number":  # the condition that the parameter stands in is what cannot take it
        assert told[0].startswith(place), told


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"OOMADVISOR_RULES": "/nowhere"}, "/nowhere: error[no-such-folder]: a folder with rule files (*.yaml) was expected here (named in OOMADVISOR_RULES)"),
        ({"OOMADVISOR_RULES": "/dev/zero"}, "/dev/zero: error[no-such-folder]"),
    ],
)  # fmt: skip
def test_an_unusable_place_is_named(home: Path, env: dict[str, str], said: str) -> None:
    ran = ask(home, "rules", "list", **env)
    assert (ran.code, ran.out) == (3, "")
    assert said in ran.err


def test_a_configuration_that_is_no_text_is_told(home: Path) -> None:
    (home / "config.yaml").write_bytes(b"\xff\xfe\x00")
    ran = ask(home, "rules", "list")
    assert ran.code == 3
    assert "error[not-utf8]" in ran.err


def test_where_the_configuration_lies() -> None:
    assert config_home({"XDG_CONFIG_HOME": "/x", "HOME": "/h"}) == Path("/x/oomadvisor")
    assert config_home({"XDG_CONFIG_HOME": "relative", "HOME": "/h"}) == Path("/h/.config/oomadvisor")
    assert config_home({"HOME": "/h"}) == Path("/h/.config/oomadvisor")
    assert config_home({}) is None


def declare(folder: Path, name: str, value: str) -> None:
    """Put a distribution into ``folder`` that declares a pack."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[oomadvisor.rules]\n{name} = {value}\n")


def test_an_installed_pack_is_read_and_its_code_is_not_run(home: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    package = site / "evil_pack"
    (package / "deep" / "er").mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('code of a pack was run')\n")
    (package / "deep" / "er" / "x.yaml").write_text(NOTE.format("from-a-pack"))
    declare(site, "evil", "evil_pack:deep.er")
    path = f"{site}{os.pathsep}{ROOT}"
    rules = listed(ask(home, "rules", "list", "--format", "json", PYTHONPATH=path))
    assert rules["from-a-pack"]["pack"] == "evil"
    (home / "config.yaml").write_text("schema: 1\nwithout_packs: [evil]\n")
    assert "from-a-pack" not in listed(ask(home, "rules", "list", "--format", "json", PYTHONPATH=path))


@pytest.mark.parametrize(
    "value", ["no_such_package:rules", "json:no_such_folder", "json:/etc", "json:..", "/etc", ".", ":"]
)
def test_an_installed_pack_without_a_folder_is_told_with_a_way_out(home: Path, tmp_path: Path, value: str) -> None:
    declare(tmp_path / "site", "gone", value)
    ran = ask(home, "rules", "list", PYTHONPATH=f"{tmp_path / 'site'}{os.pathsep}{ROOT}")
    assert ran.code == 3
    assert "gone: error[no-such-folder]" in ran.err
    assert "without_packs: [gone]" in ran.err


def test_too_many_files_and_too_large_a_folder_are_refused(tmp_path: Path) -> None:
    many, large = tmp_path / "many", tmp_path / "large"
    many.mkdir()
    large.mkdir()
    for number in range(1001):
        (many / f"{number}.yaml").touch()
    for number in range(5):
        (large / f"{number}.yaml").write_bytes(b"#" * 1_000_000)
    for folder, code in ((many, "too-many-files"), (large, "folder-too-large")):
        with pytest.raises(RuleBookError) as caught:
            origins([str(folder)], {})
        assert [one.code for one in caught.value.problems] == [code]


def test_a_file_of_the_users_may_be_called_as_a_built_in_one(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "slab.yaml").write_text(NOTE.format("Bad_Id"))
    ran = run("rules", "check", "rules/slab.yaml", cwd=tmp_path)
    assert (ran.code, ran.out.splitlines()[0].split(" ")[:2]) == (3, ["./rules/slab.yaml:3:9:", "error[bad-name]:"])
    assert ran.out.splitlines()[-1] == "0 sound rules, 1 error, 0 warnings"


def test_of_named_files_only_their_own_warnings_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(NOTE.format("mine"))
    ran = run("rules", "check", str(tmp_path / "a.yaml"), "--format", "json")
    document = json.loads(ran.out)
    assert (ran.code, document["rules"]) == (0, 1)
    assert [(one["line"], one["column"], one["severity"], one["code"]) for one in document["problems"]] == [
        (3, 9, "warning", "no-sources"),
        (3, 9, "warning", "no-test"),
    ]


def test_github_gets_workflow_commands(tmp_path: Path) -> None:
    (tmp_path / "a,b.yaml").write_text(NOTE.format("mine").replace("incident", "incidnt"))
    ran = run("rules", "check", str(tmp_path), "--format", "github")
    assert ran.code == 3
    assert ran.out.splitlines() == [
        f"::error file={tmp_path}/a%2Cb.yaml,line=8,col=13,title=unknown-kind::"
        "no kind of fact is called 'incidnt'; did you mean 'incident'?"
    ]


def test_the_example_pack_installs_with_pip_into_a_fresh_environment(tmp_path: Path) -> None:
    """Without the network, unless OOMADVISOR_TEST_NETWORK=1 lets pip fetch what builds the pack."""
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=True)
    python = str(environment / "bin" / "python")
    source = tmp_path / "pack"
    shutil.copytree(PACK, source)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    network = os.environ.get("OOMADVISOR_TEST_NETWORK") == "1"
    options = [] if network else ["--no-index", "--no-build-isolation"]
    built = subprocess.run([*pip, *options, str(source)], capture_output=True, text=True, check=False)
    if built.returncode and not network:
        pytest.skip(
            "pip lacks setuptools 70.1 or wheel to build a pack offline; OOMADVISOR_TEST_NETWORK=1 fetches them"
        )
    assert built.returncode == 0, built.stderr
    # The dependencies come from this environment, the pack from the fresh one.
    mine = next(path for path in sys.path if path.endswith("site-packages"))
    (next((environment / "lib").glob("python*/site-packages")) / "here.pth").write_text(f"{mine}\n{ROOT}\n")
    command = [python, "-m", "oomadvisor", "rules", "list", "--format", "json"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path, env={"XDG_CONFIG_HOME": "/nonexistent"}
    )
    assert done.returncode == 0, done.stderr
    packs = {row["id"]: row["pack"] for row in json.loads(done.stdout)}
    assert {packs[rule] for rule in ("jffs2-metadata", "jffs2-fewer-nodes", "jffs2-drop-caches")} == {"jffs2"}


def test_the_hooks_for_pre_commit_are_commands_that_work() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert [hook["id"] for hook in hooks] == ["oomadvisor-rules-check", "oomadvisor-rules-test"]
    for hook in hooks:
        program, *arguments = hook["entry"].split()
        assert program == "oomadvisor"
        ran = run(*arguments, str(PACK / "oomadvisor_pack_jffs2" / "rules"))
        assert (ran.code, ran.err) == (0, "")


def test_only_the_built_in_rules_must_have_sources_and_tests() -> None:
    assert [pack.proofs for pack in origins([str(PACK / "oomadvisor_pack_jffs2" / "rules")], {}).packs] == [
        "error",
        "warning",
    ]


def test_the_example_pack_is_sound_and_tested() -> None:
    folder = str(PACK / "oomadvisor_pack_jffs2" / "rules")
    assert run("rules", "check", folder).out == "3 sound rules, 0 errors, 0 warnings\n"
    assert run("rules", "test", folder, "--coverage").code == 0
