"""The reproduced seed: each boot of ``seed/trials.tsv``, foretold from the seed report's own numbers and the fix alone.

A row's own free lists are never looked at: a user has one report and a fix in mind, and so has this check. Of the row are
read the fix, what the task did, and whether pages that can be reclaimed were left (they were put there on purpose).
"""

import csv
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from oomadvisor import knowledge
from oomadvisor.facts.memory import reclaim_possible
from oomadvisor.infer import build_state
from oomadvisor.kernel.commit import Overcommit
from oomadvisor.model import Operation, Replay, Swap, SystemState
from oomadvisor.parse import scan_file
from oomadvisor.simulate import (
    FreePages,
    Outcome,
    SetRealtime,
    SetSysctl,
    children_that_stay,
    commit_state,
    fork_refused,
    snapshot,
    what_if,
    with_changes,
)
from oomadvisor.simulate.change import Change

SEED_REPORT = Path(__file__).parents[2] / "examples" / "seed-2.6.31-arm-order2.txt"
COLUMNS = ("fix", "how", "tag", "filepages", "outcome", "children_before_first_oom")
SHOWN = 20

OPERATION_OF = {"fork": "fork+exec", "vfork": "vfork+exec", "exec": "exec", "serial": "fork+exec"}
"""What the task did. ``serial`` children exit at once and give everything back, so each meets the same test."""

STAYING = ("fork", "vfork")
PROCESS_PAGES = 13
"""The least that a living process holds: stack and page directory (2 + 4 pages) and the 7 single pages of a new child."""

PAGE_KB = 4
MB_PAGES = 1024 // PAGE_KB


@dataclass(frozen=True)
class Applied:
    """A fix as changes to replay. ``swap_kb``: swap that is new. ``drops_file_pages``: what is clean and on file goes."""

    group: str
    changes: tuple[Change, ...] = ()
    swap_kb: int = 0
    drops_file_pages: bool = False


def _sysctl(group: str, name: str, values: tuple[int, ...] = ()) -> Callable[[tuple[int, ...]], Applied]:
    return lambda numbers: Applied(group, (SetSysctl(name, values or numbers),))


def _freed(group: str, source: str, pages_of_one: int) -> Callable[[tuple[int, ...]], Applied]:
    return lambda numbers: Applied(group, (FreePages(source, numbers[0] * pages_of_one),) if numbers[0] else ())


FIXES: Mapping[str, Callable[[tuple[int, ...]], Applied]] = {
    "none": lambda _: Applied("none"),
    "mf": _sysctl("min_free_kbytes", "vm.min_free_kbytes"),
    "ratio": _sysctl("lowmem_reserve_ratio", "vm.lowmem_reserve_ratio"),
    "fifo": lambda _: Applied("real-time", (SetRealtime(),)),
    "swp": _sysctl("other sysctls", "vm.swappiness"),
    "vcp": _sysctl("other sysctls", "vm.vfs_cache_pressure"),
    "pcpf": _sysctl("other sysctls", "vm.percpu_pagelist_fraction"),
    "oc": _sysctl("overcommit_memory", "vm.overcommit_memory"),
    "koat": _sysctl("other sysctls", "vm.oom_kill_allocating_task", (1,)),
    "panic": _sysctl("panic_on_oom", "vm.panic_on_oom", (1,)),
    "compact": _sysctl("compact_memory", "vm.compact_memory", (1,)),
    "drop": lambda numbers: Applied("drop_caches", drops_file_pages=bool(numbers[0] & 1)),
    "del": _freed("tmpfs deleted", "tmpfs", MB_PAGES),
    "kill": _freed("process ended", "process", MB_PAGES),
    "kid": _freed("processes ended", "process", PROCESS_PAGES),
    "ramz": lambda numbers: Applied("compressed swap", swap_kb=numbers[0]),
}
"""What the name of a fix stands for, without its numbers. ``del``/``kill`` count MB, ``kid`` processes, ``ramz`` kB."""

TAGS: Mapping[str, Callable[[tuple[int, ...]], tuple[Change, ...]]] = {
    "min": lambda numbers: (SetSysctl("vm.min_free_kbytes", numbers),),
    # 64 touched pages a child, thresholds tried out of sample, 80 children instead of 20: the same question.
    "touch": lambda _: (),
    "oos": lambda _: (),
    "k": lambda _: (),
    "": lambda _: (),
}


@dataclass(frozen=True)
class Trial:
    """One boot. ``children`` is a lower bound when ``censored``."""

    line: int
    fix: str
    how: str
    tag: str
    file_pages: int
    outcome: str
    children: int
    censored: bool


@dataclass(frozen=True)
class Foretold:
    """What may happen to the first child, and how many children may stay alive before the first kill.

    ``exact``: one answer is claimed; otherwise a best and a worst case, or that the report cannot tell.
    ``children`` is None where it cannot be counted.
    """

    group: str
    words: frozenset[str]
    exact: bool
    children: tuple[int, int] | None


@dataclass
class Tally:
    """How a group of rows came out."""

    rows: int = 0
    right: int = 0
    wrong: int = 0
    outside: int = 0
    counted: int = 0
    within_1: int = 0


@dataclass
class Result:
    """All rows of a file, by (group of fix, what the task did)."""

    groups: dict[tuple[str, str], Tally] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)

    def total(self, name: str) -> int:
        return sum(getattr(tally, name) for tally in self.groups.values())


class UnknownFix(ValueError):
    """A fix, tag or operation that is not described here; the text says what was expected."""


def read_trials(path: Path) -> Iterator[Trial]:
    """Yield the rows. Raises ValueError that names file, line and what was expected."""
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines, delimiter="\t")
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise ValueError(f"{path}:1: expected the columns {', '.join(missing)}")
        for row in reader:
            children = re.fullmatch(r"(>=)?(\d+)", row["children_before_first_oom"] or "")
            if children is None or not (row["filepages"] or "").isdecimal():
                raise ValueError(
                    f"{path}:{reader.line_num}: expected numbers in filepages and children_before_first_oom"
                )
            yield Trial(
                line=reader.line_num,
                fix=row["fix"],
                how=row["how"],
                tag=row["tag"],
                file_pages=int(row["filepages"]),
                outcome=row["outcome"],
                children=int(children[2]),
                censored=children[1] is not None,
            )


@cache
def seed_state() -> SystemState:
    """Return the state that the example report gives."""
    return build_state(next(iter(scan_file(str(SEED_REPORT)))))


def applied(trial: Trial) -> Applied:
    """Return what a row's fix does, its tag included. Raises UnknownFix."""
    name, numbers = _name_and_numbers(trial.fix)
    tag, tag_numbers = _name_and_numbers(trial.tag)
    if name not in FIXES:
        raise UnknownFix(f"fix {trial.fix!r}: expected one of {', '.join(FIXES)}")
    if tag not in TAGS:
        raise UnknownFix(f"tag {trial.tag!r}: expected one of {', '.join(filter(None, TAGS))}")
    fix = FIXES[name](numbers)
    changes = (*fix.changes, *TAGS[tag](tag_numbers))
    return Applied(fix.group, changes, fix.swap_kb, fix.drops_file_pages)


def foretell(state: SystemState, trial: Trial) -> Foretold:
    """Return what the simulator says about a row, from ``state`` (the report) and the row's fix. Raises UnknownFix."""
    fix = applied(trial)
    if trial.how not in OPERATION_OF:
        raise UnknownFix(f"how {trial.how!r}: expected one of {', '.join(OPERATION_OF)}")
    operation = knowledge.operations("arm")[OPERATION_OF[trial.how]]
    box = with_reclaimable(state, trial.file_pages, fix.swap_kb)
    changes = fix.changes
    if fix.drops_file_pages and trial.file_pages:
        changes = (*changes, FreePages("page-cache", trial.file_pages))
    snap = snapshot(box)
    assert snap is not None, "the example report has everything that the test needs"
    outcome = what_if(snap, operation, changes, draws=0)
    best, worst = _at_min(outcome.after), _at_min(outcome.worst or outcome.after)
    sysctls = {c.name: c.values[0] for c in changes if isinstance(c, SetSysctl)}
    # A failing MIN leads to reclaim first: only where nothing can be reclaimed is it a kill.
    reclaims = reclaim_possible(box) is not False
    passes = {best, worst} if not reclaims else {best, worst, True}
    words = {word for ok in passes for word in outcome_words(box, sysctls, passes=ok)}
    exact = len(words) == 1
    group = fix.group if trial.file_pages == 0 else f"{fix.group} (file pages left)"
    return Foretold(group, frozenset(words), exact, _children(trial, operation, outcome, reclaims=reclaims))


def with_reclaimable(state: SystemState, file_pages: int, swap_kb: int) -> SystemState:
    """Return the state with clean file pages on the inactive list of the first zone tried, and with swap."""
    incident = state.incident
    zones = list(incident.zones)
    zones[-1] = zones[-1].model_copy(update={"inactive_file_pages": (zones[-1].inactive_file_pages or 0) + file_pages})
    file_lru = (state.memory.file_lru_pages or 0) + file_pages
    swap = state.swap if not swap_kb else Swap(total_kb=swap_kb, free_kb=swap_kb)
    return state.model_copy(
        update={
            "incident": incident.model_copy(update={"zones": tuple(zones)}),
            "memory": state.memory.model_copy(update={"file_lru_pages": file_lru}),
            "swap": swap,
        }
    )


def outcome_words(state: SystemState, sysctls: Mapping[str, int], *, passes: bool) -> frozenset[str]:
    """Return the words for a first request that passes MIN or not, under the sysctls that were set.

    The page directory is allocated before the commitment is checked, so a refusal comes after the kill, if there is one.
    """
    if not passes and sysctls.get("vm.panic_on_oom", 0):
        return frozenset({"PANIC"})
    refusals = may_be_refused(state, sysctls.get("vm.overcommit_memory", Overcommit.GUESS))
    words = {(True, False): "ok", (True, True): "ENOMEM", (False, False): "OOM", (False, True): "OOM+ENOMEM"}
    return frozenset(words[passes, refused] for refused in refusals)


def may_be_refused(state: SystemState, mode: int) -> frozenset[bool]:
    """Return whether one more page is refused for overcommit: one answer, or both where the report cannot tell.

    The programs of these boots map nothing with MAP_NORESERVE, so every page on the anonymous lists was charged; they
    run as root.
    """
    commit = commit_state(state, anonymous_charged=True)
    assert commit is not None, "the example report has everything that overcommit looks at"
    return fork_refused(with_changes(commit, [SetSysctl("vm.overcommit_memory", (mode,))]), 1, root=True)


def judge(path: Path) -> Result:
    """Foretell and compare every row of a file. Raises ValueError when the file does not have the expected shape."""
    state, result = seed_state(), Result()
    known: dict[tuple[str, str, str, int], Foretold] = {}
    for trial in read_trials(path):
        key = (trial.fix, trial.how, trial.tag, trial.file_pages)
        try:
            if key not in known:
                known[key] = foretell(state, trial)
        except ValueError as error:
            result.groups.setdefault(("not described", trial.how), Tally()).rows += 1
            result.groups["not described", trial.how].wrong += 1
            result.missed.append(f"{path.name}:{trial.line}: {error}")
            continue
        _count(result, trial, known[key], path.name)
    return result


def print_seed_trials(path: Path) -> bool:
    """Print the table and the closing line; return whether every row was foretold right and inside the stated bounds."""
    try:
        result = judge(path)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return False
    print(f"{'fix':<38}{'task':<8}{'rows':>6}{'right':>7}{'wrong':>7}{'outside':>9}{'headroom within 1':>19}")
    for (group, how), tally in sorted(result.groups.items()):
        near = f"{tally.within_1} of {tally.counted}" if tally.counted else "-"
        print(f"{group:<38}{how:<8}{tally.rows:>6}{tally.right:>7}{tally.wrong:>7}{tally.outside:>9}{near:>19}")
    for line in result.missed[:SHOWN]:
        print(f"  {line}")
    wrong, outside = result.total("wrong"), result.total("outside")
    print(f"headroom within 1: {result.total('within_1')} of {result.total('counted')}")
    print(f"seed: {result.total('rows')} rows, wrong {wrong}, outside bounds {outside}")
    return wrong == 0 and outside == 0


def _count(result: Result, trial: Trial, foretold: Foretold, name: str) -> None:
    tally = result.groups.setdefault((foretold.group, trial.how), Tally())
    tally.rows += 1
    said = "/".join(sorted(foretold.words))
    if trial.outcome in foretold.words and (foretold.exact or _children_inside(trial, foretold)):
        tally.right += 1
    elif foretold.exact:
        tally.wrong += 1
        result.missed.append(f"{name}:{trial.line}: {trial.fix} {trial.how} {trial.tag}: {said} said, {trial.outcome}")
    else:
        tally.outside += 1
        result.missed.append(
            f"{name}:{trial.line}: {trial.fix} {trial.how} {trial.tag}: {said} {foretold.children} said, "
            f"{trial.outcome} {trial.children}"
        )
    # Boots whose first child fails say nothing about counting: they are judged above.
    if foretold.exact and foretold.children and not trial.censored and max(trial.children, *foretold.children) > 0:
        tally.counted += 1
        tally.within_1 += abs(trial.children - foretold.children[0]) <= 1


def _children_inside(trial: Trial, foretold: Foretold) -> bool:
    if foretold.children is None:
        return True
    low, high = foretold.children
    return trial.children >= low - 1 and trial.children <= high + 1


def _children(trial: Trial, operation: Operation, outcome: Outcome, *, reclaims: bool) -> tuple[int, int] | None:
    """Return how many children can stay, as worst and best count; None where they do not stay or pages come back."""
    if trial.how not in STAYING or reclaims:
        return None
    best = children_that_stay(outcome.snapshot, operation)
    return (outcome.headroom, best)


def _at_min(replays: tuple[Replay, ...]) -> bool:
    return next(replay.ok for replay in replays if replay.mark == "min")


def _name_and_numbers(text: str) -> tuple[str, tuple[int, ...]]:
    name = re.match(r"[a-z]*", text)
    assert name is not None
    return name[0], tuple(int(number) for number in re.findall(r"\d+", text[name.end() :]))
