"""Boxes with several memory nodes: every node's zones are tested, and marks belong to all of them together."""

import pytest

from oomadvisor.advise import advise
from oomadvisor.book import load_book
from oomadvisor.facts import assess
from oomadvisor.infer.nodes import allowed_nodes, constraint_of
from oomadvisor.model import SystemState
from oomadvisor.model.state import LOWMEM_RESERVE_RATIO, MIN_FREE_KBYTES
from oomadvisor.simulate import NotReplayable, SetSysctl, apply
from tests.expert import nodes


def test_the_zones_of_every_node_are_tested() -> None:
    """By hand: 811 ≤ 500 + 390, 487 ≤ 500, 90013 > 1500."""
    verdicts = assess(nodes.state()).verdicts
    at = {(v.zone, v.node, v.mark): (v.ok, v.remaining_pages, v.bound_pages) for v in verdicts}
    assert list(dict.fromkeys(v.zone for v in verdicts)) == [
        "Node 0 Normal",
        "Node 0 DMA32",
        "Node 1 Normal",
    ]
    assert at["Node 0 DMA32", 0, "min"] == (False, 811, 890)
    assert at["Node 0 Normal", 0, "min"] == (False, 487, 500)
    assert at["Node 0 Normal", 0, "high"] == (False, 487, 750)
    assert at["Node 1 Normal", 1, "high"] == (True, 90013, 1500)


def test_the_marks_of_all_nodes_prove_min_free_kbytes() -> None:
    """By hand: 2000 or 2001 pages give 500, 500 and 1000. One node alone would have said 4000.

    The default is isqrt(16 * 4 * 400000): at boot, when it is computed, no marks are set yet.
    """
    tunables = nodes.state().tunables
    setting, ratio = tunables[MIN_FREE_KBYTES], tunables[f"{LOWMEM_RESERVE_RATIO}[DMA32]"]
    assert (setting.low, setting.high, setting.default) == (8000, 8007, 5059)
    assert (ratio.low, ratio.high, ratio.default) == (256, 256, 256)


@pytest.mark.parametrize(
    "state",
    [
        nodes.state(counted=200000),
        nodes.state(missing="Node 1 Normal", counted=91311),
        nodes.state(missing="Node 0 Normal", counted=91311),
    ],
    ids=["more is free than the zones show", "a node is not printed", "a zone is not printed"],
)
def test_where_a_zone_is_missing_nothing_is_said_of_the_marks(state: SystemState) -> None:
    """The zones that are left would prove another value: with node 0 alone 4000."""
    assert MIN_FREE_KBYTES not in state.tunables
    assessment = assess(state)
    assert assessment.verdicts
    assert assessment.thresholds == ()
    assert assessment.snap is not None
    with pytest.raises(NotReplayable, match="does not show all zones"):
        apply(assessment.snap, SetSysctl(MIN_FREE_KBYTES, (4000,)))


def test_a_change_moves_the_marks_of_every_node() -> None:
    snap = assess(nodes.state()).snap
    assert snap is not None
    after = apply(snap, SetSysctl(MIN_FREE_KBYTES, (16000,)))
    assert [(z.name, z.mark_min, z.mark_low, z.mark_high) for z in after.zones] == [
        ("Node 0 Normal", 1000, 1250, 1500),
        ("Node 0 DMA32", 1000, 1250, 1500),
        ("Node 1 Normal", 2000, 2500, 3000),
    ]
    kept = apply(snap, SetSysctl(LOWMEM_RESERVE_RATIO, (100, 32)))
    assert [(z.name, z.reserve) for z in kept.zones] == [
        ("Node 0 Normal", 0),
        ("Node 0 DMA32", 1000),
        ("Node 1 Normal", 0),
    ]


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        (nodes.state(), "allocation-constraint.by-nodes"),
        (nodes.state("4.9.100", nodes="0"), "allocation-constraint.known-nodes"),
        (nodes.state("5.10.20", nodes="0", constraint="CONSTRAINT_MEMORY_POLICY"), "allocation-constraint.known-nodes"),
        (nodes.state("5.10.20", mems_allowed="0", constraint="CONSTRAINT_CPUSET"), "allocation-constraint.known-nodes"),
        (nodes.state(free=(811, 487, 1200)), "memory-exhausted"),
        (nodes.state("5.10.20", free=(811, 487, 1200), constraint="CONSTRAINT_NONE"), "memory-exhausted"),
        (nodes.state("5.10.20", free=(811, 487, 9000), constraint="CONSTRAINT_NONE"), "memory-exhausted.probable"),
    ],
)
def test_why_it_killed(state: SystemState, cause: str) -> None:
    assert advise(state, load_book()).causes[0].rule == cause


@pytest.mark.parametrize(
    ("release", "told", "who", "left", "tested"),
    [
        ("4.9.100", {"nodes": "0"}, "memory policy", {0}, {0}),
        ("4.9.100", {"nodes": "0-1"}, None, {0, 1}, {0, 1}),
        ("4.9.100", {}, None, None, {0, 1}),
        ("4.9.100", {"mems_allowed": "0"}, None, None, {0, 1}),
        ("5.10.20", {"mems_allowed": "1", "constraint": "CONSTRAINT_CPUSET"}, "cpuset", {1}, {1}),
        ("5.10.20", {"constraint": "CONSTRAINT_MEMORY_POLICY"}, "memory policy", None, set()),
    ],
)
def test_only_the_nodes_that_are_left_are_tested(
    release: str, told: dict[str, str], who: str | None, left: set[int] | None, tested: set[int]
) -> None:
    """A policy whose nodes the report does not name leaves no verdict at all."""
    state = nodes.state(release, **told)  # type: ignore[arg-type]
    assert constraint_of(state.incident) == who
    assert allowed_nodes(state.incident) == left
    assert {v.node for v in assess(state).verdicts} == tested


def test_lines_of_both_nodes_are_found() -> None:
    state = nodes.state()
    lines = {zone.name: state.incident.origin(f"zones.{zone.node}.{zone.name}").line for zone in state.zones}
    text = nodes.report()
    assert {text[line - 1].split(" free:")[0] for line in lines.values()} == set(lines)
