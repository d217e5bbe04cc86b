"""A shell script that writes to /proc/sys, for devices without sysctl(8)."""

from collections.abc import Iterable
from pathlib import Path

from oomadvisor.export.change import rolled_back_lines
from oomadvisor.export.comments import about_lines, ascii_words, hand_lines, left_lines, setting_lines
from oomadvisor.handlers import handler_of
from oomadvisor.model.plan import Plan, Setting

TEMPLATE = Path(__file__).parent / "apply.sh"


def script(plan: Plan, *, rollback: bool = False) -> bytes:
    """Return the script as ASCII text. It can do both ways; ``rollback`` decides what it does without being told."""
    settings = plan.settings
    blocks = {
        "@ABOUT@": _comments(plan, rollback=rollback),
        "@SETTINGS@": [f'\t"$1" {_row(setting)}' for setting in settings],
        "@BACKWARDS@": [f'\t"$1" {_row(setting)}' for setting in reversed(settings)],
        "@ONCE@": [f'\t"$1" {_quoted(setting.path)} {_quoted(setting.value)}' for setting in plan.once],
    }
    action = "rollback" if rollback else "apply"
    lines: list[str] = []
    for line in TEMPLATE.read_text(encoding="ascii").splitlines():
        lines += blocks.get(line, [line.replace("@RELEASE@", _quoted(_release(plan))).replace("@ACTION@", action)])
    return "".join(f"{line}\n" for line in lines).encode("ascii")


def _comments(plan: Plan, *, rollback: bool) -> list[str]:
    lines = list(about_lines(plan))
    for setting in plan.settings:
        lines += setting_lines(plan, setting)
    rest: Iterable[str] = rolled_back_lines(plan) if rollback else (*hand_lines(plan), *left_lines(plan))
    return [f"# {line}" for line in (*lines, *rest)]


def _row(setting: Setting) -> str:
    zeroed = handler_of(setting.name).zeroes
    words = (setting.path, setting.value, setting.restore or "", "" if zeroed is None else zeroed.replace(".", "/"))
    return " ".join(map(_quoted, words))


def _release(plan: Plan) -> str:
    """Return the release that the script insists on: as the log has it, else the numbers of the version."""
    kernel = plan.kernel
    if kernel.source in ("log", "proc", "option"):
        return kernel.text
    return ".".join(map(str, kernel.version))


def _quoted(text: str) -> str:
    """Return ``text`` as one word of a shell.

    >>> _quoted("it's")
    "'it'\\\\''s'"
    """
    return "'" + ascii_words(text).replace("'", "'\\''") + "'"
