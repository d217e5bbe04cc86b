"""A few seconds of the fuzzer; ``python -m tests.rulebook.fuzz`` is the long form."""

import os
import random
import time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.rulebook.fuzz import check_once


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_the_engine_agrees_with_the_definition(rng: random.Random) -> None:
    check_once(rng, most_rules=12, most_facts=10)


def test_the_engine_agrees_with_the_definition_on_large_books() -> None:
    end = time.monotonic() + float(os.environ.get("OOMADVISOR_FUZZ_SECONDS", "3"))
    totals, seed = [0, 0, 0], 20_000
    while time.monotonic() < end or seed < 20_010:
        totals = [a + b for a, b in zip(totals, check_once(random.Random(seed)), strict=True)]
        seed += 1
    # Books that are refused, or in which nothing fires, would prove nothing.
    assert totals[1] > totals[0] / 2
    assert totals[2] > totals[1]
