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
    return {
        f"vm.{row['name']}": Knob(
            name=f"vm.{row['name']}",
            since=version_tuple(row["since"]),
            until=version_tuple(row["until"]),
            vendor_only=row.get("vendor_only", False),
            in_test=row.get("in_test", False),
        )
        for row in read("knobs")["knobs"]
    }
