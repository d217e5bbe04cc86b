"""The commands are run as in tests/cli."""

from tests.cli.conftest import here, seed

__all__ = ["here", "seed"]
