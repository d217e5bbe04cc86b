"""Measured rates: quoted beside each class, with the conditions, and whether they hold for the box of the report."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, SEED, run

DEVICE = ROOT / "tests" / "reports" / "arm-2.6.31.12-order2-fork-min8192.txt"
GROUND = "Linux 2.6.31.12 on ARM, one CPU, no swap"
NOT_OVER = "so the rate does not carry over"
CHANGES = {
    "swap": (r"Total swap = 0kB", "Total swap = 65532kB"),
    "two CPUs": (r"(?m)^( *CPU +)0(:.*)$", r"\g<1>0\2\n\g<1>1\2"),
    "CPUs not told": (r"(?m)^ *CPU +0:.*\n", ""),
    "swap not told": (r"(?m)^.*(?:Total|Free) swap.*\n", ""),
}


def changed(name: str, tmp_path: Path) -> str:
    """Return a report of another box: the example with one thing changed."""
    text, count = re.subn(*CHANGES[name], SEED.read_text(encoding="utf-8"))
    assert count
    path = tmp_path / "report.txt"
    path.write_text(text, encoding="utf-8")
    return str(path)


def said(path: str, style: str, *options: str) -> str:
    """Return what advise says, on one line."""
    done = run("advise", path, "--format", style, *options)
    assert done.code == 0
    return " ".join(done.out.replace("\\", "").split())


@pytest.mark.parametrize("style", ["text", "markdown", "json"])
@pytest.mark.parametrize("report", [SEED, DEVICE], ids=["seed", "device run"])
def test_a_box_like_the_measured_one_is_told_the_rate(report: Path, style: str) -> None:
    text = said(str(report), style)
    assert f"easured on {GROUND}" in text
    assert NOT_OVER not in text
    assert "the report does not tell" not in text
    if style != "json":
        assert re.search(r"795 of 797 settings of this class .*? worked on a real 2\.6\.31\.12 \(95 % interval", text)


@pytest.mark.parametrize("style", ["text", "markdown", "json"])
@pytest.mark.parametrize(
    ("name", "why"), [("swap", "this box has swap"), ("two CPUs", "this box has more than one CPU")]
)
def test_another_box_is_told_that_the_rate_does_not_carry_over(name: str, why: str, style: str, tmp_path: Path) -> None:
    text = said(changed(name, tmp_path), style)
    assert f"easured on {GROUND}; {why}, {NOT_OVER}" in text


@pytest.mark.parametrize("style", ["text", "markdown", "json"])
def test_another_kernel_is_not_told_the_rate(style: str) -> None:
    """What that kernel does after its test was never run, so no share of what was run says anything about it."""
    text = said(str(SEED), style, "--kernel", "2.6.35")
    assert f"What was measured on {GROUND} does not carry over" in text
    assert "settings of this class" not in text
    assert "was read, not run" in text


@pytest.mark.parametrize("style", ["text", "markdown", "json"])
@pytest.mark.parametrize(
    ("name", "what"), [("CPUs not told", "how many CPUs there are"), ("swap not told", "whether there is swap")]
)
def test_what_the_report_does_not_tell_is_said(name: str, what: str, style: str, tmp_path: Path) -> None:
    text = said(changed(name, tmp_path), style)
    assert f"easured on {GROUND}; the report does not tell {what}" in text
    assert NOT_OVER not in text


@pytest.mark.parametrize(("name", "applies"), [("swap", False), ("two CPUs", False), ("swap not told", True)])
def test_json_carries_the_numbers_and_whether_they_apply(name: str, applies: bool, tmp_path: Path) -> None:
    incident = json.loads(run("advise", changed(name, tmp_path), "--format", "json").out)["incidents"][0]
    measured = [m for fix in incident["fixes"] for m in fix["verification"]["measured"]]
    assert measured
    assert {m["applies"] for m in measured} == {applies}
    for m in measured:
        if m["trials"]:
            assert 0 <= m["low_permille"] <= 1000 * m["successes"] / m["trials"] <= m["high_permille"] <= 1000
