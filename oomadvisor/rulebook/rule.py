"""A checked rule as frozen data: what a rule file says, with its conditions resolved against the declared kinds.

Template texts stay ``str`` here (``explain``; ``commands``, ``price``, ``risk_text`` and ``undo`` of a fix; ``advice``
of a refutation; ``unsimulated`` of a change). They were checked when the file was read; ``render`` fills them in.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from oomadvisor.model.advice import Confidence, Judgement
from oomadvisor.model.verification import FixKind
from oomadvisor.rulebook.change import Change, Unsimulated, Written
from oomadvisor.rulebook.condition import Conjunction, Item
from oomadvisor.rulebook.kernel_range import KernelRange
from oomadvisor.rulebook.kinds import INT_MAX, Scalar

RuleKind = Literal["cause", "fix", "refutation", "note"]
BuildFeature = Literal["highmem", "smp", "numa"]
BUILD_FEATURES: tuple[str, ...] = get_args(BuildFeature)
Status = Literal["stable", "experimental"]
Level = Literal["none", "low", "medium", "high"]

ID = r"^[a-z][a-z0-9]*([-.][a-z0-9]+)*$"
NAME = r"^[a-z][a-z0-9_]*$"

RuleId = Annotated[str, Field(pattern=ID, max_length=80)]
Name = Annotated[str, Field(pattern=NAME, max_length=40)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]


def _scalar(value: Any) -> Any:
    # Before the union, which would otherwise complain three times, once for each of its members.
    if not isinstance(value, int | str):
        raise PydanticCustomError("wrong-type", "a whole number, true, false or text is expected here")
    if isinstance(value, int) and not -INT_MAX <= value <= INT_MAX:
        raise PydanticCustomError("number-too-large", "numbers are limited to ±(2**63 - 1)")
    return value


Value = Annotated[int | bool | str, BeforeValidator(_scalar)]


def _judgement(value: Any) -> Any:
    # ``judged: false`` is the natural thing to write, and YAML reads it as a boolean.
    return str(value).lower() if isinstance(value, bool) else value


class Applies(Written):
    """Where the rule holds: kernel versions such as ``>=2.6.26,<2.6.35``, architectures, build features."""

    kernel: KernelRange | None = None
    arch: tuple[Name, ...] = Field(default=(), max_length=20)
    build: dict[BuildFeature, bool] = Field(default_factory=dict)


class Derive(Written):
    """What a firing adds to the facts. ``cause`` (default: the rule's id) is for cause rules; ``fact`` for any rule."""

    cause: RuleId | None = None
    confidence: Confidence | None = None
    role: Literal["decides", "contributes", "background"] | None = None
    fact: dict[Name, dict[Name, Value]] | None = Field(default=None, min_length=1, max_length=4)


class Fix(Written):
    """What to do, and what it costs."""

    kind: FixKind
    repairs: Literal["cause", "symptom", "containment"]
    cost: Level
    risk: Level
    changes: tuple[Change, ...] = Field(default=(), max_length=8)
    commands: tuple[Text, ...] = Field(default=(), max_length=20)
    price: Text | None = None
    risk_text: Text | None = None
    undo: Text
    measured: tuple[Line, ...] = Field(default=(), max_length=20)
    conflicts_with: tuple[RuleId, ...] = Field(default=(), max_length=50)


class Refute(Written):
    """A thing that people say, and how true it is here. ``numbers``: name → ``alias.field``."""

    advice: Text
    judged: Annotated[Judgement, BeforeValidator(_judgement)]
    replay: tuple[Change, ...] = Field(default=(), max_length=8)
    numbers: dict[Name, Line] = Field(default_factory=dict, max_length=20)
    measured: tuple[Line, ...] = Field(default=(), max_length=20)


class Note(Written):
    """What sort of thing worth knowing this is."""

    topic: Literal["answer", "finding", "limits"]


class Case(Written):
    """A test of the rule: it must fire, or must not, on ``given`` facts or on the facts of a ``report`` file."""

    name: Line
    given: tuple[dict[Name, dict[Name, Value]], ...] | None = Field(default=None, max_length=50)
    report: Line | None = None
    fires: bool
    params: dict[Name, Value] = Field(default_factory=dict, alias="with")


@dataclass(frozen=True, slots=True)
class Reference:
    """A value to be taken from a field of a matched fact."""

    alias: str
    field: str


@dataclass(frozen=True, slots=True)
class Derived:
    """A fact that a firing adds, with literal values and references to matched facts."""

    kind: str
    values: tuple[tuple[str, Scalar | Reference], ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``conjunctions`` is ``when`` in disjunctive normal form.

    ``place`` is ``file:line`` of where it begins, ``pack`` the pack that it stands in; ``changed_by`` holds pack and
    place of every later definition that overrides a part of it, ``test_places`` where each of its tests stands.
    """

    id: str
    title: str
    kind: RuleKind
    when: tuple[Item, ...]
    conjunctions: tuple[Conjunction, ...]
    explain: str
    derives: tuple[Derived, ...] = ()
    derive: Derive | None = None
    fix: Fix | None = None
    refute: Refute | None = None
    note: Note | None = None
    applies: Applies = field(default_factory=Applies)
    params: Mapping[str, Scalar] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    status: Status = "stable"
    tests: tuple[Case, ...] = ()
    enabled: bool = True
    pack: str = ""
    place: str = ""
    changed_by: tuple[tuple[str, str], ...] = ()
    test_places: tuple[str, ...] = ()

    @property
    def cause(self) -> str | None:
        """Return the id of the cause that a cause rule concludes."""
        return (self.derive and self.derive.cause) or self.id if self.kind == "cause" else None

    def templates(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Yield every template text with its path in the rule file: ``("fix", "commands", 0), "echo …"``."""
        yield ("explain",), self.explain
        if self.fix is not None:
            yield ("fix", "undo"), self.fix.undo
            for name, text in (("price", self.fix.price), ("risk_text", self.fix.risk_text)):
                if text is not None:
                    yield ("fix", name), text
            yield from ((("fix", "commands", index), text) for index, text in enumerate(self.fix.commands))
            yield from _unsimulated(("fix", "changes"), self.fix.changes)
        if self.refute is not None:
            yield ("refute", "advice"), self.refute.advice
            yield from _unsimulated(("refute", "replay"), self.refute.replay)


def _unsimulated(path: tuple[str, ...], changes: tuple[Change, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for index, change in enumerate(changes):
        if isinstance(change, Unsimulated):
            yield (*path, index, "unsimulated"), change.unsimulated
