"""``python -m tests.checks.conformance DIR``: what it prints and how it ends."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.checks.conformance import main, run
from tests.kernel.sample import VECTORS, rows


def write(folder: Path, name: str, content: list[Any]) -> Path:
    """Write rows (or lines given as text) as a vector file, packed if the name says so."""
    lines = "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in content)
    path = folder / name
    path.write_bytes(gzip.compress(lines.encode()) if name.endswith(".gz") else lines.encode())
    return path


BATCH = list(rows("batch")[:8])


def test_a_folder_that_agrees(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "batch.jsonl.gz", BATCH)
    write(tmp_path, "slub_order.second.jsonl", list(rows("slub_order")[:5]))
    write(tmp_path, "batch-2.6.31.12.jsonl", BATCH[:1])
    write(tmp_path, "batch-2.6.11.jsonl.gz", BATCH)
    write(tmp_path, "boost.jsonl", BATCH)
    write(tmp_path, "batch-new.jsonl", BATCH)
    (tmp_path / "README.md").write_text("not a vector file")
    (tmp_path / "seed.json").write_text((VECTORS / "seed.json").read_text())
    assert run(tmp_path) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.rpartition(",")[0] for line in lines[:4]] == [
        "batch-2.6.31.12.jsonl: 1 rows, 0 mismatches",
        "batch.jsonl.gz: 8 rows, 0 mismatches",
        "seed.json: 1 rows, 0 mismatches",
        "slub_order.second.jsonl: 5 rows, 0 mismatches",
    ]
    assert lines[4:] == [
        "not run: batch-2.6.11.jsonl.gz: kernel/ does not have the functions of 2.6.11",
        "not run: batch-new.jsonl: kernel/ does not have the functions of new",
        "not run: boost.jsonl: kernel/ has no family boost",
        "conformance: 4 files, 15 rows, 0 mismatches",
    ]


def test_rows_that_disagree_are_counted_and_five_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = [{**row, "hi": row["hi"] + 1} for row in BATCH[:7]]
    write(tmp_path, "batch.jsonl", [*wrong, BATCH[7]])
    assert run(tmp_path) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("batch.jsonl: 8 rows, 7 mismatches")
    assert lines[1] == f"  id {BATCH[0]['id']}: hi: got {BATCH[0]['hi']}, expected {BATCH[0]['hi'] + 1}"
    assert len(lines) == 7
    assert lines[-1] == "conformance: 1 files, 8 rows, 7 mismatches"


def test_a_row_that_our_functions_cannot_answer_is_a_mismatch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = next(row for row in rows("decision") if row["reclaim_script"][0]["progress"] == 0 and row["order"] == 2)
    row = {**row, "zones": row["zones"][:1], "oom_script": {**row["oom_script"], "zone": "nowhere"}}
    write(tmp_path, "decision.jsonl", [row])
    assert run(tmp_path) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "conformance: 1 files, 1 rows, 1 mismatches"


GOOD = json.dumps(BATCH[0])


@pytest.mark.parametrize(
    ("name", "content", "line", "expected"),
    [
        pytest.param("batch.jsonl", [GOOD, "{"], 2, "one JSON object", id="broken JSON"),
        pytest.param("batch.jsonl", [GOOD, "[]"], 2, "an object", id="not an object"),
        pytest.param("batch.jsonl", [""], 1, "one JSON object", id="empty line"),
        pytest.param("batch.jsonl", [{"id": 1}], 1, "a field 'present'", id="field missing"),
        pytest.param("batch.jsonl", [{**BATCH[0], "id": "a"}], 1, "id: an integer", id="id"),
        pytest.param("batch.jsonl", [{**BATCH[0], "present": -1}], 1, "present: an integer ≥ 0", id="negative"),
        pytest.param("batch.jsonl", [{**BATCH[0], "present": True}], 1, "present: an integer ≥ 0", id="bool"),
        pytest.param("batch.jsonl", [], 1, "at least one row", id="no rows"),
        pytest.param(
            "wmarks.jsonl", [{**rows("wmarks")[0], "low": [1]}], 1, "low: 3 items, as many as zones", id="length"
        ),
        pytest.param(
            "lowmem_reserve.jsonl",
            [{**rows("lowmem_reserve")[0], "ratios_in": [1, 2, 3]}],
            1,
            "ratios_in: 2 items, one less than zones",
            id="one less",
        ),
        pytest.param(
            "pcp.jsonl",
            [{**rows("pcp")[0], "ops": [["drain"], [["x"], 1]]}],
            1,
            "ops: [1]: a list that starts with one of ['alloc0', 'free0', 'drain']",
            id="operation",
        ),
        pytest.param(
            "batch.jsonl", [{**BATCH[0], "hi_fraction": "x"}], 1, "hi_fraction: an integer ≥ 0, or null", id="nullable"
        ),
    ],
)
def test_a_malformed_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: list[Any], line: int, expected: str
) -> None:
    path = write(tmp_path, name, content)
    assert run(tmp_path) == 3
    printed = capsys.readouterr()
    assert printed.err == f"conformance: {path}:{line}: expected {expected}\n"
    assert printed.out.splitlines()[-1].startswith("conformance: 1 files, ")


@pytest.mark.parametrize("cut", [slice(0, 40), slice(5, None)])
def test_a_damaged_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str], cut: slice) -> None:
    path = write(tmp_path, "batch.jsonl.gz", BATCH)
    path.write_bytes(path.read_bytes()[cut])
    assert run(tmp_path) == 3
    assert capsys.readouterr().err.startswith(f"conformance: {path}:1: expected readable text or gzip: ")


def test_folders_without_vectors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path) == 3
    assert "found none" in capsys.readouterr().err
    assert run(tmp_path / "missing") == 3
    assert "expected a readable folder: No such file or directory" in capsys.readouterr().err
    write(tmp_path, "batch-7.19.jsonl", BATCH)
    assert run(tmp_path) == 3
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1] == "conformance: 0 files, 0 rows, 0 mismatches"
    assert "expected a vector file that can be run, found none" in printed.err


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == main(["a", "b"]) == main(["--help"]) == 2
    assert capsys.readouterr().err.startswith("usage: ")


def test_the_command(tmp_path: Path) -> None:
    write(tmp_path, "batch.jsonl", [{**BATCH[0], "hi": 7}])
    write(tmp_path, "gfp.jsonl", list(rows("gfp")[:3]))
    ended = subprocess.run(
        [sys.executable, "-m", "tests.checks.conformance", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert ended.stdout.splitlines()[-1] == "conformance: 2 files, 4 rows, 1 mismatches"
    assert ended.stderr == ""
