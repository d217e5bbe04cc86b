"""The plan in rows and sentences that every output shares: which fixes go together, by when, and what is left out."""

from dataclasses import dataclass

from oomadvisor.model import Fix, IncidentAdvice
from oomadvisor.model.plan import Horizon, Plan
from oomadvisor.present.numbers import children_words

HORIZON_WORDS: dict[Horizon, str] = {"now": "Now", "week": "This week", "firmware": "In the next firmware"}
MEANWHILE = "Meanwhile (it prevents no kill)"


@dataclass(frozen=True, slots=True)
class PlanRow:
    """By when, and what is done then."""

    when: str
    fixes: tuple[Fix, ...]


def plan_rows(advice: IncidentAdvice) -> tuple[PlanRow, ...]:
    """Return the steps of the plan by horizon; nothing where there is but one fix, which needs no plan.

    What only softens the kill has a row of its own, where the steps of the first day cure nothing for certain.
    """
    plan = advice.plan
    if plan is None or len(advice.fixes) < 2:
        return ()
    horizon_of = {step.id: step.horizon for step in plan.steps}
    rows = [
        PlanRow(words, tuple(fix for fix in advice.fixes if horizon_of.get(fix.id) == horizon))
        for horizon, words in HORIZON_WORDS.items()
    ]
    softening = tuple(fix for fix in advice.fixes if fix.repairs == "containment" and fix.id in _left_out(plan))
    if softening and not _cures_now(plan):
        rows.insert(1, PlanRow(MEANWHILE, softening))
    return tuple(row for row in rows if row.fixes)


def plan_footer(advice: IncidentAdvice) -> tuple[str, ...]:
    """Say what the steps come to together, and which fixes are not among them and why."""
    plan = advice.plan
    rows = plan_rows(advice)
    if plan is None or not rows:
        return ()
    lines = []
    if plan.whole is None:
        lines.append("None of it can be replayed from this report.")
    else:
        lines.append(f"All of it replayed together: {plan.whole.class_}. {children_words(plan.whole)}".rstrip())
    shown = {fix.id for row in rows for fix in row.fixes}
    lines += [
        f"Not in it: {'; '.join(titles)}: {reason}." for reason, titles in _by_reason(plan, leaving_out=shown).items()
    ]
    return tuple(lines)


def _left_out(plan: Plan) -> set[str]:
    return {one.id for one in plan.left_out}


def _cures_now(plan: Plan) -> bool:
    first = next((stage.verification for stage in plan.stages if stage.horizon == "now"), None)
    return first is not None and first.class_ == "certain"


def _by_reason(plan: Plan, *, leaving_out: set[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in plan.left_out:
        if one.id not in leaving_out:
            found.setdefault(one.reason, []).append(one.id)
    return found
