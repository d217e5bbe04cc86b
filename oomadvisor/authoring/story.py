"""Why a rule fired on a report, or which condition kept it from firing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from oomadvisor.advise import advise
from oomadvisor.facts import assess, facts_of
from oomadvisor.model import IncidentAdvice, SystemState
from oomadvisor.rulebook.book import RuleBook, why_skipped
from oomadvisor.rulebook.condition import Pattern, in_words
from oomadvisor.rulebook.engine import Engine
from oomadvisor.rulebook.kinds import Fact, Scalar
from oomadvisor.rulebook.rule import BUILD_FEATURES, Rule
from oomadvisor.rulebook.strata import Derivers
from oomadvisor.rulebook.why import Looked, conditions

DEPTH_MAX = 5
FIRINGS_SHOWN = 5

SCHEMA = "oomadvisor/rule-why/1"


@dataclass(frozen=True)
class Proof:
    """One fact of a firing: what the rule calls it, its values, and where in the report it was read."""

    alias: str
    kind: str
    key: str
    values: dict[str, Scalar]
    origin: str | None


@dataclass(frozen=True)
class Story:
    """What became of a rule. ``apart``: why it took no part at all; ``place``: where it stands in the advice.

    ``below``: the rules that would have derived what it waits for, and what became of those.
    """

    rule: Rule
    fired: bool
    apart: str | None
    looked: tuple[Looked, ...]
    firings: tuple[tuple[Proof, ...], ...]
    place: str | None
    below: tuple["Story", ...] = ()


def tell(rule: Rule, book: RuleBook, state: SystemState, engine: Engine) -> Story:
    """Return the story of ``rule`` on ``state``."""
    facts = facts_of(assess(state))
    build = {name: getattr(state.build, name) for name in BUILD_FEATURES}
    rules, _ = book.applicable(state.kernel.version, state.incident.arch, build)
    inference = engine.infer(facts, frozenset(one.id for one in rules))
    fired: dict[str, list[tuple[Proof, ...]]] = {}
    for firing in inference.firings:
        fired.setdefault(firing.rule_id, []).append(tuple(_proof(alias, fact) for alias, fact in firing.facts))
    known = [*facts, *inference.derived]
    apart = {one.id: why_skipped(one, state.kernel.version, state.incident.arch, build) for one in book.rules}
    derivers = Derivers(book.rules)

    def story(one: Rule, seen: frozenset[str], place: str | None) -> Story:
        looked = conditions(one, known)
        waiting = [part for item in looked if not item.holds for part in item.waits_for]
        makers = _makers(waiting, book, derivers) if apart[one.id] is None and len(seen) < DEPTH_MAX else {}
        return Story(
            rule=one,
            fired=one.id in fired,
            apart=apart[one.id],
            looked=looked,
            firings=tuple(fired.get(one.id, ())),
            place=place,
            below=tuple(story(maker, seen | {maker.id}, None) for maker in makers.values() if maker.id not in seen),
        )

    place = _place(rule, advise(state, book, engine=engine)) if rule.id in fired else None
    return story(rule, frozenset({rule.id}), place)


def _makers(waiting: list[Pattern], book: RuleBook, derivers: Derivers) -> dict[str, Rule]:
    return {book.rules[maker].id: book.rules[maker] for part in waiting for maker in derivers.of(part)}


def _proof(alias: str, fact: Fact) -> Proof:
    return Proof(alias, fact.kind, fact.key, fact.values(), str(fact.origin) if fact.origin is not None else None)


def _place(rule: Rule, advice: IncidentAdvice) -> str:
    """Return where the advice says what ``rule`` concludes, or why it does not."""
    for cause in advice.causes:
        if cause.rule == rule.id:
            return f"cause number {cause.rank}: {cause.confidence} confidence"
    for fix in advice.fixes:
        if fix.rule == rule.id:
            return f"fix number {fix.rank}: {fix.verification.class_}"
    for judged in advice.refuted:
        if judged.rule == rule.id:
            if rule.kind == "fix":
                return f"not recommended: {judged.why[:1].lower()}{judged.why[1:]}"
            return f"judged advice: {judged.judged}"
    if any(note.rule == rule.id for note in advice.notes):
        return "note"
    reason = next((one.reason for one in advice.skipped if one.rule == rule.id), None)
    return f"not in the advice: {reason}" if reason is not None else "not in the advice"


def as_text(story: Story) -> str:
    """Return the story for people."""
    return "".join(f"{line}\n" for line in _lines(story))


def _lines(story: Story) -> Iterator[str]:
    rule = story.rule
    outcome = "fired" if story.fired else "took no part" if story.apart is not None else "did not fire"
    yield f"{rule.id} ({rule.kind}, {rule.place}) {outcome}."
    yield f"  {rule.title}"
    if story.apart is not None:
        yield f"  It is {story.apart}."
    if story.place is not None:
        yield f"  In the advice: {story.place}"
    yield ""
    for one in story.looked:
        yield f"  {'holds' if one.holds else 'FAILS'}  {one.text}"
        yield from (f"           {detail}" for detail in one.details)
    if not story.fired and story.apart is None and all(one.holds for one in story.looked):
        yield "  Each condition holds by itself, but not with a fact of its own for each."
    if len(story.firings) > 1:
        yield from ("", f"  It fired {len(story.firings)} times:")
        for firing in story.firings[:FIRINGS_SHOWN]:
            yield "    " + ", ".join(f"{proof.alias} {proof.key}".strip() for proof in firing)
        if len(story.firings) > FIRINGS_SHOWN:
            yield f"    and {len(story.firings) - FIRINGS_SHOWN} more"
    if story.firings:
        places = {f"{proof.kind} {proof.key}".strip(): proof.origin for proof in story.firings[0] if proof.origin}
        if places:
            yield ""
            yield from (f"  {name} was read at {place}" for name, place in places.items())
    for below in story.below:
        yield ""
        yield f"  What it waits for would come from {below.rule.id}:"
        yield from (f"    {line}".rstrip() for line in _lines(below))


def as_record(story: Story) -> dict[str, Any]:
    """Return the story as JSON values."""
    return {
        "rule": story.rule.id,
        "place": story.rule.place,
        "fired": story.fired,
        "not_applicable": story.apart,
        "in_the_advice": story.place,
        "conditions": [
            {
                "text": one.text,
                "holds": one.holds,
                "details": list(one.details),
                "waits_for": [in_words(part) for part in one.waits_for],
            }
            for one in story.looked
        ],
        "firings": [[vars(proof) for proof in firing] for firing in story.firings],
        "waits_for_rules": [as_record(below) for below in story.below],
    }
