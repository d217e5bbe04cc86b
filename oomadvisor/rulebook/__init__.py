"""The rule book: YAML becomes checked rules, durable-rules matches them, conclusions come out with their reasons.

::

    kinds = kind_registry([ZoneFact, RequestFact])
    book, problems = load_packs([Pack("built-in", files)], kinds, scopes={"outcome": OutcomeFact}, vocabulary=names)
    engine = Engine(book.rules, kinds)
    rules, skipped = book.applicable((2, 6, 31), "arm", {"highmem": False})
    result = engine.infer(facts, only={rule.id for rule in rules})
    for firing in result.firings:
        rule = book[firing.rule_id]
        print(render(rule.explain, dict(firing.facts), rule.params, page_kb=4))
"""

from oomadvisor.rulebook.book import Pack, RuleBook
from oomadvisor.rulebook.change import (
    Change,
    FreeChange,
    LargestPassing,
    OperationChange,
    SysctlChange,
    TaskChange,
    Unsimulated,
)
from oomadvisor.rulebook.engine import Engine, EngineUnavailableError, default_warnings, engine_name
from oomadvisor.rulebook.errors import Problem, RuleBookError
from oomadvisor.rulebook.inference import Firing, Inference
from oomadvisor.rulebook.kinds import CauseFact, Fact, FieldSpec, KindError, Kinds, KindSpec, kind_registry
from oomadvisor.rulebook.load import load_book, load_packs, require
from oomadvisor.rulebook.rule import Case, Derive, Fix, Note, Refute, Rule
from oomadvisor.rulebook.strata import NegationCycleError
from oomadvisor.rulebook.template import FILTERS, grouped, render, render_command
from oomadvisor.rulebook.vocabulary import Vocabulary
from oomadvisor.rulebook.why import conditions, why_not

__all__ = [
    "FILTERS",
    "Case",
    "CauseFact",
    "Change",
    "Derive",
    "Engine",
    "EngineUnavailableError",
    "Fact",
    "FieldSpec",
    "Firing",
    "Fix",
    "FreeChange",
    "Inference",
    "KindError",
    "KindSpec",
    "Kinds",
    "LargestPassing",
    "NegationCycleError",
    "Note",
    "OperationChange",
    "Pack",
    "Problem",
    "Refute",
    "Rule",
    "RuleBook",
    "RuleBookError",
    "SysctlChange",
    "TaskChange",
    "Unsimulated",
    "Vocabulary",
    "conditions",
    "default_warnings",
    "engine_name",
    "grouped",
    "kind_registry",
    "load_book",
    "load_packs",
    "render",
    "render_command",
    "require",
    "why_not",
]
