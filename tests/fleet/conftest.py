"""The fleet of the tests, written once."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def fleet_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fleet of some fifteen incidents (:mod:`tests.fleet.made`)."""
    for module in ("pyarrow", "duckdb"):
        pytest.importorskip(module, reason="the extra 'fleet' is not installed (make fleet)")
    from tests.fleet.made import bundles, write

    return write(tmp_path_factory.mktemp("fleet") / "OUT", bundles())
