"""A made-up fleet, and its tables as one process writes them: what every other run must come to."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bench.fleets import Truth

LABEL = "{site}/{firmware}/box-{serial}.*"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> "tuple[Path, Truth]":
    """The folder of a fleet, and what is in it."""
    # Here, not above: without the extra this file is read all the same, and the other tests run.
    pytest.importorskip("distributed", reason="the extra 'fleet' is not installed (make fleet)")
    from bench.fleets import make_fleet
    from tests.fleet.runs import LONG

    folder = tmp_path_factory.mktemp("made") / "logs"
    incidents, text_bytes = (400, 60 << 20) if LONG else (36, 11 << 20)
    return folder, make_fleet(folder, seed=4, incidents=incidents, text_bytes=text_bytes)


@pytest.fixture(scope="session")
def reference(made: "tuple[Path, Truth]", tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The tables of the fleet, written in one process."""
    from tests.fleet.runs import fleet, tables

    out = tmp_path_factory.mktemp("reference") / "out"
    fleet([str(made[0])], out, "--workers", "0", "--label", LABEL)
    return tables(out)


@pytest.fixture(scope="session")
def fleet_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fleet of some fifteen incidents, to be asked (:mod:`tests.fleet.made`)."""
    pytest.importorskip("duckdb", reason="the extra 'fleet' is not installed (make fleet)")
    from tests.fleet.made import bundles, write

    return write(tmp_path_factory.mktemp("asked") / "OUT", bundles())
