"""A file of its own for /etc/sysctl.d."""

from oomadvisor.export.change import rolled_back_lines
from oomadvisor.export.comments import about_lines, hand_lines, left_lines, restored_lines, setting_lines
from oomadvisor.model.plan import Plan

PATH = "/etc/sysctl.d/60-oomadvisor.conf"


def dropin(plan: Plan, *, rollback: bool = False) -> bytes:
    """Return the drop-in as ASCII text; a rollback sets what the report shows to have been in force before.

    Settings whose old value the report does not tell stand in a rollback as comments.
    """
    lines = [f"# {PATH}, written by oomadvisor", *(f"# {line}" for line in about_lines(plan))]
    if rollback:
        lines.append("# The way back: what was in force before. Load it with sysctl -p, then remove both files.")
        for setting in reversed(plan.settings):
            lines += ["#", *(f"# {line}" for line in restored_lines(setting))]
            known = setting.restore is not None
            lines.append(f"{setting.name} = {setting.restore}" if known else f"# {setting.name}: restart to undo it")
        rest = list(rolled_back_lines(plan))
    else:
        for setting in plan.settings:
            lines += ["#", *(f"# {line}" for line in setting_lines(plan, setting))]
            lines.append(f"{setting.name} = {setting.value}")
        rest = [*hand_lines(plan), *left_lines(plan)]
    lines += ["#", *(f"# {line}" for line in rest)] if rest else []
    return "".join(f"{line}\n" for line in lines).encode("ascii")
