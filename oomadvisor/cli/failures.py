"""Every way to fail ends here: a message of a line or a few, an exit code, and no traceback."""

import os
import platform
import traceback

from oomadvisor import __version__
from oomadvisor.cli.exit_codes import ExitCode
from oomadvisor.cli.output import OutputError, to_stderr
from oomadvisor.present.printable import printable

DEBUG_VARIABLE = "OOMADVISOR_DEBUG"


def report(error: Exception) -> ExitCode:
    """Say on standard error what went wrong, and return the code to exit with.

    The traceback is shown only when OOMADVISOR_DEBUG=1 asks for it.
    """
    if os.environ.get(DEBUG_VARIABLE) == "1":
        to_stderr("".join(traceback.format_exception(error)).rstrip())
    code, text = describe(error)
    for line in text.split("\n"):
        to_stderr(printable(line))
    return code


def describe(error: Exception) -> tuple[ExitCode, str]:
    """Return the exit code and the message for ``error``. What has a place in a file begins with that place."""
    if isinstance(error, OutputError):
        return ExitCode.NOT_WRITTEN, f"oomadvisor: {error}"
    if isinstance(error, ImportError):
        return ExitCode.INTERNAL, f"oomadvisor: this installation is incomplete: {error}; install oomadvisor again"
    if isinstance(error, MemoryError):
        return ExitCode.INTERNAL, "oomadvisor: there is not enough memory to go on"
    from oomadvisor.parse.errors import InputError

    if isinstance(error, InputError):
        return ExitCode.UNUSABLE, str(error)
    from oomadvisor.rulebook.errors import RuleBookError

    if isinstance(error, RuleBookError):
        return ExitCode.UNUSABLE, str(error)
    return ExitCode.INTERNAL, _defect(error)


def _defect(error: Exception) -> str:
    where = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(where.filename)}:{where.lineno}"
    return (
        f"oomadvisor: a defect of oomadvisor {__version__} (Python {platform.python_version()}) at {place}: "
        f"{type(error).__name__}: {' '.join(str(error).split())[:200]}. "
        f"Please report this line with the input, if you may share it; {DEBUG_VARIABLE}=1 shows the traceback."
    )
