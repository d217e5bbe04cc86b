"""The commands are run as in tests/cli."""

from tests.cli.conftest import here, seed, three_incidents

__all__ = ["here", "seed", "three_incidents"]
