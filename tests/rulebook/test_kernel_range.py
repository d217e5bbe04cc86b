"""Kernel ranges: reading them, and which hold nothing."""

import time

import pytest
from pydantic_core import PydanticCustomError

from oomadvisor.rulebook.kernel_range import KernelRange


@pytest.mark.parametrize(
    "text", ["", "4.4", "<4.4 >2", "<4.4,", "<4.x", "=4.4", "~4.4", "<4.4.4.4.4", "< 99999", "<-1", "<4.4;>2"]
)
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        KernelRange(text)
    assert caught.value.type == "bad-range"


@pytest.mark.parametrize(
    "text", [">=4.4,<4.0", ">=4.4,<4.4", ">4.4,<4.5", ">4.4,<=4.4", "==3.10,==3.11", "<0", ">=4,<3.9"]
)
def test_what_holds_nothing(text: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        KernelRange(text)
    assert caught.value.type == "empty-range"


@pytest.mark.parametrize(
    "text",
    [">=4.4,<4.5", ">4,<=5", ">=4.4,<=4.4", ">4.4,<4.6", "<0.0.1", ">2.6.31,<2.6.33", "==3.10", " < 4.4 , >= 2.6 "],
)
def test_what_holds_something(text: str) -> None:
    assert KernelRange(text) == text


def test_a_long_range_is_read_quickly() -> None:
    started = time.perf_counter()
    KernelRange(",".join([">2.6"] * 16))
    assert time.perf_counter() - started < 0.5
