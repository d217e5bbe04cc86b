"""The bits of a gfp mask by series: names and values as the headers of each kernel define them (include/linux/gfp.h).

Each row says what changed since the row before; None: the name is gone. The build has all zones, NUMA, and every
debugging option under which a bit exists at all (kmemcheck, lockdep, KASAN): without the option the bit is never set.
"""

from functools import cache

__all__ = ["bits_of"]

Version = tuple[int, ...]

SINCE: tuple[tuple[Version, dict[str, int | None]], ...] = (
    (
        (2, 6, 12),
        {
            "__GFP_DMA": 0x1,
            "__GFP_HIGHMEM": 0x2,
            "__GFP_WAIT": 0x10,
            "__GFP_HIGH": 0x20,
            "__GFP_IO": 0x40,
            "__GFP_FS": 0x80,
            "__GFP_COLD": 0x100,
            "__GFP_NOWARN": 0x200,
            "__GFP_REPEAT": 0x400,
            "__GFP_NOFAIL": 0x800,
            "__GFP_NORETRY": 0x1000,
            "__GFP_NO_GROW": 0x2000,
            "__GFP_COMP": 0x4000,
            "__GFP_ZERO": 0x8000,
            "__GFP_NOMEMALLOC": 0x10000,
            "GFP_ATOMIC": 0x20,
            "GFP_NOIO": 0x10,
            "GFP_NOFS": 0x50,
            "GFP_KERNEL": 0xD0,
            "GFP_USER": 0xD0,
            "GFP_HIGHUSER": 0xD2,
            "GFP_DMA": 0x1,
        },
    ),
    ((2, 6, 13), {"__GFP_NORECLAIM": 0x20000}),
    ((2, 6, 14), {"__GFP_HARDWALL": 0x40000, "GFP_USER": 0x400D0, "GFP_HIGHUSER": 0x400D2}),
    (
        (2, 6, 15),
        {
            "__GFP_HARDWALL": 0x20000,
            "GFP_USER": 0x200D0,
            "GFP_HIGHUSER": 0x200D2,
            "GFP_DMA32": 0x4,
            "__GFP_DMA32": 0x4,
            "__GFP_NORECLAIM": None,
        },
    ),
    ((2, 6, 17), {"GFP_NOWAIT": 0x0}),
    ((2, 6, 19), {"__GFP_THISNODE": 0x40000}),
    ((2, 6, 22), {"__GFP_NO_GROW": None}),
    ((2, 6, 23), {"__GFP_MOVABLE": 0x80000, "GFP_HIGHUSER_MOVABLE": 0xA00D2, "GFP_HIGHUSER_PAGECACHE": 0xA00D2}),
    (
        (2, 6, 24),
        {
            "__GFP_RECLAIMABLE": 0x80000,
            "__GFP_MOVABLE": 0x100000,
            "GFP_TEMPORARY": 0x800D0,
            "GFP_HIGHUSER_MOVABLE": 0x1200D2,
            "GFP_HIGHUSER_PAGECACHE": 0x1200D2,
        },
    ),
    ((2, 6, 29), {"GFP_HIGHUSER_PAGECACHE": None}),
    (
        (2, 6, 31),
        {
            "__GFP_MOVABLE": 0x8,
            "__GFP_NOTRACK": 0x200000,
            "GFP_HIGHUSER_MOVABLE": 0x200DA,
        },
    ),
    ((2, 6, 38), {"__GFP_NO_KSWAPD": 0x400000, "GFP_TRANSHUGE": 0x4352DA}),
    ((2, 6, 39), {"__GFP_OTHER_NODE": 0x800000}),
    ((3, 3), {"__GFP_WRITE": 0x1000000}),
    ((3, 6), {"__GFP_MEMALLOC": 0x2000}),
    ((3, 8), {"__GFP_KMEMCG": 0x100000}),
    ((3, 16), {"__GFP_KMEMCG": None}),
    ((4, 1), {"__GFP_NOACCOUNT": 0x100000}),
    (
        (4, 4),
        {
            "__GFP_RECLAIMABLE": 0x10,
            "__GFP_ATOMIC": 0x80000,
            "__GFP_DIRECT_RECLAIM": 0x400000,
            "__GFP_KSWAPD_RECLAIM": 0x2000000,
            "__GFP_RECLAIM": 0x2400000,
            "GFP_ATOMIC": 0x2080020,
            "GFP_KERNEL": 0x24000C0,
            "GFP_NOWAIT": 0x2000000,
            "GFP_NOIO": 0x2400000,
            "GFP_NOFS": 0x2400040,
            "GFP_TEMPORARY": 0x24000D0,
            "GFP_USER": 0x24200C0,
            "GFP_HIGHUSER": 0x24200C2,
            "GFP_HIGHUSER_MOVABLE": 0x24200CA,
            "GFP_TRANSHUGE": 0x4352CA,
            "__GFP_WAIT": None,
            "__GFP_NO_KSWAPD": None,
        },
    ),
    ((4, 5), {"__GFP_ACCOUNT": 0x100000, "GFP_KERNEL_ACCOUNT": 0x25000C0, "__GFP_NOACCOUNT": None}),
    ((4, 6), {"GFP_TRANSHUGE": 0x352CA}),
    ((4, 8), {"GFP_TRANSHUGE_LIGHT": 0x342CA, "GFP_TRANSHUGE": 0x4342CA}),
    (
        (4, 10),
        {
            "__GFP_WRITE": 0x800000,
            "__GFP_KSWAPD_RECLAIM": 0x1000000,
            "__GFP_RECLAIM": 0x1400000,
            "GFP_ATOMIC": 0x1080020,
            "GFP_KERNEL": 0x14000C0,
            "GFP_KERNEL_ACCOUNT": 0x15000C0,
            "GFP_NOWAIT": 0x1000000,
            "GFP_NOIO": 0x1400000,
            "GFP_NOFS": 0x1400040,
            "GFP_TEMPORARY": 0x14000D0,
            "GFP_USER": 0x14200C0,
            "GFP_HIGHUSER": 0x14200C2,
            "GFP_HIGHUSER_MOVABLE": 0x14200CA,
            "__GFP_OTHER_NODE": None,
        },
    ),
    ((4, 12), {"__GFP_NOLOCKDEP": 0x2000000}),
    ((4, 13), {"__GFP_RETRY_MAYFAIL": 0x400, "__GFP_REPEAT": None}),
    ((4, 14), {"__GFP_NOTRACK": None, "GFP_TEMPORARY": None}),
    ((4, 15), {"__GFP_COLD": None}),
    (
        (4, 18),
        {
            "__GFP_WRITE": 0x100,
            "__GFP_DIRECT_RECLAIM": 0x200000,
            "__GFP_KSWAPD_RECLAIM": 0x400000,
            "__GFP_RECLAIM": 0x600000,
            "__GFP_NOLOCKDEP": 0x800000,
            "GFP_ATOMIC": 0x480020,
            "GFP_KERNEL": 0x6000C0,
            "GFP_KERNEL_ACCOUNT": 0x7000C0,
            "GFP_NOWAIT": 0x400000,
            "GFP_NOIO": 0x600000,
            "GFP_NOFS": 0x600040,
            "GFP_USER": 0x6200C0,
            "GFP_HIGHUSER": 0x6200C2,
            "GFP_HIGHUSER_MOVABLE": 0x6200CA,
            "GFP_TRANSHUGE": 0x2342CA,
        },
    ),
    (
        (5, 1),
        {
            "__GFP_WRITE": 0x1000,
            "__GFP_HARDWALL": 0x100000,
            "__GFP_THISNODE": 0x200000,
            "__GFP_ACCOUNT": 0x400000,
            "__GFP_ATOMIC": 0x200,
            "__GFP_MEMALLOC": 0x20000,
            "__GFP_NOMEMALLOC": 0x80000,
            "__GFP_DIRECT_RECLAIM": 0x400,
            "__GFP_KSWAPD_RECLAIM": 0x800,
            "__GFP_RECLAIM": 0xC00,
            "__GFP_RETRY_MAYFAIL": 0x4000,
            "__GFP_NOFAIL": 0x8000,
            "__GFP_NORETRY": 0x10000,
            "__GFP_NOWARN": 0x2000,
            "__GFP_COMP": 0x40000,
            "__GFP_ZERO": 0x100,
            "GFP_ATOMIC": 0xA20,
            "GFP_KERNEL": 0xCC0,
            "GFP_KERNEL_ACCOUNT": 0x400CC0,
            "GFP_NOWAIT": 0x800,
            "GFP_NOIO": 0xC00,
            "GFP_NOFS": 0xC40,
            "GFP_USER": 0x100CC0,
            "GFP_HIGHUSER": 0x100CC2,
            "GFP_HIGHUSER_MOVABLE": 0x100CCA,
            "GFP_TRANSHUGE_LIGHT": 0x1C20CA,
            "GFP_TRANSHUGE": 0x1C24CA,
        },
    ),
    (
        (5, 14),
        {
            "__GFP_ZEROTAGS": 0x800000,
            "__GFP_SKIP_KASAN_POISON": 0x1000000,
            "__GFP_NOLOCKDEP": 0x2000000,
            "GFP_HIGHUSER_MOVABLE": 0x1100CCA,
            "GFP_TRANSHUGE_LIGHT": 0x11C20CA,
            "GFP_TRANSHUGE": 0x11C24CA,
        },
    ),
    (
        (5, 19),
        {
            "__GFP_SKIP_ZERO": 0x1000000,
            "__GFP_SKIP_KASAN_UNPOISON": 0x2000000,
            "__GFP_SKIP_KASAN_POISON": 0x4000000,
            "__GFP_NOLOCKDEP": 0x8000000,
            "GFP_HIGHUSER_MOVABLE": 0x100CCA,
            "GFP_TRANSHUGE_LIGHT": 0x1C20CA,
            "GFP_TRANSHUGE": 0x1C24CA,
        },
    ),
    ((6, 3), {"GFP_ATOMIC": 0x820, "__GFP_ATOMIC": None}),
    (
        (6, 4),
        {
            "__GFP_SKIP_KASAN": 0x2000000,
            "__GFP_NOLOCKDEP": 0x4000000,
            "__GFP_SKIP_KASAN_UNPOISON": None,
            "__GFP_SKIP_KASAN_POISON": None,
        },
    ),
    ((6, 8), {"GFP_NOWAIT": 0x2800}),
    ((6, 12), {"__GFP_NO_OBJ_EXT": 0x8000000}),
)


@cache
def bits_of(version: Version) -> dict[str, int]:
    """Return the names of a kernel with their values. Raises ValueError for one older than 2.6.12.

    >>> bits_of((2, 6, 31))["GFP_KERNEL"], bits_of((6, 12))["GFP_KERNEL"]
    (208, 3264)
    """
    known: dict[str, int] = {}
    for since, changes in SINCE:
        if since > version:
            break
        for name, value in changes.items():
            if value is None:
                del known[name]
            else:
                known[name] = value
    if not known:
        raise ValueError(f"the gfp bits of {'.'.join(map(str, version))} are not known: 2.6.12 is the first")
    return known
