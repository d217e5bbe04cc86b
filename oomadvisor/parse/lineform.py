"""What a line form is: the data that says how one kind of line looks, since when, and who reads it."""

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from oomadvisor.parse.draft import Draft

Version = tuple[int, ...]

#: A number as the kernel prints one. 20 digits hold any 64-bit value; more is damage and must not match.
N = r"-?\d{1,20}"
#: ``Node 0 `` before zone names on NUMA builds.
NODE = r"(?:Node (?P<node>\d{1,4}),? )?"
ZONE = r"(?P<zone>[A-Z][A-Za-z0-9_]{1,15})"

#: The end of a form's name where the line was not whole.
CUT = "/cut"

Role = Literal["start", "mem-start", "memory", "memcg", "kill", "panic", "detail"]
"""What a line does to the boundary of incidents.

``start``: opens an incident. ``mem-start``: the "Mem-info" line. ``memory``: a part of the memory report, which can
stand without its head. ``memcg``: a part of a memory cgroup's report. ``kill`` and ``panic``: how it ended.
``detail``: belongs to an open incident and means nothing alone.
"""


@cache
def compiled(source: str) -> re.Pattern[str]:
    """Compile a pattern when it is first needed: a report uses few, and compiling all costs more than parsing it."""
    return re.compile(source)


class Line(NamedTuple):
    """A line without its prefixes: white space collapsed, number from 1, the time as printed before it.

    ``prefixed``: something that a log puts before each record was removed (mail quoting does not count).
    ``cut``: the line ends where it should not, so its last word may be incomplete. ``caller``: the task or processor
    that printed it (``T1662``, ``C0``), where the kernel says so. ``pieces``: how many records it was put
    together from. ``width``: its length as it stands in the log. ``tagged``: whether a
    syslog tagged it as the kernel's.
    """

    number: int
    text: str
    time: str | None = None
    prefixed: bool = False
    cut: bool = False
    caller: str | None = None
    pieces: int = 1
    width: int = 0
    tagged: bool = False


class Variant(NamedTuple):
    """How a form looked in a range of kernels: the first variant whose ``sign`` is found names the line."""

    name: str
    sign: str
    since: Version | None = None
    until: Version | None = None


class LineForm(NamedTuple):
    """A kind of line.

    ``keys``: literal texts, one of which stands in every such line (cheap test before the pattern).
    ``whole``: the complete line. ``partial``: what any beginning of such a line looks like, for forms that are long
    enough to be wrapped by mail programs and terminals; a form without it is never rejoined.
    ``reads_partial``: whether a beginning is worth reading when the rest of the line never comes.
    ``damaged``: a line of which only the beginning is readable, tried when nothing else fits.
    ``grows``: whether a line that is whole may still go on in the next one.
    ``proof``: what a line put together from parts must satisfy besides its pattern.
    """

    name: str
    keys: tuple[str, ...]
    whole: str
    read: "Callable[[Draft, re.Match[str], Line], None]"
    role: Role = "detail"
    partial: str | None = None
    damaged: str | None = None
    reads_partial: bool = False
    grows: bool = True
    proof: "Callable[[Draft | None, re.Match[str]], bool] | None" = None
    since: Version | None = None
    until: Version | None = None
    variants: tuple[Variant, ...] = ()

    def match(self, text: str) -> re.Match[str] | None:
        """Match a complete line of this form."""
        return compiled(self.whole).fullmatch(text)

    def match_partial(self, text: str) -> re.Match[str] | None:
        """Match a beginning of a line of this form."""
        return None if self.partial is None else compiled(self.partial).fullmatch(text)

    def match_damaged(self, text: str) -> re.Match[str] | None:
        """Match a line that is readable only at its beginning."""
        return None if self.damaged is None else compiled(self.damaged).fullmatch(text)

    def variant_of(self, text: str, *, whole: bool = True) -> str:
        """Return the name under which this line is recorded in ``Incident.forms``.

        What a newer kernel would have printed further on may be missing from a line that is not whole: its name gets
        the ending ``CUT``, and says nothing about the newest kernel that it can come from.
        """
        for variant in self.variants:
            if compiled(variant.sign).search(text):
                return variant.name if whole or variant.until is None else variant.name + CUT
        return self.name
