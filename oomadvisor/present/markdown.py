"""Advice as GitHub-flavoured Markdown, to be pasted into a ticket: the same content and order as the text.

Nothing from the log reaches the ticket as markup: see :func:`inline`, :func:`code` and :func:`fenced`.
"""

import re
from collections.abc import Iterable, Sequence

from oomadvisor.model import Advice, Cause, Evidence, Fix, IncidentAdvice, Measured, Refutation, RuleNote, Tunable
from oomadvisor.present.numbers import (
    KIND_WORDS,
    check_footer,
    check_rows,
    children_words,
    first_heading,
    kernel_words,
    measured_words,
    memory_rows,
    no_cause,
    passes_words,
    unknown_rows,
    value_words,
    why_rows,
)
from oomadvisor.present.plan_words import plan_footer, plan_rows
from oomadvisor.present.printable import printable

_ESCAPES = str.maketrans({c: f"\\{c}" for c in "\\`*_[]|~$#"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;", "@": "&#64;"})
_BLOCK_START = re.compile(r"^([-+=]|\d+(?=[.)]))")
_AUTOLINK = re.compile(r":(?=//)|(?<=www)\.", re.IGNORECASE)


def inline(text: str) -> str:
    """Return ``text`` on one line, with nothing left in it that Markdown or HTML would act on.

    >>> inline("a|b <img src=x> `rm`")
    'a\\\\|b &lt;img src=x&gt; \\\\`rm\\\\`'
    """
    flat = printable(" ".join(text.split())).translate(_ESCAPES)
    return _AUTOLINK.sub(lambda m: f"&#{ord(m[0])};", flat)


def paragraph(text: str) -> str:
    """Return ``text`` as a paragraph: inline, and its beginning begins no list or rule.

    >>> paragraph("1. - x")
    '1\\\\. - x'
    """
    return _guarded(inline(text))


def _guarded(written: str) -> str:
    return _BLOCK_START.sub(lambda m: f"{m[0]}\\" if m[0].isdecimal() else f"\\{m[0]}", written)


def code(text: str) -> str:
    """Return ``text`` as a code span that no backtick in it can end, fit for a table cell too.

    >>> code("a`b|c")
    '`` a`b\\\\|c ``'
    """
    flat = printable(" ".join(text.split())).replace("|", "\\|")
    if not flat:
        return ""
    fence = "`" * (_longest_run(flat) + 1)
    return f"{fence} {flat} {fence}" if "`" in flat else f"{fence}{flat}{fence}"


def fenced(lines: Iterable[str], language: str = "") -> str:
    """Return ``lines`` as a code block that nothing in them can end."""
    text = "\n".join(printable(line) for block in lines for line in block.splitlines())
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def advice_markdown(advice: Advice) -> str:
    """Return the advice as Markdown; incidents follow each other in the order of the log."""
    parts = [part for one in advice.incidents for part in _incident(one)]
    made_by = f"Made by oomadvisor {inline(advice.version)} (rule engine: {inline(advice.engine)})."
    return "\n\n".join([*parts, f"*{made_by}*"]) + "\n"


def _why(title: str, text: str) -> list[str]:
    return [*([f"**{inline(title)}**"] if title else []), *([paragraph(text)] if text else [])]


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _incident(one: IncidentAdvice) -> list[str]:
    place = f"{one.state.incident.file}:{one.state.incident.line}"
    others = [note for note in one.notes if note.topic != "answer"]
    return [
        f"# {_headline(one)}",
        f"{code(place)}, {inline(kernel_words(one.state))}",
        *_section(
            "What happened", [*map(paragraph, one.summary), *_notes(n for n in one.notes if n.topic == "answer")]
        ),
        *_section("Why", [part for title, text in why_rows(one) for part in _why(title, text)]),
        *(part for fix in one.fixes[:1] for part in _section(first_heading(fix), _first(fix))),
        *_section("The plan", _plan(one)),
        *_section("The check, in the kernel's arithmetic", _check(one)),
        *_section("Where the memory is", _memory(one)),
        *_section("Settings", _settings(one.tunables)),
        *_section("Causes", _causes(one)),
        *_section("Fixes, best first", [part for fix in one.fixes for part in _fix(fix)]),
        *_section("What people say about such a report", [part for said in one.refuted for part in _refutation(said)]),
        *_section("Also worth knowing", _notes(others)),
        *_section("What is not known, or odd", _unknown(one)),
    ]


def _headline(one: IncidentAdvice) -> str:
    comm, order = one.state.incident.request.comm, one.state.incident.request.order
    asked = f" for {code(comm)}" if comm else ""
    of_order = f", order {order}" if order is not None and order >= 0 else ""
    return f"{KIND_WORDS[one.state.incident.kind]}{asked}{of_order}"


def _section(title: str, body: Sequence[str]) -> list[str]:
    return [f"## {title}", *body] if body else []


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> str:
    rules = ["--:" if i in right else "---" for i in range(len(headings))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (headings, rules, *rows))


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {_guarded(item)}" for item in items)


def _notes(notes: Iterable[RuleNote]) -> list[str]:
    return [part for note in notes for part in (f"### {inline(note.title)}", paragraph(note.text))]


def _check(one: IncidentAdvice) -> list[str]:
    headings, rows = check_rows(one)
    if not rows:
        return []
    cells = [[inline(cell) for cell in row.cells] for row in rows]
    written = [(*row[:-1], row[-1] if rows[n].ok else f"**{row[-1]}**") for n, row in enumerate(cells)]
    return [_table(headings, written, right=range(2, len(headings) - 1)), paragraph(check_footer(one))]


def _memory(one: IncidentAdvice) -> list[str]:
    rows = [(inline(name), _tenths(tenths_mb), _tenths(permille)) for name, tenths_mb, permille in memory_rows(one)]
    if not rows:
        return []
    basis = [paragraph(f"Tmpfs and shared memory: {one.memory.shmem_basis}.")] if one.memory.shmem_basis else []
    return [_table(("what", "MB", "% of RAM"), rows, right=(1, 2)), *basis]


def _tenths(number: int) -> str:
    return f"{number // 10}.{number % 10}"


def _settings(tunables: dict[str, Tunable]) -> list[str]:
    rows = [
        (code(name), inline(value_words(one)), "" if one.default is None else str(one.default), inline(one.basis))
        for name, one in tunables.items()
        if one.source != "default"
    ]
    return [_table(("setting", "value", "default", "known by"), rows)] if rows else []


def _causes(one: IncidentAdvice) -> list[str]:
    if not one.causes and not one.fixes:
        return [paragraph(no_cause(one))]
    return [part for cause in one.causes for part in _cause(cause)]


def _cause(cause: Cause) -> list[str]:
    about = f"Confidence: {cause.confidence}. {cause.role.capitalize()}."
    return [f"### {cause.rank}. {inline(cause.title)}", about, paragraph(cause.explanation), *_evidence(cause.evidence)]


def _evidence(evidence: Sequence[Evidence]) -> list[str]:
    if not evidence:
        return []
    lines = []
    for fact in evidence:
        values = ", ".join(f"{name} = {_value(value)}" for name, value in fact.values.items())
        origin = f" ({code(str(fact.origin))})" if fact.origin else ""
        lines.append(f"{inline(fact.fact)}: {inline(values)}{origin}")
    return ["Evidence:", _list(lines)]


def _value(value: int | str | bool) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _first(fix: Fix) -> list[str]:
    lines = [*_effect(fix), *(_measured(m) for m in fix.verification.measured if m.applies and not m.of_class)]
    lines += [f"Price: {inline(fix.price)}"] if fix.price else []
    return [_title(fix), *_commands(fix), _list(lines)]


def _plan(one: IncidentAdvice) -> list[str]:
    rows = [part for row in plan_rows(one) for part in (f"**{row.when}**", _list(map(_short_title, row.fixes)))]
    return [*rows, *map(paragraph, plan_footer(one))]


def _fix(fix: Fix) -> list[str]:
    lines = [*_effect(fix), *map(_measured, fix.verification.measured)]
    lines += [f"Price: {inline(fix.price)}"] if fix.price else []
    lines.append(f"Risk: {fix.risk}" + (f". {inline(fix.risk_text)}" if fix.risk_text else ""))
    lines.append(f"Undo: {inline(fix.undo)}")
    sources = [f"Sources: {'; '.join(map(inline, fix.sources))}."] if fix.sources else []
    return [f"### {fix.rank}. {_title(fix)}", paragraph(fix.explanation), *_commands(fix), _list(lines), *sources]


def _title(fix: Fix) -> str:
    """The title, the change in numbers and the class; fit for the beginning of a paragraph."""
    changes = [f"{code(c.knob)}: {inline(c.current or 'not known')} → {inline(c.target)}" for c in fix.changes]
    return _short_title(fix) + (f" ({'; '.join(changes)})" if changes else "")


def _short_title(fix: Fix) -> str:
    return f"**{inline(fix.verification.class_).capitalize()}**: {inline(fix.title)}"


def _commands(fix: Fix) -> list[str]:
    return [fenced(fix.commands, "sh")] if fix.commands else []


def _effect(fix: Fix) -> Iterable[str]:
    verification = fix.verification
    if verification.after:
        yield f"Replayed: {inline(passes_words(verification))}. So: {inline(verification.why)}."
    else:
        yield f"{inline(verification.why)}."
    if children := children_words(verification):
        yield inline(children)
    for effect in verification.side_effects[1:]:
        yield f"Besides, {inline(effect)}."


def _measured(measured: Measured) -> str:
    return f"Measured: {inline(measured_words(measured))} ({inline(measured.conditions)})"


def _refutation(said: Refutation) -> list[str]:
    numbers = ", ".join(f"{name} = {_value(value)}" for name, value in said.numbers.items())
    measured = [_measured(m) for m in said.measured if m.applies]
    return [
        f"### “{inline(said.advice)}”: {said.judged}",
        paragraph(said.why),
        *([_list([*([f"Numbers: {inline(numbers)}"] if numbers else []), *measured])] if numbers or measured else []),
    ]


def _unknown(one: IncidentAdvice) -> list[str]:
    lines = [inline(said) + (f" ({code(str(origin))})" if origin else "") for said, origin in unknown_rows(one)]
    return [_list(lines)] if lines else []
