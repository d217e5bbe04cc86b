"""The rule book of this installation: the built-in rules, and folders of the user's own over them."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from oomadvisor.facts import FACT_KINDS, SCOPES
from oomadvisor.resources import resource_dir
from oomadvisor.rulebook.book import Pack, RuleBook
from oomadvisor.rulebook.engine import Engine
from oomadvisor.rulebook.errors import Problem, RuleBookError
from oomadvisor.rulebook.kinds import Kinds, kind_registry
from oomadvisor.rulebook.load import load_packs, require

MAX_FILES = 1000
MAX_FILE_BYTES = 1 << 20


@cache
def kinds() -> Kinds:
    """Return the declared kinds of fact."""
    return kind_registry(FACT_KINDS)


def load_book(rule_dirs: Sequence[str] = ()) -> RuleBook:
    """Return the built-in rules with those of ``rule_dirs`` over them. Raises RuleBookError with every problem."""
    return require(read_book(rule_dirs))


def read_book(rule_dirs: Sequence[str] = ()) -> tuple[RuleBook, list[Problem]]:
    """Return the book and every problem, errors and warnings; the book holds the rules that could be checked."""
    builtin = resource_dir("rules")
    packs = [Pack("builtin", _files(builtin, shown_from=builtin.parent))]
    packs += [Pack(folder, _files(Path(folder), shown_from=None)) for folder in rule_dirs]
    return load_packs(packs, kinds(), scopes=SCOPES)


def engine_for(book: RuleBook) -> Engine:
    """Return an engine over all enabled rules of a book."""
    return Engine([rule for rule in book.rules if rule.enabled], kinds())


def _files(folder: Path, *, shown_from: Path | None) -> tuple[tuple[str, bytes], ...]:
    """Return the rule files of a folder by name. Raises RuleBookError when the folder is not one that can be read."""
    if folder.is_file():
        paths = [folder]
    elif folder.is_dir():
        paths = sorted(p for p in folder.iterdir() if p.suffix in (".yaml", ".yml") and p.is_file())[:MAX_FILES]
    else:
        raise RuleBookError(
            [
                Problem(
                    path=str(folder),
                    line=0,
                    column=0,
                    severity="error",
                    code="no-such-folder",
                    text="a folder with rule files (*.yaml) was expected here",
                )
            ]
        )
    try:
        return tuple((_name(path, shown_from), _read(path)) for path in paths)
    except OSError as error:
        raise RuleBookError(
            [
                Problem(
                    path=str(error.filename or folder),
                    line=0,
                    column=0,
                    severity="error",
                    code="unreadable",
                    text=f"cannot be read: {error.strerror}",
                )
            ]
        ) from error


def _name(path: Path, shown_from: Path | None) -> str:
    return str(path if shown_from is None else path.relative_to(shown_from))


def _read(path: Path) -> bytes:
    """Return a file's bytes, one more than allowed at most: the loader refuses what is too large."""
    with path.open("rb") as file:
        return file.read(MAX_FILE_BYTES + 1)
