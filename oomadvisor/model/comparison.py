"""A box before and after: whether what was advised is in force, and whether it does what was foretold."""

from typing import Literal

from oomadvisor.model.base import Frozen
from oomadvisor.model.plan import Plan
from oomadvisor.model.state import Operation, SystemState
from oomadvisor.model.verification import Headroom
from oomadvisor.model.zone import Mark

Result = Literal["passing", "not passing", "not in force", "not decidable"]
"""``passing``: all advised values are in force, and the operation passes at MIN. ``not passing``: they are, and it does
not, or the box killed again. ``not decidable``: the second report does not hold what is needed to tell.
"""


class ValueCheck(Frozen):
    """One advised setting. ``now``: what is in force in words, ``basis``: where that was read, or from what it follows.

    ``in_force`` None: the second report does not tell. ``boot``: the value that the device's own files set at the next
    restart, with their place; None when they are not in the report or do not name it. ``note``: what follows.
    """

    name: str
    advised: str
    before: str | None
    now: str | None
    basis: str | None
    in_force: bool | None
    boot: str | None = None
    boot_place: str | None = None
    note: str | None = None


class MarkCheck(Frozen):
    """A mark of a zone in pages: as foretold for the advised values, and as it is."""

    zone: str
    mark: Mark
    before_pages: int
    foretold_pages: int
    now_pages: int

    @property
    def met(self) -> bool:
        return self.foretold_pages == self.now_pages


class FreeCheck(Frozen):
    """The free memory of a zone, before and now: pages, and blocks by order."""

    zone: str
    before_pages: int | None
    now_pages: int | None
    before_blocks: tuple[int, ...] = ()
    now_blocks: tuple[int, ...] = ()


class OperationCheck(Frozen):
    """What the next request of an operation would do: at MIN, and at HIGH where the last look before a kill is."""

    operation: Operation
    min_before: bool | None
    min_now: bool
    high_before: bool | None
    high_now: bool


class Comparison(Frozen):
    """The outcome. ``promised``: the headroom foretold for the advised values on the state before; ``headroom``: that
    of the state now. ``new_kills``: incidents of the second report that the first does not hold and that happened while
    the advised values were in force; ``old_kills``: such that happened while they were not.
    """

    before: SystemState
    after: SystemState | None
    plan: Plan
    result: Result
    why: str
    values: tuple[ValueCheck, ...] = ()
    marks: tuple[MarkCheck, ...] = ()
    free: tuple[FreeCheck, ...] = ()
    operations: tuple[OperationCheck, ...] = ()
    promised: Headroom | None = None
    headroom: Headroom | None = None
    new_kills: int = 0
    old_kills: int = 0
    notes: tuple[str, ...] = ()


__all__ = ["Comparison", "FreeCheck", "MarkCheck", "OperationCheck", "Result", "ValueCheck"]
