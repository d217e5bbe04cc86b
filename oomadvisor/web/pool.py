"""Worker processes with limits: a request that takes too long, or too much, ends its worker and nothing else."""

import asyncio
import multiprocessing
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from oomadvisor.web.ask import Ask, Head

START_SECONDS = 60.0
ASKS_PER_WORKER = 500
"""After so many a worker is replaced by a new one: what its libraries keep goes with it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may take. ``body_bytes`` of input, ``seconds`` of work, ``memory_bytes`` in a worker; ``waiting``
    requests may stand in line.
    """

    body_bytes: int = 16 << 20
    seconds: float = 20.0
    memory_bytes: int = 1 << 30
    workers: int = 2
    waiting: int = 80


class Busy(Exception):
    """Too many requests stand in line."""


class Failed(Exception):
    """The worker did not answer: it took too long, or more memory than it may, or it died. The text says which."""


class _Worker:
    def __init__(self, memory_bytes: int) -> None:
        ours, theirs = _CONTEXT.Pipe()
        self.pipe: Connection = ours
        self.process = _CONTEXT.Process(target=_work, args=(theirs, memory_bytes), daemon=True)
        self.process.start()
        theirs.close()
        self.asks = 0

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


_CONTEXT = multiprocessing.get_context("spawn")


class Pool:
    """Some workers, each with one request at a time; the others wait in line."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._idle: asyncio.Queue[_Worker] = asyncio.Queue()
        self._all: set[_Worker] = set()
        self._waiting = 0
        self._starting: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Pool":
        for _ in range(self._limits.workers):
            self._hire()
        return self

    async def __aexit__(self, *_: object) -> None:
        for start in self._starting:
            start.cancel()
        for worker in self._all:
            worker.end()

    async def answer(self, ask: Ask) -> AsyncIterator[Head | bytes]:
        """Yield the answer of a worker as it comes. Raises Busy, Failed."""
        if self._waiting >= self._limits.waiting:
            raise Busy
        self._waiting += 1
        try:
            worker = await self._idle.get()
        finally:
            self._waiting -= 1
        worker.asks += 1
        deadline = time.monotonic() + self._limits.seconds
        done = False
        try:
            await _within(asyncio.to_thread(worker.pipe.send, ask), deadline)
            while (part := await _received(worker.pipe, deadline)) is not None:
                yield part
            done = True
        except TimeoutError:
            raise Failed(
                f"This input took longer than the {self._limits.seconds:g} s that a request may take."
            ) from None
        except (EOFError, OSError):
            raise Failed("The worker died on this input; it may need more memory than a request may take.") from None
        finally:
            # A reader that went away in the middle leaves a worker that is still at it.
            self._release(worker, reusable=done)

    def _hire(self) -> None:
        """Start a worker; it stands idle as soon as it is ready, so that no request pays for its start."""
        worker = _Worker(self._limits.memory_bytes)
        self._all.add(worker)
        start = asyncio.create_task(self._start(worker))
        self._starting.add(start)
        start.add_done_callback(self._starting.discard)

    async def _start(self, worker: _Worker) -> None:
        try:
            await _received(worker.pipe, time.monotonic() + START_SECONDS)
        except (TimeoutError, EOFError, OSError):
            self._release(worker, reusable=False)
        else:
            self._idle.put_nowait(worker)

    def _release(self, worker: _Worker, *, reusable: bool) -> None:
        if reusable and worker.asks < ASKS_PER_WORKER:
            self._idle.put_nowait(worker)
            return
        self._all.discard(worker)
        worker.end()
        self._hire()


async def _received(pipe: Connection, deadline: float) -> Head | bytes | None:
    """Return the next part, None at the end of the answer. Raises TimeoutError, EOFError."""
    loop = asyncio.get_running_loop()
    if not pipe.poll():
        ready = asyncio.Event()
        loop.add_reader(pipe.fileno(), ready.set)
        try:
            await _within(ready.wait(), deadline)
        finally:
            loop.remove_reader(pipe.fileno())
    part: Head | bytes | None = await asyncio.to_thread(pipe.recv)
    return part


async def _within(work: Coroutine[Any, Any, Any], deadline: float) -> None:
    """Wait for ``work`` until the deadline. Raises TimeoutError."""
    try:
        await asyncio.wait_for(work, max(deadline - time.monotonic(), 0.001))
    except asyncio.TimeoutError:  # before 3.11 it is none of the built-in ones
        raise TimeoutError from None


def _work(pipe: Connection, memory_bytes: int) -> None:
    """Answer what comes through the pipe until it is closed."""
    import gc
    import signal

    gc.set_threshold(50_000)  # as for the command line: most objects last as long as the request
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then ends its workers
    from oomadvisor.present.charts.draw import warm_up
    from oomadvisor.web.work import answer

    warm_up().join()
    _limit(memory_bytes)
    pipe.send(None)
    with suppress(EOFError, BrokenPipeError):
        while True:
            ask = pipe.recv()
            for part in answer(ask):
                pipe.send(part)
            pipe.send(None)


def _limit(memory_bytes: int) -> None:
    """Limit the memory of this process, where the system can: data, not address space, of which V8 reserves a lot."""
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
