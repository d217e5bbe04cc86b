"""Kernel version ranges such as ``>=2.6.26,<2.6.35``."""

import operator
import re
from collections.abc import Callable
from typing import Any

from pydantic_core import PydanticCustomError, core_schema

Version = tuple[int, ...]

_COMPARE: dict[str, Callable[[Version, Version], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
}
SERIES: tuple[Version, ...] = (
    *((2, 6, patch) for patch in range(12, 40)),
    *((3, minor) for minor in range(20)),
    *((4, minor) for minor in range(21)),
    *((5, minor) for minor in range(20)),
    *((6, minor) for minor in range(19)),
)
"""The mainline series that the knowledge speaks of, oldest first."""

_BOUND = re.compile(r"\s*(<=|>=|==|<|>)\s*(\d{1,4}(?:\.\d{1,4}){0,3})\s*")


class KernelRange(str):
    """The text of a range; :meth:`contains` decides. A bound speaks of whole series: 2.6.31.12 is ``<=2.6.31``.

    Raises ``ValueError`` (pydantic: code ``bad-range`` or ``empty-range``) for text that is no range or holds nothing.
    """

    __slots__ = ("bounds",)
    bounds: tuple[tuple[str, Version], ...]

    def __new__(cls, text: str) -> "KernelRange":
        found = [_BOUND.fullmatch(part) for part in text.split(",")]
        self = super().__new__(cls, text)
        self.bounds = tuple((m[1], tuple(int(n) for n in m[2].split("."))) for m in found if m is not None)
        if len(self.bounds) != len(found):
            raise PydanticCustomError("bad-range", 'a kernel range looks like "<4.4" or ">=2.6.26,<2.6.35"')
        if self._empty():
            raise PydanticCustomError("empty-range", "no kernel version lies in {range}", {"range": text})
        return self

    def contains(self, version: Version) -> bool:
        """Return whether ``version`` fulfils every bound."""
        return all(_COMPARE[sign](_series(version, len(bound)), bound) for sign, bound in self.bounds)

    def overlaps(self, other: "KernelRange | None") -> bool:
        """Return whether some kernel lies in both ranges; None is all kernels."""
        if other is None:
            return True
        try:
            KernelRange(f"{self},{other}")
        except PydanticCustomError:
            return False
        return True

    def _empty(self) -> bool:
        # A range is a conjunction of half-lines, so it is empty unless it holds one of its own corners or a neighbour.
        corners = [(*bound, 0, 0, 0, 0)[:4] for _, bound in self.bounds]
        near = [
            (*corner[:place], corner[place] + step, *(9999 if step < 0 else 0,) * (3 - place))
            for corner in corners
            for place in range(4)
            for step in (-1, 1)
            if corner[place] + step >= 0
        ]
        return not any(self.contains(version) for version in (*corners, *near))

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema(strict=True, max_length=80))


def _series(version: Version, length: int) -> Version:
    return (*version, *(0,) * length)[:length]


def version_text(version: Version) -> str:
    """Return ``version`` as it is written: 2.6.31."""
    return ".".join(map(str, version))
