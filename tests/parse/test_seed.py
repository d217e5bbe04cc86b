"""The seed report, number by number, as worked out from the kernel's side; and the same report cut at every byte."""

from pathlib import Path

import pytest

from oomadvisor.model import Incident, Kill, Marks, Request, Swap, Trailer
from oomadvisor.parse import read_incidents, scan_file
from tests.parse.compare import assert_nothing_invented

SEED = Path(__file__).parents[2] / "examples" / "seed-2.6.31-arm-order2.txt"


@pytest.fixture(scope="module")
def seed() -> Incident:
    found = list(scan_file(str(SEED)))
    assert len(found) == 1
    return found[0]


def test_head(seed: Incident) -> None:
    assert seed.kind == "oom"
    assert (seed.line, seed.last_line, seed.number) == (1, 54, 1)
    assert seed.request == Request(comm="myshellscript", order=2, gfp_mask=0xD0, oom_adj=0, oom_adj_label="oomkilladj")
    assert seed.arch == "arm"
    assert seed.page_kb == 4
    assert seed.kernel_release is None


def test_backtrace(seed: Incident) -> None:
    assert [frame.symbol for frame in seed.backtrace] == [
        "dump_backtrace",
        "dump_stack",
        "oom_kill_process",
        "__out_of_memory",
        "out_of_memory",
        "__alloc_pages_nodemask",
        "__get_free_pages",
        "get_pgd_slow",
        "mm_init",
        "mm_alloc",
        "bprm_mm_init",
        "do_execve",
        "sys_execve",
        "ret_fast_syscall",
    ]
    mm_init = seed.backtrace[8]
    assert (mm_init.raw, mm_init.line) == ("mm_init.clone.43+0xb0/0xf0", 12)


def test_percpu_lists(seed: Incident) -> None:
    assert [(p.zone, p.cpu, p.high_pages, p.batch_pages, p.used_pages) for p in seed.percpu] == [
        ("DMA", 0, 18, 3, 0),
        ("Normal", 0, 42, 7, 0),
    ]


def test_counters(seed: Incident) -> None:
    assert seed.counters is not None
    assert seed.counters.model_dump(exclude_none=True) == {
        "active_anon": 28162,
        "inactive_anon": 18037,
        "active_file": 16,
        "inactive_file": 13,
        "unevictable": 0,
        "dirty": 0,
        "writeback": 0,
        "unstable": 0,
        "free": 9998,
        "slab": 2447,
        "mapped": 164,
        "pagetables": 701,
        "bounce": 0,
        "other": {},
    }


def test_zones(seed: Incident) -> None:
    dma, normal = seed.zones
    assert (dma.name, dma.index, dma.present_pages, dma.free_pages) == ("DMA", 0, 24384, 4282)
    assert (normal.name, normal.index, normal.present_pages, normal.free_pages) == ("Normal", 1, 40640, 5716)
    assert dma.marks == Marks(min=390, low=487, high=585)
    assert normal.marks == Marks(min=650, low=812, high=975)
    assert dma.reserve_pages == (0, 158, 158)
    assert normal.reserve_pages == (0, 0, 0)
    assert dma.free_blocks == (2358, 912, 25, *[0] * 10)
    assert normal.free_blocks == (4266, 657, 32, 1, *[0] * 9)
    assert (dma.printed_total_kb, normal.printed_total_kb) == (17128, 22864)
    assert (dma.anon_lru_pages, dma.file_lru_pages) == (12767 + 2580, 6)
    assert (normal.anon_lru_pages, normal.file_lru_pages) == (15395 + 15457, 23)
    assert (dma.pages_scanned, dma.all_unreclaimable, dma.unevictable_pages) == (0, False, 0)


def test_tail(seed: Incident) -> None:
    assert seed.swap == Swap(cache_pages=0, added=0, deleted=0, found=0, find_total=0, free_kb=0, total_kb=0)
    assert seed.trailer == Trailer(
        pagecache_pages=26591,
        ram_pages=65536,
        zero_count_pages=10471,
        reserved_pages=3967,
        slab_pages=2447,
        shared_count=892,
        swap_cached_pages=0,
        vendor={
            "shared pages": 389,
            "mapped shared page count": 620,
            "mapped shared pages": 177,
            "dma reserved pages": 2481,
            "total user pages": 19892,
            "RSS sum by tasks": 20512,
            "RSS sum by page stats": 20512,
            "user cache pages": 164,
            "kernel cache pages": 26427,
        },
    )


def test_nothing_but_the_kill_line_is_missing_and_every_sum_is_right(seed: Incident) -> None:
    assert seed.missing == ("kill",)
    assert seed.kills == ()
    assert seed.warnings == ()


def test_where_things_stand(seed: Incident) -> None:
    assert seed.lines == {
        "request": 1,
        "backtrace": 2,
        "zones.0.DMA.percpu": 22,
        "zones.0.Normal.percpu": 24,
        "counters": 26,
        "zones.0.DMA": 29,
        "zones.0.DMA.reserve": 30,
        "zones.0.Normal": 31,
        "zones.0.Normal.reserve": 32,
        "zones.0.DMA.blocks": 33,
        "zones.0.Normal.blocks": 34,
        "trailer": 35,
        "swap": 36,
    }
    assert str(seed.origin("zones.0.Normal.blocks")).endswith("seed-2.6.31-arm-order2.txt:34")


def test_the_forms_narrow_the_kernel_to_the_era_of_the_seed(seed: Incident) -> None:
    assert {
        "oom-header-oomkilladj",
        "backtrace-arm",
        "percpu-list",
        "counters-Active_anon",
        "zone-active_anon",
        "lowmem-reserve",
        "blocks",
        "swap-stats",
        "trailer-arm",
        "trailer-lab126",
    } <= set(seed.forms)


def test_the_kill_lines_of_the_same_kernel_complete_it(seed: Incident) -> None:
    lines = SEED.read_text().splitlines()
    lines += ["Out of memory: kill process 812 (browser) score 4711 or a child", "Killed process 815 (webviewer)"]
    (found,) = read_incidents(lines, file="-")
    assert found.kills == (
        Kill(kind="chosen", pid=812, name="browser", score=4711, message="Out of memory", line=55),
        Kill(kind="killed", pid=815, name="webviewer", line=56),
    )
    assert found.missing == ()
    assert found.zones == seed.zones


def test_cut_after_every_single_byte(seed: Incident) -> None:
    text = SEED.read_bytes()
    longest = 0
    for size in range(len(text)):
        cut = text[:size]
        lines = cut.decode().splitlines(keepends=True)
        found = list(read_incidents(lines, file=seed.file))
        assert len(found) == (1 if size >= text.index(b"oom-killer:") + len(b"oom-killer:") else 0), size
        if not found:
            continue
        (incident,) = found
        assert_nothing_invented(incident, seed)
        complete = cut.count(b"\n")
        expected = {part for part, line in seed.lines.items() if line <= complete}
        assert expected <= incident.lines.keys(), size
        longest = max(longest, len(incident.lines))
    assert longest == len(seed.lines)
