"""Running the tests that stand inside rule files."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from oomadvisor.authoring.report_facts import ReportError, ReportFacts, find_report, read_report
from oomadvisor.rulebook.book import Pack, RuleBook, why_skipped
from oomadvisor.rulebook.cases import given_facts, with_case_params
from oomadvisor.rulebook.engine import Engine
from oomadvisor.rulebook.inference import Inference
from oomadvisor.rulebook.kinds import Fact, Kinds
from oomadvisor.rulebook.rule import Case, Rule
from oomadvisor.rulebook.why import conditions


@dataclass(frozen=True)
class Trial:
    """One test and how it went. ``place`` is ``file:line``; ``reasons`` are lines that say why it failed.

    ``error``: the test could not be run, because its report is missing or unusable.
    """

    rule: str
    name: str
    place: str
    status: Literal["passed", "failed", "error"]
    fires: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Uncovered:
    """A rule that lacks a test in which it fires (``positive``), or one in which it does not (``negative``)."""

    rule: str
    place: str
    missing: tuple[Literal["positive", "negative"], ...]


@dataclass(frozen=True)
class Session:
    """All tests that were run, and the rules that lack some."""

    trials: tuple[Trial, ...]
    uncovered: tuple[Uncovered, ...]

    @property
    def failed(self) -> int:
        """How many tests failed, or could not be run."""
        return sum(trial.status != "passed" for trial in self.trials)


def run_tests(
    packs: Sequence[Pack],
    kinds: Kinds,
    load: Callable[[Sequence[Pack]], RuleBook],
    files: Collection[str] | None = None,
) -> Session:
    """Run the tests of ``packs``, or only those that stand in ``files`` (names as the packs have them).

    A test speaks of its rule as it stands in its own pack: what a later pack overrides does not change it. So each pack
    is tested on a book of itself and what lies below; ``load`` makes one, and raises RuleBookError.
    """
    trials: list[Trial] = []
    uncovered: list[Uncovered] = []
    for level, pack in enumerate(packs, 1):
        own = {name for name, _ in pack.files if files is None or name in files}
        if not own:
            continue
        bench = _Bench(load(packs[:level]), kinds)
        for rule in bench.book.rules:
            written = [
                (case, place) for case, place in zip(rule.tests, rule.test_places, strict=True) if _file(place) in own
            ]
            trials.extend(bench.run(rule, case, place) for case, place in written)
            if _file(rule.place) in own:
                uncovered.extend(_uncovered(rule))
    return Session(tuple(trials), tuple(uncovered))


def _file(place: str) -> str:
    return place.rpartition(":")[0]


def _uncovered(rule: Rule) -> Iterator[Uncovered]:
    have = {case.fires for case in rule.tests}
    missing: list[Literal["positive", "negative"]] = []
    if True not in have:
        missing.append("positive")
    if False not in have:
        missing.append("negative")
    if missing:
        yield Uncovered(rule.id, rule.place, tuple(missing))


class _Bench:
    """A book on which tests are run; what a report makes of it is worked out once."""

    def __init__(self, book: RuleBook, kinds: Kinds) -> None:
        self.book = book
        self.kinds = kinds
        self._engine: Engine | None = None
        self._of_report: dict[int, Inference] = {}

    def run(self, rule: Rule, case: Case, place: str) -> Trial:
        tested = with_case_params(rule, case)
        try:
            fired, known, why = self._given(tested, case) if case.report is None else self._report(tested, case, place)
        except ReportError as error:
            return Trial(rule.id, case.name, place, "error", case.fires, (str(error),))
        if fired is case.fires:
            return Trial(rule.id, case.name, place, "passed", case.fires)
        return Trial(rule.id, case.name, place, "failed", case.fires, (*_reasons(tested, known, fired, why),))

    def _given(self, tested: Rule, case: Case) -> tuple[bool, Sequence[Fact], str | None]:
        facts = given_facts(case, self.kinds)
        return bool(Engine([tested], self.kinds).run(facts)), facts, None

    def _report(self, tested: Rule, case: Case, place: str) -> tuple[bool, Sequence[Fact], str | None]:
        found = read_report(find_report(case.report or "", _file(place)))
        why = why_skipped(_enabled(tested), found.version, found.arch, dict(found.build))
        inference = self._infer(tested, case, found)
        fired = why is None and any(firing.rule_id == tested.id for firing in inference.firings)
        return fired, [*found.facts, *inference.derived], why

    def _infer(self, tested: Rule, case: Case, found: ReportFacts) -> Inference:
        rules, _ = self.book.applicable(found.version, found.arch, dict(found.build))
        only = {rule.id for rule in rules} | {tested.id}
        if case.params or not tested.enabled:
            others = (tested if rule.id == tested.id else rule for rule in self.book.rules)
            return Engine(tuple(others), self.kinds).infer(found.facts, only)
        if self._engine is None:
            self._engine = Engine(self.book.rules, self.kinds)
        if id(found) not in self._of_report:
            self._of_report[id(found)] = self._engine.infer(found.facts, {rule.id for rule in rules})
        return self._of_report[id(found)]


def _enabled(rule: Rule) -> Rule:
    return replace(rule, enabled=True)


def _reasons(rule: Rule, facts: Sequence[Fact], fired: bool, why: str | None) -> Iterator[str]:
    if why is not None:
        yield f"it takes no part: {why}"
        return
    yield "it fired, and should not" if fired else "it did not fire, and should"
    looked = conditions(rule, facts)
    for one in looked:
        yield f"{'holds' if one.holds else 'FAILS'}  {one.text}"
        yield from (f"         {detail}" for detail in one.details)
    if not fired and all(one.holds for one in looked):
        yield "each condition holds by itself, but not with a fact of its own for each"
