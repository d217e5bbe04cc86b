"""The long run: one box, several settings, the same events under each, several seeds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from oomadvisor.kernel.words import PAGE_KB
from oomadvisor.longrun.box import Box, NoLongRun
from oomadvisor.longrun.mix import HOUR_MS, Mix
from oomadvisor.longrun.sample import Sample, sample, watched_order
from oomadvisor.longrun.setting import Setting, check_setting, floor_pages
from oomadvisor.longrun.start import Start, prepared
from oomadvisor.longrun.timeline import GROWTH_STEP_PAGES, GrowTmpfs, Moment, pages_of, timeline
from oomadvisor.longrun.workload import Kill, Panic, Workload

MOST_DAYS = 366
MOST_SEEDS = 100
MOST_SETTINGS = 12
MOST_EVENTS = 2_000_000
MOST_PAGE_VISITS = 100_000_000
MOST_ALLOCATOR_EVENTS = 100_000_000
MOST_KILLS = 10_000
SAMPLES = 100
DAY_MS = 24 * HOUR_MS

Progress = Callable[[float, str], None]
"""Is told how much of the work is done (0 to 1), and what is being done."""


@dataclass(frozen=True, slots=True)
class Run:
    """One box under one setting with one seed. ``panic_ms``: when nobody was left to kill; ``stopped``: why it ended
    early. ``allocator_events``: blocks and pages taken or given back; ``refused``: requests that got nothing;
    ``skipped``: commands that were not started because enough were running; ``kswapd_rounds``: how often kswapd
    started over.
    """

    seed: int
    samples: tuple[Sample, ...]
    kills: tuple[Kill, ...]
    panic_ms: int | None
    stopped: str | None
    allocator_events: int
    refused: int
    skipped: int
    kswapd_rounds: int


@dataclass(frozen=True, slots=True)
class SettingRuns:
    """All seeds under one setting. ``floor_pages``: where ordinary requests stop, in all zones together."""

    setting: Setting
    min_free_kbytes: int
    floor_pages: int
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class LongRun:
    """The whole comparison. ``order``: that of the blocks that are watched; ``lowered_kbytes``: the lowest
    vm.min_free_kbytes of the comparison, at which ``Sample.usable_lowered`` counts.
    """

    start: Start
    mix: Mix
    days: int
    speed: int
    seeds: tuple[int, ...]
    order: int
    lowered_kbytes: int
    settings: tuple[SettingRuns, ...]


def no_progress(_done: float, _what: str) -> None:
    """Show nothing."""


def long_run(
    start: Start,
    mix: Mix,
    settings: Sequence[Setting],
    *,
    seeds: int | Sequence[int] = 3,
    days: int = 3,
    speed: int = 1,
    progress: Progress = no_progress,
) -> LongRun:
    """Run ``mix`` for ``days`` under every setting with every seed, and return what was seen.

    ``seeds``: how many (1, 2, …), or which. ``speed``: the events of ``days`` in 1/speed of the time, while storage
    and kswapd keep theirs. Raises :class:`NoLongRun` when the limits of the model are exceeded.
    """
    chosen = tuple(range(1, seeds + 1)) if isinstance(seeds, int) else tuple(seeds)
    _check(start.box, mix, settings, chosen, days, speed)
    order = watched_order(start.box)
    lowered = min(setting.value_on(start.box) for setting in settings)
    rows: list[list[Run]] = [[] for _ in settings]
    total = len(chosen) * len(settings)
    for done, (seed, number) in enumerate((seed, number) for seed in chosen for number in range(len(settings))):
        setting = settings[number]

        def tell(part: float, done: int = done, what: str = f"{setting.name}, seed {seed}") -> None:
            progress((done + part) / total, what)

        rows[number].append(_one_run(start, mix, setting, seed, days, speed, order, lowered, tell))
    return LongRun(
        start=start,
        mix=mix,
        days=days,
        speed=speed,
        seeds=chosen,
        order=order,
        lowered_kbytes=lowered,
        settings=tuple(
            SettingRuns(
                setting=setting,
                min_free_kbytes=setting.value_on(start.box),
                floor_pages=floor_pages(start.box, setting),
                runs=tuple(runs),
            )
            for setting, runs in zip(settings, rows, strict=True)
        ),
    )


def _check(box: Box, mix: Mix, settings: Sequence[Setting], seeds: Sequence[int], days: int, speed: int) -> None:
    if not 1 <= days <= MOST_DAYS:
        raise NoLongRun(f"{days} days; from 1 to {MOST_DAYS} can be run")
    if not 1 <= len(seeds) <= MOST_SEEDS:
        raise NoLongRun(f"{len(seeds)} seeds; from 1 to {MOST_SEEDS} can be run")
    if not 1 <= len(settings) <= MOST_SETTINGS:
        raise NoLongRun(f"{len(settings)} settings; from 1 to {MOST_SETTINGS} can be compared")
    if speed < 1:
        raise NoLongRun(f"a speed of {speed}; at least 1")
    for setting in settings:
        check_setting(setting, box)
    hours = 24 * days
    for what, per_hour, most in (
        ("events", events_per_hour(mix), MOST_EVENTS),
        ("pages to visit", page_visits_per_hour(mix), MOST_PAGE_VISITS),
    ):
        if per_hour * hours > most:
            raise NoLongRun(
                f"the mix has {per_hour * hours} {what} in {days} days; up to {most} can be run: fewer days?"
            )


def events_per_hour(mix: Mix) -> int:
    """Return how many events of the mix happen in an hour."""
    return sum(per_hour for per_hour, _ in _activities(mix))


def page_visits_per_hour(mix: Mix) -> int:
    """Return how many pages the events of an hour read, touch or give back at most."""
    return sum(per_hour * pages for per_hour, pages in _activities(mix))


def _activities(mix: Mix) -> Iterator[tuple[int, int]]:
    """Yield (events per hour, pages that one visits at most) of everything that goes on."""
    text = pages_of(mix.programs.text_kb) * mix.programs.read_percent // 100
    yield mix.commands.per_hour, text + mix.commands.anon_pages.max + 1
    for resident in mix.residents:
        yield resident.touches_per_hour, resident.pages_per_touch + resident.text_pages_per_touch + 1
        yield resident.releases_per_hour, resident.pages_per_release + 1
    yield mix.files.reads_per_hour, pages_of(mix.files.read_kb)
    yield mix.files.writes_per_hour, pages_of(mix.files.write_kb)
    growth = mix.tmpfs.growth_kb_per_hour + mix.tmpfs.log_growth_kb_per_hour
    yield growth // (GROWTH_STEP_PAGES * PAGE_KB), GROWTH_STEP_PAGES
    yield mix.pipes.opened_per_hour, mix.pipes.pages.max + 1
    yield (mix.slab.growth_kb_per_hour + mix.slab.reclaimable_growth_kb_per_hour) // PAGE_KB, 1


def _one_run(
    start: Start,
    mix: Mix,
    setting: Setting,
    seed: int,
    days: int,
    speed: int,
    order: int,
    lowered: int,
    progress: Callable[[float], None],
) -> Run:
    box = start.box
    low_marks = box.family.setup_per_zone_wmarks(box.zone_names, box.present, lowered)
    samples: list[Sample] = []
    panic_ms: int | None = None
    stopped: str | None = None
    load: Workload | None = None
    try:
        load = prepared(start, mix, setting, seed)
        end_us = days * DAY_MS * 1000 // speed
        step_us = max(end_us // SAMPLES, 1)
        due_us = 0
        for moment in chain(timeline(mix, seed, speed=speed), (Moment(end_us + 1, 0, GrowTmpfs(0)),)):
            while due_us <= min(moment.at_us, end_us):
                load.until(due_us)
                samples.append(sample(load, due_us * speed // 1000, order, low_marks))
                progress(due_us / end_us)
                due_us += step_us
            if moment.at_us > end_us:
                break
            load.until(moment.at_us)
            load.do(moment.event)
            if load.allocator.taken + load.allocator.given > MOST_ALLOCATOR_EVENTS:
                stopped = f"more than {MOST_ALLOCATOR_EVENTS} allocator events"
            elif len(load.kills) > MOST_KILLS:
                stopped = f"more than {MOST_KILLS} kills"
            if stopped:
                break
    except Panic:
        panic_ms = 0 if load is None else load.schedule_us * speed // 1000
    progress(1.0)
    return Run(
        seed=seed,
        samples=tuple(samples),
        kills=tuple(load.kills) if load else (),
        panic_ms=panic_ms,
        stopped=stopped,
        allocator_events=load.allocator.taken + load.allocator.given if load else 0,
        refused=load.refused if load else 0,
        skipped=load.skipped if load else 0,
        kswapd_rounds=load.allocator.kswapd.rounds if load else 0,
    )
