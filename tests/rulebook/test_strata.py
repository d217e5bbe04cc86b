"""Absence: decided before it is used, over facts of the report and over facts that rules derive."""

import time

import pytest

from oomadvisor.rulebook.engine import Backend
from oomadvisor.rulebook.errors import Problem
from oomadvisor.rulebook.load import load_book
from oomadvisor.rulebook.strata import EntangledError, NegationCycleError, levels
from tests.rulebook import toy
from tests.rulebook.books import cause, fired, note, rules_of
from tests.rulebook.toy import KINDS, PressureFact, RequestFact, SwapFact, ZoneFact

REQUEST = RequestFact(order=2)
ZONE = ZoneFact(name="DMA", free_pages=97)
SWAP = SwapFact(free_kb=0)


def problems_of(*rules: str) -> list[Problem]:
    return load_book([("x", "schema: 1\nrules:\n" + "".join(rules))], KINDS)[1]


@pytest.fixture(params=["durable", "matcher"])
def backend(request: pytest.FixtureRequest) -> Backend:
    return request.param  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [([ZONE], ["r"]), ([ZONE, SWAP], []), ([SWAP, ZONE], []), ([SWAP], []), ([], [])],
)
def test_a_fact_and_the_absence_of_another_in_any_order(
    facts: list[ZoneFact], expected: list[str], backend: Backend
) -> None:
    assert fired(rules_of(note("r", "zone: {}", "not: {swap: {}}")), facts, backend) == expected


@pytest.mark.parametrize(
    "items", [("not: {swap: {}}", "zone: {}"), ("not: {swap: {}}",), ("not: {swap: {}}", "not: {request: {}}")]
)
def test_absence_first_and_absence_alone(items: tuple[str, ...], backend: Backend) -> None:
    rules = rules_of(note("r", *items))
    assert fired(rules, [ZONE], backend) == ["r"]
    assert fired(rules, [SWAP, ZONE], backend) == []


def test_a_rule_without_absence_keeps_firing_beside_one_with(backend: Backend) -> None:
    rules = rules_of(note("r", "{zone: {}, as: e}", "not: {swap: {}}"), note("s", "{zone: {}, as: e}"))
    assert fired(rules, [ZONE, SWAP], backend) == ["s"]


def test_the_same_absence_twice_is_one(backend: Backend) -> None:
    assert fired(rules_of(note("r", "zone: {}", "not: {swap: {}}", "not: {swap: {}}")), [ZONE], backend) == ["r"]


def test_absence_of_a_condition_not_of_a_kind(backend: Backend) -> None:
    rules = rules_of(note("r", "not: {zone: {name: Normal}}"))
    assert fired(rules, [ZONE], backend) == ["r"]
    assert fired(rules, [ZoneFact(name="Normal", free_pages=1)], backend) == []


def test_a_chain_of_absences_over_derived_facts(backend: Backend) -> None:
    rules = rules_of(
        note("third", "not: {cause: {name: second}}"),
        cause("second", "zone: {}", "not: {cause: {name: first}}"),
        cause("first", "request: {order: {ge: 1}}"),
    )
    assert levels(rules) == (2, 1, 0)
    assert fired(rules, [ZONE, REQUEST], backend) == ["third", "first"]
    assert fired(rules, [ZONE], backend) == ["second"]
    assert fired(rules, [], backend) == ["third"]


def test_a_derived_fact_reaches_rules_of_every_stratum(backend: Backend) -> None:
    rules = rules_of(
        note("late", "cause: {name: b}", "not: {swap: {}}"),
        cause("b", "cause: {name: a}", "not: {cause: {name: c}}"),
        cause("a", "request: {}"),
        cause("c", "swap: {}"),
    )
    assert fired(rules, [REQUEST], backend) == ["late", "b", "a"]
    assert fired(rules, [REQUEST, SWAP], backend) == ["a", "c"]


def test_names_of_causes_are_told_apart_so_that_a_cause_may_exclude_another(backend: Backend) -> None:
    rules = rules_of(cause("a", "zone: {}", "not: {cause: {name: b}}"), cause("b", "swap: {}"))
    assert levels(rules) == (1, 0)
    assert fired(rules, [ZONE], backend) == ["a"]


@pytest.mark.parametrize(
    ("rules", "cycle"),
    [
        ((cause("a", "zone: {}", "not: {cause: {name: a}}"),), "a"),
        (
            (cause("a", "zone: {}", "not: {cause: {name: b}}"), cause("b", "zone: {}", "not: {cause: {name: a}}")),
            "a, b",
        ),
        ((cause("a", "zone: {}", "not: {cause: {}}"),), "a"),
        (
            (cause("a", "not: {cause: {name: c}}"), cause("b", "cause: {name: a}"), cause("c", "cause: {name: b}")),
            "a, b, c",
        ),
        ((note("x", "cause: {name: a}"), cause("a", "any: [{zone: {}}, {not: {cause: {name: a}}}]")), "a"),
    ],
)
def test_rules_that_wait_for_each_other_are_refused(rules: tuple[str, ...], cycle: str) -> None:
    problems = problems_of(*rules)
    assert [problem.code for problem in problems] == ["negation-cycle"]
    assert problems[0].text.endswith(f": {cycle}")


def test_rules_that_help_each_other_are_not_a_cycle(backend: Backend) -> None:
    rules = rules_of(cause("a", "any: [cause: {name: b}, zone: {}]"), cause("b", "cause: {name: a}"))
    assert fired(rules, [ZONE], backend) == ["a", "a", "b"]


def test_a_reference_may_be_any_value_and_so_may_close_a_cycle() -> None:
    made = "    derive: {fact: {pressure: {zone: zone.name, level: 1}}}\n"
    assert problems_of(note("a", "zone: {}", "not: {pressure: {zone: DMA}}", more=made))[0].code == "negation-cycle"
    assert problems_of(note("a", "zone: {}", "not: {pressure: {level: 2}}", more=made))[0].code == "always-absent"


def test_given_facts_of_a_derived_kind_count_too(backend: Backend) -> None:
    made = "    derive: {fact: {pressure: {zone: zone.name, level: 1}}}\n"
    rules = rules_of(
        note("a", "zone: {}", more=made), note("b", "pressure: {level: 1}"), note("c", "not: {pressure: {zone: DMA}}")
    )
    assert fired(rules, [PressureFact(zone="DMA", level=1)], backend) == ["b"]
    assert fired(rules, [PressureFact(zone="DMA", level=1), ZONE], backend) == ["a", "b"]
    assert fired(rules, [], backend) == ["c"]


def test_engines_refuse_cycles_as_well() -> None:
    rules = (*rules_of(cause("a", "not: {cause: {name: b}}"), cause("b", "zone: {}")), *rules_of(note("x", "zone: {}")))
    swapped = [*rules_of(cause("b", "not: {cause: {name: a}}"), cause("a", "zone: {}"))][:1]
    with pytest.raises(NegationCycleError) as caught:
        toy_engine([rules[0], *swapped])
    assert caught.value.rules == ("a", "b")


def toy_engine(rules: list[object]) -> None:
    from oomadvisor.rulebook.engine import Engine

    Engine(rules, toy.KINDS)  # type: ignore[arg-type]


def test_a_long_chain_is_ordered_quickly() -> None:
    chain = [cause("c0", "zone: {}")] + [cause(f"c{n}", f"not: {{cause: {{name: c{n - 1}}}}}") for n in range(1, 1000)]
    started = time.perf_counter()
    assert levels(rules_of(*chain)) == tuple(range(1000))
    assert time.perf_counter() - started < 10


def test_rules_that_all_look_at_each_other_are_refused_in_good_time() -> None:
    tangle = [
        cause(f"c{n}", f"cause: {{name: {{ne: x{n}}}}}", f"not: {{cause: {{name: {{ne: y{n}}}}}}}") for n in range(1000)
    ]
    started = time.perf_counter()
    problems = problems_of(*tangle)
    assert [problem.code for problem in problems] == ["too-entangled"]
    assert time.perf_counter() - started < 20
    assert EntangledError.__doc__
