"""A long run as text for a terminal and as JSON: settings side by side, how blocks go, the first kill, the findings."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from math import log2
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table

from oomadvisor.kernel.words import PAGE_KB
from oomadvisor.longrun import AS_IT_IS, LongRun, Sample, SettingRuns
from oomadvisor.longrun.mix import HOUR_MS
from oomadvisor.longrun.summary import (
    Band,
    Before,
    band,
    bands,
    before_first_kill,
    blocks_of,
    first_kills,
    hours_ms,
    kill_orders,
)
from oomadvisor.present.text import heading, indented, plain, to_text

SCHEMA = "oomadvisor/longrun/1"
SCHEMA_FILE = Path(__file__).parent / "schema" / "longrun-1.json"
BARS = "▁▂▃▄▅▆▇█"
BAR_CELLS = 40
TIMES_SHOWN = 7
FIRST_COLUMN = 24
SETTING_COLUMN = 22
PAGES_PER_TENTH_MB = 1024 / PAGE_KB / 10

LIMITS = (
    "A model of the allocator, not a measurement: it keeps the kernel's rules, and the load is the mix, not your box. "
    "Take the order of the settings and their distance from it, not the hour of a kill.",
    "One task runs at a time; slab is never reclaimed; what was killed does not come back.",
)

HIGH_ORDER_KILLS = (
    "Kills for want of a larger block (order 1 and up) come earlier here than on the measured machine. Where a first "
    "kill is one of them, compare the blocks and not the kills."
)


def render_longrun(result: LongRun, *, width: int, colour: bool) -> str:
    """Return the comparison as text of ``width`` columns; escape sequences only with ``colour``."""
    parts: list[RenderableType] = [plain(_title(result), "bold"), plain(_load(result), "dim")]
    parts += [heading("Side by side"), indented(plain(_how_to_read(result), "dim"))]
    parts += [indented(table) for table in _tables(result, width, _summary_rows)]
    parts += [heading("Free blocks over time")]
    parts += [
        indented(plain(f"In pieces of order {result.order} ({PAGE_KB << result.order} kB) and larger ones.", "dim"))
    ]
    parts += [indented(*(plain(line) for line in _bars(result)))]
    parts += [indented(table) for table in _tables(result, width, _block_rows)]
    parts += [heading("Of these, what an ordinary request may take")]
    parts += [indented(plain("GFP_KERNEL at MIN, before anything is reclaimed.", "dim"))]
    parts += [indented(table) for table in _tables(result, width, _usable_rows)]
    parts += [heading("What it shows")]
    parts += [Padding(plain(f"- {said}"), (0, 0, 0, 2)) for said in findings(result)]
    parts += [heading("What it does not show")]
    parts += [Padding(plain(f"- {said}"), (0, 0, 0, 2)) for said in _limits(result)]
    return to_text(Group(*parts), width=width, colour=colour)


def longrun_schema() -> dict[str, Any]:
    """Return the JSON Schema of :func:`longrun_json`."""
    schema: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return schema


def longrun_json(result: LongRun) -> dict[str, Any]:
    """Return the comparison as plain data; times in hours of the mix, memory in pages."""
    box = result.start.box
    return {
        "schema": SCHEMA,
        "start": {
            "from": result.start.kind,
            "zones": [
                {"name": name, "present_pages": pages}
                for name, pages in zip(box.zone_names, box.present, strict=True)
                if pages
            ],
            "max_order": box.max_order,
            "min_free_kbytes": box.min_free_kbytes,
            "assumed": list(result.start.assumed),
        },
        "mix": {"title": result.mix.title, "source": result.mix.source},
        "days": result.days,
        "speed": result.speed,
        "seeds": list(result.seeds),
        "order": result.order,
        "block_kb": PAGE_KB << result.order,
        "lowered_to_kbytes": result.lowered_kbytes,
        "settings": [_setting_json(result, runs) for runs in result.settings],
        "shows": list(findings(result)),
        "limits": _limits(result),
    }


def _setting_json(result: LongRun, runs: SettingRuns) -> dict[str, Any]:
    before = before_first_kill(result, runs)
    return {
        "name": runs.setting.name,
        "min_free_kbytes": runs.min_free_kbytes,
        "lowmem_reserve_ratio": runs.setting.lowmem_reserve_ratio and list(runs.setting.lowmem_reserve_ratio),
        "percpu_pagelist_fraction": runs.setting.percpu_pagelist_fraction,
        "floor_pages": runs.floor_pages,
        "seeds_killed": len(first_kills(runs)),
        "before_first_kill": None if before is None else asdict(before),
        "runs": [
            {
                "seed": run.seed,
                "kills": [
                    {
                        "hours": _hours(hours_ms(kill, result.speed)),
                        "order": kill.order,
                        "victim": kill.victim,
                        "victim_pages": kill.victim_pages,
                        "tmpfs_pages": kill.tmpfs_pages,
                        "file_pages": kill.file_pages,
                        "free_pages": kill.free_pages,
                        "free_blocks": list(kill.free_blocks),
                    }
                    for kill in run.kills
                ],
                "panic_hours": None if run.panic_ms is None else _hours(run.panic_ms),
                "stopped": run.stopped,
                "allocator_events": run.allocator_events,
                "commands_not_started": run.skipped,
                "requests_refused": run.refused,
            }
            for run in runs.runs
        ],
        "samples": list(_samples_json(runs)),
    }


def _samples_json(runs: SettingRuns) -> Iterator[dict[str, Any]]:
    """Yield a row for each time that every seed reached, each number as a band over the seeds."""
    names = ("free_pages", "usable", "usable_lowered", "atomic_pages", "file_pages", "tmpfs_pages", "kills")
    for group in zip(*(run.samples for run in runs.runs), strict=False):
        row: dict[str, Any] = {"hours": _hours(group[0].at_ms)}
        row |= {name: asdict(band(getattr(one, name) for one in group)) for name in names}
        orders = zip(*(one.free_blocks for one in group), strict=True)
        yield row | {"free_blocks": [asdict(band(counts)) for counts in orders]}


def findings(result: LongRun) -> Iterator[str]:
    """Yield what the comparison shows: each setting against the first one, in sentences with their numbers."""
    first = result.settings[0]
    if len(result.settings) == 1:
        yield _alone(result, first)
        return
    for other in result.settings[1:]:
        yield from _against(result, first, other)


def _alone(result: LongRun, runs: SettingRuns) -> str:
    killed, seeds = len(first_kills(runs)), len(runs.runs)
    if not killed:
        return f"No kill in {_days(result.days)} with any of {seeds} seeds."
    return f"{killed} of {seeds} seeds ended in a kill, the first after {_time(_kill_hours(result, runs))}."


def _against(result: LongRun, first: SettingRuns, other: SettingRuns) -> Iterator[str]:
    name, than = _spoken(other), _spoken(first)
    before, base = before_first_kill(result, other), before_first_kill(result, first)
    if before is not None and base is not None:
        yield _kept(result, name, than, before, base)
    yield _kills_compared(first, other)


def _kept(result: LongRun, name: str, than: str, before: Before, base: Before) -> str:
    more = before.blocks.median >= base.blocks.median
    block = PAGE_KB << result.order
    text = (
        f"In the last stretch before the first kill (or the end), {name} kept {before.blocks.median} blocks of "
        f"{block} kB where {than} kept {base.blocks.median}; an ordinary request could take "
        f"{before.usable.median} and {base.usable.median} of them."
    )
    locked = before if more else base
    if locked.usable.median * 2 < locked.blocks.median:
        who = name if more else than
        text += (
            f" The others lie below the marks of {who}: they are for interrupts, or for the day on which the value is "
            f"lowered ({locked.usable_lowered.median} could be taken at {result.lowered_kbytes})."
        )
    return text


def _kills_compared(first: SettingRuns, other: SettingRuns) -> str:
    name, than = _spoken(other), _spoken(first)
    pairs = [
        (mine.kills[0], theirs.kills[0])
        for mine, theirs in zip(other.runs, first.runs, strict=True)
        if mine.kills and theirs.kills
    ]
    mine_killed, base_killed, seeds = len(first_kills(other)), len(first_kills(first)), len(first.runs)
    counts = f"{mine_killed} of {seeds} seeds had a kill under {name}, {base_killed} under {than}."
    if not pairs:
        return counts
    tenths = band(round((mine.tmpfs_pages - theirs.tmpfs_pages) / PAGES_PER_TENTH_MB) for mine, theirs in pairs)
    floor = (other.floor_pages - first.floor_pages) / PAGES_PER_TENTH_MB / 10
    text = f"When the first kill came, tmpfs held {_difference(tenths)} under {name} than under {than}."
    if tenths.low < 0 < tenths.high:
        text += " The seeds do not agree on which comes first."
    if floor:
        text += f" The floor of {name} is {abs(floor):.1f} MB {'higher' if floor > 0 else 'lower'}."
    return text if mine_killed == base_killed == seeds else f"{counts} {text}"


def _difference(tenths: Band) -> str:
    """Return a difference in MB as ``3.8 MB more``, with the spread over the seeds where there is one.

    >>> _difference(Band(-71, -68, -60)), _difference(Band(-3, 4, 10)), _difference(Band(5, 5, 5))
    ('6.8 MB less (6.0 to 7.1)', '0.4 MB more (−0.3 to 1.0)', '0.5 MB more')
    """
    sign = -1 if tenths.median < 0 else 1
    ends = sorted((sign * tenths.low, sign * tenths.high))
    text = f"{abs(tenths.median) / 10:.1f} MB {'less' if sign < 0 else 'more'}"
    if ends[0] == ends[1]:
        return text
    return f"{text} ({' to '.join(f'{end / 10:.1f}'.replace('-', '−') for end in ends)})"


def _spoken(runs: SettingRuns) -> str:
    """Return what a setting is called in a sentence."""
    return f"the present value ({runs.min_free_kbytes})" if runs.setting == AS_IT_IS else runs.setting.name


def _load(result: LongRun) -> str:
    mix = result.mix
    return f"{mix.title} ({mix.commands.per_hour} commands an hour, tmpfs +{mix.tmpfs.growth_kb_per_hour} kB an hour)"


def _title(result: LongRun) -> str:
    where = "boot" if result.start.kind == "boot" else "the state of the report"
    return f"Long run · {_days(result.days)} from {where} · {_seeds(len(result.seeds))} for each setting"


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"


def _seeds(seeds: int) -> str:
    return "1 seed" if seeds == 1 else f"{seeds} seeds"


def _how_to_read(result: LongRun) -> str:
    if len(result.seeds) == 1:
        return "One seed: there is no spread to tell chance from cause. The events are the same under every setting."
    return "The middle one of the seeds, and the lowest–highest of them. The events are the same under every setting."


def _limits(result: LongRun) -> list[str]:
    """Return what does not follow from this run: always, because of its kills, and because of what was assumed."""
    high = any(order for runs in result.settings for order in kill_orders(runs))
    return [*LIMITS, *([HIGH_ORDER_KILLS] if high else []), *(f"Assumed: {text}." for text in result.start.assumed)]


Rows = Callable[[LongRun, Sequence[SettingRuns]], Iterator[tuple[str, ...]]]


def _tables(result: LongRun, width: int, rows: Rows) -> Iterator[Table]:
    """Yield a table of ``rows`` for as many settings at a time as fit the width."""
    fit = max((width - FIRST_COLUMN) // SETTING_COLUMN, 1)
    for at in range(0, len(result.settings), fit):
        chunk = result.settings[at : at + fit]
        table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
        table.add_column("")
        for runs in chunk:
            table.add_column(plain(runs.setting.name), justify="right", overflow="fold")
        for row in rows(result, chunk):
            table.add_row(*(plain(cell) for cell in row))
        yield table


def _summary_rows(result: LongRun, chunk: Sequence[SettingRuns]) -> Iterator[tuple[str, ...]]:
    yield ("vm.min_free_kbytes", *(str(runs.min_free_kbytes) for runs in chunk))
    yield ("out of reach (floor)", *(f"{_mb(runs.floor_pages)} MB" for runs in chunk))
    yield ("first kill after", *(_time(_kill_hours(result, runs)) for runs in chunk))
    yield ("tmpfs then", *(_span(_kill_tmpfs(runs), "MB") for runs in chunk))
    yield ("for want of", *(_orders(runs) for runs in chunk))
    yield ("kills", *(_counts(runs) for runs in chunk))
    yield ("for interrupts (pages)", *(_cell(_lowest_atomic(runs)) for runs in chunk))


def _block_rows(result: LongRun, chunk: Sequence[SettingRuns]) -> Iterator[tuple[str, ...]]:
    return _over_time(result, chunk, lambda one: blocks_of(one, result.order))


def _usable_rows(result: LongRun, chunk: Sequence[SettingRuns]) -> Iterator[tuple[str, ...]]:
    return _over_time(result, chunk, lambda one: one.usable)


def _over_time(
    result: LongRun, chunk: Sequence[SettingRuns], value: Callable[[Sample], int]
) -> Iterator[tuple[str, ...]]:
    series = [dict(bands(runs, value)) for runs in chunk]
    times = [at for at, _ in bands(max(result.settings, key=_length), value)]
    steps = range(TIMES_SHOWN) if times else ()
    shown = sorted({times[round(step * (len(times) - 1) / (TIMES_SHOWN - 1))] for step in steps})
    for at in shown:
        yield (f"after {at / HOUR_MS:.0f} h", *(_cell(one[at]) if at in one else "–" for one in series))


def _length(runs: SettingRuns) -> int:
    return min((len(run.samples) for run in runs.runs), default=0)


def _bars(result: LongRun) -> Iterator[str]:
    """Yield a line of bars for each setting, on a logarithmic scale, and × below where seeds had kills."""
    series = {n: bands(runs, lambda one: blocks_of(one, result.order)) for n, runs in enumerate(result.settings)}
    most = max((one.median for found in series.values() for _, one in found), default=0)
    names = [_short(runs.setting.name) for runs in result.settings]
    column = max(map(len, names))
    end = result.days * 24 * HOUR_MS
    for number, runs in enumerate(result.settings):
        cells: list[list[int]] = [[] for _ in range(BAR_CELLS)]
        for at, one in series[number]:
            cells[min(at * BAR_CELLS // end, BAR_CELLS - 1)].append(one.median)
        line = "".join(_bar(min(cell), most) if cell else " " for cell in cells)
        yield f"{names[number]:{column}}  {line}".rstrip()
        kills = {
            min(hours_ms(kill, result.speed) * BAR_CELLS // end, BAR_CELLS - 1)
            for run in runs.runs
            for kill in run.kills
        }
        if kills:
            yield f"{'':{column}}  {''.join('×' if at in kills else ' ' for at in range(BAR_CELLS))}".rstrip()
    hours = end / HOUR_MS / BAR_CELLS
    yield f"{'':{column}}  logarithmic, tallest {most}; a bar: {hours:.1f} h; ×: kill"


def _short(name: str) -> str:
    return name if len(name) < FIRST_COLUMN else f"{name[: FIRST_COLUMN - 2]}…"


def _bar(value: int, most: int) -> str:
    level = log2(value + 1) / log2(most + 1) if most else 0.0
    return BARS[min(int(level * len(BARS)), len(BARS) - 1)]


def _kill_hours(result: LongRun, runs: SettingRuns) -> list[float]:
    return [hours_ms(kill, result.speed) / HOUR_MS for kill in first_kills(runs)]


def _kill_tmpfs(runs: SettingRuns) -> list[float]:
    return [kill.tmpfs_pages / PAGES_PER_TENTH_MB / 10 for kill in first_kills(runs)]


def _span(values: Sequence[float], unit: str) -> str:
    """Return the middle and, where they differ, lowest and highest of ``values`` with one digit after the point."""
    if not values:
        return "none"
    tenths = band(round(value * 10) for value in values)
    if tenths.low == tenths.high:
        return f"{tenths.median / 10:.1f} {unit}"
    return f"{tenths.median / 10:.1f} {unit} ({tenths.low / 10:.1f}–{tenths.high / 10:.1f})"


def _time(hours: Sequence[float]) -> str:
    """Return times as :func:`_span` does, in minutes where all are below an hour."""
    return _span([one * 60 for one in hours], "min") if hours and max(hours) < 1 else _span(hours, "h")


def _orders(runs: SettingRuns) -> str:
    found = kill_orders(runs)
    if len(found) == 1:
        return f"order {next(iter(found))}"
    return ", ".join(f"order {order}: {seeds}×" for order, seeds in found.items()) or "–"


def _counts(runs: SettingRuns) -> str:
    text = _cell(band(len(run.kills) for run in runs.runs))
    panics = sum(run.panic_ms is not None for run in runs.runs)
    return f"{text}, then panic" if panics == len(runs.runs) else f"{text}, {panics} panic" if panics else text


def _lowest_atomic(runs: SettingRuns) -> Band:
    return band(min((one.atomic_pages for one in run.samples), default=0) for run in runs.runs)


def _cell(one: Band) -> str:
    return str(one.median) if one.low == one.high else f"{one.median} ({one.low}–{one.high})"


def _mb(pages: int) -> str:
    return f"{pages / PAGES_PER_TENTH_MB / 10:.1f}"


def _hours(milliseconds: int) -> float:
    return round(milliseconds / HOUR_MS, 3)
