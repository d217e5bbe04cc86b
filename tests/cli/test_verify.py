"""``oomadvisor verify`` on runs of a real 2.6.31: it says of each what the kernel then did."""

import gzip
import json
import re
from functools import cache
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from oomadvisor.cli.exit_codes import ExitCode
from oomadvisor.present.comparison_json import comparison_schema
from tests.cli.conftest import ROOT, SEED, Here, Ran, run
from tests.collect.boxes import Box

SHARED = ROOT.parent / "shared" / "device-runs" / "seed"
SCHEMA = comparison_schema()
PRESENT = {"DMA": 24384, "Normal": 40640}


def zone_text(name: str, line: str) -> tuple[str, str]:
    """Return a PRE line of a run (the state after the fix, at the last instant before a fork) as zoneinfo and buddyinfo."""
    found = re.search(
        r"free (\d+) .*?min (\d+) low (\d+) high (\d+) reserve ([\d ]+) nr_free ((?:\d+ )+)", line.rstrip() + " "
    )
    assert found is not None
    free, low_mark, low, high, reserve, blocks = found.groups()
    zoneinfo = (
        f"Node 0, zone {name:>8}\n  pages free     {free}\n        min      {low_mark}\n        low      {low}\n"
        f"        high     {high}\n        scanned  0\n        spanned  {PRESENT[name]}\n"
        f"        present  {PRESENT[name]}\n    nr_inactive_file 0\n    nr_active_file 0\n"
        f"        protection: ({', '.join(reserve.split())})\n"
    )
    return zoneinfo, f"Node 0, zone {name:>8} {' '.join(f'{int(count):6}' for count in blocks.split())} \n"


def bundle_of(log: str, min_free: str | None, conf: str | None = None) -> str:
    """Return the bundle that the collecting script would have made of the box at that instant."""
    zones = [zone_text(name, next(re.finditer(rf"^PRE ZONE {name} .*$", log, re.MULTILINE))[0]) for name in PRESENT]
    parts = {
        "/proc/version": "Linux version 2.6.31.12-ER1 (build@host) #4\n",
        "/proc/buddyinfo": "".join(zone[1] for zone in zones),
        "/proc/zoneinfo": "".join(zone[0] for zone in zones),
        "/proc/meminfo": "MemTotal: 258540 kB\nActive(file): 0 kB\nInactive(file): 0 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n",
    }
    if conf is not None:
        parts["/etc/sysctl.conf"] = conf
    if min_free is not None:
        parts["settings"] = f"==> /proc/sys/vm/min_free_kbytes <==\n{min_free}\n"
    sections = (
        f"#oomadvisor begin {name}\n{text}#oomadvisor end {name} {'-' if name == 'settings' else text.count(chr(10))}\n"
        for name, text in parts.items()
    )
    return "#oomadvisor bundle 1\n" + "".join(sections) + "#oomadvisor done 1\n"


@cache
def trial(name: str) -> str:
    return gzip.decompress((SHARED / f"{name}.log.gz").read_bytes()).replace(b"\0", b"").decode("latin-1")


def verified(tmp_path: Path, after: str, *options: str, before: Path = SEED) -> Ran:
    (tmp_path / "after.txt").write_text(after)
    return run("verify", str(before), str(tmp_path / "after.txt"), *options)


def trial_names() -> list[str]:
    return sorted(path.name.removesuffix(".log.gz") for path in SHARED.glob("*.log.gz")) if SHARED.is_dir() else []


@pytest.mark.skipif(not SHARED.is_dir(), reason="the runs of the real kernel are not here")
@pytest.mark.parametrize("name", trial_names() or ["none"])
def test_of_each_run_it_says_what_the_kernel_then_did(name: str, tmp_path: Path, here: Here) -> None:
    log = trial(name)
    lines = re.findall(r"^TRIAL .*$", log, re.MULTILINE)
    # A run that ended in a panic has no last line.
    last = lines[-1] if lines else "fix=panic how=fork filepages=0 min_free_kbytes=4160 ok_before_first_oom=0"
    facts = dict(re.findall(r"(\w+)=(\S+)", last))
    after = tmp_path / "after.txt"
    after.write_text(bundle_of(log, facts["min_free_kbytes"]))
    ran = here("verify", str(SEED), str(after), "--width", "100")
    in_force = facts["min_free_kbytes"] == "2039"
    assert (ran.code == ExitCode.NOT_IN_FORCE) == (not in_force)
    assert ("All 6 marks are as foretold" in ran.out) == in_force
    row = {"exec": "exec of a program", "vfork": "vfork and exec"}.get(facts["how"], "fork+exec")
    (now,) = re.findall(rf"^  {re.escape(row)} +FAILS +(.*)$", ran.out, re.MULTILINE)
    worked = int(facts["ok_before_first_oom"]) > 0
    helped_by_more = facts["fix"].startswith(("fifo", "ramz")) or int(facts["filepages"])
    if not helped_by_more:  # neither scheduling nor reclaim is in the free lists
        assert (now != "FAILS") == worked, (name, now)
    if in_force:
        assert ran.code == (ExitCode.DONE if worked else ExitCode.NOT_PASSING)


CONF = "kernel.panic = 1\nvm.min_free_kbytes = 2039\n"
PRE = (
    "PRE ZONE DMA free 4282 pcp 0 min {dma[0]} low {dma[1]} high {dma[2]} reserve 0 158 158 nr_free 2358 912 25 0 0 \n"
    "PRE ZONE Normal free 5709 pcp 6 min {normal[0]} low {normal[1]} high {normal[2]} reserve 0 0 0 nr_free 4259 657 32 1 0 \n"
)
#: Printed by the real kernel at these values.
AT_2039 = PRE.format(dma=(190, 237, 285), normal=(318, 397, 477))
AT_4160 = PRE.format(dma=(390, 487, 585), normal=(650, 812, 975))
AT_8192 = PRE.format(dma=(768, 960, 1152), normal=(1280, 1600, 1920))

#: No block of 16 kB is left but three in DMA, where 47 pages in such blocks must remain.
USED_UP = (
    AT_2039.replace("free 4282", "free 4194")
    .replace("2358 912 25 0", "2358 912 3 0")
    .replace("free 5709", "free 5584")
    .replace("4259 657 32 1", "4270 657 0 0")
)


@pytest.mark.parametrize(
    ("pre", "value", "conf", "code", "said"),
    [
        (AT_2039, "2039", CONF, ExitCode.DONE, "IN FORCE, AND PASSING"),
        (AT_2039, "2039", None, ExitCode.DONE, "All 6 marks are as foretold, to the page"),
        (AT_2039, None, None, ExitCode.DONE, "now 2036–2039 (inferred from its marks)"),
        (AT_2039, "2039", "kernel.panic = 1\n", ExitCode.DONE, "Until the next restart only: no file in /etc sets it"),
        (
            AT_2039,
            "2039",
            "vm.min_free_kbytes = 8192\n",
            ExitCode.DONE,
            "Until the next restart only: /etc/sysctl.conf:1 sets 8192",
        ),
        (AT_4160, "4160", None, ExitCode.NOT_IN_FORCE, "vm.min_free_kbytes is 4160, not 2039"),
        (AT_4160, "4160", CONF, ExitCode.NOT_IN_FORCE, "/etc/sysctl.conf:2 sets 2039, yet 4160 is in force"),
        (AT_8192, "8192", CONF, ExitCode.NOT_IN_FORCE, "something writes it later"),
        (AT_8192, "8192", None, ExitCode.NOT_IN_FORCE, "neither the old value (4160–4167) nor the advised one"),
        (AT_4160, "4160", "vm.min_free_kbytes=4160\n", ExitCode.NOT_IN_FORCE, "/etc/sysctl.conf:1 still sets 4160"),
    ],
)
def test_what_is_in_force_and_what_a_restart_makes_of_it(
    pre: str, value: str | None, conf: str | None, code: ExitCode, said: str, tmp_path: Path
) -> None:
    ran = verified(tmp_path, bundle_of(pre, value, conf), "--width", "1000")
    assert ran.code == code
    assert said in ran.out
    assert ran.err.count("\n") == 0


def test_in_force_but_used_up_does_not_pass(tmp_path: Path) -> None:
    ran = verified(tmp_path, bundle_of(USED_UP, "2039"))
    assert ran.code == ExitCode.NOT_PASSING
    assert "promised were 13" in ran.out


@pytest.mark.parametrize(
    ("log", "value", "result", "code"),
    [
        (AT_2039, "2039", "passing", ExitCode.DONE),
        (USED_UP, "2039", "not passing", ExitCode.NOT_PASSING),
        (AT_4160, "4160", "not in force", ExitCode.NOT_IN_FORCE),
    ],
)
def test_as_json_it_says_the_same(tmp_path: Path, log: str, value: str, result: str, code: ExitCode) -> None:
    ran = verified(tmp_path, bundle_of(log, value), "--format", "json")
    document = json.loads(ran.out)
    assert list(Draft202012Validator(SCHEMA).iter_errors(document)) == []
    assert (ran.code, document["result"]) == (code, result)
    (setting,) = document["values"]
    assert (setting["name"], setting["advised"], setting["in_force"]) == ("vm.min_free_kbytes", "2039", value == "2039")
    marks = {(row["zone"], row["mark"]): row["now_pages"] for row in document["marks"]}
    assert marks["DMA", "min"] == (190 if value == "2039" else 390)
    assert all(row["met"] == (value == "2039") for row in document["marks"])


def test_a_report_that_tells_nothing_is_json_too(tmp_path: Path) -> None:
    ran = verified(tmp_path, "nothing in here\n", "--format", "json")
    assert ran.code == ExitCode.UNDECIDED
    assert list(Draft202012Validator(SCHEMA).iter_errors(json.loads(ran.out))) == []


def test_its_schema_is_valid_and_printed(here: Here) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(here("schema", "verify").out) == SCHEMA


def test_with_pages_to_reclaim_a_failing_test_proves_nothing(tmp_path: Path) -> None:
    bundle = (
        bundle_of(USED_UP, "2039")
        .replace("nr_inactive_file 0", "nr_inactive_file 900")
        .replace("Inactive(file): 0", "Inactive(file): 7200")
    )
    ran = verified(tmp_path, bundle, "--width", "200")
    assert ran.code == ExitCode.UNDECIDED
    assert "pages can be reclaimed" in ran.out


def test_the_same_report_twice_tells_nothing() -> None:
    ran = run("verify", str(SEED), str(SEED))
    assert ran.code == ExitCode.UNDECIDED
    assert "nothing that is newer" in ran.out


def kill_at(min_free: int) -> str:
    """Return a later kill whose printed marks are those of a value, in kB."""
    marks = {2039: ((760, 948, 1140), (1272, 1588, 1908)), 4160: ((1560, 1948, 2340), (2600, 3248, 3900))}[min_free]
    text = SEED.read_text().replace("myshellscript", "another")
    for old, new in zip(((1560, 1948, 2340), (2600, 3248, 3900)), marks, strict=True):
        text = text.replace("min:{}kB low:{}kB high:{}kB".format(*old), "min:{}kB low:{}kB high:{}kB".format(*new))
    return text


def test_a_new_kill_under_the_advised_values_is_told(tmp_path: Path) -> None:
    ran = verified(tmp_path, kill_at(2039) + bundle_of(AT_2039, "2039"))
    assert ran.code == ExitCode.NOT_PASSING
    assert "there was a new kill" in ran.out


def test_a_kill_from_before_the_values_were_written_does_not_count_against_them(tmp_path: Path) -> None:
    ran = verified(tmp_path, SEED.read_text() + kill_at(4160) + bundle_of(AT_2039, "2039"))
    assert ran.code == ExitCode.DONE
    assert "1 kill that is not in the first" in ran.out


def test_a_pick_is_what_is_looked_for(tmp_path: Path) -> None:
    ran = verified(tmp_path, bundle_of(AT_8192, "8192"), "--pick", "raise-min-free-kbytes")
    assert ran.code == ExitCode.NOT_PASSING
    assert "All 6 marks are as foretold" in ran.out


def test_a_bundle_of_a_box_from_standard_input(tmp_path: Path) -> None:
    ran = run("verify", str(SEED), "-", stdin=Box(tmp_path).collect().encode())
    assert ran.code == ExitCode.NOT_IN_FORCE
    assert "vm.min_free_kbytes is 4160, not 2039" in ran.out


def test_cut_anywhere_it_never_breaks(tmp_path: Path, here: Here) -> None:
    lines = bundle_of(AT_2039, "2039", CONF).splitlines(keepends=True)
    after = tmp_path / "after.txt"
    for cut in range(len(lines) + 1):
        after.write_text("".join(lines[:cut]))
        ran = here("verify", str(SEED), str(after))
        assert ran.code in (ExitCode.UNDECIDED, ExitCode.DONE), (cut, ran.out)
    assert ran.code == ExitCode.DONE


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["-", "-"], ExitCode.USAGE, "only once"),
        (["SEED", "missing"], ExitCode.UNUSABLE, "does not exist"),
        (["missing", "SEED"], ExitCode.UNUSABLE, "does not exist"),
        (["SEED", "SEED", "--pick", "no-such-fix"], ExitCode.USAGE, "there is no fix 'no-such-fix'"),
        (["SEED", "SEED", "--incident", "3"], ExitCode.USAGE, "too high"),
        (["EMPTY", "SEED"], ExitCode.NO_INCIDENT, "no incident"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage(arguments: list[str], code: ExitCode, said: str, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    words = [{"SEED": str(SEED), "EMPTY": str(tmp_path / "empty")}.get(word, word) for word in arguments]
    ran = run("verify", *words)
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err
