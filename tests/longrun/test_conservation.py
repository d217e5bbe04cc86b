"""Pages are neither lost nor made: what is free and what somebody has make up the box, after every event."""

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from oomadvisor.longrun import Box, Mix, Setting, boot
from oomadvisor.longrun.start import Start, prepared
from oomadvisor.longrun.timeline import timeline
from oomadvisor.longrun.workload import Panic, Workload
from tests.longrun.boxes import SLOW_PROPERTY, boxes, free_frames, mixes, owners

EVENTS = 400


def run_checked(start: Start, mix: Mix, setting: Setting, seed: int, speed: int) -> Workload | None:
    """Run with a look at every page count after every event; return the load where it got that far."""
    load = None
    try:
        load = prepared(start, mix, setting, seed)
        for moment in islice(timeline(mix, seed, speed=speed), EVENTS):
            load.until(moment.at_us)
            load.do(moment.event)
            assert load.free_pages + load.owned_pages == start.box.present_pages
    except Panic:
        pass
    return load


@SLOW_PROPERTY
@given(
    box=boxes(),
    mix=mixes(),
    value=st.one_of(st.none(), st.integers(0, 2000)),
    seed=st.integers(0, 1 << 30),
    speed=st.sampled_from([1, 50, 20_000]),
)
def test_nothing_is_lost_or_made_and_no_page_has_two_owners(
    box: Box, mix: Mix, value: int | None, seed: int, speed: int
) -> None:
    load = run_checked(boot(box), mix, Setting("test", value), seed, speed)
    if load is None:
        return
    frames = [*owners(load), *free_frames(load.zones)]
    assert len(frames) == len(set(frames)) == box.present_pages - box.image_pages
    for zone in load.zones:
        assert all(zone.start <= pfn < zone.start + zone.present for pfn in frames if load.files.zone_of(pfn) is zone)
        assert {pfn for pfn in load.files.place if load.files.zone_of(pfn) is zone} == {*zone.inactive, *zone.active}


@SLOW_PROPERTY
@given(box=boxes(), mix=mixes(), seed=st.integers(0, 1 << 30))
def test_free_buddies_have_merged_and_the_counters_are_those_of_the_lists(box: Box, mix: Mix, seed: int) -> None:
    load = run_checked(boot(box), mix, Setting("test"), seed, 1000)
    if load is None:
        return
    for zone in load.zones:
        lists = zone.buddy.free_lists
        blocks = {(pfn, order) for order, _, pfns in lists for pfn in pfns}
        assert zone.free_pages == sum(1 << order for _, order in blocks)
        for pfn, order in blocks:
            assert pfn % (1 << order) == 0
            assert order == box.max_order - 1 or (pfn ^ (1 << order), order) not in blocks
