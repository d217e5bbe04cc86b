"""Where the built-in rules, knowledge and examples lie: inside an installed package, or beside it in a source tree."""

from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent


@cache
def resource_dir(name: str) -> Path:
    """Return the folder ``rules``, ``knowledge`` or ``examples``.

    Raises FileNotFoundError when the installation is damaged.
    """
    for folder in (PACKAGE / "_data" / name, PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"the installation of oomadvisor is incomplete: there is no folder {name!r} in it")
