"""The shape of the files that the pipeline reads, strictly: what is not a field is refused, and so is a wrong type."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from oomadvisor.knowledge.entry import Release


def _is_function(text: str) -> str:
    if not text.replace("_", "a").isalnum() or text[0].isdigit():
        raise ValueError(f"the name of a C function was expected, not {text!r}")
    return text


Function = Annotated[str, AfterValidator(_is_function)]
Functions = Annotated[tuple[Function, ...], Field(min_length=1)]
Text = Annotated[str, Field(min_length=3)]
Id = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Order = Annotated[int, Field(ge=0, le=12)]


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class File(Shape):
    schema_: Literal[1] = Field(alias="schema")


class KnobRow(Shape):
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
    since: Release
    until: Release
    vendor_only: Literal[True] | None = None
    in_test: Literal[True] | None = None


class Knobs(File):
    knobs: tuple[KnobRow, ...]


class CallSiteRow(Shape):
    id: Id
    any_of: Functions
    with_: Functions | None = Field(default=None, alias="with")
    last: Literal[True] | None = None
    group: Id
    operation: Literal["exec", "fork"] | None = None
    what: Annotated[str, Field(max_length=99, pattern=r"^[a-z].*[^.]$")]
    avoidable: Annotated[str, Field(pattern=r"\.$")] | None = None
    source: Text


class CallSites(File):
    interrupt_entries: Functions
    call_sites: tuple[CallSiteRow, ...]


class StepRow(Shape):
    order: Order
    gfp: int
    what: Text
    source: Text
    replaces: bool | None = None


class OperationRow(Shape):
    title: Text
    source: Text
    creates_process: bool | None = None
    steps: Annotated[tuple[StepRow, ...], Field(min_length=1)]


class Operations(File):
    same_as: dict[str, str]
    operations: dict[str, dict[str, OperationRow]]
    workload: dict[str, str]


class SymbolRow(Shape):
    name: Function
    since: Release | None = None
    until: Release | None = None
    source: Text


class Symbols(File):
    symbols: tuple[SymbolRow, ...]


class Ground(Shape):
    kernel: Release
    arch: str
    smp: bool
    swap: bool


class Conditions(Shape):
    ground: Ground
    text: Text


class EvidenceRow(Shape):
    id: Id
    class_: Literal["certain", "marginal", "no effect"] | None = Field(default=None, alias="class")
    trials: Annotated[int, Field(gt=0)] | None = None
    successes: Annotated[int, Field(ge=0)] | None = None
    state: Text
    text: Text
    source: Text


class Evidence(File):
    conditions: Conditions
    evidence: tuple[EvidenceRow, ...]


class Sources(File):
    sources: dict[Id, Text]


SHAPES: dict[str, type[File]] = {
    "knobs": Knobs,
    "call-sites": CallSites,
    "operations": Operations,
    "symbols": Symbols,
    "evidence": Evidence,
    "sources": Sources,
}
