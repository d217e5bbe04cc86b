"""The expert of a process: the rules, read once, and asked about every incident that the process comes across."""

import pickle
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from oomadvisor import __version__
from oomadvisor.advise import advise
from oomadvisor.book import engine_for
from oomadvisor.fleet.identity import digest
from oomadvisor.model import IncidentAdvice, SystemState
from oomadvisor.rulebook.book import RuleBook
from oomadvisor.rulebook.codec import encoded

Expert = Callable[[SystemState], IncidentAdvice]


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a fleet on their way to other processes. ``name``: a digest of them and of the program's version."""

    name: str
    book: bytes


def rules_of(book: RuleBook) -> Rules:
    """Return what another process needs to advise by ``book``."""
    return Rules(digest([__version__, [encoded(rule) for rule in book.rules]]), zlib.compress(pickle.dumps(book)))


@lru_cache(maxsize=2)
def expert_of(rules: Rules) -> Expert:
    """Return who advises by these rules; the same one for all bundles that a process works on."""
    book: RuleBook = pickle.loads(zlib.decompress(rules.book))
    engine = engine_for(book)
    return lambda state: advise(state, book, engine=engine)
