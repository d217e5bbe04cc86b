"""Why a rule fired or did not."""

import pytest

from oomadvisor.rulebook.kinds import Fact
from oomadvisor.rulebook.why import conditions, why_not
from tests.rulebook.books import cause, note, rules_of
from tests.rulebook.toy import RequestFact, SwapFact, ZoneFact

DMA = ZoneFact(name="DMA", free_pages=97, high="passes", key="DMA")
NORMAL = ZoneFact(name="Normal", free_pages=3, key="Normal")
REQUEST = RequestFact(order=2)


@pytest.mark.parametrize(
    ("items", "facts", "reason"),
    [
        (["swap: {}"], [DMA], "no swap is known"),
        (["swap: {free_kb: {gt: 0}}"], [SwapFact(free_kb=0)], "no swap with free_kb > 0 (free_kb is 0)"),
        (["swap: {free_kb: {gt: 0}}"], [SwapFact()], "no swap with free_kb > 0 (free_kb is not known)"),
        (["zone: {high: fails_at_order0}"], [DMA, NORMAL], "no zone with high = fails_at_order0 (DMA: high is passes; Normal: high is not known)"),
        (["zone: {name: DMA, free_pages: {lt: 9}}"], [DMA, NORMAL], "no zone with name = DMA and free_pages < 9 (DMA: free_pages is 97)"),
        (["zone: {name: DMA, eligible: false, free_pages: {lt: 9}}"], [DMA, NORMAL], "no zone with name = DMA and eligible = false and free_pages < 9 (DMA: eligible is true, free_pages is 97)"),
        (["zone: {name: DMA, free_pages: {lt: 9}, high: fails_at_order0}"], [NORMAL, DMA], "no zone with name = DMA and free_pages < 9 and high = fails_at_order0 (DMA: free_pages is 97, high is passes)"),
        (["zone: {name: DMA, min_pages: 0, free_pages: {lt: 9}}"], [ZoneFact(name="Normal", free_pages=50, key="Normal"), DMA], "no zone with name = DMA and min_pages = 0 and free_pages < 9 (DMA: free_pages is 97)"),
        (["zone: {}", "not: {zone: {name: DMA}}"], [DMA], "there is a zone with name = DMA: DMA"),
        (["not: {request: {order: {one_of: [1, 2]}}}"], [REQUEST], "there is a request with order one of 1, 2"),
        (["any: [swap: {}, zone: {name: x}]"], [DMA], "none of: no swap is known; no zone with name = x (DMA: name is DMA)"),
        (["request: {}", "swap: {}"], [REQUEST], "no swap is known"),
        (["{zone: {}, as: a}", "{zone: {}, as: b}"], [DMA], "each condition holds by itself, but not with a fact of its own for each"),
        (["zone: {free_pages: {lt: {field: min_pages}}}"], [NORMAL], "no zone with free_pages < min_pages (Normal: free_pages is 3)"),
        (["zone: {name: x}"], [ZoneFact(name=str(n), free_pages=n) for n in range(5)], "no zone with name = x (name is 0; name is 1; name is 2; and 2 more)"),
    ],
)  # fmt: skip
def test_the_first_condition_that_fails(items: list[str], facts: list[Fact], reason: str) -> None:
    (rule,) = rules_of(note("r", *items))
    assert why_not(rule, facts) == reason


def test_a_fix_without_its_cause() -> None:
    _, rule = rules_of(cause("a", "swap: {}"), note("r", "cause: {name: a}"))
    assert why_not(rule, [DMA]) == "no cause is known"


@pytest.mark.parametrize(
    ("item", "facts", "holds", "details"),
    [
        ("zone: {free_pages: {ge: 9}}", [DMA, NORMAL], True, ("DMA: free_pages = 97",)),
        ("zone: {free_pages: {ge: {param: low}}, name: {one_of: [DMA, {param: other}]}}", [DMA], True,
         ("DMA: free_pages = 97, name = DMA (parameter low = 3, other = Normal)",)),
        ("zone: {free_pages: {gt: {field: min_pages}}}", [NORMAL], True, ("Normal: free_pages = 3, min_pages = 0",)),
        ("zone: {}", [DMA], True, ("DMA",)),
        ("zone: {name: x}", [DMA, NORMAL], False, ("DMA: name is DMA", "Normal: name is Normal")),
        ("not: {zone: {name: x}}", [DMA], True, ("there is none",)),
        ("not: {zone: {name: DMA}}", [DMA], False, ("DMA: name = DMA",)),
        ("any: [swap: {}, zone: {name: DMA}]", [DMA], True, ("DMA: name = DMA",)),
        ("any: [swap: {}, zone: {name: x}]", [DMA], False, ("no swap is known", "DMA: name is DMA")),
        ("zone: {}", [ZoneFact(name=str(n), free_pages=n, key=str(n)) for n in range(5)], True, ("0", "1", "2", "and 2 more")),
    ],
)  # fmt: skip
def test_a_condition_and_what_the_facts_say_of_it(
    item: str, facts: list[Fact], holds: bool, details: tuple[str, ...]
) -> None:
    used = [name for name in ("low", "other") if name in item]
    params = "".join(f"      {name}: {value}\n" for name, value in (("low", 3), ("other", "Normal")) if name in used)
    (rule,) = rules_of(note("r", item, more=f"    params:\n{params}" if params else ""))
    (looked,) = conditions(rule, facts)
    assert (looked.holds, looked.details) == (holds, details)
