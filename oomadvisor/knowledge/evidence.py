"""What happened when it was tried on a real kernel: rates, their uncertainty, and the ground they stand on."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from oomadvisor.knowledge.files import read
from oomadvisor.model.rates import wilson_permille


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
        return wilson_permille(self.successes, self.trials)


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
