"""Two reports of one box compared: what of a plan is in force in the second, and what came of it."""

from collections.abc import Sequence

from oomadvisor import knowledge
from oomadvisor.facts import Assessment, assess
from oomadvisor.facts.memory import reclaim_possible
from oomadvisor.infer import build_state
from oomadvisor.model import MARKS, ConfFile, Incident, ProcState, SystemState, Tunable
from oomadvisor.model.comparison import (
    Comparison,
    FreeCheck,
    MarkCheck,
    OperationCheck,
    Result,
    ValueCheck,
)
from oomadvisor.model.plan import Plan, Setting
from oomadvisor.model.state import LOWMEM_RESERVE_RATIO, MIN_FREE_KBYTES
from oomadvisor.parse.errors import InputError
from oomadvisor.parse.sysctls import SysctlDump, read_sysctls
from oomadvisor.simulate import NotReplayable, SetSysctl, Snapshot, apply
from oomadvisor.simulate.replay import operation_passes
from oomadvisor.simulate.snapshot import asked_by
from oomadvisor.verify import SINGLE_PAGE, judge

EVENTS = ("oom", "oom-panic", "page-fault-kill", "alloc-failure")


def state_now(
    before: SystemState, proc: ProcState | None, sysctls: SysctlDump | None, incidents: Sequence[Incident]
) -> SystemState | None:
    """Return the later state of the box, asked the same question as before: from its /proc files, else from the last of
    ``incidents`` (those that are new). None when neither tells.
    """
    kernel = ".".join(map(str, before.kernel.version)) or None
    if proc is not None and proc.zones:
        incident = Incident(
            kind="mem-info",
            file=proc.files[0] if proc.files else "-",
            line=1,
            last_line=1,
            zones=proc.zones,
            arch=before.incident.arch,
            page_kb=before.incident.page_kb,
            request=before.incident.request,
            backtrace=before.incident.backtrace,
        )
        return build_state(incident, sysctls=sysctls, proc=proc, kernel=None if proc.version else kernel)
    pictures = [incident for incident in incidents if incident.zones]
    if not pictures:
        return None
    return build_state(pictures[-1], sysctls=sysctls, proc=proc, kernel=kernel)


def compare(
    before: Assessment, plan: Plan, after: SystemState | None, new: Sequence[Incident], proc: ProcState | None
) -> Comparison:
    """Compare the state after with what ``plan`` foretold for the state before.

    ``new``: the incidents of the second report that the first does not hold; ``proc``: its /proc files.
    """
    kills = [incident for incident in new if incident.kind in EVENTS]
    if after is None:
        why = "the second report holds nothing that is newer than the first: no /proc files, and no new incident"
        return Comparison(before=before.state, after=None, plan=plan, result="not decidable", why=why)
    confs = () if proc is None else proc.confs
    values = tuple(_value(setting, after, confs) for setting in plan.settings)
    under = [incident for incident in kills if _was_in_force(plan, incident, after)]
    now = assess(after)
    verdict = judge(now, (), before.state.workload).verification if before.state.workload else None
    promised = plan.written.headroom if plan.written else verdict and verdict.headroom_before
    result, why = _result(values, len(under), verdict.passes_min if verdict else None, now)
    return Comparison(
        before=before.state,
        after=after,
        plan=plan,
        result=result,
        why=why,
        values=values,
        marks=_marks(before.snap, now.snap, plan),
        free=_free(before.state, after),
        operations=_operations(before, now),
        promised=promised,
        headroom=verdict.headroom if verdict else None,
        new_kills=len(under),
        old_kills=len(kills) - len(under),
        notes=_notes(before.state, after),
    )


def _result(values: Sequence[ValueCheck], kills: int, passes: bool | None, now: Assessment) -> tuple[Result, str]:
    wrong = [value for value in values if value.in_force is False]
    unknown = [value for value in values if value.in_force is None]
    if wrong:
        return "not in force", "; ".join(f"{v.name} is {v.now}, not {v.advised}" for v in wrong)
    if unknown:
        names = ", ".join(value.name for value in unknown)
        return "not decidable", f"the second report does not tell {names}"
    settled = "the advised values are in force" if values else "nothing was to be written"
    if kills:
        return "not passing", f"{settled}, and there {'was a new kill' if kills == 1 else f'were {kills} new kills'}"
    if passes is None:
        return "not decidable", f"{settled}, but the second report lacks what the allocator's test needs"
    if passes:
        return "passing", f"{settled}, and the next request passes"
    if reclaim_possible(now.state):
        return "not decidable", f"{settled}; the next request fails at MIN, but pages can be reclaimed first"
    return "not passing", f"{settled}, and the next request fails at MIN"


def _value(setting: Setting, after: SystemState, confs: Sequence[ConfFile]) -> ValueCheck:
    now, basis, in_force = _now(setting, after)
    boot, place = at_boot(setting.name, confs)
    return ValueCheck(
        name=setting.name,
        advised=setting.value,
        before=setting.before,
        now=now,
        basis=basis,
        in_force=in_force,
        boot=boot,
        boot_place=place,
        note=_value_note(setting, now, in_force, boot, place, bool(confs)),
    )


def _now(setting: Setting, after: SystemState) -> tuple[str | None, str | None, bool | None]:
    """Return what is in force in words, how that is known, and whether it is what was advised."""
    tunable = after.tunables.get(setting.name)
    if tunable is None or (tunable.low is None and tunable.text is None):
        return None, None, None
    if tunable.low is None or setting.name == LOWMEM_RESERVE_RATIO:
        text = " ".join((tunable.text or "").split())
        return text, _basis(tunable), _same_numbers(text, setting.value)
    wanted = int(setting.value)
    high = tunable.high if tunable.high is not None else wanted
    return tunable.interval, _basis(tunable), tunable.low <= wanted <= high


def _basis(tunable: Tunable) -> str:
    if tunable.source == "observed":
        return f"read at {tunable.basis}"
    return "inferred from its marks" if tunable.name == MIN_FREE_KBYTES else tunable.source


def _same_numbers(text: str, wanted: str) -> bool:
    """Return whether the first entries are those that were advised; a box may show more of them."""
    return text.split()[: len(wanted.split())] == wanted.split()


def at_boot(name: str, confs: Sequence[ConfFile]) -> tuple[str | None, str | None]:
    """Return the value that the device's files set at a restart, and where: sysctl.d by name, sysctl.conf last."""
    found: tuple[str | None, str | None] = (None, None)
    for conf in sorted(confs, key=lambda conf: (not conf.path.startswith("/etc/sysctl.d/"), conf.path)):
        try:
            value = read_sysctls(conf.lines, file=conf.path).values.get(name)
        except InputError:
            continue
        if value is not None:
            found = value.text, f"{conf.path}:{value.line}"
    return found


def _value_note(
    setting: Setting, now: str | None, in_force: bool | None, boot: str | None, place: str | None, confs: bool
) -> str | None:
    """Return what the value in force and the one in the device's files say together."""
    kept = boot is not None and _same_numbers(boot, setting.value)
    bare = setting.name.rpartition(".")[2]
    look = f"look for {bare} in /etc/init.d, /etc/rc*, /etc/inittab and the vendor's start scripts"
    if in_force is False and kept:
        return f"{place} sets {boot}, yet {now} is in force: something writes it later. So {look}."
    if in_force is False and boot is not None:
        return f"{place} still sets {boot}."
    if in_force is False and now is not None and setting.before is not None and now != setting.before:
        return f"It is neither the old value ({setting.before}) nor the advised one: a script sets it; {look}."
    if in_force and boot is not None and not kept:
        return f"Until the next restart only: {place} sets {boot}."
    if in_force and confs and boot is None:
        return "Until the next restart only: no file in /etc sets it."
    return None


def _was_in_force(plan: Plan, incident: Incident, after: SystemState) -> bool:
    """Return whether a kill happened under the advised values, as far as its own numbers tell."""
    kernel = ".".join(map(str, after.kernel.version)) or None
    told = [_now(setting, build_state(incident, kernel=kernel))[2] for setting in plan.settings]
    return all(answer is not False for answer in told)


def _marks(before: Snapshot | None, now: Snapshot | None, plan: Plan) -> tuple[MarkCheck, ...]:
    """Compare every mark with what the kernel's own function gives for the advised values."""
    if before is None or now is None or all(setting.name != MIN_FREE_KBYTES for setting in plan.settings):
        return ()
    foretold = before
    try:
        for setting in plan.settings:
            foretold = apply(foretold, SetSysctl(setting.name, tuple(int(word) for word in setting.value.split())))
    except NotReplayable:
        return ()
    later = {zone.name: zone for zone in now.zones}
    return tuple(
        MarkCheck(
            zone=zone.name,
            mark=mark,
            before_pages=old.mark(mark),
            foretold_pages=zone.mark(mark),
            now_pages=later[zone.name].mark(mark),
        )
        for old, zone in zip(before.zones, foretold.zones, strict=True)
        if zone.name in later
        for mark in MARKS
    )


def _free(before: SystemState, after: SystemState) -> tuple[FreeCheck, ...]:
    old = {zone.name: zone for zone in before.zones}
    return tuple(
        FreeCheck(
            zone=zone.name,
            before_pages=old[zone.name].free_pages if zone.name in old else None,
            now_pages=zone.free_pages,
            before_blocks=(old[zone.name].free_blocks or ()) if zone.name in old else (),
            now_blocks=zone.free_blocks or (),
        )
        for zone in reversed(after.zones)
    )


def _operations(before: Assessment, now: Assessment) -> tuple[OperationCheck, ...]:
    if now.snap is None:
        return ()
    known = knowledge.operations(before.state.incident.arch)
    rows = {o.id: o for o in (before.state.operation, *known.values(), SINGLE_PAGE) if o is not None}
    return tuple(
        OperationCheck(
            operation=operation,
            min_before=before.snap and operation_passes(asked_by(before.snap, operation), operation.orders, "min"),
            min_now=operation_passes(asked_by(now.snap, operation), operation.orders, "min"),
            high_before=before.snap and operation_passes(asked_by(before.snap, operation), operation.orders, "high"),
            high_now=operation_passes(asked_by(now.snap, operation), operation.orders, "high"),
        )
        for operation in rows.values()
        if max(operation.orders) < max(len(zone.blocks) for zone in now.snap.zones)
    )


def _notes(before: SystemState, after: SystemState) -> tuple[str, ...]:
    notes = []
    if before.kernel.version[:3] != after.kernel.version[:3] and before.kernel.version and after.kernel.version:
        notes.append(f"The kernel was {before.kernel.text} and is {after.kernel.text}.")
    present = [{zone.name: zone.present_pages for zone in state.zones} for state in (before, after)]
    if present[0] and present[1] and present[0] != present[1]:
        notes.append("The zones have other sizes than before: is this the same box?")
    notes += [f"{w.text}." if not w.text.endswith(".") else w.text for w in after.warnings if _concerns(w.code)]
    return tuple(notes)


def _concerns(code: str) -> bool:
    return code in ("tunable-contradiction", "cut-section", "damaged-section", "kernel-contradiction")
