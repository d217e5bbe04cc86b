"""The rows of tests/vectors, read once."""

from functools import cache
from pathlib import Path

from tests.checks.conformance import read_rows
from tests.kernel.cases import CASES, Row

VECTORS = Path(__file__).parent.parent / "vectors"


@cache
def rows(family: str) -> tuple[Row, ...]:
    """Return the sample of a family."""
    return tuple(read_rows(VECTORS / f"{family}.jsonl.gz", CASES[family]))
