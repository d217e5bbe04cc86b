"""Digits that a serial line lost, and what the report's own sums say about them.

A report says many things twice: the free blocks and their total, the zones' lists and the global counters. A number
that lost a digit breaks one of these sums, and where exactly one number can have lost digits, and the rest of the
report is at peace with itself, the sum gives them back. Where a number must be damaged and the sums do not say what it
was, it becomes unknown. Every change and every loss is a warning with both numbers.

Numbers that merely drift apart between two readings on several processors are not touched: they do not differ by
missing digits.
"""

from oomadvisor.parse.draft import Draft, ZoneDraft

#: What is in both the zone lines and the global counters.
SUMMED = ("free", "active_anon", "inactive_anon", "active_file", "inactive_file", "unevictable")
#: Shorter numbers differ by one digit too easily by chance.
_MIN_DIGITS = 4
_MAX_LOST = 2
#: The part of its free pages by which a zone's counter may differ from its lists.
_DRIFT_SHARE = 8


def shortened(printed: int, whole: int, digits: int = _MIN_DIGITS) -> bool:
    """Return whether ``printed`` is ``whole`` (of at least ``digits`` digits) without one or two of its digits.

    >>> shortened(3992, 39992), shortened(3992, 49992), shortened(39992, 39992)
    (True, False, False)
    """
    if printed < 0 or whole < 10 ** (digits - 1):
        return False
    short, long = str(printed), str(whole)
    if not 0 < len(long) - len(short) <= _MAX_LOST:
        return False
    rest = iter(long)
    return all(digit in rest for digit in short)


def mend(draft: Draft, page_kb: int) -> None:
    """Settle the numbers of ``draft`` that the report's own sums contradict."""
    for zone in draft.zones.values():
        _mend_blocks(draft, zone, page_kb)
    _mend_free(draft, page_kb)
    _mend_sums(draft, page_kb)
    for zone in draft.zones.values():
        _settle_marks(draft, zone, page_kb)
        _settle_present(draft, zone)


def _mended(draft: Draft, what: str, printed: int, whole: int, why: str, part: str) -> None:
    draft.warn("mended", f"{what} is printed as {printed}; {why} proves {whole}.", draft.lines.get(part))


def _lost(draft: Draft, what: str, printed: int, why: str, part: str) -> None:
    draft.warn("lost-digits", f"{what} is printed as {printed}, but {why}; left out.", draft.lines.get(part))


def _part(zone: ZoneDraft, rest: str = "") -> str:
    return f"zones.{zone.node}.{zone.name}{rest}"


def _mend_blocks(draft: Draft, zone: ZoneDraft, page_kb: int) -> None:
    """The kernel adds up what it prints: a total that differs from its terms is damage (show_free_areas)."""
    blocks, total = zone.blocks, zone.total_kb
    if blocks is None or total is None:
        return
    found = sum(count * (page_kb << order) for order, count in enumerate(blocks))
    if found == total:
        return
    readings: list[tuple[tuple[int, ...], int, str]] = []
    if shortened(total, found, digits=2):
        readings.append((blocks, found, f"its total of {total} kB lost a digit"))
    for order, count in enumerate(blocks):
        whole, rest = divmod(total - found + count * (page_kb << order), page_kb << order)
        if rest == 0 and shortened(count, whole, digits=2):
            changed = (*blocks[:order], whole, *blocks[order + 1 :])
            readings.append((changed, total, f"its count of {page_kb << order} kB blocks, {count}, was {whole}"))
    # The zone's own counter, which may lag behind the lists a little, has to bear it out.
    free = zone.fields_kb.get("free", -1)
    readings = [reading for reading in readings if abs(reading[1] - free) <= free // _DRIFT_SHARE]
    if len(readings) > 1:
        readings = [reading for reading in readings if reading[1] == free]
    line = draft.lines.get(_part(zone, ".blocks"))
    if len(readings) == 1:
        zone.blocks, zone.total_kb, what = readings[0]
        draft.warn("mended", f"The free block line of {zone.label} does not add up: {what}.", line)
        return
    draft.warn(
        "buddy-sum",
        f"The free blocks of {zone.label} sum to {found} kB, but the line says {total} kB: the line is damaged, and "
        "its counts are left out.",
        line,
    )
    zone.blocks = zone.block_types = zone.total_kb = None


def _mend_free(draft: Draft, page_kb: int) -> None:
    for zone in draft.zones.values():
        free, total = zone.fields_kb.get("free"), zone.total_kb
        if free is None or total is None or not shortened(free, total):
            continue
        others = [other.fields_kb.get("free") for other in draft.zones.values() if other is not zone]
        counted = draft.counters.get("free")
        known = [kb for kb in others if kb is not None]
        what = f"{zone.label} free"
        if counted is not None and len(known) == len(others) and sum(known) + total == counted * page_kb:
            zone.fields_kb["free"] = total
            _mended(draft, what, free, total, "the sum of its free blocks and the global counter", _part(zone))
        else:
            del zone.fields_kb["free"]
            _lost(draft, what, free, f"its free blocks are {total} kB", _part(zone))


def _mend_sums(draft: Draft, page_kb: int) -> None:
    zones = list(draft.zones.values())
    if not zones:
        return
    names = [name for name in SUMMED if name in draft.counters and all(name in zone.fields_kb for zone in zones)]
    off = [n for n in names if sum(z.fields_kb[n] for z in zones) != draft.counters[n] * page_kb]
    for name in off:
        total, counted = sum(zone.fields_kb[name] for zone in zones), draft.counters[name]
        suspects: list[tuple[ZoneDraft | None, int]] = []
        for zone in zones:
            whole = counted * page_kb - total + zone.fields_kb[name]
            if shortened(zone.fields_kb[name], whole):
                suspects.append((zone, whole))
        if total % page_kb == 0 and shortened(counted, total // page_kb):
            suspects.append((None, total // page_kb))
        proven = len(suspects) == 1 and len(off) == 1 and len(names) > 1
        for suspect, whole in suspects:
            _settle_sum(draft, name, suspect, whole, proven=proven)


def _settle_sum(draft: Draft, name: str, zone: ZoneDraft | None, whole: int, *, proven: bool) -> None:
    """Set or remove the one number of a sum: a zone's, or the global counter."""
    values = draft.counters if zone is None else zone.fields_kb
    part = "counters" if zone is None else _part(zone)
    what = f"The counter {name}" if zone is None else f"{zone.label} {name}"
    printed = values[name]
    if proven:
        values[name] = whole
        _mended(draft, what, printed, whole, "the sum over the zones", part)
    else:
        del values[name]
        _lost(draft, what, printed, f"the sum over the zones asks for {whole}", part)


def _settle_marks(draft: Draft, zone: ZoneDraft, page_kb: int) -> None:
    """The marks stand in a row, and in all kernels the high mark is as far above the low one as that above min."""
    if not {"min", "low", "high"} <= zone.fields_kb.keys():
        return
    low_kb, middle_kb, high_kb = (zone.fields_kb[name] for name in ("min", "low", "high"))
    damaged = not low_kb <= middle_kb <= high_kb
    if not damaged and high_kb + low_kb - 2 * middle_kb not in (0, page_kb):
        # A vendor may have changed the marks, but not so that they look like the usual ones with a digit lost.
        damaged = (
            any(shortened(low_kb, 2 * middle_kb - high_kb + odd) for odd in (0, page_kb))
            or any(shortened(high_kb, 2 * middle_kb - low_kb + odd) for odd in (0, page_kb))
            or any(shortened(middle_kb, (high_kb + low_kb - odd) // 2) for odd in (0, page_kb))
        )
    if damaged:
        draft.warn(
            "lost-digits",
            f"The marks of {zone.label} are printed as {low_kb}, {middle_kb} and {high_kb} kB, which no kernel "
            "computes: the line is damaged, and they are left out.",
            draft.lines.get(_part(zone)),
        )
        for name in ("min", "low", "high"):
            del zone.fields_kb[name]


def _settle_present(draft: Draft, zone: ZoneDraft) -> None:
    """A zone has no more managed pages than it has pages; free ones it may, by the page structs charged to it."""
    present = zone.fields_kb.get("present")
    if not present:
        return
    for name, limit in (("managed", present), ("free", present + present // 8 + 4096)):
        inside = zone.fields_kb.get(name)
        if inside is not None and inside > limit:
            _lost(draft, f"{zone.label} present", present, f"{name} is {inside} kB", _part(zone))
            del zone.fields_kb["present"]
            return
