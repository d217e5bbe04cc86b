"""Where one incident ends and the next begins.

An incident ends at the next head, at a second copy of a part that it already has, after its kill line at the first
line of another report, or after ``MAX_UNRELATED`` lines of other programs in a row. Lines of other programs between
its own lines are skipped. Kill lines belong to the report above them; without one they are an incident of their own.
"""

import re
from typing import Literal

from oomadvisor.model import IncidentKind
from oomadvisor.parse.draft import Draft
from oomadvisor.parse.lineform import LineForm
from oomadvisor.parse.lines.counters import names_in
from oomadvisor.parse.lines.kill import names_victim

#: Unrelated lines after which an open incident ends. A report of a busy box is mixed with other messages, but 200
#: foreign lines in a row are another story.
MAX_UNRELATED = 200
#: The same after the kill line, when nothing but the reaper's line or a panic is still to come.
MAX_UNRELATED_AFTER_KILL = 40
#: Lines from that of a SysRq to the memory report that it asked for.
MAX_AFTER_SYSRQ = 3

_FRAMES = frozenset(
    {"backtrace", "backtrace-arm", "backtrace-arm-short", "backtrace-arm-no-symbols", "task-head-2.6", "task-head-3.10"}
)

Place = Literal["new", "same", "ignore"]


def kind_at_start(form: LineForm) -> IncidentKind:
    """Return what an incident is that begins with a line of this form; closing may still find out more."""
    if form.name.startswith("alloc-failure"):
        return "alloc-failure"
    if form.name.startswith("oom-header") or form.role == "kill":
        return "page-fault-kill" if form.name == "vm-fault" else "oom"
    if form.role == "panic":
        return "oom-panic"
    if form.role == "memcg":
        return "cgroup-oom"
    return "mem-info"


def place(draft: Draft | None, form: LineForm, match: re.Match[str], line: int) -> Place:
    """Decide whether a recognised line opens an incident, belongs to the open one, or belongs to none."""
    found = _place(draft, form, match)
    if draft is not None and draft.follows_unfinished and form.role in ("mem-start", "memory", "detail"):
        if _mixes(draft, form, match, found):
            draft.mixes(line)
        if draft.interleaved_line is not None:
            return "ignore"
    return found


def _mixes(draft: Draft, form: LineForm, match: re.Match[str], found: Place) -> bool:
    """Return whether a line belongs to the report before this one, which had only just begun when this one did.

    Two processors print at the same time: a part comes twice before the report has come to its end.
    """
    if form.name.startswith("task-head") and "comm" in match.groupdict():
        known = draft.request.get("comm")
        return bool(known and match.group("comm") and known != match.group("comm").strip())
    if draft.swap or draft.trailer or form.role == "detail":
        return False
    if form.role == "mem-start":
        return draft.has_memory or "mem-info" in " ".join(draft.forms)
    zone = match.groupdict().get("zone")
    if form.name == "zone" and zone is not None:
        known_zone = draft.zones.get((int(match.group("node") or 0), zone))
        return known_zone is not None and known_zone.has_line
    return found == "new"


def _place(draft: Draft | None, form: LineForm, match: re.Match[str]) -> Place:
    if form.role == "start":
        return "new"
    if form.role == "detail":
        # A report prints its backtrace first. What comes later was printed by another processor.
        strange = draft is not None and draft.has_memory and form.name in _FRAMES
        return "ignore" if draft is None or strange else "same"
    if draft is None:
        return "new"
    if form.role == "mem-start":
        return "new" if draft.has_memory or draft.killed or draft.kind == "page-fault-kill" else "same"
    if form.role == "memory":
        return _place_memory(draft, form, match)
    if form.role == "memcg":
        if form.name == "memcg-group-kill":
            # Printed after the first victim: the others follow.
            return "same"
        return "new" if draft.killed or draft.kind in ("alloc-failure", "page-fault-kill") else "same"
    if form.role == "panic":
        return "same" if draft.kind in ("oom", "cgroup-oom", "oom-panic", "mem-info") else "new"
    return _place_kill(draft, form, match)


def _place_memory(draft: Draft, form: LineForm, match: re.Match[str]) -> Place:
    # The panic's own dump follows the panic line, a report never follows its kill line.
    if draft.killed and draft.kind != "oom-panic":
        return "ignore" if form.name.startswith(("trailer", "swap")) else "new"
    if form.name == "counters":
        known = names_in(match.group("fields")) & draft.counters.keys()
        return "new" if known and draft.zones else "same"
    zone = match.groupdict().get("zone")
    if zone is None:
        return "same"
    key = (int(match.groupdict().get("node") or 0), zone)
    if form.name == "percpu-zone":
        return "new" if key in draft.percpu_zones and draft.counters else "same"
    known_zone = draft.zones.get(key)
    if known_zone is None:
        return "same"
    if form.name == "zone" and known_zone.has_line:
        return "new" if known_zone.total_kb is not None or draft.swap else "ignore"
    if form.name == "blocks" and known_zone.total_kb is not None:
        return "ignore"
    return "same"


def _place_kill(draft: Draft, form: LineForm, match: re.Match[str]) -> Place:
    if form.name == "vm-fault" or draft.kind in ("alloc-failure", "page-fault-kill"):
        return "new"
    if draft.kind == "mem-info" and draft.sysrq:
        return "new"
    if not draft.killed:
        chosen = [kill for kill in draft.kills if kill.kind == "chosen"]
        # Two choices without a kill between them are two incidents.
        return "new" if chosen and form.name == "chosen" else "same"
    if form.name != "killed":
        return "new"
    victim = names_victim(match)
    return "same" if draft.group_kill or any(k.kind == "killed" and k.pid == victim for k in draft.kills) else "new"
