"""The samples in the documentation of small functions are true."""

import doctest
from types import ModuleType

import pytest

from oomadvisor.cli import columns
from oomadvisor.present import markdown, printable


@pytest.mark.parametrize("module", [columns, markdown, printable], ids=lambda module: module.__name__)
def test_samples(module: ModuleType) -> None:
    failed, tried = doctest.testmod(module)
    assert tried > 0
    assert failed == 0
