"""The shape of the files that the pipeline reads, strictly: what is not a field is refused, and so is a wrong type."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from oomadvisor.knowledge.entry import Release
from oomadvisor.knowledge.versions import version_tuple


def _are_functions(text: str) -> str:
    names = text.split()
    wrong = [name for name in names if not name.replace("_", "a").isalnum() or name[0].isdigit()]
    if wrong or len(set(names)) != len(names):
        raise ValueError(f"different names of C functions were expected, not {wrong or names}")
    return text


def _is_range(text: str) -> str:
    since, dots, until = text.partition("..")
    if not dots or version_tuple(since) > version_tuple(until):
        raise ValueError(f"two versions such as 2.6.12..6.18 were expected, not {text!r}")
    for version in (since, until):
        TypeAdapter(Release).validate_python(version)
    return text


Functions = Annotated[str, AfterValidator(_are_functions), Field(min_length=2)]
Seen = Annotated[str, AfterValidator(_is_range)]
Text = Annotated[str, Field(min_length=3)]
Id = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Order = Annotated[int, Field(ge=0, le=12)]


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class File(Shape):
    schema_: Literal[1] = Field(alias="schema")


class Knobs(File):
    in_test: str
    vendor_only: str
    knobs: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")], Seen]


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
    name: Functions
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


class Counted(Shape):
    trials: Annotated[int, Field(gt=0)]
    successes: Annotated[int, Field(ge=0)]


class Part(Shape):
    trials: Annotated[int, Field(gt=0)]
    rows: Annotated[int, Field(gt=0)]


class EvidenceRow(Shape):
    id: Id
    class_: Literal["certain", "marginal", "no effect"] | None = Field(default=None, alias="class")
    trials: Annotated[int, Field(gt=0)] | None = None
    successes: Annotated[int, Field(ge=0)] | None = None
    rows: Counted | None = None
    boots: dict[str, tuple[str, ...]] | None = None
    success: dict[str, tuple[str, ...]] | None = None
    state: Text
    text: Text
    source: Text


class Evidence(File):
    conditions: Conditions
    series: dict[str, Part]
    evidence: tuple[EvidenceRow, ...]


class HandlerRow(Shape):
    name: Annotated[str, Field(pattern=r"^[a-z]+(\.[a-z0-9_-]+)+$")]
    min: int | None = None
    max: int | None = None
    one_shot: Literal[True] | None = None
    read_only: Literal[True] | None = None
    zeroes: str | None = None
    until: Release | None = None


class Handlers(File):
    handlers: tuple[HandlerRow, ...]


class Sources(File):
    sources: dict[Id, Text]


class MixDescription(File):
    """The mix itself is checked by its own model when it is read (oomadvisor/longrun/mix.py)."""

    mix: dict[str, object]


SHAPES: dict[str, type[File]] = {
    "mix": MixDescription,
    "knobs": Knobs,
    "call-sites": CallSites,
    "operations": Operations,
    "symbols": Symbols,
    "evidence": Evidence,
    "handlers": Handlers,
    "sources": Sources,
}
