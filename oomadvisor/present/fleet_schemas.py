"""The JSON Schemas of what is said of a fleet. Reading them needs none of the packages that fleets need."""

import json
from pathlib import Path
from typing import Any, Literal

FleetDocument = Literal["fleet-report", "fleet-solve", "fleet-grid"]


def fleet_schema(document: FleetDocument) -> dict[str, Any]:
    """Return the JSON Schema of a document of :mod:`oomadvisor.present.fleet_json`."""
    schema: dict[str, Any] = json.loads(
        (Path(__file__).parent / "schema" / f"{document}-1.json").read_text(encoding="utf-8")
    )
    return schema
