"""C's words."""

import doctest
from importlib import import_module
from pkgutil import iter_modules

import pytest

import oomadvisor.kernel
from oomadvisor.kernel.words import div_trunc, int_sqrt, signed, unsigned


@pytest.mark.parametrize(
    ("value", "bits", "as_unsigned", "as_signed"),
    [
        (-1, 32, (1 << 32) - 1, -1),
        (1 << 31, 32, 1 << 31, -(1 << 31)),
        ((1 << 31) - 1, 32, (1 << 31) - 1, (1 << 31) - 1),
        (1 << 32, 32, 0, 0),
        (-(1 << 31) - 1, 32, (1 << 31) - 1, (1 << 31) - 1),
        (1 << 32, 64, 1 << 32, 1 << 32),
        (-1, 64, (1 << 64) - 1, -1),
    ],
)
def test_wrapping(value: int, bits: int, as_unsigned: int, as_signed: int) -> None:
    assert unsigned(value, bits) == as_unsigned
    assert signed(value, bits) == as_signed


@pytest.mark.parametrize(
    ("value", "by", "quotient"), [(7, 2, 3), (-7, 2, -3), (7, -2, -3), (-7, -2, 3), (-1, 4, 0), (0, 4, 0)]
)
def test_division_truncates(value: int, by: int, quotient: int) -> None:
    assert div_trunc(value, by) == quotient


@pytest.mark.parametrize(("value", "root"), [(0, 0), (1, 1), (3, 1), (4, 2), (4161600, 2040), (4161599, 2039)])
def test_square_root(value: int, root: int) -> None:
    assert int_sqrt(value) == root


@pytest.mark.parametrize("name", [module.name for module in iter_modules(oomadvisor.kernel.__path__)])
def test_examples_in_the_docstrings(name: str) -> None:
    failed, _ = doctest.testmod(import_module(f"oomadvisor.kernel.{name}"))
    assert failed == 0
