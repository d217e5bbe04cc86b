"""The zones as facts, each with the test of the request in it."""

from oomadvisor.facts.assess import Assessment
from oomadvisor.facts.kinds import Step, ZoneFact
from oomadvisor.facts.share import permille
from oomadvisor.model import Verdict, Zone
from oomadvisor.model.state import MIN_FREE_KBYTES
from oomadvisor.simulate.change import with_min_free_kbytes
from oomadvisor.simulate.replay import zone_verdict


def zone_facts(assessment: Assessment) -> list[ZoneFact]:
    """Return the zones, those that are tried first first, then those that the request may not use."""
    state, snap = assessment.state, assessment.snap
    eligible = [z.name for z in snap.zones] if snap is not None else []
    index = state.class_zone_index
    ordered = sorted(
        state.zones, key=lambda z: eligible.index(z.name) if z.name in eligible else len(eligible) + z.index
    )
    return [_zone(assessment, zone, eligible, index) for zone in ordered]


def _zone(assessment: Assessment, zone: Zone, eligible: list[str], index: int | None) -> ZoneFact:
    state = assessment.state
    order = state.incident.request.order
    blocks = zone.free_blocks
    listed = None if blocks is None else sum(n << o for o, n in enumerate(blocks))
    usable = suitable = None
    if blocks is not None and order is not None and order >= 0:
        usable = sum(n << o for o, n in enumerate(blocks) if o >= order)
        suitable = sum(blocks[order:])
    largest = None if blocks is None else next((o for o in reversed(range(len(blocks))) if blocks[o] > 0), -1)
    tests = {v.mark: v for v in assessment.order_verdicts if v.zone == zone.name and v.order == order}
    at_min, at_high = tests.get("min"), tests.get("high")
    scans = assessment.snap is not None and assessment.snap.family.test.scans
    reserve = None
    if zone.reserve_pages is not None and index is not None and index < len(zone.reserve_pages):
        reserve = zone.reserve_pages[index]
    return ZoneFact(
        origin=state.incident.origin(f"zones.{zone.node}.{zone.name}"),
        key=zone.name,
        name=state.build.zone_names[zone.index],
        place=zone.name,
        node=zone.node if state.build.numa else None,
        eligible=zone.name in eligible if eligible else index is None or zone.index <= index,
        preferred=bool(eligible) and zone.name == eligible[0],
        present_pages=zone.present_pages,
        present_mb=None if zone.present_pages is None else zone.present_pages * state.page_kb // 1024,
        free_pages=zone.free_pages,
        min_pages=zone.marks.min if zone.marks else None,
        low_pages=zone.marks.low if zone.marks else None,
        high_pages=zone.marks.high if zone.marks else None,
        reserve_pages=reserve,
        min=_step(tests.get("min"), scans),
        low=_step(tests.get("low"), scans),
        high=_step(tests.get("high"), scans),
        usable_pages=usable,
        suitable_blocks=suitable,
        remaining_pages=at_min.remaining_pages if at_min else None,
        bound_pages=at_min.bound_pages if at_min else None,
        short_pages=at_min.short_by_pages if at_min else None,
        bound_default_pages=_bound_at_default(assessment, zone.name),
        remaining_high_pages=at_high.remaining_pages if at_high else None,
        bound_high_pages=at_high.bound_pages if at_high else None,
        short_high_pages=at_high.short_by_pages if at_high else None,
        singles_permille=None if blocks is None else permille(blocks[0], listed),
        largest_block_kb=None if largest is None else (state.page_kb << largest if largest >= 0 else 0),
        largest_order=largest,
        counter_minus_blocks_pages=None if zone.free_pages is None or listed is None else zone.free_pages - listed,
        file_lru_pages=zone.file_lru_pages,
        anon_lru_pages=zone.anon_lru_pages,
        free_permille=permille(zone.free_pages, zone.present_pages),
        clean_file_permille=permille(_clean_file(zone), zone.present_pages),
        spins=_spins(zone, reserve),
    )


def _bound_at_default(assessment: Assessment, name: str) -> int | None:
    """Return what the request's last comparison at MIN would ask for with the default vm.min_free_kbytes."""
    tunable, snap = assessment.state.tunables.get(MIN_FREE_KBYTES), assessment.snap
    order = assessment.state.incident.request.order
    if snap is None or tunable is None or tunable.default is None or order is None:
        return None
    at_default = with_min_free_kbytes(snap, tunable.default)
    return next(
        (zone_verdict(at_default, z, order, "min").steps[-1].bound_pages for z in at_default.zones if z.name == name),
        None,
    )


def _clean_file(zone: Zone) -> int | None:
    """Return the file pages of a zone that are neither dirty nor under write; None where the zone line lacks them.

    ``writepending`` (4.8) is both together.
    """
    pending = [zone.other_pages.get(name) for name in ("writepending", "dirty", "writeback")]
    if zone.file_lru_pages is None or pending == [None, None, None]:
        return None
    return max(zone.file_lru_pages - sum(pages for pages in pending if pages is not None), 0)


def _spins(zone: Zone, reserve: int | None) -> bool | None:
    """Return whether kswapd's goal lies above the floor of ordinary requests here (vmscan.c: balance_pgdat)."""
    if zone.marks is None or reserve is None:
        return None
    return reserve > 0 and zone.marks.high > zone.marks.min + reserve


def _step(verdict: Verdict | None, scans: bool) -> Step:
    if verdict is None:
        return "unknown"
    if verdict.ok:
        return "passes"
    if verdict.failed_at_order == 0:
        return "fails_first_check"
    return "fails_in_free_lists" if scans else "fails_in_order_loop"
