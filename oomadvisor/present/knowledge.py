"""Entries of the reference as text and JSON: what a thing is, what a write does, what it costs, where that is from."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table

from oomadvisor.knowledge import sources
from oomadvisor.knowledge.computed import USUAL_RAM_MB, computed_default
from oomadvisor.knowledge.entry import AFFECTS, Absent, CallSiteEntry, Entry, GfpEntry, Setting
from oomadvisor.knowledge.mask import MaskReading, read_mask
from oomadvisor.knowledge.reference import named
from oomadvisor.knowledge.versions import FIRST_KNOWN, LAST_KNOWN, Version
from oomadvisor.present.text import heading, indented, plain, to_text

KNOWLEDGE_SCHEMA = "oomadvisor/knowledge/1"
DESCRIBED: Version = (2, 6, 31)
DEEDS = ("zones", "mobility", "closed_share_of_min", "ends")
MASK_SOURCES = ("gfp-bits", "gfp-zone", "atomic-reserve", "allocation-retry")
Row = tuple[str, str]


def render_entries(
    entries: Sequence[Entry], *, ram_mb: int | None, version: Version | None, width: int, colour: bool
) -> str:
    """Return the entries in full, one below the other, as text of ``width`` columns.

    ``ram_mb``: the box for which defaults are computed, None for a row of usual sizes. ``version``: the kernel that was
    asked about, when one was.
    """
    parts = []
    for number, entry in enumerate(entries):
        body = [plain(f"{entry.name} · {_kind(entry)}", "bold"), indented(plain(f"{entry.title}.", "italic"))]
        body.append(Padding(plain(entry.text), (1, 0, 1, 2)))
        body.append(indented(_rows_table(_rows(entry, ram_mb, version))))
        parts.append(Padding(Group(*body), (1 if number else 0, 0, 0, 0)))
    return to_text(Group(*parts), width=width, colour=colour)


def render_mask(reading: MaskReading, *, width: int, colour: bool) -> str:
    """Return a gfp mask read in full as text of ``width`` columns."""
    known = known_as(reading.value)
    title = f"{reading.value:#x} · gfp mask{' of 2.6.31' if reading.of_2_6_31 else ', not of 2.6.31'}"
    names = f": {' | '.join(reading.names)}" if reading.bits_hold else ""
    parts: list[RenderableType] = [plain(f"{title}{names}", "bold")]
    parts += [indented(plain(f"{note[:1].upper()}{note[1:]}.", "yellow")) for note in reading.notes]
    parts += [Padding(plain(f"{entry.title}. {entry.text}"), (1, 0, 0, 2)) for entry in known]
    if reading.bits and reading.bits_hold:
        parts.append(heading("Its bits"))
        parts.append(indented(_rows_table([(f"{bit:#x} {name}", _effect(name)) for name, bit in reading.bits])))
    if reading.of_2_6_31:
        parts.append(heading("What it may do"))
        parts.append(indented(_rows_table(_mask_rows(reading, known))))
    return to_text(Group(*parts), width=width, colour=colour)


def known_as(value: int) -> tuple[Entry, ...]:
    """Return the composites and usual masks of the reference that have exactly this value."""
    word = {0: "GFP_NOWAIT"}.get(value, f"{value:#x}")
    by_number = tuple(entry for entry in named(word) if isinstance(entry, GfpEntry))
    names = read_mask(value).names
    by_name = named(names[0]) if len(names) == 1 else ()
    return tuple(dict.fromkeys((*by_number, *(e for e in by_name if isinstance(e, GfpEntry) and e.value == value))))


def entry_rows(entries: Iterable[Entry]) -> list[tuple[str, str, str]]:
    """Return the rows of a list: name, topic, title, under their headings."""
    return [("name", "topic", "title"), *((entry.name, entry.topic, entry.title) for entry in entries)]


def knowledge_json(
    entries: Sequence[Entry], readings: Sequence[MaskReading] = (), *, ram_mb: int | None = None
) -> dict[str, Any]:
    """Return entries and decoded masks as a document: every field, sources in words, defaults for ``ram_mb`` MB."""
    return {
        "schema": KNOWLEDGE_SCHEMA,
        "masks": [_mask_json(reading) for reading in readings],
        "entries": [_entry_json(entry, ram_mb) for entry in entries],
    }


def _mask_json(reading: MaskReading) -> dict[str, Any]:
    return {
        "value": reading.value,
        "hex": f"{reading.value:#x}",
        "names": list(reading.names),
        "bits": [{"name": name, "value": bit, "effect": _effect(name)} for name, bit in reading.bits],
        "unknown_bits": reading.unknown_bits,
        "known_as": [entry.name for entry in known_as(reading.value)],
        "of_2_6_31": reading.of_2_6_31,
        **(_deeds_json(reading) if reading.of_2_6_31 else dict.fromkeys(DEEDS)),
        "notes": list(reading.notes),
    }


def _deeds_json(reading: MaskReading) -> dict[str, Any]:
    shares = [{"who": depth.who, "share": str(depth.share)} for depth in reading.depths]
    ends = [{"orders": orders, "how": how} for orders, how in reading.ends]
    return dict(zip(DEEDS, (reading.zones, reading.mobility, shares, ends), strict=True))


def kernels_words(entry: Entry) -> str | None:
    """Say in which kernels a thing exists, None where nothing is recorded."""
    if isinstance(entry, Absent):
        return _absent_words(entry)
    since, until = entry.kernels.since, entry.kernels.until
    if since is None and until is None:
        return None
    if since == until == DESCRIBED:
        return "2.6.31"
    begin = f"since {entry.since}" if since else "in 2.6.31"
    begin += " or earlier" if since == FIRST_KNOWN else ""
    end = "" if until is None else ", still in" if until == LAST_KNOWN else ", last in"
    return f"{begin}{end} {entry.until}" if until else begin


def _absent_words(entry: Absent) -> str:
    if entry.vendor_only:
        return f"in vendors' trees only (seen in {entry.since})"
    if entry.since is None:
        return "never in a mainline kernel"
    if entry.until is not None and entry.exists_in(DESCRIBED) is False and entry.kernels.until < DESCRIBED:  # type: ignore[operator]
        return f"not in 2.6.31: last in {entry.until}"
    return f"not in 2.6.31: first in {entry.since}" + (
        "" if entry.until in (None, "6.18") else f", last in {entry.until}"
    )


def _kind(entry: Entry) -> str:
    if isinstance(entry, Absent):
        return "not in 2.6.31"
    if isinstance(entry, GfpEntry):
        return f"gfp {entry.kind}, {entry.value:#x}"
    words = {
        "process": "per process",
        "boot": "boot parameter",
        "mount": "mount option",
        "build": "build option",
        "call-site": "call site",
        "flash": "flash file systems",
        "report": "what reports say",
    }
    return words.get(entry.topic, entry.topic)


def _rows(entry: Entry, ram_mb: int | None, version: Version | None) -> Iterator[Row]:
    if isinstance(entry, Setting):
        yield from _setting_rows(entry, ram_mb)
    elif isinstance(entry, Absent):
        yield "Instead", entry.instead
    elif isinstance(entry, CallSiteEntry):
        yield from _call_site_rows(entry)
    kernels = kernels_words(entry)
    if kernels:
        yield "Kernels", kernels
    if version is not None:
        yield "In " + ".".join(map(str, version)), _there(entry, version)
    if entry.unsure:
        yield "Unsure", entry.unsure
    if entry.see:
        yield "See also", ", ".join(entry.see)
    yield "Sources", "; ".join(sources()[source] for source in entry.sources)


def _there(entry: Entry, version: Version) -> str:
    exists = entry.exists_in(version)
    if exists is None:
        return "not recorded; what stands here is of 2.6.31"
    if not exists:
        return "does not exist"
    return "exists" if version[:3] == DESCRIBED else "exists; what stands here is of 2.6.31, and numbers may differ"


def _setting_rows(entry: Setting, ram_mb: int | None) -> Iterator[Row]:
    unit = f", in {entry.unit}" if entry.unit else ""
    if entry.type != "build" or unit:
        yield "Type", f"{entry.type}{unit}"
    yield "Default", entry.default
    if entry.computed is not None:
        sizes = USUAL_RAM_MB if ram_mb is None else (ram_mb,)
        values = ", ".join(f"{mb} MB: {computed_default(entry.computed, mb)}" for mb in sizes)
        yield "", f"{values} (32 bits, one zone)"
    yield "Accepted", entry.accepted
    if entry.bad_values:
        yield "Bad values", entry.bad_values
    yield "Affects", "; ".join(AFFECTS[word] for word in entry.affects)
    yield "Takes effect", entry.takes_effect
    yield "Price", entry.price
    yield "Undo", entry.undo
    if entry.needs:
        yield "Needs", entry.needs


def _call_site_rows(entry: CallSiteEntry) -> Iterator[Row]:
    sizes = ", ".join(f"{order} ({4 << order} kB)" for order in entry.orders)
    yield "Order", sizes or "depends on the caller"
    yield "Mask", entry.mask
    if entry.avoid:
        yield "Avoid it", entry.avoid
    yield "Shown by", ", ".join(entry.functions)
    if entry.symbols:
        yield "Also seen", ", ".join(entry.symbols)


def _effect(bit: str) -> str:
    found = next(entry for entry in named(bit) if isinstance(entry, GfpEntry))
    return f"{found.title}. {found.text}"


def _mask_rows(reading: MaskReading, known: Sequence[Entry]) -> Iterator[Row]:
    yield "Zones", reading.zones
    yield "Kept with", f"{reading.mobility} pages"
    shares = [f"{'all' if d.share == 1 else d.share} of MIN stays closed to {d.who}" for d in reading.depths]
    yield "Reserve", f"{', '.join(shares)} (after the first attempt, at LOW, has failed)"
    for orders, how in reading.ends:
        yield f"{orders[:1].upper()}{orders[1:]}", f"where no block is free and nothing can be reclaimed, {how}"
    see = dict.fromkeys(name for entry in known for name in entry.see)
    if see:
        yield "See also", ", ".join(see)
    own = (source for entry in known for source in entry.sources)
    yield "Sources", "; ".join(sources()[source] for source in dict.fromkeys((*MASK_SOURCES, *own)))


def _rows_table(rows: Iterable[Row]) -> RenderableType:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in rows:
        table.add_row(plain(label, "bold"), plain(text, "dim" if label == "Sources" else ""))
    return table


def _entry_json(entry: Entry, ram_mb: int | None) -> dict[str, Any]:
    record = entry.model_dump(mode="json")
    record["sources"] = [{"id": source, "text": sources()[source]} for source in entry.sources]
    record["exists_in_2_6_31"] = entry.exists_in(DESCRIBED)
    if isinstance(entry, Setting) and entry.computed is not None:
        sizes = USUAL_RAM_MB if ram_mb is None else (ram_mb,)
        record["computed"] = {str(mb): computed_default(entry.computed, mb) for mb in sizes}
    return record
