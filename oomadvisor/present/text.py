"""Advice as text for a terminal: the answer on the first screen, the proof below it. Readable without colour."""

from io import StringIO
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from oomadvisor.model import Advice, Cause, Fix, IncidentAdvice, Measured, Refutation, Verification
from oomadvisor.present.numbers import (
    KIND_WORDS,
    check_footer,
    check_rows,
    children_words,
    first_heading,
    kernel_words,
    lines_words,
    measured_words,
    memory_rows,
    no_cause,
    passes_words,
    setting_rows,
    unknown_rows,
    why_rows,
)
from oomadvisor.present.plan_words import plan_footer, plan_rows
from oomadvisor.present.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

STYLES = {
    "certain": "bold green",
    "marginal": "yellow",
    "bounded": "yellow",
    "not decidable": "cyan",
    "no effect": "red",
    "harmful": "bold red",
    "false": "red",
    "half true": "yellow",
    "true": "green",
    "beside the point": "cyan",
}
BAR_CELLS = 24


def render_advice(advice: Advice, *, width: int, colour: bool) -> str:
    """Return the advice on every incident as text of ``width`` columns; escape sequences only with ``colour``."""
    parts: list[RenderableType] = []
    for incident in advice.incidents:
        parts += _incident(incident, advice)
    return to_text(Group(*parts), width=width, colour=colour)


def to_text(renderable: RenderableType, *, width: int, colour: bool) -> str:
    """Return what rich makes of a renderable, without trailing blanks."""
    out = StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    console.print(renderable)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def heading(title: str) -> RenderableType:
    """Return a section's heading with a line of space before it."""
    return Padding(Text(title.upper(), style="bold"), (1, 0, 0, 0))


def indented(*parts: RenderableType, by: int = 2) -> RenderableType:
    return Padding(Group(*parts), (0, 0, 0, by))


def plain(text: str, style: str = "") -> Text:
    """Return text from the model as it may go to a terminal: no control characters, never read as markup."""
    return Text(printable(text), style=style)


def _incident(advice: IncidentAdvice, whole: Advice) -> list[RenderableType]:
    parts: list[RenderableType] = [_title(advice, whole), heading("What happened")]
    parts.append(indented(*(plain(sentence) for sentence in advice.summary)))
    why = why_rows(advice)
    if why:
        parts.append(heading("Why"))
        parts += [indented(*_why(title, text)) for title, text in why]
    answers = [note for note in advice.notes if note.topic == "answer"]
    parts += [Padding(Group(plain(n.title, "bold"), indented(plain(n.text))), (1, 0, 0, 2)) for n in answers]
    if advice.fixes:
        parts.append(heading(first_heading(advice.fixes[0])))
        parts.append(indented(_first_fix(advice.fixes[0])))
    parts += _plan(advice)
    if advice.verdicts:
        parts.append(heading("The check, in the kernel's arithmetic"))
        parts.append(indented(check_table(advice), plain(check_footer(advice), "dim")))
    memory = memory_rows(advice)
    if memory:
        parts.append(heading("Where the memory is"))
        parts.append(indented(_memory_table(memory)))
        if advice.memory.shmem_basis:
            parts.append(indented(plain(f"tmpfs/shared memory: {advice.memory.shmem_basis}.", "dim")))
    if advice.tunables:
        parts.append(heading("Settings"))
        parts.append(indented(_tunable_table(advice)))
    if advice.causes:
        parts.append(heading("Causes"))
        parts += [_cause(cause, advice.state.incident.file) for cause in advice.causes]
    elif not advice.fixes:
        parts.append(heading("Causes"))
        parts.append(indented(plain(no_cause(advice))))
    if advice.fixes:
        parts.append(heading("Fixes, best first"))
        parts += [_fix(fix) for fix in advice.fixes]
    if advice.refuted:
        parts.append(heading("What people say about such a report"))
        parts += [_refutation(refutation) for refutation in advice.refuted]
    others = [note for note in advice.notes if note.topic != "answer"]
    if others:
        parts.append(heading("Also worth knowing"))
        parts += [
            Padding(Group(plain(note.title, "bold"), indented(plain(note.text))), (1, 0, 0, 2)) for note in others
        ]
    unknown = unknown_rows(advice)
    if unknown:
        parts.append(heading("What is not known, or odd"))
        lines = (f"- {said} ({origin})" if origin else f"- {said}" for said, origin in unknown)
        parts += [Padding(plain(line), (0, 0, 0, 2)) for line in lines]
    parts.append(
        Padding(
            plain(
                f"{len(advice.skipped)} rules did not apply (--format json names each with the reason). "
                "Every step of the derivation: oomadvisor explain.",
                "dim",
            ),
            (1, 0, 0, 0),
        )
    )
    if advice.causes or advice.fixes:
        parts.append(heading("In short"))
        parts.append(indented(*_in_short(advice)))
    return parts


def _plan(advice: IncidentAdvice) -> list[RenderableType]:
    rows = plan_rows(advice)
    if not rows:
        return []
    parts: list[RenderableType] = [heading("The plan")]
    for row in rows:
        parts.append(indented(plain(row.when)))
        parts += [indented(_listed(_fix_title(fix, with_rank=False)), by=4) for fix in row.fixes]
    return [*parts, indented(*(plain(line, "dim") for line in plan_footer(advice)))]


def _listed(line: Text) -> RenderableType:
    """Return a line with a dash before it, its later lines below the first."""
    row = Table.grid(padding=(0, 1))
    row.add_row("-", line)
    return row


def _in_short(advice: IncidentAdvice) -> list[RenderableType]:
    """Return the answer once more: on a terminal the end is what stays on the screen."""
    lines: list[RenderableType] = []
    deciding = [c.title for c in advice.causes if c.role == "decides"] or [c.title for c in advice.causes[:1]]
    if deciding:
        lines.append(plain("Why: " + "; ".join(f"{t[:1].lower()}{t[1:]}" for t in deciding[:2]) + "."))
    for word, fix in zip(("First: ", "Then:  "), advice.fixes, strict=False):
        line = Text(word)
        line.append_text(_fix_title(fix, with_rank=False))
        lines.append(line)
        lines += [indented(plain(command, "bold"), by=7) for command in fix.commands[:1]]
    return lines


def _title(advice: IncidentAdvice, whole: Advice) -> Text:
    incident = advice.state.incident
    of = f" of {whole.incidents_found}" if whole.incidents_found > 1 else ""
    words = [KIND_WORDS[incident.kind]]
    words.append(f"{incident.file}:{incident.line}" + (f", incident {incident.number}{of}" if of else ""))
    words.append(kernel_words(advice.state))
    if incident.time:
        words.append(incident.time)
    return plain(" · ".join(words), "bold")


def _why(title: str, text: str) -> "Iterable[RenderableType]":
    if title:
        yield plain(title, "bold")
    if text:
        yield indented(plain(text)) if title else plain(text)


def _first_fix(fix: Fix) -> RenderableType:
    parts: list[RenderableType] = [_fix_title(fix, with_rank=False)]
    parts += [indented(plain(c.target), by=4) for c in fix.changes if c.knob == "outside sysctl"]
    parts += [indented(plain(command, "bold"), by=4) for command in fix.commands]
    if not fix.verification.after:
        parts.append(indented(plain(fix.explanation)))
    parts += [indented(plain(line)) for line in _effect_lines(fix)]
    measured = [m for m in fix.verification.measured if m.applies and not m.of_class]
    parts += [indented(_measured_line(m)) for m in measured[:1]]
    if fix.price:
        parts.append(indented(plain(f"Price: {fix.price}")))
    return Group(*parts)


def _fix_title(fix: Fix, *, with_rank: bool) -> Text:
    title = Text()
    if with_rank:
        title.append(f"{fix.rank}. ", style="bold")
    title.append(printable(fix.title), style="bold")
    for change in fix.changes:
        if change.target_value is not None and change.current:
            title.append(printable(f": {change.current} → {change.target}"), style="bold")
    title.append("  ")
    class_ = fix.verification.class_
    title.append(f"[{class_.upper()}]", style=STYLES[class_])
    return title


def _effect_lines(fix: Fix) -> "Iterable[str]":
    verification = fix.verification
    if verification.after:
        yield f"Replayed: {passes_words(verification)}. So: {verification.why}."
    else:
        yield f"{verification.why[:1].upper()}{verification.why[1:]}."
    children = children_words(verification)
    if children:
        yield children
    for effect in verification.side_effects[1:]:
        yield f"Besides, {effect}."


def _measured_line(measured: Measured) -> Text:
    return plain(f"Measured: {measured_words(measured)}")


def _fix(fix: Fix) -> RenderableType:
    parts: list[RenderableType] = [_fix_title(fix, with_rank=True)]
    body: list[RenderableType] = [plain(fix.explanation)]
    body += [plain(c.target, "italic") for c in fix.changes if c.knob == "outside sysctl"]
    body += [indented(plain(command, "bold")) for command in fix.commands]
    body += [plain(line) for line in _effect_lines(fix)]
    body += _measured_lines(fix.verification)
    if fix.price:
        body.append(plain(f"Price: {fix.price}"))
    if fix.risk_text:
        body.append(plain(f"Risk ({fix.risk}): {fix.risk_text}"))
    body.append(plain(f"Undo: {fix.undo}"))
    body.append(plain(f"Sources: {'; '.join(fix.sources)}. Rule: {fix.rule}.", "dim"))
    parts.append(indented(*body, by=3))
    return Padding(Group(*parts), (1, 0, 0, 2))


def _measured_lines(verification: Verification) -> list[RenderableType]:
    """Return the measurements, and once the ground on which they stand (or why they do not carry over)."""
    lines: list[RenderableType] = [_measured_line(m) for m in verification.measured]
    if verification.measured:
        conditions = verification.measured[0].conditions
        lines.append(plain(f"({conditions[:1].upper()}{conditions[1:]}.)", "dim"))
    return lines


def _cause(cause: Cause, file: str) -> RenderableType:
    title = plain(f"{cause.rank}. {cause.title}", "bold")
    title.append(f"  [{cause.role}, confidence {cause.confidence}]", style="dim")
    places = lines_words([e.origin for e in cause.evidence], file)
    read = f"Read at {places}. " if places else ""
    body = [plain(cause.explanation), plain(f"{read}Rule: {cause.rule}.", "dim")]
    return Padding(Group(title, indented(*body, by=3)), (1, 0, 0, 2))


def _refutation(refutation: Refutation) -> RenderableType:
    title = Text("“" + printable(refutation.advice) + "”  ", style="bold")
    title.append(f"[{refutation.judged.upper()}]", style=STYLES[refutation.judged])
    body = [plain(refutation.why)]
    body += [plain(f"Measured: {measured_words(m)}") for m in refutation.measured if m.applies]
    return Padding(Group(title, indented(*body, by=3)), (1, 0, 0, 2))


def check_table(advice: IncidentAdvice) -> RenderableType:
    """Return the check of the request's order, zone by zone and mark by mark."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    columns, rows = check_rows(advice)
    for position, column in enumerate(columns):
        last = position == len(columns) - 1
        table.add_column(column, no_wrap=not last, justify="left" if position < 2 or last else "right")
    for row in rows:
        *cells, result = row.cells
        table.add_row(*cells, Text(result, style="green" if row.ok else "red"))
    return table


def _memory_table(rows: "list[tuple[str, int, int]]") -> RenderableType:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    for name, tenths_mb, permille in rows:
        cells = max(round(permille * BAR_CELLS / 1000), 1 if permille > 0 else 0)
        table.add_row(
            printable(name),
            f"{tenths_mb // 10}.{tenths_mb % 10} MB",
            f"{permille // 10}.{permille % 10} %",
            Text("█" * cells, style="blue"),
        )
    return table


def _tunable_table(advice: IncidentAdvice) -> RenderableType:
    rows, others = setting_rows(advice)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column()
    for name, value, note in rows:
        table.add_row(printable(name), printable(value), Text(note, style="dim"))
    more = [plain(f"{others} more are known; --format json lists them.", "dim")] if others else []
    return Group(table, *more)
