"""What a box does all day: how often it starts commands, what it reads and writes, what grows."""

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from oomadvisor.model.base import Frozen

MOST_PER_HOUR = 10_000_000
MOST_KB = 1 << 26
HOUR_MS = 3_600_000
MOST_PROCESSES = 1000


class Written(Frozen):
    """A part of a mix as a file writes it: whole numbers of the unit in the name, no unknown keys."""

    model_config = ConfigDict(strict=True, populate_by_name=True)


class Lifetime(Written):
    """``share_percent`` of the commands live between ``min_seconds`` and ``max_seconds``."""

    share_percent: int = Field(ge=1, le=100)
    min_seconds: int = Field(ge=0, le=1 << 31)
    max_seconds: int = Field(ge=0, le=1 << 31)

    @model_validator(mode="after")
    def _ordered(self) -> "Lifetime":
        if self.min_seconds > self.max_seconds:
            raise PydanticCustomError("bad-range", "min_seconds is above max_seconds")
        return self


class PageRange(Written):
    """A number of pages, drawn evenly between both ends."""

    min: int = Field(ge=0, le=1 << 20)
    max: int = Field(ge=0, le=1 << 20)

    @model_validator(mode="after")
    def _ordered(self) -> "PageRange":
        if self.min > self.max:
            raise PydanticCustomError("bad-range", "min is above max")
        return self


class Commands(Written):
    """Short commands, each the operation of the box (fork+exec). No more than ``most_at_once`` are alive together."""

    per_hour: int = Field(ge=0, le=MOST_PER_HOUR)
    most_at_once: int = Field(ge=1, le=MOST_PROCESSES)
    lifetimes: tuple[Lifetime, ...] = Field(min_length=1, max_length=20)
    anon_pages: PageRange

    @model_validator(mode="after")
    def _whole(self) -> "Commands":
        total = sum(lifetime.share_percent for lifetime in self.lifetimes)
        if total != 100:
            raise PydanticCustomError(
                "bad-shares", "the shares of the lifetimes are {total} % together, not 100 %", {"total": total}
            )
        return self


class Programs(Written):
    """The programs that commands execute, on storage. A start reads ``read_percent`` of the text in runs."""

    count: int = Field(ge=1, le=10_000)
    text_kb: int = Field(ge=4, le=MOST_KB)
    read_percent: int = Field(ge=0, le=100)


class Resident(Written):
    """``count`` processes that stay. They touch pages of their address space at random and give parts of it back.

    ``touches_per_hour`` and ``releases_per_hour`` are those of all ``count`` together. ``touched_at_start_percent``
    of the address space is resident from the start on. ``text_pages_per_touch``: pages of a program's text that run
    with each touch.
    """

    name: str = Field(min_length=1, max_length=40)
    count: int = Field(ge=1, le=MOST_PROCESSES)
    address_space_kb: int = Field(ge=4, le=MOST_KB)
    touched_at_start_percent: int = Field(default=0, ge=0, le=100)
    touches_per_hour: int = Field(default=0, ge=0, le=MOST_PER_HOUR)
    pages_per_touch: int = Field(default=0, ge=0, le=10_000)
    text_pages_per_touch: int = Field(default=0, ge=0, le=10_000)
    releases_per_hour: int = Field(default=0, ge=0, le=MOST_PER_HOUR)
    pages_per_release: int = Field(default=0, ge=0, le=1 << 20)


class Files(Written):
    """Files that are read (the first ones more often: file n with a weight of 1/n) and written."""

    count: int = Field(ge=1, le=100_000)
    size_kb: int = Field(ge=4, le=MOST_KB)
    reads_per_hour: int = Field(ge=0, le=MOST_PER_HOUR)
    read_kb: int = Field(ge=4, le=MOST_KB)
    writes_per_hour: int = Field(default=0, ge=0, le=MOST_PER_HOUR)
    write_kb: int = Field(default=4, ge=4, le=MOST_KB)
    written_kept_seconds: int = Field(default=600, ge=0, le=1 << 31)


class Tmpfs(Written):
    """What grows in tmpfs without end, and logs that are cut to nothing when they reach ``log_kb``."""

    initial_kb: int = Field(ge=0, le=MOST_KB)
    growth_kb_per_hour: int = Field(ge=0, le=MOST_KB)
    logs: int = Field(default=0, ge=0, le=1000)
    log_kb: int = Field(default=4, ge=4, le=MOST_KB)
    log_growth_kb_per_hour: int = Field(default=0, ge=0, le=MOST_KB)


class Pipes(Written):
    """Pipes with unread data: unmovable pages that come and go, the oldest pipe first."""

    most: int = Field(ge=0, le=100_000)
    opened_per_hour: int = Field(ge=0, le=MOST_PER_HOUR)
    pages: PageRange


class Slab(Written):
    """Kernel objects that stay: what is there at the start, and what is added.

    ``reclaimable_growth_kb_per_hour``: inodes and the like, which take their pages from other lists. The model takes
    none of them back: on a box full of anonymous and tmpfs pages there is next to no pressure on them.
    """

    initial_kb: int = Field(ge=0, le=MOST_KB)
    growth_kb_per_hour: int = Field(ge=0, le=MOST_KB)
    reclaimable_growth_kb_per_hour: int = Field(default=0, ge=0, le=MOST_KB)


class Mix(Written):
    """The whole day of a box. ``storage_kb_per_second``: how fast pages come from storage when they are not cached."""

    title: str = Field(min_length=1, max_length=200)
    source: str = Field(min_length=1, max_length=2000)
    storage_kb_per_second: int = Field(ge=1, le=MOST_KB)
    commands: Commands
    programs: Programs
    residents: tuple[Resident, ...] = Field(max_length=50)
    files: Files
    tmpfs: Tmpfs
    pipes: Pipes
    slab: Slab

    @model_validator(mode="after")
    def _countable(self) -> "Mix":
        residents = sum(resident.count for resident in self.residents)
        if residents > MOST_PROCESSES:
            raise PydanticCustomError(
                "too-many",
                "there are {found} residents; up to {most} are possible",
                {"found": residents, "most": MOST_PROCESSES},
            )
        return self
