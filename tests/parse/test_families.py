"""Reports of every family of kernels are read as they were printed, and after damage as less, but never otherwise."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oomadvisor.model import Incident
from oomadvisor.parse import narrowed, read_incidents
from tests.parse.families import FAMILIES, GROUPS, Family, Group, Report, rendered, rendered_group
from tests.parse.flat import flat
from tests.parse.operators import HARMFUL, HARMLESS, with_dropped_characters

seeds = st.integers(0, 1 << 32)
families = st.sampled_from(FAMILIES)
groups = st.builds(rendered_group, st.sampled_from(GROUPS), seeds)
reports = groups | st.builds(
    lambda family, seed, failure, numa: rendered(family, seed, failure=failure, numa=numa),
    families,
    seeds,
    st.booleans(),
    st.booleans(),
)


def read(lines: list[str]) -> list[Incident]:
    return list(read_incidents((line + "\n" for line in lines), file="made-up"))


def told(lines: list[str]) -> dict[str, object]:
    (incident,) = read(lines)
    return flat(incident)


def differences(found: list[Incident], truth: dict[str, object]) -> list[tuple[str, object, object]]:
    """Return what was read that was not printed. Of a name with a blank in it the second half may be lost."""
    wrong = []
    for incident in found:
        for path, value in flat(incident).items():
            there = truth.get(path)
            if path == "kind" or value == there:
                continue
            tuples = path.startswith("tasks.") and isinstance(value, tuple) and isinstance(there, tuple)
            if tuples and there[0].startswith(value[0]) and there[1:] == value[1:]:
                continue
            wrong.append((path, value, there))
    return wrong


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@given(seed=seeds, failure=st.booleans(), numa=st.booleans())
@settings(max_examples=15, deadline=None)
def test_what_a_kernel_prints_is_what_is_read(family: Family, seed: int, failure: bool, numa: bool) -> None:
    report = rendered(family, seed, failure=failure, numa=numa)
    (incident,) = read(report.lines)
    found = flat(incident)
    printed = {path: value for path, value in report.expected.items() if value != ()}
    assert {path: found.get(path) for path in printed} == printed
    # The made-up zones do not have the per-cpu list sizes that belong to their pages.
    assert {warning.code for warning in incident.warnings} <= {"percpu-size"}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@pytest.mark.parametrize("failure", [False, True], ids=["kill", "failure"])
def test_the_forms_narrow_the_kernel_to_the_one_that_printed_them(family: Family, failure: bool) -> None:
    (incident,) = read(rendered(family, 1, failure=failure).lines)
    release = tuple(int(part) for part in family.release.split("."))
    found = narrowed(incident.forms)
    assert found.oldest is not None
    assert found.oldest <= release
    assert found.newest is None or release[: len(found.newest)] <= found.newest
    assert found.contradicted is None
    assert (found.newest is None) == (family.until is None)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
@given(seed=seeds)
@settings(max_examples=15, deadline=None)
def test_what_a_kernel_prints_of_a_group_is_what_is_read(group: Group, seed: int) -> None:
    report = rendered_group(group, seed)
    found = told(report.lines)
    printed = {path: value for path, value in report.expected.items() if value != ()}
    assert {path: found.get(path) for path in printed} == printed


@pytest.mark.parametrize("name", HARMLESS)
@given(report=reports, seed=seeds)
@settings(max_examples=6, deadline=None)
def test_nothing_is_lost_behind(name: str, report: Report, seed: int) -> None:
    assert told(HARMLESS[name](report.lines, Random(seed))) == told(report.lines)


@pytest.mark.parametrize("name", HARMFUL)
@given(report=reports, seed=seeds)
@settings(max_examples=30, deadline=None)
def test_what_survives_is_the_same(name: str, report: Report, seed: int) -> None:
    assert differences(read(HARMFUL[name](report.lines, Random(seed))), told(report.lines)) == []


@given(
    report=reports, seed=seeds, harm=st.sampled_from(sorted(HARMFUL)), before=st.sampled_from(["[   12.345678] ", "> "])
)
@settings(max_examples=100, deadline=None)
def test_what_survives_behind_prefixes_is_the_same(report: Report, seed: int, harm: str, before: str) -> None:
    lines = HARMFUL[harm]([before + line for line in report.lines], Random(seed))
    assert differences(read(lines), told(report.lines)) == []


_SYSLOG = "Jan  1 00:17:21 box kernel: "


@pytest.mark.parametrize(
    ("name", "seed", "failure", "numa", "before", "width", "lost"),
    [
        ("2.6.13-2.6.18", 920895, False, True, _SYSLOG, 51, "request.comm"),
        ("3.18-3.19", 734449, True, False, _SYSLOG, 64, "percpu.0.HighMem.1.used"),
        ("5.17-6.0", 658392, True, False, _SYSLOG, 50, "trailer.vendor.pages HighMem/Mo"),
        ("6.8-6.18", 281782, False, True, _SYSLOG, 53, "zones.0.HighMem.reserve_pages"),
        ("memcg v1, 4.19", 636839, False, False, "> ", 52, "memcg.failcnt"),
        ("memcg v2, 6.6", 302773, False, False, "> ", 64, "kill.name"),
    ],
)
def test_the_last_word_of_a_line_cut_where_others_are_is_not_known(
    name: str, seed: int, failure: bool, numa: bool, before: str, width: int, lost: str
) -> None:
    """It looks whole: 5 of 5572, ``HighMem/Mo``. Only that other lines end at the same column tells."""
    groups = [rendered_group(group, seed) for group in GROUPS if group.name == name]
    made = groups or [rendered(one, seed, failure=failure, numa=numa) for one in FAMILIES if one.name == name]
    (report,) = made
    (incident,) = read([(before + line)[:width] for line in report.lines])
    assert differences([incident], told(report.lines)) == []
    assert lost not in flat(incident)


@given(first=reports, second=reports, seed=seeds)
@settings(max_examples=60, deadline=None)
def test_reports_that_name_their_callers_come_apart(first: Report, second: Report, seed: int) -> None:
    mixed = by_turns(["[   12.345678][  T11] " + line for line in first.lines], second, seed, "[   12.345678][   C1] ")
    found = read(mixed)
    assert sorted((sorted(flat(one).items(), key=str) for one in found), key=str) == sorted(
        (sorted(told(report.lines).items(), key=str) for report in (first, second)), key=str
    )


@given(family=families, seed=seeds, other=seeds)
@settings(max_examples=60, deadline=None)
def test_two_failures_by_turns_are_never_mixed_into_one(family: Family, seed: int, other: int) -> None:
    first, second = rendered(family, seed, failure=True), rendered(family, other, failure=True)
    found = read(by_turns(first.lines, second, seed))
    truths = [told(report.lines) for report in (first, second)]
    for incident in found:
        if incident.counters is not None:
            # Whoever has counters has all else from the same report.
            parts = {path: value for path, value in flat(incident).items() if path.startswith(("counters", "zones"))}
            assert any(parts.items() <= truth.items() for truth in truths)


def by_turns(lines: list[str], other: Report, seed: int, before: str = "") -> list[str]:
    """Return the lines of two reports by turns, each in its own order, the heads next to each other."""
    random, rest = Random(seed), [before + line for line in other.lines]
    out, queues = [lines[0], rest[0]], [lines[1:], rest[1:]]
    while any(queues):
        queue = random.choice([queue for queue in queues if queue])
        out.append(queue.pop(0))
    return out


@given(report=reports, seed=seeds)
@settings(max_examples=150, deadline=None)
def test_a_number_that_lost_a_digit_is_mended_or_unknown(report: Report, seed: int) -> None:
    """Only what the report says twice can be checked: the free blocks and the free pages."""
    truth = told(report.lines)
    for incident in read(with_dropped_characters(report.lines, Random(seed))):
        for path, value in flat(incident).items():
            if path.endswith(("free_blocks", "printed_total_kb")) and path in truth:
                assert value == truth[path]
