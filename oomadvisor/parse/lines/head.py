"""The head of a report: who asked for what, and the processor line that names the kernel."""

import re

from oomadvisor.parse.draft import Draft
from oomadvisor.parse.lineform import Line, LineForm, N, Variant

COMM = r"(?P<comm>[^=]{0,64}?)"
_MASK = r"0x[0-9a-fA-F]{1,16}(?:\([^()]{0,512}\))?"
_FIELD = re.compile(
    rf"(?P<name>gfp_mask|mode|order|oomkilladj|oom_adj|oom_score_adj|nodemask|cpuset|mems_allowed)[=:] ?"
    rf"(?P<value>{_MASK}|\(null\)|[^\s,][^\s]*?)(?P<end>,|\s|$)"
)
_NUMBERED = {"order", "oomkilladj", "oom_adj", "oom_score_adj"}


def _int(text: str) -> int | None:
    return int(text) if re.fullmatch(N, text) else None


def read_request(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Read ``name=value`` pairs; a pair at the end of a cut line is left out, since its value may be incomplete."""
    request = draft.request
    draft.at("request", line.number)
    comm = match.group("comm")
    if comm:
        request["comm"] = comm
    for pair in _FIELD.finditer(match.group("fields")):
        name, value = pair.group("name"), pair.group("value")
        if line.cut and pair.group("end") == "" and not value.endswith(")"):
            continue
        if name in ("gfp_mask", "mode"):
            digits, _, names = value.partition("(")
            if not re.fullmatch("0x[0-9a-fA-F]{1,16}", digits):
                continue
            request["gfp_mask"] = int(digits, 16)
            request["gfp_names"] = tuple(part for part in names.rstrip(")").split("|") if part)
        elif name in _NUMBERED:
            number = _int(value)
            if number is None:
                continue
            if name == "order":
                request["order"] = number
            elif not (line.cut and name == "oom_adj"):
                # 2.6.36-3.6 print both; the newer one is what the kernel decides by.
                request["oom_adj"] = number
                request["oom_adj_label"] = name
        elif name != "nodemask" or re.fullmatch(r"\(null\)|\d[\d,\-]{0,200}", value):
            request[name] = value


def read_cpuset(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Read the cpuset line, which some kernels print below the head."""
    draft.request.setdefault("cpuset", match.group("cpuset"))
    if not line.cut:
        draft.request.setdefault("mems_allowed", match.group("mems"))


def read_task(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Read pid, name and kernel release from the stack dump's head."""
    if match.group("pid"):
        draft.request.setdefault("pid", int(match.group("pid")))
    comm = match.group("comm")
    if comm and "comm" not in draft.request:
        draft.request["comm"] = comm.strip()
        if line.text.endswith(comm):
            draft.ends.append((line.width, lambda draft: _forget_comm(draft, comm.strip())))
    release = match.group("release")
    if release and not (line.cut and line.text.endswith(release)):
        draft.kernel_release = release
        draft.kernel_release_line = line.number
        draft.release_width = line.width if line.text.endswith(release) else 0


def _forget_comm(draft: Draft, comm: str) -> None:
    if draft.request.get("comm") == comm:
        del draft.request["comm"]


def names_the_same_task(draft: Draft | None, match: re.Match[str]) -> bool:
    """Return whether a line put together from parts names the task of the header."""
    known = None if draft is None else draft.request.get("comm")
    return known is None or known == match.group("comm")


def read_bare_taint(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Read the release from a head that has neither pid nor name (s390, ARM before 3.x)."""
    if draft.kernel_release is None and not (line.cut and line.text.endswith(match.group("release"))):
        draft.kernel_release = match.group("release")
        draft.kernel_release_line = line.number


def read_process(draft: Draft, match: re.Match[str], _line: Line) -> None:
    """Read ``Process NAME (pid: N``."""
    draft.request.setdefault("pid", int(match.group("pid")))
    draft.request.setdefault("comm", match.group("comm"))


def read_nothing(_draft: Draft, _match: re.Match[str], _line: Line) -> None:
    """Read a line that belongs to a report and holds nothing that the model keeps."""


def read_sysrq(draft: Draft, _match: re.Match[str], _line: Line) -> None:
    """Remember that somebody asked for this report."""
    draft.sysrq = True


_RELEASE = r"(?P<release>\d{1,3}\.\d{1,3}[\w.+~:@-]{0,80})"
_TAINT = rf"(?:Not tainted|Tainted:[ A-Za-z\-]{{1,60}}?) \(?{_RELEASE}"

FORMS: tuple[LineForm, ...] = (
    LineForm(
        "oom-header",
        ("oom-killer:",),
        rf"(?:{COMM} ?invoked )?oom-killer: (?P<fields>gfp_mask={_MASK},(?: nodemask=[\w()\-,]{{0,200}},)? order={N}"
        rf"(?:, (?:oomkilladj|oom_adj|oom_score_adj)={N}){{1,2}})",
        read_request,
        "start",
        reads_partial=True,
        partial=rf"(?:{COMM} ?invoked )?oom-killer:(?P<fields>(?: gfp_mask=[\w()|]{{0,600}},?)?"
        r"(?: nodemask=[\w()\-,]{0,200})?(?: order=-?\d{0,3},?)?"
        r"(?: (?:oomkilladj|oom_adj|oom_score_adj)=-?\d{0,6},?){0,2}(?: [a-z_]{1,14})?)",
        damaged=rf"{COMM} ?invoked oom-killer:? ?(?P<fields>gfp_mask=0x.{{0,600}})",
        variants=(
            Variant("oom-header-nodemask", r", nodemask=", (4, 9), (4, 20)),
            Variant("oom-header-gfp-names", r"gfp_mask=0x[0-9a-fA-F]+\(", (4, 6)),
            Variant("oom-header-oom_adj-oom_score_adj", r" oom_adj=\S+ oom_score_adj=", (2, 6, 36), (3, 6)),
            Variant("oom-header-oom_score_adj", r" oom_score_adj=", (3, 7), (4, 5)),
            Variant("oom-header-oom_adj", r" oom_adj=", (2, 6, 32), (2, 6, 35)),
            Variant("oom-header-oomkilladj", r" oomkilladj=", (2, 6, 19), (2, 6, 31)),
        ),
    ),
    LineForm(
        "oom-header-order",
        ("oom-killer:",),
        rf"(?P<comm>)oom-killer: (?P<fields>gfp_mask=0x[0-9a-f]{{1,16}}, order={N})",
        read_request,
        "start",
        since=(2, 6, 13),
        until=(2, 6, 18),
    ),
    LineForm(
        "oom-header-mask-only",
        ("oom-killer:",),
        r"(?P<comm>)oom-killer: (?P<fields>gfp_mask=0x[0-9a-f]{1,16})",
        read_request,
        "start",
        since=(2, 6, 12),
        until=(2, 6, 12),
    ),
    LineForm(
        "alloc-failure",
        ("page allocation",),
        rf"{COMM}: page allocation failure[.:] (?P<fields>order:{N}, mode:{_MASK}(?:, nodemask=[^ ]{{1,300}})?)",
        read_request,
        "start",
        reads_partial=True,
        partial=rf"{COMM}: page allocation(?: f(?:a(?:i(?:l(?:u(?:re?)?)?)?)?)?)?[.:]?"
        r"(?P<fields>(?: order:-?\d{0,3},?)?"
        r"(?: mode:[\w()|]{0,600},?)?(?: nodemask=[^ ]{0,300}| [a-z]{1,9})?)",
        damaged=rf"{COMM}: page allocation failure[.:] (?P<fields>order:{N}.{{0,600}})",
        variants=(
            Variant("alloc-failure-cpuset", r",cpuset=", (5, 0)),
            Variant("alloc-failure-nodemask", r", nodemask=", (4, 11)),
            Variant("alloc-failure-gfp-names", r"mode:0x[0-9a-fA-F]+\(", (4, 6), (4, 10)),
            Variant("alloc-failure-colon", r"failure:", (3, 0), (4, 5)),
            Variant("alloc-failure-dot", r"failure\.", None, (2, 6, 39)),
        ),
    ),
    LineForm(
        "alloc-failure-vmalloc",
        ("vmalloc:",),
        rf"{COMM}: vmalloc: allocation failure: {N} bytes, (?P<fields>mode:{_MASK}(?:, nodemask=[^ ]{{1,300}})?)",
        read_request,
        "start",
        since=(4, 11),
    ),
    LineForm(
        "cpuset",
        ("cpuset=",),
        r"\S.{0,63} cpuset=(?P<cpuset>\S{1,256}) mems_allowed=(?P<mems>[\d,\-]{1,256})",
        read_cpuset,
        since=(2, 6, 31),
        until=(5, 0),
    ),
    LineForm(
        "task-head-3.10",
        ("PID:",),
        rf"CPU: \d{{1,5}} (?:UID: \d{{1,10}} )?PID: (?P<pid>\d{{1,10}}) Comm: (?P<comm>.{{0,64}}?)"
        rf"(?: Kdump: loaded)? {_TAINT}(?: .{{0,200}})?",
        read_task,
        proof=names_the_same_task,
        reads_partial=True,
        partial=r"CPU: \d{1,5} (?:UID: \d{1,10} )?PID: (?P<pid>\d{1,10}) Comm: (?P<comm>[^:]{0,64}?)(?P<release>)"
        r"(?: Kdump:(?: l\w{0,5})?)?(?: (?:N|No|Not|Not t\w{0,6}|T|Tainted:?[ A-Za-z\-]{0,60}))?",
        since=(3, 10),
    ),
    LineForm(
        "task-head-2.6",
        ("Pid:",),
        rf"Pid: (?P<pid>\d{{1,10}}), comm: (?P<comm>.{{0,64}}?) {_TAINT}(?: .{{0,200}})?",
        read_task,
        proof=names_the_same_task,
        reads_partial=True,
        partial=r"Pid: (?P<pid>\d{1,10}), comm: (?P<comm>[^:]{0,64}?)(?P<release>)"
        r"(?: (?:N|No|Not|Not t\w{0,6}|T|Tainted:?[ A-Za-z\-]{0,60}))?",
        until=(3, 9),
    ),
    LineForm(
        "task-head-bare",
        ("CPU:",),
        rf"CPU: \d{{1,5}} {_TAINT}(?: .{{0,200}})?",
        read_bare_taint,
        partial=r"CPU:(?: \d{1,5}(?: N(?:o(?:t(?: \w{0,7})?)?)?)?)?",
        grows=False,
    ),
    LineForm(
        "task-head-process",
        ("Process ",),
        r"Process (?P<comm>.{1,64}?) \(pid: (?P<pid>\d{1,10}), .{0,200}",
        read_process,
    ),
    LineForm("hardware-name", ("Hardware name:",), r"Hardware name: .{0,300}", read_nothing, since=(3, 1)),
    LineForm("sysrq", ("SysRq",), r"SysRq ?: .{0,200}|sysrq: .{0,200}", read_sysrq),
)
