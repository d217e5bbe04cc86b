"""The names that templates, numbers and derived facts may use: what each alias stands for, and its fields."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from oomadvisor.rulebook.condition import AnyOf, Item, Pattern
from oomadvisor.rulebook.errors import did_you_mean, shown
from oomadvisor.rulebook.kinds import FieldSpec, Kinds, KindSpec

Fields = Mapping[str, FieldSpec]
Wrong = tuple[str, str, str]
"""Code, what is wrong, what to write instead."""


@dataclass(frozen=True, slots=True)
class Names:
    """``known`` maps each alias to its fields; ``sometimes`` are aliases that only some branches of an ``any`` have."""

    known: Mapping[str, Fields]
    sometimes: frozenset[str] = frozenset()

    def look_up(self, alias: str, field: str) -> FieldSpec | Wrong:
        """Return the field, or what is wrong with ``alias.field``."""
        if alias in self.sometimes:
            text = f"{alias!r} is matched in some branches of any: only"
            return "alias-not-always-matched", text, "give a pattern of every branch the same alias with as:"
        if alias not in self.known:
            return "unknown-alias", f"no fact is called {shown(alias)} here", did_you_mean(alias, self.known)
        spec = self.known[alias].get(field)
        if spec is None:
            hint = did_you_mean(field, self.known[alias])
            return "unknown-field", f"{alias} has no field {shown(field)}", hint
        return spec

    def also(self, more: Mapping[str, Fields]) -> "Names":
        """Return these names and ``more``."""
        return replace(self, known={**self.known, **more})


def names_of(items: tuple[Item, ...], kinds: Kinds) -> Names:
    """Return the names that every way to fulfil ``items`` binds; of several kinds, the fields that they share."""
    known: dict[str, Fields] = {}
    sometimes: set[str] = set()
    for item in items:
        parts = item.branches if isinstance(item, AnyOf) else (item,)
        patterns = [part for part in parts if isinstance(part, Pattern)]
        for alias in dict.fromkeys(pattern.alias for pattern in patterns):
            bound = [kinds[pattern.kind] for pattern in patterns if pattern.alias == alias]
            if len(bound) == len(parts):
                known[alias] = _shared(bound)
            else:
                sometimes.add(alias)
    return Names(known, frozenset(sometimes))


def _shared(kinds: list[KindSpec]) -> Fields:
    first, others = kinds[0].fields, [kind.fields for kind in kinds[1:]]
    if not others:
        return first
    shared = {
        name: [spec, *(fields[name] for fields in others)]
        for name, spec in first.items()
        if all(name in fields and fields[name].type == spec.type for fields in others)
    }
    return {name: _widest(specs) for name, specs in shared.items()}


def _widest(specs: list[FieldSpec]) -> FieldSpec:
    words = [spec.words for spec in specs if spec.words is not None]
    every = tuple(dict.fromkeys(word for some in words for word in some)) if len(words) == len(specs) else None
    return replace(specs[0], required=all(spec.required for spec in specs), words=every)
