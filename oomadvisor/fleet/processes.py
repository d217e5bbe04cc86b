"""The incidents of a fleet judged by several processes, each state on its own."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from typing import TypeVar

from oomadvisor.facts import Assessment, assess
from oomadvisor.fleet.coverage import Coverage, Role, Said, coverage, looked_at, said_at
from oomadvisor.fleet.knob import Knob, present_values
from oomadvisor.model import SystemState

CHUNK = 8
"""So many states go to a process at a time: some tenths of a second of work."""
AHEAD = 4
"""So many chunks wait for each process: memory stays flat however large the fleet is."""

Result = TypeVar("Result")
Point = tuple[tuple[Knob, int], ...]
"""Several knobs, each with a value."""


def covered(knob: Knob, states: Sequence[str]) -> list[Coverage]:
    """Return the step function of each state, given as the JSON that a fleet keeps."""
    return [coverage(assess(SystemState.model_validate_json(state)), knob) for state in states]


def said(points: Sequence[Point], states: Sequence[str]) -> list[tuple[Role, tuple[tuple[Said, int], ...]]]:
    """Return the role of each state, and for each of some points what it does and how far it is from what the box has:
    the sum over its values, each in permille of the present one.
    """
    wanted = [dict(point) for point in points]
    found = []
    for state in states:
        assessment = assess(SystemState.model_validate_json(state))
        role, told = said_at(assessment, wanted)
        moved = (sum(_distance(assessment, knob, value) for knob, value in point) for point in points)
        found.append((role, tuple(zip(told, moved, strict=True))))
    return found


def _distance(assessment: Assessment, knob: Knob, value: int) -> int:
    present = present_values(assessment, knob)
    if present is None:
        return 1000
    nearest = min(max(value, present[0]), present[1])
    return abs(value - nearest) * 1000 // max(nearest, 1)


def looked(
    knob: Knob, values: Sequence[int], states: Sequence[str]
) -> list[tuple[Role, tuple[tuple[Said, int | None], ...]]]:
    """Return the role of each state, what each value does to it, and how many more of its operation fit, at least."""
    return [looked_at(assess(SystemState.model_validate_json(state)), knob, values) for state in states]


def in_processes(
    work: Callable[[Sequence[str]], list[Result]],
    states: Iterable[str],
    workers: int,
    done: Callable[[int], None] = lambda _count: None,
) -> Iterator[Result]:
    """Yield the results of ``work`` on the states, in their order. ``workers`` 0: in this process.

    ``work`` must be one that another process can import. ``done`` is told how many states are finished.
    """
    chunks = _chunks(states)
    finished = 0
    if not workers:
        for chunk in chunks:
            results = work(chunk)
            finished += len(results)
            done(finished)
            yield from results
        return
    # Not forked: the engines of the tables have threads, and a fork copies their locks as they are.
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        waiting: list[Future[list[Result]]] = [pool.submit(work, chunk) for chunk in islice(chunks, workers * AHEAD)]
        while waiting:
            results = waiting.pop(0).result()
            waiting.extend(pool.submit(work, chunk) for chunk in islice(chunks, 1))
            finished += len(results)
            done(finished)
            yield from results
    finally:
        pool.shutdown(cancel_futures=True)


def _chunks(states: Iterable[str]) -> Iterator[list[str]]:
    source = iter(states)
    while chunk := list(islice(source, CHUNK)):
        yield chunk
