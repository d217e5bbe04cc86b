"""What happens when: the events of a mix, drawn from a seed and from nothing else.

No draw depends on what memory looks like, so that every setting meets the same sequence. Every activity has a generator
of its own, seeded with the run's seed and its name: leaving one out does not move the others. Only ``random()`` is
drawn, whose values are the same on every Python.
"""

import heapq
from bisect import bisect
from collections.abc import Callable, Iterator
from itertools import accumulate
from random import Random
from typing import NamedTuple

from oomadvisor.kernel.words import PAGE_KB
from oomadvisor.longrun.mix import HOUR_MS, Lifetime, Mix, PageRange, Resident

US = 1000
READ_RUN_PAGES = 16
GROWTH_STEP_PAGES = 4


class StartCommand(NamedTuple):
    """A command starts: it executes a program, reads these pages of its text and touches so many pages."""

    program: int
    text_pages: tuple[int, ...]
    anon_pages: int
    lives_us: int


class Touch(NamedTuple):
    """A resident process touches pages of its address space and runs pages of its text."""

    resident: int
    pages: tuple[int, ...]
    text_pages: tuple[int, ...]


class Release(NamedTuple):
    """A resident process gives a part of its address space back."""

    resident: int
    first: int
    length: int


class ReadFile(NamedTuple):
    """A part of a file is read."""

    file: int
    first: int
    length: int


class WriteFile(NamedTuple):
    """A new file is written, and deleted after a while."""

    pages: int
    kept_us: int


class GrowTmpfs(NamedTuple):
    """Pages are added to what grows in tmpfs without end."""

    pages: int


class GrowLog(NamedTuple):
    """Pages are added to a log in tmpfs."""

    log: int
    pages: int


class OpenPipe(NamedTuple):
    """A pipe with so many pages of unread data appears."""

    pages: int


class GrowSlab(NamedTuple):
    """A page of kernel objects is added: unmovable ones, or reclaimable ones such as inodes."""

    reclaimable: bool


Event = StartCommand | Touch | Release | ReadFile | WriteFile | GrowTmpfs | GrowLog | OpenPipe | GrowSlab


class Moment(NamedTuple):
    """An event and its time in microseconds. ``number`` settles the order of events at the same time."""

    at_us: int
    number: int
    event: Event


def pages_of(kb: int) -> int:
    """Return the pages that hold ``kb`` kB."""
    return -(-kb // PAGE_KB)


def timeline(mix: Mix, seed: int, *, speed: int = 1) -> Iterator[Moment]:
    """Yield the events of ``mix`` in the order of time, without end (unless the mix is empty).

    ``speed``: the same events in 1/speed of the time; lifetimes are as much shorter.
    """
    streams = [
        _stream(number, per_hour, draw, Random(f"{seed} {name}"), speed)
        for number, (name, per_hour, draw) in enumerate(_activities(mix, speed))
        if per_hour > 0
    ]
    return heapq.merge(*streams)


def _activities(mix: Mix, speed: int) -> Iterator[tuple[str, int, Callable[[Random], Event]]]:
    """Yield the name of each activity, its events per hour, and how one is drawn."""
    yield "commands", mix.commands.per_hour, lambda random: _start(mix, random, speed)
    for number, resident in enumerate(mix.residents):
        name = f"resident {number}"
        first = sum(one.count for one in mix.residents[:number])
        yield f"{name} touches", resident.touches_per_hour, _touch(mix, resident, first)
        yield f"{name} releases", resident.releases_per_hour, _release(resident, first)
    cumulative = list(accumulate(1 / (n + 1) for n in range(mix.files.count)))
    yield "reads", mix.files.reads_per_hour, lambda random: _read(mix, cumulative, random)
    kept_us = mix.files.written_kept_seconds * 1000 * US // speed
    yield "writes", mix.files.writes_per_hour, lambda _: WriteFile(pages_of(mix.files.write_kb), kept_us)
    step_kb = GROWTH_STEP_PAGES * PAGE_KB
    yield "tmpfs", mix.tmpfs.growth_kb_per_hour // step_kb, lambda _: GrowTmpfs(GROWTH_STEP_PAGES)
    if mix.tmpfs.logs:
        rate = mix.tmpfs.log_growth_kb_per_hour // step_kb
        yield "logs", rate, lambda random: GrowLog(_below(random, mix.tmpfs.logs), GROWTH_STEP_PAGES)
    if mix.pipes.most:
        yield "pipes", mix.pipes.opened_per_hour, lambda random: OpenPipe(_in_range(random, mix.pipes.pages))
    yield "slab", mix.slab.growth_kb_per_hour // PAGE_KB, lambda _: GrowSlab(False)
    yield "inodes", mix.slab.reclaimable_growth_kb_per_hour // PAGE_KB, lambda _: GrowSlab(True)


def _stream(
    number: int, per_hour: int, draw: Callable[[Random], Event], random: Random, speed: int
) -> Iterator[Moment]:
    """Yield an activity's events, ``per_hour`` on average, the gaps evenly spread from 0 to twice their mean."""
    mean_us = HOUR_MS * US / per_hour / speed
    at = 0.0
    while True:
        at += random.random() * 2 * mean_us
        yield Moment(int(at), number, draw(random))


def _below(random: Random, end: int) -> int:
    """Return a whole number from 0 to ``end`` − 1 (0 when there is none)."""
    return int(random.random() * end)


def _in_range(random: Random, pages: PageRange) -> int:
    return pages.min + _below(random, pages.max - pages.min + 1)


def _start(mix: Mix, random: Random, speed: int) -> StartCommand:
    program = _below(random, mix.programs.count)
    text = pages_of(mix.programs.text_kb)
    wanted = text * mix.programs.read_percent // 100
    runs = -(-wanted // READ_RUN_PAGES)
    pages: dict[int, None] = {}
    for _ in range(runs):
        first = _below(random, text)
        pages.update(dict.fromkeys(range(first, min(first + READ_RUN_PAGES, text))))
    anon = _in_range(random, mix.commands.anon_pages)
    return StartCommand(program, tuple(pages), anon, _lifetime_us(mix.commands.lifetimes, random) // speed)


def _lifetime_us(lifetimes: tuple[Lifetime, ...], random: Random) -> int:
    ends = list(accumulate(lifetime.share_percent for lifetime in lifetimes))
    chosen = lifetimes[bisect(ends, random.random() * 100)]
    span_ms = (chosen.max_seconds - chosen.min_seconds) * 1000
    return (chosen.min_seconds * 1000 + _below(random, span_ms + 1)) * US


def _touch(mix: Mix, resident: Resident, first: int) -> Callable[[Random], Event]:
    space = pages_of(resident.address_space_kb)
    text = pages_of(mix.programs.text_kb)

    def draw(random: Random) -> Event:
        who = first + _below(random, resident.count)
        pages = tuple(_below(random, space) for _ in range(resident.pages_per_touch))
        return Touch(who, pages, tuple(_below(random, text) for _ in range(resident.text_pages_per_touch)))

    return draw


def _release(resident: Resident, first: int) -> Callable[[Random], Event]:
    space = pages_of(resident.address_space_kb)

    def draw(random: Random) -> Event:
        who = first + _below(random, resident.count)
        return Release(who, _below(random, space), min(resident.pages_per_release, space))

    return draw


def _read(mix: Mix, cumulative: list[float], random: Random) -> ReadFile:
    file = bisect(cumulative, random.random() * cumulative[-1])
    size, count = pages_of(mix.files.size_kb), pages_of(mix.files.read_kb)
    count = min(count, size)
    return ReadFile(min(file, mix.files.count - 1), _below(random, size - count + 1), count)
