"""The command that counts the measured rates anew: what it writes, what it refuses, and that the file is up to date."""

import gzip
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from oomadvisor import knowledge
from tests.checks import evidence
from tests.simulate.boxes import RUNS, trial_rows

FILE = evidence.EVIDENCE


def entries(path: Path) -> dict[str, dict[str, object]]:
    return {entry["id"]: entry for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["evidence"]}


def copy_of_file(tmp_path: Path, change: Callable[[str], str] = lambda text: text) -> Path:
    target = tmp_path / "evidence.yaml"
    target.write_text(change(FILE.read_text(encoding="utf-8")), encoding="utf-8")
    return target


def small_folder(tmp_path: Path, *, reports: int = 40) -> Path:
    """Return a folder with the first reports and all boots."""
    folder = tmp_path / "runs"
    (folder / "seed").mkdir(parents=True)
    lines = gzip.decompress((RUNS / "whatif.jsonl.gz").read_bytes()).splitlines(keepends=True)[:reports]
    (folder / "whatif.jsonl").write_bytes(b"".join(lines))
    shutil.copy(RUNS / "seed" / "trials.tsv", folder / "seed")
    return folder


def test_the_file_is_what_our_runs_give(capsys: pytest.CaptureFixture[str]) -> None:
    assert evidence.main([str(RUNS), "--check"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "evidence: 499 reports, 551 boots, 20 fixes; evidence.yaml up to date"


def test_the_boots_of_an_entry_are_those_of_the_table() -> None:
    """Counted by hand, from the columns alone."""
    rows = trial_rows()
    deleted = [row for row in rows if row["fix"] == "del1" and row["layout"] == "inter"]
    assert entries(FILE)["free-tmpfs-1"]["rows"] == {
        "trials": len(deleted),
        "successes": sum(row["outcome"] == "ok" for row in deleted),
    }
    columns = ("fix", "how", "layout", "unmovable_singles")
    default = [row for row in rows if tuple(row[name] for name in columns) == ("mf2039", "fork", "inter", "0")]
    children = {row["children_before_first_oom"] for row in default}
    assert children == {"13", "14"}
    assert "13 or 14 children stayed alive" in knowledge.measured_rates()["default-mark"].text


def test_only_numbers_change(tmp_path: Path) -> None:
    target = copy_of_file(tmp_path)
    assert evidence.main([str(small_folder(tmp_path)), str(target)]) == 0
    before, after = FILE.read_text(encoding="utf-8"), target.read_text(encoding="utf-8")
    assert before != after
    assert re.sub(r"\d+", "0", before) == re.sub(r"\d+", "0", after)
    assert evidence.main([str(tmp_path / "runs"), str(target), "--check"]) == 0
    written = yaml.safe_load(after)
    assert written["series"]["reports"] == {"trials": 1036, "rows": 40}
    assert (written["evidence"][0]["trials"], written["evidence"][0]["successes"]) == (797, 795)


def test_check_shows_the_difference_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = copy_of_file(
        tmp_path, lambda text: text.replace("trials: 30, successes: 30}", "trials: 29, successes: 28}")
    )
    before = target.read_bytes()
    assert evidence.main([str(RUNS), str(target), "--check"]) == 1
    assert target.read_bytes() == before
    out = capsys.readouterr().out
    assert "+  - {id: free-tmpfs-4, trials: 30, successes: 30, rows: {trials: 30, successes: 30}" in out
    assert out.splitlines()[-1].endswith("evidence.yaml out of date")


def test_a_folder_that_holds_the_whole_series_gives_the_totals_too(tmp_path: Path) -> None:
    target = copy_of_file(
        tmp_path, lambda text: text.replace("trials: 1036", "trials: 499").replace("trials: 635", "trials: 551")
    )
    assert evidence.main([str(RUNS), str(target)]) == 0
    found = entries(target)
    # By the marks alone, as the series counted: all 256 + 4 + 203 + 27 that pass at HIGH, the two failures among them.
    assert (found["class-certain"]["trials"], found["class-certain"]["successes"]) == (492, 490)
    assert found["class-certain"]["rows"] == {"trials": 459, "successes": 459}
    assert (found["compressed-swap"]["trials"], found["compressed-swap"]["successes"]) == (14, 14)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("trials: 797, successes: 795", "trials: 797, successes: 796"), "class-certain"),
        (("trials: 626, successes: 0", "trials: 300, successes: 0"), "class-no-effect"),
        (("trials: 30, successes: 30", "trials: 30, successes: 29"), "free-tmpfs-4"),
        (("trials: 30, successes: 30", "trials: 29, successes: 29"), "free-tmpfs-4"),
        (("trials: 10, successes: 5", "trials: 12, successes: 8"), "free-tmpfs-1"),
        (("reports: {trials: 1036", "reports: {trials: 498"), "499 reports, but the whole series has 498"),
    ],
)
def test_rows_that_contradict_a_total_are_refused(
    change: tuple[str, str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = copy_of_file(tmp_path, lambda text: text.replace(*change, 1))
    before = target.read_bytes()
    assert evidence.main([str(RUNS), str(target)]) == 1
    captured = capsys.readouterr()
    assert told in captured.err
    assert "not written" in captured.err
    assert captured.out == ""
    assert target.read_bytes() == before


def test_an_outcome_that_no_class_allows_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A boot at the unchanged mark that went on: 0 of 626 leaves no room for it."""
    folder = small_folder(tmp_path)
    path = folder / "seed" / "trials.tsv"
    head, *rows = path.read_text(encoding="utf-8").splitlines()
    names = head.split("\t")
    cells = next(row.split("\t") for row in rows if row.split("\t")[2] == "mf8192")
    cells[names.index("outcome")] = "ok"
    path.write_text("\n".join((head, "\t".join(cells))) + "\n", encoding="utf-8")
    assert evidence.main([str(folder), str(copy_of_file(tmp_path))]) == 1
    assert "class-no-effect" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("whatif.jsonl", None, "expected a file whatif.jsonl"),
        ("whatif.jsonl", b"{", "whatif.jsonl:1: expected an object"),
        ("whatif.jsonl", b'{"report": 1, "apply": {}, "outcome": "ok"}\n', "whatif.jsonl:1: expected report (text)"),
        ("whatif.jsonl", b'{"report": "x", "apply": {}, "outcome": "ok"}\n', "expected a report that can be replayed"),
        ("whatif.jsonl", b"\xff\xfe\n", "codec can't decode"),
        ("seed/trials.tsv", None, "No such file"),
        ("seed/trials.tsv", b"", "expected a line of names"),
        ("seed/trials.tsv", b"fix\thow\nnone\tfork\n", "trials.tsv:2: expected a boot with its free lists"),
        ("seed/trials.tsv", b"fix\thow\nnone\n", "trials.tsv:2: expected a boot"),
    ],
)
def test_a_folder_that_cannot_be_counted_ends_with_3(
    file: str, text: bytes | None, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, target = small_folder(tmp_path), copy_of_file(tmp_path)
    if text is None:
        (folder / file).unlink()
    else:
        (folder / file).write_bytes(text)
    assert evidence.main([str(folder), str(target)]) == 3
    assert told in capsys.readouterr().err
    assert target.read_bytes() == FILE.read_bytes()


@pytest.mark.parametrize(
    "text",
    ["", "[", "evidence: []", "series: 1\nevidence: 2", "a: &a [*a]", "\x00", None],
)
def test_a_file_that_is_none_ends_with_3(text: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "evidence.yaml"
    if text is not None:
        target.write_text(text, encoding="utf-8")
    assert evidence.main([str(small_folder(tmp_path)), str(target)]) == 3
    assert "not written" in capsys.readouterr().err


def test_rows_must_have_their_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = copy_of_file(tmp_path, lambda text: text.replace("rows: {trials: 7, successes: 0}, ", "", 1))
    assert evidence.main([str(RUNS), str(target)]) == 3
    assert "raise-mark: expected rows" in capsys.readouterr().err


def test_a_cut_archive_is_no_evidence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = small_folder(tmp_path)
    (folder / "whatif.jsonl").unlink()
    whole = (RUNS / "whatif.jsonl.gz").read_bytes()
    (folder / "whatif.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    assert evidence.main([str(folder), str(copy_of_file(tmp_path))]) == 3
    assert "not written" in capsys.readouterr().err


def test_it_writes_whole_or_not_at_all(tmp_path: Path) -> None:
    target = copy_of_file(tmp_path)
    shutil.copymode(FILE, target)
    assert evidence.main([str(small_folder(tmp_path)), str(target)]) == 0
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


@pytest.mark.parametrize("arguments", [[], ["--check"], ["-x", "y"], ["a", "b", "c"]])
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    assert evidence.main(arguments) == 2
