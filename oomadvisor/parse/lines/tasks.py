"""The task table. Its columns differ between kernels, so the head line says how to read the rows."""

import re

from oomadvisor.model import Task
from oomadvisor.parse.draft import MAX_TASKS, Draft
from oomadvisor.parse.lineform import Line, LineForm, N, Variant
from oomadvisor.parse.lines.head import read_nothing

#: Columns by their number between the pid and the name, for tables whose head line is lost.
_COLUMNS_BY_COUNT: dict[int, tuple[str, ...]] = {
    6: ("uid", "tgid", "total_vm", "rss", "cpu", "oom_adj"),
    10: ("uid", "tgid", "total_vm", "rss", "rss_anon", "rss_file", "rss_shmem", "pgtables_bytes", "swapents", "adj"),
}
_TABLE_PAGE_KB = 4


def read_head(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Remember the names of the columns."""
    draft.task_columns = tuple(match.group("columns").split())
    draft.at("tasks", line.number)


def read_row(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Read a task, when the number of its columns is that of the head line."""
    values = [int(word) for word in match.group("values").split()]
    columns = draft.task_columns or _COLUMNS_BY_COUNT.get(len(values))
    name = match.group("name") or ""
    if columns is None or line.cut:
        return
    if draft.task_columns is None and re.fullmatch(N, name):
        # Without the head line a number at the end is as well a column of a row whose name was broken off.
        return
    if len(values) > len(columns):
        # A name of digits only looks like one more column.
        name = " ".join([*(str(value) for value in values[len(columns) :]), name]).strip()
        values = values[: len(columns)]
    if len(values) < len(columns):
        draft.warn("unreadable-line", f"A task row has {len(values)} of {len(columns)} columns.", line.number)
        return
    if len(draft.tasks) >= MAX_TASKS:
        draft.drop("tasks")
        return
    row = dict(zip(columns, values, strict=True))
    page_kb = draft.page_kb or _TABLE_PAGE_KB
    tables = row.get("pgtables_bytes")
    if "nr_ptes" in row:
        tables = (row["nr_ptes"] + row.get("nr_pmds", 0) + row.get("nr_puds", 0)) * page_kb * 1024
    draft.at("tasks", line.number)
    draft.tasks.append(
        Task(
            pid=int(match.group("pid")),
            uid=row.get("uid"),
            tgid=row.get("tgid"),
            total_vm_pages=row.get("total_vm"),
            rss_pages=row.get("rss"),
            page_table_bytes=tables,
            swapents=row.get("swapents"),
            cpu=row.get("cpu"),
            oom_adj=row.get("oom_score_adj", row.get("oom_adj")),
            name=name,
            line=line.number,
        )
    )


def fills_columns(draft: Draft | None, match: re.Match[str]) -> bool:
    """Return whether a row has as many values as the head line has columns: numbers can be glued in two ways."""
    return (
        draft is not None
        and draft.task_columns is not None
        and (len(match.group("values").split()) == len(draft.task_columns))
    )


#: include/linux/sched.h: TASK_COMM_LEN. What is longer is a name with something of another line behind it.
_NAME = r"\S.{0,14}"
_COLUMN = (
    r"(?:uid|tgid|total_vm|rss|rss_anon|rss_file|rss_shmem|nr_ptes|nr_pmds|nr_puds|pgtables_bytes|swapents|cpu|oom_adj|"
    r"oom_score_adj)"
)

FORMS: tuple[LineForm, ...] = (
    LineForm(
        "tasks-head",
        ("total_vm",),
        rf"\[ ?pid ?\] (?P<columns>uid tgid total_vm rss(?: {_COLUMN}){{0,9}}) name",
        read_head,
        partial=rf"\[ ?pid ?\](?P<columns>(?: {_COLUMN}){{0,12}}(?: [a-z_]{{1,14}})?)",
        variants=(
            Variant("tasks-rss_anon", r" rss_anon ", (6, 8)),
            Variant("tasks-pgtables_bytes", r" pgtables_bytes ", (4, 15)),
            Variant("tasks-nr_pmds", r" nr_pmds ", (4, 0), (4, 14)),
            Variant("tasks-nr_ptes", r" nr_ptes ", (3, 6), (3, 19)),
            Variant("tasks-cpu-oom_score_adj", r" cpu oom_adj oom_score_adj", (2, 6, 36), (3, 5)),
            Variant("tasks-cpu-oom_adj", r" cpu oom_adj name", (2, 6, 25), (2, 6, 35)),
        ),
    ),
    LineForm("tasks-state", ("Tasks state",), r"Tasks state \(memory values in pages\):", read_nothing, since=(4, 19)),
    LineForm(
        "tasks-row",
        ("]",),
        rf"\[ ?(?P<pid>\d{{1,10}}) ?\] (?P<values>{N}(?: {N}){{5,13}}) (?P<name>{_NAME})",
        read_row,
        partial=rf"\[ ?(?P<pid>\d{{1,10}}) ?\](?P<values>(?: {N}){{1,14}})",
        grows=False,
        proof=fills_columns,
    ),
)
