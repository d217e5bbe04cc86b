"""A memory zone as a report shows it: its marks, reserve, free blocks and LRU lists, all in pages."""

from typing import Literal, get_args

from pydantic import Field

from oomadvisor.model.base import Frozen

Mark = Literal["min", "low", "high"]
MARKS: tuple[Mark, ...] = get_args(Mark)


class Marks(Frozen):
    """The three watermarks of a zone in pages (a report prints them in kB)."""

    min: int
    low: int
    high: int

    def __getitem__(self, mark: Mark) -> int:
        return {"min": self.min, "low": self.low, "high": self.high}[mark]


class Zone(Frozen):
    """One populated zone. ``None`` means that the report did not say.

    ``reserve_pages`` is indexed by class zone, ``free_blocks`` by order (its length is the kernel's MAX_ORDER).
    ``printed_total_kb`` is the sum that the kernel printed at the end of the buddy line; ``free_pages`` is the zone's
    counter, which is what the watermark test reads. ``block_types`` holds the migrate-type letters of later kernels.
    """

    name: str
    node: int = 0
    index: int = 0
    present_pages: int | None = None
    managed_pages: int | None = None
    spanned_pages: int | None = None
    free_pages: int | None = None
    marks: Marks | None = None
    boost_pages: int | None = None
    reserve_pages: tuple[int, ...] | None = None
    free_blocks: tuple[int, ...] | None = None
    block_types: tuple[str, ...] | None = None
    printed_total_kb: int | None = None
    active_anon_pages: int | None = None
    inactive_anon_pages: int | None = None
    active_file_pages: int | None = None
    inactive_file_pages: int | None = None
    unevictable_pages: int | None = None
    isolated_anon_pages: int | None = None
    isolated_file_pages: int | None = None
    mlocked_pages: int | None = None
    free_cma_pages: int | None = None
    reserved_highatomic_pages: int | None = None
    pages_scanned: int | None = None
    all_unreclaimable: bool | None = None
    other_pages: dict[str, int] = Field(default_factory=dict)

    @property
    def anon_lru_pages(self) -> int | None:
        """Pages on the two anon lists: anonymous memory and tmpfs/shm alike (mm_inline.h: page_is_file_cache)."""
        if self.active_anon_pages is None or self.inactive_anon_pages is None:
            return None
        return self.active_anon_pages + self.inactive_anon_pages

    @property
    def file_lru_pages(self) -> int | None:
        """Pages on the two file lists, the only ones that can be reclaimed without swap."""
        if self.active_file_pages is None or self.inactive_file_pages is None:
            return None
        return self.active_file_pages + self.inactive_file_pages
