"""A few small kinds of fact to write test rules about."""

from typing import ClassVar, Literal

from pydantic import Field

from oomadvisor.rulebook.kinds import Fact, kind_registry


class RequestFact(Fact):
    kind: ClassVar[str] = "request"
    meaning: ClassVar[str] = "What was asked of the allocator."

    order: int = Field(description="order of the block", examples=[2])
    block_kb: int | None = Field(default=None, description="its size", json_schema_extra={"unit": "kB"})
    order0_passes_high: bool | None = Field(default=None, description="one page would have been given at HIGH")
    comm: str | None = Field(default=None, description="the asking task")


class ZoneFact(Fact):
    kind: ClassVar[str] = "zone"
    meaning: ClassVar[str] = "A memory zone."

    name: str = Field(description="its name", examples=["DMA"])
    eligible: bool = Field(default=True, description="the request may be served from it")
    free_pages: int = Field(description="free pages", json_schema_extra={"unit": "pages"})
    min_pages: int = Field(default=0, description="the MIN mark", json_schema_extra={"unit": "pages"})
    label: str = Field(default="", description="a second text, always there")
    fill_permille: int | None = Field(default=None, description="how full", json_schema_extra={"unit": "permille"})
    high: Literal["passes", "fails_in_order_loop", "fails_at_order0"] | None = Field(
        default=None, description="outcome of the test at HIGH"
    )


class SwapFact(Fact):
    kind: ClassVar[str] = "swap"
    meaning: ClassVar[str] = "A swap device."

    free_kb: int | None = Field(default=None, description="free space", json_schema_extra={"unit": "kB"})
    total_kb: int = Field(default=0, description="its size", json_schema_extra={"unit": "kB"})
    pages: int = Field(default=0, description="its size again", json_schema_extra={"unit": "pages"})


class TaskFact(Fact):
    kind: ClassVar[str] = "task"
    meaning: ClassVar[str] = "A row of the task table."
    bounded: ClassVar[bool] = False

    name: str = Field(description="its name")
    rss_pages: int | None = Field(default=None, description="resident pages", json_schema_extra={"unit": "pages"})


class SlabFact(Fact):
    kind: ClassVar[str] = "slab"
    meaning: ClassVar[str] = "A slab cache."
    bounded: ClassVar[bool] = False

    name: str = Field(description="its name")
    pages: int = Field(description="its pages", json_schema_extra={"unit": "pages"})


class PressureFact(Fact):
    kind: ClassVar[str] = "pressure"
    meaning: ClassVar[str] = "What rules make of a zone."
    derived: ClassVar[bool] = True

    zone: str = Field(description="name of the zone")
    level: int = Field(description="how bad")
    grave: bool | None = Field(default=None, description="beyond repair")
    sort: Literal["order", "amount"] | None = Field(default=None, description="what is short")


class IncidentFact(Fact):
    kind: ClassVar[str] = "incident"
    meaning: ClassVar[str] = "The event."
    single: ClassVar[bool] = True

    name: str | None = Field(default=None, description="what it is called, a field that zones always have")
    high: str | None = Field(default=None, description="any text, where zones have words")


class OutcomeFact(Fact):
    kind: ClassVar[str] = "outcome"
    meaning: ClassVar[str] = "What the simulator found; a scope of templates, not a fact that rules match."

    value: int | None = Field(default=None, description="the value found")
    passes: bool = Field(default=False, description="whether it passes")


KINDS = kind_registry([RequestFact, ZoneFact, SwapFact, TaskFact, SlabFact, PressureFact, IncidentFact])
SCOPES = {"outcome": OutcomeFact}
