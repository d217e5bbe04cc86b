"""What the kernel asks the page allocator for when a task forks or executes a program."""

from functools import cache

from oomadvisor.knowledge.files import read
from oomadvisor.model import Operation, OperationStep


@cache
def operations(arch: str | None) -> dict[str, Operation]:
    """Return what the kernel asks for in each operation on ``arch``; empty for one that is not described."""
    known = read("operations")
    rows = known["operations"].get(known["same_as"].get(arch, arch), {})
    return {
        name: Operation(
            id=name,
            title=row["title"],
            source=row["source"],
            creates_process=row.get("creates_process", False),
            steps=tuple(
                OperationStep(
                    order=step["order"],
                    gfp_mask=step["gfp"],
                    what=step["what"],
                    source=step["source"],
                    replaces=step.get("replaces", False),
                )
                for step in row["steps"]
            ),
        )
        for name, row in rows.items()
    }


def workload_of(operation: str) -> str | None:
    """Return the operation that a device which was seen doing ``operation`` does all day."""
    workload: str | None = read("operations")["workload"].get(operation)
    return workload
