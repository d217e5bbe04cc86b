"""``oomadvisor simulate --days``: settings side by side over days, from boot or from the report's state."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from oomadvisor.cli.changes import sysctl_values
from oomadvisor.cli.options import StartFrom
from oomadvisor.cli.progress import bar

if TYPE_CHECKING:
    from oomadvisor.longrun import LongRun, Mix, Setting
    from oomadvisor.model import SystemState

MOST_MIX_BYTES = 1 << 20


def settings_of(state: "SystemState", sets: Sequence[str]) -> list["Setting"]:
    """Return the settings to compare: the box as it is, and what ``--set`` says.

    All together are one setting; where a sysctl is given more than once, each ``--set`` is a setting of its own.
    """
    from oomadvisor.longrun import AS_IT_IS, setting_of

    pairs = [sysctl_values(state, text) for text in sets]
    names = [name for name, _ in pairs]
    apart = len(set(names)) < len(names)
    groups = [dict([pair]) for pair in pairs] if apart else [dict(pairs)] if pairs else []
    return [AS_IT_IS, *(setting_of(group) for group in groups)]


def run_days(
    state: "SystemState", sets: Sequence[str], days: int, mix: str | None, start: StartFrom, seeds: int
) -> "LongRun":
    """Run the box for ``days``. Raises typer.BadParameter, and RuleBookError for a mix file with errors."""
    from oomadvisor.longrun import NoLongRun, from_boot, from_report, long_run

    try:
        load = _mix(mix)
        began = from_report(state) if start is StartFrom.report else from_boot(state)
        with bar("Running") as tell:
            return long_run(began, load, settings_of(state, sets), seeds=seeds, days=days, progress=tell)
    except NoLongRun as error:
        raise typer.BadParameter(f"{error}.", param_hint="--days") from None


def _mix(path: str | None) -> "Mix":
    from oomadvisor.longrun import default_mix, read_mix
    from oomadvisor.parse import InputError

    if path is None:
        return default_mix()
    try:
        with Path(path).open("rb") as file:
            content = file.read(MOST_MIX_BYTES + 1)
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror or error}", expected="a mix file in YAML") from None
    if len(content) > MOST_MIX_BYTES:
        raise InputError(path, f"is larger than {MOST_MIX_BYTES} bytes", expected="a mix file in YAML")
    return read_mix(path, content)
