"""Incidents from lines."""

from collections.abc import Iterable, Iterator

from oomadvisor.model import Incident
from oomadvisor.parse.machine import LineMachine


def read_incidents(lines: Iterable[str], *, file: str) -> Iterator[Incident]:
    """Yield the incidents of a log, each as soon as it has ended. Memory does not depend on the length of the log.

    ``lines`` may or may not carry their line ends. Where they do and the last one does not, the input was cut there,
    and a word at that place that could have been longer is not believed.
    """
    machine = LineMachine(file)
    number = 0
    ends = False
    for number, raw in enumerate(lines, 1):
        ended = raw.endswith("\n")
        ends = ends or ended
        yield from machine.feed(number, raw, cut=ends and not ended)
    yield from machine.finish()
