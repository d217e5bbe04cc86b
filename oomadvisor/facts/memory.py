"""Memory as facts: where it is, and what of it the kernel could have taken back."""

from oomadvisor.facts.kinds import MemoryFact, ReclaimFact, SlabFact, SwapFact, TmpfsFact, TrendFact
from oomadvisor.facts.share import permille
from oomadvisor.infer.nodes import all_zones_shown
from oomadvisor.kernel.reclaim import SWAP_CLUSTER_MAX, descent_offer
from oomadvisor.model import Memory, SystemState

LARGEST_MEMBERS = 20


def memory_fact(state: SystemState) -> MemoryFact:
    memory = state.memory
    ram = memory.ram_pages
    if ram is None and all_zones_shown(state.incident):
        present = [z.present_pages for z in state.incident.zones]
        ram = sum(p for p in present if p is not None) if present and None not in present else None
    singles = listed = None
    if state.incident.zones and all(z.free_blocks for z in state.incident.zones):
        singles = sum(z.free_blocks[0] for z in state.incident.zones if z.free_blocks)
        listed = sum(n << o for z in state.incident.zones for o, n in enumerate(z.free_blocks or ()))
    trailer = state.incident.trailer
    low = None
    if trailer is not None and trailer.ram_pages is not None and trailer.highmem_pages is not None:
        low = trailer.ram_pages - trailer.highmem_pages
    unmapped = None
    if memory.pagecache_pages is not None and memory.mapped_pages is not None:
        unmapped = max(memory.pagecache_pages - memory.mapped_pages, 0)
    vendor = state.incident.trailer.vendor if state.incident.trailer else {}
    dirty, writeback = _in_flight(state)
    mlocked = (state.proc.meminfo_kb or {}).get("Mlocked")
    return MemoryFact(
        origin=state.incident.origin("counters"),
        ram_pages=ram,
        free_pages=memory.free_pages,
        free_kb=None if memory.free_pages is None else memory.free_pages * state.page_kb,
        free_permille=permille(memory.free_pages, ram),
        free_known_permille=_share_of_known(memory, memory.free_pages),
        listed_pages=_listed(state),
        low_memory_pages=low,
        anon_lru_pages=memory.anon_lru_pages,
        anon_pages=memory.anon_pages,
        anon_permille=permille(memory.anon_pages, ram),
        file_lru_pages=memory.file_lru_pages,
        file_lru_permille=permille(memory.file_lru_pages, ram),
        shmem_pages=memory.shmem_pages,
        shmem_low_pages=memory.shmem_low_pages,
        shmem_high_pages=memory.shmem_high_pages,
        shmem_low_permille=permille(memory.shmem_low_pages, ram),
        shmem_permille=permille(memory.shmem_pages, ram),
        shmem_leads=_shmem_leads(memory),
        pagecache_pages=memory.pagecache_pages,
        mapped_pages=memory.mapped_pages,
        unmapped_cache_pages=unmapped,
        slab_pages=memory.slab_pages,
        slab_permille=permille(memory.slab_pages, ram),
        slab_unreclaimable_permille=permille(memory.slab_unreclaimable_pages, ram),
        pagetable_pages=memory.pagetable_pages,
        pagetable_known_permille=_share_of_known(memory, memory.pagetable_pages),
        pagetable_permille=permille(memory.pagetable_pages, ram),
        unevictable_pages=memory.unevictable_pages,
        unevictable_permille=permille(memory.unevictable_pages, ram),
        unaccounted_pages=memory.unaccounted_pages,
        unaccounted_permille=permille(memory.unaccounted_pages, ram),
        singles_permille=permille(singles, listed),
        mlocked_pages=None if mlocked is None else mlocked // state.page_kb,
        mlocked_permille=None if mlocked is None else permille(mlocked // state.page_kb, ram),
        dirty_pages=dirty,
        writeback_pages=writeback,
        in_flight_permille=_in_flight_share(dirty, writeback, memory.file_lru_pages),
        mapped_permille=permille(memory.mapped_pages, ram),
        kernel_cache_pages=vendor.get("kernel cache pages"),
    )


def _listed(state: SystemState) -> int | None:
    """Return the pages in all free lists that are printed; None where none is."""
    lists = [zone.free_blocks for zone in state.incident.zones if zone.free_blocks is not None]
    return sum(n << order for blocks in lists for order, n in enumerate(blocks)) if lists else None


def _shmem_leads(memory: Memory) -> bool:
    return (
        memory.shmem_low_pages is not None
        and memory.anon_pages is not None
        and memory.shmem_low_pages >= memory.anon_pages
    )


def _share_of_known(memory: Memory, part: int | None) -> int | None:
    """Return the share of a part in what the counters show together; None without one of the large ones."""
    known = (memory.free_pages, memory.anon_lru_pages, memory.file_lru_pages, memory.slab_pages, memory.pagetable_pages)
    if part is None or None in known:
        return None
    return permille(part, sum(pages for pages in known if pages is not None))


def trend_fact(state: SystemState) -> TrendFact | None:
    """Return what moved between two readings of vmstat; None without two."""
    before, after = state.proc.vmstat_earlier, state.proc.vmstat
    if before is None or after is None:
        return None

    def rise(name: str) -> int | None:
        return after[name] - before[name] if name in before and name in after else None

    def file_lru(reading: dict[str, int]) -> int | None:
        lists = [reading.get(name) for name in ("nr_active_file", "nr_inactive_file")]
        return None if None in lists else sum(pages for pages in lists if pages is not None)

    mapped = before.get("nr_mapped"), after.get("nr_mapped")
    fell = None if mapped[0] is None or mapped[1] is None else permille(max(mapped[0] - mapped[1], 0), mapped[0])
    return TrendFact(
        origin=state.proc.origins.get("vmstat"),
        major_faults=rise("pgmajfault"),
        mapped_before_pages=mapped[0],
        mapped_after_pages=mapped[1],
        mapped_fell_permille=fell,
        file_lru_before_pages=file_lru(before),
        file_lru_after_pages=file_lru(after),
        direct_reclaims=rise("allocstall"),
    )


def _in_flight(state: SystemState) -> tuple[int | None, int | None]:
    """Return dirty pages, and pages being written (to a disk, or to an NFS server that has not confirmed them)."""
    counters, meminfo = state.incident.counters, state.proc.meminfo_kb or {}
    if counters is not None and counters.dirty is not None:
        writeback = [n for n in (counters.writeback, counters.unstable) if n is not None]
        return counters.dirty, sum(writeback) if writeback else None
    if "Dirty" not in meminfo:
        return None, None
    written = meminfo.get("Writeback", 0) + meminfo.get("NFS_Unstable", 0)
    return meminfo["Dirty"] // state.page_kb, written // state.page_kb


def _in_flight_share(dirty: int | None, writeback: int | None, file: int | None) -> int | None:
    return None if dirty is None else permille(dirty + (writeback or 0), file)


def reclaim_fact(state: SystemState) -> ReclaimFact | None:
    """Return what could be taken back. Unknown without swap totals or file lists.

    Without swap only the file lists are scanned, and a list not before its share adds up to a batch of 32 pages
    (vmscan.c: get_scan_ratio, nr_scan_try_batch).
    """
    swap, file = state.swap, state.memory.file_lru_pages
    if swap is None or swap.total_kb is None or file is None:
        return None
    longest = max(_file_lists(state), default=file)
    return ReclaimFact(
        origin=state.incident.origin("counters"),
        possible=bool(reclaim_possible(state)),
        swap=swap.total_kb > 0,
        file_lru_pages=file,
        largest_file_list_pages=longest,
        largest_offer_pages=descent_offer(longest),
        batch_pages=SWAP_CLUSTER_MAX,
        anon_lru_pages=state.memory.anon_lru_pages,
    )


def reclaim_possible(state: SystemState) -> bool | None:
    """Return whether a direct reclaim could have scanned anything; None when swap or the file lists are not known.

    With swap everything can be scanned. Without, a file list is reached when its shares over the priorities 12 to 0 add
    up to a batch of 32 pages (vmscan.c: get_scan_ratio, nr_scan_try_batch, 2.6.31).
    """
    swap, file = state.swap, state.memory.file_lru_pages
    if swap is None or swap.total_kb is None or file is None:
        return None
    longest = max(_file_lists(state), default=file)
    return swap.total_kb > 0 or descent_offer(longest) >= SWAP_CLUSTER_MAX


def _file_lists(state: SystemState) -> list[int]:
    zones = state.incident.zones
    return [n for z in zones for n in (z.active_file_pages, z.inactive_file_pages) if n is not None]


def swap_fact(state: SystemState) -> SwapFact | None:
    swap = state.swap
    if swap is None or swap.total_kb is None:
        return None
    used = None if swap.free_kb is None else swap.total_kb - swap.free_kb
    could = _swappable(state)
    if could is not None and swap.free_kb is not None:
        could = min(could, max(swap.free_kb, 0) // state.page_kb)
    return SwapFact(
        origin=state.incident.origin("swap"),
        present=swap.total_kb > 0,
        total_kb=swap.total_kb,
        free_kb=swap.free_kb,
        used_permille=permille(used, swap.total_kb),
        would_take_pages=could,
        would_take_permille=permille(could, state.memory.ram_pages),
    )


def _swappable(state: SystemState) -> int | None:
    """Return the pages on the lists that swap could take: the anon lists, or before 2.6.28 the undivided ones."""
    counters = state.incident.counters
    if state.memory.anon_lru_pages is not None or counters is None:
        return state.memory.anon_lru_pages
    if counters.active is None or counters.inactive is None:
        return None
    return counters.active + counters.inactive


def slab_facts(state: SystemState) -> list[SlabFact]:
    caches = sorted(state.proc.slab, key=lambda c: (-c.pages, c.name))[:LARGEST_MEMBERS]
    return [
        SlabFact(
            key=cache.name,
            name=cache.name,
            pages=cache.pages,
            ram_permille=permille(cache.pages, state.memory.ram_pages),
            objects=cache.objects,
            object_bytes=cache.object_bytes,
            largest=cache is caches[0],
        )
        for cache in caches
    ]


def tmpfs_facts(state: SystemState) -> list[TmpfsFact]:
    return [
        TmpfsFact(
            key=mount.path,
            path=mount.path,
            size_kb=mount.size_kb,
            used_kb=mount.used_kb,
            ramfs=mount.fstype == "ramfs",
            limited=mount.size_kb is not None,
        )
        for mount in state.proc.mounts
        if mount.fstype in ("tmpfs", "ramfs")
    ][:LARGEST_MEMBERS]
