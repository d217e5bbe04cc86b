"""The JSON Schema of rule files: good files pass, bad ones do not, and a real language server completes with it."""

import copy
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from oomadvisor.authoring.editor_schema import rule_file_schema
from oomadvisor.authoring.field_texts import TEXTS
from oomadvisor.authoring.skeleton import skeleton
from oomadvisor.book import kinds
from oomadvisor.rulebook.rule import RuleKind
from tests.cli.conftest import ROOT, Here

SCHEMA = rule_file_schema(kinds())
VALIDATOR = Draft7Validator(SCHEMA)
FILES = [*sorted((ROOT / "rules").glob("*.yaml")), *sorted((ROOT / "examples").glob("*/*/rules/*.yaml"))]

GOOD = """\
schema: 1
rules:
  - id: x
    title: t
    kind: cause
    derive: {confidence: high}
    explain: e
    params: {least: 3}
    applies: {kernel: "<4.4", arch: [arm], build: {highmem: false}}
    when:
      - zone: {eligible: true, free_pages: {ge: {param: least}, le: 9}, high: {one_of: [passes, unknown]}}
        as: z
      - any: [{not: {swap: {present: true}}}, {slab: {name: dentry}}]
      - reserve: {atomic_pages: {lt: {field: floor_pages}}}
    tests:
      - {name: a, given: [{zone: {name: DMA, free_pages: 3}}], fires: true, with: {least: 2}}
      - {name: b, report: x.txt, fires: false}
  - {id: y, override: true, params: {least: 4}}
"""


def valid(document: Any) -> bool:
    return bool(VALIDATOR.is_valid(document))


def test_it_is_a_schema() -> None:
    Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_rules_that_are_published_pass(path: Path) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(path.read_text()))] == []


@pytest.mark.parametrize("kind", ["cause", "fix", "refutation", "note"])
def test_the_skeletons_pass(kind: RuleKind) -> None:
    assert valid(yaml.safe_load(skeleton("my-rule", kind)))


def test_every_form_of_the_language_passes() -> None:
    assert valid(yaml.safe_load(GOOD))


WRONG = {
    "no schema": ("schema: 1\n", ""),
    "other schema": ("schema: 1", "schema: 2"),
    "unknown key at the top": ("rules:", "ruels:"),
    "unknown field of a rule": ("title:", "titel:"),
    "no title": ("    title: t\n", ""),
    "unknown kind of rule": ("kind: cause", "kind: reason"),
    "block of another kind": ("derive: {confidence: high}", "note: {topic: finding}"),
    "bad id": ("id: x", "id: Bad_Id"),
    "unknown kind of fact": ("- zone:", "- zoen:"),
    "unknown field of a fact": ("eligible:", "eligable:"),
    "text for a boolean": ("eligible: true", 'eligible: "true"'),
    "text for a number": ("le: 9", 'le: "9"'),
    "fraction": ("le: 9", "le: 9.5"),
    "unknown operator": ("le: 9", "lte: 9"),
    "order of booleans": ("eligible: true", "eligible: {lt: true}"),
    "unknown word": ("[passes, unknown]", "[pases, unknown]"),
    "kernel range": ('"<4.4"', '"4.4"'),
    "unknown build feature": ("highmem: false", "himem: false"),
    "when is a mapping": ("    when:\n      - zone:", "    when:\n      zone:"),
    "fires is missing": (", fires: false", ""),
    "unknown kind in a test": ("given: [{zone", "given: [{zones"),
    "wrong type in a test": ("free_pages: 3}", "free_pages: x}"),
    "null": ("explain: e", "explain: null"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_refused(name: str) -> None:
    old, new = WRONG[name]
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError:
        # The indentation no longer fits: give the mapping by hand.
        document = yaml.safe_load(GOOD)
        document["rules"][0]["when"] = {"zone": {}}
    assert not valid(document)


def test_a_rule_that_overrides_needs_nothing_but_its_id() -> None:
    document = yaml.safe_load(GOOD)
    document["rules"][1].pop("override")
    assert not valid(document)
    document["rules"][1]["override"] = False
    assert not valid(document)


def walk(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for one in schema.values():
            yield from walk(one)
    elif isinstance(schema, list):
        for one in schema:
            yield from walk(one)


def test_every_field_has_a_text_and_every_reference_a_target() -> None:
    for found in walk(SCHEMA):
        if "$ref" in found:
            assert found["$ref"].removeprefix("#/definitions/") in SCHEMA["definitions"]
    for name, one in SCHEMA["definitions"].items():
        if name in TEXTS:
            assert set(one["properties"]) == TEXTS[name].keys()
            assert all(field["description"] for field in one["properties"].values())


def test_the_command_prints_it(here: Here) -> None:
    assert json.loads(here("rules", "schema").out) == copy.deepcopy(SCHEMA)


def language_server(tmp_path: Path) -> list[str]:
    """Return the command of yaml-language-server: named, on the PATH, or installed when that is allowed."""
    named = os.environ.get("OOMADVISOR_YAML_LANGUAGE_SERVER")
    if named:
        return [named, "--stdio"]
    found = shutil.which("yaml-language-server")
    if found:
        return [found, "--stdio"]
    npm = shutil.which("npm")
    if os.environ.get("OOMADVISOR_TEST_NETWORK") != "1" or npm is None:
        pytest.skip("yaml-language-server is not here; OOMADVISOR_TEST_NETWORK=1 installs it with npm for this test")
    command = [npm, "install", "--no-audit", "--no-fund", "--silent", "--prefix", str(tmp_path), "yaml-language-server"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        pytest.skip(f"npm cannot install yaml-language-server: {done.stderr.strip()[-200:]}")
    return [str(tmp_path / "node_modules" / ".bin" / "yaml-language-server"), "--stdio"]


class Client:
    """The little of the language server protocol that an editor needs: over pipes, one message at a time."""

    def __init__(self, command: list[str], settings: dict[str, Any]) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.settings = settings
        self.last = 0
        self.diagnostics: dict[str, list[Any]] = {}
        self.request(
            "initialize", {"processId": None, "rootUri": None, "capabilities": {"workspace": {"configuration": True}}}
        )
        self.send("initialized", {})
        self.send("workspace/didChangeConfiguration", {"settings": settings})

    def send(self, method: str | None, params: Any, **more: Any) -> None:
        message = {"jsonrpc": "2.0", **({"method": method} if method else {}), **more}
        if method:
            message["params"] = params
        else:
            message["result"] = params
        body = json.dumps(message).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        length = 0
        while (line := self.process.stdout.readline()) != b"\r\n":
            if not line:
                raise EOFError("the language server ended, or was stopped for taking too long")
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        if "id" in message and "method" in message:
            items = message["params"].get("items", []) if isinstance(message["params"], dict) else []
            answer = [self.settings.get(item.get("section", "").split(".")[0]) for item in items]
            self.send(None, answer if message["method"] == "workspace/configuration" else None, id=message["id"])
        if message.get("method") == "textDocument/publishDiagnostics":
            self.diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
        return message

    def request(self, method: str, params: Any) -> Any:
        self.last += 1
        self.send(method, params, id=self.last)
        while True:
            message = self.receive()
            if message.get("id") == self.last and "method" not in message:
                return message["result"]


def test_an_editor_completes_explains_and_checks(tmp_path: Path) -> None:
    command = language_server(tmp_path)
    schema = tmp_path / "rules.schema.json"
    schema.write_text(json.dumps(SCHEMA))
    text = "# yaml-language-server: $schema=rules.schema.json\nschema: 1\nrules:\n  - id: x\n    title: t\n    kind: note\n    note: {topic: finding}\n    explain: e\n    when:\n      - zone:\n          free_pages: 3\n          \n"
    uri = (tmp_path / "mine.yaml").as_uri()
    settings = {"yaml": {"completion": True, "hover": True, "validate": True}}
    client = Client(command, settings)
    watch = threading.Timer(60, client.process.kill)
    watch.start()
    try:
        client.send(
            "textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": "yaml", "version": 1, "text": text}}
        )
        while uri not in client.diagnostics:  # then it has read the schema
            client.receive()
        place: dict[str, Any] = {"textDocument": {"uri": uri}, "position": {"line": 11, "character": 10}}
        found = client.request("textDocument/completion", place)
        labels = {item["label"] for item in found["items"]}
        assert {"eligible", "min_pages", "high"} <= labels
        assert "free_pages" not in labels  # it is there already
        place["position"] = {"line": 10, "character": 13}
        hover = client.request("textDocument/hover", place)
        assert "its free counter, in pages" in json.dumps(hover)
        broken = text.replace("free_pages: 3\n", 'free_pages: "3"\n')
        change = {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [{"text": broken}]}
        client.send("textDocument/didChange", change)
        while not client.diagnostics.get(uri):
            client.receive()
        assert {one["range"]["start"]["line"] for one in client.diagnostics[uri]} == {10}
    finally:
        watch.cancel()
        client.process.kill()
        client.process.communicate()
