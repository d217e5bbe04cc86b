"""The command line, kept thin: options are read here, everything else happens in the other rooms."""

import gc
import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run ``oomadvisor`` with the arguments of this process, and exit (see :class:`~.exit_codes.ExitCode`)."""
    # Looking for pydantic's plugins means reading the metadata of every installed package, at every start.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # A run makes tens of thousands of objects that last to its end; looking through them for garbage takes 8 % of it.
    gc.set_threshold(50_000)
    try:
        from oomadvisor.cli.app import app

        app(prog_name="oomadvisor")
    except Exception as error:
        from oomadvisor.cli.failures import report

        sys.exit(report(error))
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        # The interpreter looks for garbage once more when it ends: a fifth of the run, and all of it goes anyway.
        gc.freeze()
    sys.exit(0)
