"""The knobs that a fleet can be solved for: those that the allocator's test reads."""

import re
from dataclasses import dataclass

from oomadvisor import knowledge
from oomadvisor.facts import Assessment
from oomadvisor.kernel.words import INT_MAX
from oomadvisor.model.state import LOWMEM_RESERVE_RATIO, MIN_FREE_KBYTES
from oomadvisor.rulebook.change import SysctlChange
from oomadvisor.verify import NotProposable, Resolved, resolve

REPLAYED = (MIN_FREE_KBYTES, f"{LOWMEM_RESERVE_RATIO}[ZONE]")
_RATIO = re.compile(re.escape(LOWMEM_RESERVE_RATIO) + r"\[([A-Za-z0-9]{1,12})\]")


class NoSuchKnob(ValueError):
    """A fleet cannot be solved for this knob; the text says why, and for which it can."""


@dataclass(frozen=True, slots=True)
class Knob:
    """A sysctl of one number, or one zone's entry of vm.lowmem_reserve_ratio. ``low``: the smallest value tried."""

    name: str
    zone: str | None = None
    low: int = 0
    high: int = INT_MAX

    @property
    def sysctl(self) -> str:
        """The name of the file that is written."""
        return MIN_FREE_KBYTES if self.zone is None else LOWMEM_RESERVE_RATIO

    @property
    def unit(self) -> str:
        return "kB" if self.zone is None else ""

    def step(self, page_kb: int) -> int:
        """Return how many values in a row act alike: vm.min_free_kbytes is rounded down to pages."""
        return page_kb if self.zone is None else 1


def knob_named(name: str) -> Knob:
    """Return the knob. Raises NoSuchKnob for one that no test reads, and for one that is not known at all."""
    if name == MIN_FREE_KBYTES:
        return Knob(name)
    match = _RATIO.fullmatch(name)
    if match is not None:
        return Knob(name, match[1], low=1)
    if name == LOWMEM_RESERVE_RATIO:
        raise NoSuchKnob(f"{name} has an entry for each zone; name one of them, as in {name}[DMA]")
    if name in knowledge.knobs():
        raise NoSuchKnob(
            f"the allocator's test does not read {name}, so at every value the verdicts are the same; replayed are "
            + " and ".join(REPLAYED)
        )
    raise NoSuchKnob(f"{name} is not replayed by the simulator; replayed are {' and '.join(REPLAYED)}")


def resolved(assessment: Assessment, knob: Knob, value: int) -> Resolved:
    """Return the write of ``value`` on this box.

    Raises NotProposable where its kernel has no such knob, and for a zone that the box does not have or whose lower
    neighbours' ratios are not known: all entries are written at once.
    """
    if knob.zone is None:
        return resolve(assessment, SysctlChange(sysctl=knob.name, to=value))
    entries = (*entries_below(assessment, knob), value)
    return resolve(assessment, SysctlChange(sysctl=knob.sysctl, to=" ".join(map(str, entries))))


def entries_below(assessment: Assessment, knob: Knob) -> tuple[int, ...]:
    """Return the entries of the zones below the knob's, which are written along; those behind it stay what they are.

    Raises NotProposable.
    """
    if knob.zone is None:
        return ()
    state = assessment.state
    names = state.build.zone_names
    if knob.zone not in names[:-1]:
        there = " or ".join(names[:-1]) or "none"
        raise NotProposable(f"this box has no ratio of a zone {knob.zone} (it has {there})")
    below = []
    for name in names[: names.index(knob.zone)]:
        setting = state.tunables.get(f"{LOWMEM_RESERVE_RATIO}[{name}]")
        if setting is None or setting.low is None:
            raise NotProposable(f"the ratio of zone {name}, which is written along, is not known")
        below.append(setting.low)
    return tuple(below)


def present_values(assessment: Assessment, knob: Knob) -> tuple[int, int] | None:
    """Return the values between which the box's own lies, as the report tells it; None where it does not."""
    setting = assessment.state.tunables.get(knob.name)
    return None if setting is None or setting.low is None or setting.high is None else (setting.low, setting.high)


def default_value(assessment: Assessment, knob: Knob) -> int | None:
    """Return the kernel's own default on this box, where it is known."""
    setting = assessment.state.tunables.get(knob.name)
    return None if setting is None else setting.default
