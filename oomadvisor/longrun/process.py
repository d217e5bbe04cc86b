"""A process: its kernel blocks and pages, and the anonymous memory that it touched."""

from dataclasses import dataclass, field

from oomadvisor.kernel.oom import OomTask, badness
from oomadvisor.longrun.filepages import File

US_PER_SECOND = 1_000_000


@dataclass(eq=False, slots=True)
class Process:
    """``blocks`` are (first page frame, order) of its stack and page directory, ``tables`` its page tables, ``objects``
    the slab pages that its kernel objects fill, ``anon`` maps a page of its address space to the page frame.
    ``total_vm`` is in pages.
    """

    pid: int
    name: str
    total_vm: int
    started_us: int
    text: File | None = None
    blocks: list[tuple[int, int]] = field(default_factory=list)
    tables: list[int] = field(default_factory=list)
    objects: list[int] = field(default_factory=list)
    anon: dict[int, int] = field(default_factory=dict)
    alive: bool = True

    @property
    def owned_pages(self) -> int:
        """Return the pages that it has, text not counted."""
        return sum(1 << order for _, order in self.blocks) + len(self.tables) + len(self.objects) + len(self.anon)

    def as_oom_task(self, now_us: int) -> OomTask:
        """Return the process as the OOM killer sees it: its size and age are known, its CPU time is not."""
        points = badness(
            total_vm=self.total_vm,
            uptime_sec=now_us // US_PER_SECOND,
            start_time_sec=self.started_us // US_PER_SECOND,
        )
        return OomTask(pid=self.pid, mm=self.pid, points=points)
