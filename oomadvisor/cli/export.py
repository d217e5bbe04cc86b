"""``oomadvisor export``: the advice as a file that a device takes."""

import os
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from oomadvisor.cli import options
from oomadvisor.cli.inputs import Inputs, Wanted, pick
from oomadvisor.cli.output import check_target, to_stderr, write_result
from oomadvisor.present.printable import printable

if TYPE_CHECKING:
    from oomadvisor.model.plan import Plan
    from oomadvisor.model.state import SystemState

CONF_LIMIT_BYTES = 1 << 24


class ExportFormat(str, Enum):
    """The forms of a fix."""

    patch = "patch"
    dropin = "dropin"
    script = "script"


class UpTo(str, Enum):
    """By when something can be done; each holds those before it."""

    now = "now"
    week = "week"
    firmware = "firmware"


UntilOption = Annotated[
    UpTo,
    typer.Option(
        "--plan",
        help="How far to go: what can be done and undone at once; mounts and programs too; another kernel build too.",
    ),
]
Picks = Annotated[
    list[str] | None,
    typer.Option(
        "--pick",
        metavar="FIX",
        help="Take this fix, by its id, and no other. It can be given several times.",
        show_default=False,
    ),
]


def export(
    report: options.OptionalReport = None,
    form: Annotated[ExportFormat, typer.Option("--format", help="The form of the result.")] = ExportFormat.patch,
    until: UntilOption = UpTo.now,
    picks: Picks = None,
    sysctl_conf: Annotated[
        str | None,
        typer.Option(
            "--sysctl-conf",
            metavar="FILE",
            help="The device's /etc/sysctl.conf, which the patch changes. It is only read. Without it the patch is for "
            "the one that a bundle holds, else it makes a new one.",
            show_default=False,
        ),
    ] = None,
    rollback: Annotated[bool, typer.Option("--rollback", help="Write the way back instead.")] = False,
    incident: options.Incident = None,
    sysctl: options.Sysctl = None,
    proc: options.Proc = None,
    kernel: options.Kernel = None,
    rule_dirs: options.RuleDirs = None,
    output: options.Output = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Let -o replace a file that exists, and --pick take what the replay calls harmful."
        ),
    ] = False,
) -> None:
    """Export fixes as a file: a patch of /etc/sysctl.conf, a drop-in for /etc/sysctl.d, or a shell script.

    Without --pick it takes the fixes that are proved and needed. They are replayed together first, and every line says
    what was there, what comes, why, and how that was proved. What is no sysctl stands in it as a comment.
    """
    if sysctl_conf is not None and form is not ExportFormat.patch:
        raise typer.BadParameter("only a patch has a file to change; add --format patch.", param_hint="--sysctl-conf")
    inputs = Inputs(report, sysctl, tuple(proc or ()), kernel)
    check_target(output, force=force)
    conf = None if sysctl_conf is None else read_conf_file(sysctl_conf)
    picked = pick(inputs, Wanted.by_options(incident, every=False))
    if conf is None and form is ExportFormat.patch:
        conf = _conf_of(picked.states[0])
    plan = planned(picked.states[0], until, picks or [], tuple(rule_dirs or ()), force=force)
    text = written(plan, form, conf, sysctl_conf, rollback=rollback)
    for line in summary_lines(plan):
        to_stderr(printable(line))
    if form is ExportFormat.dropin and not rollback:
        for line in _overridden(plan, picked.states[0]):
            to_stderr(printable(line))
    if not plan.settings and not plan.once:
        to_stderr("oomadvisor: nothing to write: no fix of this report is both proved and a setting.")
    elif not text:
        to_stderr(f"oomadvisor: nothing to change: {printable(sysctl_conf or 'the file')} holds it already.")
    write_result(text, output, force=force)
    if picked.others:
        to_stderr(f"The log holds {picked.found} incidents; --incident N picks another.")


def planned(state: "SystemState", until: UpTo, picks: list[str], rule_dirs: tuple[str, ...], *, force: bool) -> "Plan":
    """Ask the expert about ``state`` and return the plan. Raises typer.BadParameter when a pick makes no sense."""
    from oomadvisor.advise import advise
    from oomadvisor.book import book_for_advice, engine_for
    from oomadvisor.facts import assess
    from oomadvisor.plan import CannotPlan, make_plan

    book = book_for_advice(rule_dirs, os.environ)
    engine = engine_for(book)
    for warning in engine.warnings:
        to_stderr(f"oomadvisor: {warning}")
    try:
        return make_plan(
            assess(state), advise(state, book, engine=engine), book, until=until.value, picks=picks, force=force
        )
    except CannotPlan as error:
        raise typer.BadParameter(f"{printable(str(error))}.", param_hint="--pick" if picks else "--plan") from None


def written(plan: "Plan", form: ExportFormat, conf: bytes | None, name: str | None, *, rollback: bool) -> bytes:
    """Return the plan as a file of this form. ``conf``, ``name``: the file that a patch changes. Raises InputError."""
    from oomadvisor.export import dropin, patch, script

    if form is ExportFormat.patch:
        return patch(plan, conf, name or "sysctl.conf", rollback=rollback)
    return dropin(plan, rollback=rollback) if form is ExportFormat.dropin else script(plan, rollback=rollback)


def summary_lines(plan: "Plan") -> list[str]:
    """Say in a few lines what was taken and what not, for a person who sees only a file otherwise."""
    lines = []
    for step in plan.steps:
        what = ", ".join(f"{s.name} = {s.value}" for s in step.settings) or "by hand"
        lines.append(f"taken: {step.id} [{step.class_.upper()}]: {what}")
    if not plan.steps:
        lines.append("taken: nothing")
    lines += [f"not taken: {one.id}: {one.reason}" for one in plan.left_out]
    if plan.written is not None:
        lines.append(f"all settings together [{plan.written.class_.upper()}]: {plan.written.why}")
    if plan.forced:
        lines.append("WARNING: the replay calls this HARMFUL; it was taken because of --force")
    return lines


def _overridden(plan: "Plan", state: "SystemState") -> list[str]:
    """Say which settings of a drop-in another file of the device would undo: /etc/sysctl.conf is read last."""
    from oomadvisor.comparison import at_boot
    from oomadvisor.export.dropin import PATH

    later = [conf for conf in state.proc.confs if conf.path == "/etc/sysctl.conf" or conf.path > PATH]
    found = [(setting, *at_boot(setting.name, later)) for setting in plan.settings]
    return [
        f"WARNING: {place} sets {setting.name} = {value} and is read after {PATH}; a patch changes it there."
        for setting, value, place in found
        if value is not None and value != setting.value
    ]


def _conf_of(state: "SystemState") -> bytes | None:
    """Return the /etc/sysctl.conf that a bundle holds, None when it holds none or not all of it."""
    from oomadvisor.export import bundled_conf, conf_bytes

    found = bundled_conf(state)
    if found is None:
        return None
    content = conf_bytes(found)
    if content is None:
        to_stderr("The report holds a damaged /etc/sysctl.conf; the patch makes a new one. Name it with --sysctl-conf.")
    else:
        to_stderr("The patch is for the /etc/sysctl.conf that the report holds; --sysctl-conf names another.")
    return content


def read_conf_file(path: str) -> bytes:
    """Return the bytes of a sysctl.conf, up to a limit that is far above what is accepted. Raises InputError."""
    from oomadvisor.parse.errors import InputError

    expected = "a sysctl.conf"
    try:
        with open(path, "rb") as file:
            return file.read(CONF_LIMIT_BYTES)
    except OSError as error:
        raise InputError(path, (error.strerror or str(error)).lower(), expected=expected) from error
    except ValueError as error:
        raise InputError(path, "is no file name (it holds a NUL character)", expected=expected) from error
