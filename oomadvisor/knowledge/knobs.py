"""Which files of /proc/sys/vm exist in which kernels, and which of them the watermark test reads."""

from dataclasses import dataclass
from functools import cache

from oomadvisor.knowledge.files import read
from oomadvisor.knowledge.versions import Version, VersionRange, version_tuple


@dataclass(frozen=True, slots=True)
class Knob:
    """A file of /proc/sys/vm. ``since``/``until``: first and last series in which it was seen."""

    name: str
    since: Version
    until: Version
    vendor_only: bool
    in_test: bool

    @property
    def kernels(self) -> VersionRange:
        """The mainline series that have it; for a vendor's knob the series of that vendor's tree."""
        return VersionRange(self.since, self.until)

    def exists_in(self, version: Version) -> bool:
        """Return whether a mainline kernel of ``version`` can have it (its build options permitting)."""
        return not self.vendor_only and self.kernels.holds(version) is not False


@cache
def knobs() -> dict[str, Knob]:
    """Return every known vm sysctl by name."""
    content = read("knobs")
    vendor_only, in_test = set(content["vendor_only"].split()), set(content["in_test"].split())
    return {f"vm.{name}": _knob(name, seen, vendor_only, in_test) for name, seen in content["knobs"].items()}


def _knob(name: str, seen: str, vendor_only: set[str], in_test: set[str]) -> Knob:
    since, _, until = seen.partition("..")
    return Knob(
        name=f"vm.{name}",
        since=version_tuple(since),
        until=version_tuple(until),
        vendor_only=name in vendor_only,
        in_test=name in in_test,
    )
