"""The rows and phrases that every output shares, so that text, Markdown and pages say the same."""

from collections.abc import Iterable
from dataclasses import dataclass

from oomadvisor.infer.arithmetic import family_of
from oomadvisor.model import (
    Fix,
    IncidentAdvice,
    IncidentKind,
    LadderStep,
    Measured,
    Origin,
    SystemState,
    Tunable,
    Verdict,
    Verification,
)
from oomadvisor.simulate.headroom import MAX_CHILDREN
from oomadvisor.simulate.whatif import CHILDREN_DRAWN

KIND_WORDS: dict[IncidentKind, str] = {
    "oom": "OOM kill",
    "alloc-failure": "Page allocation failure",
    "cgroup-oom": "OOM in a memory cgroup",
    "oom-panic": "Panic on OOM",
    "page-fault-kill": "Kill by a page fault",
    "mem-info": "Memory report",
}
MOST_BESIDE = 3
MOST_STEPS = 3  # more columns than this do not fit 80


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A row of the check table; the last cell is the result in words."""

    cells: tuple[str, ...]
    ok: bool


def kernel_words(state: SystemState) -> str:
    """Name the kernel, and how it is known."""
    kernel = state.kernel
    told = {"forms": " (told by its lines)", "option": " (as you said)", "proc": " (/proc/version)"}.get(
        kernel.source, ""
    )
    arch = state.incident.arch
    name = "kernel unknown" if kernel.source == "unknown" else f"Linux {kernel.text}{told}"
    return f"{name}, {arch}" if arch else name


def check_rows(advice: IncidentAdvice) -> tuple[tuple[str, ...], tuple[CheckRow, ...]]:
    """Return the header and rows of the check of the request's order: zone, mark, its steps, result.

    A column for each step up to order MOST_STEPS; above that only the first step and the one that decided.
    """
    order = order_in_question(advice)
    verdicts = [v for v in advice.verdicts if v.order == order]
    if order > 0 and scans(advice):
        large = f"blocks ≥ {advice.state.page_kb << order} kB"
        found = (CheckRow(_cells(v, [_step(v.steps[0]), str(v.steps[1].remaining_pages)]), v.ok) for v in verdicts)
        return ("zone", "mark", "free pages", large, "result"), tuple(found)
    if order <= MOST_STEPS:
        header = ("zone", "mark", *(f"order {step}" for step in range(order + 1)), "result")
        return header, tuple(CheckRow(_cells(v, [_step(s) for s in v.steps]), v.ok) for v in verdicts)
    rows = []
    for verdict in verdicts:
        decided = verdict.order if verdict.failed_at_order is None else verdict.failed_at_order
        sign = ">" if verdict.ok else "≤"
        deciding = f"order {decided}: {verdict.remaining_pages} {sign} {verdict.bound_pages}"
        first = _step(verdict.steps[0]) if verdict.steps else ""
        rows.append(CheckRow(_cells(verdict, [first, deciding]), verdict.ok))
    return ("zone", "mark", "order 0", "deciding", "result"), tuple(rows)


def scans(advice: IncidentAdvice) -> bool:
    """Return whether the check looks for a block instead of comparing order by order (since 4.4)."""
    family = family_of(advice.state.kernel, advice.state.incident)
    return family is not None and family.test.scans


def measured(advice: IncidentAdvice) -> bool:
    """Return whether the whole road of a request was run on this kernel, not only its test replayed."""
    family = family_of(advice.state.kernel, advice.state.incident)
    return family is not None and family.measured


def order_in_question(advice: IncidentAdvice) -> int:
    """Return the order that was asked for; of a picture of the memory the largest that the next operation needs."""
    order = advice.state.incident.request.order
    return max((v.order for v in advice.verdicts), default=0) if order is None else order


def _cells(verdict: Verdict, steps: list[str]) -> tuple[str, ...]:
    result = "passes" if verdict.ok else f"FAILS, {verdict.short_by_pages} short"
    return (verdict.zone, verdict.mark.upper(), *steps, result)


def _step(step: LadderStep) -> str:
    return f"{step.remaining_pages} {'>' if step.ok else '≤'} {step.bound_pages}"


def check_footer(advice: IncidentAdvice) -> str:
    """Say how to read the check table."""
    order = order_in_question(advice)
    after = "" if measured(advice) else " What this kernel does after the test was read, not run."
    if order == 0:
        return f"Each cell: pages left, and the bound (mark + reserve) that they must exceed.{after}"
    if scans(advice):
        return (
            "Free pages: those left, and the bound (mark + reserve) that they must exceed. After that one block that "
            "is large enough and on a list that the request may take from suffices (since 4.4), whatever the marks: "
            f"the pages in such blocks.{after}"
        )
    block = advice.state.page_kb << order
    if order > MOST_STEPS:
        return (
            "Each cell: pages left, and the bound that they must exceed. Deciding: the first comparison that fails "
            f"(else the last). Of {order} of them, comparison j counts only blocks of order j and larger, against the "
            f"mark halved j times. Short: pages missing in such blocks. The last look before a kill is at HIGH.{after}"
        )
    return (
        "Each cell: pages left, and the bound that they must exceed. The column of order j counts only blocks of that "
        "size and larger, against the mark halved j times. Short: pages missing, in blocks of the first order that "
        f"fails or larger (order {order}: {block} kB). The last look before a kill is at HIGH.{after}"
    )


def lines_words(origins: Iterable[Origin | None], main_file: str) -> str:
    """Return places as ``lines 1, 29`` of the report's own file, and ``file:line`` of others."""
    own = sorted({o.line for o in origins if o is not None and o.file == main_file})
    others = dict.fromkeys(str(o) for o in origins if o is not None and o.file != main_file)
    words = []
    if own:
        words.append(f"{'line' if len(own) == 1 else 'lines'} {', '.join(map(str, own))}")
    return ", ".join((*words, *others))


SETTINGS_SHOWN = (
    "vm.min_free_kbytes",
    "vm.lowmem_reserve_ratio",
    "vm.watermark_scale_factor",
    "vm.percpu_pagelist_fraction",
    "vm.overcommit_memory",
    "vm.overcommit_ratio",
    "vm.swappiness",
    "vm.vfs_cache_pressure",
    "vm.panic_on_oom",
    "vm.oom_kill_allocating_task",
    "vm.oom_dump_tasks",
)


def value_words(tunable: Tunable) -> str:
    """Return the value as it was read, where it is no number; else the interval."""
    return tunable.text if tunable.low is None and tunable.text else tunable.interval


def setting_rows(advice: IncidentAdvice) -> tuple[list[tuple[str, str, str]], int]:
    """Return (name, value, where from) of the settings that matter for an OOM, and how many others are known."""
    shown = {n: t for n, t in advice.tunables.items() if n.split("[")[0] in SETTINGS_SHOWN}
    rows = []
    for name, tunable in sorted(shown.items(), key=lambda item: SETTINGS_SHOWN.index(item[0].split("[")[0])):
        default = "" if tunable.default is None else f"; default {tunable.default}"
        rows.append((name, value_words(tunable), f"{tunable.source}{default}"))
    return rows, len(advice.tunables) - len(shown)


def first_heading(fix: Fix) -> str:
    """Return what the first fix stands under: what was not proved is not ordered, what still fails is not promised."""
    verification = fix.verification
    if verification.class_ in ("certain", "bounded", "marginal"):
        return "Do this first"
    passes = any(result.ok for result in verification.after if result.mark != "low")
    if passes or (not verification.after and fix.repairs == "cause"):
        return "Likely to help, though the report cannot prove it"
    if not verification.after:
        return "What may help, though not against the cause"
    return "What may help, though by itself it does not make the check pass"


def why_rows(advice: IncidentAdvice) -> list[tuple[str, str]]:
    """Return the causes that decide, by title, the first with its explanation; none where a note answers "why"."""
    if any(note.topic == "answer" and note.title.startswith("Why a kill") for note in advice.notes):
        return []
    deciding = [cause for cause in advice.causes if cause.role == "decides"] or list(advice.causes[:1])
    rows = [(cause.title + ".", "" if place else cause.explanation) for place, cause in enumerate(deciding)]
    beside = [cause.title for cause in advice.causes if cause not in deciding and cause.role == "contributes"]
    if beside:
        titles = "; ".join(f"{title[:1].lower()}{title[1:]}" for title in beside[:MOST_BESIDE])
        rows.append(("", f"Besides: {titles}."))
    return rows


def no_cause(advice: IncidentAdvice) -> str:
    """Say that nothing is known, and what would help."""
    if advice.state.incident.kind == "mem-info":
        return "Nothing happened in this input that would need a cause."
    if advice.state.incident.missing:
        return (
            "No rule can tell the cause: the report lacks "
            + ", ".join(advice.state.incident.missing)
            + ". The whole report, from the first line of the event to the last, would help."
        )
    return "No rule can tell the cause from this report."


def unknown_rows(advice: IncidentAdvice) -> list[tuple[str, Origin | None]]:
    """Return what is not known, or odd, each with the place where it was seen."""
    missing, kernel = advice.state.incident.missing, advice.state.kernel
    rows: list[tuple[str, Origin | None]] = []
    if missing:
        rows.append(("The report does not hold: " + ", ".join(missing) + ".", None))
    rows += [(warning.text, warning.origin) for warning in advice.warnings]
    if kernel.source == "forms":
        told = f"The log does not name the kernel; its lines and functions are those of {kernel.text}."
        rows.append((f"{told} If that is wrong, say --kernel.", None))
    elif kernel.source == "unknown":
        rows.append((f"The kernel version is not known ({kernel.text}); say --kernel.", None))
    return rows


def memory_parts(advice: IncidentAdvice) -> tuple[list[tuple[str, int]], int]:
    """Return (owner, pages) of everything that is known and not nothing, and the pages of RAM they are shares of."""
    memory = advice.memory
    parts: list[tuple[str, int | None]] = [
        ("free", memory.free_pages),
        ("tmpfs, shared memory", memory.shmem_pages),
        ("processes (anonymous)", memory.anon_pages),
        ("file cache", memory.file_lru_pages),
        ("kernel objects (slab)", memory.slab_pages),
        ("page tables", memory.pagetable_pages),
        ("locked, ramfs", memory.unevictable_pages),
        ("kernel image, reserved", memory.reserved_pages),
        ("in no counter", memory.unaccounted_pages),
    ]
    if memory.shmem_pages is None and memory.anon_lru_pages is not None:
        parts[1] = ("processes and tmpfs", memory.anon_lru_pages)
    known = [(name, pages) for name, pages in parts if pages is not None and pages > 0]
    ram = memory.ram_pages or sum(pages for _, pages in known)
    return (known, ram) if ram > 0 else ([], 0)


def memory_rows(advice: IncidentAdvice) -> list[tuple[str, int, int]]:
    """Return (owner, tenths of MB, permille of RAM) of everything that is known, largest first."""
    known, ram = memory_parts(advice)
    page_kb = advice.state.page_kb
    rows = [(name, (pages * page_kb * 10 + 512) // 1024, (pages * 1000 + ram // 2) // ram) for name, pages in known]
    return sorted(rows, key=lambda row: -row[1])


def passes_words(verification: Verification) -> str:
    """Say at which marks the operation passed before and passes after."""
    words = []
    for before, after in zip(verification.before, verification.after, strict=False):
        if before.mark == "low":
            continue
        mark = before.mark.upper()
        if verification.worst:
            worst = next((r for r in verification.worst if r.mark == before.mark), None)
            low = "passes" if worst is not None and worst.ok else "fails"
            high = "passes" if after.ok else "fails"
            after_words = f"{low} at worst and {high} at best" if low != high else f"{high} in every case"
        else:
            after_words = "passes" if after.ok else "fails"
        words.append(f"{mark} {'passed' if before.ok else 'failed'} and now {after_words}")
    return "; ".join(words)


def children_words(verification: Verification) -> str:
    """Say how many more of the operation fit one after another while all stay alive."""
    room = verification.headroom
    if room is None or room.children is None:
        return ""
    number = _counted(room.children)
    if room.children_high is not None and room.children_high != room.children:
        number = f"{room.children} to {_counted(room.children_high)}"
    before = verification.headroom_before
    changed = before is not None and (before.children, before.children_high) != (room.children, room.children_high)
    was = f" instead of {before.children}" if before is not None and before.children is not None and changed else ""
    what = "processes that stay alive" if room.processes else "such requests in a row"
    return f"Headroom: {number} more {what}{was} ({room.operation}; {room.note})."


def _counted(children: int) -> str:
    return f"at least {children}" if children in (CHILDREN_DRAWN, MAX_CHILDREN) else str(children)


def measured_words(measured: Measured) -> str:
    """Return a measurement as a sentence, with its rate and interval where it is one."""
    if measured.trials is None or measured.successes is None:
        return f"{measured.text}."
    text = f"{measured.successes} of {measured.trials} {measured.text}"
    if measured.trials >= 30 and measured.low_permille is not None and measured.high_permille is not None:
        text += f" (95 % interval {measured.low_permille / 10:.1f} to {measured.high_permille / 10:.1f} %)"
    return f"{text}."
