"""The bytes of an input as a stream that survives a bad line, and the limits on what may come out of it."""

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any, cast

from oomadvisor.fleet.inputs import Input, filesystem_of, is_url, told
from oomadvisor.parse.errors import InputError

TRIES = 5
FIRST_PAUSE_SECONDS = 0.25
BLOCK_BYTES = 4 << 20
FREE_BYTES = 64 << 20
"""So much may come out of any input, however small it is."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What may come out of one input: ``ratio`` times what it holds, ``member_bytes`` of text in one file of it,
    ``members`` files, in archives and compressed files inside each other up to ``depth``.
    """

    ratio: int = 250
    member_bytes: int = 64 << 30
    members: int = 100_000
    depth: int = 4
    spool_bytes: int = 2 << 30


NO_LOG_REACHES = Limits()


class Budget:
    """Counts what went into and came out of one input, all members and layers together."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.into = 0
        self.out = 0
        self.members = 0

    def spend(self, name: str, amount: int) -> None:
        """Count what came out of a compressed stream. Raises InputError when it is more than any log gives."""
        self.out += amount
        if self.out > FREE_BYTES + self.limits.ratio * self.into:
            raise InputError(name, f"gives more than {self.limits.ratio} times what it holds; taken for a bomb")


class Persistent(io.RawIOBase):
    """An input from ``start`` to ``stop``. What cannot be read is tried again from the byte where it broke off.

    :raises InputError: it does not exist, may not be read, or the last try failed too.
    """

    def __init__(self, source: Input, budget: Budget, start: int = 0, stop: int | None = None) -> None:
        super().__init__()
        self._source = source
        self._budget = budget
        self._at = start
        self._stop = stop
        self._size = source.size
        self._file: IO[bytes] | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._size is not None

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_END:
            offset += self._size or 0
        elif whence == io.SEEK_CUR:
            offset += self._at
        self._at = max(offset, 0)
        if self._file is not None:
            self._file.seek(self._at)
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes, none at the end."""
        left = None if self._stop is None else max(self._stop - self._at, 0)
        if size < 0:
            size = left if left is not None else max((self._size or 0) - self._at, 0)
        if left is not None:
            size = min(size, left)
        data = self._tried(lambda: self._opened().read(size)) if size else b""
        self._at += len(data)
        self._budget.into += len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        super().close()

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            if is_url(self._source.url):
                system, path = filesystem_of(self._source.url)
                self._file = cast(IO[bytes], system.open(path, "rb", block_size=BLOCK_BYTES, cache_type="readahead"))
            else:
                self._file = open(self._source.url, "rb")  # noqa: SIM115  (closed with this stream)
            if self._at:
                self._file.seek(self._at)
        return self._file

    def _tried(self, read: Callable[[], bytes]) -> bytes:
        name = self._source.name
        for attempt in range(TRIES):
            try:
                return read()
            except FileNotFoundError:
                raise InputError(name, "does not exist any more") from None
            except PermissionError:
                raise InputError(name, "may not be read (permission denied)") from None
            except (MemoryError, ValueError, ImportError) as error:
                raise InputError(name, f"cannot be read: {told(error)}") from error
            except Exception as error:
                # A storage far away fails in its own ways, each with its own class.
                if attempt == TRIES - 1 or not is_url(self._source.url):
                    raise InputError(name, f"cannot be read: {told(error)}") from error
            self._forget()
            time.sleep(FIRST_PAUSE_SECONDS * 2**attempt)
        raise AssertionError("unreachable")

    def _forget(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except Exception:  # it is broken, and a new one will be opened
                return
