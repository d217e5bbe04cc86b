"""Broken lines are put together only where the result proves itself."""

from oomadvisor.model import Incident
from oomadvisor.parse import read_incidents

OOM = "sh invoked oom-killer: gfp_mask=0xd0, order=2, oom_adj=0"
ZONE = "DMA free:40kB min:4kB low:8kB high:12kB active:4kB inactive:4kB present:40000kB pages_scanned:0 all_unreclaimable? no"


def read(*lines: str) -> Incident:
    (incident,) = read_incidents([line + "\n" for line in lines], file="log")
    return incident


def codes(incident: Incident) -> set[str]:
    return {warning.code for warning in incident.warnings}


def test_a_header_broken_at_its_blanks() -> None:
    incident = read("my shell invoked oom-killer:", "gfp_mask=0xcc0(GFP_KERNEL),", "order=1,", "oom_score_adj=5")
    assert (incident.request.order, incident.request.gfp_mask, incident.request.oom_adj) == (1, 0xCC0, 5)
    assert "rejoined-lines" in codes(incident)


def test_a_zone_line_broken_in_the_middle_of_words_and_numbers() -> None:
    incident = read(OOM, ZONE[:29], ZONE[29:43], ZONE[43:80], ZONE[80:])
    (zone,) = incident.zones
    assert zone.marks is not None
    assert (zone.marks.min, zone.marks.low, zone.marks.high) == (1, 2, 3)
    assert zone.present_pages == 10000
    assert zone.all_unreclaimable is False


def test_the_printed_total_decides_how_counts_are_glued() -> None:
    incident = read(OOM, "DMA: 1*4kB 2", "3*8kB 0*16kB = 188kB")
    assert incident.zones[0].free_blocks == (1, 23, 0)
    assert "rejoined-lines" in codes(incident)


def test_a_broken_block_line_whose_sum_is_wrong_is_not_believed() -> None:
    incident = read(OOM, ZONE, "DMA: 1*4kB 2", "3*8kB 0*16kB = 60kB")
    assert incident.zones[0].free_blocks is None
    assert "blocks" in incident.missing
    assert "unreadable-line" in codes(incident)


def test_an_unbroken_block_line_whose_sum_is_wrong_is_not_believed_either() -> None:
    incident = read(OOM, "DMA: 1*4kB 2*8kB 0*16kB = 60kB")
    assert incident.zones[0].free_blocks is None
    (warning,) = incident.warnings
    assert warning.code == "buddy-sum"
    assert "20 kB" in warning.text
    assert "60 kB" in warning.text


def test_a_counter_at_the_end_of_a_broken_line() -> None:
    incident = read(OOM, " free:44", "210 slab:639 mapped:7")
    assert incident.counters is not None
    assert incident.counters.free == 44210
    assert incident.counters.slab == 639


def test_the_reserve_line_takes_as_many_values_as_the_others_have() -> None:
    normal = ZONE.replace("DMA", "Normal")
    incident = read(OOM, ZONE, "lowmem_reserve[]: 0 15", "8 158", normal, "lowmem_reserve[]: 0 0 0")
    assert [zone.reserve_pages for zone in incident.zones] == [(0, 158, 158), (0, 0, 0)]
    assert "rejoined-lines" in codes(incident)


def test_a_reserve_line_that_can_be_read_in_two_ways_is_left_out() -> None:
    incident = read(OOM, ZONE, "lowmem_reserve[]: 0 15", "8 158")
    assert incident.zones[0].reserve_pages is None
    assert "reserve" in incident.missing
    assert "ambiguous-wrap" in codes(incident)


def test_a_reserve_line_shorter_than_the_others_is_left_out() -> None:
    normal = ZONE.replace("DMA", "Normal")
    incident = read(OOM, ZONE, "lowmem_reserve[]: 0 15", normal, "lowmem_reserve[]: 0 0 0")
    assert [zone.reserve_pages for zone in incident.zones] == [None, (0, 0, 0)]


def test_a_task_row_takes_as_many_values_as_its_head_has() -> None:
    head = "[ pid ]   uid  tgid total_vm      rss cpu oom_adj name"
    for first, second in (("533 5", "2   1     -17 my init"), ("533      52", "1     -17 my init")):
        incident = read(OOM, head, f"[  410]    11   412      {first}", second)
        assert [(task.rss_pages, task.cpu, task.name) for task in incident.tasks] == [(52, 1, "my init")]
    assert read(OOM, "[  410]    11   412      533 5", "2   1     -17 my init").tasks == ()


def test_a_record_with_its_own_prefix_is_no_continuation() -> None:
    stamp = "[   12.345678] "
    incident = read(stamp + OOM, stamp + "DMA: 1*4kB 2", stamp + "3*8kB 0*16kB = 188kB")
    assert incident.zones[0].free_blocks is None


def test_kill_lines_grow() -> None:
    incident = read(
        OOM,
        "Out of memory: Killed process 268 (polkitd)",
        "total-vm:72kB, anon-rss:29kB, file-rss:7kB,",
        "shmem-rss:0kB, UID:998 pgtables:80kB oom",
        "_score_adj:0",
    )
    (kill,) = incident.kills
    assert (kill.pid, kill.total_vm_kb, kill.shmem_rss_kb) == (268, 72, 0)


def test_two_records_on_one_line() -> None:
    mark = "Mar 16 21:40:40 box kernel:"
    incident = read(
        f"> {mark} sh invoked oom-killer:",
        f"> gfp_mask=0xd0, order=2, oomkilladj=0 {mark} Mem-info: Mar 16",
        f"> 21:40:40 box kernel: {ZONE} {mark}",
        "> lowmem_reserve[]: 0 158 158",
        f"> {mark} DMA: 2*4kB",
        f"> 4*8kB = 40kB {mark} 7 pages of RAM",
    )
    (zone,) = incident.zones
    assert (incident.request.order, incident.time) == (2, "Mar 16 21:40:40")
    assert (zone.free_pages, zone.free_blocks, zone.reserve_pages) == (10, (2, 4), (0, 158, 158))
    assert incident.trailer is not None
    assert incident.trailer.ram_pages == 7


def test_quoted_printable() -> None:
    incident = read(
        "sh invoked oom-killer: gfp_mask=3D0xd0, order=3D2, oomkilladj=",
        "=3D0=20",
        ZONE[:30] + "=",
        ZONE[30:],
        "lowmem_reserve[]:=C2=A00 158 158",
        "DMA: 2*4kB 4*8kB =3D=",
        " 40kB",
    )
    (zone,) = incident.zones
    assert (incident.request.order, incident.request.gfp_mask, incident.request.oom_adj) == (2, 0xD0, 0)
    assert (zone.free_pages, zone.free_blocks, zone.reserve_pages) == (10, (2, 4), (0, 158, 158))


def test_a_damaged_zone_line_is_read_up_to_the_damage() -> None:
    incident = read(OOM, ZONE[:60] + "#%& present:99kB")
    (zone,) = incident.zones
    assert zone.marks is not None
    assert zone.present_pages is None
    assert "damaged-line" in codes(incident)
