"""The logs in an input: itself, or what lies in it, packed and archived, one inside the other.

Nothing is unpacked to the disk but the zip archives that lie inside of something that is read in one direction.
"""

import bz2
import lzma
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, BinaryIO, Protocol, cast

from oomadvisor.fleet.inputs import shown
from oomadvisor.fleet.streams import Budget
from oomadvisor.parse.errors import InputError
from oomadvisor.parse.source import Unzipped

INSIDE = "!/"
"""Between the name of an archive and that of a file in it."""
CHUNK_BYTES = 1 << 16
PEEKED_BYTES = 512
MOST_LZMA_BYTES = 256 << 20
MOST_ZSTD_WINDOW_BYTES = 128 << 20


@dataclass(frozen=True, slots=True)
class Log:
    """A log that can be read now, and only until the next one is asked for."""

    name: str
    stream: BinaryIO
    size: int | None


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive, when all of it was gone through; ``reason`` says why that was not possible."""

    name: str
    size: int | None
    reason: str | None = None


class _Reads(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Peeked:
    """A stream whose beginning can be looked at. Damage in it is met by whoever reads up to there."""

    def __init__(self, stream: _Reads) -> None:
        self._stream = stream
        self._start = b""
        self._damage: Exception | None = None

    def peek(self, size: int) -> bytes:
        try:
            while len(self._start) < size and (more := self._stream.read(size - len(self._start))):
                self._start += more
        except (EOFError, zlib.error) as error:
            self._damage = error
        return self._start[:size]

    def read(self, size: int) -> bytes:
        if not self._start and self._damage is not None:
            raise self._damage
        if self._start:
            data, self._start = self._start[:size], self._start[size:]
            return data
        return self._stream.read(size)


class _Ending:
    """A stream in which damage of any kind is an end that came too early."""

    def __init__(self, stream: _Reads) -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except (InputError, MemoryError, EOFError, zlib.error):
            raise
        except Exception as error:  # each unpacker has errors of its own
            raise EOFError(" ".join(str(error).split()) or type(error).__name__) from error


class _Counted(_Ending):
    """What comes out of a packed stream, counted."""

    def __init__(self, name: str, stream: _Reads, budget: Budget) -> None:
        super().__init__(stream)
        self._name = name
        self._budget = budget
        self._given = 0

    def read(self, size: int) -> bytes:
        data = super().read(size)
        self._given += len(data)
        self._budget.spend(self._name, len(data))
        if self._given > self._budget.limits.member_bytes:
            raise InputError(self._name, f"holds more than {self._budget.limits.member_bytes} bytes of text")
        return data


class _Inflated:
    """What a decompressor of the standard library gives, in bounded pieces, over all streams put one after another."""

    def __init__(self, stream: _Reads, make: Any) -> None:
        self._stream = stream
        self._make = make
        self._inflate = make()
        self._packed = b""
        self._begun = False

    def read(self, size: int) -> bytes:
        while True:
            if self._inflate.eof:
                self._packed = self._inflate.unused_data or self._stream.read(CHUNK_BYTES)
                if not self._packed.strip(b"\0"):
                    return b""
                self._inflate, self._begun = self._make(), False
            elif self._inflate.needs_input and not self._packed:
                self._packed = self._stream.read(CHUNK_BYTES)
                if not self._packed:
                    raise EOFError("the end of the compressed stream is missing")
            packed, self._packed = self._packed, b""
            if data := self._inflate.decompress(packed, size):
                return cast(bytes, data)


def logs_in(name: str, stream: IO[bytes], size: int | None, budget: Budget) -> Iterator[Log | Archive]:
    """Yield the logs of an input and, behind its members, each archive. Damage ends an archive, not the others.

    :raises InputError: the input itself cannot be read, or gives more than ``budget`` allows.
    """
    yield from _logs(name, Peeked(stream), size, budget, 0, stream if stream.seekable() else None)


def _logs(
    name: str, stream: Peeked, size: int | None, budget: Budget, depth: int, whole: IO[bytes] | None
) -> Iterator[Log | Archive]:
    head = stream.peek(PEEKED_BYTES)
    if head[257:262] == b"ustar" or (name.endswith(".tar") and len(head) == PEEKED_BYTES):
        opened = _tar
    elif head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        opened = _zip
    else:
        packed = _unpacked(name, head, stream, budget)
        if packed is None:
            yield Log(name, cast(BinaryIO, stream), size)
        elif depth >= budget.limits.depth:
            yield Archive(name, size, f"is packed more than {budget.limits.depth} times")
        else:
            yield from _logs(name, Peeked(packed), size, budget, depth + 1, None)
        return
    if depth >= budget.limits.depth:
        yield Archive(name, size, f"lies in more than {budget.limits.depth} archives")
        return
    reason = None
    try:
        yield from opened(name, stream, budget, depth + 1, whole)
    except InputError as error:
        if depth == 0 and not budget.members:
            raise
        reason = error.text
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, zlib.error, ValueError, RuntimeError) as error:
        reason = f"is damaged or cut off: {' '.join(str(error).split())[:200] or type(error).__name__}"
    yield Archive(name, size, reason)


def _unpacked(name: str, head: bytes, stream: Peeked, budget: Budget) -> _Counted | None:
    """Return what is in a compressed stream, None for one that is not compressed."""
    if head.startswith(b"\x1f\x8b"):
        return _Counted(name, Unzipped(cast(BinaryIO, stream)), budget)
    if head.startswith(b"\xfd7zXZ\x00"):
        return _Counted(name, _Inflated(stream, lambda: lzma.LZMADecompressor(memlimit=MOST_LZMA_BYTES)), budget)
    if head.startswith(b"BZh"):
        return _Counted(name, _Inflated(stream, bz2.BZ2Decompressor), budget)
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        import zstandard

        inflate = zstandard.ZstdDecompressor(max_window_size=MOST_ZSTD_WINDOW_BYTES)
        return _Counted(name, inflate.stream_reader(cast(Any, stream), read_across_frames=True), budget)
    return None


def _members(name: str, budget: Budget) -> str:
    budget.members += 1
    if budget.members > budget.limits.members:
        raise InputError(name, f"holds more than {budget.limits.members} files; the rest was not read")
    return name


def _tar(name: str, stream: Peeked, budget: Budget, depth: int, whole: IO[bytes] | None) -> Iterator[Log | Archive]:
    del whole  # read in one direction, wherever it comes from
    with tarfile.open(fileobj=cast(Any, stream), mode="r|", errors="surrogateescape") as tar:
        while (member := tar.next()) is not None:
            tar.members = []  # type: ignore[attr-defined]  # it would remember them all
            if not member.isreg():
                continue
            inner = f"{_members(name, budget)}{INSIDE}{shown(member.name)}"
            if member.size > budget.limits.member_bytes:
                yield Archive(inner, member.size, f"holds more than {budget.limits.member_bytes} bytes")
                continue
            file = tar.extractfile(member)
            if file is not None:
                yield from _logs(inner, Peeked(_Ending(file)), member.size, budget, depth, None)


def _zip(name: str, stream: Peeked, budget: Budget, depth: int, whole: IO[bytes] | None) -> Iterator[Log | Archive]:
    with tempfile.TemporaryFile() as spool:
        if whole is None:
            while data := stream.read(CHUNK_BYTES):
                spool.write(data)
                if spool.tell() > budget.limits.spool_bytes:
                    raise InputError(name, f"is a zip archive of more than {budget.limits.spool_bytes} bytes")
            whole = cast(IO[bytes], spool)
        with zipfile.ZipFile(whole) as archive:
            for info in archive.infolist():
                if info.is_dir():
                    continue
                inner = f"{_members(name, budget)}{INSIDE}{shown(info.filename)}"
                try:
                    with archive.open(info) as file:
                        counted = _Counted(inner, file, budget)
                        yield from _logs(inner, Peeked(counted), info.file_size, budget, depth, None)
                except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
                    yield Archive(inner, info.file_size, f"cannot be unpacked: {error}")
