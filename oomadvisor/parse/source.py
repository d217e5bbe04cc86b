"""Where text comes from: a path, a ``.gz``, or standard input, whatever its encoding and line ends.

Bytes are read in blocks, so that a log can be searched without being taken apart into lines.
"""

import codecs
import errno
import io
import os
import re
import sys
import zlib
from collections.abc import Iterator
from types import TracebackType
from typing import BinaryIO, cast

from oomadvisor.model import Origin, Warning_
from oomadvisor.parse.errors import InputError

BLOCK_BYTES = 1 << 20
#: A longer line is cut: no kernel prints one, and a file without line ends must not fill the memory.
MAX_LINE_BYTES = 1 << 16
_SNIFF_BYTES = 1 << 16
_STEP_BYTES = 64
_MAX_WARNINGS = 100
_ARCHIVES = {
    b"\xfd7zXZ\x00": "an xz archive",
    b"BZh": "a bzip2 archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"PK\x03\x04": "a zip archive",
    b"7z\xbc\xaf": "a 7z archive",
}
_TEXT = "a text file, a .gz of one, or - for standard input"
#: Bytes that no log is made of. Serial consoles do put NULs, bells and terminal codes between the lines.
_CONTROL = bytes(byte for byte in range(32) if byte not in b"\x00\x07\x08\t\n\x0b\x0c\r\x1b")
#: Words of any input that this package reads: where one of them stands the rest may be as odd as it likes.
_KNOWN_WORDS = re.compile(
    rb"oom-kill|ut of memory|page allocation|Mem-[iI]nfo|lowmem_reserve|illed process|vm\.|/proc/"
)
_MAX_ODD_SHARE = 0.2
#: What a raw dump of mtdoops is made of: records of 4 kB or more, each with a number and this word in front, the rest
#: of it erased flash.
_OOPS_WORD = b"\x00\x5d\x00\x5d"
_OOPS_HEAD = re.compile(rb"(?s:.{4})\x00\x5d\x00\x5d")
_ERASED = re.compile(rb"\xff{4,}")


class BlockSource:
    """The bytes of an input, decompressed, as UTF-8, with ``\\n`` at the line ends. A context manager.

    ``stream``: where they come from, when not from the file of that name; whoever opened it closes it. ``plain``: they
    are a part of what was found to be plain text.
    """

    def __init__(self, path: str, stream: BinaryIO | None = None, *, plain: bool = False) -> None:
        self.name = path
        self.warnings: list[Warning_] = []
        self._delivered = 0
        self._file = self._stream = _open(path) if stream is None else stream
        self._closes = path != "-" and stream is None
        self._plain = plain
        self._decoder: codecs.IncrementalDecoder | None = None
        self._old_mac = False
        self._oops = False
        self._head: bytes | None = None
        self._packed = False

    def __enter__(self) -> "BlockSource":
        try:
            if not self._plain:
                self._sniff()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; standard input stays open."""
        if self._closes:
            self._file.close()

    def read(self) -> bytes:
        """Return the next block, empty at the end of the input."""
        if self._head is not None:
            block, self._head = self._head, None
            if block:
                return block
        return self._read(BLOCK_BYTES)

    @property
    def splits(self) -> bool:
        """Whether the text is what the input holds, byte for byte, so that it can be entered at any line."""
        return not (self._packed or self._decoder is not None or self._oops or self._old_mac)

    def warn(self, code: str, text: str, line: int | None = None) -> None:
        """Remember something odd about the input itself."""
        if len(self.warnings) < _MAX_WARNINGS:
            origin = None if line is None else Origin(file=self.name, line=line)
            self.warnings.append(Warning_(code=code, text=text, origin=origin))

    def _sniff(self) -> None:
        start = self._raw(8)
        for magic, what in _ARCHIVES.items():
            if start.startswith(magic):
                raise InputError(self.name, f"is {what}", expected=_TEXT)
        self._stream = cast(BinaryIO, _Rewound(start, self._stream))
        if start.startswith(b"\x1f\x8b"):
            self._stream = cast(BinaryIO, Unzipped(self._stream))
            self._packed = True
            self._delivered = 0
            start = self._raw(8)
            self._stream = cast(BinaryIO, _Rewound(start, self._stream))
        self._oops = start[4:] == _OOPS_WORD
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            self._decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")
        head = self._read(_SNIFF_BYTES)
        if b"\r" in head and b"\n" not in head:
            self._old_mac = True
            head = head.replace(b"\r", b"\n")
        if looks_binary(head):
            raise InputError(self.name, "is not text (too many control characters)", expected=_TEXT)
        self._head = head

    def _raw(self, size: int) -> bytes:
        """Read up to ``size`` bytes; only at the end of the input fewer."""
        parts: list[bytes] = []
        missing = size
        while missing > 0:
            try:
                part = self._stream.read(missing)
            except (EOFError, zlib.error) as error:
                if not parts and not self._delivered:
                    what = "is no readable gzip file" if self._packed else "is damaged or cut off"
                    raise InputError(self.name, f"{what} ({error})", expected=_TEXT) from error
                self.warn("truncated-gzip", f"The compressed file is damaged or cut off ({error}); read up to there.")
                self._stream = io.BytesIO()
                break
            except OSError as error:
                raise InputError(self.name, f"cannot be read: {_reason(error)}", expected=_TEXT) from error
            if not part:
                break
            parts.append(part)
            missing -= len(part)
        data = b"".join(parts)
        self._delivered += len(data)
        return data

    def _read(self, size: int) -> bytes:
        data = self._raw(size)
        if self._decoder is not None:
            data = self._decoder.decode(data, final=len(data) < size).encode("utf-8", "replace")
        if self._oops:
            # Blocks are whole records, so no head lies across the end of one.
            data = _ERASED.sub(b"\n", _OOPS_HEAD.sub(b"\n", data))
        if self._old_mac:
            data = data.replace(b"\r", b"\n")
        return data


class TextSource:
    """The lines of an input with their ends, decoded; a context manager. ``warnings`` fill up while it is read."""

    def __init__(self, path: str) -> None:
        self.name = path
        self._blocks = BlockSource(path)

    @property
    def warnings(self) -> list[Warning_]:
        """What was odd about the input itself so far."""
        return self._blocks.warnings

    def __enter__(self) -> "TextSource":
        self._blocks.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._blocks.close()

    def __iter__(self) -> Iterator[str]:
        rest = b""
        number = 0
        while block := self._blocks.read():
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                number += 1
                yield self._decoded(line, number) + "\n"
            if len(rest) > MAX_LINE_BYTES:
                # Keep one byte too many, so that whoever sees the line knows that it was longer.
                rest = rest[: MAX_LINE_BYTES + 1]
        if rest:
            yield self._decoded(rest, number + 1)

    def _decoded(self, line: bytes, number: int) -> str:
        return decoded(self._blocks, line, number)


def decoded(source: BlockSource, line: bytes, number: int) -> str:
    """Return a line as text, cut with a warning when it is too long."""
    if len(line) > MAX_LINE_BYTES:
        source.warn("long-line", f"A line of more than {MAX_LINE_BYTES} bytes was cut.", number)
        line = line[: MAX_LINE_BYTES + 1]
    return line.decode("utf-8", "replace")


def open_text(path: str) -> TextSource:
    """Return the lines of ``path`` (a file, a ``.gz``, or ``-``) for use in a ``with`` statement.

    :raises InputError: the input is missing, unreadable, a folder, or no text; raised on entering.
    """
    return TextSource(path)


def looks_binary(head: bytes) -> bool:
    """Return whether the beginning of an input is no text. A single known word in it settles that it is.

    >>> looks_binary(bytes(range(256)) * 4), looks_binary(b"Mem-info:\\n" + bytes(range(256)) * 4)
    (True, False)
    """
    if not head or _KNOWN_WORDS.search(head):
        return False
    control = len(head) - len(head.translate(None, _CONTROL))
    # The last character may be cut by the end of the block.
    undecodable = head.decode("utf-8", "replace").count("\ufffd") - 1
    nuls = head.count(b"\x00")
    return max(control, nuls, control + undecodable) > _MAX_ODD_SHARE * len(head)


class _Rewound:
    """A stream of which some bytes were already looked at."""

    def __init__(self, start: bytes, stream: BinaryIO) -> None:
        self._start = start
        self._stream = stream

    def read(self, size: int) -> bytes:
        if self._start:
            data, self._start = self._start[:size], self._start[size:]
            return data
        return self._stream.read(size)


class Unzipped:
    """A gzip stream that returns all that could be decompressed before it complains about a damaged end."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._inflate = zlib.decompressobj(wbits=31)
        self._begun = False
        self._damage: zlib.error | None = None

    def read(self, size: int) -> bytes:
        if self._damage is not None:
            raise self._damage
        while True:
            if self._inflate.eof:
                rest = self._inflate.unused_data.lstrip(b"\x00") or self._stream.read(BLOCK_BYTES)
                if not rest.strip(b"\x00"):
                    return b""
                self._inflate = zlib.decompressobj(wbits=31)
                packed = rest
            else:
                packed = self._inflate.unconsumed_tail or self._stream.read(BLOCK_BYTES >> 3)
                if not packed:
                    if not self._begun:
                        return b""
                    raise EOFError("the end of the compressed stream is missing")
            self._begun = True
            data = self._decompress(packed, size)
            if data:
                return data

    def _decompress(self, packed: bytes, size: int) -> bytes:
        before = self._inflate.copy()
        try:
            return self._inflate.decompress(packed, size)
        except zlib.error as error:
            # What was decompressed in front of the damage is lost with the error: once more, in small steps.
            self._damage = error
        found = bytearray()
        try:
            while packed and len(found) < size:
                found += before.decompress(packed, _STEP_BYTES)
                packed = before.unconsumed_tail
        except zlib.error:
            pass
        if not found:
            raise self._damage
        return bytes(found[:size])


def _open(path: str) -> BinaryIO:
    if path == "-":
        return sys.stdin.buffer
    try:
        if os.path.isdir(path):
            raise InputError(path, "is a folder", expected=_TEXT)
        return open(path, "rb")
    except OSError as error:
        raise InputError(path, _reason(error), expected=_TEXT) from error
    except ValueError as error:
        raise InputError(path, "is no file name (it holds a NUL character)", expected=_TEXT) from error


def _reason(error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return "does not exist"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "may not be read (permission denied)"
    return (error.strerror or str(error)).lower()
