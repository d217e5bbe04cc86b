"""Predictions against the real machine: ``python -m tests.checks.whatif DIR``.

``DIR/whatif.jsonl.gz``: each row is the raw text of a report, the sysctl values then applied, and what a later fork in the
same state did. The report goes through the same parser, inference and simulator as ``advise`` uses; nothing else.
``DIR/trials.tsv`` and ``DIR/*.log.gz``, when they are there: see :mod:`tests.checks.trials`.
``DIR/seed/trials.tsv``, when it is there: the seed report's own numbers and one fix each, against what the fix did.
"""

import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from oomadvisor.infer import build_state
from oomadvisor.parse import read_incidents
from oomadvisor.simulate import NotReplayable, SetSysctl, snapshot, what_if
from tests.checks.seed_trials import print_seed_trials
from tests.checks.trials import has_trials, print_trials

Row = tuple[str, dict[str, int | str], str]


def rows(path: Path) -> Iterator[tuple[int, Row]]:
    """Yield (line number, (report, apply, outcome)). Raises ValueError that names file, line and what was expected."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            yield number, _row(f"{path}:{number}", line)


def _row(place: str, line: str) -> Row:
    try:
        row = json.loads(line)
        return row["report"], row["apply"], row["outcome"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{place}: expected an object with report, apply and outcome ({error})") from error


def predict(report: str, apply: dict[str, int | str], name: str = "row") -> str:
    """Return the class that the simulator gives to ``apply`` for the operation of the report."""
    incident = next(iter(read_incidents(report.splitlines(keepends=True), file=name)), None)
    if incident is None:
        return "unreadable"
    state = build_state(incident)
    snap = snapshot(state)
    if snap is None or state.operation is None:
        return "not decidable"
    changes = tuple(SetSysctl(knob, numbers(value)) for knob, value in apply.items())
    try:
        return what_if(snap, state.operation, changes).verification
    except NotReplayable:
        return "not decidable"


def numbers(value: int | str) -> tuple[int, ...]:
    return (value,) if isinstance(value, int) else tuple(int(part) for part in str(value).replace(",", " ").split())


def main(arguments: list[str]) -> int:
    """Print the table class × outcome, the seed's table when there is one, and the closing line. Exit code 0, 1 or 3."""
    if len(arguments) != 1:
        print("usage: python -m tests.checks.whatif DIR", file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    path = next((p for p in (folder / "whatif.jsonl.gz", folder / "whatif.jsonl") if p.is_file()), None)
    if path is None:
        print(f"{folder}: expected a file whatif.jsonl.gz or whatif.jsonl", file=sys.stderr)
        return 3
    table: Counter[tuple[str, str]] = Counter()
    wrong: list[str] = []
    try:
        for number, (report, apply, outcome) in rows(path):
            class_ = predict(report, apply, f"{path.name}:{number}")
            table[class_, outcome] += 1
            if (class_, outcome) in (("certain", "oom"), ("no effect", "ok"), ("harmful", "ok")):
                wrong.append(f"  {path.name}:{number}: {class_}, but {outcome}, with {apply}")
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 3
    outcomes = sorted({outcome for _, outcome in table})
    print(f"{'class':<16}" + "".join(f"{outcome:>8}" for outcome in outcomes))
    for class_ in sorted({class_ for class_, _ in table}):
        print(f"{class_:<16}" + "".join(f"{table[class_, outcome]:>8}" for outcome in outcomes))
    print("\n".join(wrong[:20]) + ("\n" if wrong else ""), end="")
    failed = table["certain", "oom"]
    surprising = table["no effect", "ok"] + table["harmful", "ok"]
    certain = sum(n for (class_, _), n in table.items() if class_ == "certain")
    unclassified = sum(n for (class_, _), n in table.items() if class_ in ("unreadable", "not decidable"))
    trials_ok = seed_ok = True
    if has_trials(folder):
        try:
            trials_ok = print_trials(folder)
        except (ValueError, OSError) as error:
            print(error, file=sys.stderr)
            return 3
    if (folder / "seed" / "trials.tsv").is_file():
        seed_ok = print_seed_trials(folder / "seed" / "trials.tsv")
    total = sum(table.values())
    print(f"whatif: {total} rows, certain-but-failed {failed}, no-fix-but-ok {surprising}")
    return 0 if failed * 100 <= certain and surprising == 0 and unclassified == 0 and trials_ok and seed_ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
