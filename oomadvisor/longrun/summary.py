"""A long run in numbers: medians and bands over the seeds, first kills, and the stretch before them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import mean, median_low

from oomadvisor.longrun.mix import HOUR_MS
from oomadvisor.longrun.run import LongRun, Run, SettingRuns
from oomadvisor.longrun.sample import Sample
from oomadvisor.longrun.workload import Kill

LAST_PART = 10
"""The stretch before the first kill (or the end) that is summed up is one part in so many of the run."""


@dataclass(frozen=True, slots=True)
class Band:
    """The lowest and highest of the seeds, and the one in the middle (of two in the middle the lower)."""

    low: int
    median: int
    high: int


@dataclass(frozen=True, slots=True)
class Before:
    """The stretch before the first kill, or before the end where there was none: means over its samples."""

    blocks: Band
    usable: Band
    usable_lowered: Band
    free_pages: Band
    atomic_pages: Band


def band(values: Iterable[int]) -> Band:
    """Return the band of ``values``, of which there must be some.

    >>> band([3, 1, 2])
    Band(low=1, median=2, high=3)
    """
    found = sorted(values)
    return Band(found[0], median_low(found), found[-1])


def bands(runs: SettingRuns, value: Callable[[Sample], int]) -> list[tuple[int, Band]]:
    """Return (time in ms, band of ``value`` over the seeds) of every sample that all seeds have."""
    return [
        (group[0].at_ms, band(value(one) for one in group))
        for group in zip(*(run.samples for run in runs.runs), strict=False)
    ]


def blocks_of(sample: Sample, order: int) -> int:
    """Return the free blocks of ``order``, larger ones counted as so many of it."""
    return sample.large_pages >> order


def first_kills(runs: SettingRuns) -> list[Kill]:
    """Return the first kill of each seed that had one."""
    return [run.kills[0] for run in runs.runs if run.kills]


def hours_ms(kill: Kill, speed: int) -> int:
    """Return the time of a kill in the mix's own time, in ms."""
    return kill.schedule_us * speed // 1000


def kill_orders(runs: SettingRuns) -> dict[int, int]:
    """Return how many seeds had their first kill for want of each order."""
    orders = [kill.order for kill in first_kills(runs)]
    return {order: orders.count(order) for order in sorted(set(orders))}


def before_first_kill(result: LongRun, runs: SettingRuns) -> Before | None:
    """Return the last tenth of the run before the first kill (or the end), or None when it has no sample."""
    stretches = [found for run in runs.runs if (found := _stretch(result, run))]
    if not stretches:
        return None
    return Before(
        blocks=_band_of_means(stretches, lambda one: blocks_of(one, result.order)),
        usable=_band_of_means(stretches, lambda one: one.usable),
        usable_lowered=_band_of_means(stretches, lambda one: one.usable_lowered),
        free_pages=_band_of_means(stretches, lambda one: one.free_pages),
        atomic_pages=_band_of_means(stretches, lambda one: one.atomic_pages),
    )


def _stretch(result: LongRun, run: Run) -> list[Sample]:
    before = [one for one in run.samples if not one.kills]
    length = result.days * 24 * HOUR_MS // LAST_PART
    return [one for one in before if one.at_ms > before[-1].at_ms - length]


def _band_of_means(stretches: Sequence[Sequence[Sample]], value: Callable[[Sample], int]) -> Band:
    return band(round(mean(map(value, stretch))) for stretch in stretches)
