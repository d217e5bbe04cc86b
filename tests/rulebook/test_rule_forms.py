"""Everything that a rule may say, read into the right values."""

import pytest

from oomadvisor.rulebook.change import (
    FreeChange,
    Freed,
    LargestPassing,
    OperationChange,
    SysctlChange,
    TaskChange,
    Unsimulated,
)
from oomadvisor.rulebook.condition import Absent, AnyOf, Compare, CompareField, OneOf, Pattern
from oomadvisor.rulebook.load import load_book, require
from oomadvisor.rulebook.rule import Case, Derived, Reference, Rule
from tests.rulebook.books import note, rules_of
from tests.rulebook.toy import KINDS, SCOPES

FULL = """
schema: 1
pack: {name: site, title: Rules of our site}
rules:
  - id: fragmentation.fork
    kind: cause
    title: "  Too few blocks  "
    status: experimental
    tags: [fragmentation, arm]
    applies: {kernel: ">=2.6.26,<2.6.35", arch: [arm]}
    params: {low: 1, mark: fails_in_order_loop, certain: true}
    when:
      - request: {order: {ge: {param: low}}, order0_passes_high: {param: certain}}
      - zone: {high: {one_of: [passes, {param: mark}]}, free_pages: {ge: 1, lt: 9000}, min_pages: {le: {field: free_pages}}}
        as: lowest
      - not: {swap: {}}
      - any:
          - {zone: {name: DMA}, as: other}
          - {zone: {name: {ne: Normal}}, as: other}
    derive: {cause: fragmentation, confidence: high, fact: {pressure: {zone: lowest.name, level: 3, grave: true, sort: order}}}
    explain: >
      {{lowest.free_pages|n}} pages, order {{request.order}}, from {{params.low}}.
    sources: [watermark-scaled-by-order, "mm/page_alloc.c"]
    tests:
      - {name: seed, report: seed.txt, fires: true}
      - {name: low, given: [{request: {order: 0}}], fires: false, with: {low: 2}}
  - id: lower-min
    kind: fix
    title: Lower it
    when: [{cause: {name: fragmentation}}, {pressure: {grave: true}}]
    fix:
      kind: sysctl
      repairs: cause
      cost: none
      risk: low
      changes:
        - {sysctl: vm.min_free_kbytes, to: 2039}
        - {sysctl: vm.min_free_kbytes, to: default}
        - {sysctl: vm.lowmem_reserve_ratio, to: 1 1}
        - {sysctl: vm.min_free_kbytes, to: {largest_passing: high, in: every-zone, at_most: default, operation: workload}}
        - {sysctl: vm.min_free_kbytes, to: {largest_passing: min, at_most: 2039}}
        - {free: {from: tmpfs, mb: 4}}
        - {operation: vfork+exec}
        - {task: realtime}
      commands: ["sysctl -w vm.min_free_kbytes={{outcome.value}}"]
      price: "{{outcome.value|kb}}"
      risk_text: none to speak of
      undo: put it back
      measured: [seed-2039]
      conflicts_with: [raise-min]
    explain: because of {{cause.name}}
  - id: raise-min
    kind: fix
    title: Raise it
    when: [{request: {}}]
    fix: {kind: advice, repairs: symptom, cost: high, risk: high, undo: u, changes: [{unsimulated: "{{request.order}} up"}]}
    explain: e
  - id: more-min-helps
    kind: refutation
    title: Raising it
    when: [{request: {}}]
    refute:
      advice: raise it
      judged: false
      replay: [{sysctl: vm.min_free_kbytes, to: 8192}]
      numbers: {order: request.order, found: outcome.value}
      measured: [seed-8192]
    explain: e
"""


@pytest.fixture(scope="module")
def rules() -> dict[str, Rule]:
    book = require(load_book([("x", FULL)], KINDS, scopes=SCOPES))
    return {rule.id: rule for rule in book.rules}


def test_no_problem_is_told() -> None:
    assert load_book([("x", FULL)], KINDS, scopes=SCOPES)[1] == []


def test_a_cause(rules: dict[str, Rule]) -> None:
    rule = rules["fragmentation.fork"]
    assert rule.cause == "fragmentation"
    assert rule.title == "Too few blocks"
    assert (rule.status, rule.tags, rule.place) == ("experimental", ("fragmentation", "arm"), "x:5")
    assert rule.derive is not None
    assert (rule.derive.cause, rule.derive.confidence, rule.derive.role) == ("fragmentation", "high", "decides")
    assert rule.derives == (
        Derived("cause", (("name", "fragmentation"), ("confidence", "high"), ("role", "decides"))),
        Derived("pressure", (("zone", Reference("lowest", "name")), ("level", 3), ("grave", True), ("sort", "order"))),
    )
    assert rule.explain == "{{lowest.free_pages|n}} pages, order {{request.order}}, from {{params.low}}."
    assert rule.sources == ("watermark-scaled-by-order", "mm/page_alloc.c")


def test_conditions(rules: dict[str, Rule]) -> None:
    assert rules["fragmentation.fork"].when == (
        Pattern(
            "request",
            "request",
            (Compare("order", "ge", 1, "low"), Compare("order0_passes_high", "eq", True, "certain")),
        ),
        Pattern(
            "zone",
            "lowest",
            (
                OneOf("high", ("passes", "fails_in_order_loop"), (None, "mark")),
                Compare("free_pages", "ge", 1),
                Compare("free_pages", "lt", 9000),
                CompareField("min_pages", "le", "free_pages"),
            ),
        ),
        Absent("swap"),
        AnyOf(
            (
                Pattern("zone", "other", (Compare("name", "eq", "DMA"),)),
                Pattern("zone", "other", (Compare("name", "ne", "Normal"),)),
            )
        ),
    )
    ways = rules["fragmentation.fork"].conjunctions
    assert [[pattern.alias for pattern in way.patterns] for way in ways] == [["request", "lowest", "other"]] * 2
    assert [way.absent for way in ways] == [(Absent("swap"),)] * 2


def test_changes(rules: dict[str, Rule]) -> None:
    fix = rules["lower-min"].fix
    assert fix is not None
    assert fix.changes == (
        SysctlChange(sysctl="vm.min_free_kbytes", to=2039),
        SysctlChange(sysctl="vm.min_free_kbytes", to="default"),
        SysctlChange(sysctl="vm.lowmem_reserve_ratio", to="1 1"),
        SysctlChange(
            sysctl="vm.min_free_kbytes",
            to=LargestPassing(largest_passing="high", zones="every-zone", at_most="default", operation="workload"),
        ),
        SysctlChange(
            sysctl="vm.min_free_kbytes",
            to=LargestPassing(largest_passing="min", zones="some-zone", at_most=2039, operation="request"),
        ),
        FreeChange(free=Freed(source="tmpfs", mb=4)),
        OperationChange(operation="vfork+exec"),
        TaskChange(task="realtime"),
    )
    assert (fix.undo, fix.measured, fix.conflicts_with) == ("put it back", ("seed-2039",), ("raise-min",))
    advice = rules["raise-min"].fix
    assert advice is not None
    assert advice.changes == (Unsimulated(unsimulated="{{request.order}} up"),)


def test_templates_are_listed_with_their_places(rules: dict[str, Rule]) -> None:
    assert [path for path, _ in rules["lower-min"].templates()] == [
        ("explain",),
        ("fix", "undo"),
        ("fix", "price"),
        ("fix", "risk_text"),
        ("fix", "commands", 0),
    ]
    assert (("fix", "changes", 0, "unsimulated"), "{{request.order}} up") in rules["raise-min"].templates()
    assert (("refute", "advice"), "raise it") in rules["more-min-helps"].templates()


def test_a_refutation(rules: dict[str, Rule]) -> None:
    refute = rules["more-min-helps"].refute
    assert refute is not None
    assert refute.judged == "false"
    assert refute.numbers == {"order": "request.order", "found": "outcome.value"}
    assert refute.replay == (SysctlChange(sysctl="vm.min_free_kbytes", to=8192),)


@pytest.mark.parametrize(("written", "judged"), [("true", "true"), ("false", "false"), ("half true", "half true"), ("beside the point", "beside the point"), ("'true'", "true")])  # fmt: skip
def test_judgements(written: str, judged: str) -> None:
    text = (
        note("r", "request: {}")
        .replace("kind: note", "kind: refutation")
        .replace("note: {topic: finding}", f"refute: {{advice: a, judged: {written}}}")
    )
    (rule,) = rules_of(text)
    assert rule.refute is not None
    assert rule.refute.judged == judged


def test_tests(rules: dict[str, Rule]) -> None:
    assert rules["fragmentation.fork"].tests == (
        Case(name="seed", report="seed.txt", fires=True),
        Case(name="low", given=({"request": {"order": 0}},), fires=False, params={"low": 2}),
    )


def test_a_cause_is_called_like_its_rule_unless_it_says_otherwise() -> None:
    (rule,) = rules_of(
        note("slab-leak", "request: {}")
        .replace("kind: note", "kind: cause")
        .replace("note: {topic: finding}", "derive: {confidence: low, role: background}")
    )
    assert rule.cause == "slab-leak"
    assert rule.derives == (Derived("cause", (("name", "slab-leak"), ("confidence", "low"), ("role", "background"))),)


def test_short_forms_of_equality() -> None:
    (rule,) = rules_of(
        note("r", "zone: {name: {field: label}, free_pages: {param: few}}", more="    params: {few: 3}\n")
    )
    (zone,) = rule.when
    assert isinstance(zone, Pattern)
    assert zone.tests == (CompareField("name", "eq", "label"), Compare("free_pages", "eq", 3, "few"))


def test_extremes_are_possible() -> None:
    most = 2**63 - 1
    rules_of(note("r", f"request: {{order: {{gt: {-most}, lt: {most}}}}}", f"zone: {{name: {'x' * 1024}}}"))
    rules_of(note("r", *(f"{{zone: {{free_pages: {n}}}, as: z{n}}}" for n in range(8))))
    rules_of(note("r", f"request: {{order: {{one_of: {list(range(32))}}}}}"))
    rules_of(note("r", "any: [" + ", ".join(f"zone: {{free_pages: {n}}}" for n in range(16)) + "]"))
