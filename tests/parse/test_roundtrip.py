"""What is written as a report and read again is the same state, whatever happened to the lines in between."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from oomadvisor.model import Incident
from oomadvisor.parse import read_incidents
from tests.parse.compare import assert_nothing_invented, plain
from tests.parse.states import reports

FEW = settings(max_examples=40, deadline=None)


def read(lines: list[str]) -> list[Incident]:
    return list(read_incidents((line + "\n" for line in lines), file="made-up"))


def read_one(lines: list[str]) -> Incident:
    found = read(lines)
    assert len(found) == 1
    return found[0]


@given(reports)
@settings(max_examples=80, deadline=None)
def test_a_rendered_report_reads_as_the_state_it_was_rendered_from(made: tuple[Incident, list[str]]) -> None:
    state, lines = made
    found = read_one(lines)
    assert plain(found) == plain(state)
    assert found.missing == ()
    # The made-up zones do not have the per-cpu list sizes that belong to their present pages.
    assert {warning.code for warning in found.warnings} <= {"percpu-size"}


@given(reports, reports)
@FEW
def test_two_reports_in_a_row_are_two_incidents(
    first: tuple[Incident, list[str]], second: tuple[Incident, list[str]]
) -> None:
    found = read([*first[1], *second[1]])
    assert [plain(incident) for incident in found] == [plain(first[0]), plain(second[0])]
    assert [incident.number for incident in found] == [1, 2]
    assert found[1].line == len(first[1]) + 1


PREFIXES = (
    "Jan  1 00:17:21 box kernel: ",
    "Jan  1 00:17:21 (none) user.warn kernel: ",
    "Jan  1 00:17:21 box kernel: [   12.345678] ",
    "2031-02-03T04:05:06.123456+01:00 box kernel: ",
    "[   12.345678] ",
    "[   12.345678][ T1662] ",
    "[   12.345678] [ T1662] ",
    "<4>[   12.345678] ",
    "<4>",
    "4,1234,5678901,-;",
    "[Fri Feb  3 04:05:06 2031] ",
    "02-03 04:05:06.789 <4>[   12.345678] c0 ",
    "02-03 04:05:06.789   123   456 W kernel  : ",
    "> ",
    "> > ",
    ">> > Jan  1 00:17:21 box kernel: ",
    "kernel: ",
    "\u00a0\u2009 ",
)


@given(reports, st.sampled_from(PREFIXES))
@FEW
def test_prefixes_change_nothing(made: tuple[Incident, list[str]], prefix: str) -> None:
    state, lines = made
    assert plain(read_one([prefix + line for line in lines])) == plain(state)


@given(reports, st.sampled_from(["\r", "   ", "\t", "\u00a0", "\x00"]))
@FEW
def test_line_ends_change_nothing(made: tuple[Incident, list[str]], end: str) -> None:
    state, lines = made
    assert plain(read_one([line + end for line in lines])) == plain(state)


@given(reports)
@FEW
def test_collapsed_white_space_changes_nothing(made: tuple[Incident, list[str]]) -> None:
    state, lines = made
    assert plain(read_one([re.sub(r"\s+", " ", line).strip() for line in lines])) == plain(state)


NOISE = (
    "",
    "usb 1-1: new high speed USB device using ehci and address 7",
    "sshd[812]: Accepted publickey for root from 10.1.2.3 port 4022",
    "wlan0: no IPv6 routers present",
    "powerd: battery at 61 %, 3 of 4 ok",
    "cvm[44]: out of range: 4096 kB of 8192 kB free",
)


@given(reports, st.data())
@FEW
def test_lines_of_other_programs_in_between_change_nothing(
    made: tuple[Incident, list[str]], data: st.DataObject
) -> None:
    state, lines = made
    noisy: list[str] = []
    for line in lines:
        noisy += data.draw(st.lists(st.sampled_from(NOISE), max_size=2))
        noisy.append("Jan  1 00:17:21 box kernel: " + line)
    assert plain(read_one(noisy)) == plain(state)


@given(reports, st.data())
@settings(max_examples=80, deadline=None)
def test_what_survives_a_loss_of_lines_at_either_end_reads_the_same(
    made: tuple[Incident, list[str]], data: st.DataObject
) -> None:
    state, lines = made
    begin = data.draw(st.integers(0, len(lines) - 1))
    end = data.draw(st.integers(begin + 1, len(lines)))
    found = read(lines[begin:end])
    assert len(found) <= 1
    for incident in found:
        assert_nothing_invented(incident, state)
        if begin > 0:
            assert "header" in incident.missing
            assert incident.request.gfp_mask is None


@given(reports, st.integers(60, 90), st.sampled_from(["", "> "]))
@FEW
def test_wrapping_at_blanks_is_undone_or_reported(made: tuple[Incident, list[str]], width: int, quote: str) -> None:
    state, lines = made
    wrapped: list[str] = []
    for line in lines:
        words, row = line.split(" "), ""
        for word in words:
            if row.strip() and len(row) + len(word) > width:
                wrapped.append(quote + row.rstrip())
                row = ""
            row += word + " "
        wrapped.append(quote + row.rstrip())
    found = read_one(wrapped)
    assert_nothing_invented(found, state)
    assert [zone.free_blocks for zone in found.zones] == [zone.free_blocks for zone in state.zones]
    assert [zone.marks for zone in found.zones] == [zone.marks for zone in state.zones]
    if any(len(line) > width for line in lines):
        assert any(warning.code == "rejoined-lines" for warning in found.warnings)


@given(reports, st.integers(70, 100))
@FEW
def test_wrapping_in_the_middle_of_words_is_undone_or_reported(made: tuple[Incident, list[str]], width: int) -> None:
    state, lines = made
    wrapped = [line[start : start + width] for line in lines for start in range(0, max(len(line), 1), width)]
    found = read_one(wrapped)
    assert_nothing_invented(found, state)
    for truth in state.zones:
        zone = next(z for z in found.zones if (z.node, z.name) == (truth.node, truth.name))
        assert zone.marks == truth.marks
        # Where two counts may have been glued together the printed total decides, and it may not be able to.
        assert zone.free_blocks in (None, truth.free_blocks)
