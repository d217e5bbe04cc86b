"""The JSON documents and their schemas hold each other to the same shape."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft202012Validator

from oomadvisor import model
from oomadvisor.model import Advice
from oomadvisor.present.json import advice_json, advice_schema, dumps, explain_json, explain_schema
from tests.present.advices import ADVICES

ADVICE = Draft202012Validator(advice_schema())
EXPLAIN = Draft202012Validator(explain_schema())

# The parts that are closed on purpose to everything but names from outside; docs/json.md lists them.
OPEN_KEYS = {"tunables", "values", "numbers"}


def objects(schema: Any, path: str = "$") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every sub-schema of type object, with its place."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield path, schema
        for key, value in schema.items():
            yield from objects(value, f"{path}.{key}")
    elif isinstance(schema, list):
        for n, value in enumerate(schema):
            yield from objects(value, f"{path}[{n}]")


@pytest.mark.parametrize(
    ("schema", "open_keys"), [(advice_schema(), OPEN_KEYS), (explain_schema(), {"tunables"})], ids=["advice", "explain"]
)
def test_the_schema_is_valid_and_closed(schema: dict[str, Any], open_keys: set[str]) -> None:
    Draft202012Validator.check_schema(schema)
    assert {
        path.rsplit(".", 1)[-1] for path, one in objects(schema) if one["additionalProperties"] is not False
    } == open_keys
    for path, one in objects(schema):
        assert set(one.get("required", ())) == set(one.get("properties", ())), path


def test_every_key_is_described_with_its_unit() -> None:
    schema = advice_schema()
    for path, one in objects(schema):
        for key, value in one.get("properties", {}).items():
            target = schema["$defs"][value["$ref"].rsplit("/", 1)[-1]] if "$ref" in value else {}
            said = value.get("description") or target.get("description", "")
            assert said.endswith((".", "?")), f"{path}.{key}"
            if key.endswith("_pages") and value.get("type") != "array":
                assert "page" in said.lower() or "reserve" in said.lower(), f"{path}.{key}"


# Parts of the model whose fields all go into the document under their own names.
WHOLE: dict[str, type[model.Frozen]] = {
    "memory": model.Memory,
    "swap": model.Swap,
    "build": model.Build,
    "headroom": model.Headroom,
    "measured": model.Measured,
    "memcg": model.MemcgUsage,
    "marks": model.Marks,
    "note": model.RuleNote,
    "cause": model.Cause,
    "skipped_rule": model.Skipped,
    "warning": model.Warning_,
    "tunable": model.Tunable,
}


@pytest.mark.parametrize("name", WHOLE)
def test_the_schema_knows_every_field_of_the_model(name: str) -> None:
    fields = set(WHOLE[name].model_fields)
    if name == "tunable":  # its name is the key, and "source" is called "from" as everywhere in the document
        fields = fields - {"name", "source"} | {"from"}
    assert set(advice_schema()["$defs"][name]["properties"]) == fields


# Advices are large: a failing one is not made smaller, that takes minutes.
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(ADVICES)
def test_every_advice_fits_the_schema_and_survives_as_text(advice: Advice) -> None:
    for validator, document in ((ADVICE, advice_json(advice)), (EXPLAIN, explain_json(advice))):
        assert [error.json_path for error in validator.iter_errors(document)] == []
        assert json.loads(dumps(document)) == document
        assert list(json.loads(dumps(document))["incidents"][0]) == list(document["incidents"][0])


def no_floats(value: object) -> bool:
    if isinstance(value, dict | list):
        return all(no_floats(v) for v in (value.values() if isinstance(value, dict) else value))
    return not isinstance(value, float)


def one_of_each(value: Any) -> Any:
    """The document with one entry left in every list that had several, so that it is quick to check."""
    if isinstance(value, dict):
        return {key: one_of_each(v) for key, v in value.items()}
    return [one_of_each(v) for v in value[:1]] if isinstance(value, list) else value


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every key in the document."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if isinstance(value, dict):
            yield (*path, key)
        yield from places(inner, (*path, key))


def at(document: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


class TestSeed:
    """The document of the seed report."""

    def test_it_fits_the_schemas(self, seed_advice: Advice) -> None:
        assert [error.json_path for error in ADVICE.iter_errors(advice_json(seed_advice))] == []
        assert [error.json_path for error in EXPLAIN.iter_errors(explain_json(seed_advice))] == []
        assert not ADVICE.is_valid(explain_json(seed_advice))

    def test_its_numbers_are_whole(self, seed_advice: Advice) -> None:
        assert no_floats(advice_json(seed_advice))

    def test_every_mutation_is_refused(self, seed_advice: Advice) -> None:
        document = one_of_each(advice_json(seed_advice))
        assert ADVICE.is_valid(document)
        for path in places(document):
            if OPEN_KEYS & set(path[:-1]):
                continue
            without = copy.deepcopy(document)
            del at(without, path[:-1])[path[-1]]
            assert not ADVICE.is_valid(without), f"without {path}"
            renamed = copy.deepcopy(without)
            at(renamed, path[:-1])[f"{path[-1]}_"] = at(document, path)
            assert not ADVICE.is_valid(renamed), f"renamed {path}"
            wrong = copy.deepcopy(document)
            at(wrong, path[:-1])[path[-1]] = 1.5
            assert not ADVICE.is_valid(wrong), f"1.5 at {path}"

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (("incidents", 0, "verdict", 0, "zone"), "Normal"),
            (("incidents", 0, "request", "operation"), "exec"),
            (("incidents", 0, "request", "order"), 2),
            (("incidents", 0, "request", "gfp_mask"), 0xD0),
            (("incidents", 0, "kernel", "version"), "2.6.31"),
            (("incidents", 0, "line"), 1),
            (("incidents_found",), 1),
        ],
    )
    def test_what_the_report_says(self, seed_advice: Advice, path: tuple[str | int, ...], value: object) -> None:
        document = advice_json(seed_advice)
        if path[2:3] == ("verdict",):
            assert value in {verdict["zone"] for verdict in at(document, path[:3])}
        else:
            assert at(document, path) == value

    def test_the_verdict_at_min_to_the_page(self, seed_advice: Advice) -> None:
        verdicts = advice_json(seed_advice)["incidents"][0]["verdict"]
        at_min = {v["zone"]: v for v in verdicts if v["mark"] == "min" and v["order"] == 2}
        numbers = {
            zone: tuple(v[k] for k in ("pass", "failed_at_order", "remaining", "bound", "short_by_pages"))
            for zone, v in at_min.items()
        }
        assert numbers == {"DMA": (False, 2, 97, 97, 1), "Normal": (False, 2, 133, 162, 30)}

    def test_the_largest_passing_values(self, seed_advice: Advice) -> None:
        """The exact values for vm.min_free_kbytes that were confirmed on the real kernel."""
        operations = {op["id"]: op for op in advice_json(seed_advice)["incidents"][0]["operations"]}
        exec_ = {(t["zone"], t["mark"]): t["largest"] for t in operations["exec"]["thresholds"]}
        assert [exec_["DMA", mark] for mark in ("min", "low", "high")] == [4139, 3319, 2763]
        assert [exec_["Normal", mark] for mark in ("min", "low", "high")] == [3407, 2727, 2271]
        both = {(t["zone"], t["mark"]): t["largest"] for t in operations["fork+exec"]["thresholds"]}
        assert both[None, "min"] == 3967
