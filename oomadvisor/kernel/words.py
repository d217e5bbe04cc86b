"""C's machine words: numbers that wrap, divisions that truncate, and the kernel's integer square root."""

from math import isqrt

__all__ = ["INT_MAX", "PAGE_KB", "PAGE_SHIFT", "PAGE_SIZE", "div_trunc", "int_sqrt", "signed", "unsigned"]

PAGE_SHIFT = 12
PAGE_SIZE = 1 << PAGE_SHIFT
PAGE_KB = PAGE_SIZE >> 10
INT_MAX = (1 << 31) - 1


def unsigned(value: int, bits: int = 32) -> int:
    """Return what an unsigned word of ``bits`` holds after ``value`` was stored in it.

    >>> unsigned(-1)
    4294967295
    """
    return value & ((1 << bits) - 1)


def signed(value: int, bits: int = 32) -> int:
    """Return what a signed word of ``bits`` holds after ``value`` was stored in it.

    >>> signed(0xFFFFFFFF)
    -1
    """
    sign = 1 << (bits - 1)
    return ((value & (2 * sign - 1)) ^ sign) - sign


def div_trunc(value: int, by: int) -> int:
    """Return ``value / by`` as C divides signed numbers: towards zero (Python rounds down).

    >>> div_trunc(-3, 2)
    -1
    """
    quotient = abs(value) // abs(by)
    return quotient if (value < 0) == (by < 0) else -quotient


def int_sqrt(value: int) -> int:
    """Return the largest integer whose square is not above ``value`` (lib/int_sqrt.c: int_sqrt, 2.6.31)."""
    return isqrt(value)
