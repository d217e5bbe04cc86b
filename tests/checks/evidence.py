"""The measured rates of ``knowledge/evidence.yaml``, counted anew: ``python -m tests.checks.evidence DIR [--check]``.

``DIR/whatif.jsonl.gz`` gives reports with a setting and what a later fork did, ``DIR/seed/trials.tsv`` boots with one
fix each. Each row is put into a class by this program's own simulator, or chosen by the ``boots`` of an entry, and the
counts go into the ``rows`` of the entry. ``trials`` and ``successes``, which ``advise`` quotes, are those of the whole
series, of which a folder may hold a part: the rows must not contradict them, and where the folder holds the whole series
they are written too. Only numbers change; comments and texts stay as they are.
"""

import csv
import difflib
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from oomadvisor import knowledge
from oomadvisor.cli.output import OutputError, write_result
from oomadvisor.infer import build_state
from oomadvisor.model import Mark, Operation
from oomadvisor.parse import read_incidents
from oomadvisor.simulate import NotReplayable, SetSysctl, Snapshot, ZoneSnapshot, apply, classify, snapshot
from oomadvisor.simulate.replay import operation_passes, zone_verdict
from tests.checks import whatif
from tests.checks.probes import Box
from tests.checks.seed_trials import OPERATION_OF, SEED_REPORT, seed_state

EVIDENCE = Path(__file__).parents[2] / "knowledge" / "evidence.yaml"
NO_FIX = "no effect"
CLASS_OF = {"certain": "certain", "marginal": "marginal", NO_FIX: NO_FIX, "harmful": NO_FIX}
"""The entry that a class is counted under: what still fails is no fix, whether or not it got worse."""

WENT_ON = {"outcome": ["ok"]}
"""What counts as a success of a boot, unless the entry says otherwise."""


@dataclass
class Count:
    """``successes`` of ``trials``."""

    trials: int = 0
    successes: int = 0

    def add(self, success: bool) -> None:
        self.trials += 1
        self.successes += success

    def fits_into(self, whole: "Count") -> bool:
        """Return whether this can be a part of ``whole``."""
        failures, allowed = self.trials - self.successes, whole.trials - whole.successes
        return self.successes <= whole.successes and failures <= allowed

    def __str__(self) -> str:
        return f"{self.successes} of {self.trials}"


@dataclass
class Counts:
    """What a folder gives. ``classes``: by this program's class. ``by_mark``: by the marks alone, as the series counted.

    The series called a setting *certain* when every order passes at HIGH in some zone, each tested alone; this program
    also takes the blocks one after another, whichever way they are split, and so calls fewer settings certain.
    """

    reports: int = 0
    boots: int = 0
    classes: dict[str, Count] = field(default_factory=lambda: {name: Count() for name in CLASS_OF.values()})
    by_mark: dict[str, Count] = field(default_factory=lambda: {name: Count() for name in CLASS_OF.values()})
    chosen: dict[str, Count] = field(default_factory=dict)


class Contradiction(ValueError):
    """The rows cannot be a part of what the file states as the whole series; the text says where."""


def count(folder: Path, entries: Sequence[Mapping[str, Any]]) -> Counts:
    """Count all rows of a folder. Raises ValueError (file, line, what was expected), OSError."""
    counts = Counts(chosen={entry["id"]: Count() for entry in entries if "boots" in entry})
    for success, snap, after, operation in _reports(folder):
        counts.reports += 1
        counts.classes[CLASS_OF[classify(snap, after, operation)]].add(success)
        counts.by_mark[_mark_class(after, operation, in_sequence=False)].add(success)
    for row, snap, operation in _boots(folder):
        counts.boots += 1
        success = row["outcome"] == "ok"
        class_, by_mark = CLASS_OF[classify(snap, snap, operation)], _mark_class(snap, operation, in_sequence=True)
        # Where something can be reclaimed a failing test is no kill, and the program does not call it hopeless.
        reclaimable = row["filepages"] != "0" or row["fix"].startswith("ramz")
        if class_ != NO_FIX or not reclaimable:
            counts.classes[class_].add(success)
        if by_mark != NO_FIX or not reclaimable:
            counts.by_mark[by_mark].add(success)
        for entry in entries:
            if "boots" in entry and _matches(row, entry["boots"]):
                counts.chosen[entry["id"]].add(_matches(row, entry.get("success", WENT_ON)))
    return counts


def _mark_class(snap: Snapshot, operation: Operation, *, in_sequence: bool) -> str:
    """Return the class by the marks alone. ``in_sequence``: at MIN the second page directory must be had, too."""

    def each(mark: Mark) -> bool:
        return all(any(zone_verdict(snap, zone, o, mark).ok for zone in snap.zones) for o in {*operation.orders, 0})

    if each("high"):
        return "certain"
    at_min = operation_passes(snap, operation.orders, "min") if in_sequence else each("min")
    return "marginal" if at_min else NO_FIX


def _reports(folder: Path) -> Iterator[tuple[bool, Snapshot, Snapshot, Operation]]:
    path = next((p for p in (folder / "whatif.jsonl.gz", folder / "whatif.jsonl") if p.is_file()), None)
    if path is None:
        raise ValueError(f"{folder}: expected a file whatif.jsonl.gz or whatif.jsonl")
    for number, (report, changes, outcome) in whatif.rows(path):
        place = f"{path}:{number}"
        if not isinstance(report, str) or not isinstance(changes, dict) or outcome not in ("ok", "oom"):
            raise ValueError(f"{place}: expected report (text), apply (object) and outcome (ok or oom)")
        incident = next(iter(read_incidents(report.splitlines(keepends=True), file=place)), None)
        state = None if incident is None else build_state(incident)
        snap = None if state is None else snapshot(state)
        if state is None or snap is None or state.operation is None:
            raise ValueError(f"{place}: expected a report that can be replayed")
        after = snap
        try:
            for knob, value in changes.items():
                after = apply(after, SetSysctl(knob, whatif.numbers(value)))
        except (NotReplayable, ValueError) as error:
            raise ValueError(f"{place}: expected sysctls that this kernel takes ({error})") from error
        yield outcome == "ok", snap, after, state.operation


def _boots(folder: Path) -> Iterator[tuple[Mapping[str, str], Snapshot, Operation]]:
    path = folder / "seed" / "trials.tsv"
    names = ("DMA", "Normal", "Movable")
    seed = snapshot(seed_state())
    assert seed is not None, f"{SEED_REPORT.name} has everything that the test needs"
    box = Box(names, seed.present, seed.family)
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines, delimiter="\t")
        for row in reader:
            place = f"{path}:{reader.line_num}"
            try:
                operation = knowledge.operations("arm")[OPERATION_OF[row["how"]]]
                zones = tuple(_zone(box, row, index) for index in reversed(range(len(names))) if box.present[index])
                success = row["outcome"], row["fix"], row["filepages"]
            except (KeyError, ValueError, TypeError, AttributeError) as error:
                raise ValueError(f"{place}: expected a boot with its free lists and marks ({error!r})") from error
            if None in success:
                raise ValueError(f"{place}: expected as many values as there are columns")
            yield row, _snapshot(box, zones, realtime=row["fix"] == "fifo"), operation
    if reader.line_num < 2:
        raise ValueError(f"{path}:1: expected a line of names and one row a boot")


def _zone(box: Box, row: Mapping[str, str], index: int) -> ZoneSnapshot:
    name = box.names[index]
    blocks = tuple(int(blocks) for blocks in row[f"pre_{name}"].split("/"))
    low, middle, high = (int(mark) for mark in row[f"wm_{name}"].split("/"))
    return ZoneSnapshot(
        name=name,
        node=0,
        index=index,
        present=box.present[index],
        free=sum(count << order for order, count in enumerate(blocks)),
        blocks=blocks,
        mark_min=low,
        mark_low=middle,
        mark_high=high,
        reserve=0 if index == box.class_zone else int(row[f"resv_{name}"]),
    )


def _snapshot(box: Box, zones: tuple[ZoneSnapshot, ...], *, realtime: bool) -> Snapshot:
    return Snapshot(
        zones=zones,
        zone_names=box.names,
        present=box.present,
        class_zone_index=box.class_zone,
        family=box.family,
        bits=32,
        smp=False,
        realtime=realtime,
    )


def _matches(row: Mapping[str, str], wanted: Mapping[str, Sequence[str]]) -> bool:
    return all(row.get(column) in values for column, values in wanted.items())


def rewritten(text: str, folder: Path) -> tuple[str, Counts]:
    """Return the text of the file with the numbers that ``folder`` gives. Raises Contradiction, ValueError, OSError."""
    try:
        data, node = yaml.safe_load(text), yaml.compose(text, Loader=yaml.SafeLoader)
        entries, series = data["evidence"], data["series"]
        nodes = [_mapping(entry) for entry in _mapping(node)["evidence"].value]
        kept = {name: _mapping(value) for name, value in _mapping(_mapping(node)["series"]).items()}
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"expected YAML with series and evidence ({error})") from error
    counts = count(folder, entries)
    edits: list[tuple[int, int, str]] = []

    def put(mapping: Mapping[str, Any], name: str, number: int) -> None:
        scalar = mapping[name]
        edits.append((scalar.start_mark.index, scalar.end_mark.index, str(number)))

    whole = True
    for name, rows in (("reports", counts.reports), ("boots", counts.boots)):
        if rows > series[name]["trials"]:
            raise Contradiction(f"{rows} {name}, but the whole series has {series[name]['trials']}")
        whole = whole and rows == series[name]["trials"]
        put(kept[name], "rows", rows)
    for entry, fields in zip(entries, nodes, strict=True):
        found = _counted(entry, counts)
        if found is None:
            continue
        rows_of_entry, of_series = found
        stated = Count(entry["trials"], entry["successes"])
        if whole:
            put(fields, "trials", of_series.trials)
            put(fields, "successes", of_series.successes)
        elif not of_series.fits_into(stated):
            raise Contradiction(f"{entry['id']}: {of_series} rows cannot be a part of the {stated} of the whole series")
        if "rows" not in fields:
            raise ValueError(f"{entry['id']}: expected rows: {{trials: …, successes: …}}")
        put(_mapping(fields["rows"]), "trials", rows_of_entry.trials)
        put(_mapping(fields["rows"]), "successes", rows_of_entry.successes)
    for start, end, number in sorted(edits, reverse=True):
        text = text[:start] + number + text[end:]
    return text, counts


def _counted(entry: Mapping[str, Any], counts: Counts) -> tuple[Count, Count] | None:
    """Return what goes into ``rows``, and what must fit into the totals; None for what no row of a folder gives."""
    if "class" in entry:
        return counts.classes[entry["class"]], counts.by_mark[entry["class"]]
    if "boots" in entry:
        return counts.chosen[entry["id"]], counts.chosen[entry["id"]]
    return None


def _mapping(node: Any) -> dict[str, Any]:
    return {key.value: value for key, value in node.value}


def main(arguments: list[str]) -> int:
    """Return the exit code: 0 done or up to date, 1 contradiction or out of date, 2 wrong usage, 3 unusable input."""
    check = "--check" in arguments
    paths = [argument for argument in arguments if argument != "--check"]
    if len(paths) not in (1, 2) or any(path.startswith("-") for path in paths):
        print("usage: python -m tests.checks.evidence DIR [FILE] [--check]", file=sys.stderr)
        return 2
    folder, target = Path(paths[0]), Path(paths[1]) if len(paths) == 2 else EVIDENCE
    try:
        before = target.read_text(encoding="utf-8")
        after, counts = rewritten(before, folder)
        if not check and after != before:
            write_result(after, target, force=True)
    except Contradiction as error:
        print(f"{target}: not written: {error}", file=sys.stderr)
        return 1
    except (ValueError, KeyError, TypeError, OSError, EOFError, zlib.error, csv.Error, OutputError) as error:
        print(f"{target}: not written: {error}", file=sys.stderr)
        return 3
    for name, rows in counts.classes.items():
        print(f"{name:<12}{rows!s:>14}   by the marks alone {counts.by_mark[name]}")
    if check and after != before:
        sys.stdout.writelines(
            difflib.unified_diff(before.splitlines(True), after.splitlines(True), str(target), "counted", n=0)
        )
    state = "up to date" if after == before else "out of date" if check else "written"
    print(
        f"evidence: {counts.reports} reports, {counts.boots} boots, {len(counts.chosen)} fixes; {target.name} {state}"
    )
    return 1 if check and after != before else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
