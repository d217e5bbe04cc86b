"""What a user names as REPORT: a log, a bundle of ``oomadvisor collect``, or a folder with logs and /proc files."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress

from oomadvisor.model import Incident, ProcState
from oomadvisor.parse.bundle import BundleCatcher
from oomadvisor.parse.errors import InputError
from oomadvisor.parse.scan import scan_file
from oomadvisor.parse.sysctls import SysctlDump, read_sysctl_path

MAX_LOGS = 100
MAX_FOLDERS = 5_000
#: Files that hold a kernel's log: of syslog daemons, of sos reports, of pstore and of mtdoops.
_LOG = re.compile(
    r"(?:k?dmesg|console-ramoops|dmesg-(?:ramoops|efi|erst|nvram)|ramoops|mtdoops|oops|last_kmsg|messages|syslog|kern|"
    r"kernel|journalctl|serial|console|oom|bundle)[\w.@+-]*(?:\.gz)?",
    re.IGNORECASE,
)
_SYSCTLS = re.compile(r"sysctl[_.-]*(?:-?a|all)?(?:\.txt|\.out|\.log)?(?:\.gz)?", re.IGNORECASE)
_EXPECTED = (
    "a folder with a kernel log (dmesg, messages, kern.log, dmesg-ramoops-0 and the like) or files of /proc in it, "
    "such as a sos report"
)


class Report:
    """A REPORT. ``incidents`` must have been read to the end before ``proc`` and ``sysctls`` are asked for."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._catcher = BundleCatcher()
        self._folder = path != "-" and os.path.isdir(path)

    def incidents(self) -> Iterator[Incident]:
        """Yield the incidents; those of a folder in the order of its files, each once.

        :raises InputError: the input is unusable.
        """
        if not self._folder:
            yield from scan_file(self.path, catcher=self._catcher)
            return
        logs = files_like(self.path, _LOG, MAX_LOGS)
        seen: list[tuple[str, Incident]] = []
        for log in logs:
            for incident in self._readable(log):
                if not any(log != other and same_incident(incident, known) for other, known in seen):
                    seen.append((log, incident))
                    yield incident.model_copy(update={"number": len(seen)})
        if not seen and self.proc() is None:
            raise InputError(self.path, "holds neither an incident nor files of /proc", expected=_EXPECTED)

    def _readable(self, log: str) -> Iterator[Incident]:
        """Yield the incidents of one file of a folder: one that is unreadable says nothing about the others."""
        with suppress(InputError):
            yield from scan_file(log, catcher=self._catcher)

    def proc(self) -> ProcState | None:
        """Return what the report says of the box beside its incidents, None when it says nothing."""
        caught = self._catcher.proc(self.path)
        if caught is not None or not self._folder:
            return caught
        from oomadvisor.parse.proc import read_proc_paths

        try:
            return read_proc_paths([self.path])
        except InputError:
            return None

    def sysctls(self) -> SysctlDump | None:
        """Return the listing of sysctls that a folder holds (``sysctl_-a`` of a sos report), None without one."""
        for file in files_like(self.path, _SYSCTLS, 10) if self._folder else ():
            with suppress(InputError):
                return read_sysctl_path(file)
        return None


def files_like(folder: str, pattern: re.Pattern[str], most: int) -> list[str]:
    """Return the files below ``folder`` whose whole name matches, those higher up first, then by name."""
    found: list[tuple[int, str]] = []
    for number, (place, folders, names) in enumerate(os.walk(folder)):
        folders[:] = sorted(name for name in folders if not name.isdigit())
        depth = place.count(os.sep)
        found += [(depth, os.path.join(place, name)) for name in names if pattern.fullmatch(name)]
        if number >= MAX_FOLDERS:
            break
    return [path for _, path in sorted(found) if os.path.isfile(path)][:most]


def same_incident(one: Incident, other: Incident) -> bool:
    """Return whether two logs tell of the same incident: dmesg and syslog differ in what stands before the lines."""
    parts = ("kind", "request", "counters", "zones", "swap", "trailer")
    kills = [[(kill.kind, kill.pid, kill.name) for kill in incident.kills] for incident in (one, other)]
    return kills[0] == kills[1] and all(getattr(one, part) == getattr(other, part) for part in parts)
