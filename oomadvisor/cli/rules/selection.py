"""Which rule files a command is about: those named on the command line, or all that are in use."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from oomadvisor.packs import Origins

Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FILES]...",
        help="Rule files, or folders of them. Without any, all rules in use: built in, installed, and your own.",
        show_default=False,
    ),
]


@dataclass(frozen=True)
class Selection:
    """All packs in use with the named files over them; ``files``: the names of those asked for (None: all)."""

    origins: "Origins"
    files: frozenset[str] | None


def select(named: Sequence[str]) -> Selection:
    """Read the packs in use, and ``named`` over them. A named file that is in use already is not read twice.

    Raises RuleBookError for what cannot be read.
    """
    from oomadvisor.packs import BUILTIN, named_pack, origins
    from oomadvisor.resources import resource_dir

    found = origins((), os.environ)
    if not named:
        return Selection(found, None)
    known: dict[str, str] = {}
    for pack in found.packs:
        root = resource_dir("rules").parent if pack.name == BUILTIN else Path()
        known |= {os.path.realpath(root / name): name for name, _ in pack.files}
    wanted: set[str] = set()
    packs = list(found.packs)
    for one in named:
        pack = named_pack(one)
        fresh: list[tuple[str, str | bytes]] = []
        for name, content in pack.files:
            place = os.path.realpath(name)
            if place not in known:
                # A file of the user's may be called as a built-in one is.
                known[place] = os.path.join(".", name) if name in known.values() else name
                fresh.append((known[place], content))
            wanted.add(known[place])
        packs.append(replace(pack, files=tuple(fresh)))
    return Selection(replace(found, packs=tuple(packs)), frozenset(wanted))
