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
FEW = 4
SPARSE = 64


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
def _layout(blocks: tuple[int, ...], present: int, seed: str) -> int:
    """Return a page map (bit p set = page p is free) with exactly ``blocks`` free blocks at random aligned places.

    Largest first. Blocks of one order get different parents (the region that they would form with their buddy), so no
    two of them are buddies, and only parents that no larger block has touched: that is how free lists look after every
    possible merge.
    """
    generator = random.Random(seed)
    top = len(blocks) - 1
    size = ((present >> top) + 1) << top
    free = 0
    for order in range(top, -1, -1):
        if blocks[order] == 0:
            continue
        parent = min(order + 1, top)
        untouched = _every(size, 1 << parent) & ~_folded(free, parent)
        starts = _chosen(untouched, blocks[order], size, generator)
        if order < top:
            upper = starts & generator.getrandbits(size)
            starts = (starts ^ upper) | upper << (1 << order)
        free |= _spread(starts, order)
    return free


@cache
def _every(size: int, step: int) -> int:
    """Return ``size`` bits of which every ``step``-th is set, from bit 0 on."""
    return ((1 << size) - 1) // ((1 << step) - 1)


def _folded(bits: int, order: int) -> int:
    """Return the bits with bit p set where any of the bits p … p + 2^order − 1 was."""
    for level in range(order):
        bits |= bits >> (1 << level)
    return bits


def _spread(starts: int, order: int) -> int:
    """Return the bits with the 2^order bits from each start on set."""
    for level in range(order):
        starts |= starts << (1 << level)
    return starts


def _chosen(places: int, wanted: int, size: int, generator: random.Random) -> int:
    """Return ``wanted`` of the set bits of ``places``, each as likely as any other (all of them when there are fewer).

    A coin with a probability of wanted / available is thrown for all places at once, eight bits of it being enough.
    What that gives too few or too many is then chosen in the same way, and the last few one by one.
    """
    available = places.bit_count()
    if wanted >= available:
        return places
    if wanted <= FEW:
        return _one_by_one(places, wanted, size, generator)
    coin = 0
    probability = max(wanted * 256 // available, 1)
    for bit in range(8):
        throw = generator.getrandbits(size)
        coin = coin | throw if probability >> bit & 1 else coin & throw
    chosen = places & coin
    missing = wanted - chosen.bit_count()
    if missing >= 0:
        return chosen | _chosen(places ^ chosen, missing, size, generator)
    return chosen ^ _chosen(chosen, -missing, size, generator)


def _one_by_one(places: int, wanted: int, size: int, generator: random.Random) -> int:
    digits = f"{places:0{size}b}"
    if places.bit_count() * SPARSE < size:
        found = list(_ones(digits))
        return sum(1 << (size - 1 - at) for at in generator.sample(found, wanted))
    chosen: set[int] = set()
    while len(chosen) < wanted:
        at = generator.randrange(size)
        if digits[at] == "1":
            chosen.add(at)
    return sum(1 << (size - 1 - at) for at in chosen)


def _ones(digits: str) -> Iterator[int]:
    at = digits.find("1")
    while at >= 0:
        yield at
        at = digits.find("1", at + 1)


def _freed_at_random(zone: ZoneSnapshot, pages: int, seed: str) -> tuple[int, ...]:
    free = _layout(zone.blocks, zone.present, seed)
    used = ((1 << zone.present) - 1) & ~free
    freed = _chosen(used, pages, zone.present, random.Random(f"{seed} freed"))
    return _merged(free | freed, zone.present, len(zone.blocks) - 1)


def _merged(free: int, present: int, top: int) -> tuple[int, ...]:
    """Return the block counts of a page map after every pair of free buddies has merged (page_alloc.c:
    __free_one_page).

    ``whole[o]`` counts the aligned regions of 2^o pages that are entirely free; those that are not half of a larger
    one are the blocks of that order.
    """
    size = ((present >> top) + 1) << top
    whole = [free.bit_count()]
    for order in range(top):
        free &= free >> (1 << order)
        free &= _every(size, 2 << order)
        whole.append(free.bit_count())
    return (*(whole[o] - 2 * whole[o + 1] for o in range(top)), whole[top])
