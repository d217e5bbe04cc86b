"""Text → model: logs, sysctl dumps, /proc files."""

from oomadvisor.parse.errors import InputError, ParseError
from oomadvisor.parse.incidents import read_incidents

__all__ = ["InputError", "ParseError", "read_incidents"]
