"""Which writes a /proc/sys file takes: what exists in a kernel, in which range, and what else the write does."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from oomadvisor import knowledge
from oomadvisor.knowledge.files import read
from oomadvisor.knowledge.versions import version_tuple
from oomadvisor.model.state import LOWMEM_RESERVE_RATIO

INT_MIN, INT_MAX = -(2**31), 2**31 - 1
LISTED_ENOUGH = 5
"""So many names under vm. make a listing of a box complete enough to say what it does not have."""


@dataclass(frozen=True, slots=True)
class Handler:
    """What is special about writing one sysctl (knowledge/handlers.yaml). ``zeroes``: the sysctl that becomes 0."""

    name: str
    min: int = INT_MIN
    max: int = INT_MAX
    one_shot: bool = False
    read_only: bool = False
    zeroes: str | None = None
    until: tuple[int, ...] | None = None

    def range_holds_in(self, version: tuple[int, ...]) -> bool:
        """Return whether ``min`` and ``max`` are those of ``version`` (empty = not known: they are taken)."""
        return self.until is None or version[: len(self.until)] <= self.until


@cache
def _handlers() -> dict[str, Handler]:
    rows: list[dict[str, Any]] = read("handlers")["handlers"]
    return {
        row["name"]: Handler(**row | ({"until": version_tuple(row["until"])} if "until" in row else {})) for row in rows
    }


def handler_of(name: str) -> Handler:
    """Return what is known about writing ``name``; one that nothing special is known of takes any 32-bit number."""
    return _handlers().get(name, Handler(name))


def why_not_written(
    name: str, values: Sequence[int], version: tuple[int, ...], listed: Collection[str] = ()
) -> str | None:
    """Return why a kernel of ``version`` would not take ``values`` for ``name``, or None when it does.

    ``listed``: the sysctls that the box itself shows, where a listing of them was given.
    """
    knob = knowledge.knobs().get(name)
    if knob is None and name.startswith("vm."):
        return f"no kernel known here has {name}"
    if knob is not None and version and not knob.exists_in(version):
        return f"{name} does not exist in Linux {'.'.join(map(str, version))}"
    is_listed = sum(known.startswith("vm.") for known in listed) >= LISTED_ENOUGH
    if is_listed and name.startswith("vm.") and name not in listed:
        return f"this box has no {name}"
    handler = handler_of(name)
    if handler.read_only:
        return f"{name} is read-only"
    if len(values) > 1 and name != LOWMEM_RESERVE_RATIO:
        return f"{name} takes one number, not {len(values)}"
    low, high = (handler.min, handler.max) if handler.range_holds_in(version) else (INT_MIN, INT_MAX)
    for value in values:
        if not low <= value <= high:
            return f"{name} takes {_range_words(low, high)}, not {value}"
    return None


def _range_words(low: int, high: int) -> str:
    if high == INT_MAX:
        return f"{low} and more" if low != INT_MIN else "32-bit numbers"
    return f"{low} to {high}"
