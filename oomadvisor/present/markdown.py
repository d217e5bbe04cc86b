"""Advice as GitHub-flavoured Markdown, to be pasted into a ticket: the same content and order as the text.

Nothing from the log reaches the ticket as markup: see :func:`inline`, :func:`code` and :func:`fenced`.
"""

import re
from collections.abc import Iterable, Sequence

from oomadvisor.model import (
    Advice,
    Cause,
    Change,
    Evidence,
    Fix,
    Headroom,
    IncidentAdvice,
    Measured,
    Memory,
    Refutation,
    RuleNote,
    Verdict,
    Verification,
)
from oomadvisor.present.printable import printable

_ESCAPES = str.maketrans({c: f"\\{c}" for c in "\\`*_[]|~$#"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;", "@": "&#64;"})
_BLOCK_START = re.compile(r"^([-+=]|\d+(?=[.)]))")
_AUTOLINK = re.compile(r":(?=//)|(?<=www)\.", re.IGNORECASE)

MEMORY_ROWS = (
    ("free", "free_pages"),
    ("tmpfs and shared memory", "shmem_pages"),
    ("anonymous memory of processes", "anon_pages"),
    ("file pages that can be dropped", "file_lru_pages"),
    ("unevictable", "unevictable_pages"),
    ("slab", "slab_pages"),
    ("page tables", "pagetable_pages"),
    ("reserved by the kernel", "reserved_pages"),
    ("unaccounted", "unaccounted_pages"),
)


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


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _incident(one: IncidentAdvice) -> list[str]:
    incident = one.state.incident
    place = f"{incident.file}:{incident.line}"
    return [
        f"# {_headline(one)}",
        f"Read from {code(place)}, kernel {inline(one.state.kernel.text or 'not known')}.",
        "## What happened",
        *(paragraph(sentence) for sentence in one.summary),
        *_notes(one.notes, "answer"),
        *_section("Watermark test", _verdict_table(one.verdicts)),
        *_section("Where the memory is", _memory_table(one.memory, one.state.page_kb)),
        *_section("Causes", [part for cause in one.causes for part in _cause(cause)]),
        *_section("Fixes, best first", [part for fix in one.fixes for part in _fix(fix)]),
        *_section("What people say about this", [part for said in one.refuted for part in _refutation(said)]),
        *_section("Also seen", [*_notes(one.notes, "finding"), *_notes(one.notes, "limits")]),
        *_section("About the input", _about_the_input(one)),
    ]


def _headline(one: IncidentAdvice) -> str:
    incident = one.state.incident
    what = {
        "oom": "OOM kill",
        "alloc-failure": "Page allocation failure",
        "cgroup-oom": "OOM kill in a memory cgroup",
        "oom-panic": "Panic for lack of memory",
        "page-fault-kill": "Kill in a page fault",
        "mem-info": "Memory report",
    }[incident.kind]
    comm, order = incident.request.comm, incident.request.order
    asked = f" for {code(comm)}" if comm else ""
    return f"{what}{asked}" + (f", order {order}" if order is not None and order >= 0 else "")


def _section(title: str, body: Sequence[str]) -> list[str]:
    return [f"## {title}", *body] if body else []


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> str:
    rules = ["--:" if i in right else "---" for i in range(len(headings))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (headings, rules, *rows))


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {_guarded(item)}" for item in items)


def _verdict_table(verdicts: Sequence[Verdict]) -> list[str]:
    if not verdicts:
        return []
    rows = [
        (
            inline(v.zone),
            v.mark.upper(),
            str(v.order),
            "pass" if v.ok else "**fail**",
            str(v.remaining_pages),
            f"&gt; {v.bound_pages}",
            "" if v.ok else _short(v),
        )
        for v in verdicts
    ]
    headings = ("zone", "mark", "order", "test", "pages left", "must be", "short by")
    return [_table(headings, rows, right=(2, 4, 5))]


def _short(verdict: Verdict) -> str:
    pages = f"{verdict.short_by_pages} page{'s' if verdict.short_by_pages != 1 else ''}"
    return f"{pages} in blocks of order {verdict.failed_at_order} or more" if verdict.failed_at_order else pages


def _memory_table(memory: Memory, page_kb: int) -> list[str]:
    known = [(name, pages) for name, field in MEMORY_ROWS if (pages := getattr(memory, field)) is not None]
    if not known:
        return []
    ram = memory.ram_pages
    rows = [
        (name, str(pages), _megabytes(pages, page_kb), f"{100 * pages / ram:.0f} %" if ram else "")
        for name, pages in [*known, *([("all RAM", ram)] if ram else [])]
    ]
    table = _table(("what", "pages", "MB", "of RAM"), rows, right=(1, 2, 3))
    if memory.shmem_low_pages == memory.shmem_high_pages or memory.shmem_basis is None:
        return [table]
    span = f"{memory.shmem_low_pages} to {memory.shmem_high_pages} pages"
    return [table, f"Tmpfs and shared memory: {span} ({inline(memory.shmem_basis)})."]


def _megabytes(pages: int, page_kb: int) -> str:
    return f"{pages * page_kb / 1024:.1f}"


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


def _fix(fix: Fix) -> list[str]:
    verification = fix.verification
    lines = [
        f"Price: {inline(fix.price)}" if fix.price else f"Cost: {fix.cost}",
        f"Risk: {fix.risk}" + (f"; {inline(fix.risk_text)}" if fix.risk_text else ""),
        f"Undo: {inline(fix.undo)}",
    ]
    return [
        f"### {fix.rank}. {inline(fix.title)}",
        f"**{verification.class_.capitalize()}**: {inline(verification.why)}",
        *([_table(("change", "from", "to"), map(_change, fix.changes))] if fix.changes else []),
        *([fenced(fix.commands, "sh")] if fix.commands else []),
        paragraph(fix.explanation),
        *_effect(verification),
        _list(lines),
        *_sources(fix.sources),
    ]


def _change(change: Change) -> tuple[str, str, str]:
    unit = f" {change.unit}" if change.unit else ""
    current = change.current if change.current is not None else "not known"
    return (
        code(change.knob),
        inline(current + (unit if change.current_low is not None else "")),
        inline(change.target + (unit if change.target_value is not None else "")),
    )


def _effect(verification: Verification) -> list[str]:
    lines = []
    if verification.before or verification.after:
        rows = []
        for when, replays in (
            ("before", verification.before),
            ("after", verification.after),
            ("after, worst case", verification.worst),
        ):
            rows += [(when, inline(r.operation), r.mark.upper(), "pass" if r.ok else "**fail**") for r in replays]
        lines.append(_table(("simulated", "operation", "mark", "test"), rows))
    if verification.headroom is not None:
        before = verification.headroom_before
        was = f" (before: {_children(before)})" if before is not None else ""
        lines.append(
            f"Headroom: {_children(verification.headroom)} more of {inline(verification.headroom.operation)}{was}."
        )
    if verification.side_effects:
        lines += ["Side effects:", _list(map(inline, verification.side_effects))]
    return [*lines, *_measured(verification.measured)]


def _children(headroom: Headroom) -> str:
    if headroom.children is None:
        return "not known"
    if headroom.children_high is None or headroom.children_high == headroom.children:
        return str(headroom.children)
    return f"{headroom.children} to {headroom.children_high}"


def _measured(measured: Sequence[Measured]) -> list[str]:
    if not measured:
        return []
    return [
        "Measured on a real kernel:",
        _list(
            inline(m.text)
            + f" ({inline(m.conditions)})"
            + ("" if m.applies else " (these conditions do not hold here)")
            for m in measured
        ),
    ]


def _refutation(said: Refutation) -> list[str]:
    numbers = ", ".join(f"{name} = {_value(value)}" for name, value in said.numbers.items())
    return [
        f"### \u201c{inline(said.advice)}\u201d: {said.judged}",
        paragraph(said.why),
        *([f"Numbers: {inline(numbers)}."] if numbers else []),
        *(_effect(said.verification) if said.verification else []),
        *_measured(said.measured),
    ]


def _notes(notes: Sequence[RuleNote], topic: str) -> list[str]:
    return [
        part for note in notes if note.topic == topic for part in (f"### {inline(note.title)}", paragraph(note.text))
    ]


def _sources(sources: Sequence[str]) -> list[str]:
    return [f"Sources: {', '.join(map(inline, sources))}."] if sources else []


def _about_the_input(one: IncidentAdvice) -> list[str]:
    lines = [
        inline(warning.text) + (f" ({code(str(warning.origin))})" if warning.origin else "") for warning in one.warnings
    ]
    if one.state.incident.missing:
        lines.append(f"Missing from the report: {inline(', '.join(one.state.incident.missing))}.")
    return [_list(lines)] if lines else []
