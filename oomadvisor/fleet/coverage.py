"""One incident at every value of a knob: a step function from the value to the class, every edge of it proved.

Where the answer turns is found by halving, because each part of it is monotone in the knob (a larger mark or reserve
never passes where a smaller one failed). What the answer *is* comes from :func:`oomadvisor.verify.judge`, the same
judgement that a fix gets, and is asked for on both sides of every edge.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal, NamedTuple

from oomadvisor.facts import Assessment
from oomadvisor.fleet.knob import Knob, default_value, entries_below, present_values, resolved
from oomadvisor.kernel.watermark import ONE_KIND
from oomadvisor.model import MARKS, Operation, Verification
from oomadvisor.model.verification import VerificationClass
from oomadvisor.simulate import SetSysctl, Snapshot, apply, asked_by, classify
from oomadvisor.simulate.answers import steps_of_monotone
from oomadvisor.simulate.change import with_reserve_ratio
from oomadvisor.simulate.price import atomic_pages
from oomadvisor.simulate.replay import operation_passes
from oomadvisor.simulate.snapshot import GFP_KERNEL
from oomadvisor.simulate.whatif import broken
from oomadvisor.verify import NotProposable, judge, operations_beside

Role = Literal["case", "bystander"]


class Said(NamedTuple):
    """What a value does to one incident. ``breaks``: something that passed at MIN as the box is would fail there.

    ``worsens``: the operation in question passes at HIGH now, and would pass at MIN only. ``why``: the judgement's own
    words, where a person may ask for them: of *harmful* and *not decidable*.
    """

    class_: VerificationClass
    breaks: bool = False
    worsens: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """All values from ``low`` to ``high`` do the same."""

    low: int
    high: int
    said: Said


@dataclass(frozen=True, slots=True)
class Coverage:
    """One incident at every value of ``knob``: ``stretches`` follow one another without a gap.

    ``role``: a *case* is an incident whose operation does not pass at HIGH as the box is, so that a value may help it.
    A *bystander* passes now, a healthy picture of the memory or an incident that was not about this test: no value can
    help it, but one can harm it.

    ``present``: the values between which the box's own lies. ``box``: what of the box decides the marks and reserves of
    every value, without its free lists; None where nothing can be replayed. ``below``: of a zone's ratio the entries
    of the zones below it, which are written along.
    """

    knob: Knob
    role: Role
    stretches: tuple[Stretch, ...]
    present: tuple[int, int] | None = None
    default: int | None = None
    box: Snapshot | None = None
    below: tuple[int, ...] = ()
    judged: int = 0

    def at(self, value: int) -> Said:
        """Return what ``value`` does."""
        return next(one.said for one in self.stretches if one.low <= value <= one.high)


class _Quick(NamedTuple):
    """What decides the class, each part monotone in the knob: equal at two values means equal between them."""

    class_: VerificationClass
    passes: tuple[bool, ...]
    broken: tuple[str, ...]


def coverage(assessment: Assessment, knob: Knob) -> Coverage:
    """Return the step function of one incident."""
    snap, operation = assessment.snap, assessment.state.workload
    judged = _Judge(assessment)
    present, default = present_values(assessment, knob), default_value(assessment, knob)
    first = judged.at({knob: knob.low})
    if snap is None or operation is None or not judged.decided:
        whole = (Stretch(knob.low, knob.high, first),)
        return Coverage(knob, judged.role, whole, present, default, judged=judged.count)
    asked = _asker(assessment, snap, operation, knob)
    unit = knob.step(snap.page_kb)
    at = cache(lambda value: judged.at({knob: value}))
    edges = [
        start * unit if start else knob.low
        for start, _ in steps_of_monotone(lambda page: asked(max(page * unit, knob.low)), knob.high // unit)
    ]
    found: list[Stretch] = []
    for low, after in zip(edges, [*edges[1:], knob.high + 1], strict=True):
        for stretch in _proved(at, low, after - 1):
            if found and found[-1].said == stretch.said:
                found[-1] = replace(found[-1], high=stretch.high)
            else:
                found.append(stretch)
    return Coverage(
        knob=knob,
        role=judged.role,
        stretches=tuple(found),
        present=present,
        default=default,
        box=_box(snap),
        below=entries_below(assessment, knob),
        judged=judged.count,
    )


def said_at(assessment: Assessment, points: Sequence[Mapping[Knob, int]]) -> tuple[Role, tuple[Said, ...]]:
    """Return what each of some points, several knobs set together, does to one incident, and the role of it."""
    judged = _Judge(assessment)
    found = tuple(judged.at(point) for point in points)
    return judged.role, found


def looked_at(
    assessment: Assessment, knob: Knob, values: Sequence[int]
) -> tuple[Role, tuple[tuple[Said, int | None], ...]]:
    """Return what each value does to one incident, with how many more of its operation fit there, at least (None: that
    is not counted), and the role of it.
    """
    judged = _Judge(assessment)
    found = []
    for value in values:
        told, verified = judged.verified({knob: value})
        headroom = None if verified is None else verified.headroom
        found.append((told, None if headroom is None else headroom.children))
    return judged.role, tuple(found)


class _Judge:
    """The judgement of :mod:`oomadvisor.verify` on one incident, and how often it was asked."""

    def __init__(self, assessment: Assessment) -> None:
        self._assessment = assessment
        self._operation = assessment.state.workload
        self._beside = operations_beside(assessment)
        self.count = 0
        self.decided = True
        snap, operation = assessment.snap, self._operation
        self._passed_high = self._passed_min = False
        if snap is not None and operation is not None:
            now = asked_by(snap, operation)
            self._passed_high = classify(snap, snap, operation) == "certain"
            self._passed_min = operation_passes(now, (*operation.orders, 0), "min")

    @property
    def role(self) -> Role:
        healthy = self._assessment.state.incident.kind == "mem-info" and (
            self._passed_min or self._assessment.snap is None
        )
        return "bystander" if self._passed_high or healthy else "case"

    def at(self, values: Mapping[Knob, int]) -> Said:
        return self.verified(values)[0]

    def verified(self, values: Mapping[Knob, int]) -> tuple[Said, Verification | None]:
        """Return what the values do, and the judgement behind it; None where there is nothing to judge."""
        assessment, operation = self._assessment, self._operation
        self.count += 1
        try:
            changes = tuple(resolved(assessment, knob, value) for knob, value in values.items())
            judged = judge(assessment, changes, operation)
        except NotProposable as error:
            self.decided = False
            return Said("not decidable", why=str(error)), None
        verified = judged.verification
        if judged.outcome is None or assessment.snap is None or operation is None:
            self.decided = False
            return Said("not decidable", why=verified.why), None
        after = judged.outcome.worst_snapshot
        now_fails = self._passed_min and not operation_passes(asked_by(after, operation), (*operation.orders, 0), "min")
        lost = broken(assessment.snap, after, self._beside)
        high = classify(assessment.snap, after, operation) == "certain"
        told = verified.class_ in ("harmful", "not decidable")
        answer = Said(
            verified.class_,
            breaks=now_fails or bool(lost),
            worsens=self._passed_high and not high and not now_fails,
            why=verified.why if told else "",
        )
        return answer, verified


def _asker(assessment: Assessment, snap: Snapshot, operation: Operation, knob: Knob) -> Callable[[int], _Quick]:
    beside, below = operations_beside(assessment), entries_below(assessment, knob)

    def asked(value: int) -> _Quick:
        after = apply(snap, SetSysctl(knob.sysctl, (*below, value)))
        own = asked_by(after, operation)
        return _Quick(
            classify(snap, after, operation),
            tuple(operation_passes(own, operation.orders, mark) for mark in MARKS),
            tuple(one.id for one in broken(snap, after, beside)),
        )

    return asked


def _proved(at: Callable[[int], Said], low: int, high: int) -> Iterator[Stretch]:
    """Yield the stretches between two candidates for an edge: one, unless the judgement turns where they do not."""
    first, last = at(low), at(high)
    if first == last or low == high:
        yield Stretch(low, high, first)
        return
    same, other = low, high
    while other - same > 1:
        middle = (same + other) // 2
        if at(middle) == first:
            same = middle
        else:
            other = middle
    yield Stretch(low, same, first)
    yield from _proved(at, other, high)


def _box(snap: Snapshot) -> Snapshot:
    """Return what boxes of one kind and setting have in common: everything but what is free."""
    zones = tuple(replace(zone, free=0, blocks=(), kinds=ONE_KIND, boost=0) for zone in snap.zones)
    return replace(snap, zones=zones, gfp_mask=GFP_KERNEL, realtime=False, assumed=None)


def kept_pages(box: Snapshot, knob: Knob, value: int | None) -> int | None:
    """Return what a value keeps back, in pages: of vm.min_free_kbytes what GFP_ATOMIC may still take when ordinary
    requests have taken all they may; of a zone's ratio what that zone keeps from requests that could go elsewhere.

    ``value`` None: as the box is. None for kernels whose privileges of interrupts were not measured, and for boxes
    without the zone.
    """
    if not box.family.measured:
        return None
    if knob.zone is None:
        after = box if value is None else apply(box, SetSysctl(knob.sysctl, (value,)))
        return atomic_pages(after)
    index = next((zone.index for zone in box.zones if zone.name == knob.zone), None)
    if index is None or index >= box.class_zone_index:
        return None
    # Entries below this one are written with their own values, so they change nothing here.
    after = box if value is None else with_reserve_ratio(box, index, value)
    return next(zone.reserve for zone in after.zones if zone.index == index)
