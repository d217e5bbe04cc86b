"""Which incident this is, whichever log tells of it."""

import json
from hashlib import sha256

from oomadvisor.model import Incident

DIGITS = 20
"""Of a digest: 80 bits. Among 100 million incidents two would share one with a chance of 4 in a billion."""


def digest(value: object) -> str:
    """Return a short stable digest of plain JSON values."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return sha256(text.encode()).hexdigest()[:DIGITS]


def content_of(incident: Incident) -> str:
    """Return a digest of what a report says, without when and where it stands.

    In it go the kind, the request, the counters, the zones, swap and the trailer, the memory cgroup, and of the kills
    the kind, process and name. Out of it stay what differs between two logs of the same event: prefixes, line numbers,
    warnings, the name of the kernel (its banner may be cut off), and backtrace and task table, whose many lines are
    the first that a log loses.
    """
    parts = incident.model_dump(include={"kind", "request", "counters", "zones", "swap", "trailer", "memcg"})
    return digest([parts, [[kill.kind, kill.pid, kill.name] for kill in incident.kills]])


def identity_of(incident: Incident, uptime_seconds: float | None, log: str) -> str:
    """Return the identity of an incident: the same in dmesg and syslog, behind other prefixes, or uploaded twice.

    It is a digest of the content and of the kernel's own time, which every log of the same boot repeats. The time of a
    syslog is no part of it, because dmesg does not have that. Without the kernel's time the content alone decides: a
    memory report has dozens of counters that no second event repeats. A bare kill line is not that telling, so for it
    the time as read counts, and without any time the name of the ``log``.
    """
    content = content_of(incident)
    if uptime_seconds is not None:
        return digest([content, round(uptime_seconds * 1_000_000)])
    if incident.counters is not None or incident.zones:
        return digest([content])
    return digest([content, incident.time if incident.time is not None else log])
