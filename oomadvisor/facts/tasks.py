"""The task table as facts."""

from oomadvisor.facts.kinds import EarlierKillFact, TaskFact, TaskTableFact, VictimFact
from oomadvisor.facts.share import permille
from oomadvisor.model import Origin, SystemState
from oomadvisor.rulebook.kinds import Fact

LARGEST_MEMBERS = 20
PROTECTED = (-17, -1000)
"""oom_adj, and from 2.6.36 oom_score_adj, of a process that is never chosen."""

INIT = 1
SMALL_PERMILLE = 100


def task_facts(state: SystemState) -> list[Fact]:
    tasks = state.incident.tasks
    if not tasks:
        return []
    ram = state.memory.ram_pages
    largest = sorted(tasks, key=lambda t: (-(t.rss_pages or 0), t.pid))[:LARGEST_MEMBERS]
    widest = max(tasks, key=lambda t: (t.total_vm_pages or 0, -t.pid))
    table = TaskTableFact(
        origin=state.incident.origin("tasks"),
        count=len(tasks),
        rss_pages=sum(t.rss_pages or 0 for t in tasks),
        largest_permille=permille(largest[0].rss_pages, ram),
        protected=sum(t.oom_adj in PROTECTED for t in tasks),
        killable=sum(t.oom_adj not in PROTECTED and t.pid != INIT and bool(t.rss_pages) for t in tasks),
        largest_name=largest[0].name,
        largest_rss_pages=largest[0].rss_pages,
        largest_virtual_name=widest.name,
        largest_virtual_pages=widest.total_vm_pages,
        by_size_differs=widest.pid != largest[0].pid and (widest.total_vm_pages or 0) > 0,
    )
    return [
        table,
        *(
            TaskFact(
                key=f"{task.name} {task.pid}",
                name=task.name,
                pid=task.pid,
                total_vm_pages=task.total_vm_pages,
                rss_pages=task.rss_pages,
                rss_permille=permille(task.rss_pages, ram),
                oom_adj=task.oom_adj,
                largest=task is largest[0],
            )
            for task in largest
        ),
    ]


def earlier_kill_facts(state: SystemState) -> list[EarlierKillFact]:
    """Return the processes that were killed before and are in the task table all the same: a dead one is not."""
    rows = {(task.pid, task.name): task for task in state.incident.tasks}
    killed_now = {kill.pid for kill in state.incident.kills if kill.kind == "killed"}
    found = {}
    for kill in state.incident.killed_before:
        if kill.pid is None or kill.name is None or (row := rows.get((kill.pid, kill.name))) is None:
            continue
        found[kill.pid] = EarlierKillFact(
            key=f"{kill.name} {kill.pid}",
            origin=Origin(file=state.incident.file, line=kill.line),
            name=kill.name,
            pid=kill.pid,
            line=kill.line,
            again=kill.pid in killed_now,
            rss_pages=row.rss_pages,
            rss_permille=permille(row.rss_pages, state.memory.ram_pages),
        )
    return list(found.values())


def victim_fact(state: SystemState) -> VictimFact | None:
    """Return the process that died, with its size by the kill line where it says so, else by the task table."""
    kills = state.incident.kills
    killed = next((k for k in reversed(kills) if k.kind == "killed" and k.name is not None), None)
    chosen = next((k for k in kills if k.kind == "chosen"), None)
    if killed is None or killed.name is None:
        return None
    rows = {task.pid: task for task in state.incident.tasks}
    row = rows.get(killed.pid) if killed.pid is not None else None
    rss = row.rss_pages if row else None
    if killed.anon_rss_kb is not None:
        rss = (killed.anon_rss_kb + (killed.file_rss_kb or 0) + (killed.shmem_rss_kb or 0)) // state.page_kb
    virtual = row.total_vm_pages if row else None
    if killed.total_vm_kb is not None:
        virtual = killed.total_vm_kb // state.page_kb
    largest = max((task.rss_pages or 0 for task in state.incident.tasks), default=None)
    return VictimFact(
        origin=state.incident.origin("kill"),
        name=killed.name,
        pid=killed.pid,
        chosen=chosen.name if chosen else None,
        child=chosen is not None and None not in (chosen.pid, killed.pid) and chosen.pid != killed.pid,
        score=chosen.score if chosen else None,
        total_vm_pages=virtual,
        rss_pages=rss,
        rss_permille=permille(rss, state.memory.ram_pages),
        small=rss is not None and largest is not None and rss * 1000 < largest * SMALL_PERMILLE,
    )
