"""Sandboxed text: ``{{alias.field}}``, ``{{alias.field|filter}}`` and ``{{params.name}}``, and nothing else.

A template can read declared fields of matched facts. It has no logic, no attribute access, no calls; every name in it
is checked when the rule file is read (:func:`faults`), so that filling it in (:func:`render`) cannot fail.
"""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from oomadvisor.rulebook.errors import did_you_mean, shown
from oomadvisor.rulebook.kinds import Fact, FieldSpec, Scalar
from oomadvisor.rulebook.names import Names, Wrong

RENDERED_MAX = 65_536
UNKNOWN = "unknown"
THIN = "\u202f"  # narrow no-break space, between groups of three digits

_PLACE = re.compile(r"\{\{(?P<inside>[^{}]*)\}\}")
_SINGLE = re.compile(r"(?<!\{)\{(?P<alias>\w+)\.\w+(\|[^{}]*)?\}(?!\})")
_REFERENCE = re.compile(r"(?P<alias>\w+)\.(?P<field>\w+)")


def grouped(number: int) -> str:
    """Return ``number`` with a thin space between groups of three digits: 9 998."""
    return f"{number:,}".replace(",", THIN)


def _tenths(number: int, unit: str) -> str:
    sign, whole, part = "-" if number < 0 else "", abs(number) // 10, abs(number) % 10
    return f"{sign}{grouped(whole)}.{part} {unit}"


def _kb(pages: int, page_kb: int) -> str:
    return f"{grouped(pages * page_kb)} kB"


def _mb(pages: int, page_kb: int) -> str:
    return _mb_from_kb(pages * page_kb, page_kb)


def _mb_from_kb(kb: int, _page_kb: int) -> str:
    return _tenths((kb * 10 + 512) // 1024, "MB")


def _percent(permille: int, _page_kb: int) -> str:
    return _tenths(permille, "%") if permille % 10 else f"{grouped(permille // 10)} %"


def _number(number: int, _page_kb: int) -> str:
    return grouped(number)


def _blocks(order: int, page_kb: int) -> str:
    return f"{grouped(page_kb << order)} kB" if 0 <= order <= 30 else UNKNOWN


FILTERS: Mapping[str, tuple[Callable[[int, int], str], str]] = {
    "kb": (_kb, "pages as kB: 17 128 kB"),
    "mb": (_mb, "pages as MB: 103.5 MB"),
    "mb_from_kb": (_mb_from_kb, "kB as MB: 103.5 MB"),
    "percent": (_percent, "permille as per cent: 66 %, 6.6 %"),
    "n": (_number, "a whole number, grouped: 9 998"),
    "blocks": (_blocks, "an order as the size of its blocks: 16 kB"),
}
"""Filters by name, with what each makes of a number. ``plural:page:pages`` comes on top: 1 page, 3 pages."""

TAKES: Mapping[str, str] = {"mb": "pages", "kb": "pages", "mb_from_kb": "kB", "percent": "permille", "blocks": "order"}
"""The unit that a filter takes. A value without one (a parameter) goes into any filter."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong in a template, ``index`` characters from its start, in its ``place``-th pair of braces."""

    index: int
    place: int
    code: str
    text: str
    hint: str = ""


def faults(text: str, names: Names) -> Iterator[Fault]:
    """Yield what is wrong in ``text``; ``names`` has all that it may use, ``params`` included."""
    for place, start in enumerate(match.start() for match in re.finditer(r"\{\{", text)):
        braces = _PLACE.match(text, start)
        if braces is None:
            yield Fault(
                start, place, "template-syntax", "{{ without }}", "write {{alias.field}} or {{alias.field|filter}}"
            )
            continue
        fault = _fault_inside(braces["inside"], names)
        if fault is not None:
            yield Fault(start, place, *fault)


def single_braces(text: str, names: Names) -> str | None:
    """Return the first ``{alias.field}`` of ``text`` that was meant to be ``{{alias.field}}``, or None."""
    found = (match for match in _SINGLE.finditer(text) if match["alias"] in names.known)
    return next((match[0] for match in found), None)


def _fault_inside(inside: str, names: Names) -> Wrong | None:
    reference = _read(inside)
    if reference is None:
        hint = "write {{alias.field}} or {{alias.field|filter}}; arithmetic belongs into the facts"
        return "template-syntax", f"cannot read {shown(inside.strip())}", hint
    alias, name, filter_ = reference
    spec = names.look_up(alias, name)
    if not isinstance(spec, FieldSpec):
        return spec
    if filter_ is None:
        return None
    if filter_ not in FILTERS and _plural(filter_) is None:
        hint = did_you_mean(filter_.partition(":")[0], [*FILTERS, "plural:one:many"])
        return "unknown-filter", f"no filter {shown(filter_)}", hint
    if spec.type != "int":
        return "filter-type", f"{alias}.{name} is {spec.type}; {filter_} takes a number", "leave the filter out"
    unit = TAKES.get(filter_)
    if unit is not None and spec.unit is not None and spec.unit != unit:
        fitting = [name for name, takes in TAKES.items() if takes == spec.unit]
        hint = f"write |{fitting[0]}" if fitting else "write |n, and the unit behind it"
        return "wrong-unit", f"{alias}.{name} counts in {spec.unit}; {filter_} takes {unit}", hint
    return None


def _read(inside: str) -> tuple[str, str, str | None] | None:
    """Return alias, field and filter, or None for what is not a reference."""
    reference, bar, filter_ = inside.partition("|")
    match = _REFERENCE.fullmatch(reference.strip())
    return (match["alias"], match["field"], filter_.strip() if bar else None) if match else None


def render(
    text: str, facts: Mapping[str, Fact], params: Mapping[str, Scalar] | None = None, *, page_kb: int = 4
) -> str:
    """Return ``text`` filled in, cut at 65 536 characters. What is missing reads ``unknown``; nothing is raised."""
    return _fill(text, facts, params or {}, page_kb, _one_line)


def render_command(
    text: str, facts: Mapping[str, Fact], params: Mapping[str, Scalar] | None = None, *, page_kb: int = 4
) -> str:
    """Return a shell command filled in, with texts quoted: a name in a log must not become a command of its own."""
    return _fill(text, facts, params or {}, page_kb, lambda value: shlex.quote(_one_line(value)))


def _fill(
    text: str,
    facts: Mapping[str, Fact],
    params: Mapping[str, Scalar],
    page_kb: int,
    text_form: Callable[[str], str],
) -> str:
    values: dict[str, Mapping[str, Scalar]] = {alias: fact.values() for alias, fact in facts.items()}
    values["params"] = params

    def value_of(match: re.Match[str]) -> str:
        reference = _read(match["inside"])
        if reference is None:
            return UNKNOWN
        alias, name, filter_ = reference
        value = values.get(alias, {}).get(name)
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, int):
            return _filtered(value, filter_, page_kb)
        return text_form(value) if isinstance(value, str) else UNKNOWN

    parts: list[str] = []
    length = position = 0
    for match in _PLACE.finditer(text):
        for part in (text[position : match.start()], value_of(match)):
            parts.append(part)
            length += len(part)
        position = match.end()
        if length > RENDERED_MAX:
            break
    parts.append(text[position:])
    filled = "".join(parts)
    return filled if len(filled) <= RENDERED_MAX else filled[: RENDERED_MAX - 1] + "…"


def _filtered(value: int, filter_: str | None, page_kb: int) -> str:
    if filter_ is None:
        return str(value)
    words = _plural(filter_)
    if words is not None:
        return f"{grouped(value)} {words[0] if value == 1 else words[1]}"
    return FILTERS[filter_][0](value, page_kb) if filter_ in FILTERS else str(value)


def _plural(filter_: str) -> tuple[str, str] | None:
    name, _, words = filter_.partition(":")
    one, _, many = words.partition(":")
    return (one, many) if name == "plural" and one and many and ":" not in many else None


def _one_line(text: str) -> str:
    # Texts come from logs that anybody can write to: no line breaks, no terminal escapes.
    return "".join(char if char.isprintable() else "\ufffd" for char in text)
