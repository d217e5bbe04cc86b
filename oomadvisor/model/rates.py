"""The uncertainty of a measured share."""

from math import sqrt

Z_95 = 1.959964


def wilson_permille(successes: int, trials: int) -> tuple[int, int]:
    """Return the 95 % Wilson score interval of ``successes`` of ``trials`` in permille, rounded outwards.

    >>> wilson_permille(795, 797)
    (990, 1000)
    >>> wilson_permille(0, 0)
    (0, 1000)
    """
    if trials == 0:
        return 0, 1000
    share = successes / trials
    centre = (share + Z_95 * Z_95 / (2 * trials)) / (1 + Z_95 * Z_95 / trials)
    half = Z_95 * sqrt(share * (1 - share) / trials + Z_95 * Z_95 / (4 * trials * trials)) / (1 + Z_95 * Z_95 / trials)
    return max(int((centre - half) * 1000), 0), min(-int(-(centre + half) * 1000 // 1), 1000)
