"""Declarations of kinds, and the facts themselves."""

from typing import Any, ClassVar, Literal

import pytest
from pydantic import Field, ValidationError, create_model

from oomadvisor.model.base import Origin
from oomadvisor.rulebook.kinds import INT_MAX, TEXT_MAX, Fact, KindError, fields_of, kind_registry
from tests.rulebook.toy import KINDS, TaskFact, ZoneFact


def declare(fields: dict[str, Any], kind: str = "thing", meaning: str = "A thing.") -> type[Fact]:
    cls = create_model("Thing", __base__=Fact, **fields)
    cls.kind, cls.meaning = kind, meaning
    return cls


DESCRIBED = Field(description="d")


def test_what_rules_can_see_of_a_field() -> None:
    fields = KINDS["zone"].fields
    assert fields["free_pages"].type == "int"
    assert fields["free_pages"].unit == "pages"
    assert fields["free_pages"].required
    assert not fields["fill_permille"].required
    assert fields["high"].words == ("passes", "fails_in_order_loop", "fails_at_order0")
    assert fields["high"].type == "text"
    assert fields["eligible"].type == "bool"
    assert fields["name"].examples == ("DMA",)
    assert not {"origin", "key", "kind"} & fields.keys()


def test_a_registry_has_causes_and_knows_what_is_bounded_and_derived() -> None:
    assert KINDS["cause"].derived
    assert KINDS["pressure"].derived
    assert not KINDS["zone"].derived
    assert KINDS["zone"].bounded
    assert not KINDS["task"].bounded
    assert list(KINDS) == ["request", "zone", "swap", "task", "slab", "pressure", "incident", "cause"]


@pytest.mark.parametrize(
    ("classes", "fault"),
    [
        ([declare({"a": (float, DESCRIBED)})], "int, bool, str or Literal"),
        ([declare({"a": (list[int], DESCRIBED)})], "int, bool, str or Literal"),
        ([declare({"a": (int | str, DESCRIBED)})], "int, bool, str or Literal"),
        ([declare({"a": (Literal[1, 2], DESCRIBED)})], "int, bool, str or Literal"),
        ([declare({"a": (int, ...)})], "no description"),
        ([declare({"id": (int, DESCRIBED)})], "not a usable field name"),
        ([declare({"sid": (int, DESCRIBED)})], "not a usable field name"),
        ([declare({"Upper": (int, DESCRIBED)})], "not a usable field name"),
        ([declare({"a": (int, DESCRIBED)}, kind="absent")], "not a usable name"),
        ([declare({"a": (int, DESCRIBED)}, kind="$start")], "not a usable name"),
        ([declare({"a": (int, DESCRIBED)}, kind="any")], "not a usable name"),
        ([declare({"a": (int, DESCRIBED)}, kind="cause")], "declared twice"),
        ([declare({"a": (int, DESCRIBED)}, meaning=" ")], "no meaning"),
        ([declare({f"f{n}": (int, DESCRIBED) for n in range(101)})], "101 fields"),
        ([declare({"a": (int, DESCRIBED)}, kind=f"k{n}") for n in range(200)], "201 kinds"),
        ([ZoneFact, ZoneFact], "declared twice"),
    ],
)
def test_a_declaration_that_rules_cannot_carry_is_refused(classes: list[type[Fact]], fault: str) -> None:
    with pytest.raises(KindError, match=fault):
        kind_registry(classes)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(KindError) as caught:
        kind_registry([declare({"a": (float, ...), "sid": (int, DESCRIBED)})])
    assert len(caught.value.faults) == 3


def test_scopes_are_checked_like_kinds() -> None:
    with pytest.raises(KindError):
        fields_of(declare({"a": (float, DESCRIBED)}))


@pytest.mark.parametrize(
    "values",
    [{"free_pages": True}, {"free_pages": "5"}, {"free_pages": 5.0}, {"eligible": 1}, {"name": 5}, {"high": "nowhere"},
     {"free_pages": INT_MAX + 1}, {"free_pages": -INT_MAX - 1}, {"free_pages": 10**30000}, {"unknown": 1}],
)  # fmt: skip
def test_a_fact_takes_only_what_it_declares(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ZoneFact(**{"name": "DMA", "free_pages": 1, **values})


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a" * 70_000, "a" * TEXT_MAX),
        ("😀" * 2000, "😀" * TEXT_MAX),
        ("half \ud800 pair", "half \ufffd pair"),
        ("a\0b", "a\ufffdb"),
        ("ä\n\t", "ä\n\t"),
        ("", ""),
    ],
)
def test_text_is_cleaned_when_a_fact_is_made(text: str, kept: str) -> None:
    assert TaskFact(name=text).name == kept


def test_values_leave_out_what_is_missing_and_what_is_for_people() -> None:
    fact = ZoneFact(name="DMA", free_pages=97, origin=Origin(file="log", line=3), key="DMA")
    assert fact.values() == {"name": "DMA", "eligible": True, "free_pages": 97, "min_pages": 0, "label": ""}
    assert (fact.key, fact.origin) == ("DMA", Origin(file="log", line=3))
    assert "origin" not in fact.model_dump()


def test_facts_are_values() -> None:
    assert ZoneFact(name="DMA", free_pages=97) == ZoneFact(name="DMA", free_pages=97)
    with pytest.raises(ValidationError):
        ZoneFact(name="DMA", free_pages=97).free_pages = 98  # type: ignore[misc]


class Optional_(Fact):
    kind: ClassVar[str] = "optional"
    meaning: ClassVar[str] = "m"
    word: Literal["a", "b"] | None = Field(default=None, description="d")


def test_a_word_may_be_missing() -> None:
    spec = fields_of(Optional_)["word"]
    assert (spec.words, spec.required, spec.expected) == (("a", "b"), False, "one of a, b")
