"""The task table as facts."""

from oomadvisor.facts.kinds import TaskFact, TaskTableFact
from oomadvisor.facts.share import permille
from oomadvisor.model import SystemState
from oomadvisor.rulebook.kinds import Fact

LARGEST_MEMBERS = 20


def task_facts(state: SystemState) -> list[Fact]:
    tasks = state.incident.tasks
    if not tasks:
        return []
    ram = state.memory.ram_pages
    largest = sorted(tasks, key=lambda t: (-(t.rss_pages or 0), t.pid))[:LARGEST_MEMBERS]
    table = TaskTableFact(
        origin=state.incident.origin("tasks"),
        count=len(tasks),
        rss_pages=sum(t.rss_pages or 0 for t in tasks),
        largest_permille=permille(largest[0].rss_pages, ram),
        protected=sum(t.oom_adj in (-17, -1000) for t in tasks),
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
