"""What ``--version`` prints. It answers without loading the rooms that do the work."""

import platform
import sys

from oomadvisor import __version__


def version_text() -> str:
    """Return the versions of oomadvisor and Python, and which rule engine serves here and why."""
    python = f"{platform.python_implementation()} {platform.python_version()} ({sys.executable})"
    return f"oomadvisor {__version__}\nPython: {python}\nrule engine: {_engine()}\n"


def _engine() -> str:
    # The words of rulebook.engine.engine_name, whose import would take longer than all else here; a test compares them.
    try:
        import durable_rules_engine  # noqa: F401
    except ImportError as fault:
        return f"plain matcher, because durable-rules does not load ({fault})"
    from importlib import metadata

    try:
        return f"durable-rules {metadata.version('durable-rules')}"
    except metadata.PackageNotFoundError:
        return "durable-rules"
