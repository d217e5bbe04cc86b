"""A made-up fleet, and its tables as one process writes them: what every other run must come to."""

from pathlib import Path

import pytest

from bench.fleets import Truth, make_fleet
from tests.fleet.runs import LONG, fleet, tables

INCIDENTS = 400 if LONG else 24
TEXT_BYTES = 60 << 20 if LONG else 11 << 20
LABEL = "{site}/{firmware}/box-{serial}.*"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    """The folder of a fleet, and what is in it."""
    folder = tmp_path_factory.mktemp("made") / "logs"
    return folder, make_fleet(folder, seed=4, incidents=INCIDENTS, text_bytes=TEXT_BYTES)


@pytest.fixture(scope="session")
def reference(made: tuple[Path, Truth], tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The tables of the fleet, written in one process."""
    out = tmp_path_factory.mktemp("reference") / "out"
    fleet([str(made[0])], out, "--workers", "0", "--label", LABEL)
    return tables(out)


@pytest.fixture(scope="session")
def fleet_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fleet of some fifteen incidents, to be asked (:mod:`tests.fleet.made`)."""
    pytest.importorskip("duckdb", reason="the extra 'fleet' is not installed (make fleet)")
    from tests.fleet.made import bundles, write

    return write(tmp_path_factory.mktemp("asked") / "OUT", bundles())
