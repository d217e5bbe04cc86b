"""Plans for the tests: that of the seed report, and plans of settings alone."""

from functools import cache
from pathlib import Path

from oomadvisor.advise import advise
from oomadvisor.book import load_book
from oomadvisor.facts import assess
from oomadvisor.infer import build_state
from oomadvisor.model import IncidentAdvice, KernelRelease, SystemState
from oomadvisor.model.plan import Horizon, Plan, Setting, Step
from oomadvisor.parse import scan_file
from oomadvisor.plan import make_plan
from oomadvisor.rulebook.book import RuleBook

ROOT = Path(__file__).parents[2]
SEED = ROOT / "examples" / "seed-2.6.31-arm-order2.txt"
CONFS = sorted((Path(__file__).parent / "confs").glob("*.conf"))


@cache
def seed_state() -> SystemState:
    return build_state(next(scan_file(str(SEED))))


@cache
def book() -> RuleBook:
    return load_book()


@cache
def seed_advice() -> IncidentAdvice:
    return advise(seed_state(), book())


def seed_plan(until: Horizon = "now", *, picks: tuple[str, ...] = (), force: bool = False) -> Plan:
    return make_plan(assess(seed_state()), seed_advice(), book(), until=until, picks=picks, force=force)


def plan_of(*settings: tuple[str, str, str | None], by_hand: tuple[str, ...] = (), once: bool = False) -> Plan:
    """Return a plan that writes (name, value, old value), as if a fix had asked for it."""
    rows = tuple(
        Setting(name=name, value=value, before=old, restore=old, once=once, fix="some-fix")
        for name, value, old in settings
    )
    step = Step(
        id="some-fix",
        title="Set what must be set",
        kind="sysctl",
        horizon="now",
        class_="certain",
        why="everything passes",
        settings=rows,
        by_hand=by_hand,
        undo="set it back",
    )
    kernel = KernelRelease(version=(2, 6, 31, 12), text="2.6.31.12-ER1", source="log")
    return Plan(horizon="now", about="A program was being executed.", kernel=kernel, steps=(step,))
