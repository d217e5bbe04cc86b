"""How a run begins: at boot, or as the report shows it, with every page accounted for."""

from dataclasses import replace
from itertools import islice

import pytest

from oomadvisor.infer import build_state
from oomadvisor.kernel.gfp import MigrateType
from oomadvisor.longrun import (
    AS_IT_IS,
    Box,
    NoLongRun,
    Setting,
    boot,
    box_of,
    default_mix,
    from_boot,
    from_report,
    setting_of,
)
from oomadvisor.longrun.setting import check_setting
from oomadvisor.longrun.start import ZoneOwners, prepared
from oomadvisor.longrun.timeline import timeline
from oomadvisor.model import Swap, SystemState
from oomadvisor.parse import scan_file
from tests.longrun.boxes import box, free_frames, mix, owners
from tests.simulate.boxes import ROOT

REPORTS = [
    "seed-2.6.31-arm-order2.txt",
    "arm-2.6.31.12-order2-fork-min8192.txt",
    "arm-2.6.31.12-order1-fork-scattered.txt",
]


def state(name: str) -> SystemState:
    return build_state(next(iter(scan_file(str(ROOT / "tests" / "reports" / name)))))


def test_the_box_of_the_seed() -> None:
    found = box_of(state(REPORTS[0]))
    assert (found.zone_names, found.present) == (("DMA", "Normal", "Movable"), (24384, 40640, 0))
    assert found.reserve[0] == (0, 158, 158)
    assert found.max_order == 13
    assert found.min_free_kbytes == 4160
    assert found.default_min_free_kbytes == 2039
    assert found.operation.orders == (1, 2, 2)
    assert found.image_pages == 3967 - (65536 - 65024)  # reserved, without the page structs


def test_at_boot_all_but_the_image_is_free_and_reserve_blocks_are_set_aside() -> None:
    small = box((1536, 2560, 0), image=100, max_order=9)
    still = mix(residents=(), slab={"initial_kb": 0}, tmpfs={"initial_kb": 0})  # type: ignore[arg-type]
    load = prepared(boot(small), still, AS_IT_IS, 1)
    assert load.free_pages == 1536 + 2560 - 100
    # One block each: MIN is below a pageblock of 256 pages; the first block of DMA holds the image.
    assert all(zone.marks.min <= 256 for zone in load.zones)
    assert [z.buddy.pageblock_types.count(MigrateType.RESERVE) for z in load.zones] == [1, 1]
    assert [z.buddy.pageblock_types.index(MigrateType.RESERVE) for z in load.zones] == [1, 0]


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_is_taken_as_it_is(name: str) -> None:
    found = state(name)
    load = prepared(from_report(found), default_mix(), AS_IT_IS, 7)
    memory = found.memory
    for live, zone in zip(load.zones, (z for z in found.zones if z.present_pages), strict=True):
        assert tuple(live.buddy.nr_free) == zone.free_blocks
        assert zone.marks is not None
        assert tuple(live.marks) == (zone.marks.min, zone.marks.low, zone.marks.high)
    assert load.tmpfs_pages == memory.shmem_pages
    assert len(load.files) == memory.file_lru_pages
    anon = sum(len(process.anon) for process in load.processes.values())
    on_lists = sum(zone.lru_pages for zone in from_report(found).zones)
    assert anon == pytest.approx(on_lists - load.tmpfs_pages - len(load.files), abs=len(load.residents))
    assert load.free_pages + load.owned_pages == sum(z.present_pages or 0 for z in found.zones)
    frames = [*owners(load), *free_frames(load.zones)]
    assert len(frames) == len(set(frames)) == load.free_pages + load.owned_pages - load.pinned


@pytest.mark.parametrize("present", [(512, 1024, 0), (640, 1000, 0), (300, 0, 0)])
def test_a_box_of_any_size_can_be_taken_over(present: tuple[int, ...]) -> None:
    whole = from_report(state(REPORTS[0]))
    small = box(present, max_order=8)
    zones = tuple(
        ZoneOwners(
            free_blocks=(pages // 10, pages // 40, 2, 0, 1, 0, 0, 0) if pages else (),
            used_pages=used,
            lru_pages=used // 2,
        )
        for pages in present
        for used in [pages - pages // 10 - 2 * (pages // 40) - 8 - 16 if pages else 0]
    )
    start = replace(whole, box=small, zones=zones, anon_pages=50, tmpfs_pages=60, file_pages=20)
    for seed in range(5):
        load = prepared(start, mix(), AS_IT_IS, seed)
        frames = [*owners(load), *free_frames(load.zones)]
        assert len(frames) == len(set(frames)) == sum(present) - load.pinned
        for moment in islice(timeline(mix(), seed), 50):
            load.until(moment.at_us)
            load.do(moment.event)
        assert load.free_pages + load.owned_pages == sum(present)


def test_layouts_differ_by_seed_and_not_by_setting() -> None:
    start = from_report(state(REPORTS[0]))

    def layout(seed: int, value: int | None) -> list[int]:
        return sorted(free_frames(prepared(start, default_mix(), Setting("x", value), seed).zones))

    assert layout(1, None) == layout(1, 2039)
    assert layout(1, None) != layout(2, None)


def with_swap(found: SystemState) -> SystemState:
    return found.model_copy(update={"swap": Swap(total_kb=65536)})


def without_owners(found: SystemState) -> SystemState:
    return found.model_copy(update={"memory": found.memory.model_copy(update={"anon_lru_pages": None})})


def without_lists(found: SystemState) -> SystemState:
    return found.model_copy(update={"zones": tuple(z.model_copy(update={"free_blocks": None}) for z in found.zones)})


def of_another_kernel(found: SystemState) -> SystemState:
    return found.model_copy(update={"kernel": found.kernel.model_copy(update={"version": (4, 19), "text": "4.19"})})


def without_sizes(found: SystemState) -> SystemState:
    return found.model_copy(update={"zones": tuple(z.model_copy(update={"present_pages": None}) for z in found.zones)})


@pytest.mark.parametrize(
    ("damage", "boots", "said"),
    [
        (with_swap, False, "65536 kB of swap"),
        (of_another_kernel, False, "4.19"),
        (without_sizes, False, "present:"),
        (without_lists, True, "free lists"),
        (without_owners, True, "who has the memory"),
    ],
)
def test_what_cannot_be_run_is_refused_with_the_reason(damage, boots: bool, said: str) -> None:  # type: ignore[no-untyped-def]
    damaged = damage(state(REPORTS[0]))
    with pytest.raises(NoLongRun, match=said):
        from_report(damaged)
    if boots:
        assert from_boot(damaged).kind == "boot"
    else:
        with pytest.raises(NoLongRun, match=said):
            from_boot(damaged)


@pytest.mark.parametrize(
    ("sysctls", "said"),
    [
        ({"vm.swappiness": (10,)}, "does not read vm.swappiness"),
        ({"vm.min_free_kbytes": (1, 2)}, "takes one number"),
        ({"vm.min_free_kbytes": (-1,)}, "-1"),
        ({"vm.percpu_pagelist_fraction": (7,)}, "8 or more"),
        ({"vm.lowmem_reserve_ratio": (1, 1, 1)}, "2 entries"),
        ({"vm.min_free_kbytes": (10_000_000,)}, "half of the memory"),
    ],
)
def test_settings_that_cannot_be_run(sysctls: dict[str, tuple[int, ...]], said: str) -> None:
    with pytest.raises(NoLongRun, match=said):
        check_setting(setting_of(sysctls), box())


def test_a_setting_changes_marks_reserves_and_lists() -> None:
    sysctls = {"vm.min_free_kbytes": (400,), "vm.lowmem_reserve_ratio": (16, 16), "vm.percpu_pagelist_fraction": (64,)}
    setting, small = setting_of(sysctls), box()
    zones = prepared(boot(small), mix(), setting, 1).zones
    assert [zone.marks.min for zone in zones] == [100 * 1536 // 4096, 100 * 2560 // 4096]
    assert zones[0].reserve == (0, 2560 // 16, 2560 // 16)
    assert [zone.pcp.high for zone in zones] == [1536 // 64, 2560 // 64]
    assert setting.name == "min_free_kbytes=400, lowmem_reserve_ratio=16 16, percpu_pagelist_fraction=64"


def test_a_box_of_its_own_is_a_value() -> None:
    assert box() == box()
    assert isinstance(box(), Box)
