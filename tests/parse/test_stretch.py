"""A log that is cut in pieces gives what it gives in one pass, wherever it is cut."""

import io
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oomadvisor.parse import scan_file, source
from oomadvisor.parse.machine import LOOK_BACK
from oomadvisor.parse.scan import BEGINNING, Cut
from oomadvisor.parse.source import BlockSource
from oomadvisor.parse.stretch import Found, Spacing, Stretch, survey
from tests.parse.families import FAMILIES, rendered
from tests.parse.render import render
from tests.parse.states import make_incident
from tests.parse.test_scan import noise

EVERYWHERE = Spacing(text_bytes=0, incidents=0)


def plain(data: bytes, begin: int = 0, end: int | None = None) -> BlockSource:
    return BlockSource("log", io.BytesIO(data[begin:end]), plain=True)


def whole(data: bytes) -> list[Found]:
    with plain(data) as text:
        return list(Stretch(text).found())


def cuts_of(data: bytes, spacing: Spacing = EVERYWHERE, step: int = 1 << 60) -> list[Cut]:
    """All cuts, from surveys that each go on where the one before stopped."""
    cuts: list[Cut] = []
    while True:
        start = cuts[-1] if cuts else BEGINNING
        with plain(data, start.offset) as text:
            found = survey(text, start, spacing, start.offset + step)
        cuts += found.cuts
        if found.lines is not None:
            assert found.lines == data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
            return cuts


def pieces(data: bytes, cuts: list[Cut]) -> list[Found]:
    found: list[Found] = []
    for start, end in zip([BEGINNING, *cuts], [*cuts, None], strict=True):
        with plain(data, start.offset, None if end is None else end.after) as text:
            found += Stretch(text, start).found(to_the_end=end is None)
    return found


CALLER = "[ 12.345678][ T{n}] "
PREFIXES = ("", "[   12.345678] ", "Jan  9 03:14:15 box kernel: ", CALLER)


def a_log(plan: list[tuple[int, int, int, int, int]], *, banners: bool, finished: bool, long: int) -> bytes:
    """A log of reports, whole and damaged, of all generations of kernels, close together and far apart.

    Some have a line of ``long`` characters in them; of lines that fill many blocks the look-back keeps only the last.
    """
    lines: list[str] = []
    for gap, seed, head_lost, tail_lost, kind in plan:
        random = Random(seed)
        prefix = PREFIXES[kind % len(PREFIXES)].replace("{n}", str(seed % 3))
        lines += noise(seed, gap)
        if banners and seed % 3 == 0:
            lines.append(f"{prefix}Linux version 2.6.{25 + seed % 7} (x@y) #1")
        if kind >= len(PREFIXES):
            report = list(rendered(random.choice(FAMILIES), seed).lines)
        else:
            report = render(make_incident(seed, "arm"))
        kept = report[head_lost : max(len(report) - tail_lost, head_lost)]
        lines += [prefix + line for line in kept]
        if seed % 5 == 0:
            lines.insert(random.randrange(len(lines) + 1), "x" * long)
    text = "\n".join(lines)
    return (text + "\n" if finished else text).encode()


gaps = st.sampled_from([0, 0, 1, 3, 41, LOOK_BACK - 1, LOOK_BACK, LOOK_BACK + 1, 450])
lost = st.sampled_from([0, 0, 0, 1, 5, 30])
plans = st.lists(st.tuples(gaps, st.integers(0, 1 << 32), lost, lost, st.integers(0, 7)), max_size=6)


@given(
    plans, st.sampled_from([1 << 10, 1 << 13, 1 << 20]), st.booleans(), st.booleans(), st.randoms(use_true_random=False)
)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_log_cut_anywhere_gives_the_same(
    monkeypatch: pytest.MonkeyPatch,
    plan: list[tuple[int, int, int, int, int]],
    block: int,
    banners: bool,
    finished: bool,
    chooser: Random,
) -> None:
    monkeypatch.setattr(source, "BLOCK_BYTES", block)
    data = a_log(plan, banners=banners, finished=finished, long=70_000 if block == 1 << 20 else 300)
    expected = whole(data)
    cuts = cuts_of(data, step=chooser.choice([1, 5_000, 1 << 60]))
    assert pieces(data, cuts) == expected
    some = [cut for cut in cuts if chooser.random() < 0.4]
    assert pieces(data, some) == expected


def test_there_are_cuts_between_reports_and_in_the_quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "BLOCK_BYTES", 1 << 12)
    storm = [line for seed in range(20) for line in render(make_incident(seed, "arm"))]
    data = ("\n".join([*storm, *(line.replace("killed", "") for line in noise(1, 2_000)), *storm]) + "\n").encode()
    cuts = cuts_of(data)
    heads = [cut for cut in cuts if cut.after > cut.offset]
    assert len(heads) > 30
    assert len(cuts) - len(heads) > 5
    assert [cut.offset for cut in cuts] == sorted({cut.offset for cut in cuts})
    spaced = cuts_of(data, Spacing(text_bytes=1 << 60, incidents=8))
    assert [cut.found for cut in spaced] == [8, 16, 24, 32]
    file = tmp_path / "log"
    file.write_bytes(data)
    with BlockSource(str(file)) as text:
        assert [found.incident for found in Stretch(text).found()] == list(scan_file(str(file)))


def test_the_place_of_an_incident_is_where_its_first_line_begins() -> None:
    lines = ["ä noise", "x" * 300_000, *noise(3, 250), *("[ 1.25] " + x for x in render(make_incident(7, "arm")))]
    data = "\n".join(lines).encode() + b"\n"
    ((incident, offset, head),) = whole(data)
    assert offset is not None
    assert data[offset:].decode().startswith(head)
    assert data[:offset].count(b"\n") + 1 == incident.line
    assert head == lines[incident.line - 1]
