"""What is said of a fleet as JSON has the published shape, whatever is asked."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from oomadvisor.present.fleet_schemas import FleetDocument, fleet_schema
from tests.cli.conftest import Here, run
from tests.cli.conftest import here as here  # a fixture

VALUE = ("--knob", "vm.min_free_kbytes")
RATIO = ("--knob", "vm.lowmem_reserve_ratio[DMA]")
DOCUMENTS: tuple[FleetDocument, ...] = ("fleet-report", "fleet-solve", "fleet-grid")
ASKED: tuple[tuple[FleetDocument, tuple[str, ...]], ...] = (
    ("fleet-report", ("report",)),
    ("fleet-report", ("report", "--by", "label:firmware", "--by", "zone")),
    ("fleet-solve", ("solve", *VALUE)),
    ("fleet-solve", ("solve", *RATIO)),
    ("fleet-solve", ("solve", *VALUE, "--value", "8192")),
    ("fleet-solve", ("solve", *VALUE, "--floor", "0")),
    ("fleet-solve", ("solve", *VALUE, "--where", "kind = 'mem-info'")),
    ("fleet-grid", ("solve", *VALUE, *RATIO)),
)


@pytest.mark.parametrize(("document", "asked"), ASKED, ids=[" ".join(asked) for _, asked in ASKED])
def test_the_answer_has_the_published_shape(
    document: FleetDocument, asked: tuple[str, ...], fleet_folder: Path, here: Here
) -> None:
    pytest.importorskip("duckdb", reason="the extra 'fleet' is not installed (make fleet)")
    ran = here("fleet", asked[0], str(fleet_folder), *asked[1:], "--format", "json")
    assert ran.out, ran.err
    found = json.loads(ran.out)
    assert [error.message for error in Draft202012Validator(fleet_schema(document)).iter_errors(found)] == []
    assert found["schema"] == f"oomadvisor/{document}/1"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_schema_is_valid_closed_described_and_printed(document: FleetDocument) -> None:
    schema = fleet_schema(document)
    Draft202012Validator.check_schema(schema)
    assert json.loads(run("schema", document).out) == schema
    for part in objects(schema):
        assert part.get("additionalProperties") is not None
        assert all("$ref" in one or one.get("description") for one in part.get("properties", {}).values())


def objects(part: Any) -> list[dict[str, Any]]:
    """Every object that a schema describes."""
    if isinstance(part, list):
        return [found for one in part for found in objects(one)]
    if not isinstance(part, dict):
        return []
    own = [part] if part.get("type") == "object" else []
    return own + [found for one in part.values() for found in objects(one)]
