"""The rows of tests/vectors and tests/vectors-versions, read once."""

from functools import cache
from pathlib import Path

from oomadvisor.kernel.family import Family
from oomadvisor.kernel.series import functions_for
from tests.checks.conformance import VECTOR_FILE, read_rows, tree_of
from tests.kernel.cases import CASES, Row
from tests.kernel.version_cases import VERSION_CASES

VECTORS = Path(__file__).parent.parent / "vectors"
VERSIONS = Path(__file__).parent.parent / "vectors-versions"


@cache
def rows(family: str) -> tuple[Row, ...]:
    """Return the sample of 2.6.31's rows of a kind."""
    return tuple(read_rows(VECTORS / f"{family}.jsonl.gz", CASES[family]))


def version_files(kind: str) -> list[tuple[Path, Family]]:
    """Return the samples of a kind with the family of each, oldest first."""
    found = []
    for path in VERSIONS.glob(f"{kind}-*.jsonl.gz"):
        named = VECTOR_FILE.fullmatch(path.name)
        assert named is not None
        version = tree_of(named["version"])
        family = functions_for(version)
        assert family is not None
        found.append((version, path, family))
    return [(path, family) for _, path, family in sorted(found, key=lambda item: item[0])]


@cache
def rows_of(path: Path) -> tuple[Row, ...]:
    """Return the rows of such a file."""
    return tuple(read_rows(path, VERSION_CASES[path.name.partition("-")[0]]))
