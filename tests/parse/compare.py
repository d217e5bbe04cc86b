"""Two incidents side by side: the same, or one a part of the other."""

from oomadvisor.model import Incident

#: What a report says, without where it says it.
PARTS = ("kind", "page_kb", "counters", "zones", "percpu", "swap", "trailer")


def plain(incident: Incident) -> dict[str, object]:
    """Return the parts of an incident without line numbers, for comparing."""
    parts: dict[str, object] = {name: getattr(incident, name) for name in PARTS}
    request = incident.request.model_copy(update={"pid": None})
    parts["request"] = request
    # The innermost frame of an ARM backtrace is printed with the offset 0.
    parts["backtrace"] = tuple(frame.symbol for frame in incident.backtrace)
    parts["tasks"] = tuple(task.model_copy(update={"line": 0}) for task in incident.tasks)
    parts["kills"] = tuple(kill.model_copy(update={"line": 0}) for kill in incident.kills)
    return parts


def subset(found: object, truth: object) -> bool:
    """Return whether ``found`` says nothing that ``truth`` does not say."""
    if found in (None, (), {}):
        return True
    if isinstance(found, dict) and isinstance(truth, dict):
        return found.items() <= truth.items()
    return found == truth


def assert_nothing_invented(found: Incident, truth: Incident) -> None:
    """Fail when ``found`` says something that ``truth`` does not say; less is allowed."""
    for name in type(found.request).model_fields:
        if name not in ("pid", "comm"):
            assert subset(getattr(found.request, name), getattr(truth.request, name)), name
    if found.counters is not None:
        assert truth.counters is not None
        for name in type(found.counters).model_fields:
            assert subset(getattr(found.counters, name), getattr(truth.counters, name)), name
    known = {(zone.node, zone.name): zone for zone in truth.zones}
    if found.page_kb != truth.page_kb:
        # Without block lines, or counters to compare with, kB are taken as pages of 4 kB.
        assert all(zone.free_blocks is None for zone in found.zones)
        assert "blocks" in found.missing
        return
    for zone in found.zones:
        for name in type(zone).model_fields:
            if name != "index":
                assert subset(getattr(zone, name), getattr(known[(zone.node, zone.name)], name)), name
    for part, there in ((found.swap, truth.swap), (found.trailer, truth.trailer)):
        if part is not None and there is not None:
            for name in type(part).model_fields:
                assert subset(getattr(part, name), getattr(there, name)), name
    assert set(found.percpu) <= set(truth.percpu)
    names = {task.name for task in truth.tasks}
    # A name with a blank in it may have lost its second half to the next line, and nothing can prove it.
    assert all(any(name.startswith(task.name) for name in names) for task in found.tasks)
    assert {(kill.kind, kill.pid) for kill in found.kills} <= {(kill.kind, kill.pid) for kill in truth.kills}
