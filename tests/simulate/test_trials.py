"""The check of the real machine's own numbers: it agrees with our logs, survives damaged ones, and can fail."""

import gzip
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.checks import trials, whatif
from tests.checks.consolelog import read_log
from tests.simulate.boxes import RUNS

LAST = re.compile(
    r"trials: (\d+) trials, (\d+) comparisons, wrong (\d+); ENOMEM foretold (\d+) of (\d+) \((\d+) left open\); real-time (\d+) of (\d+)"
)


def last_line(out: str) -> tuple[int, ...]:
    found = LAST.fullmatch(out.splitlines()[-1])
    assert found, out
    return tuple(map(int, found.groups()))


def folder_of(tmp_path: Path, name: str, change: Callable[[bytes], bytes] = lambda text: text) -> Path:
    """Return a folder with one log, its text changed, and the rows of the table about it.

    A second one tells what the first may leave out: how large the zones are, and how much a task is charged.
    """
    if name not in ("frag1", "frag4"):
        shutil.copy(RUNS / "frag4.log.gz", tmp_path)
    text = gzip.decompress((RUNS / f"{name}.log.gz").read_bytes())
    (tmp_path / f"{name}.log.gz").write_bytes(gzip.compress(change(text)))
    head, *rows = (RUNS / "trials.tsv").read_text(encoding="utf-8").splitlines()
    kept = [head, *(row for row in rows if row.startswith(f"{name}\t"))]
    (tmp_path / "trials.tsv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    return tmp_path


def test_our_own_runs_agree_bit_for_bit(capsys: pytest.CaptureFixture[str]) -> None:
    assert trials.main([str(RUNS)]) == 0
    out = capsys.readouterr().out
    assert last_line(out) == (265, 168718, 0, 17, 17, 3, 25, 25)
    assert "outcome left open between two: 28\n" in out


def test_only_the_trials_own_logs_tell_what_a_task_is_charged() -> None:
    """Other logs hold other programs: one that gives back 5000 pages must not widen what is said of these forks."""
    logs = trials.read_folder(RUNS)
    assert logs.task_pages == (157, 158)


def test_a_log_of_another_program_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_of(tmp_path, "frag2")
    trials.main([str(folder)])
    before = capsys.readouterr().out.splitlines()[-2:]
    (folder / "seed").mkdir()
    (folder / "seed" / "other.log").write_text("Committed_AS: 40000 kB\nCommitted_AS: 20000 kB\n", encoding="utf-8")
    trials.main([str(folder)])
    assert capsys.readouterr().out.splitlines()[-2:] == before


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (rb"free 161 pcp 19 min 562 ", rb"free 161 pcp 19 min 563 ", "marks: 1 of 3 differ"),
        (rb"reserve 0 1270 1270 ", rb"reserve 0 1271 1270 ", "reserves: 1 of 3 differ"),
        (rb"(WMOK \w+ classzone 1 flags HARDER min )1", rb"\g<1>0", "verdicts: 1 of 33 differ"),
        (rb" wm_low_normal=1 ", b" wm_low_normal=0 ", "verdicts: 1 of 6 differ"),
        # No min_free_kbytes gives 6 and 8: a share of 6 pages gives 7.
        (rb"(STATE ZONE DMA free 161 pcp 19 min 6 low) 7 ", rb"\1 8 ", "marks, setting not said: 3 of 3 differ"),
    ],
)
def test_one_number_that_differs_is_told(
    old: bytes, new: bytes, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def change(text: bytes) -> bytes:
        changed, count = re.subn(old, new, text, count=1)
        assert count == 1
        return changed

    assert trials.main([str(folder_of(tmp_path, "frag2", change))]) == 1
    out = capsys.readouterr().out
    assert told in out
    assert last_line(out)[2] >= 1


def test_a_single_allocation_that_went_otherwise_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_of(tmp_path, "sweep3", lambda text: text.replace(b"got=1 zone=Normal", b"got=1 zone=DMA", 1))
    assert trials.main([str(folder)]) == 1
    assert "single allocations: 1 of 2 differ" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("log", "old", "new"),
    [
        ("frag2", "ENOMEM", "ok"),
        ("frag2", "ENOMEM", "OOM_KILLED_SELF"),
        ("frag2", "\tok\t", "\tENOMEM\t"),
        ("frag1", "OOM_KILLED_SELF", "ok"),
        ("frag1", "\tok\t", "\tOOM_KILLED_SELF\t"),
        ("frag1", "\tok\t", "\tvanished\t"),
        ("frag1", "\tfork\t", "\tclone3\t"),
    ],
)
def test_a_trial_that_went_otherwise_is_wrong(
    log: str, old: str, new: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of(tmp_path, log)
    head, *rows = (folder / "trials.tsv").read_text(encoding="utf-8").splitlines()
    # Of frag2 the log leaves 7 and 32 open: 138 pages are there for a task of 157, its stack included.
    open_rows = ("frag2\t7\t", "frag2\t32\t")
    changed = [row.replace(old, new) for row in rows if old in row and not row.startswith(open_rows)][-1]
    (folder / "trials.tsv").write_text(f"{head}\n{changed}\n", encoding="utf-8")
    assert trials.main([str(folder)]) == 1
    out = capsys.readouterr().out
    assert last_line(out)[2] == 1
    assert "trials.tsv:2: " in out


def test_real_time_tasks_are_judged_with_their_privilege(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same lists and settings under another name: without ALLOC_HARDER the killer would have come (frag1, 33, 34)."""
    folder = folder_of(tmp_path, "frag1", lambda text: text.replace(b"=RT_task", b"=ordinary"))
    trials.main([str(folder)])
    assert last_line(capsys.readouterr().out)[6:] == (0, 0)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.replace(b"TRIAL id=1 ", b"TR\0IAL id=\0\x001 "), None),
        (lambda text: text.replace(b"\n", b"\r\n"), None),
        (lambda text: b"\xff\xfe\x80" + text, None),
        (lambda text: text[: len(text) // 2], "not foretold"),
        (lambda text: text.replace(b" all_unreclaimable 0", b"", 3), "the line is not whole"),
        (lambda text: text.replace(b"present", b"absent"), "the zones' sizes or the kernel are not known"),
        (lambda text: text.replace(b"2.6.31.12", b"3.14.1"), "the zones' sizes or the kernel are not known"),
        (lambda text: text[:0], "not foretold"),
    ],
    ids=["nul", "crlf", "binary", "half", "cut", "no sizes", "kernel", "empty"],
)
def test_a_damaged_log_is_read_as_far_as_it_goes(
    change: Callable[[bytes], bytes], told: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of(tmp_path, "frag1", change)
    assert trials.main([str(folder)]) == 0
    out = capsys.readouterr().out
    assert last_line(out)[0] == 36
    if told is None:
        assert last_line(out) == (36, 20544, 0, 1, 1, 0, 10, 10)
    else:
        assert told in out


def test_a_cut_archive_is_read_up_to_the_cut(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_of(tmp_path, "frag1")
    whole = (folder / "frag1.log.gz").read_bytes()
    (folder / "frag1.log.gz").write_bytes(whole[: len(whole) * 3 // 4])
    assert trials.main([str(folder)]) == 0
    assert "damaged or cut off after line" in capsys.readouterr().out


@pytest.mark.parametrize(
    "line",
    [
        b"ZONE DMA free " + b"9" * 5000 + b" pcp 0 min 0 low 0 high 0 reserve 0 nr_free 0 all_unreclaimable 0",
        b"ZONE DMA free 1 pcp 1 min 1 low 1 high 1 reserve 0 nr_free" + b" 1" * 9000 + b" all_unreclaimable 0",
        b"PRE ZONE DMA free 99999999999999999 pcp 99999999999999999 min 1 low 1 high 1 reserve 0 9999999999 9999999999 "
        b"nr_free 0 0 99999999999999999 0 0 0 0 0 0 0 0 all_unreclaimable 0",
        b"ZONE Moon free 1 pcp 1 min 1 low 1 high 1 reserve 0 0 0 nr_free 1 all_unreclaimable 0",
        b"WMOK DMA classzone 9 flags none min 1 low 1 high 1",
        b"WMOK DMA classzone 1 flags none min " + b"1" * 60000 + b" low 1 high 1",
        b"TRIAL id= min_free_kbytes=x order=99999999999999999999 gfp=x",
        b"SWEEP id=x order=-3 gfp=-1 got=1 zone=DMA min_free_kbytes=-5 lowmem_reserve_ratio=1,2,3,4,5",
        b"SETTING min_free_kbytes_written=1 readback=-99999999",
        b"x" * 200000,
    ],
)
def test_no_line_stops_the_check(line: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_of(tmp_path, "frag1", lambda text: text.replace(b"POST ZONE", line + b"\nPOST ZONE", 2))
    assert trials.main([str(folder)]) in (0, 1)
    assert last_line(capsys.readouterr().out)[0] == 36


def test_a_log_without_end_is_read_up_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.checks.consolelog.MAX_BYTES", 1000)
    (tmp_path / "long.log").write_bytes(b"Total pages: 7\n" * 1000)
    log = read_log(tmp_path / "long.log")
    assert log.total_pages == 7
    assert log.damage is not None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "expected the columns"),
        ("log\tid\n", "expected the columns"),
        ("\t".join(trials.COLUMNS) + "\nfrag1\t1\n", "trials.tsv:2: expected as many values"),
    ],
)
def test_a_table_that_cannot_be_read_ends_with_3(
    text: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "trials.tsv").write_text(text, encoding="utf-8")
    assert trials.main([str(tmp_path)]) == 3
    assert told in capsys.readouterr().err


def test_a_folder_without_trials_ends_with_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert trials.main([str(tmp_path)]) == 3
    assert "expected trials.tsv or console logs" in capsys.readouterr().err


def test_whatif_fails_when_a_trial_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_of(tmp_path, "frag2", lambda text: text.replace(b"low 702", b"low 703", 1))
    shutil.copy(RUNS / "whatif.jsonl.gz", folder)
    assert whatif.main([str(folder)]) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("whatif: 499 rows, certain-but-failed 0")
