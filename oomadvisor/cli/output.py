"""The result goes out here: whole, to standard output or to a file, and never half of it to a file."""

import io
import os
import shutil
import sys
from contextlib import suppress
from enum import Enum
from pathlib import Path

import typer

from oomadvisor.cli.exit_codes import ExitCode
from oomadvisor.present.printable import printable

DEFAULT_WIDTH_COLUMNS = 80


class Colour(str, Enum):
    """When the text may be coloured. ``auto``: on a terminal that is not dumb, unless NO_COLOR is set."""

    auto = "auto"
    always = "always"
    never = "never"


class OutputError(Exception):
    """The result could not be written; the text names the target and the reason."""


def to_stderr(text: str) -> None:
    """Write one message line to standard error; a reader that went away is no concern of ours."""
    with suppress(OSError):
        print(text.encode(errors="backslashreplace").decode(), file=sys.stderr, flush=True)


def coloured(choice: Colour, target: Path | None) -> bool:
    """Decide whether the text carries colours."""
    if choice is not Colour.auto:
        return choice is Colour.always
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return target is None and sys.stdout is not None and sys.stdout.isatty() and not plain


def columns(width: int | None, target: Path | None) -> int:
    """Return the width to fill: as asked, else that of the terminal (or COLUMNS), else 80."""
    if width is not None:
        return width
    if target is not None:
        return DEFAULT_WIDTH_COLUMNS
    return shutil.get_terminal_size((DEFAULT_WIDTH_COLUMNS, 24)).columns


def check_target(target: Path | None, *, force: bool) -> None:
    """Refuse, before any work is done, a target that could not or must not be written (exit 2)."""
    if target is None:
        return
    if target.is_dir():
        raise typer.BadParameter(f"{printable(str(target))} is a directory; a file name was expected.", param_hint="-o")
    if not target.parent.is_dir():
        parent = printable(str(target.parent))
        raise typer.BadParameter(f"the directory {parent} does not exist.", param_hint="-o")
    if target.is_file() and not force:
        name = printable(str(target))
        raise typer.BadParameter(f"{name} exists; add --force to replace it.", param_hint="-o")


def write_result(result: str | bytes, target: Path | None = None, *, force: bool = False) -> None:
    """Write the whole of ``result``: to standard output, or to ``target`` by way of a temporary file beside it.

    Bytes go out as they are: a patch must have the line ends of the file that it changes.

    :raises OutputError: the target could not be written; then it is as it was before.
    """
    if target is None:
        _to_stdout(result)
        return
    check_target(target, force=force)
    try:
        _to_file(result if isinstance(result, bytes) else result.encode(errors="backslashreplace"), target)
    except OSError as error:
        raise OutputError(f"{target}: not written: {error.strerror or error}") from error


def _to_file(data: bytes, target: Path) -> None:
    place = target.resolve()  # a link stays a link
    if place.exists() and not place.is_file():
        place.write_bytes(data)  # a device or a pipe cannot be replaced, only written to
        return
    part = place.with_name(f".{place.name[:200]}.{os.getpid()}.part")
    mode = place.stat().st_mode & 0o777 if place.exists() else 0o666
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, place)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _to_stdout(result: str | bytes) -> None:
    stream = sys.stdout
    if stream is None:
        raise OutputError("standard output: not written: it is closed")
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    try:
        if isinstance(result, bytes):
            stream.buffer.write(result)
        else:
            stream.write(result)
        stream.flush()
    except OSError as error:
        # What is still in the buffer would be tried again, and complained about, when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if isinstance(error, BrokenPipeError):
            raise typer.Exit(ExitCode.PIPE_CLOSED) from None
        raise OutputError(f"standard output: not written: {error.strerror or error}") from error
