"""The kinds of fact that rules can look at: for the terminal, as Markdown and as JSON."""

from collections.abc import Iterator, Mapping
from typing import Any

from oomadvisor.rulebook.kinds import Fact, FieldSpec, Kinds, KindSpec, fields_of

SCHEMA = "oomadvisor/rule-facts/1"


def as_text(kinds: Kinds) -> str:
    """Return every kind with a line for each field: name, type, unit, meaning and example."""
    return "\n".join("".join(f"{line}\n" for line in _lines(kind)) for kind in kinds.values())


def _lines(kind: KindSpec) -> Iterator[str]:
    yield f"{kind.name}  ({how_many(kind)})"
    yield f"  {kind.meaning}"
    width = max(map(len, kind.fields), default=0)
    for spec in kind.fields.values():
        yield f"    {spec.name:{width}}  {type_in_words(spec):11}  {spec.meaning}{_example(spec)}"


def how_many(kind: KindSpec) -> str:
    """Return how many facts of a kind a report has, and who makes them."""
    number = "one at most" if kind.single else "several" if kind.bounded else "many: one item of a rule may ask for it"
    return f"{number}; concluded by rules" if kind.derived else number


def type_in_words(spec: FieldSpec) -> str:
    """Return type and unit: ``int, pages``; a ``?`` says that the value may be missing."""
    told = {"int": "number", "bool": "true/false", "text": "text"}[spec.type]
    return (f"{spec.unit}" if spec.unit else told) + ("" if spec.required else " ?")


def _example(spec: FieldSpec) -> str:
    if spec.words is not None:
        return f" [{', '.join(spec.words)}]"
    return f" (e.g. {', '.join(map(_value, spec.examples))})" if spec.examples else ""


def as_markdown(kinds: Kinds, scopes: Mapping[str, type[Fact]]) -> str:
    """Return the reference page of the kinds, and of what the texts of fixes and refutations can read besides."""
    lines = ["# The facts that rules look at", "<!-- written by: oomadvisor rules facts --format markdown -->", ""]
    lines += [
        "A field marked with ? may be missing, and then no comparison with it holds. Numbers are whole, of the unit",
        "named; `permille` is a share, 1000 of it is all.",
    ]
    for kind in kinds.values():
        lines += ["", f"## {kind.name}", "", f"{kind.meaning} {how_many(kind).capitalize()}.", "", *_table(kind.fields)]
    lines += ["", "# What texts of fixes and refutations can read besides"]
    for name, cls in scopes.items():
        lines += ["", f"## {name}", "", cls.meaning, "", *_table(fields_of(cls))]
    return "\n".join(lines) + "\n"


def _table(fields: Mapping[str, FieldSpec]) -> Iterator[str]:
    yield "| field | type, unit | meaning | example |"
    yield "|---|---|---|---|"
    for spec in fields.values():
        examples = ", ".join(f"`{_value(value)}`" for value in spec.words or spec.examples)
        yield f"| `{spec.name}` | {type_in_words(spec)} | {spec.meaning.replace('|', chr(92) + '|')} | {examples} |"


def as_record(kinds: Kinds) -> dict[str, Any]:
    """Return the kinds as JSON values."""
    return {
        "schema": SCHEMA,
        "kinds": [
            {
                "name": kind.name,
                "meaning": kind.meaning,
                "at_most_one": kind.single,
                "many": not kind.bounded,
                "derived": kind.derived,
                "fields": [
                    {
                        "name": spec.name,
                        "type": spec.type,
                        "unit": spec.unit,
                        "may_be_missing": not spec.required,
                        "meaning": spec.meaning,
                        "words": list(spec.words) if spec.words is not None else None,
                        "examples": list(spec.examples),
                    }
                    for spec in kind.fields.values()
                ],
            }
            for kind in kinds.values()
        ],
    }


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
