"""OUT: the folder of a fleet. Tables as folders of whole parts, what made them, and the ledger of finished bundles.

::

    OUT/fleet.json                 schema, version of the tool, digest of the rules, options
    OUT/incidents/BUNDLE-00000.parquet   and the same for fixes, verdicts, warnings, inputs
    OUT/ledger/BUNDLE.json         one for each bundle whose parts are all there; what --resume reads

::

    DatasetError    OUT cannot be used: it exists, is something else, or was begun otherwise
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oomadvisor import __version__
from oomadvisor.fleet.parts import SUFFIX, part_bytes, write_whole
from oomadvisor.fleet.rows import Rows
from oomadvisor.fleet.schema import TABLES, VERSION

HEAD = "fleet.json"
LEDGER = "ledger"


class DatasetError(Exception):
    """OUT cannot be used as asked. The text says why, and what would help."""


@dataclass(frozen=True)
class Dataset:
    """The folder of a fleet that is being written, and what it was begun with."""

    folder: Path
    options: Mapping[str, Any]

    def begin(self, *, resume: bool = False, force: bool = False) -> None:
        """Make the folder ready. Raises DatasetError, and OSError where it cannot be written.

        :param resume: go on with what is there, if it was begun by the same program with the same options.
        :param force: leave out what is there; only a folder of a fleet is ever emptied.
        """
        here = self.folder
        if here.exists() and not here.is_dir():
            raise DatasetError(f"{here} is a file; a folder was expected")
        if here.is_dir() and any(here.iterdir()):
            known = read_head(here)
            if known is None:
                raise DatasetError(f"{here} holds other files than those of a fleet; name a new folder")
            if resume:
                self._same(known)
            elif not force:
                raise DatasetError(f"{here} exists; add --resume to go on with it, or --force to replace it")
        elif resume:
            raise DatasetError(f"{here} holds nothing to go on with; leave --resume out")
        for table in (*TABLES, LEDGER):
            (here / table).mkdir(parents=True, exist_ok=True)
            for file in (here / table).iterdir():
                if not resume or file.name.endswith(".part"):
                    file.unlink()
        write_whole(self._head(finished=False), here / HEAD)

    def _same(self, known: Mapping[str, Any]) -> None:
        ours = json.loads(self._head(finished=False))
        for key in ("schema", "version", "options"):
            if known.get(key) != ours[key]:
                was, now = json.dumps(known.get(key), sort_keys=True), json.dumps(ours[key], sort_keys=True)
                raise DatasetError(
                    f"{self.folder} was begun with another {key} ({was}, now {now}); go on with the same, "
                    "or begin anew with --force"
                )

    def _head(self, *, finished: bool) -> bytes:
        head = {"schema": VERSION, "version": __version__, "options": dict(self.options), "finished": finished}
        return (json.dumps(head, indent=2, sort_keys=True) + "\n").encode()

    def keep(self, bundle: str, parts: Mapping[str, bytes], entry: Mapping[str, Any]) -> None:
        """Write the parts of a bundle and then its line in the ledger; a bundle that was kept before is replaced.

        ``parts``: bytes by ``TABLE/NAME``. Raises OSError.
        """
        for name, data in parts.items():
            write_whole(data, self.folder / name)
        text = json.dumps({**entry, "parts": sorted(parts)}, sort_keys=True)
        write_whole(text.encode(), self.folder / LEDGER / f"{bundle}.json")

    def entries(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the finished bundles: each id with its line in the ledger. A damaged line counts as not there."""
        for file in sorted((self.folder / LEDGER).glob("*.json")):
            with suppress(OSError, ValueError):
                entry = json.loads(file.read_bytes())
                if isinstance(entry, dict) and all((self.folder / name).is_file() for name in entry["parts"]):
                    yield file.stem, entry

    def forget(self, bundle: str) -> None:
        """Take a bundle out of the ledger; its parts are taken away by :meth:`end`."""
        (self.folder / LEDGER / f"{bundle}.json").unlink(missing_ok=True)

    def end(self) -> None:
        """Take away the parts that no bundle of the ledger knows, and say that the fleet is complete."""
        known = {name for _, entry in self.entries() for name in entry["parts"]}
        for table in TABLES:
            for file in (self.folder / table).iterdir():
                if f"{table}/{file.name}" not in known:
                    file.unlink()
        write_whole(self._head(finished=True), self.folder / HEAD)


def read_head(folder: Path) -> dict[str, Any] | None:
    """Return what ``OUT/fleet.json`` says, ``None`` when the folder is none of a fleet."""
    try:
        head = json.loads((folder / HEAD).read_bytes())
    except (OSError, ValueError):
        return None
    return head if isinstance(head, dict) and str(head.get("schema", "")).startswith("oomadvisor/fleet/") else None


def parts_of(bundle: str, number: int, rows: Rows) -> dict[str, bytes]:
    """Return the parts of some rows of a bundle by ``TABLE/NAME``; a table without rows has none.

    ``number`` counts the parts of the bundle from 0, so that a repeated bundle replaces itself.
    """
    return {
        f"{table}{os.sep}{bundle}-{number:05}{SUFFIX}": part_bytes(table, found)
        for table, found in rows.items()
        if found
    }
