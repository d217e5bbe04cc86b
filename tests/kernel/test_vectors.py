"""The kernel functions against the outputs of the real ones; and the comparison against rows that lie."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from oomadvisor.kernel.family import Family
from oomadvisor.kernel.series import functions_for
from tests.checks.conformance import find_jobs_of, first_mismatch, read_seed, read_table, run_file
from tests.kernel.cases import CASES, Case, Row
from tests.kernel.sample import VECTORS, VERSIONS, rows, rows_of, version_files
from tests.kernel.seed_case import NOT_FROM_THESE_NUMBERS, SEED
from tests.kernel.version_cases import TABLES, VERSION_CASES


@pytest.fixture(scope="module")
def kernel() -> Family:
    family = functions_for((2, 6, 31, 12))
    assert family is not None
    return family


def test_every_family_has_a_sample() -> None:
    assert {path.name.split(".")[0] for path in VECTORS.glob("*.jsonl.gz")} == set(CASES)


@pytest.mark.parametrize("family", sorted(CASES))
def test_sample(family: str, kernel: Family) -> None:
    found = [str(mismatch) for row in rows(family) if (mismatch := first_mismatch(row, CASES[family], kernel))]
    assert found == []


def test_seed(kernel: Family) -> None:
    assert first_mismatch(read_seed(VECTORS / "seed.json"), SEED, kernel) is None


def tampered(value: Any) -> Any:
    """Return the value with one number or word in it changed."""
    if isinstance(value, bool | int):
        return value + 1
    if isinstance(value, str):
        return value + "?"
    if isinstance(value, dict):
        key = next(key for key in value if value[key] is not None)
        return {**value, key: tampered(value[key])}
    if value:
        return [*value[:-1], tampered(value[-1])]
    return [0]


def outputs(row: Row, case: Case, kernel: Family) -> list[str]:
    """Return the fields of the row that the case compares with something."""
    names = {name.partition(".")[0].partition("[")[0].partition(" ")[0] for name, _, _ in case.compare(row, kernel)}
    return sorted(names & row.keys())


@pytest.mark.parametrize("family", sorted(CASES))
def test_a_wrong_output_is_noticed(family: str, kernel: Family) -> None:
    case, row = CASES[family], rows(family)[-1]
    compared = outputs(row, case, kernel)
    assert compared
    for name in compared:
        lying = {**row, name: tampered(row[name])}
        assert first_mismatch(lying, case, kernel) is not None, name


def test_every_expected_value_of_the_seed_counts(kernel: Family) -> None:
    row = read_seed(VECTORS / "seed.json")
    for name, value in row["expected"].items():
        lying = deepcopy(row)
        lying["expected"][name] = tampered(value)
        noticed = first_mismatch(lying, SEED, kernel) is not None
        assert noticed == (name not in NOT_FROM_THESE_NUMBERS), name


VERSION_FILES = sorted(path for path in VERSIONS.iterdir() if path.suffix in (".gz", ".json"))


def test_every_kind_of_the_other_series_has_a_sample() -> None:
    kinds = {path.name.partition("-")[0] for path in VERSION_FILES if path.suffix == ".gz"}
    assert kinds == set(VERSION_CASES)
    assert {path.name for path in VERSION_FILES if path.suffix == ".json"} == set(TABLES)


@pytest.mark.parametrize("path", VERSION_FILES, ids=lambda path: path.name)
def test_sample_of_the_other_series(path: Path) -> None:
    (job,), not_run = find_jobs_of([path])
    assert not_run == []
    result = run_file(job)
    assert result.unusable is None
    assert [str(mismatch) for mismatch in result.shown] == []
    assert result.rows > 30


@pytest.mark.parametrize("kind", sorted(VERSION_CASES))
def test_a_wrong_output_of_another_series_is_noticed(kind: str) -> None:
    case = VERSION_CASES[kind]
    for path, family in version_files(kind):
        row = rows_of(path)[-1]
        compared = outputs(row, case, family)
        assert compared
        for name in compared:
            lying = {**row, name: 1 - row[name] if name == "ok" else tampered(row[name] or 0)}
            assert first_mismatch(lying, case, family) is not None, (path.name, name)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_wrong_entry_of_a_table_is_noticed(name: str) -> None:
    shape, rows_in, case = TABLES[name]
    document = read_table(VERSIONS / name, shape)
    noticed = 0
    for series, row in rows_in(document):
        family = functions_for(tuple(map(int, series.split("."))))
        assert family is not None
        for field, _, value in list(case.compare(row, family)):
            if "bits" in row:
                lying = {**row, "bits": {**row["bits"], field: value + 1}}
            else:
                lying = {**row, field: not value if isinstance(value, bool) else tampered(value or 0)}
            assert first_mismatch(lying, case, family) is not None, (series, field)
            noticed += 1
    assert noticed > 80
