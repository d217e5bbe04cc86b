"""Trials on the real machine: ``DIR/*.log.gz`` and ``DIR/trials.tsv``. Run by ``python -m tests.checks.whatif DIR``.

First every number that the kernel printed about its marks, reserves and verdicts is computed anew (:mod:`probes`). Then
each trial is foretold from the lists that its log shows right before the task forked: it goes through, somebody is
killed, or fork is refused for overcommit (ENOMEM, without any report). Where the log cannot tell, both are said, and it
is counted; a trial that ended otherwise than everything said is wrong.
"""

import csv
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from oomadvisor import knowledge
from oomadvisor.kernel.commit import CommitCounters
from oomadvisor.kernel.reclaim import SWAP_CLUSTER_MAX, descent_offer
from oomadvisor.kernel.series import functions_for
from oomadvisor.model import Operation
from oomadvisor.simulate import CommitState, Snapshot, ZoneSnapshot, classify, fork_refused, with_blocks_taken
from oomadvisor.simulate.replay import operation_passes
from oomadvisor.simulate.scatter import scatter
from tests.checks.consolelog import ConsoleLog, CountsLine, EventLine, MeminfoLine, ZoneLine, read_log
from tests.checks.probes import REALTIME, Box, Comparisons, compare, fits

COLUMNS = ("log", "id", "state", "how", "min_free_kbytes", "lowmem_reserve_ratio", "overcommit", "outcome")
PAGE_KB = 4
SHOWN = 20

STACK_PAGES = 21
"""The stack mapping that every program gets (fs/exec.c: setup_arg_pages, 2.6.31: a page of arguments, 20 below it)."""

WORDS = {"ok": "ok", "OOM_KILLED_SELF": "OOM", "ok_after_oom_kill": "OOM", "ENOMEM": "ENOMEM"}
"""What an outcome of the table stands for. After another task was killed, the fork goes through: a kill all the same."""


@dataclass(frozen=True)
class Moment:
    """The machine right before a fork. ``file_pages``, ``slab_pages``: lowest and highest, in pages.

    ``longest_file_list``: None when the log does not say. ``per_cpu``: pages on per-cpu lists.
    """

    snap: Snapshot
    reserves: tuple[tuple[int, ...], ...]
    per_cpu: int
    file_pages: tuple[int, int] | None
    slab_pages: tuple[int, int] | None
    longest_file_list: int | None


@dataclass(frozen=True)
class Foretold:
    """The words that may come out, and the class of the lists as they were."""

    words: frozenset[str]
    class_: str


@dataclass
class Folder:
    """What the logs of a folder say together."""

    logs: dict[str, ConsoleLog]
    present: dict[int, dict[str, int]] = field(default_factory=dict)
    counts: dict[str, CountsLine] = field(default_factory=dict)
    task_pages: tuple[int, int] | None = None


@dataclass
class Result:
    """How the trials came out. ``open``: more than one outcome was said. ``unknown``: not foretold, by reason.

    ``refused`` counts the forks that ended with ENOMEM, ``realtime`` those of real-time tasks that did not.
    """

    comparisons: Comparisons = field(default_factory=Comparisons)
    notes: list[str] = field(default_factory=list)
    table: Counter[tuple[str, str]] = field(default_factory=Counter)
    trials: int = 0
    open: int = 0
    wrong: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    refused_foretold: int = 0
    refused_open: int = 0
    realtime: int = 0
    realtime_foretold: int = 0
    missed: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every comparison was equal and every trial ended as was said."""
        return self.wrong == 0 and not self.comparisons.wrong


def read_folder(folder_path: Path) -> Folder:
    """Read all logs, those in sub-folders too, and learn from each what others of the same machine leave out."""
    folder = Folder({})
    for path in sorted((*folder_path.rglob("*.log.gz"), *folder_path.rglob("*.log"))):
        name = path.relative_to(folder_path).as_posix()
        folder.logs[name.removesuffix(".gz").removesuffix(".log")] = read_log(path, name)
    steps = []
    for log in folder.logs.values():
        first = next((record for record in log.records if isinstance(record, CountsLine)), None)
        if first is not None:
            present = {zone: counts["present"] for zone, counts in first.zones.items() if "present" in counts}
            if log.total_pages == sum(present.values()):
                folder.present.setdefault(log.total_pages, present)
            if log.filling:
                folder.counts.setdefault(log.filling, first)
        # A child that is killed gives back what it was promised: the smallest step down is one task of these trials.
        if not any(isinstance(record, EventLine) and "overcommit" in record.values for record in log.records):
            continue
        charged = [r.kb // PAGE_KB for r in log.records if isinstance(r, MeminfoLine) and r.name == "Committed_AS"]
        steps += [min(down)] if (down := [a - b for a, b in pairwise(charged) if a > b]) else []
    folder.task_pages = (min(steps), max(steps)) if steps else None
    return folder


def box_of(log: ConsoleLog, folder: Folder) -> Box | None:
    """Return the zones behind a log; None when neither it nor a log with the same boot line gives their sizes."""
    first = next((record for record in log.records if isinstance(record, ZoneLine)), None)
    sizes = folder.present.get(log.total_pages or 0)
    family = functions_for(knowledge.version_tuple(log.version))
    if first is None or sizes is None or family is None or not family.measured:
        return None
    if len(sizes) > len(first.reserve):
        return None
    empty = len(first.reserve) - len(sizes)
    return Box((*sizes, *("Movable",) * min(empty, 1)), (*sizes.values(), *(0,) * min(empty, 1)), family)


def moments(log: ConsoleLog, box: Box, folder: Folder) -> dict[str, Moment]:
    """Return, by the id of the trial, what the log shows last before it."""
    found: dict[str, Moment] = {}
    lists: dict[str, ZoneLine] = {}
    counts: CountsLine | None = None
    for record in log.records:
        if isinstance(record, EventLine):
            if record.kind == "TRIAL" and "id" in record.values:
                moment = _moment(box, lists, counts or folder.counts.get(log.filling), record.values)
                if moment is not None:
                    found[record.values["id"]] = moment
            lists, counts = {}, None
        elif isinstance(record, ZoneLine) and record.label in ("PRE", "") and fits(record, box):
            lists[record.zone] = record
        elif isinstance(record, CountsLine):
            counts = record
    return found


def _moment(
    box: Box, lists: Mapping[str, ZoneLine], counts: CountsLine | None, values: Mapping[str, str]
) -> Moment | None:
    zones, reserves = [], []
    for index, (name, pages) in enumerate(zip(box.names, box.present, strict=True)):
        line = lists.get(name)
        if line is None:
            if pages:
                return None
            reserves.append((0,) * len(box.names))
            continue
        reserves.append(line.reserve)
        zones.append(
            ZoneSnapshot(
                name=name,
                node=0,
                index=index,
                present=pages,
                free=line.free,
                blocks=line.nr_free,
                mark_min=line.min,
                mark_low=line.low,
                mark_high=line.high,
                reserve=line.reserve[box.class_zone],
            )
        )
    snap = Snapshot(
        zones=tuple(reversed(zones)),
        zone_names=box.names,
        present=box.present,
        class_zone_index=box.class_zone,
        family=box.family,
        bits=32,
        smp=False,
        realtime=values.get("state") == REALTIME,
    )
    per_cpu = sum(line.pcp for line in lists.values())
    if counts is None:
        return Moment(snap, tuple(reserves), per_cpu, None, None, None)
    file, slab = (
        sum(zone.get(name, 0) for zone in counts.zones.values()) for name in ("nr_file_pages", "nr_slab_reclaimable")
    )
    longest = max(
        zone.get(name, 0) for zone in counts.zones.values() for name in ("nr_inactive_file", "nr_active_file")
    )
    return Moment(snap, tuple(reserves), per_cpu, (file, file), (slab, slab), longest)


def foretell(moment: Moment, how: str, overcommit: int, task_pages: tuple[int, int] | None) -> Foretold:
    """Return what may become of a fork. Raises KeyError for an operation that is not described.

    The page directory is allocated before overcommit is asked, so a refusal needs a request that passes. ``task_pages``
    is what one task is charged in all; the largest mapping of it is that, or what the stack leaves of it.
    """
    operation = knowledge.operations("arm")[how]
    snap = moment.snap
    class_, passes = _passes(moment, operation)
    words = {"OOM"} if False in passes else set()
    if True in passes:
        commit = with_blocks_taken(_commit(moment, overcommit), operation, batch=_batch(snap))
        sizes = (1, sum(snap.present)) if task_pages is None else (max(task_pages[0] - STACK_PAGES, 1), task_pages[1])
        refusals = {refused for size in sizes for refused in fork_refused(commit, size, root=True)}
        words |= {"ENOMEM" if refused else "ok" for refused in refusals}
    return Foretold(frozenset(words), class_)


def _passes(moment: Moment, operation: Operation) -> tuple[str, set[bool]]:
    """Return the class of the lists, and whether the blocks of the operation are had: yes, no, or either."""
    snap = moment.snap
    if snap.realtime:
        # ALLOC_HARDER counts at MIN alone, and MIN is what the allocation itself is tested at.
        ok = operation_passes(snap, operation.orders, "min")
        return f"real-time, {'passes' if ok else 'fails'} at MIN", {ok}
    class_ = classify(snap, snap, operation)
    if class_ == "certain":
        return class_, {True}
    if class_ == "marginal":
        return class_, {True, False}
    if moment.longest_file_list is None or descent_offer(moment.longest_file_list) >= SWAP_CLUSTER_MAX:
        return f"{class_}, but file pages", {True, False}
    # A direct reclaim puts them back on the lists, merged with what is free; then comes the last look, at HIGH.
    back = scatter(snap, moment.per_cpu, operation.orders, draws=0).best if moment.per_cpu else snap
    if operation_passes(back, operation.orders, "high"):
        return f"{class_}, but per-cpu pages", {True, False}
    return class_, {False}


def _commit(moment: Moment, overcommit: int) -> CommitState:
    snap = moment.snap
    marks = {zone.index: zone.mark_high for zone in snap.zones}
    file, slab = moment.file_pages or (0, sum(snap.present)), moment.slab_pages or (0, sum(snap.present))
    worst, best = (
        CommitCounters(
            nr_file_pages=file[side],
            nr_swap_pages=0,
            total_swap_pages=0,
            nr_slab_reclaimable=slab[side],
            nr_free_pages=sum(zone.free for zone in snap.zones),
            totalreserve_pages=0,
            totalram_pages=sum(snap.present),
            committed=0,
        )
        for side in (0, 1)
    )
    return CommitState(
        worst=worst,
        best=best,
        overcommit_memory=overcommit,
        overcommit_ratio=50,
        zone_names=snap.zone_names,
        present=snap.present,
        high_marks=tuple(marks.get(index, 0) for index in range(len(snap.present))),
        reserves=moment.reserves,
        family=snap.family,
    )


def _batch(snap: Snapshot) -> int:
    return max(snap.family.zone_batchsize(snap.zones[0].present), 1)


def judge(folder: Path) -> Result:
    """Compare and foretell everything in a folder. Raises ValueError, OSError for a table that cannot be read."""
    logs = read_folder(folder)
    result = Result()
    known: dict[str, dict[str, Moment]] = {}
    for name, log in logs.logs.items():
        if log.damage:
            result.notes.append(f"{log.name}: {log.damage}")
        result.notes += [f"{log.name}:{line}: the line is not whole" for line in log.cut]
        box = box_of(log, logs)
        if box is not None:
            compare(log, box, result.comparisons)
            known[name] = moments(log, box, logs)
        elif any(isinstance(record, ZoneLine) for record in log.records):
            result.notes.append(f"{log.name}: not compared: the zones' sizes or the kernel are not known")
    table = folder / "trials.tsv"
    for line, row in _rows(table) if table.is_file() else ():
        moment = known.get(row["log"], {}).get(row["id"])
        _judge_row(f"{table.name}:{line}", row, moment, logs, result)
    return result


def _judge_row(place: str, row: Mapping[str, str], moment: Moment | None, logs: Folder, result: Result) -> None:
    result.trials += 1
    word = WORDS.get(row["outcome"])
    if word is None or row["how"] not in knowledge.operations("arm"):
        result.wrong += 1
        result.missed.append(f"{place}: expected an outcome of {', '.join(WORDS)} and a known operation in how")
        return
    if moment is None:
        missing = "no log" if row["log"] not in logs.logs else "not in its log"
        result.unknown[missing] += 1
        return
    if not row["overcommit"].isdecimal() or len(row["overcommit"]) > 9:
        result.unknown["overcommit mode not given"] += 1
        return
    foretold = foretell(moment, row["how"], int(row["overcommit"]), logs.task_pages)
    result.table[foretold.class_, word] += 1
    result.open += len(foretold.words) > 1
    right = word in foretold.words
    if not right:
        result.wrong += 1
        said = "/".join(sorted(foretold.words))
        result.missed.append(f"{place}: {row['log']} {row['id']}: {said} said ({foretold.class_}), {word}")
    if word == "ENOMEM":
        result.refused += 1
        result.refused_foretold += right
        result.refused_open += right and len(foretold.words) > 1
    elif moment.snap.realtime:
        result.realtime += 1
        result.realtime_foretold += right


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line, row). Raises ValueError that names file, line and what was expected."""
    with path.open(encoding="utf-8", errors="replace", newline="") as lines:
        reader = csv.DictReader(lines, delimiter="\t")
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise ValueError(f"{path}:1: expected the columns {', '.join(missing)}")
        try:
            for row in reader:
                if any(row[name] is None for name in COLUMNS):
                    raise ValueError(f"{path}:{reader.line_num}: expected as many values as there are columns")
                yield reader.line_num, row
        except csv.Error as error:
            raise ValueError(f"{path}:{reader.line_num}: expected a table with tabs ({error})") from error


def print_trials(folder: Path) -> bool:
    """Print the tables and the closing line; return whether nothing was wrong. Raises ValueError, OSError."""
    result = judge(folder)
    made = result.comparisons
    print(f"{'printed by the kernel':<36}{'compared':>10}{'wrong':>8}")
    for kind in sorted(made.compared):
        print(f"{kind:<36}{made.compared[kind]:>10}{made.wrong.get(kind, 0):>8}")
    outcomes = [word for word in ("ok", "OOM", "ENOMEM") if any(word == outcome for _, outcome in result.table)]
    if result.table:
        print(f"{'lists right before the fork':<36}" + "".join(f"{word:>9}" for word in outcomes))
    for class_ in sorted({class_ for class_, _ in result.table}):
        print(f"{class_:<36}" + "".join(f"{result.table[class_, word]:>9}" for word in outcomes))
    for text in (*result.missed, *made.missed, *result.notes)[:SHOWN]:
        print(f"  {text}")
    if made.unusable:
        print(f"lines about no zone of their box: {made.unusable}")
    for reason, count in sorted(result.unknown.items()):
        print(f"not foretold: {count} ({reason})")
    print(f"outcome left open between two: {result.open}")
    wrong = result.wrong + sum(made.wrong.values())
    print(
        f"trials: {result.trials} trials, {sum(made.compared.values())} comparisons, wrong {wrong}; "
        f"ENOMEM foretold {result.refused_foretold} of {result.refused} ({result.refused_open} left open); "
        f"real-time {result.realtime_foretold} of {result.realtime}"
    )
    return result.ok


def has_trials(folder: Path) -> bool:
    """Return whether a folder holds anything for this check."""
    return (folder / "trials.tsv").is_file() or any(folder.rglob("*.log.gz")) or any(folder.rglob("*.log"))


def main(arguments: list[str]) -> int:
    """Return the exit code: 0 all right, 1 something is wrong, 2 wrong usage, 3 the folder cannot be used."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python -m tests.checks.trials DIR", file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    if not has_trials(folder):
        print(f"{folder}: expected trials.tsv or console logs (*.log.gz, *.log)", file=sys.stderr)
        return 3
    try:
        return 0 if print_trials(folder) else 1
    except (ValueError, OSError) as error:
        print(f"trials: {error}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
