"""Text → model: logs, sysctl dumps, /proc files.

Modules of the parts that a caller may not need are loaded when they are first asked for: importing them all would cost
more time than parsing a report.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from oomadvisor.parse.errors import InputError, ParseError

if TYPE_CHECKING:
    from oomadvisor.parse.forms import Narrowed, kernel_ranges, narrowed, versions_of_forms
    from oomadvisor.parse.incidents import read_incidents
    from oomadvisor.parse.proc import read_proc_lines, read_proc_paths
    from oomadvisor.parse.scan import scan_file
    from oomadvisor.parse.source import TextSource, open_text
    from oomadvisor.parse.sysctls import SysctlDump, SysctlProblem, SysctlValue, read_sysctl_path, read_sysctls

_PLACES = {
    "SysctlDump": "sysctls",
    "SysctlProblem": "sysctls",
    "SysctlValue": "sysctls",
    "TextSource": "source",
    "Narrowed": "forms",
    "kernel_ranges": "forms",
    "narrowed": "forms",
    "open_text": "source",
    "read_incidents": "incidents",
    "read_proc_lines": "proc",
    "read_proc_paths": "proc",
    "read_sysctl_path": "sysctls",
    "read_sysctls": "sysctls",
    "scan_file": "scan",
    "versions_of_forms": "forms",
}

__all__ = [
    "InputError",
    "Narrowed",
    "ParseError",
    "SysctlDump",
    "SysctlProblem",
    "SysctlValue",
    "TextSource",
    "kernel_ranges",
    "narrowed",
    "open_text",
    "read_incidents",
    "read_proc_lines",
    "read_proc_paths",
    "read_sysctl_path",
    "read_sysctls",
    "scan_file",
    "versions_of_forms",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
