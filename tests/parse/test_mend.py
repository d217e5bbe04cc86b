"""A digit that was lost comes back where the report's own sums prove it; otherwise the number is unknown."""

import pytest

from oomadvisor.model import Incident
from oomadvisor.parse import read_incidents
from oomadvisor.parse.mend import shortened
from tests.parse.flat import flat

#: Two zones and the counters, at peace with each other: 39984 kB free, in blocks; the marks as 2.6.31 computes them.
WHOLE = """\
sh invoked oom-killer: gfp_mask=0xd0, order=2, oomkilladj=0
Backtrace:
[<c0012340>] (dump_backtrace+0x0/0x40) from [<c0045678>] (dump_stack+0x18/0x1c)
Mem-info:
Active_anon:23456 active_file:1234 inactive_anon:4000
 inactive_file:2345 unevictable:0 dirty:1 writeback:0 unstable:0
 free:9996 slab:639 mapped:164 pagetables:100 bounce:0
DMA free:17128kB min:1556kB low:1944kB high:2332kB active_anon:13824kB inactive_anon:8000kB active_file:936kB \
inactive_file:4380kB unevictable:0kB present:65024kB pages_scanned:0 all_unreclaimable? no
lowmem_reserve[]: 0 190 190
Normal free:22856kB min:2604kB low:3252kB high:3904kB active_anon:80000kB inactive_anon:8000kB active_file:4000kB \
inactive_file:5000kB unevictable:0kB present:195072kB pages_scanned:0 all_unreclaimable? no
lowmem_reserve[]: 0 0 0
DMA: 2358*4kB 912*8kB 25*16kB 0*32kB = 17128kB
Normal: 1234*4kB 1366*8kB 375*16kB 31*32kB = 22856kB
"""


def read(text: str) -> Incident:
    (incident,) = read_incidents(text.splitlines(keepends=True), file="made-up")
    return incident


def test_the_report_is_at_peace_with_itself() -> None:
    assert [w.code for w in read(WHOLE).warnings] == []


@pytest.mark.parametrize(
    ("there", "damaged", "path", "value"),
    [
        ("= 17128kB", "= 1718kB", "zones.0.DMA.printed_total_kb", 17128),
        ("2358*4kB", "238*4kB", "zones.0.DMA.free_blocks", (2358, 912, 25, 0)),
        ("1366*8kB", "366*8kB", "zones.0.Normal.free_blocks", (1234, 1366, 375, 31)),
        ("Normal free:22856kB", "Normal free:2285kB", "zones.0.Normal.free_pages", 5714),
        ("active_anon:80000kB", "active_anon:8000kB", "zones.0.Normal.active_anon_pages", 20000),
        ("Active_anon:23456", "Active_anon:2345", "counters.active_anon", 23456),
    ],
)
def test_a_lost_digit_that_the_sums_prove(there: str, damaged: str, path: str, value: object) -> None:
    assert WHOLE.count(there) == 1
    incident = read(WHOLE.replace(there, damaged))
    assert flat(incident) == flat(read(WHOLE))
    assert flat(incident)[path] == value
    assert [warning.code for warning in incident.warnings] == ["mended"]


@pytest.mark.parametrize(
    ("there", "damaged", "gone"),
    [
        # A substituted digit is no lost one.
        ("2358*4kB", "2359*4kB", {"zones.0.DMA.free_blocks", "zones.0.DMA.printed_total_kb"}),
        ("min:2604kB", "min:264kB", {"zones.0.Normal.marks"}),
        ("high:3904kB", "high:394kB", {"zones.0.Normal.marks"}),
        ("present:195072kB", "present:1072kB", {"zones.0.Normal.present_pages"}),
    ],
)
def test_damage_that_shows_and_cannot_be_undone(there: str, damaged: str, gone: set[str]) -> None:
    whole, found = flat(read(WHOLE)), flat(read(WHOLE.replace(there, damaged)))
    assert whole.keys() - found.keys() == gone
    assert all(whole[path] == value for path, value in found.items())


def test_two_sums_that_are_off_prove_nothing() -> None:
    text = WHOLE.replace("active_anon:80000kB", "active_anon:8000kB").replace("active_file:1234", "active_file:1240")
    incident = read(text)
    normal = next(zone for zone in incident.zones if zone.name == "Normal")
    assert normal.active_anon_pages is None
    assert "lost-digits" in {warning.code for warning in incident.warnings}


def test_numbers_that_drift_apart_are_left_alone() -> None:
    incident = read(WHOLE.replace(" free:9996 ", " free:9969 "))
    assert incident.counters is not None
    assert incident.counters.free == 9969
    assert [warning.code for warning in incident.warnings] == ["free-sum"]


@pytest.mark.parametrize(
    ("printed", "whole", "is_shortened"),
    [(3992, 39992, True), (392, 39992, True), (39, 39992, False), (49992, 39992, False), (1, 10, False), (0, 0, False)],
)
def test_shortened(printed: int, whole: int, is_shortened: bool) -> None:
    assert shortened(printed, whole) is is_shortened


def test_a_name_longer_than_the_kernel_keeps_is_something_else() -> None:
    incident = read("usb 1-1: Direct-Acce" + WHOLE)
    assert incident.request.comm is None
    assert incident.request.order == 2
    assert "impossible-value" in {warning.code for warning in incident.warnings}


def test_a_trace_below_the_memory_report_is_of_something_else() -> None:
    later = "Pid: 7, comm: other Not tainted 5.0.4 #1\nCall Trace:\n [<c0012340>] other_thing+0x1/0x2\n"
    incident = read(WHOLE + later)
    assert incident.kernel_release is None
    assert [frame.symbol for frame in incident.backtrace] == ["dump_backtrace", "dump_stack"]
