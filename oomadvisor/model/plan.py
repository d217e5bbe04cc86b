"""What is to be done, by when: the fixes of an advice that go together, and what is left out."""

from typing import Literal, get_args

from oomadvisor.model.base import Frozen
from oomadvisor.model.state import KernelRelease
from oomadvisor.model.verification import FixKind, Measured, Verification, VerificationClass

Horizon = Literal["now", "week", "firmware"]
"""``now``: writes to /proc/sys and commands, undone as fast as they are made. ``week``: mounts, workload.
``firmware``: another kernel build or boot line.
"""
HORIZONS: tuple[Horizon, ...] = get_args(Horizon)


class Setting(Frozen):
    """One sysctl to be written. ``value`` is the text to write, ``before`` what the report shows, for people.

    ``restore``: the text that brings the old state back, where it is known: of an interval its lowest value, since all
    of them have the same effect. ``once``: the write does something once, so it has no place in a file that is read at
    every boot. ``fix`` is the id of the fix that it belongs to.
    """

    name: str
    value: str
    before: str | None = None
    restore: str | None = None
    once: bool = False
    fix: str

    @property
    def path(self) -> str:
        """The file below /proc/sys."""
        return self.name.replace(".", "/")


class Step(Frozen):
    """One fix as a part of a plan: what is written for it, and what a person has to do."""

    id: str
    title: str
    kind: FixKind
    horizon: Horizon
    class_: VerificationClass
    why: str
    measured: tuple[Measured, ...] = ()
    settings: tuple[Setting, ...] = ()
    by_hand: tuple[str, ...] = ()
    undo: str = ""


class LeftOut(Frozen):
    """A fix that the plan does not take, and why."""

    id: str
    title: str
    reason: str


class Stage(Frozen):
    """What the steps up to and with a horizon come to, replayed together; None when none of them can be replayed."""

    horizon: Horizon
    verification: Verification | None


class Plan(Frozen):
    """Steps that go together, by horizon. ``written``: the replay of all settings together; ``whole``: with what is
    done by hand as well, as far as it can be replayed. Both are None when there is nothing of the kind. ``stages``: the
    same as ``whole`` for each horizon that has steps.

    ``about``: the incident in a sentence. ``forced``: a change that the replay calls harmful was asked for by name.
    """

    horizon: Horizon
    about: str
    kernel: KernelRelease
    steps: tuple[Step, ...] = ()
    stages: tuple[Stage, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    written: Verification | None = None
    whole: Verification | None = None
    forced: bool = False

    @property
    def settings(self) -> tuple[Setting, ...]:
        """Everything that is written and stays, in the order in which it must be written."""
        return tuple(setting for step in self.steps for setting in step.settings if not setting.once)

    @property
    def once(self) -> tuple[Setting, ...]:
        """What is written once, for its effect alone."""
        return tuple(setting for step in self.steps for setting in step.settings if setting.once)


__all__ = ["HORIZONS", "Horizon", "LeftOut", "Plan", "Setting", "Stage", "Step"]
