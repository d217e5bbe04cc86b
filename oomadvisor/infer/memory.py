"""Where the memory is: by owner, from the report and /proc/meminfo."""

from oomadvisor.model import Incident, Memory, ProcState, Swap


def swap_of(incident: Incident, proc: ProcState) -> Swap | None:
    """Return swap as the report prints it; a /proc/meminfo fills in where the report has no line."""
    if incident.swap is not None and incident.swap.total_kb is not None:
        return incident.swap
    if proc.meminfo_kb is not None and "SwapTotal" in proc.meminfo_kb:
        return Swap(total_kb=proc.meminfo_kb["SwapTotal"], free_kb=proc.meminfo_kb.get("SwapFree"))
    if proc.swaps is not None:
        return Swap(total_kb=sum(device.size_kb for device in proc.swaps))
    return incident.swap


def _sum(*values: int | None) -> int | None:
    known = [v for v in values if v is not None]
    return sum(known) if len(known) == len(values) else None


def memory_of(incident: Incident, proc: ProcState) -> Memory:
    """Say where the memory is, in pages. tmpfs/shm has no counter in 2.6.31: it is found by two independent
    differences.
    """
    counters, trailer = incident.counters, incident.trailer
    meminfo = proc.meminfo_kb or {}

    def from_meminfo(*names: str) -> int | None:
        return _sum(*(meminfo.get(name) for name in names)) if meminfo else None

    def pages(kb: int | None) -> int | None:
        return None if kb is None else kb // incident.page_kb

    anon = _sum(counters.active_anon, counters.inactive_anon) if counters else None
    file = _sum(counters.active_file, counters.inactive_file) if counters else None
    free = counters.free if counters else None
    if free is None and incident.zones and all(z.free_pages is not None for z in incident.zones):
        free = sum(z.free_pages or 0 for z in incident.zones)
    slab = (counters.slab if counters else None) or (trailer.slab_pages if trailer else None)
    reclaimable = counters.slab_reclaimable if counters else None
    unreclaimable = counters.slab_unreclaimable if counters else None
    if slab is None:
        slab = _sum(reclaimable, unreclaimable)
    if anon is None:
        anon = pages(from_meminfo("Active(anon)", "Inactive(anon)"))
    if file is None:
        file = pages(from_meminfo("Active(file)", "Inactive(file)"))
    if free is None:
        free = pages(meminfo.get("MemFree"))
    if slab is None:
        slab = pages(meminfo.get("Slab"))
    reclaimable = reclaimable if reclaimable is not None else pages(meminfo.get("SReclaimable"))
    unreclaimable = unreclaimable if unreclaimable is not None else pages(meminfo.get("SUnreclaim"))
    pagetables = counters.pagetables if counters else pages(meminfo.get("PageTables"))
    unevictable = counters.unevictable if counters else pages(meminfo.get("Unevictable"))
    cache = trailer.pagecache_pages if trailer else None
    swap_cache = incident.swap.cache_pages if incident.swap else None
    if cache is None and "Cached" in meminfo:
        cache = pages(meminfo["Cached"] + meminfo.get("Buffers", 0) + meminfo.get("SwapCached", 0))
    if swap_cache is None and "SwapCached" in meminfo:
        swap_cache = pages(meminfo["SwapCached"])
    anon_pages = _anonymous(incident, meminfo)
    low, estimate, high, basis = _shmem(incident, anon, file, unevictable, cache, swap_cache, anon_pages, meminfo)
    ram = trailer.ram_pages if trailer else None
    reserved = trailer.reserved_pages if trailer else None
    if ram is None and "MemTotal" in meminfo:
        ram, reserved = pages(meminfo["MemTotal"]), 0
    accounted = _sum(reserved, free, anon, file, slab, pagetables)
    return Memory(
        ram_pages=ram,
        reserved_pages=reserved,
        free_pages=free,
        anon_lru_pages=anon,
        file_lru_pages=file,
        unevictable_pages=unevictable,
        shmem_low_pages=low,
        shmem_pages=estimate,
        shmem_high_pages=high,
        shmem_basis=basis,
        anon_pages=anon_pages if anon_pages is not None else _difference(anon, estimate),
        pagecache_pages=cache,
        mapped_pages=counters.mapped if counters else pages(meminfo.get("Mapped")),
        slab_pages=slab,
        slab_reclaimable_pages=reclaimable,
        slab_unreclaimable_pages=unreclaimable,
        pagetable_pages=pagetables,
        swap_cache_pages=swap_cache,
        unaccounted_pages=None if ram is None or accounted is None else ram - accounted - (unevictable or 0),
    )


def _difference(whole: int | None, part: int | None) -> int | None:
    return None if whole is None or part is None else max(whole - part, 0)


def _anonymous(incident: Incident, meminfo: dict[str, int]) -> int | None:
    """Return the anonymous pages that are mapped: AnonPages, or Lab126's user pages minus user cache pages."""
    if "AnonPages" in meminfo:
        return meminfo["AnonPages"] // incident.page_kb
    vendor = incident.trailer.vendor if incident.trailer else {}
    user, cache = vendor.get("total user pages"), vendor.get("user cache pages")
    return user - cache if user is not None and cache is not None else None


def _shmem(
    incident: Incident,
    anon: int | None,
    file: int | None,
    unevictable: int | None,
    cache: int | None,
    swap_cache: int | None,
    anon_pages: int | None,
    meminfo: dict[str, int],
) -> tuple[int | None, int | None, int | None, str | None]:
    """Return tmpfs/shm pages as (low, estimate, high, basis).

    By page cache: total page cache − swap cache − file LRU; an upper bound, because mlocked file pages are in it too.
    By anonymous pages: anon LRU − mapped anonymous pages. A counter (2.6.32 and later) settles it.
    """
    counter = incident.counters.shmem if incident.counters else None
    if counter is None and "Shmem" in meminfo:
        counter = meminfo["Shmem"] // incident.page_kb
    if counter is not None:
        return counter, counter, counter, "the kernel's own shmem counter"
    by_cache = None
    if cache is not None and file is not None:
        by_cache = max(cache - (swap_cache or 0) - file, 0)
    by_anon = None if anon is None or anon_pages is None else max(anon - anon_pages, 0)
    if by_cache is not None and by_anon is not None:
        low, high = sorted((by_cache, by_anon))
        return low, by_anon, high, "page cache − file LRU, and anonymous LRU − mapped anonymous pages, both"
    if by_cache is not None:
        floor = max(by_cache - (unevictable or 0), 0)
        if floor * 2 < by_cache:  # a ramfs, or locked files: most of it cannot be told from tmpfs
            basis = "page cache − swap cache − file LRU − unevictable pages (a lower bound: no shmem counter in 2.6.31)"
            return floor, floor, by_cache, basis
        return (
            floor,
            by_cache,
            by_cache,
            "page cache − swap cache − file LRU (an upper bound: no shmem counter in 2.6.31)",
        )
    if by_anon is not None:
        return by_anon, by_anon, by_anon, "anonymous LRU − mapped anonymous pages"
    return None, None, None, None
