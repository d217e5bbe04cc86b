"""How kinds of fact are declared: a class with typed, described fields, and the checked registry of all of them.

A kind is a subclass of :class:`Fact`::

    class ZoneFact(Fact):
        kind: ClassVar[str] = "zone"
        meaning: ClassVar[str] = "One memory zone of the report."
        name: str = Field(description="the zone's name as printed", examples=["DMA"])
        free_pages: int | None = Field(default=None, description="free pages", json_schema_extra={"unit": "pages"})

Rules may look at ``int``, ``bool``, ``str`` and ``Literal["a", "b"]`` fields, each optionally ``| None``, which means
that the value may be missing: then no comparison with it holds.
"""

import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Union, get_args, get_origin

from pydantic import ConfigDict, Field, model_validator

from oomadvisor.model.base import Frozen, Origin

Scalar = int | str | bool
FieldType = Literal["int", "bool", "text"]

INT_MAX = 2**63 - 1  # durable-rules saturates beyond int64 and says nothing (docs/engine.md A3, 24)
TEXT_MAX = 1024  # its string lengths are unsigned short (A3, 26 and 27)
FIELDS_MAX = 100
KINDS_MAX = 200  # all kinds are conditions under one parent, and 512 of those hang it (A3, 12)

NOT_MATCHABLE = frozenset({"origin", "key"})
RESERVED_FIELDS = frozenset(
    {"kind", "sid", "id", "fid", "salt", "of", "values", "meaning", "bounded", "single", "derived"}
)
RESERVED_KINDS = frozenset({"absent", "any", "as", "not", "all", "params"})


class KindError(ValueError):
    """A declaration of a kind that the rule language cannot carry. ``faults`` has one sentence for each fault."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(self.faults))


class Fact(Frozen):
    """One typed observation. Rules see the declared fields only.

    ``bounded``: a report has few facts of the kind. ``single``: it has one at most. ``derived``: rules conclude them.

    ``origin`` (where it was read) and ``key`` (which member of its kind this is, for people: ``"DMA"``, ``"pid 312"``)
    are constructor arguments like the others, but no rule can match on them and :meth:`values` leaves them out.

    Text is cleaned when the fact is made: cut at 1024 characters, lone surrogates and NUL replaced by U+FFFD, so that
    a hostile log cannot reach the engine's 16-bit lengths. Raises ``pydantic.ValidationError`` for a value of another
    type (``True`` is not 1, ``"5"`` is not 5) and for an int outside ±(2**63 - 1).
    """

    # Built when first used: most runs meet only some of the kinds, and start-up counts.
    model_config = ConfigDict(strict=True, defer_build=True)

    kind: ClassVar[str]
    meaning: ClassVar[str]
    bounded: ClassVar[bool] = True
    single: ClassVar[bool] = False
    derived: ClassVar[bool] = False

    origin: Origin | None = Field(default=None, exclude=True)
    key: str = Field(default="", exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _carried_by_the_engine(cls, given: object) -> object:
        # One validator for the model: one for each field would double the time that building the kinds takes.
        return {name: _carried(name, value) for name, value in given.items()} if isinstance(given, dict) else given

    def values(self) -> dict[str, Scalar]:
        """Return the matchable fields that have a value, in the order of their declaration."""
        return {name: value for name, value in self.__dict__.items() if value is not None and name not in NOT_MATCHABLE}


def _carried(name: str, value: object) -> object:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, int) and not -INT_MAX <= value <= INT_MAX:
        shown = f": {value}" if abs(value) < 10**40 else ""
        raise ValueError(f"{name}: outside ±(2**63 - 1){shown}")
    return value


class CauseFact(Fact):
    """What a cause rule concludes, for other rules to build on: ``- cause: {name: fragmentation}``."""

    kind: ClassVar[str] = "cause"
    meaning: ClassVar[str] = "A cause that a rule of kind cause has found."
    derived: ClassVar[bool] = True

    name: str = Field(description="the id of the cause", examples=["fragmentation"])
    confidence: Literal["high", "medium", "low"] = Field(description="how sure the rule is", examples=["high"])
    role: Literal["decides", "contributes", "background"] = Field(
        description="whether the cause alone explains the event, adds to it, or only sets the scene",
        examples=["decides"],
    )


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A field as rules see it. ``required``: it always has a value. ``words``: the only values of a text field."""

    name: str
    type: FieldType
    required: bool
    meaning: str
    unit: str | None = None
    words: tuple[str, ...] | None = None
    examples: tuple[Scalar, ...] = ()

    @property
    def expected(self) -> str:
        """Return what a rule may compare the field with, for messages."""
        if self.words is not None:
            return "one of " + ", ".join(self.words)
        return {"int": "a whole number", "bool": "true or false", "text": "text"}[self.type]


@dataclass(frozen=True, slots=True)
class KindSpec:
    """A kind as rules see it. ``bounded``: few facts of it at a time; ``single``: at most one."""

    name: str
    meaning: str
    bounded: bool
    single: bool
    derived: bool
    fields: Mapping[str, FieldSpec]
    fact: type[Fact]


@dataclass(frozen=True, slots=True)
class Kinds(Mapping[str, KindSpec]):
    """All declared kinds by name, in the order of their declaration; ``cause`` is always among them."""

    by_name: Mapping[str, KindSpec]

    def __getitem__(self, name: str) -> KindSpec:
        return self.by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_name)

    def __len__(self) -> int:
        return len(self.by_name)


def clean_text(text: str) -> str:
    """Return ``text`` as the engine can carry it: at most 1024 characters, no lone surrogate, no NUL."""
    text = text[:TEXT_MAX]
    if not text.isascii():
        text = _without_surrogates(text)
    return text.replace("\0", "\ufffd")


def kind_registry(classes: Iterable[type[Fact]]) -> Kinds:
    """Return the checked registry of ``classes`` and the built-in ``cause``.

    Raises :class:`KindError` with every fault found: a bad or repeated name, a type that rules cannot compare, a field
    without a description.
    """
    faults: list[str] = []
    found: dict[str, KindSpec] = {}
    declared: tuple[type[Fact], ...] = (*classes, CauseFact)
    for cls in declared:
        name = getattr(cls, "kind", "")
        if not _is_name(name) or name in RESERVED_KINDS:
            faults.append(f"{cls.__name__}: kind {name!r} is not a usable name (lower case, digits, _; not reserved)")
        elif name in found:
            faults.append(f"{cls.__name__}: kind {name!r} is declared twice")
        elif not getattr(cls, "meaning", "").strip():
            faults.append(f"{cls.__name__}: no meaning")
        else:
            fields = _collect(cls, faults)
            found[name] = KindSpec(
                name=name,
                meaning=cls.meaning,
                bounded=cls.bounded,
                single=cls.single,
                derived=cls.derived,
                fields=types.MappingProxyType(fields),
                fact=cls,
            )
    if len(found) > KINDS_MAX:
        faults.append(f"{len(found)} kinds; at most {KINDS_MAX} can be declared")
    if faults:
        raise KindError(faults)
    return Kinds(types.MappingProxyType(found))


def fields_of(cls: type[Fact]) -> dict[str, FieldSpec]:
    """Return the matchable fields of ``cls``. Raises :class:`KindError` when one of them cannot be carried."""
    faults: list[str] = []
    fields = _collect(cls, faults)
    if faults:
        raise KindError(faults)
    return fields


def _collect(cls: type[Fact], faults: list[str]) -> dict[str, FieldSpec]:
    specs: dict[str, FieldSpec] = {}
    for name, info in cls.model_fields.items():
        if name in NOT_MATCHABLE:
            continue
        where = f"{cls.__name__}.{name}"
        if not _is_name(name) or name in RESERVED_FIELDS:
            faults.append(f"{where}: not a usable field name (lower case, digits, _; not reserved)")
        if not (info.description or "").strip():
            faults.append(f"{where}: no description")
        typed = _type_of(info.annotation)
        if typed is None:
            faults.append(f"{where}: a field is int, bool, str or Literal words, or one of these | None")
            continue
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        unit = extra.get("unit")
        specs[name] = FieldSpec(
            name=name,
            type=typed[0],
            words=typed[1],
            required=not typed[2],
            meaning=(info.description or "").strip(),
            unit=unit if isinstance(unit, str) else None,
            examples=tuple(info.examples or ()),
        )
    if len(specs) > FIELDS_MAX:
        faults.append(f"{cls.__name__}: {len(specs)} fields; at most {FIELDS_MAX}")
    return specs


def _type_of(annotation: Any) -> tuple[FieldType, tuple[str, ...] | None, bool] | None:
    """Return type, words and whether the value may be missing; None for a type that rules cannot compare."""
    members = [annotation]
    if get_origin(annotation) in (Union, types.UnionType):
        members = list(get_args(annotation))
    optional = types.NoneType in members
    members = [member for member in members if member is not types.NoneType]
    if len(members) != 1:
        return None
    plain: dict[Any, FieldType] = {int: "int", bool: "bool", str: "text"}
    if members[0] in plain:
        return plain[members[0]], None, optional
    words = get_args(members[0]) if get_origin(members[0]) is Literal else ()
    if words and all(isinstance(word, str) for word in words):
        return "text", words, optional
    return None


def _is_name(name: object) -> bool:
    return isinstance(name, str) and name.isascii() and name.isidentifier() and name == name.lower() and name[0] != "_"


def _without_surrogates(text: str) -> str:
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
