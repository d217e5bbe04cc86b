"""An incident as paths and values, for comparing what was read with what was printed."""

from oomadvisor.model import Incident, Zone

_ZONE = tuple(
    name for name in Zone.model_fields if name not in ("name", "node", "index", "marks", "other_pages", "block_types")
)


def flat(incident: Incident) -> dict[str, object]:
    """Return all that ``incident`` says, without where it says it; what it does not say is absent."""
    told: dict[str, object] = {"kind": incident.kind, "kernel_release": incident.kernel_release}
    for part in ("request", "counters", "swap", "trailer", "memcg"):
        value = getattr(incident, part)
        if value is not None:
            told |= _leaves(part, value.model_dump())
    for zone in incident.zones:
        part = f"zones.{zone.node}.{zone.name}"
        told |= {f"{part}.{name}": getattr(zone, name) for name in _ZONE}
        told |= {f"{part}.other_pages.{name}": pages for name, pages in zone.other_pages.items()}
        if zone.marks is not None:
            told[f"{part}.marks"] = (zone.marks.min, zone.marks.low, zone.marks.high)
    for row in incident.percpu:
        part = f"percpu.{row.node}.{row.zone}.{row.cpu}"
        told |= {f"{part}.sizes": (row.high_pages, row.batch_pages), f"{part}.used": row.used_pages}
    for task in incident.tasks:
        told[f"tasks.{task.pid}"] = (task.name, task.uid, task.tgid, task.total_vm_pages, task.rss_pages)
    for kill in incident.kills:
        if kill.kind == "killed":
            sizes = ("pid", "name", "total_vm_kb", "anon_rss_kb", "file_rss_kb", "shmem_rss_kb")
            told |= {f"kill.{name}": getattr(kill, name) for name in sizes}
    return {path: value for path, value in told.items() if value not in (None, ())}


def _leaves(path: str, value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        return {path: value}
    told: dict[str, object] = {}
    for name, inner in value.items():
        told |= _leaves(f"{path}.{name}", inner)
    return told
