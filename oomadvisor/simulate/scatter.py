"""Pages that come back at unknown positions: the best case, the worst case, and seeded draws in between.

No report says where the pages of tmpfs lie or who owns the neighbours of a free block. So:

* worst: every freed page stays alone. The sums over blocks ≥ 2^k do not move.
* best: every freed page completes a block. A block ≥ 2^k that was not free before holds at least one freed page, so the
  gain is at most 2^k pages for each freed one, and never more than freed pages + free pages in smaller blocks.
* draws: free blocks at random aligned places, freed pages at random among the used ones, buddies merged. A model, with
  its spread, not a measurement.
"""

import random
from dataclasses import dataclass

from oomadvisor.simulate.snapshot import Snapshot, ZoneSnapshot

DRAWS = 20
SEED = 2631


@dataclass(frozen=True, slots=True)
class Scatter:
    """The snapshots of one question: how it can go at worst, at best, and in each draw."""

    worst: tuple[Snapshot, ...]
    best: Snapshot
    draws: tuple[Snapshot, ...]


def scatter(snap: Snapshot, pages: int, order: int, *, draws: int = DRAWS, seed: int = SEED) -> Scatter:
    """Return what freeing ``pages`` pages can do to blocks of ``order``.

    ``worst`` has one snapshot for each zone that might get all of the pages, as singles; the worst of them counts.
    """
    worst = tuple(_replace(snap, at, _singles(zone, pages)) for at, zone in enumerate(snap.zones))
    best = snap.with_zones(tuple(_completed(zone, pages, order) for zone in snap.zones))
    generator = random.Random(seed)
    drawn = tuple(_draw(snap, pages, generator) for _ in range(draws))
    return Scatter(worst=worst, best=best, draws=drawn)


def _replace(snap: Snapshot, at: int, zone: ZoneSnapshot) -> Snapshot:
    return snap.with_zones((*snap.zones[:at], zone, *snap.zones[at + 1 :]))


def _singles(zone: ZoneSnapshot, pages: int) -> ZoneSnapshot:
    return zone.with_blocks((zone.blocks[0] + pages, *zone.blocks[1:]))


def _completed(zone: ZoneSnapshot, pages: int, order: int) -> ZoneSnapshot:
    """Return the zone with the largest gain that is possible at ``order`` when all pages are freed in it."""
    below = sum(count << o for o, count in enumerate(zone.blocks[:order]))
    gain = min(pages << order, pages + below)
    blocks = list(zone.blocks)
    moved = gain - pages
    for o in range(order):
        taken = min(blocks[o], -(-moved >> o) if moved > 0 else 0)
        blocks[o] -= taken
        moved -= taken << o
    gain -= max(moved, 0)
    blocks[order] += gain >> order
    blocks[0] += gain & ((1 << order) - 1)
    if moved < 0:
        blocks[0] += -moved
    return zone.with_blocks(tuple(blocks))


def _draw(snap: Snapshot, pages: int, generator: random.Random) -> Snapshot:
    used = [max(zone.present - zone.listed, 0) for zone in snap.zones]
    total = sum(used)
    if total == 0:
        return snap
    left = min(pages, total)
    zones = []
    for position, zone in enumerate(snap.zones):
        last = position == len(snap.zones) - 1
        share = min(left if last else round(min(pages, total) * used[position] / total), used[position], left)
        left -= share
        zones.append(zone.with_blocks(_freed_at_random(zone, share, generator)))
    return snap.with_zones(tuple(zones))


def _freed_at_random(zone: ZoneSnapshot, pages: int, generator: random.Random) -> tuple[int, ...]:
    top = len(zone.blocks) - 1
    size = ((zone.present >> top) + 1) << top
    free = bytearray(size)
    for order in range(top, -1, -1):
        length = 1 << order
        full = b"\x01" * length
        empty = bytes(length)
        slots = size >> order
        for _ in range(zone.blocks[order]):
            for _attempt in range(200):
                start = generator.randrange(slots) << order
                buddy = start ^ length
                if free[start : start + length] == empty and free[buddy : buddy + length] != full:
                    free[start : start + length] = full
                    break
    taken = [i for i in range(min(zone.present, size)) if not free[i]]
    for page in generator.sample(taken, min(pages, len(taken))):
        free[page] = 1
    return _merged(free, top, zone.blocks)


def _merged(free: bytearray, top: int, before: tuple[int, ...]) -> tuple[int, ...]:
    """Return the block counts of a page map after every pair of free buddies has merged (page_alloc.c: __free_one_page).

    ``whole[o]`` counts the aligned regions of 2^o pages that are entirely free; those that are not half of a larger one
    are the blocks of that order. The map is read as one large integer, one byte a page, so that a level costs two shifts.
    """
    regions = int.from_bytes(free, "little")
    whole = [regions.bit_count()]
    unit = 8
    for order in range(top):
        width = unit << order
        regions &= regions >> width
        lanes = len(free) * 8 // (width * 2)
        mask = int.from_bytes((b"\x01" + bytes(width * 2 // 8 - 1)) * lanes, "little")
        regions &= mask
        whole.append(regions.bit_count())
    merged = [whole[o] - 2 * whole[o + 1] for o in range(top)] + [whole[top]]
    return tuple(merged[: len(before)])
