"""What the expert says: causes with evidence, fixes with proof, refutations with numbers."""

from typing import Literal

from oomadvisor.model.base import Frozen, Origin, Warning_
from oomadvisor.model.plan import Plan
from oomadvisor.model.state import Memory, Operation, SystemState, Tunable
from oomadvisor.model.verdict import Thresholds, Verdict
from oomadvisor.model.verification import Change, FixKind, Measured, Verification

Confidence = Literal["high", "medium", "low"]
Judgement = Literal["false", "half true", "true", "beside the point"]


class Evidence(Frozen):
    """A fact that proves something: its kind, the fields that the rule looked at, and where they were read."""

    fact: str
    values: dict[str, int | str | bool]
    origin: Origin | None = None


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
    request's, so that one can see which sizes would have passed. ``plan``: which of the fixes go together, for every
    horizon; None when there is no fix.
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
    plan: Plan | None = None
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
