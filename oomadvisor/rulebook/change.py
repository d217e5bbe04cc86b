"""What a fix changes, as a rule writes it: one of five small records, told apart by the key that names the change."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag
from pydantic_core import PydanticCustomError

from oomadvisor.model.base import Frozen
from oomadvisor.model.zone import Mark

ChangeKey = Literal["sysctl", "free", "operation", "task", "unsimulated"]


class Written(Frozen):
    """A record as a rule file writes it: strict types, no unknown keys, ``from`` and ``in`` as in YAML."""

    # Built when first used: records inside a rule are built with the rule, and need no validator of their own.
    model_config = ConfigDict(strict=True, populate_by_name=True, serialize_by_alias=True, defer_build=True)


def _sysctl_text(text: str) -> str:
    if text == "default" or (all(word.lstrip("-").isdecimal() for word in text.split()) and text.strip()):
        return text
    raise PydanticCustomError(
        "bad-value",
        "a sysctl is set to a whole number, to default, or to numbers in quotes, not to {got}",
        {"got": text},
    )


class LargestPassing(Written):
    """The largest value at which the operation still passes ``largest_passing``; the simulator finds it.

    ``in``: some zone is enough, or every zone must pass. ``at_most`` caps it (``default`` = the kernel's own default).
    ``operation``: what the box does all day (``workload``) or only what this report asked for (``request``).
    """

    largest_passing: Mark
    zones: Literal["some-zone", "every-zone"] = Field(default="some-zone", alias="in")
    at_most: int | Literal["default"] | None = None
    operation: Literal["workload", "request"] = "request"


def _target_tag(value: Any) -> str:
    if isinstance(value, dict | BaseModel):
        return "solved value"
    return "number" if isinstance(value, int) else "value text"


Target = Annotated[
    Annotated[int, Tag("number")]
    | Annotated[str, AfterValidator(_sysctl_text), Tag("value text")]
    | Annotated[LargestPassing, Tag("solved value")],
    Discriminator(_target_tag),
]
"""A number, ``"default"``, the text of an array such as ``"1 1"``, or a value that the simulator solves for."""


class SysctlChange(Written):
    """Write a sysctl."""

    sysctl: str = Field(pattern=r"^[a-z][a-z0-9_]*(\.[A-Za-z0-9_-]+)+$")
    to: Target


class Freed(Written):
    """How much of what is given back."""

    source: Literal["tmpfs", "page-cache", "process", "slab"] = Field(alias="from")
    mb: int = Field(ge=1, le=1 << 20)


class FreeChange(Written):
    """Give memory back."""

    free: Freed


class OperationChange(Written):
    """Do it another way: the id of the operation that takes the place of the reported one (``vfork+exec``)."""

    operation: str = Field(min_length=1, max_length=80)


class TaskChange(Written):
    """Let the failing task allocate under other rules."""

    task: Literal["realtime"]


class Unsimulated(Written):
    """A change that the simulator has no model of, in words (a template)."""

    unsimulated: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


CHANGE_TAGS: dict[str, type[Written]] = {
    "sysctl change": SysctlChange,
    "free change": FreeChange,
    "operation change": OperationChange,
    "task change": TaskChange,
    "unsimulated change": Unsimulated,
}


def _change_tag(value: Any) -> str | None:
    keys = value if isinstance(value, dict) else type(value).model_fields if isinstance(value, Written) else ()
    return next((tag for tag in CHANGE_TAGS if tag.split()[0] in keys), None)


Change = Annotated[
    Annotated[SysctlChange, Tag("sysctl change")]
    | Annotated[FreeChange, Tag("free change")]
    | Annotated[OperationChange, Tag("operation change")]
    | Annotated[TaskChange, Tag("task change")]
    | Annotated[Unsimulated, Tag("unsimulated change")],
    Discriminator(
        _change_tag,
        custom_error_type="bad-change",
        custom_error_message="a change names one of: sysctl, free, operation, task, unsimulated",
    ),
]
