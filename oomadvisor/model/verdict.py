"""The replayed watermark test: of one request in one zone, and of a whole operation over the zone list."""

from oomadvisor.model.base import Frozen
from oomadvisor.model.zone import Mark


class LadderStep(Frozen):
    """One comparison of the test. Step 0 compares all free pages with mark + reserve; step j those in blocks ≥ 2^j."""

    order: int
    remaining_pages: int
    bound_pages: int
    ok: bool


class Verdict(Frozen):
    """The test of one order at one mark in one zone. ``remaining_pages`` must be *greater* than ``bound_pages``.

    Both are taken at the step that failed, or at the last step when the test passes. ``short_by_pages`` is how many
    more pages in blocks of that step's size or larger would make the failed comparison pass (0 when it passes).
    """

    zone: str
    node: int = 0
    mark: Mark
    order: int
    ok: bool
    failed_at_order: int | None = None
    remaining_pages: int
    bound_pages: int
    short_by_pages: int = 0
    steps: tuple[LadderStep, ...] = ()


class ReplayStep(Frozen):
    """One allocation of a replayed operation: from which zone it was served, or (``zone`` None) the nearest failure."""

    order: int
    what: str
    zone: str | None
    verdicts: tuple[Verdict, ...]


class Replay(Frozen):
    """An operation replayed block by block at one mark; ``ok`` when every block was found."""

    operation: str
    mark: Mark
    ok: bool
    steps: tuple[ReplayStep, ...]


class Thresholds(Frozen):
    """The values of ``knob`` at which an operation passes at a mark: ``smallest`` to ``largest``, all between included.
    ``zone`` None: in some zone, block by block.

    Both None: no value passes. They are exact for the snapshot (granularity of the knob included).
    """

    knob: str
    operation: str
    zone: str | None
    mark: Mark
    smallest: int | None
    largest: int | None
