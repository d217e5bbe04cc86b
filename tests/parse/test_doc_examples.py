"""The examples in the docstrings are true."""

import doctest
import importlib
import pkgutil

import pytest

import oomadvisor.parse

MODULES = [info.name for info in pkgutil.walk_packages(oomadvisor.parse.__path__, "oomadvisor.parse.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_exported_names_exist_and_are_listed() -> None:
    exported = oomadvisor.parse.__all__
    assert exported == sorted(exported)
    for name in exported:
        assert getattr(oomadvisor.parse, name).__module__.startswith("oomadvisor.parse")
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        oomadvisor.parse.nonsense  # noqa: B018
