"""The per-cpu page lists: a head line for each zone, then a line for each processor (until 4.0)."""

import re

from oomadvisor.model import PerCpu
from oomadvisor.parse.draft import MAX_PERCPU, Draft
from oomadvisor.parse.lineform import NODE, ZONE, Line, LineForm

_COUNT = r"\d{1,9}"


def read_zone(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Remember which zone the next lines are about."""
    key = (int(match.group("node") or 0), match.group("zone"))
    draft.percpu_zone, draft.percpu_last = key, -1
    draft.percpu_zones.add(key)
    draft.at(f"zones.{key[0]}.{key[1]}.percpu", line.number)


def read_list(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Read one processor's list; of the hot and cold lists of older kernels the hot one."""
    if draft.percpu_zone is None:
        draft.warn("lost-line", "A per-cpu line without the line that names its zone was left out.", line.number)
        return
    if line.cut and not line.text.endswith(" "):
        return
    if len(draft.percpu) >= MAX_PERCPU:
        draft.drop("per-cpu lines")
        return
    node, zone = draft.percpu_zone
    before, draft.percpu_last = draft.percpu_last, int(match.group("cpu"))
    if before >= draft.percpu_last:
        draft.percpu_zone = None
        draft.warn("lost-line", "A per-cpu line is of another zone, whose own line was lost; left out.", line.number)
        return
    used, place = match.group("used"), len(draft.percpu)
    if line.text.endswith(f" {used}"):
        draft.ends.append((line.width, lambda draft: _forget_used(draft, place)))
    draft.percpu.append(
        PerCpu(
            zone=zone,
            node=node,
            cpu=int(match.group("cpu")),
            high_pages=int(match.group("high")),
            batch_pages=int(match.group("batch")),
            used_pages=None if used is None else int(used),
        )
    )


def _forget_used(draft: Draft, place: int) -> None:
    if place < len(draft.percpu):
        draft.percpu[place] = draft.percpu[place].model_copy(update={"used_pages": None})


def read_cold(draft: Draft, match: re.Match[str], _line: Line) -> None:
    """Read only whose list of cold pages it is: the processors of a zone come in order."""
    draft.percpu_last = max(draft.percpu_last, int(match.group("cpu")))


FORMS: tuple[LineForm, ...] = (
    LineForm("percpu-zone", ("per-cpu:",), rf"{NODE}{ZONE} per-cpu:(?: empty)?", read_zone, "memory", until=(4, 0)),
    LineForm(
        "percpu-list",
        ("btch:",),
        rf"CPU (?P<cpu>\d{{1,5}}): hi: ?(?P<high>{_COUNT}), btch: ?(?P<batch>{_COUNT}) usd: ?(?P<used>{_COUNT})",
        read_list,
        since=(2, 6, 25),
        until=(4, 0),
    ),
    LineForm(
        "percpu-hot-cold",
        ("btch:",),
        rf"CPU (?P<cpu>\d{{1,5}}): Hot: hi: ?(?P<high>{_COUNT}), btch: ?(?P<batch>{_COUNT}) usd: ?(?P<used>{_COUNT}) "
        rf"Cold: hi: ?{_COUNT}, btch: ?{_COUNT} usd: ?{_COUNT}",
        read_list,
        since=(2, 6, 19),
        until=(2, 6, 24),
    ),
    LineForm(
        "percpu-hot-line",
        (" hot:",),
        rf"cpu (?P<cpu>\d{{1,5}}) hot: (?P<low>low {_COUNT}, )?high (?P<high>{_COUNT}), batch (?P<batch>{_COUNT})"
        rf"(?: used:(?P<used>{_COUNT})|(?(low)|(?!)))",
        read_list,
        since=(2, 6, 12),
        until=(2, 6, 18),
    ),
    LineForm(
        "percpu-cold-line",
        (" cold:",),
        rf"cpu (?P<cpu>\d{{1,5}}) cold: (?:low {_COUNT}, )?high {_COUNT}, batch {_COUNT}(?: used:{_COUNT})?",
        read_cold,
        since=(2, 6, 12),
        until=(2, 6, 18),
    ),
)
