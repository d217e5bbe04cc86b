"""What is known of a change before it is made: how the replay judges it, and what was measured."""

from typing import Literal

from oomadvisor.model.base import Frozen
from oomadvisor.model.verdict import Replay

FixKind = Literal["sysctl", "command", "mount", "workload", "build", "boot", "containment", "advice"]
VerificationClass = Literal["certain", "marginal", "bounded", "not decidable", "no effect", "harmful"]


class Measured(Frozen):
    """What happened when this was tried on a real kernel. ``of_class``: the rate of a verification class.
    ``low_permille``/``high_permille``: 95 % Wilson interval.
    """

    id: str
    text: str
    trials: int | None = None
    successes: int | None = None
    low_permille: int | None = None
    high_permille: int | None = None
    of_class: bool = False
    conditions: str
    applies: bool = True
    source: str


class Change(Frozen):
    """One change: a knob from a value (an interval when it was inferred) to a value, or a described action.

    ``current`` and ``target`` are text for people, ``target_value`` the number to write where there is one.
    """

    knob: str
    current: str | None = None
    current_low: int | None = None
    current_high: int | None = None
    target: str
    target_value: int | None = None
    unit: str | None = None


class Headroom(Frozen):
    """How many more of the operation fit one after another, nothing given back (``model`` names the counting).

    ``processes``: each leaves a process behind that stays alive; else they are bare requests.
    """

    operation: str
    processes: bool = True
    children: int | None
    children_high: int | None = None
    model: str
    note: str | None = None


class Verification(Frozen):
    """What the simulator says. ``before``/``after`` hold the replays at MIN and HIGH; ``bounded`` has best and
    worst case.

    ``estimate_permille``: share of ``draws`` random layouts that pass at HIGH, ``estimate_min_permille`` at MIN.
    """

    class_: VerificationClass
    operation: str | None = None
    passes_min: bool | None = None
    passes_low: bool | None = None
    passes_high: bool | None = None
    before: tuple[Replay, ...] = ()
    after: tuple[Replay, ...] = ()
    worst: tuple[Replay, ...] = ()
    draws: int | None = None
    estimate_permille: int | None = None
    estimate_min_permille: int | None = None
    headroom_before: Headroom | None = None
    headroom: Headroom | None = None
    side_effects: tuple[str, ...] = ()
    measured: tuple[Measured, ...] = ()
    why: str
