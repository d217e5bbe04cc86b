"""``fleet solve`` and ``fleet report`` as a user runs them, and what they say of a fleet whose answer is known."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyarrow", reason="the extra 'fleet' is not installed (make fleet)")
pytest.importorskip("duckdb", reason="the extra 'fleet' is not installed (make fleet)")

from oomadvisor.facts import assess
from oomadvisor.fleet.choice import choose
from oomadvisor.fleet.coverage import coverage, said_at
from oomadvisor.fleet.curve import counted, curve
from oomadvisor.fleet.knob import knob_named
from oomadvisor.fleet.query import Fleet
from oomadvisor.fleet.solve import MOST_POINTS, Solved, TooManyPoints, solve, solve_grid
from oomadvisor.kernel.words import INT_MAX
from oomadvisor.model import SystemState
from tests.cli.conftest import Here, run
from tests.cli.conftest import here as here  # a fixture
from tests.export.tools import needs, ran
from tests.fleet.made import write
from tests.fleet.test_query import FIRST, WRONG, broken

MIN_FREE = knob_named("vm.min_free_kbytes")
RATIO = knob_named("vm.lowmem_reserve_ratio[DMA]")
KNOB = ("--knob", "vm.min_free_kbytes", "--workers", "0")
SEED_ONLY = ("--where", "input = 'a/dmesg.log'")


def state_of(incident: str) -> SystemState:
    return SystemState.model_validate_json(FIRST[incident]["state"])


@pytest.fixture(scope="module")
def solved(fleet_folder: Path) -> Solved:
    fleet = Fleet(fleet_folder)
    return solve(fleet, MIN_FREE, fleet.selected(), burst_pages=36)


def test_the_curve_is_the_sum_over_all_incidents_each_once(solved: Solved) -> None:
    coverages = [coverage(assess(state_of(name)), MIN_FREE) for name in sorted(FIRST)]
    assert solved.curve == curve(MIN_FREE, coverages)
    assert (solved.incidents, solved.occurrences) == (len(FIRST), len(FIRST) + 1)
    assert solved.choice == choose(solved.curve, coverages, floor=615)


def test_the_counts_at_the_value_are_those_of_single_fixes(solved: Solved) -> None:
    assert solved.choice is not None
    values = [point.value for point in (solved.choice.point, *(other.point for other in solved.choice.others))]
    for value in values:
        told = [said_at(assess(state_of(name)), [{MIN_FREE: value}]) for name in FIRST]
        total = solved.curve.at(value)
        for role, (said,) in told:
            total = total.minus(counted(role, said))
        assert not any(total), value


def test_causes_and_kernels_add_up(solved: Solved) -> None:
    assert solved.choice is not None
    for groups, column in ((solved.by_cause, "first_cause"), (solved.by_kernel, "kernel")):
        wanted = Counter(row[column] or "unknown" for row in FIRST.values())
        assert {group.name: group.counts.cases + group.counts.bystanders for group in groups} == wanted
        sums = [sum(column) for column in zip(*(group.counts for group in groups), strict=True)]
        assert sums == list(solved.choice.point.counts)


def test_whom_it_does_not_help_is_named_with_a_fix_of_another_kind(solved: Solved) -> None:
    assert solved.choice is not None
    counts = solved.choice.point.counts
    assert sum(one.count for one in solved.unhelped) == counts.cases - counts.helped
    for one in solved.unhelped:
        row = FIRST[one.example.incident]
        assert (one.example.input, one.example.line) == (row["input"], row["line"])
        assert one.signature == row["signature"]
        assert one.fix is None or "min-free" not in one.fix.id


def test_a_grid_is_exact_on_each_point(fleet_folder: Path) -> None:
    fleet = Fleet(fleet_folder)
    found = solve_grid(fleet, [MIN_FREE, RATIO], [(1383, 2039, 4160), (1, 256)], fleet.selected())
    assert len(found.points) == 6
    for point in found.points:
        values = dict(zip((MIN_FREE, RATIO), point.values, strict=True))
        total = point.counts
        for name in FIRST:
            role, (said,) = said_at(assess(state_of(name)), [values])
            total = total.minus(counted(role, said))
        assert not any(total), point
    certain = [point.counts.certain for point in found.points]
    assert certain == sorted(certain, reverse=True)
    # Of points that do as well, one that leaves a value as it is comes first.
    seed = solve_grid(fleet, [MIN_FREE, RATIO], [(2039,), (64, 256)], fleet.selected("input = 'a/dmesg.log'"))
    assert [(point.values, point.moved_permille) for point in seed.points] == [((2039, 256), 509), ((2039, 64), 1259)]


def test_an_axis_without_values_is_filled_and_stays_small(fleet_folder: Path) -> None:
    fleet = Fleet(fleet_folder)
    names = fleet.selected()[:4]
    found = solve_grid(fleet, [MIN_FREE, RATIO], [(), ()], names)
    assert 4 <= len(found.points) <= MOST_POINTS
    assert 2039 in {point.values[0] for point in found.points}
    with pytest.raises(TooManyPoints, match="65 points"):
        solve_grid(fleet, [MIN_FREE, RATIO], [tuple(range(13)), tuple(range(1, 6))], names)


def test_two_processes_say_what_one_says(fleet_folder: Path, here: Here) -> None:
    arguments = ("fleet", "solve", str(fleet_folder), "--knob", "vm.min_free_kbytes", "--format", "json")
    alone = here(*arguments, "--workers", "0")
    both = run(*arguments, "--workers", "2")
    assert (alone.code, both.code, both.err) == (0, 0, "")
    assert both.out == alone.out


def test_the_seed_s_answer_comes_first(fleet_folder: Path, here: Here) -> None:
    ran_ = here("fleet", "solve", str(fleet_folder), *KNOB, *SEED_ONLY)
    assert (ran_.code, ran_.err) == (0, "")
    text = " ".join(ran_.out.split())
    for words in (
        "SET THIS vm.min_free_kbytes = 2647 echo 2647 > /proc/sys/vm/min_free_kbytes",
        "Certain for 1 of 1 incidents (100.0 %).",
        "Every value from 615 to 2647 does as well",
        "interrupts can take 1644 kB; now it is 2596 kB",
        "Normal 650 812 975",
        "2039 1 0 0 0",
        "2648–3967",
        "3968–4167",
    ):
        assert words in text
    assert all(len(line) <= 80 for line in ran_.out.splitlines())


def test_the_json_holds_the_whole_curve(fleet_folder: Path, here: Here) -> None:
    told: dict[str, Any] = json.loads(
        here("fleet", "solve", str(fleet_folder), *KNOB, *SEED_ONLY, "--format", "json").out
    )
    assert told["schema"] == "oomadvisor/fleet-solve/1"
    assert [(one["low"], one["high"]) for one in told["curve"]][:3] == [(0, 2647), (2648, 3967), (3968, 4167)]
    assert told["curve"][-1]["high"] == INT_MAX
    assert told["recommended"]["plateau"] == {"low": 615, "high": 2647}
    default = told["recommended"]["others"][0]
    # 14 boots of the real kernel at 2039 gave 11 to 14 children that stay.
    assert (default["value"], default["room"]) == (2039, {"cases": 1, "least": 13, "middle": 13})
    assert (told["floor"], told["floor_burst_pages"]) == (615, 36)
    assert [other["value"] for other in told["recommended"]["others"]] == [2039, 4160]


def test_another_floor_another_value(fleet_folder: Path, here: Here) -> None:
    arguments = ("fleet", "solve", str(fleet_folder), *KNOB, *SEED_ONLY)
    high = here(*arguments, "--floor", "3968")
    assert "No value of vm.min_free_kbytes from 3968 on helps any of these incidents" in " ".join(high.out.split())
    marginal = " ".join(here(*arguments, "--floor", "3000").out.split())
    assert "vm.min_free_kbytes = 3967" in marginal
    assert "No value makes any incident certain" not in marginal.split("THE CURVE")[1]


@needs("patch")
def test_the_exported_patch_is_taken_by_patch(fleet_folder: Path, tmp_path: Path, here: Here) -> None:
    conf = tmp_path / "etc" / "sysctl.conf"
    conf.parent.mkdir()
    before = b"# vendor\r\nvm.min_free_kbytes=4160 # do not touch\r\nnet.ipv4.ip_forward = 1"
    conf.write_bytes(before)
    diff = tmp_path / "fix.patch"
    options = ("--export", "patch", "--sysctl-conf", str(conf))
    made = run("fleet", "solve", str(fleet_folder), *KNOB, *options, "-o", str(diff))
    assert (made.code, made.out) == (0, "")
    told = here("fleet", "solve", str(fleet_folder), *KNOB, "--format", "json").out
    value = json.loads(told)["recommended"]["value"]
    assert f"vm.min_free_kbytes = {value}" in made.err
    ran(("patch", "-p1"), cwd=tmp_path, stdin=diff.read_bytes())
    lines = conf.read_bytes().split(b"\r\n")
    assert f"vm.min_free_kbytes={value} # do not touch".encode() in lines
    assert lines[-1] == b"net.ipv4.ip_forward = 1"
    said = b" ".join(line.removeprefix(b"# oomadvisor: ") for line in lines if line.startswith(b"# oomadvisor"))
    assert b"BOUNDED: certain for " in said
    assert b"changes least in what is kept" in b" ".join(said.split())
    back = tmp_path / "back.patch"
    assert here("fleet", "solve", str(fleet_folder), *KNOB, *options, "--rollback", "-o", str(back)).code == 0
    ran(("patch", "-p1"), cwd=tmp_path, stdin=back.read_bytes())
    assert conf.read_bytes() == before


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("dropin", ("CERTAIN: certain for 1 of 1 incidents", "vm.min_free_kbytes = 2647")),
        ("script", ("RELEASE='2.6.31'", "'vm/min_free_kbytes' '2647' '4160'")),
    ],
)
def test_the_other_forms_say_the_same(fleet_folder: Path, here: Here, form: str, words: tuple[str, ...]) -> None:
    made = here("fleet", "solve", str(fleet_folder), *KNOB, *SEED_ONLY, "--export", form)
    assert made.code == 0
    text = " ".join(made.out.replace("\n#", "\n").split())
    for one in words:
        assert one in text
    assert made.out.isascii()


def test_what_harms_is_not_written_without_force(fleet_folder: Path, here: Here) -> None:
    arguments = ("fleet", "solve", str(fleet_folder), *KNOB, *SEED_ONLY, "--value", "8192", "--export", "dropin")
    refused = here(*arguments)
    assert (refused.code, refused.out) == (2, "")
    assert "helps 0 and harms 1; with --force" in refused.err
    forced = here(*arguments, "--force")
    assert forced.code == 0
    assert "HARMFUL" in forced.out
    assert "WARNING" in forced.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("solve", "OUT"), 2, "--knob"),
        (("solve", "OUT", "--knob", "vm.swappiness"), 2, "does not read vm.swappiness"),
        (("solve", "OUT", "--knob", "vm.lowmem_reserve_ratio"), 2, "name one of them"),
        (("solve", "OUT", "--knob", "a b"), 2, "is no knob"),
        (("solve", "OUT", "--knob", "vm.lowmem_reserve_ratio[DMA]=0"), 2, "1 to 2147483647"),
        (("solve", "OUT", *KNOB, "--knob", "vm.min_free_kbytes=5"), 2, "named twice"),
        (("solve", "OUT", "--knob", "vm.min_free_kbytes=5", "--export", "patch"), 2, "one knob to choose"),
        (("solve", "OUT", *KNOB, "--label", "firmware"), 2, "NAME=VALUE"),
        (("solve", "OUT", *KNOB, "--label", "firmware=none"), 1, "no incident for which the selection holds"),
        (("solve", "OUT", *KNOB, "--where", "nonsense"), 2, "nonsense"),
        (("solve", "OUT", *KNOB, "--where", "1=1); SELECT (1"), 2, "one query"),
        (("solve", "OUT", *KNOB, "--sysctl-conf", "x"), 2, "--export"),
        (("solve", "OUT", *KNOB, "--export", "script", "--sysctl-conf", "x"), 2, "only a patch"),
        (("report", "OUT", "--by", "nothing"), 2, "nothing to count by"),
        (("report", "OUT", "--by", "label:x\x1b[2J"), 2, "there is no label 'x\\x1b[2J'"),
        (("report", "OUT", "--format", "csv"), 2, "csv is for --sql"),
        (("report", "OUT", "--sql", "SELECT 1", "--format", "html"), 2, "text, json or csv"),
        (("report", "OUT", "--sql", "SELECT * FROM read_text('/etc/passwd')"), 2, "disabled"),
        (("report", "OUT", "--sql", "COPY inputs TO '/tmp/x.csv'"), 2, "a query (SELECT …) was expected"),
    ],
)
def test_wrong_usage_is_said(fleet_folder: Path, here: Here, arguments: tuple[str, ...], code: int, words: str) -> None:
    told = here("fleet", *(str(fleet_folder) if one == "OUT" else one for one in arguments))
    assert (told.code, told.out) == (code, "")
    assert words in " ".join(told.err.split())


@pytest.mark.parametrize("how", WRONG)
@pytest.mark.parametrize("command", [("report",), ("solve", *KNOB)])
def test_what_is_no_fleet_ends_with_3_and_its_name(
    tmp_path: Path, here: Here, how: str, command: tuple[str, ...]
) -> None:
    place = broken(tmp_path, how)
    told = here("fleet", command[0], str(place), *command[1:])
    assert (told.code, told.out) == (3, "")
    assert str(place) in told.err


def test_a_fleet_without_incidents_is_said(tmp_path: Path, here: Here) -> None:
    out = str(write(tmp_path / "OUT", [], finished=False))
    report = here("fleet", "report", out)
    assert (report.code, "holds no incident" in report.err) == (0, True)
    assert "did not come to its end" in report.out
    assert here("fleet", "solve", out, *KNOB).code == 1


def test_the_report_and_a_query(fleet_folder: Path, here: Here) -> None:
    told = run("fleet", "report", str(fleet_folder), "--by", "label:firmware")
    assert (told.code, told.err) == (0, "")
    for words in (
        "BY SIGNATURE",
        "BY FIRMWARE",
        "permission denied",
        "d/no\\nentry\\x1b[2J.log",
        "1 place in the logs",
    ):
        assert words in told.out
    rows = here(
        "fleet",
        "report",
        str(fleet_folder),
        "--format",
        "csv",
        "--sql",
        "SELECT input, size, reason FROM inputs ORDER BY 1",
    )
    assert rows.out.splitlines()[:2] == ["input,size,reason", "a/dmesg.log,1000,"]
    as_json = here(
        "fleet",
        "report",
        str(fleet_folder),
        "--format",
        "json",
        "--sql",
        "SELECT labels, 1.5::DOUBLE AS x, NULL AS n FROM incidents ORDER BY input LIMIT 1",
    )
    assert json.loads(as_json.out) == [{"labels": {"firmware": "1.0"}, "x": 1.5, "n": None}]
    document = json.loads(here("fleet", "report", str(fleet_folder), "--format", "json").out)
    assert (document["schema"], document["incidents"]) == ("oomadvisor/fleet-report/1", len(FIRST))


def test_without_the_extra_the_command_says_how_to_get_it(fleet_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "duckdb.py").write_text("raise ImportError\n")
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['duckdb'] = None\n")
    from tests.cli.conftest import ROOT

    told = run("fleet", "report", str(fleet_folder), env={"PYTHONPATH": f"{tmp_path}:{ROOT}"})
    assert (told.code, told.out) == (2, "")
    assert "pip install 'oomadvisor[fleet]'" in " ".join(told.err.split())
