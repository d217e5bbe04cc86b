"""The free lists of a zone while blocks are taken out of them, counted in place: the innermost loop of everything."""

from collections.abc import Sequence
from functools import partial

from oomadvisor.model import Mark
from oomadvisor.simulate.blocks import Choice, split_block
from oomadvisor.simulate.snapshot import Snapshot, ZoneSnapshot


class FreeLists:
    """One zone's lists and free counter at one mark."""

    __slots__ = ("_letters", "_mark", "_reserve", "_test", "blocks", "free", "kinds", "zone")

    def __init__(self, snap: Snapshot, zone: ZoneSnapshot, mark: Mark) -> None:
        self.zone = zone
        self.free = zone.free
        self.blocks = list(zone.blocks)
        self._mark, self._reserve = zone.mark(mark), zone.reserve
        self._letters = None if zone.kinds.lists is None else list(zone.kinds.lists)
        self.kinds = zone.kinds if self._letters is None else zone.kinds._replace(lists=self._letters)
        self._test = partial(
            snap.family.attempt_ok, flags=snap.privileges(mark), kinds=self.kinds, bits=snap.bits, smp=snap.smp
        )

    def take(self, order: int, choice: Choice) -> bool:
        """Take a block of ``order``, if the zone passes the test and has one."""
        if not self._test(self.free, self.blocks, order, self._mark, self._reserve):
            return False
        if not split_block(self.blocks, order, choice):
            return False
        if self._letters is not None:  # what is left over of a block lies where the request may take it
            self._letters[order:] = [letters + "U" for letters in self._letters[order:]]
        self.free -= 1 << order
        return True

    def give(self, order: int) -> None:
        """Put a block of ``order`` back; its buddy is not free."""
        self.blocks[order] += 1
        self.free += 1 << order


def lists_of(snap: Snapshot, mark: Mark) -> list[FreeLists]:
    """Return the lists of all zones that may serve the request, first tried first."""
    return [FreeLists(snap, zone, mark) for zone in snap.zones]


def serve(lists: Sequence[FreeLists], order: int, choice: Choice) -> FreeLists | None:
    """Take one block from the first zone that passes; return that zone, or None."""
    for zone in lists:
        if zone.take(order, choice):
            return zone
    return None
