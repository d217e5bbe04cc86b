"""Rule files that mean harm: each ends in time and in little memory, with a message, and none runs code."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from oomadvisor.book import kinds, load_book
from oomadvisor.facts.kinds import SlabFact
from oomadvisor.rulebook.engine import Backend, Engine
from tests.cli.conftest import NEUTRAL, ROOT

SECONDS = 20  # of CPU; the machine that runs the tests may be slow, a hang is a hang all the same
MEMORY = 700 << 20
RULE = """\
  - id: {id}
    title: t
    kind: note
    note: {{topic: finding}}
    explain: {explain}
    sources: [s]
    when:
      - {when}
"""
HEAD = "schema: 1\nrules:\n"


def rule(rule_id: str = "x", explain: str = "e", when: str = "incident: {type: oom}") -> str:
    return RULE.format(id=rule_id, explain=explain, when=when)


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def check(folder: Path) -> tuple[int, str]:
    """Check the rule files of ``folder`` in a process that may use little; return exit code and output."""
    done = subprocess.run(
        [sys.executable, "-m", "oomadvisor", "rules", "check", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=folder,
        env={**NEUTRAL, "PYTHONPATH": str(ROOT)},
        preexec_fn=limit,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def bomb(depth: int = 12) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, depth)]
    return "\n".join(lines)


FILES: dict[str, tuple[Callable[[], str], str]] = {
    "a bomb of aliases": (lambda: bomb(), "alias"),
    "merge keys": (lambda: HEAD + "  - &a {id: x}\n  - {<<: *a}\n", "anchor"),
    "a tag that would make an object": (lambda: "!!python/object/apply:os.system ['touch was-here']\n", "tag"),
    "a tag inside a rule": (lambda: HEAD + rule(explain="!!python/name:os.system x"), "tag"),
    "brackets 100 000 deep": (lambda: "[" * 100_000, "too-deep"),
    "mappings 100 000 deep": (lambda: "{a: " * 100_000, "too-deep"),
    "indents 1000 deep": (lambda: "".join(f"{' ' * n}a:\n" for n in range(1000)), "too-deep"),
    "a list of 200 000": (lambda: HEAD + "  - " + "[" + "1," * 200_000 + "1]\n", "too-many-nodes"),
    "a key of 500 000 characters": (lambda: HEAD + f"  - {{{'k' * 500_000}: 1}}\n", ""),
    "a number of 900 000 digits": (lambda: "schema: " + "9" * 900_000 + "\n", "error["),
    "a text of 900 000 characters": (lambda: HEAD + rule(explain="e" * 900_000), "text-too-long"),
    "3000 rules in a file": (lambda: HEAD + "".join(f"  - {{id: r{n}, override: true}}\n" for n in range(3000)), "too-many-rules"),
    "2000 rules with one id": (lambda: HEAD + "  - {id: same}\n" * 2000, "duplicate-id"),
    "2000 unknown fields": (lambda: HEAD + "  - {id: x, " + ", ".join(f"q{n}: 1" for n in range(2000)) + "}\n", "unknown-field"),
    "conditions that multiply": (
        lambda: HEAD + rule(when="any: [" + ", ".join(["{incident: {type: oom}}"] * 16) + "]") + "      - any: [" + ", ".join(["{request: {order: 1}}"] * 16) + "]\n",
        "too-many-branches",
    ),
    "a comparison with 1000 values": (lambda: HEAD + rule(when=f"request: {{order: {{one_of: {list(range(1000))}}}}}"), "bad-size"),
    "a regular expression": (lambda: HEAD + rule(when='task: {name: {matches: "(a+)+$"}}'), "regex"),
    "a text like a regular expression": (lambda: HEAD + rule(when='task: {name: "(a+)+$"}') , ""),
    "control characters": (lambda: HEAD + rule(explain="a\x1b[2Jb"), "control-character"),
    "NUL": (lambda: HEAD + "\0", "control-character"),
}  # fmt: skip

TEMPLATES = {
    "attribute": "{{memory.__class__}}",
    "attribute of an attribute": "{{memory.free_pages.__class__.__mro__}}",
    "call": "{{memory.free_pages()}}",
    "item": "{{memory['free_pages']}}",
    "builtin": "{{__import__('os').system('id')}}",
    "loop": "{% for x in range(1000000000) %}a{% endfor %}{{x.y}}",
    "arithmetic": "{{memory.free_pages * 1000000000}}",
    "repetition": "{{'a' * 10000000000}}",
    "filter": "{{memory.free_pages|attr('x')}}",
    "format": "{{memory.free_pages:>1000000000}}",
    "nested": "{{ {{memory.free_pages}} }}",
    "unknown": "{{nothing.at_all}}",
    "origin": "{{memory.origin}}",
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_refused_or_harmless(tmp_path: Path, name: str) -> None:
    make, code = FILES[name]
    (tmp_path / "x.yaml").write_text(make())
    returned, told = check(tmp_path)
    assert returned == (3 if code else returned)
    assert code in told, told[:2000]
    assert len(told) < 300_000
    assert sorted(os.listdir(tmp_path)) == ["x.yaml"]  # and nothing was run


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_can_only_read_fields(tmp_path: Path, name: str) -> None:
    explain = f'"{TEMPLATES[name]}"'
    (tmp_path / "x.yaml").write_text(HEAD + rule(explain=explain, when="memory: {}"))
    returned, told = check(tmp_path)
    assert returned == 3
    assert told.count("error[") == told.count(f"{tmp_path / 'x.yaml'}:7:") == 1, told


def test_many_templates_stay_small(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(HEAD + rule(explain="'" + "{{incident.type}}" * 1000 + "'"))
    assert check(tmp_path)[0] == 0


def test_100_mb_are_not_read(tmp_path: Path) -> None:
    with (tmp_path / "x.yaml").open("wb") as file:
        file.truncate(100 << 20)
    begin = time.monotonic()
    returned, told = check(tmp_path)
    assert (returned, "file-too-large" in told) == (3, True)
    assert time.monotonic() - begin < 10


def test_what_is_no_file_is_passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    (tmp_path / "zero.yaml").symlink_to("/dev/zero")
    returned, told = check(tmp_path)
    assert (returned, "error[no-rule-files]" in told) == (3, True)
    (tmp_path / "x.yaml").write_text(HEAD + rule())
    returned, told = check(tmp_path)
    assert (returned, told.splitlines()[-1]) == (0, "1 sound rule, 0 errors, 1 warning")


def test_thousands_of_rules_in_many_files(tmp_path: Path) -> None:
    for number in range(5):
        rules = (rule(f"r{number}-{n}", when=f"memory: {{free_pages: {{ge: {n}}}}}") for n in range(1000))
        (tmp_path / f"{number}.yaml").write_text(HEAD + "".join(rules))
    returned, told = check(tmp_path)
    assert returned == 0, told[:1000]
    assert told.splitlines()[-1].startswith("5000 sound rules, 0 errors")


def test_a_chain_and_a_circle_of_1000_rules(tmp_path: Path) -> None:
    def causes(first: str) -> str:
        whens = [first, *(f"cause: {{name: r{n}}}" for n in range(999))]
        return HEAD + "".join(
            rule(f"r{n}", when=when).replace("kind: note", "kind: cause").replace("note: {topic: finding}", "derive: {confidence: low}")
            for n, when in enumerate(whens)
        )  # fmt: skip

    (tmp_path / "x.yaml").write_text(causes("incident: {}"))
    assert check(tmp_path)[0] == 0
    (tmp_path / "x.yaml").write_text(causes("cause: {name: r999}"))
    returned, told = check(tmp_path)
    assert (returned, told.count("error[")) == (3, 1)
    assert "x.yaml:10:9: error[never-fires]: rules that each wait for what another derives: r0, r1, r2, r3, r4" in told


@pytest.mark.parametrize("backend", ["durable", "matcher"])
def test_10_000_facts(backend: Backend) -> None:
    facts = [
        SlabFact(name=f"cache-{n}", pages=n, ram_permille=n % 1000, objects=n, object_bytes=8, largest=n == 1)
        for n in range(10_000)
    ]
    begin = time.process_time()
    found = Engine(load_book().rules, kinds(), backend=backend).infer(facts)
    assert {firing.rule_id for firing in found.firings} == {"largest-slab-caches"}
    assert len(found.firings) == sum(fact.ram_permille >= 5 for fact in facts if fact.ram_permille is not None)
    assert time.process_time() - begin < SECONDS
