"""What a value of vm.min_free_kbytes costs: what is left for interrupts, and whether kswapd can spin.

Measured on 2.6.31.12 (ARM, UP): a burst of GFP_ATOMIC stops where the formula says in 3282 of 3282 bursts of order 1–3.
"""

from dataclasses import dataclass

from oomadvisor.kernel.gfp import Alloc
from oomadvisor.kernel.percpu import pageset
from oomadvisor.simulate.burst import burst_limit
from oomadvisor.simulate.change import with_min_free_kbytes
from oomadvisor.simulate.snapshot import Snapshot

ATOMIC = Alloc.HIGH | Alloc.HARDER
"""What GFP_ATOMIC asks with (mm/page_alloc.c: gfp_to_alloc_flags, 2.6.31)."""


@dataclass(frozen=True, slots=True)
class Price:
    """At the floor, i.e. when ordinary requests have taken all they may (mark + reserve in every zone).

    ``atomic_pages``: what GFP_ATOMIC may still take. ``floor_pages``: where ordinary requests stop.
    ``above_floor_pages``: free pages now above it, so many more are used up before the difference is due.
    ``safe_burst_pages``: 5/32 of the value minus the per-cpu margin. ``spinning_zones``: zones whose HIGH mark lies
    above MIN + reserve: kswapd, once woken, never reaches its goal there when nothing can be reclaimed (vmscan.c:
    balance_pgdat).
    """

    min_free_kbytes: int
    atomic_pages: int
    floor_pages: int
    above_floor_pages: int
    safe_burst_pages: int
    spinning_zones: tuple[str, ...]


def pcp_margin_pages(snap: Snapshot) -> int:
    """Return the pages that per-cpu lists of the wrong migrate type can withhold: all of them full.

    60 on the measured box (18 + 42), where no burst of the rest was ever undercut.
    """
    batch = snap.family.batch
    return 0 if batch is None else sum(pageset(zone.present, rules=batch).hi for zone in snap.zones) * snap.cpus


def price(snap: Snapshot, min_free_kbytes: int) -> Price:
    """Return the price of a value on these zones."""
    at = with_min_free_kbytes(snap, min_free_kbytes)
    return Price(
        min_free_kbytes=min_free_kbytes,
        atomic_pages=atomic_pages(at),
        floor_pages=floor_pages(at),
        above_floor_pages=sum(z.free for z in at.zones) - floor_pages(at),
        safe_burst_pages=safe_burst_pages(snap, min_free_kbytes),
        spinning_zones=spinning_zones(at),
    )


def atomic_pages(snap: Snapshot) -> int:
    """Return what GFP_ATOMIC may still take at the floor: what of MIN the test lets it ignore."""
    return sum(z.mark_min - burst_limit(z.mark_min, ATOMIC) for z in snap.zones)


def floor_pages(snap: Snapshot) -> int:
    """Return the free pages at which ordinary requests stop: MIN and the reserve of every zone."""
    return sum(z.mark_min + z.reserve for z in snap.zones)


def safe_burst_pages(snap: Snapshot, min_free_kbytes: int) -> int:
    """Return the single pages that one burst gets even where full per-cpu lists withhold theirs; measured."""
    return max(5 * min_free_kbytes // 32 - pcp_margin_pages(snap), 0)


def spinning_zones(snap: Snapshot) -> tuple[str, ...]:
    """Return the zones whose HIGH lies above MIN + reserve, where ordinary requests stop filling them."""
    return tuple(z.name for z in snap.zones if z.reserve > 0 and z.mark_high > z.mark_min + z.reserve)
