"""Functions whose presence in a backtrace narrows the kernel version."""

from dataclasses import dataclass
from functools import cache

from oomadvisor.knowledge.files import read
from oomadvisor.knowledge.versions import Version, version_tuple


@dataclass(frozen=True, slots=True)
class VersionSymbol:
    """A kernel function that exists only since, or only until, a version."""

    name: str
    since: Version | None
    until: Version | None


@cache
def version_symbols() -> tuple[VersionSymbol, ...]:
    """Return the functions whose presence in a backtrace narrows the kernel version."""
    return tuple(
        VersionSymbol(
            name=row["name"],
            since=version_tuple(row["since"]) if "since" in row else None,
            until=version_tuple(row["until"]) if "until" in row else None,
        )
        for row in read("symbols")["symbols"]
    )
