"""Call sites: which function of a backtrace tells what was being allocated."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from oomadvisor.knowledge.files import read


@dataclass(frozen=True, slots=True)
class CallSite:
    """What a function in a backtrace says about the allocation. ``group`` is the word that rules compare.

    ``with_``: one of these must be in the backtrace too, unless it is empty. ``last``: asked only when no other site is
    found, because the function serves many (kmalloc, a plain buffer).
    """

    id: str
    group: str
    what: str
    any_of: frozenset[str]
    with_: frozenset[str]
    last: bool
    operation: str | None
    avoidable: str | None
    source: str

    def fits(self, symbol: str, symbols: frozenset[str]) -> bool:
        """Return whether ``symbol``, one of the backtrace's ``symbols``, shows this site."""
        return symbol in self.any_of and (not self.with_ or not self.with_.isdisjoint(symbols))


@cache
def call_sites() -> tuple[CallSite, ...]:
    """Return the call sites; where one function shows several, the earlier is meant."""
    return tuple(
        CallSite(
            id=row["id"],
            group=row["group"],
            what=row["what"],
            any_of=frozenset(row["any_of"].split()),
            with_=frozenset(row.get("with", "").split()),
            last=row.get("last", False),
            operation=row.get("operation"),
            avoidable=row.get("avoidable"),
            source=row["source"],
        )
        for row in read("call-sites")["call_sites"]
    )


@cache
def _interrupt_entries() -> frozenset[str]:
    return frozenset(read("call-sites")["interrupt_entries"].split())


def call_site_of(symbols: Sequence[str]) -> CallSite | None:
    """Return the call site that a backtrace shows, or None. ``symbols`` begin with the innermost function.

    The site nearest to the allocator is meant: a page of a file that exec reads is a page of a file. Those marked
    ``last`` are asked in their own sequence. Beyond the entry of an interrupt stands a task that has nothing to do with
    the request.
    """
    entry = next((n for n, symbol in enumerate(symbols) if symbol in _interrupt_entries()), len(symbols))
    seen = symbols[:entry]
    among = frozenset(seen)
    telling = (site for symbol in seen for site in call_sites() if not site.last and site.fits(symbol, among))
    found = next(telling, None)
    if found is not None:
        return found
    return next((site for site in call_sites() if site.last and not among.isdisjoint(site.any_of)), None)


def call_site_named(id_: str | None) -> CallSite | None:
    """Return the call site with this id, or None."""
    return next((site for site in call_sites() if site.id == id_), None)
