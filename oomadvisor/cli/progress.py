"""A sign of life for work that takes longer than a second, for a person at a terminal and nobody else."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE_SECONDS = 1.0


@contextmanager
def progress(doing: str) -> Iterator[None]:
    """Show ``doing`` with a spinner on standard error while the block runs, once it has run for a second.

    Nothing is shown, and rich not even imported, when standard error is not a terminal.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    ended = threading.Event()
    spinner = threading.Thread(target=_spin, args=(doing, ended), daemon=True)
    spinner.start()
    try:
        yield
    finally:
        ended.set()
        spinner.join()


@contextmanager
def bar(doing: str) -> Iterator[Callable[[float, str], None]]:
    """Show a bar on standard error for a person at a terminal; what is yielded moves it (part done, what now)."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda _part, _what: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(doing, total=1.0)
        yield lambda part, what: shown.update(task, completed=part, description=what)


def _spin(doing: str, ended: threading.Event) -> None:
    if ended.wait(PATIENCE_SECONDS):
        return
    from rich.console import Console

    with Console(stderr=True).status(doing, spinner="line"):
        ended.wait()
