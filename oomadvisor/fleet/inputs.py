"""What a user names as INPUT, to the inputs that it stands for: files, folders, globs and the URLs of fsspec.

::

    UnknownInputError    nothing can be found under that name, or what it takes to look there is not installed
"""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from oomadvisor.fleet.identity import digest

_URL = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*::)*[A-Za-z][A-Za-z0-9+.-]*://")
_MAGIC = re.compile(r"[*?\[]")
CONNECT_SECONDS, READ_SECONDS = 10, 30


class UnknownInputError(Exception):
    """Nothing can be found under a name. The text says why."""


@dataclass(frozen=True, slots=True)
class Input:
    """A file or an object: ``url`` to open it, ``name`` for people and tables, ``size`` in bytes where it is known.

    ``tag`` changes when its content does (time of the last change, ETag). The name of an URL holds neither the
    password nor the query of it: both may be secret.
    """

    url: str
    name: str
    size: int | None = None
    tag: str = ""

    @property
    def key(self) -> str:
        """What a ledger knows it by, without its address."""
        return digest([shown(self.url), self.size, self.tag])


@dataclass(frozen=True, slots=True)
class Unlisted:
    """Something that was met on the way and is no input: a folder that may not be read."""

    name: str
    reason: str


def is_url(text: str) -> bool:
    """Return whether ``text`` is an URL, as opposed to a path."""
    return _URL.match(text) is not None


def inputs_of(text: str) -> Iterator[Input | Unlisted]:
    """Yield the inputs that one INPUT stands for, in the order of their names.

    :raises UnknownInputError: there is nothing of that name.
    """
    if is_url(text):
        yield from _remote(text)
        return
    if os.path.lexists(text):
        yield from _below(text)
        return
    if _MAGIC.search(text):
        found = sorted(glob(text, recursive=True))
        # ** names a folder and all that is in it, but each file is an input once.
        folders = {path for path in found if os.path.isdir(path) and not os.path.islink(path)}
        for path in found:
            if not any(str(parent) in folders for parent in Path(path).parents):
                yield from _below(path)
        if found:
            return
        raise UnknownInputError(f"no file is named like {text}")
    raise UnknownInputError(f"{text} does not exist")


def filesystem_of(url: str) -> tuple[Any, str]:
    """Return the file system of fsspec that ``url`` names, and the path in it.

    :raises UnknownInputError: the protocol is not known, or its package is not installed.
    """
    import fsspec

    protocol = url.split("://", 1)[0]
    options: dict[str, Any] = {}
    if protocol in ("s3", "s3a"):
        # Its own default waits a minute for a server that does not answer, several times.
        options["config_kwargs"] = {"connect_timeout": CONNECT_SECONDS, "read_timeout": READ_SECONDS}
    try:
        system, path = fsspec.core.url_to_fs(url, **options)
    except ImportError as error:
        raise UnknownInputError(f"{public(url)} needs a package that is not installed here: {error}") from None
    except ValueError as error:
        raise UnknownInputError(f"{public(url)}: {error}") from None
    return system, path


def public(url: str) -> str:
    """Return an URL without what may be secret in it: user, password and query.

    >>> public("https://me:secret@host/logs/a.gz?X-Amz-Signature=1")
    'https://host/logs/a.gz'
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.split("?", 1)[0]
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _below(path: str) -> Iterator[Input | Unlisted]:
    """Yield a file, or the files below a folder. Links to folders are not followed: they may lead back up."""
    if not os.path.isdir(path):
        yield _local(path)
        return
    troubles: list[OSError] = []
    for place, folders, names in os.walk(path, onerror=troubles.append):
        folders.sort()
        yield from (Unlisted(shown(os.fsdecode(one.filename)), _reason(one)) for one in troubles)
        troubles.clear()
        yield from (_local(os.path.join(place, name)) for name in sorted(names))
    yield from (Unlisted(shown(os.fsdecode(one.filename)), _reason(one)) for one in troubles)


def _local(path: str) -> Input | Unlisted:
    try:
        known = os.stat(path)
    except OSError as error:
        return Unlisted(shown(path), _reason(error))
    if not stat.S_ISREG(known.st_mode):
        return Unlisted(shown(path), "is no regular file")
    return Input(path, shown(path), known.st_size, f"{known.st_mtime_ns}")


def shown(name: str) -> str:
    """Return a name as text that can be kept: bytes that are no UTF-8 are written as \\udcXX."""
    return name.encode("utf-8", "backslashreplace").decode()


def _reason(error: OSError) -> str:
    return f"cannot be read: {(error.strerror or str(error)).lower()}"


def _remote(url: str) -> Iterator[Input | Unlisted]:
    system, path = filesystem_of(url)
    try:
        if _is_http(system):
            found = {path: system.info(path)}
        elif _MAGIC.search(path):
            found = system.glob(path, detail=True)
        else:
            found = system.find(path, detail=True)
    except Exception as error:
        raise UnknownInputError(f"{public(url)} cannot be listed: {told(error)}") from None
    if not found:
        raise UnknownInputError(f"{public(url)} holds no file, or does not exist")
    for name, info in sorted(found.items()):
        if info.get("type", "file") != "file":
            continue
        full = name if _is_http(system) else system.unstrip_protocol(name)
        tag = next((str(info[key]) for key in ("ETag", "etag", "mtime", "LastModified", "updated") if key in info), "")
        yield Input(full, public(full), info.get("size"), tag)


def _is_http(system: Any) -> bool:
    protocols = (system.protocol,) if isinstance(system.protocol, str) else tuple(system.protocol)
    return "http" in protocols


def told(error: BaseException) -> str:
    """Return in one line what an error of a storage says, without an address that may hold secrets."""
    text = " ".join((error.strerror if isinstance(error, OSError) and error.strerror else str(error)).split())
    return re.sub(r"\?\S+", "", text)[:300] or type(error).__name__
