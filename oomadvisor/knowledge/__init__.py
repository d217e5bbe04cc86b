"""Facts about kernels, as data with a source: the folder ``knowledge/``.

What an advice needs is read here, file by file and only when it is asked for. The reference entries that
``oomadvisor knowledge`` shows lie in :mod:`~oomadvisor.knowledge.reference`, which nothing else imports.
"""

from oomadvisor.knowledge.callsites import CallSite, call_site_named, call_site_of, call_sites
from oomadvisor.knowledge.evidence import MeasuredRate, measured_ground, measured_rates
from oomadvisor.knowledge.files import sources
from oomadvisor.knowledge.knobs import Knob, knobs
from oomadvisor.knowledge.operations import operations, workload_of
from oomadvisor.knowledge.symbols import VersionSymbol, version_symbols
from oomadvisor.knowledge.versions import Version, VersionRange, version_tuple

__all__ = [
    "CallSite",
    "Knob",
    "MeasuredRate",
    "Version",
    "VersionRange",
    "VersionSymbol",
    "call_site_named",
    "call_site_of",
    "call_sites",
    "knobs",
    "measured_ground",
    "measured_rates",
    "operations",
    "sources",
    "version_symbols",
    "version_tuple",
    "workload_of",
]
