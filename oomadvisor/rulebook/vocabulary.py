"""What rules may name besides facts: tunables, operations, measurements and sources, as the caller knows them."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from oomadvisor.rulebook.kernel_range import Version


class Tunable(Protocol):
    """What is known of a file of /proc/sys: ``since`` and ``until`` are the first and last series that have it."""

    @property
    def since(self) -> Version: ...
    @property
    def until(self) -> Version: ...
    @property
    def vendor_only(self) -> bool: ...
    def exists_in(self, version: Version, /) -> bool: ...


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Known names. None: the caller does not know them, so they are not looked at.

    ``accepted`` tells which values 2.6.31 takes for a tunable, in words such as ``0..100`` or ``1 and more``.
    ``tunables`` holds all of the families that its names begin with (``vm.``); names of other families are let pass.
    """

    tunables: Mapping[str, Tunable] | None = None
    accepted: Callable[[str], str | None] | None = None
    operations: Collection[str] | None = None
    measured: Collection[str] | None = None
    sources: Collection[str] | None = None
