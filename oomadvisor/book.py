"""The rule book of this installation: the built-in rules, and those of packs and of the user over them."""

from collections.abc import Mapping, Sequence
from functools import cache

from oomadvisor import book_cache, knowledge
from oomadvisor.facts import FACT_KINDS, SCOPES
from oomadvisor.knowledge.files import read as read_knowledge
from oomadvisor.packs import Origins, builtin_pack, named_pack, origins
from oomadvisor.rulebook.book import RuleBook
from oomadvisor.rulebook.engine import Engine
from oomadvisor.rulebook.errors import Problem
from oomadvisor.rulebook.kinds import Kinds, kind_registry
from oomadvisor.rulebook.load import load_packs, require
from oomadvisor.rulebook.vocabulary import Vocabulary


@cache
def kinds() -> Kinds:
    """Return the declared kinds of fact."""
    return kind_registry(FACT_KINDS)


@cache
def vocabulary() -> Vocabulary:
    """Return what the knowledge knows by name."""
    return Vocabulary(
        tunables=knowledge.knobs(),
        accepted=lambda name: _accepted_values().get(name),
        operations=frozenset(name for arch in ("arm", "mips", "x86") for name in knowledge.operations(arch)),
        measured=knowledge.measured_rates(),
        sources=knowledge.sources(),
    )


@cache
def _accepted_values() -> dict[str, str]:
    """Return which values 2.6.31 takes, by tunable. Read only when a rule sets a literal one: the file is large."""
    return {row["name"]: row["accepted"] for row in read_knowledge("reference/sysctl-vm")["entries"]}


def user_book(rule_dirs: Sequence[str], environ: Mapping[str, str]) -> RuleBook:
    """Return the rules that apply for a user: built in, installed, configured, and those of ``rule_dirs``.

    Raises RuleBookError with every problem.
    """
    return require(read_origins(origins(rule_dirs, environ)))


def book_for_advice(rule_dirs: Sequence[str], environ: Mapping[str, str]) -> RuleBook:
    """Return the same rules without their tests, from the cache when nothing has changed since they were checked.

    Raises RuleBookError with every problem.
    """
    found = origins(rule_dirs, environ)
    place = book_cache.place_of(found, environ)
    kept = book_cache.read(place) if place is not None else None
    if kept is not None:
        return kept
    book = require(read_origins(found))
    if place is not None:
        book_cache.write(place, book)
    return book


def load_book(rule_dirs: Sequence[str] = ()) -> RuleBook:
    """Return the built-in rules with those of ``rule_dirs`` over them, whatever the user has configured or installed.

    Raises RuleBookError with every problem.
    """
    return require(read_book(rule_dirs))


def read_book(rule_dirs: Sequence[str] = ()) -> tuple[RuleBook, list[Problem]]:
    """Return the book and every problem, errors and warnings; the book holds the rules that could be checked."""
    return read_origins(Origins((builtin_pack(), *(named_pack(folder) for folder in rule_dirs))))


def read_origins(found: Origins) -> tuple[RuleBook, list[Problem]]:
    """Return the book of ``found`` and every problem."""
    return load_packs(found.packs, kinds(), scopes=SCOPES, vocabulary=vocabulary(), settings=found.settings)


def engine_for(book: RuleBook) -> Engine:
    """Return an engine over all enabled rules of a book."""
    return Engine([rule for rule in book.rules if rule.enabled], kinds())
