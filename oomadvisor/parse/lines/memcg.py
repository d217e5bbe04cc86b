"""What a memory cgroup's OOM prints about the group."""

import re

from oomadvisor.model import MemcgUsage
from oomadvisor.parse.draft import Draft
from oomadvisor.parse.lineform import Line, LineForm
from oomadvisor.parse.lines.head import read_nothing


def _update(draft: Draft, line: Line, **values: str | int | None) -> None:
    draft.at("memcg", line.number)
    known = draft.memcg.model_dump() if draft.memcg else {}
    draft.memcg = MemcgUsage(**{**{k: v for k, v in values.items() if v is not None}, **_set(known)})


def _set(values: dict[str, str | int | None]) -> dict[str, str | int]:
    return {name: value for name, value in values.items() if value is not None}


def read_paths(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Read whose limit was hit. A path at the end of a cut line may be incomplete."""
    limit = match.group("limit")
    draft.limit_width = line.width
    _update(draft, line, task_path=match.group("task"), limit_path=None if line.cut else limit)


def read_usage(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Read usage and limit of the memory, or of memory and swap."""
    usage, limit = int(match.group("usage")), int(match.group("limit"))
    if match.group("what") == "memory":
        draft.ends.append((line.width, _forget_failcnt))
        _update(draft, line, usage_kb=usage, limit_kb=limit, failcnt=None if line.cut else int(match.group("failcnt")))
    else:
        _update(draft, line, swap_usage_kb=usage, swap_limit_kb=limit)


def _forget_failcnt(draft: Draft) -> None:
    if draft.memcg is not None:
        draft.memcg = draft.memcg.model_copy(update={"failcnt": None})


def read_group_kill(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Remember that all tasks of a group are killed, so that more than one kill line may follow."""
    draft.group_kill = True
    _update(draft, line, limit_path=match.group("path"))


_PATH = r"[^ ]{1,4096}"

FORMS: tuple[LineForm, ...] = (
    LineForm(
        "memcg-limit",
        ("Task in ",),
        rf"Task in (?P<task>{_PATH}) killed as a result of limit of (?P<limit>{_PATH})",
        read_paths,
        "memcg",
        partial=rf"Task in {_PATH}(?: killed(?: as(?: a(?: result(?: of(?: limit(?: of(?: {_PATH})?)?)?)?)?)?)?)?",
        until=(4, 20),
    ),
    LineForm(
        "memcg-usage",
        ("usage ",),
        r"(?P<what>memory|memory\+swap|swap): usage (?P<usage>\d{1,20})kB, limit (?P<limit>\d{1,20})kB"
        r", failcnt (?P<failcnt>\d{1,20})",
        read_usage,
        "memcg",
        partial=r"(?:memory|memory\+swap|swap): usage .{0,80}",
        since=(2, 6, 30),
    ),
    LineForm("memcg-kmem", ("kmem",), r"kmem(?:\.tcp|\.limit)?: usage .{1,100}", read_nothing),
    LineForm("memcg-stats", ("emory cgroup stats",), r"Memory cgroup stats.{0,2000}", read_nothing, since=(3, 9)),
    LineForm(
        "memcg-group-kill",
        ("memory.oom.group",),
        rf"Tasks in (?P<path>{_PATH}) are going to be killed due to memory\.oom\.group set",
        read_group_kill,
        "memcg",
        since=(4, 19),
    ),
)
