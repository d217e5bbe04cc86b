"""The one pipeline: a state is assessed, facts asserted, rules conclude, every fix is replayed, fixes are ranked."""

from collections.abc import Sequence
from typing import NamedTuple

from oomadvisor import knowledge
from oomadvisor.book import engine_for
from oomadvisor.evidence import evidence, quoted_fields
from oomadvisor.facts import Alternative, Assessment, assess, facts_of
from oomadvisor.infer.arithmetic import certainty
from oomadvisor.model import (
    Cause,
    Fix,
    IncidentAdvice,
    Refutation,
    RuleNote,
    Skipped,
    SystemState,
    Warning_,
)
from oomadvisor.model.plan import HORIZONS
from oomadvisor.plan import make_plan
from oomadvisor.rank import rank_parts
from oomadvisor.rulebook.book import RuleBook
from oomadvisor.rulebook.engine import Engine
from oomadvisor.rulebook.inference import Firing
from oomadvisor.rulebook.kinds import Fact, Scalar
from oomadvisor.rulebook.rule import BUILD_FEATURES, Rule
from oomadvisor.rulebook.template import render, render_command
from oomadvisor.rulebook.why import why_none
from oomadvisor.summary import summary
from oomadvisor.verify import OUTSIDE_SYSCTL, NotProposable, Verified, measured_for, verify

MAX_TEXTS = 4
NEWEST = (999,)
"""Later than any kernel: a rule with an upper bound does not hold there."""
DIFFERENCES_SHOWN = 3
CONFIDENCE = {"high": 0, "medium": 1, "low": 2}
ROLE = {"decides": 0, "contributes": 1, "background": 2}


def advise(state: SystemState, book: RuleBook, *, engine: Engine | None = None) -> IncidentAdvice:
    """Return all that can be said about one incident.

    ``engine``: one made by :func:`oomadvisor.book.engine_for` for the same book, to use it for many incidents.
    """
    assessment = assess(state)
    concluded = _conclude(assessment, book, engine)
    rules, by_rule = concluded.rules, concluded.by_rule
    silent = [rule for rule in rules if rule.id not in by_rule]
    skipped = [Skipped(rule=rule, reason=reason) for rule, reason in concluded.unfit]
    skipped += [
        Skipped(rule=rule.id, reason=reason)
        for rule, reason in zip(silent, why_none(silent, concluded.known), strict=True)
    ]
    fixes, rejected, unproposable = _fixes(assessment, rules, by_rule)
    refuted, helpful = _refutations(assessment, rules, by_rule)
    advice = IncidentAdvice(
        state=state,
        summary=summary(state),
        memory=state.memory,
        tunables=state.tunables,
        operations=assessment.operations,
        verdicts=assessment.verdicts,
        order_verdicts=assessment.order_verdicts,
        thresholds=assessment.thresholds,
        causes=_causes(state, rules, by_rule),
        fixes=fixes,
        refuted=(*refuted, *rejected),
        notes=_notes(state, rules, by_rule),
        skipped=(*skipped, *unproposable, *helpful),
        warnings=(
            *state.warnings,
            *_about_the_kernel(assessment),
            *(Warning_(code="rules", text=text) for text in concluded.warnings),
        ),
    )
    return (
        advice.model_copy(update={"plan": make_plan(assessment, advice, book, until=HORIZONS[-1])}) if fixes else advice
    )


def causes_of(state: SystemState, book: RuleBook, *, engine: Engine | None = None) -> tuple[Cause, ...]:
    """Return the causes that :func:`advise` finds, without a replay of what would help: enough for a list."""
    concluded = _conclude(assess(state), book, engine)
    return _causes(state, concluded.rules, concluded.by_rule)


class _Concluded(NamedTuple):
    """What the rules say: those that apply, the others with the reason, firings by rule, and all that is known."""

    rules: tuple[Rule, ...]
    unfit: tuple[tuple[str, str], ...]
    by_rule: dict[str, list[Firing]]
    known: tuple[Fact, ...]
    warnings: tuple[str, ...]


def _conclude(assessment: Assessment, book: RuleBook, engine: Engine | None) -> _Concluded:
    engine, state = engine or engine_for(book), assessment.state
    facts = facts_of(assessment)
    rules, unfit = _applicable(state, book)
    inference = engine.infer(facts, frozenset(rule.id for rule in rules))
    by_rule: dict[str, list[Firing]] = {}
    for firing in inference.firings:
        by_rule.setdefault(firing.rule_id, []).append(firing)
    return _Concluded(rules, unfit, by_rule, (*facts, *inference.derived), inference.warnings)


def _applicable(state: SystemState, book: RuleBook) -> tuple[tuple[Rule, ...], tuple[tuple[str, str], ...]]:
    """Return the rules that hold for the kernel, and the others with the reason.

    Of a kernel known as a stretch only, what is said must hold at both of its ends; of one known from below, from there
    on, in every later kernel.
    """
    kernel, arch = state.kernel, state.incident.arch
    build = {name: getattr(state.build, name) for name in BUILD_FEATURES}
    first, last = kernel.version, kernel.newest
    if not first and kernel.oldest is not None:
        first, last = kernel.oldest, last or NEWEST
    rules, unfit = book.applicable(first, arch, build)
    if last is None or first[:3] == last[:3]:
        return rules, unfit
    also, unfit_too = book.applicable(last, arch, build)
    ids = {rule.id for rule in rules}
    return tuple(rule for rule in rules if rule in also), (*unfit, *(pair for pair in unfit_too if pair[0] in ids))


def _about_the_kernel(assessment: Assessment) -> tuple[Warning_, ...]:
    """Say what is not sure about the arithmetic: a vendor's kernel, or several whose tests differ."""
    state, found = assessment.state, []
    kernel = state.kernel
    if certainty(kernel) == "probable" and (assessment.snap is not None or assessment.alternatives):
        later = f" Its lines are those of {_dotted(kernel.backports)} or later, so it does." if kernel.backports else ""
        text = (
            f"{kernel.text} is no plain release ({kernel.vendor}) and may hold changes of other series.{later} "
            f"The check uses the arithmetic of {_dotted(kernel.version)}: it is probable, not proved."
        )
        found.append(Warning_(code="vendor-kernel", text=text))
    if assessment.alternatives:
        first = assessment.alternatives[0].verdicts
        places = [
            index
            for index, verdict in enumerate(first)
            if len({other.verdicts[index].ok for other in assessment.alternatives}) > 1
        ]
        differences = ". ".join(
            f"Order {first[index].order} in {first[index].zone} at {first[index].mark.upper()}: "
            + "; ".join(_answer(other, index) for other in assessment.alternatives)
            for index in places[:DIFFERENCES_SHOWN]
        )
        more = f" (and {len(places) - DIFFERENCES_SHOWN} more)" if len(places) > DIFFERENCES_SHOWN else ""
        text = f"The report does not settle which form of the test {kernel.text} has. {differences}{more}."
        found.append(Warning_(code="several-kernels", text=text))
    return tuple(found)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _answer(alternative: Alternative, index: int) -> str:
    verdict = alternative.verdicts[index]
    result = "passes" if verdict.ok else f"fails, {verdict.short_by_pages} short"
    return f"{result} by {alternative.name}"


def _causes(state: SystemState, rules: Sequence[Rule], by_rule: dict[str, list[Firing]]) -> tuple[Cause, ...]:
    """Return the causes: those that decide first, then by confidence, then in the order of the rules."""
    found = []
    for position, rule in enumerate(rules):
        firings = by_rule.get(rule.id)
        if rule.kind != "cause" or not firings or rule.derive is None:
            continue
        role = rule.derive.role or "contributes"
        confidence = rule.derive.confidence or "medium"
        cause = Cause(
            id=rule.cause or rule.id,
            title=rule.title,
            confidence=confidence,
            role=role,
            explanation=_texts(state, rule, firings),
            evidence=evidence(rule, firings),
            sources=_sources(rule),
            rule=rule.id,
            rank=0,
        )
        found.append(((ROLE[role], CONFIDENCE[confidence], position), cause))
    ordered = [cause for _, cause in sorted(found, key=lambda pair: pair[0])]
    return tuple(cause.model_copy(update={"rank": rank}) for rank, cause in enumerate(ordered, 1))


def _notes(state: SystemState, rules: Sequence[Rule], by_rule: dict[str, list[Firing]]) -> tuple[RuleNote, ...]:
    return tuple(
        RuleNote(
            id=rule.id,
            title=rule.title,
            text=_texts(state, rule, by_rule[rule.id][: 1 if rule.note.topic == "answer" else None]),
            topic=rule.note.topic,
            evidence=evidence(rule, by_rule[rule.id]),
            sources=_sources(rule),
            rule=rule.id,
        )
        for rule in rules
        if rule.kind == "note" and rule.note is not None and rule.id in by_rule
    )


def _fixes(
    assessment: Assessment, rules: Sequence[Rule], by_rule: dict[str, list[Firing]]
) -> tuple[tuple[Fix, ...], tuple[Refutation, ...], tuple[Skipped, ...]]:
    """Return the fixes that the replay bears out, ranked; those that it refutes; those that make no sense here."""
    fixes, rejected, unproposable = [], [], []
    for rule in rules:
        if rule.kind != "fix" or rule.fix is None or rule.id not in by_rule:
            continue
        firing = by_rule[rule.id][0]
        try:
            verified = verify(assessment, rule.fix.changes, rule.fix.measured)
        except NotProposable as reason:
            unproposable.append(Skipped(rule=rule.id, reason=str(reason)))
            continue
        if verified.verification.class_ in ("no effect", "harmful"):
            rejected.append(_rejected(rule, verified))
        else:
            fixes.append(_fix(assessment.state, rule, firing, verified))
    ordered = sorted(fixes, key=lambda f: tuple(f.rank_parts.model_dump().values()))
    ranked = tuple(fix.model_copy(update={"rank": rank}) for rank, fix in enumerate(ordered, 1))
    return ranked, tuple(rejected), tuple(unproposable)


def _fix(state: SystemState, rule: Rule, firing: Firing, verified: Verified) -> Fix:
    spec = rule.fix
    assert spec is not None
    names = _names(firing, verified)

    def text(template: str | None) -> str | None:
        return None if template is None else render(template, names, rule.params, page_kb=state.page_kb).strip()

    return Fix(
        id=rule.id,
        rank=0,
        rank_parts=rank_parts(verified.verification, spec.repairs, spec.cost, spec.risk, rule.id),
        title=rule.title,
        kind=spec.kind,
        changes=tuple(
            change.model_copy(update={"target": text(change.target) or change.target})
            if change.knob == OUTSIDE_SYSCTL
            else change
            for change in verified.changes
        ),
        commands=tuple(render_command(c, names, rule.params, page_kb=state.page_kb).strip() for c in spec.commands),
        verification=verified.verification,
        repairs=spec.repairs,
        cost=spec.cost,
        risk=spec.risk,
        price=text(spec.price) if _all_known(spec.price, names) else None,
        risk_text=text(spec.risk_text),
        undo=text(spec.undo) or "",
        explanation=text(rule.explain) or "",
        evidence=evidence(rule, [firing]),
        sources=_sources(rule),
        rule=rule.id,
    )


def _all_known(template: str | None, names: dict[str, Fact]) -> bool:
    """Return whether every value that a text quotes is known: a price of unknown pages helps nobody."""
    return all(
        names[alias].values().get(field) is not None for alias, field in quoted_fields(template or "") if alias in names
    )


def _rejected(rule: Rule, verified: Verified) -> Refutation:
    """Turn a fix that the replay refutes into a refutation: it is not recommended, and not silently dropped either."""
    change = verified.changes[0]
    return Refutation(
        id=rule.id,
        advice=rule.title,
        judged="false",
        why=f"Replayed on this report ({change.knob}: {change.target}): {verified.verification.why}.",
        numbers=_numbers_of(verified.outcome),
        measured=verified.verification.measured,
        verification=verified.verification,
        sources=_sources(rule),
        rule=rule.id,
    )


def _refutations(
    assessment: Assessment, rules: Sequence[Rule], by_rule: dict[str, list[Firing]]
) -> tuple[tuple[Refutation, ...], tuple[Skipped, ...]]:
    """Return the refutations. One whose replay would help here after all is not asserted."""
    state = assessment.state
    found, helpful = [], []
    for rule in rules:
        if rule.kind != "refutation" or rule.refute is None or rule.id not in by_rule:
            continue
        firing, spec = by_rule[rule.id][0], rule.refute
        verified = None
        if spec.replay:
            try:
                verified = verify(assessment, spec.replay, spec.measured)
            except NotProposable as reason:
                helpful.append(Skipped(rule=rule.id, reason=str(reason)))
                continue
            if spec.judged == "false" and verified.verification.class_ in ("certain", "marginal"):
                helpful.append(Skipped(rule=rule.id, reason="replayed on this report it would help"))
                continue
        names = _names(firing, verified)
        found.append(
            Refutation(
                id=rule.id,
                advice=render(spec.advice, names, rule.params, page_kb=state.page_kb).strip(),
                judged=spec.judged,
                why=render(rule.explain, names, rule.params, page_kb=state.page_kb).strip(),
                numbers=_named_numbers(rule, names, verified),
                measured=verified.verification.measured if verified else measured_for(state, None, spec.measured),
                verification=verified.verification if verified else None,
                sources=_sources(rule),
                rule=rule.id,
            )
        )
    return tuple(found), tuple(helpful)


def _names(firing: Firing, verified: Verified | None) -> dict[str, Fact]:
    names: dict[str, Fact] = dict(firing.facts)
    if verified is not None:
        names |= {"change": verified.change, "outcome": verified.outcome}
    return names


def _named_numbers(rule: Rule, names: dict[str, Fact], verified: Verified | None) -> dict[str, Scalar]:
    numbers: dict[str, Scalar] = {}
    for name, reference in (rule.refute.numbers if rule.refute else {}).items():
        alias, _, field = reference.partition(".")
        value = names[alias].values().get(field) if alias in names else None
        if value is not None:
            numbers[name] = value
    return numbers | (_numbers_of(verified.outcome) if verified else {})


def _numbers_of(outcome: Fact) -> dict[str, Scalar]:
    """Return the deciding comparison before and after, for the JSON."""
    wanted = ("zone", "remaining_before_pages", "bound_before_pages", "remaining_after_pages", "bound_after_pages")
    return {name: value for name, value in outcome.values().items() if name in wanted}


def _texts(state: SystemState, rule: Rule, firings: Sequence[Firing]) -> str:
    """Return the explanation of each firing, each text once; a rule that fires for many facts is cut at MAX_TEXTS."""
    texts = dict.fromkeys(
        render(rule.explain, dict(f.facts), rule.params, page_kb=state.page_kb).strip() for f in firings
    )
    shown = list(texts)[:MAX_TEXTS]
    if len(texts) > MAX_TEXTS:
        shown.append(f"(and {len(texts) - MAX_TEXTS} more of the same kind)")
    return " ".join(shown)


def _sources(rule: Rule) -> tuple[str, ...]:
    known = knowledge.sources()
    return tuple(known.get(source, source) for source in rule.sources)
