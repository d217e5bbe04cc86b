"""Reports of known content through the whole pipeline: ``python -m tests.checks.evaluate DIR``.

``DIR/index.json``: what each report holds (kind, order, gfp mask, and for some the cause that was found, as a label).
``DIR/labels.yaml``: which cause ids count as right for a label; ``fragmentation.movable`` counts as ``fragmentation``.

It measures, so what is missed is listed and is no failure. Exit codes: 0 measured; 1 a report raised an exception;
2 wrong usage; 3 the folder cannot be used.
"""

import json
import re
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from oomadvisor.advise import advise
from oomadvisor.book import engine_for, load_book
from oomadvisor.infer import build_state, state_from_proc
from oomadvisor.infer.arithmetic import families_of
from oomadvisor.model import Incident, IncidentAdvice
from oomadvisor.parse import InputError, read_proc_paths, scan_file
from oomadvisor.rulebook.book import RuleBook
from oomadvisor.rulebook.engine import Engine
from tests.checks.crude import names_kind, zone_differences

KINDS_OF = {
    "oom": ("oom", "oom-panic", "page-fault-kill"),
    "alloc-failure": ("alloc-failure",),
    "cgroup-oom": ("cgroup-oom",),
}
"""The incident kinds that are right for a kind of the index. ``procfs`` has none: its files hold no such event."""

EVENTS = frozenset(kind for kinds in KINDS_OF.values() for kind in kinds)
ERAS = ("2.6.18-2.6.39", "others")
SHOWN = 60
RANKED = 3


class UnusableReports(Exception):
    """The folder, its index or its labels cannot be used: the message names the file and what was expected."""


@dataclass(frozen=True)
class Expected:
    """An entry of the index. ``causes``: the cause ids that count, None when the report has no usable label."""

    file: str
    era: str
    kind: str
    order: int | None
    gfp_mask: int | None
    label: str | None
    causes: frozenset[str] | None


@dataclass
class Judged:
    """One report's result. ``None`` = the index does not say, or the report does not hold it."""

    expected: Expected
    recognised: bool = False
    fields: bool | None = None
    zones: bool | None = None
    verdict: bool | None = None
    cause_rank: int | None = None
    missed: list[str] = field(default_factory=list)
    error: str | None = None


def read_index(folder: Path) -> list[Expected]:
    """Return the entries of a folder. Raises UnusableReports."""
    index, labels = folder / "index.json", folder / "labels.yaml"
    try:
        entries = json.loads(index.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnusableReports(f"{index}: expected a JSON list of reports ({_reason(error)})") from error
    try:
        causes = yaml.safe_load(labels.read_text(encoding="utf-8")) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UnusableReports(f"{labels}: expected YAML, label: [cause ids] ({_reason(error)})") from error
    if not isinstance(entries, list) or not entries:
        raise UnusableReports(f"{index}: expected a JSON list with at least one report")
    if not isinstance(causes, dict) or not all(isinstance(ids, list) for ids in causes.values()):
        raise UnusableReports(f"{labels}: expected YAML, label: [cause ids]")
    return [_entry(folder, number, entry, causes) for number, entry in enumerate(entries, 1)]


def judge(folder: Path, expected: Expected, book: RuleBook, engine: Engine) -> Judged:
    """Run one report. An exception is kept in the result: the others still run."""
    judged = Judged(expected)
    try:
        path = str(folder / expected.file)
        if expected.kind in KINDS_OF:
            _judge_report(path, judged, book, engine)
        else:
            _judge_proc(path, judged, book, engine)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        judged.error = f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"
        judged.missed.append(f"exception {judged.error}")
    return judged


def era(kernel_version: str) -> str:
    """Return the era of a version as people write it: any 2.6.18 to 2.6.39 named in it decides.

    >>> era("2.6.2x (2.6.24-2.6.26 era)"), era("3.0.58-xen"), era("2.6.3")
    ('2.6.18-2.6.39', 'others', 'others')
    """
    named = (int(patch) for patch in re.findall(r"\b2\.6\.(\d+)", kernel_version))
    return ERAS[0] if any(18 <= patch <= 39 for patch in named) else ERAS[1]


def main(arguments: list[str]) -> int:
    """Judge a folder, print the tables and the closing line, return the exit code."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python -m tests.checks.evaluate DIR", file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    try:
        index = read_index(folder)
    except UnusableReports as error:
        print(f"eval: {error}", file=sys.stderr)
        return 3
    book = load_book()
    engine = engine_for(book)
    results = [judge(folder, expected, book, engine) for expected in index]
    _print(results)
    return 1 if any(judged.error for judged in results) else 0


def _judge_report(path: str, judged: Judged, book: RuleBook, engine: Engine) -> None:
    expected = judged.expected
    incidents = _incidents(path, judged)
    text = Path(path).read_text(encoding="utf-8", errors="replace")
    _judge_zones(judged, text, incidents)
    kinds: tuple[str, ...] = KINDS_OF[expected.kind]
    if not names_kind(text, expected.kind):
        # No word of the text speaks of such an event, so whatever it does hold is right: the index is mistaken.
        kinds = tuple(EVENTS | {"mem-info"})
        judged.missed.append(f"index: no word in the text speaks of {expected.kind}; read as what it holds")
    right = [incident for incident in incidents if incident.kind in kinds]
    if not right:
        found = ", ".join(sorted({incident.kind for incident in incidents})) or "nothing"
        judged.missed.append(f"not recognised: {expected.kind} expected, found {found}")
        return
    judged.recognised = True
    # Several incidents may stand in one report; the index describes one of them.
    incident = next((i for i in right if not _wrong_fields(expected, i)), right[0])
    # Which incident the index describes it does not say: its mask may be that of another kind in the same text.
    wrong = min((_wrong_fields(expected, i) for i in (incident, *incidents)), key=len)
    if expected.order is not None or expected.gfp_mask is not None:
        judged.fields = not wrong
    judged.missed += wrong
    for other in incidents:
        if other is not incident:
            advise(build_state(other), book, engine=engine)
    state = build_state(incident)
    advice = advise(state, book, engine=engine)
    if _zones_are_complete(incident):
        judged.verdict = bool(advice.verdicts)
        if not advice.verdicts:
            family = "" if families_of(state.kernel, incident) else "; its arithmetic is not replayed"
            judged.missed.append(f"no verdict: kernel {state.kernel.text} ({state.kernel.source}){family}")
    _judge_cause(judged, advice)


def _judge_zones(judged: Judged, text: str, incidents: list[Incident]) -> None:
    """Compare all zones of all incidents with a crude reading of the whole text."""
    found = zone_differences(text, incidents)
    if found.seen:
        judged.zones = not found.lost and not found.invented
    for word, rows in (("not read", found.lost), ("read differently", found.invented)):
        judged.missed += [f"{word}: {' '.join(map(str, row))}" for row in rows]


def _judge_cause(judged: Judged, advice: IncidentAdvice) -> None:
    wanted = judged.expected.causes
    if wanted is None:
        return
    ranked = [cause.id for cause in sorted(advice.causes, key=lambda cause: cause.rank)]
    judged.cause_rank = next((n for n, id_ in enumerate(ranked, 1) if id_ in wanted or _parent(id_) in wanted), None)
    if judged.cause_rank != 1:
        first = ", ".join(ranked[:RANKED]) or "none"
        place = "not among the causes" if judged.cause_rank is None else f"ranked {judged.cause_rank}"
        judged.missed.append(f"cause {'/'.join(sorted(wanted))} {place}: {first}")


def _judge_proc(path: str, judged: Judged, book: RuleBook, engine: Engine) -> None:
    """Files of /proc and the like: read without an exception, and no event found where none is."""
    false = [incident for incident in _incidents(path, judged) if incident.kind in EVENTS]
    with suppress(InputError):  # a refusal with a reason is an answer
        advise(state_from_proc(read_proc_paths([path])), book, engine=engine)
    judged.recognised = not false
    judged.missed += [f"an incident that is none: {i.kind} at line {i.line}" for i in false]


def _incidents(path: str, judged: Judged) -> list[Incident]:
    try:
        return list(scan_file(path))
    except InputError as error:
        judged.missed.append(f"refused: {error}")
        return []


def _wrong_fields(expected: Expected, incident: Incident) -> list[str]:
    request, wrong = incident.request, []
    if expected.order is not None and request.order != expected.order:
        wrong.append(f"order {request.order} read, {expected.order} expected")
    if expected.gfp_mask is not None and request.gfp_mask != expected.gfp_mask:
        read = None if request.gfp_mask is None else hex(request.gfp_mask)
        wrong.append(f"gfp mask {read} read, {expected.gfp_mask:#x} expected")
    return wrong


def _zones_are_complete(incident: Incident) -> bool:
    """Return whether the report holds what the test needs: a request, and every zone with marks and free lists."""
    order = incident.request.order
    return (
        order is not None
        and order >= 0
        and incident.request.gfp_mask is not None
        and bool(incident.zones)
        and all(
            zone.free_pages is not None and zone.marks is not None and zone.free_blocks and zone.reserve_pages
            for zone in incident.zones
            if zone.present_pages != 0
        )
    )


def _entry(folder: Path, number: int, entry: Any, causes: dict[str, list[str]]) -> Expected:
    where = f"{folder / 'index.json'}: entry {number}"
    if not isinstance(entry, dict):
        raise UnusableReports(f"{where}: expected an object")
    for name in ("file", "kernel_version", "kind"):
        if not isinstance(entry.get(name), str):
            raise UnusableReports(f"{where}: expected a text in {name}")
    order, gfp, label = entry.get("order"), entry.get("gfp"), entry.get("label")
    if order is not None and not isinstance(order, int):
        raise UnusableReports(f"{where}: expected a number or null in order")
    if entry["kind"] not in (*KINDS_OF, "procfs"):
        raise UnusableReports(f"{where}: expected kind to be one of {', '.join((*KINDS_OF, 'procfs'))}")
    if not (folder / entry["file"]).is_file():
        raise UnusableReports(f"{folder / entry['file']}: expected the report that index.json lists")
    mask = re.match(r"0x([0-9a-fA-F]+)", str(gfp)) if gfp is not None else None
    return Expected(
        file=entry["file"],
        era=era(entry["kernel_version"]),
        kind=entry["kind"],
        order=order,
        gfp_mask=int(mask[1], 16) if mask else None,
        label=label,
        causes=frozenset(causes[label]) if label in causes else None,
    )


def _print(results: list[Judged]) -> None:
    print(
        f"{'kernels':<16}{'reports':>9}{'recognised':>12}{'fields':>12}{'zones':>12}{'verdicts':>12}{'cause 1st':>12}{'in 3':>12}"
    )
    for name in ERAS:
        rows = [judged for judged in results if judged.expected.era == name]
        labelled = [judged for judged in rows if judged.expected.causes is not None]
        print(
            f"{name:<16}{len(rows):>9}{sum(j.recognised for j in rows):>12}"
            f"{_share([j.fields for j in rows]):>12}{_share([j.zones for j in rows]):>12}"
            f"{_share([j.verdict for j in rows]):>12}"
            f"{_share([j.cause_rank == 1 for j in labelled]):>12}"
            f"{_share([j.cause_rank is not None and j.cause_rank <= RANKED for j in labelled]):>12}"
        )
    missed = [f"{j.expected.file}: {text}" for j in results for text in j.missed]
    # What a reader must see first comes first; kernels whose arithmetic is not replayed are the long tail.
    missed.sort(key=lambda line: (": exception " not in line, ": no verdict: " in line))
    print("\n".join(f"  {line}" for line in missed[:SHOWN]) + ("\n" if missed else ""), end="")
    if len(missed) > SHOWN:
        print(f"  and {len(missed) - SHOWN} more")
    unknown = sorted({j.expected.label for j in results if j.expected.label and j.expected.causes is None})
    if unknown:
        print(f"labels without causes in labels.yaml, not counted: {', '.join(unknown)}")
    labelled = [judged for judged in results if judged.expected.causes is not None]
    print(
        f"eval: {len(results)} reports, recognised {sum(j.recognised for j in results)}, "
        f"verdicts {sum(j.verdict is True for j in results)}, "
        f"causes {sum(j.cause_rank == 1 for j in labelled)} of {len(labelled)} labelled"
    )


def _share(answers: list[bool | None]) -> str:
    known = [answer for answer in answers if answer is not None]
    return f"{sum(known)} of {len(known)}"


def _parent(cause: str) -> str:
    return cause.partition(".")[0]


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split())[:120]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
