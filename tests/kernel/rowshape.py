"""What a vector row must look like: shapes that name the first thing that is wrong."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Shape = Callable[[Any], str | None]
"""Returns None for a fitting value, else what was expected (with the place inside the value, if it is nested)."""


def integer(value: Any) -> str | None:
    return None if isinstance(value, int) and not isinstance(value, bool) else "an integer"


def natural(value: Any) -> str | None:
    return None if integer(value) is None and value >= 0 else "an integer ≥ 0"


def positive(value: Any) -> str | None:
    return None if integer(value) is None and value > 0 else "an integer > 0"


def order(value: Any) -> str | None:
    return None if integer(value) is None and 0 <= value < 64 else "an order: an integer from 0 to 63"


def bit(value: Any) -> str | None:
    return None if integer(value) is None and value in (0, 1) else "0 or 1"


def text(value: Any) -> str | None:
    return None if isinstance(value, str) else "a string"


def one_of(*values: Any) -> Shape:
    return lambda value: None if value in values else f"one of {list(values)}"


def nullable(shape: Shape) -> Shape:
    def check(value: Any) -> str | None:
        expected = None if value is None else shape(value)
        return f"{expected}, or null" if expected else None

    return check


def list_of(shape: Shape) -> Shape:
    def check(value: Any) -> str | None:
        if not isinstance(value, list):
            return "a list"
        for index, item in enumerate(value):
            if expected := shape(item):
                return f"[{index}]: {expected}"
        return None

    return check


def tuple_of(*shapes: Shape) -> Shape:
    def check(value: Any) -> str | None:
        if not isinstance(value, list) or len(value) != len(shapes):
            return f"a list of {len(shapes)} items"
        for index, (shape, item) in enumerate(zip(shapes, value, strict=True)):
            if expected := shape(item):
                return f"[{index}]: {expected}"
        return None

    return check


def record(**fields: Shape) -> Shape:
    """An object with at least these fields."""

    def check(value: Any) -> str | None:
        if not isinstance(value, dict):
            return "an object"
        for name, shape in fields.items():
            if name not in value:
                return f"a field {name!r}"
            if expected := shape(value[name]):
                return f"{name}: {expected}"
        return None

    return check


def optional(**fields: Shape) -> Shape:
    """An object in which these fields may stand."""

    def check(value: Any) -> str | None:
        for name, shape in fields.items():
            if name in value and (expected := shape(value[name])):
                return f"{name}: {expected}"
        return None

    return check


def tagged(operations: Mapping[str, Shape]) -> Shape:
    """A list whose first item chooses the shape of the whole."""

    def check(value: Any) -> str | None:
        if not isinstance(value, list) or not value or not isinstance(value[0], str) or value[0] not in operations:
            return f"a list that starts with one of {list(operations)}"
        return operations[value[0]](value)

    return check


def same_length(*names: str, less_one: Sequence[str] = ()) -> Shape:
    """An object whose lists ``names`` are of one length, those in ``less_one`` shorter by one."""

    def check(value: Any) -> str | None:
        length = len(value[names[0]])
        for name in names:
            if len(value[name]) != length:
                return f"{name}: {length} items, as many as {names[0]}"
        for name in less_one:
            if len(value[name]) != length - 1:
                return f"{name}: {length - 1} items, one less than {names[0]}"
        return None

    return check


def both(*shapes: Shape) -> Shape:
    """All of the shapes, in order; the later ones may rely on the earlier."""

    def check(value: Any) -> str | None:
        return next((expected for shape in shapes if (expected := shape(value))), None)

    return check


integers = list_of(integer)
naturals = list_of(natural)
zone_names = list_of(one_of("DMA", "DMA32", "Normal", "HighMem", "Movable"))
