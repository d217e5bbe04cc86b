"""How it ended: the chosen task, the kill, the panic."""

import re

from oomadvisor.model import Kill, MemcgUsage
from oomadvisor.parse.draft import MAX_KILLS, Draft
from oomadvisor.parse.lineform import Line, LineForm, Variant

_SIZE = re.compile(r"(?P<name>total-vm|vsz|anon-rss|file-rss|shmem-rss):(?P<kb>\d{1,20})kB")
_FIELDS = {"total-vm": "total_vm_kb", "vsz": "total_vm_kb", "anon-rss": "anon_rss_kb", "file-rss": "file_rss_kb"}
_FIELDS["shmem-rss"] = "shmem_rss_kb"


def _add(draft: Draft, kill: Kill) -> None:
    draft.at("kill", kill.line)
    if len(draft.kills) >= MAX_KILLS:
        draft.drop("kill lines")
        return
    draft.kills.append(kill)


def _message(text: str | None) -> str | None:
    return text.rstrip(": ") if text else None


def read_chosen(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Read the line that names the task with the highest score."""
    _add(
        draft,
        Kill(
            kind="chosen",
            pid=int(match.group("pid")) if match.group("pid") else None,
            name=match.group("name"),
            score=int(match.group("score")) if match.group("score") else None,
            message=_message(match.group("message")),
            line=line.number,
        ),
    )


def read_killed(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Read the line that names the task that was killed (the chosen one or a child of it)."""
    sizes = {_FIELDS[m.group("name")]: int(m.group("kb")) for m in _SIZE.finditer(match.group("sizes") or "")}
    # Without the name behind it a pid may lack digits.
    pid = match.group("pid") if match.group("name") else None
    if match.group("name") and line.text.endswith((match.group("name"), match.group("name") + ")")):
        place = len(draft.kills)
        draft.ends.append((line.width, lambda draft: _forget_name(draft, place)))
    _add(
        draft,
        Kill(
            kind="killed",
            pid=int(pid) if pid else None,
            name=match.group("name"),
            message=_message(match.group("message")),
            line=line.number,
            **sizes,
        ),
    )


def _forget_name(draft: Draft, place: int) -> None:
    if place < len(draft.kills):
        draft.kills[place] = draft.kills[place].model_copy(update={"name": None})


def read_panic(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Read the panic that stood in for a kill."""
    message = match.groupdict().get("stuck") or match.group("message")
    _add(draft, Kill(kind="panic", message=message, line=line.number))


def read_vm_fault(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Read ARM's kill of a task whose page fault found no memory."""
    name = None if line.cut else match.group("name")
    _add(draft, Kill(kind="vm-fault", name=name, message="VM: killing process", line=line.number))


def read_constraint(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Read the summary line of 5.0 and later."""
    pairs = dict(pair.split("=", 1) for pair in re.split(r",(?=[a-z_]+=)", match.group("pairs")) if "=" in pair)
    if line.cut and pairs:
        # The last value may be incomplete.
        pairs.popitem()
    constraint = pairs.get("constraint")
    pid = pairs.get("pid")
    _add(
        draft,
        Kill(
            kind="constraint",
            pid=int(pid) if pid and pid.isdigit() and len(pid) <= 10 else None,
            name=pairs.get("task"),
            message=constraint,
            line=line.number,
        ),
    )
    for name in ("nodemask", "cpuset", "mems_allowed"):
        if name in pairs:
            value = pairs[name].removesuffix(",global_oom")
            draft.request.setdefault(name, value)
    if "oom_memcg" in pairs:
        known = draft.memcg.model_dump() if draft.memcg else {}
        known["limit_path"] = known.get("limit_path") or pairs["oom_memcg"]
        known["task_path"] = known.get("task_path") or pairs.get("task_memcg")
        draft.memcg = MemcgUsage(**known)
        draft.at("memcg", line.number)


def read_reaper(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Read nothing: what the reaper left is no part of the state that led to the kill."""


def names_victim(match: re.Match[str]) -> int | None:
    """Return the pid that a kill line names."""
    pid = match.groupdict().get("pid")
    return int(pid) if pid else None


_MESSAGE = (
    r"(?P<message>(?:Out of [mM]emory(?: \(oom_kill_allocating_task\))?|No available memory \([A-Z_]{1,30}\)|"
    r"Memory cgroup out of memory|Memory cgroup [^:]{1,200}): )"
)
_NAME = r"\((?P<name>.{0,64}?)\)"
_PID = r"(?P<pid>\d{1,10})"
_SIZES = r"(?P<sizes>(?:(?: |, )(?:total-vm|vsz|anon-rss|file-rss|shmem-rss):\d{1,20}kB)*)"

FORMS: tuple[LineForm, ...] = (
    LineForm(
        "chosen",
        ("ill process",),
        rf"{_MESSAGE}[kK]ill process {_PID} {_NAME} score (?P<score>\d{{1,20}}) "
        r"(?:or a child|or sacrifice child|and children\.?)",
        read_chosen,
        "kill",
        reads_partial=True,
        partial=rf"{_MESSAGE}[kK]ill process(?: {_PID}(?: (?:\(|{_NAME}(?P<score>)(?: .{{0,50}})?))?)?",
        variants=(
            Variant("chosen-children", r"and children", (2, 6, 16), (2, 6, 19)),
            Variant("chosen-child", r"or a child", (2, 6, 20), (2, 6, 35)),
            Variant("chosen-sacrifice", r"or sacrifice child", (2, 6, 36), (5, 0)),
        ),
    ),
    LineForm(
        "killed",
        ("illed process",),
        rf"{_MESSAGE}?Killed process {_PID}(?:, UID \d{{1,10}},)? {_NAME}{_SIZES}"
        r"(?:, UID:\d{1,10} pgtables:\d{1,20}kB oom_score_adj:-?\d{1,5})?\.?",
        read_killed,
        "kill",
        reads_partial=True,
        partial=rf"{_MESSAGE}?Killed process(?: {_PID}(?: (?:{_NAME}{_SIZES},?(?: [A-Za-z\-_]{{0,14}}:?\d{{0,20}}k?"
        r"(?: pgtables:\d{1,20}kB \w{0,14}| pgtables:\d{0,20}k?| pg\w{0,7})?)?|\([^()]{0,30}))?)?",
        variants=(
            Variant("killed-pgtables", r"UID:\d+ pgtables:", (5, 4)),
            Variant("killed-one-line", r"^(?:Out|Memory|No).*total-vm:", (5, 1), (5, 3)),
            Variant("killed-shmem-rss", r"shmem-rss:", (4, 5), (5, 0)),
            Variant("killed-total-vm", r"total-vm:", (2, 6, 36), (4, 4)),
            Variant("killed-vsz", r"vsz:", (2, 6, 33), (2, 6, 35)),
            Variant("killed-message", r"^(?:Out|Memory|No)", None, (2, 6, 19)),
        ),
    ),
    LineForm(
        "constraint",
        ("oom-kill:",),
        r"oom-kill:(?P<pairs>constraint=.{1,4000},uid=\d{1,10})",
        read_constraint,
        "kill",
        reads_partial=True,
        partial=r"oom-kill:(?P<pairs>constraint=[^ ]{0,4000}?"
        r"(?:,task=[^,=]{0,32}(?:,[pid=]{0,4}\d{0,10}(?:,[uid=]{0,4}\d{0,10})?)?)?)",
        grows=False,
        since=(4, 19),
    ),
    LineForm(
        "panic",
        ("ut of memory",),
        r"(?:Kernel panic - not syncing: )?(?P<message>[oO]ut of memory(?: from page fault)?\. "
        r"(?:[Cc]ompulsory )?panic_on_oom is selected\.?|"
        r"Out of memory: (?:compulsory|system-wide) panic_on_oom is enabled)(?: \[.{0,40}\])?|"
        # Newer kernels print this text also where they do not panic.
        r"Kernel panic - not syncing: (?P<stuck>Out of memory and no killable processes)\.{0,3}(?: \[.{0,40}\])?",
        read_panic,
        "panic",
    ),
    LineForm(
        "panic-deadlocked",
        ("deadlocked on memory",),
        r"(?:Kernel panic - not syncing: )?(?P<message>System is deadlocked on memory)",
        read_panic,
        "panic",
        since=(4, 19),
    ),
    LineForm(
        "vm-fault",
        ("VM: killing process",),
        r"VM: killing process (?P<name>.{1,64})",
        read_vm_fault,
        "kill",
    ),
    LineForm("no-victim", ("no killable",), r"Out of memory and no killable processes\.{0,3}", read_reaper),
    LineForm("reaper", ("oom_reaper:",), r"oom_reaper: .{1,200}", read_reaper, since=(4, 6)),
)
