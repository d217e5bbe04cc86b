"""/proc files of 2.6.31 and of newer kernels: alone, in folders, and in dumps with every kind of marker line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oomadvisor.model import Marks, Mount, ProcState, SlabCache, SwapDevice
from oomadvisor.parse import InputError, read_proc_paths
from oomadvisor.parse.proc import read_proc_lines

MEMINFO = """\
MemTotal:         254388 kB
MemFree:          117348 kB
Cached:            69332 kB
Active(anon):      24260 kB
SwapTotal:             0 kB
Shmem:                24 kB
HugePages_Total:       0
"""
BUDDYINFO = """\
Node 0, zone      DMA      4      6      5      3
Node 0, zone   Normal      8      6      4      1
"""
ZONEINFO = """\
Node 0, zone      DMA
  pages free     44
        min      12
        low      15
        high     18
        scanned  3
        spanned  6144
        present  6096
    nr_free_pages 44
    nr_inactive_anon 5
    nr_active_anon 7
    nr_inactive_file 9
    nr_active_file 11
    nr_unevictable 13
    nr_mlock     1
    nr_anon_pages 10
        protection: (0, 158, 158)
  pagesets
    cpu: 0
              count: 5
              high:  18
              batch: 3
  all_unreclaimable: 1
  prev_priority:     12
  start_pfn:         0
  inactive_ratio:    1
Node 0, zone   Normal
  pages free     40
        min      20
        low      25
        high     30
        scanned  0
        spanned  40960
        present  40640
    nr_free_pages 40
        protection: (0, 0, 0)
  pagesets
"""
PAGETYPEINFO = """\
Page block order: 10
Pages per block:  1024

Free pages count per migrate type at order       0      1      2      3
Node    0, zone      DMA, type    Unmovable     11      6      0      0
Node    0, zone      DMA, type      Reserve      1      0      2      1
Node    1, zone   Normal, type      Movable   4068    637     28   >100

Number of blocks type     Unmovable  Reclaimable      Movable      Reserve      Isolate
Node 0, zone      DMA            2            0           21            1            0
"""
SLABINFO = """\
slabinfo - version: 2.1
# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>
size-16384             4      5  16384    1    4 : tunables    8    4    0 : slabdata      4      5      0
dentry               612    700    132   29    1 : tunables  120   60    0 : slabdata     24     25      0
"""
VMSTAT = """\
nr_free_pages 84
nr_mapped 164
pgmajfault 4711
allocstall 12
"""
MOUNTS = """\
rootfs / rootfs rw 0 0
tmpfs /var/log\\040old tmpfs rw,nosuid,size=8192k 0 0
tmpfs /tmp tmpfs rw,size=16m,mode=1777 0 0
none /dev/shm tmpfs rw,size=1048576 0 0
ubi0:root /data ubifs ro,relatime 0 0
"""
SWAPS = """\
Filename                                Type            Size    Used    Priority
/dev/ramzswap0                          partition       65532   1200    100
"""
CMDLINE = "console=ttymxc0,115200 root=/dev/mmcblk0p1 rw quiet\n"
VERSION = "Linux version 2.6.31-abc (me@here) (gcc version 4.4.4) #2 Mon Jan 3 04:05:06 UTC 2011\n"

FILES = {
    "meminfo": MEMINFO,
    "buddyinfo": BUDDYINFO,
    "zoneinfo": ZONEINFO,
    "pagetypeinfo": PAGETYPEINFO,
    "slabinfo": SLABINFO,
    "vmstat": VMSTAT,
    "mounts": MOUNTS,
    "swaps": SWAPS,
    "cmdline": CMDLINE,
    "version": VERSION,
}


def check(state: ProcState) -> None:
    assert state.version == VERSION.strip()
    assert state.cmdline == CMDLINE.strip()
    assert state.meminfo_kb == {
        "MemTotal": 254388,
        "MemFree": 117348,
        "Cached": 69332,
        "Active(anon)": 24260,
        "SwapTotal": 0,
        "Shmem": 24,
    }
    assert state.vmstat == {"nr_free_pages": 84, "nr_mapped": 164, "pgmajfault": 4711, "allocstall": 12}
    dma, normal = state.zones
    assert (dma.name, dma.index, normal.name, normal.index) == ("DMA", 0, "Normal", 1)
    assert dma.marks == Marks(min=12, low=15, high=18)
    assert (dma.free_pages, dma.present_pages, dma.spanned_pages, dma.pages_scanned) == (44, 6096, 6144, 3)
    assert (dma.inactive_anon_pages, dma.active_anon_pages, dma.inactive_file_pages, dma.active_file_pages) == (
        5,
        7,
        9,
        11,
    )
    assert (dma.unevictable_pages, dma.mlocked_pages, dma.all_unreclaimable) == (13, 1, True)
    assert dma.reserve_pages == (0, 158, 158)
    assert dma.free_blocks == (4, 6, 5, 3)
    assert normal.free_blocks == (8, 6, 4, 1)
    assert dma.other_pages["nr_anon_pages"] == 10
    assert state.pageblock_order == 10
    assert state.blocks_by_type == {
        "DMA": {"Unmovable": (11, 6, 0, 0), "Reserve": (1, 0, 2, 1)},
        "1.Normal": {"Movable": (4068, 637, 28, 100)},
    }
    assert [(cache.name, cache.pages, cache.object_bytes) for cache in state.slab] == [
        ("size-16384", 20, 16384),
        ("dentry", 25, 132),
    ]
    assert [(mount.path, mount.fstype, mount.size_kb) for mount in state.mounts] == [
        ("/", "rootfs", None),
        ("/var/log old", "tmpfs", 8192),
        ("/tmp", "tmpfs", 16384),
        ("/dev/shm", "tmpfs", 1024),
        ("/data", "ubifs", None),
    ]
    assert state.swaps == (SwapDevice(path="/dev/ramzswap0", size_kb=65532, used_kb=1200, line=state.swaps[0].line),)
    assert {warning.code for warning in state.warnings} == {"capped-count"}


def test_single_files_known_by_their_names(tmp_path: Path) -> None:
    paths = []
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
        paths.append(str(tmp_path / name))
    state = read_proc_paths(paths)
    check(state)
    assert state.files == tuple(paths)
    assert str(state.origins["zones.0.DMA"]) == f"{tmp_path / 'buddyinfo'}:1"
    assert state.origins["meminfo"].line == 1


def test_single_files_known_by_what_stands_in_them(tmp_path: Path) -> None:
    paths = []
    for number, text in enumerate(FILES.values()):
        (tmp_path / f"paste-{number}").write_text(text)
        paths.append(str(tmp_path / f"paste-{number}"))
    check(read_proc_paths(paths))


def test_a_folder(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "sys" / "vm").mkdir(parents=True)
    (tmp_path / "sys" / "vm" / "min_free_kbytes").write_text("4167\n")
    (tmp_path / "17").mkdir()
    (tmp_path / "17" / "cmdline").write_text("root=wrong\n")
    (tmp_path / "holiday.jpg").write_bytes(bytes(range(256)) * 50)
    state = read_proc_paths([str(tmp_path)])
    check(state)
    assert state.sysctls == {"vm.min_free_kbytes": "4167"}
    assert state.origins["vm.min_free_kbytes"].file.endswith("min_free_kbytes")


MARKS: dict[str, Callable[[str, str], str]] = {
    "tail": lambda name, text: f"==> /proc/{name} <==\n{text}\n",
    "dashes": lambda name, text: f"--- /proc/{name} ---\n{text}",
    "dashes without an end": lambda name, text: f"--- /proc/{name}\n{text}",
    "begin": lambda name, text: f"BEGIN {name}\n{text}END {name}\nsome chatter 1 2 3\n",
    "shell": lambda name, text: f"root@box:/tmp# cat /proc/{name}\n{text}",
    "root shell": lambda name, text: f"# cat /proc/{name}\n{text}",
    "user shell": lambda name, text: f"$ cat /proc/{name}\n{text}",
    "colon": lambda name, text: f"/proc/{name}:\n{text}",
    "grep": lambda name, text: "".join(f"/proc/{name}:{line}\n" for line in text.splitlines()),
    "nothing at all": lambda _, text: text,
}


@pytest.mark.parametrize("mark", MARKS.values(), ids=MARKS.keys())
def test_one_dump(tmp_path: Path, mark: Callable[[str, str], str]) -> None:
    path = tmp_path / "dump.txt"
    path.write_text("".join(mark(name, text) for name, text in FILES.items()))
    check(read_proc_paths([str(path)]))


def test_sysctls_in_a_dump() -> None:
    state = read_proc_lines(
        ["==> /proc/sys/vm/min_free_kbytes <==", "4167", "/proc/sys/vm/lowmem_reserve_ratio:256\t32"], file="dump"
    )
    assert state.sysctls == {"vm.min_free_kbytes": "4167", "vm.lowmem_reserve_ratio": "256 32"}
    assert str(state.origins["vm.min_free_kbytes"]) == "dump:2"


def test_zoneinfo_of_newer_kernels() -> None:
    lines = """\
Node 0, zone      DMA
  per-node stats
      nr_inactive_anon 1005
      nr_active_anon 1007
  pages free     44
        boost    2
        min      12
        low      15
        high     18
        promo    21
        spanned  4095
        present  3998
        managed  3840
        cma      0
        protection: (0, 1853, 3187, 3187, 3187)
      nr_free_pages 44
      nr_zone_inactive_anon 5
      nr_zone_active_anon 7
      nr_free_cma  0
  pagesets
    cpu: 0
              count: 0
              high:  0
              batch: 1
              high_min: 0
  node_unreclaimable:  0
  start_pfn:           1
""".splitlines()
    (zone,) = read_proc_lines(lines, file="zoneinfo").zones
    assert (zone.boost_pages, zone.managed_pages, zone.present_pages) == (2, 3840, 3998)
    assert (zone.inactive_anon_pages, zone.active_anon_pages) == (5, 7)
    assert zone.reserve_pages == (0, 1853, 3187, 3187, 3187)
    assert zone.all_unreclaimable is False
    assert zone.marks == Marks(min=12, low=15, high=18)


def test_mount_and_df() -> None:
    lines = [
        "$ mount",
        "tmpfs on /tmp type tmpfs (rw,nosuid,size=2048k)",
        "/dev/ubi0_0 on / type ubifs (ro)",
        "$ df -k",
        "Filesystem           1K-blocks      Used Available Use% Mounted on",
        "tmpfs                     2048      1536       512  75% /tmp",
        "tmpfs                     4096         0      4096   0% /run",
    ]
    state = read_proc_lines(lines, file="dump")
    assert [(mount.path, mount.fstype, mount.size_kb, mount.used_kb) for mount in state.mounts] == [
        ("/tmp", "tmpfs", 2048, 1536),
        ("/", "ubifs", None, None),
        ("/run", "tmpfs", 4096, 0),
    ]


def test_no_swap_is_known_and_not_the_same_as_not_given() -> None:
    head = "Filename                                Type            Size    Used    Priority"
    assert read_proc_lines([head], file="swaps").swaps == ()
    assert read_proc_lines(MEMINFO.splitlines(), file="meminfo").swaps is None


def test_a_file_that_comes_twice() -> None:
    lines = ["==> /proc/meminfo <==", "MemTotal: 1 kB", "==> /proc/meminfo <==", "MemTotal: 2 kB"]
    state = read_proc_lines(lines, file="dump")
    assert state.meminfo_kb == {"MemTotal": 2}
    assert [warning.code for warning in state.warnings] == ["repeated-file"]


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["MemTotal: 5 kB", "MemFree: lots"], "unreadable-line"),
        (["MemTotal: 5 kB", "MemFree: -3 kB"], "impossible-value"),
        (["Node 0, zone DMA 1 2 3 4 5", "Node 0, zone Normal 1 2 3"], "cut-line"),
        (["Node 0, zone DMA 1 2 3 4 5", "Node 0, zone Normal 1000000000000 2 3 4 5"], "impossible-value"),
        (["slabinfo - version: 2.1", "dentry 612 700"], "unreadable-line"),
        (["nr_free_pages 84", "nr_dirty many"], "unreadable-line"),
    ],
)
def test_odd_lines_are_reported_and_left_out(lines: list[str], code: str) -> None:
    state = read_proc_lines(lines, file="dump")
    (warning,) = state.warnings
    assert warning.code == code
    assert warning.origin is not None
    assert warning.origin.line == 2
    assert len(state.zones) <= 1
    assert len(state.meminfo_kb or {}) <= 1


def test_unusable_paths(tmp_path: Path) -> None:
    (tmp_path / "story.txt").write_text("once upon a time\n")
    for path, text in (
        (tmp_path / "nowhere", "does not exist"),
        (tmp_path / "story.txt", "holds no file of /proc"),
        (tmp_path, "holds no file of /proc"),
    ):
        with pytest.raises(InputError, match=text):
            read_proc_paths([str(path)])


def test_row_types() -> None:
    state = read_proc_lines([*SLABINFO.splitlines(), *MOUNTS.splitlines()], file="dump")
    assert state.slab[0] == SlabCache(
        name="size-16384",
        active_objects=4,
        objects=5,
        object_bytes=16384,
        objects_per_slab=1,
        pages_per_slab=4,
        slabs=5,
        line=3,
    )
    assert state.mounts[1] == Mount(
        device="tmpfs",
        path="/var/log old",
        fstype="tmpfs",
        options=("rw", "nosuid", "size=8192k"),
        size_kb=8192,
        line=6,
    )


@given(st.lists(st.one_of(st.text(max_size=80), st.sampled_from("".join(FILES.values()).splitlines())), max_size=60))
def test_any_mixture_of_lines_is_read_without_an_exception(lines: list[str]) -> None:
    state = read_proc_lines(lines, file="x")
    for warning in state.warnings:
        assert warning.origin is None or 1 <= warning.origin.line <= len(lines)


FIRST = "nr_free_pages 900\nnr_mapped 1400\npgfault 50000\npgmajfault 100\n"
THEN = "nr_free_pages 700\nnr_mapped 1200\npgfault 52000\npgmajfault 340\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"==> /proc/vmstat <==\n{FIRST}==> /proc/vmstat <==\n{THEN}", id="two sections"),
        pytest.param(f"==> /proc/vmstat <==\n{THEN}==> /proc/vmstat <==\n{FIRST}", id="the later one first"),
        pytest.param(FIRST + THEN, id="one after the other"),
        pytest.param(
            f"{FIRST}==> /proc/vmstat <==\n{THEN.replace('1200', '1300').replace('52000', '51000')}"
            f"==> /proc/vmstat <==\n{THEN}",
            id="three",
        ),
    ],
)
def test_two_readings_of_vmstat_are_told_apart_by_what_only_grows(text: str) -> None:
    proc = read_proc_lines(text.splitlines(keepends=True), file="dump")
    assert proc.vmstat_earlier is not None
    assert proc.vmstat is not None
    assert (proc.vmstat_earlier["nr_mapped"], proc.vmstat["nr_mapped"]) == (1400, 1200)
    assert proc.warnings == ()


def test_one_reading_of_vmstat_has_no_earlier_one() -> None:
    proc = read_proc_lines(FIRST.splitlines(keepends=True), file="dump")
    assert (proc.vmstat_earlier, proc.vmstat and proc.vmstat["pgmajfault"]) == (None, 100)
