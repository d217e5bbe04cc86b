"""The free lists of a zone while blocks are taken out of them, counted in place: the innermost loop of everything."""

from collections.abc import Sequence

from oomadvisor.kernel.watermark import ONE_KIND, Privileges
from oomadvisor.model import Mark
from oomadvisor.simulate.blocks import Choice, split_block, split_singles
from oomadvisor.simulate.snapshot import Snapshot, ZoneSnapshot

#: No form of the test takes more than this off the free pages of a zone that keeps none of them apart.
NEVER_WRAPS = 16


class FreeLists:
    """One zone's lists, up to its largest free block, and its free counter at one mark."""

    __slots__ = ("_first", "_letters", "_passes", "_test", "blocks", "free", "kinds", "zone")

    def __init__(self, snap: Snapshot, zone: ZoneSnapshot, mark: Mark, flags: Privileges) -> None:
        self.zone = zone
        self._letters = None if zone.kinds.lists is None else list(zone.kinds.lists)
        self.kinds = zone.kinds if self._letters is None else zone.kinds._replace(lists=self._letters)
        self._test = snap.family.attempt_test(flags=flags, kinds=self.kinds, bits=snap.bits, smp=snap.smp)
        self._first = _without_empty_end(zone.blocks)
        self.begin(zone.mark(mark))

    def begin(self, mark_pages: int) -> None:
        """Begin anew with the lists of the zone, at a mark of so many pages."""
        zone = self.zone
        self.free = zone.free
        self.blocks = list(self._first)
        if self._letters is not None and zone.kinds.lists is not None:
            self._letters[:] = zone.kinds.lists
        self._passes = self._test(mark_pages, zone.reserve)

    def take(self, order: int, choice: Choice) -> bool:
        """Take a block of ``order``, if the zone passes the test and has one."""
        if not self._passes(self.free, self.blocks, order):
            return False
        if not split_block(self.blocks, order, choice):
            return False
        if self._letters is not None:  # what is left over of a block lies where the request may take it
            self._letters[order:] = [letters + "U" for letters in self._letters[order:]]
        self.free -= 1 << order
        return True

    def take_singles(self, wanted: int, choice: Choice) -> int:
        """Take single pages one after another until ``wanted`` are taken or one is refused; return how many."""
        # With so much free that no word wraps, who gives the last page gives those before it.
        never_wraps = self.kinds == ONE_KIND and self.free - wanted >= NEVER_WRAPS
        if never_wraps and self._passes(self.free - wanted + 1, self.blocks, 0):
            taken = split_singles(self.blocks, wanted, choice)
            self.free -= taken
            return taken
        taken = 0
        while taken < wanted and self.take(0, choice):
            taken += 1
        return taken

    def give(self, order: int) -> None:
        """Put a block of ``order`` back; its buddy is not free."""
        self.blocks[order] += 1
        self.free += 1 << order


def _without_empty_end(blocks: tuple[int, ...]) -> tuple[int, ...]:
    """Return the lists without the empty ones above the largest free block: blocks never get larger here."""
    end = len(blocks)
    while end > 1 and not blocks[end - 1]:
        end -= 1
    return blocks[:end]


def lists_of(snap: Snapshot, mark: Mark) -> list[FreeLists]:
    """Return the lists of all zones that may serve the request, first tried first."""
    flags = snap.privileges(mark)
    return [FreeLists(snap, zone, mark, flags) for zone in snap.zones]


def serve(lists: Sequence[FreeLists], order: int, choice: Choice) -> FreeLists | None:
    """Take one block from the first zone that passes; return that zone, or None."""
    for zone in lists:
        if zone.take(order, choice):
            return zone
    return None


def serve_singles(lists: Sequence[FreeLists], wanted: int, choice: Choice) -> FreeLists | None:
    """Take ``wanted`` single pages one after another; return the zone that gave the last one, or None without it.

    A zone that has refused a single page goes on to do so: nothing of it has changed.
    """
    for zone in lists:
        wanted -= zone.take_singles(wanted, choice)
        if wanted == 0:
            return zone
    return None
