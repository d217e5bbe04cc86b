"""The advice for the seed report, made once."""

from pathlib import Path

import pytest

from oomadvisor import __version__
from oomadvisor.model import Advice

SEED = Path(__file__).parents[2] / "examples" / "seed-2.6.31-arm-order2.txt"


@pytest.fixture(scope="session")
def seed_advice() -> Advice:
    from oomadvisor.advise import advise
    from oomadvisor.book import load_book
    from oomadvisor.infer import build_state
    from oomadvisor.parse import scan_file

    (incident,) = scan_file(str(SEED))
    return Advice(
        incidents=(advise(build_state(incident), load_book()),), incidents_found=1, engine="test", version=__version__
    )
