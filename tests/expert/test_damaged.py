"""Damaged reports through the whole pipeline: never an exception, never a number that the whole report does not have."""

import pytest

from oomadvisor.advise import advise
from oomadvisor.book import engine_for, load_book
from oomadvisor.facts import assess
from oomadvisor.infer import build_state
from oomadvisor.model import IncidentAdvice
from oomadvisor.parse import read_incidents
from tests.expert.seed import SEED, seed_advice, seed_lines

BOOK = load_book()
ENGINE = engine_for(BOOK)
TEXT = SEED.read_text(encoding="utf-8")


def advice_on(text: str) -> list[IncidentAdvice]:
    lines = text.splitlines(keepends=True)
    return [advise(build_state(i), BOOK, engine=ENGINE) for i in read_incidents(lines, file="cut.txt")]


@pytest.mark.parametrize("end", range(0, len(TEXT), 61))
def test_a_report_cut_at_any_byte_is_advised_on_as_far_as_it_goes(end: int) -> None:
    whole = {(v.zone, v.mark, v.order): v for v in seed_advice().order_verdicts}
    for advice in advice_on(TEXT[:end]):
        for verdict in advice.verdicts:
            assert verdict == whole[verdict.zone, verdict.mark, verdict.order]
        for name, tunable in advice.tunables.items():
            complete = seed_advice().tunables[name]
            assert tunable.low is not None
            assert complete.low is not None
            assert tunable.low <= complete.low, name


@pytest.mark.parametrize("missing", range(len(seed_lines())))
def test_any_one_line_may_be_missing(missing: int) -> None:
    lines = seed_lines()
    del lines[missing]
    for advice in advice_on("".join(lines)):
        assert [v for v in advice.verdicts if v.ok and v.order == 2] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2358*4kB", "1000000000*4kB"),
        ("2358*4kB", "-2358*4kB"),
        ("order=2", "order=99999999999999999999"),
        ("order=2", "order=13"),
        ("order=2", "order=-1"),
        ("gfp_mask=0xd0", "gfp_mask=0xffffffff"),
        ("gfp_mask=0xd0", "gfp_mask=0x3"),
        ("free:17128kB", "free:-4kB"),
        ("present:97536kB", "present:0kB"),
        ("present:97536kB", "present:18446744073709551612kB"),
        ("min:1560kB", "min:4294967292kB"),
        ("lowmem_reserve[]: 0 158 158", "lowmem_reserve[]: 0 158"),
        ("lowmem_reserve[]: 0 158 158", "lowmem_reserve[]: -1 4294967295 0 0 0 0"),
        ("DMA free", "DMA32 free"),
        ("Normal", "DMA"),
        ("CPU 0: hi: 18", "CPU 0: hi: 99999999"),
        ("65536 pages of RAM", "0 pages of RAM"),
        ("Total swap = 0kB", "Total swap = -1kB"),
        ("free:9998", "free:-2147483648"),
    ],
)
def test_absurd_values_are_survived(old: str, new: str) -> None:
    assert old in TEXT
    for advice in advice_on(TEXT.replace(old, new)):
        assert advice.summary


def test_a_marks_line_alone_gives_no_verdict() -> None:
    (incident,) = read_incidents([seed_lines()[0], seed_lines()[28]], file="two.txt")
    assert assess(build_state(incident)).snap is None
