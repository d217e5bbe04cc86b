"""A trial of changes as text: the answer first, then the check before and after, and what else moves."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from oomadvisor.kernel.words import INT_MAX
from oomadvisor.model import MARKS, Change, Thresholds, Verdict
from oomadvisor.model.rates import wilson_permille
from oomadvisor.model.trial import Effect, Segment, Solved, Sweep, SweepPoint, Trial, ZoneVerdicts
from oomadvisor.present.numbers import children_words, kernel_words, measured_words
from oomadvisor.present.text import STYLES, heading, indented, plain, to_text
from oomadvisor.simulate.headroom import MAX_CHILDREN

BAR_CELLS = 20
HOW_TO_READ = (
    "Each cell shows the comparison that decides, in pages: what remains in blocks of the size in question must be "
    "greater than the bound. The zones are tried in this order; one that passes is enough."
)


def render_trial(trial: Trial, *, width: int, colour: bool) -> str:
    """Return the trial as text of ``width`` columns; escape sequences only with ``colour``."""
    incident = trial.state.incident
    parts: list[RenderableType] = [
        plain(f"What if · {incident.file}:{incident.line} · {kernel_words(trial.state)}", "bold")
    ]
    if trial.changes:
        parts.append(heading("The change"))
        parts += [indented(plain(_change_words(change))) for change in trial.changes]
    if trial.changes or not (trial.solved or trial.sweep):
        parts += _result(trial)
    for solved in trial.solved:
        parts += _solved(solved, trial)
    if trial.sweep is not None:
        parts += _sweep(trial.sweep, trial)
    if trial.changes or not (trial.solved or trial.sweep):
        parts += _details(trial)
    return to_text(Group(*parts), width=width, colour=colour)


def _change_words(change: Change) -> str:
    return f"{change.knob}: {change.current} → {change.target}" if change.current else f"{change.knob}: {change.target}"


def _result(trial: Trial) -> list[RenderableType]:
    verification = trial.verification
    title = plain("THE RESULT", "bold")
    if trial.operation is not None:
        now = trial.instead or trial.operation
        title.append(f" for {now.title}", style="bold")
    if trial.changes:
        title.append("  ")
        title.append(f"[{verification.class_.upper()}]", style=STYLES[verification.class_])
    lines: list[RenderableType] = []
    if not trial.changes:
        lines.append(plain(_as_it_is(trial)))
    else:
        lines.append(plain(f"{verification.why[:1].upper()}{verification.why[1:]}."))
    if verification.draws:
        lines.append(plain(_estimate_words(trial)))
    words = children_words(verification)
    if words:
        lines.append(plain(words))
    lines += [plain(note) for note in trial.notes]
    if trial.changes:
        lines += [plain(f"Measured: {measured_words(m)}") for m in verification.measured]
        if verification.measured:
            conditions = verification.measured[0].conditions
            lines.append(plain(f"({conditions[:1].upper()}{conditions[1:]}.)", "dim"))
    return [Padding(title, (1, 0, 0, 0)), indented(*lines)]


def _as_it_is(trial: Trial) -> str:
    """Say what becomes of the operation when nothing is changed."""
    if not trial.verification.before:
        return f"{trial.verification.why[:1].upper()}{trial.verification.why[1:]}."
    words = [f"{replay.mark.upper()} {'passes' if replay.ok else 'fails'}" for replay in trial.verification.before]
    return f"As it is: {', '.join(words)}. Name a change with --set, --free and others to see what it does."


def _estimate_words(trial: Trial) -> str:
    """Say what the random layouts gave; the share with its spread, never as one number."""
    verification = trial.verification
    draws = verification.draws or 0
    at_min = (verification.estimate_min_permille or 0) * draws // 1000
    at_high = (verification.estimate_permille or 0) * draws // 1000
    low, high = wilson_permille(at_high, draws)
    return (
        f"Where the pages lie, no report says. Worst case: every page stays alone. Best case: every page completes a "
        f"block. Of {draws} random layouts with these lists {at_min} pass at MIN and {at_high} at HIGH "
        f"(95 % interval of this model, which is no measurement: {low // 10} to {-(-high // 10)} %)."
    )


def _details(trial: Trial) -> list[RenderableType]:
    parts: list[RenderableType] = []
    if trial.verdicts:
        changed = bool(trial.changes)
        parts.append(heading("The check, before and after" if changed else "The check"))
        parts.append(indented(_check_table(trial.verdicts, changed=changed), plain(HOW_TO_READ, "dim")))
    if trial.steps_after is not None:
        parts.append(heading("Block by block, at MIN"))
        parts.append(indented(*_steps(trial)))
    if trial.others:
        parts.append(heading("Other operations"))
        parts.append(indented(_others_table(trial)))
    if trial.effects:
        parts.append(heading("What else changes" if trial.changes else "What else follows"))
        parts.append(indented(_effects_table(trial.effects, changed=bool(trial.changes))))
    return parts


def _check_table(rows: Sequence[ZoneVerdicts], *, changed: bool) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    unsure = any(row.worst for row in rows)
    table.add_column("order, zone, mark", no_wrap=True)
    sides = ("before", *(("after, worst", "after, best") if unsure else ("after",))) if changed else ("result",)
    for name in sides:
        table.add_column(name, no_wrap=True)
    for row in rows:
        verdicts = (row.before, row.worst, row.after) if unsure else (row.before, row.after)
        cells = [_cell(verdict) for verdict in verdicts]
        table.add_row(f"{row.order}  {row.zone}  {row.mark.upper()}", *cells[: len(sides)])
    return table


def _cell(verdict: Verdict | None) -> Text:
    if verdict is None:
        return Text("-", style="dim")
    if verdict.ok:
        return Text(f"{verdict.remaining_pages} > {verdict.bound_pages}", style="green")
    short = f"{verdict.remaining_pages} ≤ {verdict.bound_pages}, {verdict.short_by_pages} short"
    return Text(short, style="red")


def _steps(trial: Trial) -> list[RenderableType]:
    lines: list[RenderableType] = []
    sides = (
        (("before", trial.steps_before), ("after", trial.steps_after))
        if trial.changes
        else (("now", trial.steps_before),)
    )
    for name, replay in sides:
        if replay is None:
            continue
        words = [
            f"{step.what} (order {step.order}) from {step.zone}"
            if step.zone
            else f"{step.what} (order {step.order}): no zone gives it"
            for step in replay.steps
        ]
        lines.append(plain(f"{name}: {'; '.join(words)}"))
    return lines


def _others_table(trial: Trial) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    table.add_column("operation", no_wrap=True)
    table.add_column("orders", no_wrap=True)
    columns = ("MIN before", "MIN after", "HIGH before", "HIGH after") if trial.changes else ("MIN", "HIGH")
    for name in columns:
        table.add_column(name, no_wrap=True)
    for other in trial.others:
        both = (other.min_before, other.min_after, other.high_before, other.high_after)
        shown = both if trial.changes else both[::2]
        cells = [Text("passes" if ok else "FAILS", style="green" if ok else "red") for ok in shown]
        table.add_row(plain(other.operation.title), " + ".join(map(str, other.operation.orders)), *cells)
    return table


def _effects_table(rows: Iterable[Effect], *, changed: bool) -> Table:
    """Return what moves; rows that differ only in their zone or size of block are one."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    table.add_column("what (pages)", ratio=1)
    table.add_column("before" if changed else "now", justify="right", no_wrap=True)
    if changed:
        table.add_column("after", justify="right", no_wrap=True)
    for _, same in groupby(rows, key=lambda row: row.id):
        group = list(same)
        about = " / ".join(row.about for row in group if row.about)
        unit = "(kB)" if group[0].unit == "kB" else ""
        words = " ".join(word for word in (group[0].title, about, unit) if word)
        sides = [" / ".join(map(_value, (row.before for row in group)))]
        if changed:
            sides.append(" / ".join(map(_value, (row.after for row in group))))
        style = "bold" if sides[0] != sides[-1] else ""
        table.add_row(plain(words), *(plain(side, style) for side in sides))
    return table


def _value(value: int | str | None) -> str:
    return "-" if value is None else str(value)


def _solved(solved: Solved, trial: Trial) -> list[RenderableType]:
    operation = trial.instead or trial.operation
    title = operation.title if operation is not None else "the request"
    parts: list[RenderableType] = [_titled("VALUES OF", solved.knob, "AT WHICH", title, "PASSES")]
    if not solved.in_test:
        said = f"The allocator's test does not read {solved.knob}: at every value the verdict is the same."
        return [*parts, indented(plain(said))]
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    several = len({row.knob for row in solved.rows}) > 1
    for name in (("knob",) if several else ()) + ("zone", "mark"):
        table.add_column(name, no_wrap=True)
    table.add_column("values that pass", no_wrap=True)
    for row in solved.rows:
        cells = [row.knob] if several else []
        table.add_row(*cells, row.zone or "whole list", row.mark.upper(), _passing(row))
    return [*parts, indented(table, *(plain(line, "dim") for line in _solved_notes(solved)))]


def _passing(row: Thresholds) -> Text:
    if row.smallest is None or row.largest is None:
        return Text("none", style="red")
    if row.largest == INT_MAX:
        words = "every value" if row.smallest <= 1 else f"{row.smallest} and more"
    else:
        words = f"{row.smallest} to {row.largest}"
    return Text(words, style="green")


def _titled(*words: str) -> RenderableType:
    """Return a heading with names in it that must keep their case."""
    return Padding(plain(" ".join(words), "bold"), (1, 0, 0, 0))


def _solved_notes(solved: Solved) -> list[str]:
    notes = ["Exact for the report's free lists, each block of the operation taken while the earlier ones are held."]
    if solved.current_low is not None:
        now = str(solved.current_low)
        if solved.current_high != solved.current_low:
            now += f"–{solved.current_high}" if solved.current_high is not None else " or more"
        default = f"; this kernel's default here is {solved.default}" if solved.default is not None else ""
        notes.append(f"Now: {now}{default}.")
    return notes


def _sweep(sweep: Sweep, trial: Trial) -> list[RenderableType]:
    operation = trial.instead or trial.operation
    title = operation.title if operation is not None else sweep.operation
    return [
        _titled("SWEEP OF", sweep.knob, f"FROM {sweep.low} TO {sweep.high}:", title),
        indented(_segments_table(sweep.segments), Text(""), _chart(sweep)),
    ]


def _segments_table(segments: Iterable[Segment]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    table.add_column("values", justify="right", no_wrap=True)
    table.add_column("class", no_wrap=True)
    for mark in MARKS:
        table.add_column(mark.upper(), no_wrap=True)
    for segment in segments:
        marks = (segment.passes_min, segment.passes_low, segment.passes_high)
        values = str(segment.low) if segment.low == segment.high else f"{segment.low}..{segment.high}"
        cells = [Text("passes" if ok else "fails", style="green" if ok else "red") for ok in marks]
        table.add_row(values, Text(segment.class_.upper(), style=STYLES[segment.class_]), *cells)
    return table


def _chart(sweep: Sweep) -> Table:
    """Return the headroom and the reserve of interrupts at each point, as bars. They read without colour."""
    counted = any(point.headroom is not None for point in sweep.points)
    most = max((point.headroom_high or point.headroom or 0 for point in sweep.points), default=0)
    reserve = max((point.atomic_pages for point in sweep.points), default=0)
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    table.add_column("value", justify="right", no_wrap=True)
    if counted:
        table.add_column("headroom", no_wrap=True)
    table.add_column("kept for interrupts", no_wrap=True)
    table.add_column("", no_wrap=True)
    for point in sweep.points:
        children = [Text(f"{_bar(point.headroom or 0, most)} {_children(point)}", style=STYLES[point.class_])]
        table.add_row(
            str(point.value),
            *(children if counted else ()),
            f"{_bar(point.atomic_pages, reserve, 10)} {point.atomic_pages} pages",
            Text(point.note or "", style="bold"),
        )
    return table


def _children(point: SweepPoint) -> str:
    if point.headroom is None:
        return "unknown"
    number = f"{point.headroom}" if point.headroom < MAX_CHILDREN else f"{MAX_CHILDREN} or more"
    return number if point.headroom_high is None else f"{number}–{point.headroom_high}"


def _bar(value: int, largest: int, cells: int = BAR_CELLS) -> str:
    if value <= 0 or largest <= 0:
        return "·"
    return "█" * max(value * cells // largest, 1)
