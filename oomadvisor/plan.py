"""Fixes that go together: taken by when they can be made, without two values for one knob, and replayed as a whole."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Protocol

from oomadvisor.facts import Assessment
from oomadvisor.handlers import handler_of, why_not_written
from oomadvisor.model import Fix, IncidentAdvice, Refutation, Verification
from oomadvisor.model.plan import HORIZONS, Horizon, LeftOut, Plan, Setting, Stage, Step
from oomadvisor.model.state import LOWMEM_RESERVE_RATIO
from oomadvisor.model.verification import Change, FixKind, VerificationClass
from oomadvisor.rulebook.book import RuleBook
from oomadvisor.rulebook.change import Change as WrittenChange
from oomadvisor.rulebook.rule import Rule
from oomadvisor.simulate import FreeBlocks, FreePages, SetSysctl
from oomadvisor.verify import NotProposable, Resolved, judge, resolve

HORIZON_OF: dict[FixKind, Horizon] = {
    "sysctl": "now",
    "command": "now",
    "containment": "now",
    "mount": "week",
    "workload": "week",
    "advice": "week",
    "build": "firmware",
    "boot": "firmware",
}
PROVED: frozenset[VerificationClass] = frozenset({"certain", "marginal", "bounded"})
_WRITE = re.compile(
    r"echo\s+(?:-n\s+)?[\"']?(?P<value>-?\d+(?:[ \t]+-?\d+)*)[\"']?\s*>\s*/proc/sys/(?P<path>[a-z][\w-]*(?:/[\w-]+)+)"
)


class CannotPlan(ValueError):
    """What was asked for cannot be taken; the text says why, and what would be possible."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A fix that may be taken: as a step, with the changes that the simulator replays for it."""

    step: Step
    repairs: str
    conflicts: frozenset[str]
    replayed: tuple[Resolved, ...]

    @property
    def sources(self) -> frozenset[str]:
        """What it takes pages from: taken from there twice they would be counted twice."""
        return frozenset(one.shown.knob for one in self.replayed if isinstance(one.replayed, FreePages | FreeBlocks))


class _Replay(Protocol):
    def __call__(self, chosen: Sequence[_Candidate], *, only_settings: bool = False) -> Verification | None: ...


def make_plan(
    assessment: Assessment,
    advice: IncidentAdvice,
    book: RuleBook,
    *,
    until: Horizon = "now",
    picks: Sequence[str] = (),
    force: bool = False,
) -> Plan:
    """Return what to do up to ``until``, best first: each horizon holds those before it.

    Without ``picks`` a fix is taken when it is proved, and when it repairs the cause or the plan is not yet certain
    without it. With them it is what was picked by id that is taken, and nothing else; ``force`` lets a harmful one in.
    Raises CannotPlan.
    """
    replay = _replays(assessment)
    if picks:
        candidates = [_picked(assessment, advice, book, name, force=force) for name in dict.fromkeys(picks)]
        chosen, left = _compatible(candidates), _unpicked(advice, picks)
    else:
        listed = [_of_fix(assessment, book, fix) for fix in advice.fixes]
        chosen, left = _chosen(assessment, replay, listed, until)
    forced = any(one.step.class_ == "harmful" for one in chosen)
    settled = replay(chosen, only_settings=True)
    if settled is not None and settled.class_ == "harmful":
        if not force:
            raise CannotPlan(f"taken together these settings are harmful: {settled.why}")
        forced = True
    return Plan(
        horizon=until,
        about=" ".join(advice.summary[:1]),
        kernel=assessment.state.kernel,
        steps=tuple(one.step for one in chosen),
        stages=_stages(replay, chosen),
        left_out=tuple(left),
        written=settled,
        whole=replay(chosen),
        forced=forced,
    )


def _stages(replay: _Replay, chosen: Sequence[_Candidate]) -> tuple[Stage, ...]:
    found = []
    for horizon in HORIZONS:
        if any(one.step.horizon == horizon for one in chosen):
            until = [one for one in chosen if HORIZONS.index(one.step.horizon) <= HORIZONS.index(horizon)]
            found.append(Stage(horizon=horizon, verification=replay(until)))
    return tuple(found)


def _chosen(
    assessment: Assessment, replay: _Replay, listed: Sequence[_Candidate], until: Horizon
) -> tuple[list[_Candidate], list[LeftOut]]:
    """Return what to take, horizon by horizon: what can be done now is never left out for the sake of what comes later.

    Nothing is taken that is at odds with what was taken before it, or that does harm together with it.
    """
    chosen: list[_Candidate] = []
    left: list[LeftOut] = []
    sure = False
    for one in sorted(listed, key=lambda candidate: HORIZONS.index(candidate.step.horizon)):
        reason = _unwanted(assessment, one, chosen, until, sure=sure)
        if reason is None and one.replayed:
            reason, whole = _harm(replay, [*chosen, one])
            certain = whole is not None and whole.class_ == "certain"
            if reason is None and sure and not certain:
                reason = "the plan is certain, and would not be with it"
            sure = sure or (reason is None and certain)
        if reason is not None:
            left.append(LeftOut(id=one.step.id, title=one.step.title, reason=reason))
        else:
            chosen.append(one)
    return chosen, left


def _unwanted(
    assessment: Assessment, one: _Candidate, chosen: Sequence[_Candidate], until: Horizon, *, sure: bool
) -> str | None:
    """Return why ``one`` is not to be taken beside what was chosen, None when it is."""
    step = one.step
    if HORIZONS.index(step.horizon) > HORIZONS.index(until):
        return f"for later: it is in --plan {step.horizon}"
    reason = _clash(one, chosen) or (_not_writable(assessment, step) if step.settings else None)
    if reason is not None:
        return reason
    if one.repairs != "cause" and sure:
        return "not needed: the plan is certain without it"
    if step.settings and step.class_ not in PROVED:
        return f"{step.class_} from this report; export --pick {step.id} takes it all the same"
    return "it prevents no kill; take it by name, if at all" if one.repairs == "containment" else None


def _harm(replay: _Replay, together: Sequence[_Candidate]) -> tuple[str | None, Verification | None]:
    """Return why the last of ``together`` must not stand beside the others, and else what all of them come to."""
    settled, whole = None, None
    try:
        settled = replay(together, only_settings=True)
        whole = replay(together)
    except CannotPlan as error:
        return str(error), None
    for found in (settled, whole):
        if found is not None and found.class_ == "harmful":
            return f"together with what is taken before it, it does harm: {found.why}", None
    return None, whole


def _clash(one: _Candidate, chosen: Sequence[_Candidate]) -> str | None:
    """Return why ``one`` cannot stand beside what was chosen already."""
    for other in chosen:
        if other.step.id in one.conflicts or one.step.id in other.conflicts:
            return f"it conflicts with {other.step.id}"
        for ours in one.step.settings:
            for theirs in other.step.settings:
                if ours.name == theirs.name and ours.value != theirs.value:
                    return f"{other.step.id} sets {ours.name} to another value ({theirs.value})"
                if handler_of(ours.name).zeroes == theirs.name or handler_of(theirs.name).zeroes == ours.name:
                    return f"{ours.name} and {theirs.name} ({other.step.id}) set each other to 0"
        both = one.sources & other.sources
        if both:
            return f"it overlaps with {other.step.id}: both take pages from {', '.join(sorted(both))}"
    return None


def _compatible(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    chosen: list[_Candidate] = []
    for one in candidates:
        reason = _clash(one, chosen)
        if reason is not None:
            raise CannotPlan(f"{one.step.id} cannot be taken: {reason}")
        chosen.append(one)
    return chosen


def _picked(assessment: Assessment, advice: IncidentAdvice, book: RuleBook, name: str, *, force: bool) -> _Candidate:
    fix = next((fix for fix in advice.fixes if fix.id == name), None)
    refuted = next((one for one in advice.refuted if one.id == name), None)
    if fix is not None:
        one = _of_fix(assessment, book, fix)
    elif refuted is not None:
        one = _of_refuted(assessment, book[refuted.rule], refuted)
    else:
        raise CannotPlan(_no_such_fix(advice, name))
    reason = _not_writable(assessment, one.step)
    if reason is not None:
        raise CannotPlan(f"{name} cannot be taken: {reason}")
    if one.step.class_ == "harmful" and not force:
        raise CannotPlan(f"{name} is harmful here: {one.step.why}. With --force it is written all the same")
    return one


def _no_such_fix(advice: IncidentAdvice, name: str) -> str:
    skipped = next((one for one in advice.skipped if one.rule == name), None)
    if skipped is not None:
        return f"the rule {name} does not apply to this report: {skipped.reason}"
    known = [fix.id for fix in advice.fixes]
    near = get_close_matches(name, [*known, *(one.id for one in advice.refuted)], 1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"there is no fix '{name}' for this report; there are {', '.join(known) or 'none'}.{hint}"


def _unpicked(advice: IncidentAdvice, picks: Sequence[str]) -> list[LeftOut]:
    return [
        LeftOut(id=fix.id, title=fix.title, reason="it was not picked") for fix in advice.fixes if fix.id not in picks
    ]


def _of_fix(assessment: Assessment, book: RuleBook, fix: Fix) -> _Candidate:
    rule = book[fix.rule]
    assert rule.fix is not None
    settings = [_of_change(assessment, fix.id, change) for change in fix.changes if _is_sysctl(change)]
    by_hand = []
    for command in fix.commands:
        write = _WRITE.fullmatch(command.strip())
        if write is None:
            by_hand.append(command)
        elif all(setting.path != write["path"] for setting in settings):
            settings.append(_of_command(assessment, fix.id, write["path"].replace("/", "."), write["value"]))
    if not settings:
        by_hand[:0] = [change.target for change in fix.changes if change.knob == "outside sysctl"]
    step = Step(
        id=fix.id,
        title=fix.title,
        kind=fix.kind,
        horizon=HORIZON_OF[fix.kind],
        class_=fix.verification.class_,
        why=fix.verification.why,
        measured=fix.verification.measured,
        settings=tuple(settings),
        by_hand=tuple(by_hand),
        undo=fix.undo,
    )
    return _Candidate(
        step, fix.repairs, frozenset(rule.fix.conflicts_with), _replayed(assessment, rule.fix.changes, fix.id)
    )


def _of_refuted(assessment: Assessment, rule: Rule, refuted: Refutation) -> _Candidate:
    """Return what a refuted fix, or the replay of a refuted opinion, would do."""
    written = rule.fix.changes if rule.fix else rule.refute.replay if rule.refute else ()
    resolved = _replayed(assessment, written, rule.id)
    settings = tuple(_of_change(assessment, rule.id, r.shown) for r in resolved if _is_sysctl(r.shown))
    if not settings or refuted.verification is None:
        raise CannotPlan(f"{rule.id} cannot be taken: it names nothing that could be written")
    step = Step(
        id=rule.id,
        title=refuted.advice,
        kind="sysctl",
        horizon="now",
        class_=refuted.verification.class_,
        why=refuted.verification.why,
        measured=refuted.verification.measured,
        settings=settings,
    )
    return _Candidate(step, "symptom", frozenset(), resolved)


def _replayed(assessment: Assessment, written: Sequence[WrittenChange], name: str) -> tuple[Resolved, ...]:
    try:
        resolved = [resolve(assessment, change) for change in written]
    except NotProposable as error:
        raise CannotPlan(f"{name} cannot be taken: {error}") from error
    return tuple(one for one in resolved if one.replayed is not None)


def _is_sysctl(change: Change) -> bool:
    return "." in change.knob and " " not in change.knob


def _of_change(assessment: Assessment, fix_id: str, change: Change) -> Setting:
    return Setting(
        name=change.knob,
        value=change.target,
        before=None if change.current in (None, "unknown") else change.current,
        restore=_restore(assessment, change.knob),
        once=handler_of(change.knob).one_shot,
        fix=fix_id,
    )


def _of_command(assessment: Assessment, fix_id: str, name: str, value: str) -> Setting:
    tunable = assessment.state.tunables.get(name)
    return Setting(
        name=name,
        value=" ".join(value.split()),
        before=None if tunable is None else tunable.text or tunable.interval,
        restore=_restore(assessment, name),
        once=handler_of(name).one_shot,
        fix=fix_id,
    )


def _restore(assessment: Assessment, name: str) -> str | None:
    """Return the text that brings back what the report shows, if it shows it."""
    tunable = assessment.state.tunables.get(name)
    if tunable is None:
        return None
    if tunable.text is not None and name == LOWMEM_RESERVE_RATIO:
        return " ".join(tunable.text.split())
    return None if tunable.low is None else str(tunable.low)


def _not_writable(assessment: Assessment, step: Step) -> str | None:
    """Return why this kernel would refuse one of the settings of ``step``."""
    listed = assessment.state.proc.sysctls
    reasons = (
        why_not_written(s.name, [int(word) for word in s.value.split()], assessment.state.kernel.version, listed)
        for s in step.settings
    )
    return next((reason for reason in reasons if reason is not None), None)


def _replays(assessment: Assessment) -> _Replay:
    """Return a function that replays everything chosen together, as far as it can be; each set of changes once.

    It returns None when nothing can be replayed, and raises CannotPlan when the changes do not go together.
    """
    known: dict[tuple[Resolved, ...], Verification] = {}

    def replayed(chosen: Sequence[_Candidate], *, only_settings: bool = False) -> Verification | None:
        resolved = tuple(
            one
            for candidate in chosen
            for one in candidate.replayed
            if isinstance(one.replayed, SetSysctl) or not only_settings
        )
        if resolved and resolved not in known:
            try:
                known[resolved] = judge(assessment, resolved, assessment.state.workload).verification
            except NotProposable as error:
                raise CannotPlan(f"these changes do not go together: {error}") from error
        return known.get(resolved)

    return replayed
