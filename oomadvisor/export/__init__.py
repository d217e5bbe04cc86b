"""Plan → files: a patch of a sysctl.conf, a drop-in for sysctl.d, a shell script; each with its way back."""

from oomadvisor.export.bundled import bundled_conf, conf_bytes
from oomadvisor.export.conf import Segment, read_conf
from oomadvisor.export.dropin import dropin
from oomadvisor.export.patch import patch
from oomadvisor.export.script import script

__all__ = ["Segment", "bundled_conf", "conf_bytes", "dropin", "patch", "read_conf", "script"]
