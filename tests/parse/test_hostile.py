"""Inputs that nobody would write by accident: nothing raises, nothing grows without bound, nothing takes long."""

import time
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oomadvisor.model import Incident
from oomadvisor.parse import draft, read_incidents
from oomadvisor.parse.forms import FORMS, recognise, recognise_damaged, recognise_partial
from oomadvisor.parse.prefix import unprefix
from tests.parse.samples import SAMPLES
from tests.parse.states import reports

OOM = "sh invoked oom-killer: gfp_mask=0xd0, order=2, oom_adj=0"
ZONE = "DMA free:40kB min:4kB low:8kB high:12kB active:4kB inactive:4kB present:40000kB pages_scanned:0 all_unreclaimable? no"


def read(*lines: str) -> Incident:
    (incident,) = read_incidents([line + "\n" for line in lines], file="log")
    return incident


def codes(incident: Incident) -> list[str]:
    return [warning.code for warning in incident.warnings]


@pytest.mark.parametrize(
    "blocks",
    [
        "DMA: 1000000000*4kB 0*8kB = 4000000000kB",
        "DMA: -1*4kB 1*8kB = 4kB",
        "DMA: 20000*4kB 0*8kB = 80000kB",
    ],
)
def test_impossible_free_blocks_are_left_out(blocks: str) -> None:
    incident = read(OOM, ZONE, blocks)
    assert incident.zones[0].free_blocks is None
    assert incident.zones[0].printed_total_kb is None
    assert "impossible-value" in codes(incident)
    assert "blocks" in incident.missing


def test_a_number_beyond_64_bits_is_damage() -> None:
    incident = read(OOM, ZONE, f"DMA: {'9' * 30}*4kB 0*8kB = 4kB")
    assert incident.zones[0].free_blocks is None


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (ZONE.replace("free:40", "free:-40"), "free_pages"),
        (ZONE.replace("present:40000", f"present:{1 << 50}"), "present_pages"),
    ],
)
def test_impossible_sizes_are_left_out(line: str, field: str) -> None:
    incident = read(OOM, line)
    assert getattr(incident.zones[0], field) is None
    assert "impossible-value" in codes(incident)


def test_impossible_counters_and_swap_are_left_out() -> None:
    incident = read(OOM, f" free:-3 slab:{1 << 40} mapped:7", "Free swap  = -245804kB", f"{1 << 60} pages of RAM")
    assert incident.counters is not None
    assert (incident.counters.free, incident.counters.slab, incident.counters.mapped) == (None, None, 7)
    assert incident.swap is None
    assert incident.trailer is None
    assert codes(incident) == ["impossible-value"] * 4


def test_sizes_that_are_no_whole_pages_are_reported_with_both_numbers() -> None:
    incident = read(OOM, ZONE.replace("free:40", "free:42"))
    assert incident.zones[0].free_pages == 10
    (warning,) = incident.warnings
    assert warning.code == "odd-kb"
    assert "42 kB" in warning.text
    assert "4 kB" in warning.text


def test_sums_that_do_not_come_out_are_reported_with_both_numbers() -> None:
    incident = read(OOM, " free:11 slab:1", ZONE, "DMA: 3*4kB 4*8kB = 44kB")
    texts = {warning.code: warning.text for warning in incident.warnings}
    assert texts.keys() == {"zone-free", "free-sum"}
    assert "10 free pages" in texts["zone-free"]
    assert "hold 11" in texts["zone-free"]
    assert "sum to 10" in texts["free-sum"]
    assert "says 11" in texts["free-sum"]


def test_lru_sums() -> None:
    zone = ZONE.replace(
        "active:4kB inactive:4kB", "active_anon:8kB inactive_anon:0kB active_file:4kB inactive_file:0kB"
    )
    incident = read(OOM, "Active_anon:3 active_file:1 inactive_anon:0", zone)
    (warning,) = incident.warnings
    assert warning.code == "lru-sum"
    assert "active_anon pages sum to 2" in warning.text
    assert "says 3" in warning.text


@pytest.mark.parametrize(("high", "batch", "odd"), [(42, 7, False), (186, 31, True), (42, 8, True)])
def test_percpu_sizes_follow_from_the_present_pages(high: int, batch: int, odd: bool) -> None:
    zone = ZONE.replace("present:40000kB", "present:162560kB")
    incident = read(OOM, "DMA per-cpu:", f"CPU    0: hi:{high:5}, btch:{batch:4} usd:   0", zone)
    assert ("percpu-size" in codes(incident)) is odd


def test_caps_are_kept_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oomadvisor.parse.lines.tasks.MAX_TASKS", 50)
    head = "[ pid ]   uid  tgid total_vm      rss cpu oom_adj name"
    rows = [f"[{pid:5}]     0   {pid}      533       52   0     -17 x" for pid in range(60)]
    frames = [f" [<c0012340>] f{number}+0x1/0x2" for number in range(draft.MAX_FRAMES + 5)]
    zones = [ZONE.replace("DMA", f"Node {node} DMA") for node in range(draft.MAX_ZONES + 3)]
    odd = [f"DMA: 1*4kB 1*9kB = {number}kB" for number in range(draft.MAX_WARNINGS + 9)]
    incident = read(OOM, *frames, *zones, *odd, head, *rows)
    assert len(incident.tasks) == 50
    assert len(incident.backtrace) == draft.MAX_FRAMES
    assert len(incident.zones) == draft.MAX_ZONES
    assert len(incident.warnings) < draft.MAX_WARNINGS + 10
    said = " ".join(warning.text for warning in incident.warnings if warning.code == "capped")
    for text in ("tasks: 10", "frames: 5", "zones: 3", "warnings: "):
        assert text in said


@given(reports, st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 40), st.text(max_size=8)), max_size=12))
@settings(max_examples=100, deadline=None)
def test_damage_anywhere_never_raises(made: tuple[Incident, list[str]], damage: list[tuple[int, int, str]]) -> None:
    text = "\n".join(made[1])
    for start, size, insertion in damage:
        text = text[:start] + insertion + text[start + size :]
    for incident in read_incidents(text.splitlines(keepends=True), file="x"):
        for zone in incident.zones:
            assert zone.free_blocks is None or min(zone.free_blocks) >= 0
        assert incident.last_line >= incident.line


@given(st.lists(st.one_of(st.text(max_size=60), st.sampled_from([sample.line for sample in SAMPLES])), max_size=40))
@settings(max_examples=100, deadline=None)
def test_any_order_of_lines_never_raises(lines: list[str]) -> None:
    found = list(read_incidents(lines, file="x"))
    assert [incident.number for incident in found] == list(range(1, len(found) + 1))
    for earlier, later in pairwise(found):
        assert earlier.last_line <= later.line


def _stretched(line: str) -> list[str]:
    """Return long lines made from parts of ``line``, each of which is almost a line of the same form."""
    words = line.split(" ")
    texts = [line * 500 + "!", " ".join(words * 500) + "!", line + " " * 60_000 + "!"]
    for position in (0, len(words) // 2, len(words) - 1):
        texts.append(" ".join([*words[:position], *[words[position]] * 2_000, *words[position + 1 :]]) + "!")
        texts.append(" ".join([*words[:position], words[position] * 900, *words[position + 1 :]]) + "!")
    return [cut for text in texts for cut in (text[:60_000], text[:8_000])]


def test_no_pattern_takes_long_on_any_line() -> None:
    worst = 0.0
    texts = [text for sample in SAMPLES for text in _stretched(sample.line)]
    texts += [character * size for character in "0a9f:*([<>=., \t" for size in (8_000, 60_000)]
    for text in texts:
        begin = time.perf_counter()
        line = unprefix(1, text).text
        recognise(line)
        recognise_partial(line)
        recognise_damaged(line)
        worst = max(worst, time.perf_counter() - begin)
    # A hundred times what the slowest takes on a slow machine; a pattern that is not linear takes minutes.
    assert worst < 1.0
    assert len(texts) > 10 * len(FORMS)


def test_memory_does_not_grow_with_the_log() -> None:
    def lines(count: int) -> object:
        for number in range(count):
            yield f"Jan  1 00:00:00 box daemon[{number}]: nothing happened, out of memory was not the reason\n"

    peaks = []
    for count in (1_000, 8_000):
        tracemalloc.start()
        assert list(read_incidents(lines(count), file="x")) == []  # type: ignore[arg-type]
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0] + 50_000
