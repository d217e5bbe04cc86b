"""What the commands print, and which part of a log they take."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from oomadvisor import __version__
from tests.cli.conftest import NEUTRAL, ROOT, SEED, Here, run, run_once

HEAVY = {"pydantic", "yaml", "rich", "oomadvisor.rulebook", "oomadvisor.parse", "oomadvisor.model"}


def imported(*arguments: str) -> set[str]:
    """Return the modules that a command imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "oomadvisor", *arguments],
        capture_output=True,
        text=True,
        env=NEUTRAL,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


@pytest.mark.parametrize("arguments", [("--version",), ("--help",)])
def test_small_questions_are_answered_without_the_heavy_rooms(arguments: tuple[str, ...]) -> None:
    loaded = imported(*arguments)
    assert "typer" in loaded
    assert loaded & HEAVY == set()


def test_the_list_of_incidents_needs_no_rules() -> None:
    assert imported("incidents", str(SEED)) & {"oomadvisor.rulebook", "rich", "yaml"} == set()


def test_version_names_the_engine_that_advises(seed: str) -> None:
    lines = dict(line.split(": ", 1) for line in run_once("--version").out.splitlines()[1:])
    assert run_once("--version").out.splitlines()[0] == f"oomadvisor {__version__}"
    assert lines["Python"].split()[1] == ".".join(map(str, sys.version_info[:3]))
    document = json.loads(run_once("advise", seed, "--format", "json").out)
    assert document["oomadvisor"] == {"version": __version__, "engine": lines["rule engine"]}


def test_without_durable_rules_the_matcher_gives_the_same_with_one_warning(tmp_path: Path, seed: str) -> None:
    """As where the extension was built without the flag that CPython 3.13 needs."""
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['durable_rules_engine'] = None")
    without = {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    ran = run("advise", seed, env=without)
    assert (ran.code, ran.out) == (0, run_once("advise", seed).out)
    assert ran.err.count("\n") == 1
    engine = run("--version", env=without).out.splitlines()[-1].removeprefix("rule engine: ")
    assert engine.startswith("plain matcher, because durable-rules does not load")
    assert engine in ran.err


@pytest.mark.parametrize(
    "command",
    [
        (),
        *((name,) for name in ("advise", "explain", "simulate", "facts", "incidents", "schema", "rules")),
        *(("rules", name) for name in ("list", "show", "check", "test", "why", "new", "facts", "schema", "docs")),
        *(("knowledge", *name) for name in ((), ("list",), ("show",), ("search",))),
    ],
    ids=" ".join,
)
def test_help_has_sentences_and_examples_that_work(command: tuple[str, ...]) -> None:
    ran = run_once(*command, "--help")
    assert (ran.code, ran.err) == (0, "")
    examples = [line.strip() for line in ran.out.partition("Examples:")[2].splitlines() if line.strip()]
    assert examples
    options = {word for line in examples for word in line.split() if word.startswith("--")}
    everything = run_once("advise", "--help").out + ran.out
    assert all(option in everything for option in options)
    described = " ".join(ran.out.partition("Options:")[0].split())
    assert described.split("Arguments:")[0].rstrip().endswith(".")


class TestSeveralIncidents:
    """A log with an OOM kill, a page allocation failure, and another OOM kill."""

    def test_incidents_lists_them(self, here: Here, three_incidents: Path) -> None:
        lines = here("incidents", str(three_incidents)).out.splitlines()
        size = len(SEED.read_text().splitlines())
        starts = [2, 2 + size + 5, 2 + 2 * (size + 5)]
        assert [line.split()[:5] for line in lines] == [
            ["number", "line", "time", "kind", "comm"],
            ["1", str(starts[0]), "-", "oom", "myshellscript"],
            ["2", str(starts[1]), "-", "alloc-failure", "netd"],
            ["3", str(starts[2]), "-", "oom", "othershell"],
        ]

    def test_jsonl_says_the_same(self, here: Here, three_incidents: Path) -> None:
        rows = [
            json.loads(line) for line in here("incidents", str(three_incidents), "--format", "jsonl").out.splitlines()
        ]
        assert [(row["number"], row["comm"], row["order"], row["gfp"]) for row in rows] == [
            (1, "myshellscript", 2, 0xD0),
            (2, "netd", 1, 0x20),
            (3, "othershell", 2, 0xD0),
        ]
        assert list(rows[0]) == (
            ["file", "number", "line", "time", "kind", "comm", "order", "zone", "gfp", "kernel", "victim", "cause"]
        )
        # GFP_KERNEL, and the seed's box has no HighMem.
        assert [row["zone"] for row in rows] == ["Normal"] * 3
        assert {row["file"] for row in rows} == {str(three_incidents)}

    def test_several_logs_are_one_list_with_the_file_and_the_cause(
        self, here: Here, three_incidents: Path, seed: str
    ) -> None:
        alone = here("incidents", seed, "--causes").out.splitlines()
        assert alone[0].split()[-1] == "cause"
        assert "file" not in alone[0]
        cause = json.loads(here("advise", seed, "--format", "json").out)["incidents"][0]["causes"][0]["title"]
        assert alone[1].endswith(cause)
        both = here("incidents", str(three_incidents), seed).out.splitlines()
        assert [line.split()[:2] for line in both] == [
            ["file", "number"],
            *([str(three_incidents), str(number)] for number in (1, 2, 3)),
            [seed, "1"],
        ]

    def test_text_shows_the_first_and_lists_the_others(self, here: Here, three_incidents: Path) -> None:
        shown = here("advise", str(three_incidents)).out
        head, _, tail = shown.partition("2 more in this log")
        assert "myshellscript" in head
        assert "othershell" not in head
        assert [line.split()[0] for line in tail.splitlines()[2:]] == ["number", "2", "3"]

    def test_an_event_is_shown_rather_than_a_picture_of_the_memory(self, here: Here, tmp_path: Path, seed: str) -> None:
        report = Path(seed).read_text()
        picture = "".join(line for line in report.splitlines(keepends=True)[20:])
        log = tmp_path / "sysrq.log"
        log.write_text("SysRq : Show Memory\nMem-info:\n" + picture + "box is idle\n" * 5 + report)
        shown = here("advise", str(log)).out
        assert shown.startswith("OOM kill")
        assert "incident 2 of 2" in " ".join(shown.split())
        assert "mem-info" in shown
        assert here("advise", str(log), "--incident", "1").out.startswith("Memory report")

    def test_one_can_be_picked(self, here: Here, three_incidents: Path) -> None:
        shown = here("advise", str(three_incidents), "--incident", "3").out
        assert "othershell" in shown.partition("2 more in this log")[0]

    def test_all_shows_every_one_in_full(self, here: Here, three_incidents: Path) -> None:
        shown = here("advise", str(three_incidents), "--all").out
        assert shown.count("WHAT HAPPENED") == 3
        assert "more in this log" not in shown

    def test_markdown_does_as_text_does(self, here: Here, three_incidents: Path) -> None:
        shown = here("advise", str(three_incidents), "--format", "markdown").out
        assert shown.count("\n## What happened\n") == 1
        assert "## 2 more in this log" in shown

    def test_json_has_all_of_them_or_the_one(self, here: Here, three_incidents: Path) -> None:
        every = json.loads(here("advise", str(three_incidents), "--format", "json").out)
        assert [one["kind"] for one in every["incidents"]] == ["oom", "alloc-failure", "oom"]
        one = json.loads(here("advise", str(three_incidents), "--format", "json", "--incident", "2").out)
        assert one["incidents"] == [every["incidents"][1]]
        assert one["incidents_found"] == every["incidents_found"] == 3

    def test_a_picked_incident_gets_the_advice_it_gets_alone(
        self, here: Here, three_incidents: Path, seed: str
    ) -> None:
        alone = json.loads(here("advise", seed, "--format", "json").out)["incidents"][0]
        among = json.loads(here("advise", str(three_incidents), "--format", "json", "--incident", "1").out)[
            "incidents"
        ][0]
        for key in ("summary", "verdict", "operations", "memory", "tunables"):
            if key != "tunables":
                assert among[key] == alone[key]
        assert [(fix["id"], fix["verification"]["class"]) for fix in among["fixes"]] == [
            (fix["id"], fix["verification"]["class"]) for fix in alone["fixes"]
        ]

    def test_facts_are_one_document_each(self, here: Here, three_incidents: Path) -> None:
        first = here("facts", str(three_incidents))
        assert "3 incidents" in first.err
        documents = list(yaml.safe_load_all(here("facts", str(three_incidents), "--all").out))
        assert len(documents) == 3
        assert documents[0] == yaml.safe_load(first.out)


@pytest.mark.parametrize("how", ["stdin", "gz", "gz on stdin", "windows line ends"])
def test_a_log_may_come_in_many_ways(how: str, tmp_path: Path, seed: str) -> None:
    log = tmp_path / "log"
    content = SEED.read_bytes()
    wanted = run_once("facts", seed).out
    if how == "stdin":
        ran = run("facts", "-", stdin=content)
    elif how == "gz on stdin":
        ran = run("facts", "-", stdin=gzip.compress(content))
    else:
        log = log.with_suffix(".gz" if how == "gz" else ".txt")
        log.write_bytes(gzip.compress(content) if how == "gz" else content.replace(b"\n", b"\r\n"))
        ran = run("facts", str(log))
    assert (ran.code, ran.err, ran.out) == (0, "", wanted)


def test_facts_are_yaml_that_a_rule_test_can_hold(here: Here, seed: str) -> None:
    facts = yaml.safe_load(here("facts", seed).out)
    request = next(fact["request"] for fact in facts if "request" in fact)
    assert (request["order"], request["operation"], request["workload"]) == (2, "exec", "fork+exec")


def test_a_sysctl_file_takes_the_place_of_what_was_inferred(here: Here, tmp_path: Path, seed: str) -> None:
    sysctl = tmp_path / "sysctl.txt"
    sysctl.write_text("vm.min_free_kbytes = 4162\nvm.swappiness = 60\n")
    document = json.loads(here("advise", seed, "--format", "json", "--sysctl", str(sysctl)).out)
    known = document["incidents"][0]["tunables"]["vm.min_free_kbytes"]
    assert (known["low"], known["high"], known["from"], known["origin"]) == (4162, 4162, "observed", f"{sysctl}:1")


def test_the_proc_files_can_stand_alone(here: Here, tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:         246276 kB\nMemFree:           39992 kB\nCached:           106364 kB\n")
    document = json.loads(here("advise", "--proc", str(meminfo), "--format", "json").out)
    (incident,) = document["incidents"]
    assert incident["kind"] == "mem-info"
    assert incident["memory"]["free_pages"] == 9998


def test_a_kernel_can_be_named(here: Here, seed: str) -> None:
    document = json.loads(here("advise", seed, "--kernel", "2.6.31.12", "--format", "json").out)
    assert document["incidents"][0]["kernel"]["from"] == "option"
    assert document["incidents"][0]["kernel"]["version"] == "2.6.31.12"


class TestRules:
    """The rule book from outside."""

    RULE = """\
schema: 1
rules:
  - id: my-own-cause
    kind: cause
    title: A cause of my own
    when:
      - request: {order: {ge: 1}}
    derive: {confidence: low, role: background}
    explain: Order {{request.order}}.
"""

    def test_list(self, here: Here) -> None:
        rows = [json.loads(line) for line in here("rules", "list", "--format", "jsonl").out.splitlines()]
        assert {"cause", "fix", "refutation", "note"} == {row["kind"] for row in rows}
        text = here("rules", "list").out.splitlines()
        assert [line.split()[0] for line in text[1:]] == [row["id"] for row in rows]

    def test_check_finds_the_built_in_rules_sound(self, here: Here) -> None:
        ran = here("rules", "check")
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.splitlines()[-1].endswith(" sound rules, 0 errors, 0 warnings")

    def test_check_accepts_a_built_in_file_by_name(self, here: Here) -> None:
        ran = here("rules", "check", "rules/fragmentation.yaml")
        sound = (ROOT / "rules" / "fragmentation.yaml").read_text().count("\n  - id: ")
        assert (ran.code, ran.out) == (0, f"{sound} sound rules, 0 errors, 0 warnings\n")

    def test_a_rule_of_ones_own_takes_part(self, here: Here, tmp_path: Path, seed: str) -> None:
        (tmp_path / "mine.yaml").write_text(self.RULE)
        assert here("rules", "check", str(tmp_path)).code == 0
        document = json.loads(here("advise", seed, "--rules", str(tmp_path), "--format", "json").out)
        own = next(cause for cause in document["incidents"][0]["causes"] if cause["id"] == "my-own-cause")
        assert own["explanation"] == "Order 2."

    def test_check_prints_every_problem_with_its_place(self, here: Here, tmp_path: Path) -> None:
        broken = tmp_path / "broken.yaml"
        broken.write_text(self.RULE.replace("order: {ge", "oder: {ge") + "    colour: red\n")
        ran = here("rules", "check", str(broken))
        assert (ran.code, ran.err) == (3, "")
        places = [line.split(" ")[0] for line in ran.out.splitlines() if line.startswith(str(broken))]
        assert places == [f"{broken}:7:19:", f"{broken}:10:5:"]
        assert "did you mean 'order'?" in ran.out
        assert ran.out.splitlines()[-1].endswith("2 errors, 0 warnings")


def test_the_schemas_are_printed(here: Here) -> None:
    for document in ("advice", "explain"):
        schema = json.loads(here("schema", document).out)
        assert schema["properties"]["schema"]["const"] == f"oomadvisor/{document}/1"
    assert here("schema").out == here("schema", "advice").out
