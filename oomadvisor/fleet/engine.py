"""Where the jobs are done: in this process, or by Dask's workers on this machine or any others.

::

    EngineLostError    the workers or their scheduler are gone, and nothing more will come of them
"""

import queue
import signal
import time
from collections import deque
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol

from oomadvisor.fleet.bundles import Cuts, Job
from oomadvisor.fleet.expert import Rules
from oomadvisor.fleet.work import Done, Options, OtherVersionError, work

JOBS_PER_WORKER = 3
LOST_SECONDS = 5.0
COUNT_SECONDS = 2.0
FETCH_SECONDS = 60.0
CONNECT_SECONDS = 20.0
WORKER_MEMORY_BYTES = 2 << 30
_QUIET: Mapping[str, Any] = {
    "distributed.scheduler.allowed-failures": 2,
    "distributed.comm.timeouts.connect": "10s",
    "distributed.admin.tick.limit": "1h",
    "distributed.worker.profile.enabled": False,  # it keeps the call stacks of the last hour, some MB a minute
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": 0.95,
}


class EngineLostError(RuntimeError):
    """The workers or their scheduler are gone. The text says what is known of it."""


@dataclass(frozen=True, slots=True)
class Died:
    """A job that was not done, because the processes that tried ended each time."""

    reason: str


Answer = Done | Cuts | Died


class Engine(Protocol):
    """Does jobs. A context manager; ``room`` says how many more jobs it wants to have at hand."""

    @property
    def room(self) -> int: ...

    @property
    def busy(self) -> bool: ...

    def submit(self, job: Job) -> None: ...

    def next(self) -> tuple[Job, Answer]:
        """Wait for a job and return its answer. Raises EngineLostError."""

    def __enter__(self) -> "Engine": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class InProcess:
    """Does one job after another in this process."""

    def __init__(self, options: Options, rules: Rules) -> None:
        self._options, self._rules = options, rules
        self._jobs: deque[Job] = deque()

    @property
    def room(self) -> int:
        return 1 - len(self._jobs)

    @property
    def busy(self) -> bool:
        return bool(self._jobs)

    def submit(self, job: Job) -> None:
        self._jobs.append(job)

    def next(self) -> tuple[Job, Answer]:
        job = self._jobs.popleft()
        return job, work(job, self._options, self._rules)

    def __enter__(self) -> "InProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self._jobs.clear()


def _deaf() -> Any:
    """Return what keeps a worker from hearing Ctrl-C, one that was started later in place of a dead one, too."""
    from distributed import WorkerPlugin

    class Deaf(WorkerPlugin):
        def setup(self, worker: object) -> None:  # noqa: ARG002
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    return Deaf()


class OnDask:
    """Does jobs on Dask: on a cluster of ``workers`` processes of its own, or on that of a ``scheduler``."""

    def __init__(self, options: Options, rules: Rules, *, workers: int, scheduler: str | None = None) -> None:
        self._options, self._rules = options, rules
        self._workers, self._scheduler = workers, scheduler
        self._stack = ExitStack()
        self._answers: queue.SimpleQueue[tuple[Job, Any]] = queue.SimpleQueue()
        self._running: dict[str, Any] = {}
        self._client: Any = None
        self._known, self._counted = workers, -COUNT_SECONDS

    def __enter__(self) -> "OnDask":
        import logging

        import dask
        from distributed import Client, LocalCluster

        # Dask logs tracebacks of whatever is killed; what it means is said by who asked for the work.
        self._stack.callback(logging.disable, logging.root.manager.disable)
        logging.disable(logging.CRITICAL)
        # The workers inherit that Ctrl-C is not for them: this process stops them.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self._stack.enter_context(dask.config.set(dict(_QUIET)))
            address: Any = self._scheduler
            if address is None:
                address = LocalCluster(
                    n_workers=self._workers,
                    threads_per_worker=1,
                    processes=True,
                    host="127.0.0.1",
                    scheduler_port=0,
                    dashboard_address="127.0.0.1:0",
                    worker_dashboard_address="127.0.0.1:0",
                    memory_limit=WORKER_MEMORY_BYTES,
                    silence_logs=logging.CRITICAL,
                )
                self._stack.enter_context(suppress(Exception))
                self._stack.callback(address.close, timeout=10)
            self._client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
            self._stack.callback(self._client.close, timeout=5)
            if self._scheduler is None:
                self._client.register_plugin(_deaf())
        except BaseException as error:
            self._stack.close()
            if isinstance(error, OSError | TimeoutError | ValueError):
                where = self._scheduler or "a cluster on this machine"
                raise EngineLostError(f"{where} cannot be used: {' '.join(str(error).split())[:200]}") from error
            raise
        finally:
            signal.signal(signal.SIGINT, before)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(Exception):
            for future in self._running.values():
                future.cancel(force=True) if self._client.status == "running" else None
        self._running.clear()
        self._stack.close()

    @property
    def room(self) -> int:
        now = time.monotonic()
        if now - self._counted > COUNT_SECONDS:  # workers of a scheduler elsewhere come and go
            self._counted, self._known = now, len(self._client.scheduler_info(n_workers=-1)["workers"])
        return JOBS_PER_WORKER * max(self._known, 1) - len(self._running)

    @property
    def busy(self) -> bool:
        return bool(self._running)

    def submit(self, job: Job) -> None:
        # The rules travel with each job, 30 kB of them: what is put on workers once is gone when those die.
        future = self._client.submit(work, job, self._options, self._rules, pure=False)
        self._running[job.name] = future
        self._listen(job, future)

    def _listen(self, job: Job, future: Any) -> None:
        future.add_done_callback(lambda done: self._answers.put((job, done)))

    def next(self) -> tuple[Job, Answer]:
        waited = 0.0
        while True:
            try:
                job, future = self._answers.get(timeout=1.0)
            except queue.Empty:
                waited = waited + 1.0 if self._client.status != "running" else 0.0
                if waited >= LOST_SECONDS:
                    raise EngineLostError("the scheduler does not answer any more") from None
                continue
            answer = self._answer(future)
            if answer is not None:
                self._running.pop(job.name, None)
                return job, answer
            self._listen(job, future)

    def _answer(self, future: Any) -> Answer | None:
        """Return what came of a job, None when the worker died before it was fetched, and another one does it again."""
        from distributed import KilledWorker

        status = future.status
        if status == "finished":
            try:
                answer: Answer = future.result(timeout=FETCH_SECONDS)
            except (TimeoutError, OSError):
                if self._client.status == "running":
                    return None
                raise EngineLostError("the scheduler does not answer any more") from None
            return answer
        if status in ("pending", "lost"):  # lost: the worker died with the result, and the scheduler has it made again
            return None
        if status != "error":
            raise EngineLostError("the scheduler has lost the work")
        error = future.exception(timeout=60)
        if isinstance(error, KilledWorker):
            return Died("the process that read it ended each time, perhaps for lack of memory")
        if isinstance(error, OtherVersionError):
            raise EngineLostError(str(error))
        return Died(f"a defect of oomadvisor: {type(error).__name__}: {' '.join(str(error).split())[:200]}")
