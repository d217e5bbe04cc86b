"""What happened when it was tried on a real kernel: rates, their uncertainty, and the ground they stand on."""

from dataclasses import dataclass
from functools import cache
from math import sqrt
from typing import Any

from oomadvisor.knowledge.files import read


@dataclass(frozen=True, slots=True)
class MeasuredRate:
    """A measured result: ``successes`` of ``trials`` (None for a finding that is not a rate)."""

    id: str
    text: str
    state: str
    source: str
    rate_of: str | None
    trials: int | None
    successes: int | None

    def wilson_permille(self) -> tuple[int, int] | None:
        """Return the 95 % Wilson score interval of the rate in permille, rounded outwards.

        >>> MeasuredRate("x", "", "", "", None, 797, 795).wilson_permille()
        (990, 1000)
        """
        if not self.trials or self.successes is None:
            return None
        n, p, z = self.trials, self.successes / self.trials, 1.959964
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return max(int((centre - half) * 1000), 0), min(-int(-(centre + half) * 1000 // 1), 1000)


@cache
def measured_rates() -> dict[str, MeasuredRate]:
    """Return every measured result by id."""
    return {
        row["id"]: MeasuredRate(
            id=row["id"],
            text=row["text"],
            state=row["state"],
            source=row["source"],
            rate_of=row.get("class"),
            trials=row.get("trials"),
            successes=row.get("successes"),
        )
        for row in read("evidence")["evidence"]
    }


def measured_ground() -> dict[str, Any]:
    """Return the conditions under which everything was measured: kernel, arch, smp, swap, and ``text`` for people."""
    conditions = read("evidence")["conditions"]
    return {**conditions["ground"], "text": conditions["text"]}
