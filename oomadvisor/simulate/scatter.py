"""Pages that come back at unknown positions: the best case, the worst case, and seeded draws in between.

No report says where the pages of tmpfs lie or who owns the neighbours of a free block. So:

* worst: every freed page stays alone, and the zones share the pages so that they help least. The sums over blocks ≥ 2^k
  do not move; a zone that lacks single pages gets too few of them, where the others can take the rest.
* best: every freed page completes a block, in each zone. A block ≥ 2^k that was not free before holds at least one
  freed page, so the gain is at most 2^k pages for each freed one, and never more than the pages in smaller blocks.
* draws: free blocks at random aligned places, freed pages at random among the used ones, buddies merged. A model, with
  its spread, not a measurement.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import accumulate

from oomadvisor.model import Mark
from oomadvisor.simulate.blocks import Choice
from oomadvisor.simulate.replay import operation_passes
from oomadvisor.simulate.snapshot import Snapshot, ZoneSnapshot

DRAWS = 20
MOST_PAGES = 1 << 20
"""Zones with more pages together (4 GB of 4 kB) are not laid out: every page takes time and memory in each draw."""
SEED = 2631
FEW = 64
SPARSE = 64
MAPS_KEPT = 128
"""All maps of one incident, which several fixes are tried on. One takes a bit for each page of a zone."""

QUESTIONS: tuple[tuple[Mark, Choice], ...] = (
    ("min", "smallest"),
    ("low", "smallest"),
    ("high", "smallest"),
    ("high", "largest"),
)
"""What is asked of a case: what is shown is replayed with the smallest block; *certain* needs both ways at HIGH."""


@dataclass(frozen=True, slots=True)
class Scatter:
    """The snapshots of one question: how it can go at worst, at best, and in each draw."""

    worst: tuple[Snapshot, ...]
    best: Snapshot
    draws: tuple[Snapshot, ...]


def scatter(snap: Snapshot, pages: int, orders: tuple[int, ...], *, draws: int = DRAWS, seed: int = SEED) -> Scatter:
    """Return what freeing ``pages`` pages can do to an operation that takes blocks of ``orders`` one after another.

    ``worst`` has a snapshot for each question that is asked of it (mark, which block is split, a single page after the
    operation or none): at each the worst of them counts. No zone gets more pages than it has in use. There are no draws
    where the zones have more than MOST_PAGES and large blocks are asked for.
    """
    best = snap.with_zones(tuple(_completed(zone, min(pages, _used(zone)), max(orders)) for zone in snap.zones))
    shares = _shares(snap, pages)
    if max(orders) == 0:
        # Single pages are counted, not looked for: every layout gives the same answer.
        drawn = (_with_singles(snap, shares),) * draws
    elif sum(max(zone.present, zone.listed) for zone in snap.zones) > MOST_PAGES:
        drawn = ()
    else:
        drawn = tuple(_drawn(snap, shares, f"{seed} {draw}") for draw in range(draws))
    return Scatter(worst=_worst(snap, pages, orders), best=best, draws=drawn)


def _drawn(snap: Snapshot, shares: Sequence[int], seed: str) -> Snapshot:
    return snap.with_zones(
        tuple(
            zone.with_blocks(_freed_at_random(zone.blocks, zone.present, share, f"{seed} {zone.name}"))
            for zone, share in zip(snap.zones, shares, strict=True)
        )
    )


def _used(zone: ZoneSnapshot) -> int:
    return max(zone.present - zone.listed, 0)


def _worst(snap: Snapshot, pages: int, orders: tuple[int, ...]) -> tuple[Snapshot, ...]:
    cases: dict[Snapshot, None] = {}
    for sequence in (orders, (*orders, 0)):
        for mark, choice in QUESTIONS:
            cases[_least_help(snap, pages, partial(operation_passes, orders=sequence, mark=mark, choice=choice))] = None
    return tuple(cases)


def _least_help(snap: Snapshot, pages: int, ok: Callable[[Snapshot], bool]) -> Snapshot:
    """Return ``snap`` with the pages, as singles, shared so that ``ok`` fails; shared anyhow when it cannot be made to.

    Each zone can take some pages in vain: it could still not serve the operation alone. If they all together cannot
    take every page, some zone gets what it lacks, however the pages fall. If they can, that is the case to return, but
    for zones that fail alone and serve together: then no freed page is counted on, and ``snap`` itself is returned.
    """
    left, shares = min(pages, sum(map(_used, snap.zones))), []
    for zone in snap.zones:
        shares.append(min(left, _in_vain(snap, zone, min(pages, _used(zone)), ok)))
        left -= shares[-1]
    if left == 0:
        case = _with_singles(snap, shares)
        return snap if ok(case) else case
    for at, zone in enumerate(snap.zones):
        more = min(left, _used(zone) - shares[at])
        shares[at] += more
        left -= more
    return _with_singles(snap, shares)


def _in_vain(snap: Snapshot, zone: ZoneSnapshot, pages: int, ok: Callable[[Snapshot], bool]) -> int:
    """Return the largest number of single pages, up to ``pages``, with which ``zone`` alone does not serve."""
    if not ok(snap.with_zones((_singles(zone, pages),))):
        return pages
    failing, passing = 0, pages
    while passing - failing > 1:
        middle = (failing + passing) // 2
        if ok(snap.with_zones((_singles(zone, middle),))):
            passing = middle
        else:
            failing = middle
    return failing


def _with_singles(snap: Snapshot, shares: Sequence[int]) -> Snapshot:
    return snap.with_zones(tuple(_singles(zone, share) for zone, share in zip(snap.zones, shares, strict=True)))


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


def _singles(zone: ZoneSnapshot, pages: int) -> ZoneSnapshot:
    return zone.with_blocks((zone.blocks[0] + pages, *zone.blocks[1:]))


def _completed(zone: ZoneSnapshot, pages: int, order: int) -> ZoneSnapshot:
    """Return the zone with the largest gain that is possible at every order up to ``order``, all pages freed in it.

    From order to order: the pages in blocks ≥ 2^o grow by at most 2^o for each freed page, in whole blocks, and at most
    by what the order below gained and holds.
    """
    blocks = list(zone.blocks)
    gain = pages
    for o in range(1, order + 1):
        below = gain + (blocks[o - 1] << (o - 1))
        more = min(pages << o, below) >> o
        blocks[o - 1] = (below - (more << o)) >> (o - 1)
        gain = more << o
    blocks[order] += gain >> order
    return zone.with_blocks(tuple(blocks))


@lru_cache(maxsize=MAPS_KEPT)
def free_page_map(blocks: tuple[int, ...], present: int, seed: str) -> int:
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


@lru_cache(maxsize=MAPS_KEPT)
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
    """Return ``wanted`` of the set bits of ``places``; they are counted from the highest of ``size`` bits down."""
    if places.bit_count() * SPARSE < size:
        found = [at - 1 for at in accumulate(len(zeros) + 1 for zeros in f"{places:0{size}b}".split("1")[:-1])]
        return _set(generator.sample(found, wanted), size)
    data, last = places.to_bytes((size + 7) // 8, "little"), size - 1
    chosen: set[int] = set()
    throw = generator.random
    while len(chosen) < wanted:
        at = int(throw() * size)
        if data[last - at >> 3] >> (last - at & 7) & 1:
            chosen.add(at)
    return _set(chosen, size)


def _set(places: Iterable[int], size: int) -> int:
    """Return ``size`` bits with those at ``places`` set, counted from the highest down."""
    data, last = bytearray((size + 7) // 8), size - 1
    for at in places:
        data[last - at >> 3] |= 1 << (last - at & 7)
    return int.from_bytes(data, "little")


@lru_cache(maxsize=2 * MAPS_KEPT)  # a plan frees what one of its fixes frees
def _freed_at_random(blocks: tuple[int, ...], present: int, pages: int, seed: str) -> tuple[int, ...]:
    free = free_page_map(blocks, present, seed)
    used = ((1 << present) - 1) & ~free
    freed = _chosen(used, pages, present, random.Random(f"{seed} freed"))
    return _merged(free | freed, present, len(blocks) - 1)


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
