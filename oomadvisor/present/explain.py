"""The derivation alone: request → operation → zones → marks → test → reclaim → decision, each step with its source."""

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from oomadvisor.infer.arithmetic import certainty, family_of
from oomadvisor.infer.nodes import allowed_nodes
from oomadvisor.kernel import events
from oomadvisor.kernel.family import Family
from oomadvisor.kernel.gfp import WMARK_MASK
from oomadvisor.kernel.oom import OOM_SCORE_ADJ_MIN
from oomadvisor.kernel.reclaim import SWAP_CLUSTER_MAX, descent_offer
from oomadvisor.kernel.words import PAGE_SIZE
from oomadvisor.knowledge import call_site_named
from oomadvisor.model import MARKS, IncidentAdvice, SystemState, Task, Thresholds
from oomadvisor.present.numbers import kernel_words
from oomadvisor.present.text import check_table, heading, indented, plain, to_text
from oomadvisor.simulate.decision import retrace

MARK_NAMES = ("MIN", "LOW", "HIGH")
SCORES_SHOWN = 3
MASK_BITS = (
    ("__GFP_WAIT", "may sleep, so it may reclaim"),
    ("__GFP_DIRECT_RECLAIM", "may reclaim by itself, so it may sleep"),
    ("__GFP_KSWAPD_RECLAIM", "may wake kswapd"),
    ("__GFP_IO", "reclaim may start I/O"),
    ("__GFP_FS", "reclaim may call the file system; needed for a kill"),
    ("__GFP_HIGH", "may go deeper into the reserve"),
    ("__GFP_ATOMIC", "may go deeper still"),
    ("__GFP_NORETRY", "gives up instead of killing"),
    ("__GFP_RETRY_MAYFAIL", "tries hard, then gives up instead of killing"),
    ("__GFP_NOFAIL", "never gives up"),
)


def render_explain(advice: IncidentAdvice, *, width: int, colour: bool) -> str:
    """Return the derivation of one incident as text of ``width`` columns."""
    state = advice.state
    title = f"How the kernel came to it: {state.incident.file}:{state.incident.line} · {kernel_words(state)}"
    parts: list[RenderableType] = [plain(title, "bold")]
    steps = (
        ("The kernel, as its lines tell", _kernel(state)),
        ("The request", _request(state)),
        ("The operation", _operation(advice)),
        ("The zones that may serve it", _zones(state)),
        ("The marks, and the setting behind them", _marks(advice)),
        ("The test", _test(advice)),
        ("What could be reclaimed", _reclaim(state)),
        ("The decision", _decision(state)),
        ("At which settings it would have passed", _thresholds(advice)),
        ("Who was killed", _victim(state)),
    )
    for number, (name, body) in enumerate((step for step in steps if step[1]), 1):
        parts.append(heading(f"{number}. {name}"))
        parts.append(indented(*body))
    return to_text(Group(*parts), width=width, colour=colour)


def _kernel(state: SystemState) -> list[RenderableType]:
    kernel = state.kernel
    lines: list[RenderableType] = [plain(reason) for reason in kernel.reasons]
    if certainty(kernel) == "probable":
        lines.append(
            plain(
                f"{kernel.text} is no plain release ({kernel.vendor}): what follows is the arithmetic of "
                f"{'.'.join(map(str, kernel.version))}, and probable"
            )
        )
    if kernel.backports:
        later = ".".join(map(str, kernel.backports))
        lines.append(plain(f"its lines are those of {later} or later, so it holds changes of later series"))
    return lines


def _series(state: SystemState) -> str:
    """Name the kernel whose rules are used, for a source."""
    family = family_of(state.kernel, state.incident)
    if family is None or family.measured:
        return "2.6.31"
    return ".".join(map(str, state.kernel.version or state.kernel.oldest or ()))


def _source(*functions: str) -> Text:
    return plain(f"[{'; '.join(functions)}]", "dim")


def _request(state: SystemState) -> list[RenderableType]:
    request = state.incident.request
    if request.order is None:
        return [plain("The report does not say what was asked for.")]
    origin = state.incident.origin("request")
    size = f"{state.page_kb << request.order} kB" if request.order >= 0 else "nothing: SysRq-F asked for the kill"
    lines = [plain(f"order {request.order}: {size}, read at {origin}")]
    if request.gfp_mask is not None:
        names = " ".join(state.gfp_flags) or "names not known for this kernel"
        lines.append(plain(f"gfp mask {request.gfp_mask:#x}: {names}"))
    family = family_of(state.kernel, state.incident)
    if request.gfp_mask is not None and state.class_zone is not None and family is not None:
        bits = family.gfp_bits
        lines += [
            plain(f"  {name.removeprefix('__GFP_')}: {text}")
            for name, text in MASK_BITS
            if request.gfp_mask & bits.get(name, 0)
        ]
        kind = family.mobility(request.gfp_mask)
        if kind is not None:
            lines.append(plain(f"mobility: {kind.lower()}"))
        lines.append(_source(f"include/linux/gfp.h: gfp_zone, allocflags_to_migratetype, {_series(state)}"))
    return list(lines)


def _operation(advice: IncidentAdvice) -> list[RenderableType]:
    state = advice.state
    if state.operation is None:
        return []
    incident = state.incident
    lines: list[RenderableType] = []
    if incident.backtrace:
        chain = " ← ".join(frame.symbol for frame in incident.backtrace)
        lines.append(plain(f"backtrace at {incident.origin('backtrace')}: {chain}"))
    else:
        lines.append(plain("The report holds no backtrace, so the operation is the one request."))
    site = call_site_named(state.call_site)
    if site is not None:
        lines.append(plain(f"what that is: {site.what}"))
        if site.avoidable:
            lines.append(plain(f"to avoid it: {site.avoidable}"))
        lines.append(plain(f"more about it: oomadvisor knowledge show {site.id}", "dim"))
        lines.append(_source(site.source))
    for operation in (state.operation, state.workload):
        if operation is None or (operation is state.workload and operation.id == state.operation.id):
            continue
        word = "this" if operation is state.operation else "what the device does all day"
        lines.append(plain(f"{word}: {operation.title}, orders {', '.join(map(str, operation.orders))}"))
        lines += [
            plain(f"  order {step.order}: {step.what}" + (" (while the earlier blocks are held)" if i else ""))
            for i, step in enumerate(operation.steps)
        ]
        lines.append(_source(operation.source))
    return lines


def _zones(state: SystemState) -> list[RenderableType]:
    if not state.zones:
        return [plain("The report holds no zone lines.")]
    names = ", ".join(state.build.zone_names)
    lines = [plain(f"zones of this build, lowest first: {names} (empty ones included)"), *_build(state)]
    if state.class_zone_index is None:
        lines.append(plain("Which of them the mask allows is not known for this kernel."))
        return list(lines)
    allowed = allowed_nodes(state.incident)
    tried = [
        z.name
        for z in reversed(state.zones)
        if z.index <= state.class_zone_index and z.present_pages != 0 and (allowed is None or z.node in allowed)
    ]
    lines.append(plain(f"tried in this order: {', '.join(tried)}; class zone {state.class_zone}"))
    if state.build.numa:
        lines.append(
            plain("Which node asked is not in the report; the first is taken. Whether some zone passes is the same.")
        )
    index, origin = state.class_zone_index, state.incident.origin
    lines += [
        plain(
            f"{zone.name} keeps {zone.reserve_pages[index]} pages from this class zone "
            f"(read at {origin(f'zones.{zone.node}.{zone.name}.reserve')})"
        )
        for zone in reversed(state.zones)
        if zone.reserve_pages is not None and index < len(zone.reserve_pages)
    ]
    lines.append(
        _source(
            "mm/page_alloc.c: build_zonelists_node, setup_per_zone_lowmem_reserve, get_page_from_freelist, "
            f"{_series(state)}"
        )
    )
    return list(lines)


def _build(state: SystemState) -> list[Text]:
    """Say what the report shows of how the kernel was built, and by what it shows that."""
    build = state.build
    lines = []
    if build.highmem is not None:
        slots = len(build.zone_names)
        known = f"{slots} values after lowmem_reserve[]" if not build.highmem else "there is a HighMem zone"
        lines.append(plain(f"{'with' if build.highmem else 'no'} HIGHMEM ({known})"))
    if build.max_order is not None:
        largest = build.page_kb << (build.max_order - 1)
        lines.append(plain(f"MAX_ORDER {build.max_order} (columns of the buddy lines): blocks up to {largest} kB"))
    if build.cpus_seen is not None:
        lines.append(plain(f"{build.cpus_seen} CPU{'s' if build.cpus_seen > 1 else ''} (per-cpu lines)"))
    return lines


def _marks(advice: IncidentAdvice) -> list[RenderableType]:
    state = advice.state
    lines: list[RenderableType] = []
    for zone in reversed(state.zones):
        if zone.marks is None:
            continue
        marks = zone.marks
        lines.append(
            plain(
                f"{zone.name}: MIN {marks.min}, LOW {marks.low}, HIGH {marks.high} pages, "
                f"read at {state.incident.origin(f'zones.{zone.node}.{zone.name}')}"
            )
        )
    for tunable in advice.tunables.values():
        if tunable.low is None:
            continue
        high = f"–{tunable.high}" if tunable.high is not None and tunable.high != tunable.low else ""
        default = f"; default here {tunable.default}" if tunable.default is not None else ""
        lines.append(plain(f"{tunable.name} = {tunable.low}{high} ({tunable.source}: {tunable.basis}){default}"))
    return lines


def _test(advice: IncidentAdvice) -> list[RenderableType]:
    if not advice.verdicts:
        return [
            plain(
                "The test cannot be replayed: the report lacks marks, reserves or free lists, or the kernel is "
                "not one whose arithmetic is replayed here."
            )
        ]
    order = advice.state.incident.request.order or 0
    size = 1 << order
    family = family_of(advice.state.kernel, advice.state.incident)
    lines: list[RenderableType] = [
        *(plain(text) for text in _test_in_words(order, size, family)),
        check_table(advice),
        _source(f"mm/page_alloc.c: zone_watermark_ok, {_series(advice.state)}"),
    ]
    passing = sorted({v.order for v in advice.order_verdicts if v.mark == "high" and v.ok})
    failing = sorted({v.order for v in advice.order_verdicts} - set(passing))
    if passing or failing:
        lines.append(
            plain(
                f"On the same lists orders {_list(passing) or 'none'} pass at HIGH in some zone; "
                f"{_list(failing) or 'none of those tried'} in none."
            )
        )
    return lines


def _test_in_words(order: int, size: int, family: Family | None) -> list[str]:
    """Say what is compared, in the form of the test that this kernel has."""
    if family is None:
        return []
    test = family.test
    taken_off = [f"{size - 1 + test.pages_too_many}"] if size - 1 + test.pages_too_many else []
    if test.cma != "not counted":
        taken_off.append("free CMA pages, unless the request may use them")
    if test.highatomic != "none":
        taken_off.append("pages kept for large atomic requests")
    lines = [f"{' − '.join(['free', *taken_off])} must exceed mark + reserve"]
    if order and test.scans:
        lines[0] += (
            "; then one free block that is large enough, on a list that the request may take from, is all it asks for."
        )
    elif order:
        lines[0] += (
            f"; then, for each order below {order}, the blocks of that order are taken off and the mark is halved, and "
            "what is left must exceed it."
        )
    else:
        lines[0] += "."
    if test.pages_too_many:
        lines.append("(2.6.38 to 3.2 take two pages too many off: a slip of the kernel's own.)")
    return lines


def _list(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))


def _reclaim(state: SystemState) -> list[RenderableType]:
    swap, memory = state.swap, state.memory
    if swap is None or swap.total_kb is None or memory.file_lru_pages is None:
        return [plain("The report does not say enough (swap totals, file lists).")]
    if swap.total_kb:
        return [
            plain(f"swap of {swap.total_kb} kB is on, so process and tmpfs pages can be scanned too."),
            _source("mm/vmscan.c: get_scan_ratio, 2.6.31"),
        ]
    family = family_of(state.kernel, state.incident)
    if family is not None and not family.measured:
        return [
            plain(
                f"no swap: the {memory.anon_lru_pages} pages on the anon lists (processes and tmpfs) cannot be written "
                f"out; {memory.file_lru_pages} pages are on the file lists. How far they are scanned is replayed for "
                "2.6.31 alone."
            )
        ]
    lines: list[RenderableType] = [
        plain(f"no swap: the {memory.anon_lru_pages} pages on the anon lists (processes and tmpfs) get 0 % of the scan")
    ]
    for zone in reversed(state.zones):
        for name, pages in (("active", zone.active_file_pages), ("inactive", zone.inactive_file_pages)):
            if pages is None:
                continue
            offer = descent_offer(pages)
            verdict = "is scanned" if offer >= SWAP_CLUSTER_MAX else "is not touched"
            lines.append(
                plain(
                    f"{zone.name}, {name} file list: {pages} pages offer {offer} over priorities 12 to 0; "
                    f"batch {SWAP_CLUSTER_MAX}: {verdict}"
                )
            )
    lines.append(_source("mm/vmscan.c: get_scan_ratio, nr_scan_try_batch, shrink_zone, 2.6.31"))
    return lines


def _decision(state: SystemState) -> list[RenderableType]:
    outcome = retrace(state)
    if outcome is None:
        family = family_of(state.kernel, state.incident)
        if family is not None and not family.measured:
            return [plain(text) for text in _kill_rules(state, family)]
        return [plain("The road cannot be retraced from this report.")]
    lines: list[RenderableType] = []
    for event in outcome.events:
        if isinstance(event, events.WatermarkTest):
            # Tested with class zone 0 and without flags, it is the question whether kswapd has work (wakeup_kswapd).
            for_kswapd = event.class_zone == 0 and not event.alloc_flags
            mark = "LOW" if for_kswapd else MARK_NAMES[event.alloc_flags & WMARK_MASK]
            question = ", asked for kswapd" if for_kswapd else ""
            word = "passes" if event.ok else "fails"
            lines.append(plain(f"{mark} ({event.mark} pages) in {event.zone}{question}: {word}"))
        elif isinstance(event, events.KswapdWake):
            lines.append(plain(f"kswapd is woken for {event.zone}, order {event.order}"))
        elif isinstance(event, events.DirectReclaim):
            lines.append(plain(f"direct reclaim: {event.progress} pages freed"))
        elif isinstance(event, events.OomKill):
            lines.append(plain("the OOM killer is called", "bold"))
        elif isinstance(event, events.AllocatedFrom):
            lines.append(
                plain(
                    f"on the printed numbers {event.zone} would serve it: the state had changed by the time of "
                    "printing, or another rule applied"
                )
            )
        elif isinstance(event, events.AllocationFailureMessage):
            lines.append(plain("the failure is reported; nothing is killed"))
        elif isinstance(event, events.CongestionWait):
            lines.append(plain("sleeps up to 20 ms and tries again"))
    lines.append(
        _source("mm/page_alloc.c: __alloc_pages_nodemask, __alloc_pages_slowpath, __alloc_pages_may_oom, 2.6.31")
    )
    return lines


def _kill_rules(state: SystemState, family: Family) -> list[str]:
    """Say what is known of the road of a kernel on which it was read, and never run."""
    rules = family.kills
    lines = [f"The road of a request in {state.kernel.text} was read, not run, so it is not retraced. As read:"]
    lines.append("  the last look before a kill is at HIGH, without any privilege")
    if rules.compacts != "no":
        lines.append(f"  memory is compacted first, for {'all orders' if rules.compacts == 'yes' else rules.compacts}")
    if rules.rounds is not None:
        lines.append(f"  {rules.rounds} rounds of reclaim without progress end the retries")
    never = " or ".join(name.removeprefix("__GFP_") for name in rules.never)
    lines.append(f"  no kill for {never}" + ("" if rules.costly else ", nor above order 3"))
    return lines


def _thresholds(advice: IncidentAdvice) -> list[RenderableType]:
    if not advice.thresholds:
        return []
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    for column in ("operation", "zone", *(mark.upper() for mark in MARKS)):
        table.add_column(column, justify="right" if column in MARK_NAMES else "left", no_wrap=True)
    grouped: dict[tuple[str, str], dict[str, Thresholds]] = {}
    for row in advice.thresholds:
        grouped.setdefault((row.operation, row.zone or "over the list"), {})[row.mark] = row
    for (operation, zone), marks in grouped.items():
        cells = ["never" if marks[m].largest is None else str(marks[m].largest) for m in MARKS if m in marks]
        table.add_row(operation, zone, *cells)
    return [
        plain("largest vm.min_free_kbytes at which each operation passes on this snapshot, block by block:"),
        table,
        _source("the test and the marks solved by bisection on the exact functions"),
    ]


def _victim(state: SystemState) -> list[RenderableType]:
    kills = [k for k in state.incident.kills if k.kind in ("chosen", "killed", "vm-fault")]
    if not kills:
        return [plain("The report does not hold the kill lines.")] if state.incident.kind == "oom" else []
    family = family_of(state.kernel, state.incident)
    lines: list[RenderableType] = []
    for kill in kills:
        score = f", score {kill.score} ({_score_words(family)})" if kill.score is not None else ""
        word = "chosen" if kill.kind == "chosen" else "killed"
        lines.append(plain(f"line {kill.line}: {word} {kill.name} (process {kill.pid}){score}"))
    lines += [plain(text) for text in _scores(state, family)]
    score = "badness" if family is None or family.victim.by == "virtual size" else "oom_badness"
    lines.append(_source(f"mm/oom_kill.c: select_bad_process, {score}, oom_kill_process, {_series(state)}"))
    return lines


def _score_words(family: Family | None) -> str:
    """Say what a printed score counts."""
    if family is None or family.victim.by == "virtual size":
        return "virtual size weighed by run time and niceness"
    return "memory used, in permille of all, and oom_score_adj"


def _scores(state: SystemState, family: Family | None) -> list[str]:
    """Return the highest scores of the task table by this kernel's formula (since 2.6.36), where it holds enough.

    Tasks that are never chosen (oom_score_adj −1000) are left out.
    """
    memory, swap = state.memory, state.swap
    known = [t for t in state.incident.tasks if t.rss_pages is not None and t.oom_adj not in (None, OOM_SCORE_ADJ_MIN)]
    if family is None or family.victim.by == "virtual size" or not known or memory.ram_pages is None:
        return []
    if any(t.oom_adj is not None and abs(t.oom_adj) > 1000 for t in known):
        return []
    total = memory.ram_pages - (memory.reserved_pages or 0)
    total += 0 if swap is None or swap.total_kb is None else swap.total_kb // state.page_kb

    def score(task: Task, root: bool) -> int:
        return family.badness(
            rss=task.rss_pages or 0,
            swapents=task.swapents or 0,
            totalpages=total,
            oom_score_adj=task.oom_adj or 0,
            nr_ptes=_table_pages(task, state.page_kb),
            pgtables_bytes=_table_pages(task, state.page_kb) * PAGE_SIZE,
            cap_sys_admin=root,
            bits=state.build.word_bits,
        )

    scored = sorted(((score(task, False), task) for task in known), key=lambda pair: (-pair[0], pair[1].pid))
    unit = "permille" if family.victim.by == "permille" else "pages"
    lines = [f"highest scores by this kernel's formula, of {total} pages of RAM and swap:"]
    for points, task in scored[:SCORES_SHOWN]:
        as_root = score(task, True)
        root = f", or {as_root} with the bonus of root" if task.uid == 0 and as_root != points else ""
        lines.append(f"  {task.name} (process {task.pid}): {points} {unit}{root}")
    if any(t.page_table_bytes is None for t in known) and family.victim.tables != "none":
        lines.append("  (without page tables, which this report does not print)")
    return lines


def _table_pages(task: Task, page_kb: int) -> int:
    return (task.page_table_bytes or 0) // (page_kb * 1024)
