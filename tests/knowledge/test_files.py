"""The files of knowledge/: their shape, and that nothing in them points nowhere or is pointed at by nothing."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from oomadvisor import knowledge
from oomadvisor.book import load_book
from oomadvisor.knowledge.entry import Fact
from oomadvisor.knowledge.files import read
from oomadvisor.knowledge.reference import entries, named
from oomadvisor.resources import resource_dir
from tests.knowledge.file_shapes import SHAPES

VECTORS = json.loads((Path(__file__).parent / "sysctls.json").read_text())


def test_every_file_has_a_shape() -> None:
    assert {path.stem for path in resource_dir("knowledge").glob("*.yaml")} == set(SHAPES)


@pytest.mark.parametrize("name", SHAPES)
def test_a_file_has_its_shape(name: str) -> None:
    SHAPES[name].model_validate_json(json.dumps(read(name)))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("knobs", {"knobs": {"swappiness": 2.6}}),
        ("knobs", {"knobs": {"swappiness": "2.6.12"}}),
        ("knobs", {"knobs": {"swappiness": "6.18..2.6.12"}}),
        ("knobs", {"knobs": {"swappiness": "2.6.12..later"}}),
        ("knobs", {"knops": {}}),
        ("call-sites", {"call_sites": [{"id": "x", "any_of": "", "group": "g", "what": "a thing", "source": "here"}]}),
        (
            "call-sites",
            {"call_sites": [{"id": "x", "any_of": "a, b", "group": "g", "what": "a thing", "source": "here"}]},
        ),
        ("evidence", {"evidence": [{"id": "x", "trials": "7", "state": "seed", "text": "text", "source": "runs"}]}),
        ("sources", {"sources": {"Not An Id": "text"}}),
        ("symbols", {"schema": 2}),
    ],
)
def test_a_wrong_shape_is_refused(name: str, change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SHAPES[name].model_validate_json(json.dumps({**read(name), **change}))


def test_every_source_that_is_cited_is_listed_and_every_listed_one_is_cited() -> None:
    cited = {source for entry in entries() for source in entry.sources}
    assert cited <= knowledge.sources().keys()
    by_rules = {source for rule in load_book(()).rules for source in rule.sources}
    assert knowledge.sources().keys() - cited - by_rules == set()


def test_general_knowledge_is_called_unsure() -> None:
    assert [e.name for e in entries() if "general-knowledge" in e.sources and not e.unsure] == []


@pytest.mark.parametrize("name", ["compaction", "memory.oom_control", "yaffs2", "yaffs2-fs", "lab126-lines"])
def test_what_the_specification_is_unsure_of_is_called_unsure(name: str) -> None:
    assert all(entry.unsure for entry in named(name))
    assert named(name)


def test_what_an_entry_points_at_exists() -> None:
    lost = [(e.name, other) for e in entries() for other in e.see if not any(o.name == other for o in named(other))]
    assert lost == []


def test_measurements_that_a_text_cites_exist() -> None:
    cited = [
        (entry.name, name)
        for entry in entries()
        for group in re.findall(r"\(measured: ([^)]*)\)", entry.text)
        for name in group.split(", ")
    ]
    assert len(cited) > 10
    assert [(where, name) for where, name in cited if name not in knowledge.measured_rates()] == []


def test_each_measurement_is_an_entry_with_its_numbers() -> None:
    shown = {entry.name: entry.text for entry in entries() if isinstance(entry, Fact) and entry.topic == "measurement"}
    assert shown.keys() == knowledge.measured_rates().keys()
    assert "15 of 15" not in shown["drop-caches"]
    assert "0 of 15 (95 % interval 0.0 to 20.4 %)" in shown["drop-caches"]


class TestKnobsAgainstTheTreesThatWereRead:
    """sysctls.json is our own extract of some 80 kernel trees: first and last version, default, range, condition."""

    def test_marked_knobs_are_listed_knobs(self) -> None:
        content = read("knobs")
        assert {*content["in_test"].split(), *content["vendor_only"].split()} <= content["knobs"].keys()

    def test_the_same_knobs(self) -> None:
        assert {f"vm.{name}" for name in VECTORS} == set(knowledge.knobs())

    @pytest.mark.parametrize("name", VECTORS)
    def test_first_and_last_version(self, name: str) -> None:
        knob, row = knowledge.knobs()[f"vm.{name}"], VECTORS[name]
        assert knob.since == knowledge.version_tuple(row["first_seen"])
        assert knob.until == knowledge.version_tuple(row["last_seen"])
        assert knob.vendor_only == row["vendor_only"]
