"""An incident while its lines are still coming in."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from oomadvisor.model import Frame, IncidentKind, Kill, MemcgUsage, Origin, PerCpu, Task, Warning_

if TYPE_CHECKING:
    from oomadvisor.parse.lineform import Line, LineForm

MAX_TASKS = 20_000
MAX_FRAMES = 200
MAX_ZONES = 256
MAX_PERCPU = 20_000
MAX_KILLS = 1_000
MAX_WARNINGS = 200
MAX_VENDOR_LINES = 64
#: Lines that end at the same width where a terminal or a pager cut them off.
MIN_CUT_LINES = 2


@dataclass
class ZoneDraft:
    """A zone's lines. Sizes stay as printed (kB): the page size is known only after the free block line."""

    name: str
    node: int
    fields_kb: dict[str, int] = field(default_factory=dict)
    pages_scanned: int | None = None
    all_unreclaimable: bool | None = None
    reserves: list[tuple[int, ...]] = field(default_factory=list)
    reserve_joined: bool = False
    blocks: tuple[int, ...] | None = None
    block_types: tuple[str, ...] | None = None
    total_kb: int | None = None
    has_line: bool = False

    @property
    def label(self) -> str:
        return f"Node {self.node} {self.name}" if self.node else self.name


@dataclass
class Draft:
    """All that was read of one incident so far.

    ``tagged``: its first line was tagged as the kernel's by a syslog. ``head``: that line, as it was read.
    ``cut_widths``: how many lines were cut off at which width.
    ``widest``: the largest width of a line, ``widest_lines``: how many lines have it.
    ``limit_width``, ``release_width``, ``swap_width``: the widths of the lines that may end in the middle of a group's
    path, of the kernel's name, of the swap cache's history.
    ``last_counters``: the last counter of each line, with the width of that line.
    ``ends``: by the width of a line how to take back what its last word said, should it have been cut off there.
    ``follows_unfinished``: the report before it had only just begun, so it may be going on between these lines.
    """

    file: str
    line: int
    kind: IncidentKind
    last_line: int = 0
    time: str | None = None
    kernel_release: str | None = None
    kernel_release_line: int | None = None
    killed_before: tuple[Kill, ...] = ()
    sysrq: bool = False
    tagged: bool = False
    request: dict[str, object] = field(default_factory=dict)
    frames: list[Frame] = field(default_factory=list)
    percpu: list[PerCpu] = field(default_factory=list)
    percpu_zone: tuple[int, str] | None = None
    percpu_last: int = -1
    percpu_zones: set[tuple[int, str]] = field(default_factory=set)
    counters: dict[str, int] = field(default_factory=dict)
    other_counters: dict[str, int] = field(default_factory=dict)
    node_fields_kb: dict[str, int] = field(default_factory=dict)
    zones: dict[tuple[int, str], ZoneDraft] = field(default_factory=dict)
    last_zone: ZoneDraft | None = None
    page_kb: int | None = None
    swap: dict[str, int] = field(default_factory=dict)
    trailer: dict[str, int] = field(default_factory=dict)
    vendor: dict[str, int] = field(default_factory=dict)
    in_trailer: bool = False
    task_columns: tuple[str, ...] | None = None
    tasks: list[Task] = field(default_factory=list)
    kills: list[Kill] = field(default_factory=list)
    group_kill: bool = False
    memcg: MemcgUsage | None = None
    forms: dict[str, None] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    warnings: list[Warning_] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)
    unrelated: int = 0
    rejoined: list[int] = field(default_factory=list)
    head: "tuple[LineForm, re.Match[str], Line] | None" = None
    cut_widths: dict[int, int] = field(default_factory=dict)
    widest: int = 0
    widest_lines: int = 0
    limit_width: int = 0
    release_width: int = 0
    swap_width: int = 0
    last_counters: list[tuple[int, str]] = field(default_factory=list)
    ends: list[tuple[int, Callable[["Draft"], None]]] = field(default_factory=list)
    follows_unfinished: bool = False
    interleaved_line: int | None = None

    def warn(self, code: str, text: str, line: int | None = None) -> None:
        """Remember something odd; beyond the cap only count it."""
        if len(self.warnings) < MAX_WARNINGS:
            origin = None if line is None else Origin(file=self.file, line=line)
            self.warnings.append(Warning_(code=code, text=text, origin=origin))
        else:
            self.dropped["warnings"] = self.dropped.get("warnings", 0) + 1

    def mixes(self, line: int) -> None:
        """Remember that the lines of two reports come by turns, and nothing tells whose is whose."""
        if self.interleaved_line is None:
            self.interleaved_line = line

    def is_cut(self, width: int) -> bool:
        """Return whether a line of ``width`` may have been cut off there, as others were."""
        at_the_edge = width == self.widest and self.widest_lines >= MIN_CUT_LINES
        return self.cut_widths.get(width, 0) >= (1 if at_the_edge else MIN_CUT_LINES)

    def note_width(self, width: int) -> None:
        """Count the lines of the largest width."""
        if width > self.widest:
            self.widest, self.widest_lines = width, 0
        self.widest_lines += width == self.widest

    def drop(self, what: str) -> None:
        """Count something that is left out because there is too much of it."""
        self.dropped[what] = self.dropped.get(what, 0) + 1

    def at(self, part: str, line: int) -> None:
        """Remember the first line of a part."""
        self.lines.setdefault(part, line)

    def zone(self, node: int, name: str) -> ZoneDraft | None:
        """Return the zone, new if need be; ``None`` when there are too many."""
        key = (node, name)
        if key not in self.zones:
            if len(self.zones) >= MAX_ZONES:
                self.drop("zones")
                return None
            self.zones[key] = ZoneDraft(name=name, node=node)
        return self.zones[key]

    @property
    def has_memory(self) -> bool:
        """Whether any part of the memory report was read."""
        return bool(self.zones or self.counters or self.percpu_zones or self.swap or self.trailer)

    @property
    def killed(self) -> bool:
        """Whether the line that ends an OOM report was read."""
        return any(kill.kind in ("killed", "panic", "vm-fault") for kill in self.kills)
