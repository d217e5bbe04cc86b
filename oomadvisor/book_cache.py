"""Rules that were read and checked once, kept until a file or the program changes.

A file of JSON in ``$XDG_CACHE_HOME/oomadvisor``. It is safe to delete, and one that is damaged, cut short or of another
version counts as not there; where none can be written, everything works as without.
"""

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from oomadvisor import __version__
from oomadvisor.packs import Origins
from oomadvisor.resources import PACKAGE, resource_dir
from oomadvisor.rulebook.book import RuleBook
from oomadvisor.rulebook.codec import decoded, encoded

FORM = "oomadvisor-rules-1"
MAX_BYTES = 64 << 20
KEPT = 20  # files: one for each set of folders that rules were read from


@dataclass(frozen=True)
class Place:
    """Where the book of certain origins is kept, and the digest of everything that it was made of."""

    file: Path
    key: str


def place_of(origins: Origins, environ: Mapping[str, str]) -> Place | None:
    """Return the place for ``origins``, or None for a user without a home."""
    folder = _folder(environ)
    if folder is None:
        return None
    names = sha256()
    content = sha256(_program().encode())
    for pack in origins.packs:
        for name, text in pack.files:
            for part in (pack.name, name):
                names.update(part.encode(errors="backslashreplace") + b"\0")
            data = text if isinstance(text, bytes) else text.encode(errors="backslashreplace")
            content.update(b"%d\0" % len(data) + data)
    if origins.config is not None:
        names.update(origins.config[0].encode(errors="backslashreplace"))
        content.update(origins.config[1])
    content.update(names.digest())
    return Place(folder / f"rules-{names.hexdigest()[:16]}.json", content.hexdigest())


def read(place: Place) -> RuleBook | None:
    """Return the book that is kept at ``place``, or None when there is none that can be used."""
    try:
        with place.file.open("rb") as file:
            if os.fstat(file.fileno()).st_size > MAX_BYTES:
                return None
            head, payload = file.readline(300), file.read(MAX_BYTES)
        if head != _head(place.key, payload):
            return None
        book = RuleBook(tuple(decoded(one) for one in json.loads(payload)))
        return book if book.rules else None
    except (OSError, ValueError, TypeError, KeyError, IndexError, RecursionError):
        return None


def write(place: Place, book: RuleBook) -> None:
    """Keep ``book`` at ``place``, whole or not at all; where that is not possible nothing happens."""
    payload = json.dumps([encoded(rule) for rule in book.rules], separators=(",", ":")).encode()
    part = place.file.with_name(f".{place.file.name}.{os.getpid()}.part")
    try:
        with suppress(FileExistsError):
            place.file.parent.parent.mkdir(mode=0o700)
        with suppress(FileExistsError):
            place.file.parent.mkdir(mode=0o700)
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(_head(place.key, payload) + payload)
        os.replace(part, place.file)
        _prune(place.file.parent)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _head(key: str, payload: bytes) -> bytes:
    return f"{FORM} {key} {sha256(payload).hexdigest()}\n".encode()


def _prune(folder: Path) -> None:
    files = sorted(folder.glob("rules-*.json"), key=lambda path: path.stat().st_mtime_ns)
    for path in files[:-KEPT]:
        path.unlink(missing_ok=True)


def _program() -> str:
    """Return what the meaning of rules hangs on besides their files: this program, its facts and its knowledge."""
    stamps = [FORM, __version__]
    for folder in (
        PACKAGE / "rulebook",
        PACKAGE / "facts",
        PACKAGE / "knowledge",
        *_folders(resource_dir("knowledge")),
    ):
        stamps += sorted(_stamps(folder))
    return "\n".join(stamps)


def _folders(root: Path) -> Iterable[Path]:
    yield root
    yield from sorted(path for path in root.iterdir() if path.is_dir())


def _stamps(folder: Path) -> Iterable[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith((".py", ".yaml")):
                found = entry.stat()
                yield f"{entry.path} {found.st_size} {found.st_mtime_ns}"


def _folder(environ: Mapping[str, str]) -> Path | None:
    base, home = environ.get("XDG_CACHE_HOME", ""), environ.get("HOME", "")
    if os.path.isabs(base):  # the specification says to ignore one that is not
        return Path(base) / "oomadvisor"
    return Path(home) / ".cache" / "oomadvisor" if os.path.isabs(home) else None
