"""How a run begins: an empty box after boot, or a full one as a report shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from oomadvisor.kernel.gfp import MigrateType
from oomadvisor.longrun.box import Box, NoLongRun, box_of
from oomadvisor.longrun.filepages import File
from oomadvisor.longrun.livezone import pageblocks, zones_with
from oomadvisor.longrun.mix import Mix
from oomadvisor.longrun.process import Process
from oomadvisor.longrun.setting import Setting, write_min_free_kbytes, write_setting
from oomadvisor.longrun.workload import Workload
from oomadvisor.model import SystemState
from oomadvisor.simulate.scatter import free_page_map

StartKind = Literal["boot", "report"]


@dataclass(frozen=True, slots=True)
class ZoneOwners:
    """Who has the used pages of a zone, and its free blocks per order. The rest of the used pages is the kernel's."""

    free_blocks: tuple[int, ...]
    used_pages: int
    lru_pages: int


@dataclass(frozen=True, slots=True)
class Start:
    """Where a run begins. ``zones`` and the pages by owner are those of a report; a boot needs none of them.

    ``assumed`` says in sentences what had to be assumed.
    """

    kind: StartKind
    box: Box
    zones: tuple[ZoneOwners, ...] = ()
    anon_pages: int = 0
    tmpfs_pages: int = 0
    file_pages: int = 0
    assumed: tuple[str, ...] = ()


def from_boot(state: SystemState) -> Start:
    """Return the start at boot of the box of a report. Raises :class:`NoLongRun`."""
    return boot(box_of(state))


def boot(box: Box) -> Start:
    """Return the start at boot of ``box``."""
    return Start("boot", box, assumed=box.assumed)


def from_report(state: SystemState) -> Start:
    """Return the start in the state of a report. Raises :class:`NoLongRun` when the report does not show it."""
    box = box_of(state)
    memory = state.memory
    if any(zone.present_pages and zone.free_blocks is None for zone in state.zones):
        raise NoLongRun("the report has no free lists for every zone; from boot it can be run")
    if memory.anon_lru_pages is None or memory.file_lru_pages is None:
        raise NoLongRun("the report does not say who has the memory (active_anon: and so on); from boot it can be run")
    assumed = list(box.assumed)
    tmpfs = memory.shmem_pages
    if tmpfs is None:
        tmpfs = 0
        assumed.append("tmpfs is empty: the report does not show how much is in it")
    assumed += [
        "free blocks, and the pages of processes, files and tmpfs, lie at random places; the kernel's own pages lie at "
        "the start of each zone",
        "the anonymous memory belongs to the residents of the mix, in proportion to their size",
        "no command of the mix is running yet",
    ]
    zones = [ZoneOwners((), 0, 0)] * len(box.present)
    lru_known = all(z.anon_lru_pages is not None and z.file_lru_pages is not None for z in state.zones)
    lru = memory.anon_lru_pages + memory.file_lru_pages
    used_by_zone = {
        z.index: (z.present_pages or 0) - sum(n << o for o, n in enumerate(z.free_blocks or ())) for z in state.zones
    }
    used = sum(used_by_zone.values())
    if min(used_by_zone.values()) < 0 or used <= 0:
        raise NoLongRun("the report has more free pages than its zones have pages")
    for zone in state.zones:
        share = (zone.anon_lru_pages or 0) + (zone.file_lru_pages or 0)
        if not lru_known:
            share = lru * used_by_zone[zone.index] // used
        blocks = tuple(zone.free_blocks or ())
        padded = (*blocks, *(0,) * (box.max_order - len(blocks)))
        zones[zone.index] = ZoneOwners(padded, used_by_zone[zone.index], min(share, used_by_zone[zone.index]))
    tmpfs = min(tmpfs, memory.anon_lru_pages)
    return Start(
        kind="report",
        box=box,
        zones=tuple(zones),
        anon_pages=memory.anon_lru_pages - tmpfs,
        tmpfs_pages=tmpfs,
        file_pages=memory.file_lru_pages,
        assumed=tuple(assumed),
    )


def prepared(start: Start, mix: Mix, setting: Setting, seed: int) -> Workload:
    """Return the load at the moment at which its events begin: the setting is written, the residents are there.

    Raises :class:`~oomadvisor.longrun.workload.Panic` when memory does not suffice even for that.
    """
    if start.kind == "report":
        return _as_reported(start, mix, setting, seed)
    box = start.box
    zones = zones_with(box, _free_at_boot(box), [_movable(box, present) for present in box.present])
    write_min_free_kbytes(box.default_min_free_kbytes, box, zones)
    write_setting(setting, box, zones)
    load = Workload(box, mix, zones)
    load.pinned = box.image_pages
    load.begin()
    return load


def _movable(box: Box, present: int) -> list[int]:
    """Every pageblock is movable at boot (mm/page_alloc.c: memmap_init_zone, 2.6.31)."""
    return [MigrateType.MOVABLE] * pageblocks(present, box.max_order - 1)


def _free_at_boot(box: Box) -> list[list[tuple[int, int]]]:
    """Return the free blocks of each zone, highest address first, as the last one freed is the first one taken."""
    lowest = next(index for index, present in enumerate(box.present) if present)
    return [
        _blocks(box.image_pages if index == lowest else 0, present, box.max_order - 1)[::-1]
        for index, present in enumerate(box.present)
    ]


def _blocks(first: int, end: int, largest: int) -> list[tuple[int, int]]:
    """Cut the pages from ``first`` to ``end`` into the largest aligned blocks: (first page, order)."""
    found = []
    while first < end:
        order = min(largest, (first & -first).bit_length() - 1 if first else largest)
        while first + (1 << order) > end:
            order -= 1
        found.append((first, order))
        first += 1 << order
    return found


def _as_reported(start: Start, mix: Mix, setting: Setting, seed: int) -> Workload:
    box, order = start.box, start.box.max_order - 1
    free, types, kernel, others = [], [], [], []
    base = 0
    for index, (owners, present) in enumerate(zip(start.zones, box.present, strict=True)):
        pages = pageblocks(present, order) << order
        digits = _digits(owners.free_blocks, present, pages, f"{seed} {box.zone_names[index]}")
        free.append(_free_runs(digits, order))
        used = [page for page, digit in enumerate(digits) if digit == "0"]
        used = used[
            len(used) - owners.used_pages :
        ]  # the first ones hold page structs, which are not counted as present
        kernels = used[: owners.used_pages - owners.lru_pages]
        types.append(_types(kernels, used, pages >> order, order))
        kernel += [base + page for page in kernels]
        others += [base + page for page in used[len(kernels) :]]
        base += pages
    zones = zones_with(box, free, types)
    load = Workload(box, mix, zones)
    _shuffle(others, Random(f"{seed} owners"))
    _hand_out(load, start, kernel, others)
    write_min_free_kbytes(box.min_free_kbytes, box, zones)
    write_setting(setting, box, zones)
    return load


def _digits(blocks: tuple[int, ...], present: int, pages: int, seed: str) -> str:
    """Return a digit for each of the ``pages`` pages that a zone spans: 1 where it is free."""
    return f"{free_page_map(blocks, present, seed):0{pages}b}"[::-1] if present else ""


def _free_runs(digits: str, largest: int) -> list[tuple[int, int]]:
    """Return the free blocks of a page map, each as large as its place allows: (first page, order)."""
    found = []
    page = digits.find("1")
    while page >= 0:
        order = 0
        while order < largest and not page & (2 << order) - 1 and digits.startswith("1" * (2 << order), page):
            order += 1
        found.append((page, order))
        page = digits.find("1", page + (1 << order))
    return found


def _types(kernels: Sequence[int], used: Sequence[int], blocks: int, order: int) -> list[int]:
    """Call a pageblock unmovable when more than half of what is used of it is the kernel's."""
    of_kernel, of_all = [0] * blocks, [0] * blocks
    for page in kernels:
        of_kernel[page >> order] += 1
    for page in used:
        of_all[page >> order] += 1
    return [
        MigrateType.UNMOVABLE if 2 * mine > whole else MigrateType.MOVABLE
        for mine, whole in zip(of_kernel, of_all, strict=True)
    ]


def _shuffle(pages: list[int], random: Random) -> None:
    for last in range(len(pages) - 1, 0, -1):
        other = int(random.random() * (last + 1))
        pages[last], pages[other] = pages[other], pages[last]


def _hand_out(load: Workload, start: Start, kernel: list[int], others: list[int]) -> None:
    """Give the used pages to their owners: residents with their blocks, files, tmpfs; the rest stays the kernel's."""
    load.add_residents()
    image = start.box.image_pages
    load.pinned = min(image, len(kernel))
    load.kernel = kernel[load.pinned :]
    for process in load.residents:
        _give_blocks(load, process)
    at = min(start.tmpfs_pages, len(others))
    load.tmpfs, others = others[:at], others[at:]
    at = min(start.file_pages, len(others))
    files, others = others[:at], others[at:]
    known = (*load.programs, *load.stored, File(len(files)))
    places = ((file, index) for file in known for index in range(file.length))
    for pfn, (file, index) in zip(files, places, strict=False):
        load.files.add(file, index, pfn)
    sizes = [process.total_vm for process in load.residents]
    whole, given = sum(sizes), 0
    for process, size in zip(load.residents, sizes, strict=True):
        until = given + len(others) * size // whole
        process.anon = dict(enumerate(others[given:until]))
        process.total_vm = max(process.total_vm, len(process.anon))
        given = until
    load.kernel += others[given:]


def _give_blocks(load: Workload, process: Process) -> None:
    """Let a resident have aligned blocks out of the kernel's pages, as its stack and page directory."""
    for step in load.box.operation.steps:
        if step.replaces:
            continue
        size = 1 << step.order
        mine = set(load.kernel)
        first = next((p for p in load.kernel if p % size == 0 and all(p + i in mine for i in range(size))), None)
        if first is not None:
            process.blocks.append((first, step.order))
            taken = set(range(first, first + size))
            load.kernel = [page for page in load.kernel if page not in taken]
