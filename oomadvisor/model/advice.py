"""What the expert says: causes with evidence, fixes with proof, refutations with numbers."""

from typing import Literal

from oomadvisor.model.base import Frozen, Origin, Warning_
from oomadvisor.model.state import Memory, Operation, SystemState, Tunable
from oomadvisor.model.verdict import Replay, Thresholds, Verdict

Confidence = Literal["high", "medium", "low"]
FixKind = Literal["sysctl", "command", "mount", "workload", "build", "boot", "containment", "advice"]
VerificationClass = Literal["certain", "marginal", "bounded", "not decidable", "no effect", "harmful"]
Judgement = Literal["false", "half true", "true", "beside the point"]


class Evidence(Frozen):
    """A fact that proves something: its kind, the fields that the rule looked at, and where they were read."""

    fact: str
    values: dict[str, int | str | bool]
    origin: Origin | None = None


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


class RankParts(Frozen):
    """The parts of the ranking, smallest first; see docs/ranking.md."""

    proof: int
    repairs: int
    cost: int
    risk: int
    id: str


class Cause(Frozen):
    """Why it happened."""

    id: str
    title: str
    confidence: Confidence
    role: Literal["decides", "contributes", "background"]
    explanation: str
    evidence: tuple[Evidence, ...]
    sources: tuple[str, ...] = ()
    rule: str
    rank: int


class Fix(Frozen):
    """Something to do, with effect, proof, price, risk and the way back."""

    id: str
    rank: int
    rank_parts: RankParts
    title: str
    kind: FixKind
    changes: tuple[Change, ...]
    commands: tuple[str, ...] = ()
    verification: Verification
    repairs: Literal["cause", "symptom", "containment"]
    cost: Literal["none", "low", "medium", "high"]
    risk: Literal["none", "low", "medium", "high"]
    price: str | None = None
    risk_text: str | None = None
    undo: str
    explanation: str
    evidence: tuple[Evidence, ...]
    sources: tuple[str, ...]
    rule: str


class Refutation(Frozen):
    """A thing that people say or try in this situation, judged with this report's numbers."""

    id: str
    advice: str
    judged: Judgement
    why: str
    numbers: dict[str, int | str | bool]
    measured: tuple[Measured, ...] = ()
    verification: Verification | None = None
    sources: tuple[str, ...] = ()
    rule: str


class RuleNote(Frozen):
    """Something worth knowing that is neither cause nor fix: answers to the questions people ask, side findings."""

    id: str
    title: str
    text: str
    topic: Literal["answer", "finding", "limits"]
    evidence: tuple[Evidence, ...] = ()
    sources: tuple[str, ...] = ()
    rule: str


class Skipped(Frozen):
    """A rule that did not apply, and why."""

    rule: str
    reason: str


class IncidentAdvice(Frozen):
    """All that is said about one incident.

    ``verdicts`` are those of the operation's orders; ``order_verdicts`` those of every order up to one above the
    request's, so that one can see which sizes would have passed.
    """

    state: SystemState
    summary: tuple[str, ...]
    memory: Memory
    tunables: dict[str, Tunable]
    operations: tuple[Operation, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    order_verdicts: tuple[Verdict, ...] = ()
    thresholds: tuple[Thresholds, ...] = ()
    causes: tuple[Cause, ...] = ()
    fixes: tuple[Fix, ...] = ()
    refuted: tuple[Refutation, ...] = ()
    notes: tuple[RuleNote, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    warnings: tuple[Warning_, ...] = ()


class Advice(Frozen):
    """The result of ``advise``: one entry for each incident looked at, in the order of the log."""

    incidents: tuple[IncidentAdvice, ...]
    incidents_found: int
    engine: str
    version: str
