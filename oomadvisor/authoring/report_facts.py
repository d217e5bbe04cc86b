"""The facts of a report that a rule's test names."""

from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from oomadvisor.facts import assess, facts_of
from oomadvisor.infer import build_state
from oomadvisor.model import Incident
from oomadvisor.parse import scan_file
from oomadvisor.parse.errors import InputError
from oomadvisor.resources import resource_dir
from oomadvisor.rulebook.kinds import Fact
from oomadvisor.rulebook.rule import BUILD_FEATURES


class ReportError(Exception):
    """The report of a test cannot be used; the text says why."""


@dataclass(frozen=True)
class ReportFacts:
    """The facts of the first event in a report, and the kernel that they are of."""

    facts: tuple[Fact, ...]
    version: tuple[int, ...]
    arch: str | None
    build: tuple[tuple[str, bool | None], ...]


def find_report(name: str, rule_file: str) -> Path:
    """Return the report called ``name``: beside ``rule_file``, else among the examples that come with oomadvisor.

    Raises ReportError when there is none, or when it is no plain file.
    """
    places = [Path(rule_file).parent / name]
    with suppress(FileNotFoundError):
        places.append(resource_dir("examples") / name)
    found = next((place for place in places if place.exists()), None)
    if found is None:
        raise ReportError(f"no report {name!r} lies beside {rule_file} or among the examples that come with oomadvisor")
    if not found.is_file():
        raise ReportError(f"{found} is no plain file")
    return found


@cache
def read_report(path: Path) -> ReportFacts:
    """Return the facts of the first event in the file at ``path``. Raises ReportError when it holds none."""
    first: Incident | None = None
    try:
        for incident in scan_file(str(path)):
            if first is None or (first.kind == "mem-info" != incident.kind):
                first = incident
            if first.kind != "mem-info":
                break
    except InputError as error:
        raise ReportError(str(error)) from error
    if first is None:
        raise ReportError(f"{path} holds no incident")
    state = build_state(first)
    return ReportFacts(
        facts=tuple(facts_of(assess(state))),
        version=state.kernel.version,
        arch=state.incident.arch,
        build=tuple((name, getattr(state.build, name)) for name in BUILD_FEATURES),
    )
