"""The kernel functions against the outputs of the real ones; and the comparison against rows that lie."""

from copy import deepcopy
from typing import Any

import pytest

from oomadvisor.kernel.series import Family, functions_for
from tests.checks.conformance import first_mismatch, read_seed
from tests.kernel.cases import CASES, Case, Row
from tests.kernel.sample import VECTORS, rows
from tests.kernel.seed_case import NOT_FROM_THESE_NUMBERS, SEED


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
