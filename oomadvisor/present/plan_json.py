"""The plan of an advice as JSON: ``plan`` of ``schema/advice-1.json``."""

from typing import Any

from oomadvisor.model.plan import Plan, Setting, Stage, Step


def plan_json(plan: Plan | None) -> dict[str, Any] | None:
    """Return the plan; what is said of its fixes stands with the fixes, under the same id."""
    if plan is None:
        return None
    return {
        "steps": [_step(step) for step in plan.steps],
        "stages": [_stage(stage) for stage in plan.stages],
        "left_out": [{"fix": one.id, "reason": one.reason} for one in plan.left_out],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "fix": step.id,
        "horizon": step.horizon,
        "settings": [_setting(setting) for setting in step.settings],
        "by_hand": list(step.by_hand),
    }


def _setting(setting: Setting) -> dict[str, Any]:
    return setting.model_dump(exclude={"fix"})


def _stage(stage: Stage) -> dict[str, Any]:
    replayed = stage.verification
    return {
        "horizon": stage.horizon,
        "class": None if replayed is None else replayed.class_,
        "why": None if replayed is None else replayed.why,
        "headroom": None if replayed is None or replayed.headroom is None else replayed.headroom.model_dump(),
    }
