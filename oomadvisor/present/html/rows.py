"""The tables of the page, each cell with the place in the input that it was read from."""

from dataclasses import dataclass

from oomadvisor.model import IncidentAdvice, Origin, Verdict
from oomadvisor.present.charts.chart import megabytes
from oomadvisor.present.numbers import memory_parts, order_in_question, setting_rows

MOST_TASKS = 2000
OWNER_PARTS = {
    "free": ("counters", "zones"),
    "tmpfs, shared memory": ("trailer", "counters"),
    "processes (anonymous)": ("trailer", "counters"),
    "processes and tmpfs": ("counters",),
    "file cache": ("counters",),
    "kernel objects (slab)": ("counters", "trailer"),
    "page tables": ("counters",),
    "locked, ramfs": ("counters",),
    "kernel image, reserved": ("trailer",),
    "in no counter": ("trailer", "counters"),
}
"""The parts of a report that an owner's pages are read or computed from."""
MIN_FREE_KBYTES, LOWMEM_RESERVE_RATIO = "vm.min_free_kbytes", "vm.lowmem_reserve_ratio"


@dataclass(frozen=True, slots=True)
class Cell:
    """A text, the places it was read from, and whether it is a test that failed (None: no test)."""

    text: str
    origins: tuple[Origin, ...] = ()
    ok: bool | None = None


@dataclass(frozen=True, slots=True)
class Grid:
    """A table. ``numeric``: the columns that hold numbers. ``sortable``: a reader may want another order.

    ``prose``: the last column holds sentences.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: frozenset[int] = frozenset()
    sortable: bool = False
    prose: bool = False


def check_grid(advice: IncidentAdvice) -> Grid | None:
    """Return the check of the order in question with every comparison; the cells lead to the zone's lines."""
    order = order_in_question(advice)
    verdicts = [v for v in advice.verdicts if v.order == order and v.steps]
    if not verdicts:
        return None
    rungs = [step.order for step in verdicts[0].steps]
    return Grid(
        columns=("zone", "mark", *(f"order {rung}" for rung in rungs), "result"),
        rows=tuple(_check_row(advice, verdict) for verdict in verdicts),
        numeric=frozenset(range(2, 2 + len(rungs))),
    )


def _check_row(advice: IncidentAdvice, verdict: Verdict) -> tuple[Cell, ...]:
    zone = f"zones.{verdict.node}.{verdict.zone}"
    line = (advice.state.incident.origin(zone),)
    blocks = (advice.state.incident.origin(f"{zone}.blocks"),)
    steps = (
        Cell(
            f"{step.remaining_pages} {'>' if step.ok else '≤'} {step.bound_pages}",
            line if step.order == 0 else blocks,
            step.ok,
        )
        for step in verdict.steps
    )
    result = "passes" if verdict.ok else f"{verdict.short_by_pages} short"
    return Cell(verdict.zone, line), Cell(verdict.mark.upper(), line), *steps, Cell(result, ok=verdict.ok)


def memory_grid(advice: IncidentAdvice) -> Grid | None:
    """Return who holds the memory, with the lines that the numbers come from."""
    parts, ram = memory_parts(advice)
    if not parts:
        return None
    page_kb = advice.state.page_kb
    rows = []
    for name, pages in sorted(parts, key=lambda part: -part[1]):
        permille = (pages * 1000 + ram // 2) // ram
        origins = _places(advice, OWNER_PARTS.get(name, ()))
        rows.append(
            (
                Cell(name),
                Cell(str(pages), origins),
                Cell(megabytes(pages, page_kb)[:-3]),
                Cell(f"{permille // 10}.{permille % 10}"),
            )
        )
    return Grid(("owner", "pages", "MB", "% of RAM"), tuple(rows), frozenset((1, 2, 3)), sortable=True)


def _places(advice: IncidentAdvice, parts: tuple[str, ...]) -> tuple[Origin, ...]:
    """Return where parts of the report stand; nothing where the report lacks them."""
    incident = advice.state.incident
    return tuple(incident.origin(part) for part in parts if part in incident.lines)


def setting_grid(advice: IncidentAdvice) -> Grid | None:
    """Return the settings that matter, each with how it is known and where that stands."""
    shown, _ = setting_rows(advice)
    if not shown:
        return None
    rows = []
    for name, value, _note in shown:
        tunable = advice.tunables[name]
        origins = (tunable.origin,) if tunable.origin is not None else _seen_in(advice, name)
        default = "" if tunable.default is None else str(tunable.default)
        rows.append((Cell(name), Cell(value, origins), Cell(default), Cell(f"{tunable.source}: {tunable.basis}")))
    return Grid(("setting", "value", "default", "known by"), tuple(rows), frozenset((1, 2)), prose=True)


def _seen_in(advice: IncidentAdvice, name: str) -> tuple[Origin, ...]:
    """Return the lines from which a setting was inferred: those of the zones with marks, or with a reserve."""
    part = {MIN_FREE_KBYTES: "", LOWMEM_RESERVE_RATIO: ".reserve"}.get(name.split("[")[0])
    tunable = advice.tunables[name]
    if part is None or tunable.source != "inferred":
        return ()
    zones = [zone for zone in advice.state.zones if zone.marks is not None]
    if "[" in name:
        zones = [z for z in zones if name.endswith(f"[{advice.state.build.zone_names[z.index]}]")]
    return tuple(advice.state.incident.origin(f"zones.{zone.node}.{zone.name}{part}") for zone in zones)


def task_grid(advice: IncidentAdvice) -> Grid | None:
    """Return the task table of the report, the largest first; MOST_TASKS of them."""
    incident, page_kb = advice.state.incident, advice.state.page_kb
    if not incident.tasks:
        return None
    killed = {kill.pid for kill in incident.kills if kill.kind == "killed"} or {kill.pid for kill in incident.kills}
    tasks = sorted(incident.tasks, key=lambda t: -(t.rss_pages or t.total_vm_pages or 0))[:MOST_TASKS]
    rows = tuple(
        (
            Cell(task.name, (Origin(file=incident.file, line=task.line),)),
            Cell(str(task.pid)),
            Cell(_known(task.uid)),
            Cell(_known(None if task.rss_pages is None else task.rss_pages * page_kb)),
            Cell(_known(None if task.total_vm_pages is None else task.total_vm_pages * page_kb)),
            Cell(_known(task.oom_adj)),
            Cell("killed" if task.pid in killed else ""),
        )
        for task in tasks
    )
    columns = ("task", "pid", "uid", "RSS kB", "virtual kB", "oom adj", "fate")
    return Grid(columns, rows, frozenset((1, 2, 3, 4, 5)), sortable=True)


def slab_grid(advice: IncidentAdvice) -> Grid | None:
    """Return the slab caches of /proc/slabinfo, the largest first."""
    proc, page_kb = advice.state.proc, advice.state.page_kb
    if not proc.slab:
        return None
    place = proc.origins.get("slabinfo")
    rows = []
    for cache in sorted(proc.slab, key=lambda one: -one.pages):
        origins = () if place is None else (Origin(file=place.file, line=cache.line),)
        numbers = (cache.pages * page_kb, cache.objects, cache.active_objects, cache.object_bytes)
        rows.append((Cell(cache.name, origins), *(Cell(str(number)) for number in numbers)))
    columns = ("cache", "kB", "objects", "in use", "bytes each")
    return Grid(columns, tuple(rows), frozenset((1, 2, 3, 4)), sortable=True)


def _known(value: int | None) -> str:
    return "-" if value is None else str(value)
