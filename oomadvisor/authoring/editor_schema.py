"""The JSON Schema of rule files, for editors: completion, hover texts, and a first check while typing.

It says what can be said in a schema (draft 7, which editors understand); ``oomadvisor rules check`` says the rest.
"""

from typing import Any

from oomadvisor.authoring.field_texts import TEXTS
from oomadvisor.authoring.kind_tables import how_many
from oomadvisor.rulebook.blocks import BLOCKS
from oomadvisor.rulebook.kinds import INT_MAX, FieldSpec, Kinds, KindSpec
from oomadvisor.rulebook.rule import NAME
from oomadvisor.rulebook.shape import FileHead, RuleDoc
from oomadvisor.rulebook.when import BRANCHES_MAX, ITEMS_MAX

DRAFT = "http://json-schema.org/draft-07/schema#"
Json = dict[str, Any]


def rule_file_schema(kinds: Kinds) -> Json:
    """Return the schema of a rule file whose conditions are about ``kinds``."""
    head, rule = (_definitions(model) for model in (FileHead, RuleDoc))
    definitions = {**head, **rule, **_conditions(kinds)}
    doc = definitions["RuleDoc"]
    doc["properties"]["when"] = {
        **_described("RuleDoc", "when"),
        "type": "array",
        "minItems": 1,
        "maxItems": ITEMS_MAX,
        "items": {"$ref": "#/definitions/item"},
    }
    _loosen(doc, definitions)
    definitions["Case"]["properties"]["given"] = {
        **_described("Case", "given"),
        "type": "array",
        "items": {"$ref": "#/definitions/given"},
    }
    definitions["Derive"]["properties"]["fact"] = {
        **_described("Derive", "fact"),
        "type": "object",
        "additionalProperties": False,
        "properties": {
            kind.name: {"description": kind.meaning, "type": "object"} for kind in kinds.values() if kind.derived
        },
    }
    file = definitions.pop("FileHead")
    file["properties"]["rules"] = {
        **_described("FileHead", "rules"),
        "type": "array",
        "items": {"$ref": "#/definitions/RuleDoc"},
    }
    return {"$schema": DRAFT, "title": "A rule file of oomadvisor", **file, "definitions": definitions}


def _definitions(model: type[FileHead] | type[RuleDoc]) -> dict[str, Json]:
    """Return the schema of ``model`` and of all records inside it, with the texts of the fields."""
    schema = model.model_json_schema(ref_template="#/definitions/{model}")
    found: dict[str, Json] = {**schema.pop("$defs", {}), model.__name__: schema}
    for name, one in found.items():
        one.pop("title", None)
        one.pop("description", None)
        for field, written in one.get("properties", {}).items():
            inner = {key: value for key, value in written.items() if key not in ("title", "default")}
            # Beside a $ref draft 7 ignores everything, so that the text would be lost.
            kept = {"allOf": [inner]} if "$ref" in inner else inner
            one["properties"][field] = _without_null({**_described(name, field), **kept})
    return found


def _described(model: str, field: str) -> Json:
    return {"description": TEXTS[model][field]}


def _without_null(schema: Json) -> Json:
    """Return the schema of an optional field: leaving it out is allowed, null is not."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    return {**schema, "anyOf": choices} if choices else schema


def _loosen(doc: Json, definitions: dict[str, Json]) -> None:
    """Let an override give only what it changes, demand the block of the kind, and allow ``judged: false``."""
    required = doc.pop("required")
    doc["required"] = ["id"]
    doc["if"] = {"properties": {"override": {"const": True}}, "required": ["override"]}
    doc["then"] = {}
    doc["else"] = {"required": required}
    doc["allOf"] = [
        {
            "if": {
                "properties": {"kind": {"const": kind}, "override": {"const": False}},
                "required": ["kind"],
            },
            "then": {"required": [block]},
        }
        for kind, block in BLOCKS.items()
    ]
    judged = definitions["Refute"]["properties"]["judged"]
    words = [*judged.pop("enum"), True, False]
    judged.pop("type", None)
    judged["enum"] = words
    kernel = definitions["Applies"]["properties"]["kernel"]
    for choice in kernel["anyOf"]:
        choice["pattern"] = r"^\s*(<=|>=|==|<|>)\s*\d"


def _conditions(kinds: Kinds) -> dict[str, Json]:
    """Return the definitions that ``when`` and ``given`` are made of."""
    by_kind = {name: {"$ref": f"#/definitions/{name}-fact"} for name in kinds}
    named = {"as": {"description": "Another name for the fact, for texts.", "type": "string", "pattern": NAME}}
    absent = {
        "not": {
            "description": "No such fact may be there.",
            "type": "object",
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
            "properties": by_kind,
        }
    }
    choice = {
        "any": {
            "description": "At least one of these must hold.",
            "type": "array",
            "minItems": 1,
            "maxItems": BRANCHES_MAX,
            "items": {"$ref": "#/definitions/branch"},
        }
    }
    return {
        **{f"{kind.name}-fact": _pattern(kind) for kind in kinds.values()},
        "item": _one_fact({**by_kind, **named, **absent, **choice}),
        "branch": _one_fact({**by_kind, **named, **absent}),
        "given": {
            "type": "object",
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
            "properties": {kind.name: _given(kind) for kind in kinds.values()},
        },
        **{f"{type_}-condition": _comparison(type_) for type_ in ("int", "bool", "text")},
    }


def _one_fact(properties: Json) -> Json:
    return {
        "type": "object",
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 2,
        "properties": properties,
    }


def _pattern(kind: KindSpec) -> Json:
    return {
        "description": f"{kind.meaning} ({how_many(kind)})",
        "type": "object",
        "additionalProperties": False,
        "properties": {spec.name: {"description": _text(spec), **_condition(spec)} for spec in kind.fields.values()},
    }


def _given(kind: KindSpec) -> Json:
    return {
        "description": kind.meaning,
        "type": "object",
        "additionalProperties": False,
        "properties": {spec.name: {"description": _text(spec), **_constant(spec)} for spec in kind.fields.values()},
    }


def _text(spec: FieldSpec) -> str:
    unit = f", in {spec.unit}" if spec.unit else ""
    missing = "" if spec.required else "; may be missing"
    example = f". Example: {', '.join(map(str, spec.examples))}" if spec.examples else ""
    return f"{spec.meaning}{unit}{missing}{example}"


def _constant(spec: FieldSpec) -> Json:
    if spec.words is not None:
        return {"enum": list(spec.words)}
    return _of_type(spec.type)


def _condition(spec: FieldSpec) -> Json:
    general = {"$ref": f"#/definitions/{spec.type}-condition"}
    if spec.words is None:
        return {"anyOf": [_of_type(spec.type), general]}
    words = {"enum": list(spec.words)}
    several = {"type": "array", "minItems": 1, "items": {"anyOf": [words, _param()]}}
    operators = {"eq": {"anyOf": [words, _param()]}, "ne": {"anyOf": [words, _param()]}, "one_of": several}
    compared = {"type": "object", "additionalProperties": False, "minProperties": 1, "properties": operators}
    return {"anyOf": [words, _param(), compared]}


def _comparison(type_: str) -> Json:
    """Return the definition of ``{ge: 4}``, ``{one_of: [...]}``, ``{param: name}`` and ``{ge: {field: other}}``."""
    value = {"anyOf": [_of_type(type_), _param(), _reference("field", "Another field of the same fact.")]}
    constant = {"anyOf": [_of_type(type_), _param()]}
    operators: Json = {
        "eq": {"description": "equal", **value},
        "ne": {"description": "not equal", **value},
        "one_of": {
            "description": "equal to one of these",
            "type": "array",
            "minItems": 1,
            "maxItems": 32,
            "items": constant,
        },
    }
    if type_ == "int":
        words = {"lt": "less than", "le": "at most", "gt": "more than", "ge": "at least"}
        operators |= {name: {"description": text, **value} for name, text in words.items()}
    compared = {"type": "object", "additionalProperties": False, "minProperties": 1, "properties": operators}
    return {"anyOf": [_param(), _reference("field", "Equal to another field of the same fact."), compared]}


def _param() -> Json:
    return _reference("param", "The value of one of the rule's parameters.")


def _reference(name: str, text: str) -> Json:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name],
        "properties": {name: {"description": text, "type": "string"}},
    }


def _of_type(type_: str) -> Json:
    if type_ == "int":
        return {"type": "integer", "minimum": -INT_MAX, "maximum": INT_MAX}
    return {"type": "boolean" if type_ == "bool" else "string"}
