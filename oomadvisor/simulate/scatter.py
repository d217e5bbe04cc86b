"""Pages that come back at unknown positions: the best case, the worst case, and seeded draws in between.

No report says where the pages of tmpfs lie or who owns the neighbours of a free block. So:

* worst: every freed page stays alone. The sums over blocks ≥ 2^k do not move.
* best: every freed page completes a block. A block ≥ 2^k that was not free before holds at least one freed page, so the
  gain is at most 2^k pages for each freed one, and never more than freed pages + free pages in smaller blocks.
* draws: free blocks at random aligned places, freed pages at random among the used ones, buddies merged. A model, with
  its spread, not a measurement.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

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
    shares = _shares(snap, pages)
    drawn = tuple(
        snap.with_zones(
            tuple(
                zone.with_blocks(_freed_at_random(zone, share, f"{seed} {draw} {zone.name}"))
                for zone, share in zip(snap.zones, shares, strict=True)
            )
        )
        for draw in range(draws)
    )
    return Scatter(worst=worst, best=best, draws=drawn)


def _shares(snap: Snapshot, pages: int) -> list[int]:
    """Split the freed pages over the zones in proportion to their used pages."""
    used = [max(zone.present - zone.listed, 0) for zone in snap.zones]
    total = sum(used)
    left = wanted = min(pages, total)
    shares = []
    for number in used:
        share = min(-(-wanted * number // total), number, left) if total else 0
        shares.append(share)
        left -= share
    return shares


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


@cache
def _layout(blocks: tuple[int, ...], present: int, seed: str) -> bytes:
    """Return a page map, one byte a page, 1 = free, with exactly ``blocks`` free blocks at random aligned places.

    Largest first. Blocks of one order get different parents, so no two of them are buddies; a parent that a larger block
    has begun to use is passed over.
    """
    generator = random.Random(seed)
    top = len(blocks) - 1
    size = ((present >> top) + 1) << top
    free = bytearray(size)
    for order in reversed(range(top + 1)):
        length, parent = 1 << order, 2 << order
        full, empty = b"\x01" * length, bytes(parent)
        left = blocks[order]
        for start in _shuffled(generator, range(0, size, min(parent, size)), left) if left else ():
            if free[start : start + parent] == empty[: size - start]:
                half = start + (length if generator.getrandbits(1) and start + parent <= size else 0)
                free[half : half + length] = full
                left -= 1
                if left == 0:
                    break
    return bytes(free)


def _shuffled(generator: random.Random, places: range, wanted: int) -> Iterator[int]:
    """Yield places in random order: first a sample somewhat larger than wanted, then, if that was not enough, all."""
    first = generator.sample(places, min(len(places), wanted + wanted // 2 + 8))
    yield from first
    seen = set(first)
    rest = [place for place in places if place not in seen]
    generator.shuffle(rest)
    yield from rest


def _freed_at_random(zone: ZoneSnapshot, pages: int, seed: str) -> tuple[int, ...]:
    free = bytearray(_layout(zone.blocks, zone.present, seed))
    generator = random.Random(f"{seed} freed")
    limit, left = min(zone.present, len(free)), pages
    if pages * 2 > limit:
        taken = [page for page in range(limit) if not free[page]]
        for page in generator.sample(taken, min(pages, len(taken))):
            free[page] = 1
    else:
        draw = generator.random
        while left > 0:
            page = int(draw() * limit)
            if not free[page]:
                free[page] = 1
                left -= 1
    return _merged(free, len(zone.blocks) - 1)


def _merged(free: bytearray, top: int) -> tuple[int, ...]:
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
    return tuple(whole[o] - 2 * whole[o + 1] for o in range(top)) + (whole[top],)
