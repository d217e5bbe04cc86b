"""A mix carried out on a box: processes come and go, files are read, tmpfs and slab grow."""

import heapq
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from oomadvisor.kernel.gfp import Gfp
from oomadvisor.kernel.oom import oom_kill_victim, select_bad_process
from oomadvisor.kernel.words import PAGE_KB
from oomadvisor.longrun import timeline as tl
from oomadvisor.longrun.allocator import Allocator, Refused, Request
from oomadvisor.longrun.box import Box
from oomadvisor.longrun.clock import Clock
from oomadvisor.longrun.filepages import File
from oomadvisor.longrun.livezone import LiveZone
from oomadvisor.longrun.mix import Mix
from oomadvisor.longrun.process import Process
from oomadvisor.longrun.timeline import Event, pages_of
from oomadvisor.simulate.headroom import ORDER0_PAGES_PER_CHILD

ANONYMOUS = Gfp.GFP_HIGHUSER_MOVABLE
READ_AHEAD = Gfp.GFP_HIGHUSER_MOVABLE | Gfp.COLD
PIPE = Gfp.GFP_HIGHUSER
READ_AHEAD_PAGES = 32
DIRTY_EXPIRE_US = 30_000_000
ANON_PAGES_PER_TABLE = 512
"""A second-level page table of ARM takes a page and maps 2 MB (arch/arm/include/asm/pgtable.h, 2.6.31)."""

TABLES_PER_PROCESS = 3
"""Program with heap, libraries and stack lie further apart than a table maps."""

OBJECTS_PER_PROCESS = ORDER0_PAGES_PER_CHILD - TABLES_PER_PROCESS
"""What else a process that stays takes of single kernel pages. The caches keep the pages of one that ends, and the next
one fills them again (mm/slab.c: free_block, 2.6.31): only page tables go back.
"""


class OwnerDied(Exception):
    """The process that the running request was made for was killed."""


class Panic(Exception):
    """Nobody is left to kill."""


@dataclass(frozen=True, slots=True)
class Kill:
    """An OOM kill: when, for which request, who died, and what memory looked like just before. Pages.

    ``schedule_us`` is the time of the event that it happened in, ``clock_us`` that of the box, which may lag behind.
    """

    schedule_us: int
    clock_us: int
    order: int
    victim: str
    victim_pages: int
    tmpfs_pages: int
    free_pages: int
    free_blocks: tuple[int, ...]
    file_pages: int


class Workload:
    """All owners of pages on a box. One task runs at a time; it sleeps only for storage and in reclaim."""

    def __init__(self, box: Box, mix: Mix, zones: list[LiveZone]) -> None:
        self.box = box
        self.mix = mix
        self.clock = Clock()
        self.allocator = Allocator(box, zones, self.clock, self._out_of_memory)
        self.files = self.allocator.files
        self.schedule_us = 0
        self.kills: list[Kill] = []
        self.refused = 0
        self.skipped = 0
        self.read_kb = 0
        self.kernel: list[int] = []
        self.kept_objects: list[int] = []
        self.pinned = 0
        self.tmpfs: list[int] = []
        self.logs: list[list[int]] = [[] for _ in range(mix.tmpfs.logs)]
        self.pipes: deque[list[int]] = deque()
        self.programs = [File(pages_of(mix.programs.text_kb), executable=True) for _ in range(mix.programs.count)]
        self.stored = [File(pages_of(mix.files.size_kb)) for _ in range(mix.files.count)]
        self.written: list[File] = []
        self.processes: dict[int, Process] = {}
        self.residents: list[Process] = []
        self._last_pid = 1
        self._ends: list[tuple[int, int, Process | File]] = []
        self._dirtied: deque[tuple[int, File]] = deque()
        self._anon = self.allocator.request(0, ANONYMOUS)
        self._cold = self.allocator.request(0, READ_AHEAD)
        self._pipe = self.allocator.request(0, PIPE)
        self._kernel_page = self.allocator.request(0, Gfp.GFP_KERNEL)
        self._inode_page = self.allocator.request(0, Gfp.GFP_TEMPORARY)
        self._steps = [(self.allocator.request(s.order, s.gfp_mask), s.replaces) for s in box.operation.steps]

    @property
    def zones(self) -> list[LiveZone]:
        """Return the zones, lowest first."""
        return list(self.allocator.zones)

    @property
    def tmpfs_pages(self) -> int:
        """Return the pages in tmpfs, logs included."""
        return len(self.tmpfs) + sum(map(len, self.logs))

    @property
    def owned_pages(self) -> int:
        """Return all pages that somebody has: with the free ones they make up what is present."""
        return (
            self.pinned
            + len(self.kernel)
            + len(self.kept_objects)
            + self.tmpfs_pages
            + sum(map(len, self.pipes))
            + len(self.files)
            + sum(process.owned_pages for process in self.processes.values())
        )

    @property
    def free_pages(self) -> int:
        """Return the pages on buddy and per-cpu lists."""
        return sum(zone.free_pages + zone.listed_pages for zone in self.zones)

    def begin(self) -> None:
        """Let the kernel's objects, the residents and the first tmpfs files come into being."""
        self._add(self.kernel, pages_of(self.mix.slab.initial_kb), self._kernel_page)
        self.add_residents()
        sizes = [kind.touched_at_start_percent for kind in self.mix.residents for _ in range(kind.count)]
        for process, percent in zip(self.residents, sizes, strict=True):
            with suppress(OwnerDied, Refused):
                self.fork_and_exec(process)
                self.touch(process, range(self._space(process) * percent // 100))
        self._add(self.tmpfs, pages_of(self.mix.tmpfs.initial_kb), self._anon)

    def add_residents(self) -> None:
        """Add the residents of the mix, which own nothing yet."""
        for kind in self.mix.residents:
            for number in range(kind.count):
                name = kind.name if kind.count == 1 else f"{kind.name} {number + 1}"
                text = self.programs[len(self.residents) % len(self.programs)]
                process = self.new_process(name, pages_of(kind.address_space_kb) + text.length, text)
                self.residents.append(process)

    @staticmethod
    def _space(process: Process) -> int:
        return process.total_vm - (process.text.length if process.text is not None else 0)

    def until(self, moment_us: int) -> None:
        """Go to ``moment_us`` of the schedule: what ends ends, old dirty pages are written, kswapd works.

        The clock runs behind the schedule when storage was slow. What lives for a time lives by the schedule, so that
        a slow box has not more to do than a fast one.
        """
        while self._ends and self._ends[0][0] <= moment_us:
            self.schedule_us, _, ending = heapq.heappop(self._ends)
            self._pass(self.schedule_us)
            if isinstance(ending, File):
                self.written.remove(ending)
                self.files.truncate(ending, self.allocator.free)
            elif ending.alive:
                self.exit(ending)
        self.schedule_us = moment_us
        self._pass(moment_us)

    def _pass(self, moment_us: int) -> None:
        self.allocator.kswapd.run(max(moment_us, self.clock.now_us))
        while self._dirtied and self._dirtied[0][0] <= self.clock.now_us:
            self.files.dirty.difference_update(self._dirtied.popleft()[1].pages.values())

    def do(self, event: Event) -> None:
        """Carry out an event at the present moment. Raises :class:`Panic` when the kernel would."""
        try:
            self._do(event)
        except OwnerDied:
            pass
        except Refused:
            self.refused += 1

    def _do(self, event: Event) -> None:
        if isinstance(event, tl.StartCommand):
            if len(self.processes) - len(self._living_residents()) >= self.mix.commands.most_at_once:
                self.skipped += 1
                return
            self.start_command(event)
        elif isinstance(event, tl.Touch):
            process = self.residents[event.resident]
            if process.alive:
                if process.text is not None:
                    self.read(process.text, event.text_pages, process)
                self.touch(process, event.pages)
        elif isinstance(event, tl.Release):
            self.release(self.residents[event.resident], event.first, event.length)
        elif isinstance(event, tl.ReadFile):
            self.read(self.stored[event.file], range(event.first, event.first + event.length))
        elif isinstance(event, tl.WriteFile):
            self.write(event)
        elif isinstance(event, tl.GrowTmpfs):
            self._add(self.tmpfs, event.pages, self._anon)
        elif isinstance(event, tl.GrowLog):
            self._grow_log(self.logs[event.log], event.pages)
        elif isinstance(event, tl.OpenPipe):
            if len(self.pipes) >= self.mix.pipes.most:
                self._give(self.pipes.popleft())
            self.pipes.append([])
            self._add(self.pipes[-1], event.pages, self._pipe)
        else:
            self._add(self.kernel, 1, self._inode_page if event.reclaimable else self._kernel_page)

    def start_command(self, event: tl.StartCommand) -> None:
        """Fork, execute a program and touch memory (kernel/fork.c, fs/exec.c, 2.6.31)."""
        program = self.programs[event.program]
        process = self.new_process("command", program.length + event.anon_pages, program)
        heapq.heappush(self._ends, (self.schedule_us + event.lives_us, process.pid, process))
        try:
            self.fork_and_exec(process)
            self.read(program, event.text_pages, process)
            self.touch(process, range(event.anon_pages))
        except Refused:
            self.exit(process)
            raise

    def new_process(self, name: str, total_vm: int, text: File | None) -> Process:
        """Add a process that owns nothing yet."""
        self._last_pid += 1
        process = Process(self._last_pid, name, total_vm, self.clock.now_us, text)
        if text is not None:
            text.mappings += 1
        self.processes[process.pid] = process
        return process

    def fork_and_exec(self, process: Process) -> None:
        """Take the blocks of the operation one after another, and the single pages that a process takes beside them.

        A block that ``replaces`` an earlier one is taken while that is still held.
        """
        for number, (request, replaces) in enumerate(self._steps):
            pfn = self._take(request, process)
            if replaces:
                at = next(i for i, (_, order) in enumerate(process.blocks) if order == request.order)
                self.allocator.free(*process.blocks.pop(at))
            process.blocks.append((pfn, request.order))
            if number == 0:
                self._add_kernel_pages(process)

    def _add_kernel_pages(self, process: Process) -> None:
        for _ in range(OBJECTS_PER_PROCESS):
            kept = self.kept_objects
            process.objects.append(kept.pop() if kept else self._take(self._kernel_page, process))
        for _ in range(TABLES_PER_PROCESS):
            process.tables.append(self._take(self._kernel_page, process))

    def touch(self, process: Process, pages: Iterable[int]) -> None:
        """Fault in pages of a process's memory that are not resident, and page tables for large spaces."""
        anon, preempt = process.anon, self.allocator.kswapd.preempt
        for page in pages:
            if page not in anon:
                anon[page] = self._take(self._anon, process)
                preempt()
        wanted = len(anon) // ANON_PAGES_PER_TABLE + TABLES_PER_PROCESS
        while len(process.tables) < wanted:
            process.tables.append(self._take(self._kernel_page, process))

    def release(self, process: Process, first: int, count: int) -> None:
        """Give a part of a process's memory back; page tables stay."""
        freed = (process.anon.pop(page, None) for page in range(first, first + count))
        self._give(pfn for pfn in freed if pfn is not None)

    def read(self, file: File, pages: Iterable[int], process: Process | None = None) -> None:
        """Read pages of a file through the page cache, or run them when it is the text of ``process``."""
        cached, accessed = file.pages, self.files.mark_page_accessed
        missing = 0
        for index in pages:
            pfn = cached.get(index)
            if pfn is None:
                pfn = self._take(self._cold, process)
                self.files.add(file, index, pfn)
                self.allocator.kswapd.preempt()
                missing += 1
                if missing == READ_AHEAD_PAGES:
                    self._wait_for_storage(missing)
                    missing = 0
            elif process is not None:
                self.files.referenced.add(pfn)
            else:
                accessed(pfn)
        if missing:
            self._wait_for_storage(missing)

    def write(self, event: tl.WriteFile) -> None:
        """Write a new file; its pages are dirty until they are old enough to be written back."""
        file = File(event.pages)
        self.written.append(file)
        self._last_pid += 1
        heapq.heappush(self._ends, (self.schedule_us + event.kept_us, self._last_pid, file))
        for index in range(event.pages):
            pfn = self._take(self._anon)
            self.files.add(file, index, pfn)
            self.files.dirty.add(pfn)
        self._dirtied.append((self.clock.now_us + DIRTY_EXPIRE_US, file))

    def exit(self, process: Process) -> None:
        """End a process: all that it owns comes back (kernel/exit.c, 2.6.31)."""
        process.alive = False
        del self.processes[process.pid]
        if process.text is not None:
            process.text.mappings -= 1
        self._give(process.anon.values())
        self._give(process.tables)
        self.kept_objects += process.objects
        for pfn, order in process.blocks:
            self.allocator.free(pfn, order)
        process.anon, process.tables, process.objects, process.blocks = {}, [], [], []

    def _take(self, request: Request, process: Process | None = None) -> int:
        """Return a block for ``process``. Raises :class:`OwnerDied` when the wait for it killed the process."""
        pfn = self.allocator.alloc(request)
        if process is not None and not process.alive:
            self.allocator.free(pfn, request.order)
            raise OwnerDied
        return pfn

    def _give(self, pages: Iterable[int]) -> None:
        for pfn in pages:
            self.allocator.free(pfn)

    def _add(self, owner: list[int], pages: int, request: Request) -> None:
        for _ in range(pages):
            owner.append(self._take(request))  # noqa: PERF401 - a kill in between counts what is there already

    def _grow_log(self, log: list[int], pages: int) -> None:
        if len(log) + pages > pages_of(self.mix.tmpfs.log_kb):
            self._give(log)
            log.clear()
        self._add(log, pages, self._anon)

    def _wait_for_storage(self, pages: int) -> None:
        kb = pages * PAGE_KB
        self.read_kb += kb
        self.allocator.sleep(kb * 1_000_000 // self.mix.storage_kb_per_second)

    def _living_residents(self) -> list[Process]:
        return [process for process in self.residents if process.alive]

    def _out_of_memory(self, request: Request) -> None:
        """Kill the process with the highest score (mm/oom_kill.c: out_of_memory, 2.6.31); it is gone at once."""
        tasks = [process.as_oom_task(self.clock.now_us) for process in self.processes.values()]
        chosen = select_bad_process(tasks).pid
        victim = None if chosen is None else oom_kill_victim(tasks, chosen)
        if victim is None:
            raise Panic
        process = self.processes[victim]
        orders = zip(*(zone.buddy.nr_free for zone in self.zones), strict=True)
        self.kills.append(
            Kill(
                schedule_us=self.schedule_us,
                clock_us=self.clock.now_us,
                order=request.order,
                victim=process.name,
                victim_pages=process.owned_pages,
                tmpfs_pages=self.tmpfs_pages,
                free_pages=sum(zone.free_pages for zone in self.zones),
                free_blocks=tuple(map(sum, orders)),
                file_pages=len(self.files),
            )
        )
        self.exit(process)
