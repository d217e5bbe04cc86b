"""What a browser may ask for, as plain values that go to a worker process."""

from base64 import b64decode
from dataclasses import dataclass
from typing import Literal

FORMS = {
    "html": ("Page (HTML)", "text/html; charset=utf-8", "report.html"),
    "markdown": ("Markdown", "text/markdown; charset=utf-8", "report.md"),
    "json": ("JSON", "application/json", "report.json"),
    "patch": ("Patch of sysctl.conf", "text/x-diff; charset=utf-8", "sysctl.conf.patch"),
    "dropin": ("Drop-in for sysctl.d", "text/plain; charset=utf-8", "60-oomadvisor.conf"),
    "script": ("Shell script", "text/x-shellscript; charset=utf-8", "fix.sh"),
}
"""The forms in which a result can be taken away: title, media type and file name of each."""

INT_MAX = 2**31 - 1


class BadAsk(ValueError):
    """A field of the form holds what it cannot hold; the text says what was expected."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One question. ``log``, ``sysctl``, ``proc``: inputs as bytes, empty when not given. ``conf``: the device's
    sysctl.conf, for a patch.

    ``incident``: its number in the log, None for the first event. ``form``: of an export. ``value``, ``ratio``,
    ``operation``: where the slider stands.
    """

    what: Literal["page", "export", "simulate"]
    log: bytes
    sysctl: bytes = b""
    proc: bytes = b""
    conf: bytes = b""
    kernel: str | None = None
    incident: int | None = None
    form: str = "html"
    operation: str | None = None
    value: int | None = None
    ratio: int | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """How an answer begins. ``file``: the name under which it is to be saved."""

    status: int
    media_type: str
    file: str | None = None


def from_base64(text: str, name: str) -> bytes:
    """Return the bytes that a page sent back: as text a browser would change their line ends. Raises BadAsk."""
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise BadAsk(f"{name}: base64 was expected") from None


def whole_number(text: str, name: str, *, least: int = 0) -> int | None:
    """Return the number in a field, None when it is empty. Raises BadAsk."""
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and least <= int(text) <= INT_MAX):
        raise BadAsk(f"{name}: a whole number from {least} to {INT_MAX} was expected")
    return int(text)
