"""Random rule books and facts, through the engine, the plain matcher and the oracle.

``OOMADVISOR_FUZZ_SECONDS=600 python -m tests.rulebook.fuzz [SEED]`` runs for that long and prints what it did.
"""

import json
import os
import random
import sys
import time
from typing import Any, ClassVar, Literal

from pydantic import Field

from oomadvisor.rulebook.engine import Engine
from oomadvisor.rulebook.kinds import INT_MAX, Fact, kind_registry
from oomadvisor.rulebook.load import load_book
from oomadvisor.rulebook.rule import Rule
from tests.rulebook.oracle import model, place_of, text_of

WORDS = ("low", "middle", "high")


class AlphaFact(Fact):
    kind: ClassVar[str] = "alpha"
    meaning: ClassVar[str] = "A kind with every type of field."

    i: int = Field(description="a number")
    j: int = Field(description="another number")
    flag: bool = Field(description="a boolean")
    flag2: bool = Field(description="another boolean")
    text: str = Field(description="a text")
    text2: str = Field(description="another text")
    maybe_i: int | None = Field(default=None, description="a number that may be missing")
    maybe_flag: bool | None = Field(default=None, description="a boolean that may be missing")
    maybe_text: str | None = Field(default=None, description="a text that may be missing")
    word: Literal["low", "middle", "high"] | None = Field(default=None, description="one of three words")


class BetaFact(AlphaFact):
    kind: ClassVar[str] = "beta"


class ManyFact(AlphaFact):
    kind: ClassVar[str] = "many"
    bounded: ClassVar[bool] = False


class MadeFact(AlphaFact):
    kind: ClassVar[str] = "made"
    derived: ClassVar[bool] = True


class Made2Fact(AlphaFact):
    kind: ClassVar[str] = "made2"
    derived: ClassVar[bool] = True


CLASSES: tuple[type[AlphaFact], ...] = (AlphaFact, BetaFact, ManyFact, MadeFact, Made2Fact)
KINDS = kind_registry(CLASSES)
INTS = (-1, 0, 1, 2, 3, 7, -INT_MAX, INT_MAX, INT_MAX - 1, 10**16, 10**18 + 1, 2**53 + 1, 2**32)
TEXTS = (
    "", "a", "b", "a b", "A", "ä", "日本", "😀", 'q"uote', "back\\slash", "\\u0061", "{", "}", "true", "5", "null", "$m", "$and",
    "x" * 1024, "x" * 1023, "é" * 1024, "😀" * 1024, "line\nbreak", "tab\t", "\x01", "\x7f", "'", "%d", ".*", "\ufffd", "/",
)  # fmt: skip
OPERATORS = ("eq", "ne", "lt", "le", "gt", "ge")
FIELDS = {
    "i": "int", "j": "int", "maybe_i": "int", "flag": "bool", "flag2": "bool", "maybe_flag": "bool",
    "text": "text", "text2": "text", "maybe_text": "text", "word": "word",
}  # fmt: skip
PAIRS = {"i": "j", "j": "i", "flag": "flag2", "flag2": "flag", "text": "text2", "text2": "text"}


class Generator:
    """Makes rule books and facts out of the choices of ``rng``. ``pool`` keeps values few, so that rules do fire."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.ints = rng.sample(INTS, rng.randint(2, 5))
        self.texts = rng.sample(TEXTS, rng.randint(2, 6))

    def value(self, type_: str) -> Any:
        pool: dict[str, Any] = {"int": self.ints, "bool": (True, False), "text": self.texts, "word": WORDS}
        return self.rng.choice(pool[type_])

    def condition(self, field: str) -> Any:
        type_, rng = FIELDS[field], self.rng
        choice = rng.random()
        if choice < 0.4:
            return self.value(type_)
        if choice < 0.5:
            return {"one_of": [self.value(type_) for _ in range(rng.randint(1, 4))]}
        if choice < 0.65 and field in PAIRS:
            return {rng.choice(OPERATORS if type_ == "int" else ("eq", "ne")): {"field": PAIRS[field]}}
        if type_ == "int" and choice < 0.75:
            return {rng.choice(("ge", "gt")): self.value(type_), rng.choice(("le", "lt")): self.value(type_)}
        return {rng.choice(OPERATORS if type_ == "int" else ("eq", "ne")): self.value(type_)}

    def pattern(self, kinds: tuple[str, ...], alias: str = "") -> dict[str, Any]:
        rng = self.rng
        names = rng.sample(sorted(FIELDS), rng.choice((0, 1, 1, 1, 2, 2, 3)))
        item: dict[str, Any] = {rng.choice(kinds): {name: self.condition(name) for name in names}}
        if rng.random() < 0.05:
            item = {"cause": {"name": f"rule-{rng.randint(0, 12)}"}}
        return {**item, "as": alias} if alias else item

    def rule(self, number: int) -> dict[str, Any]:
        rng = self.rng
        kinds = ("alpha", "beta", "many", "made", "made2")
        when: list[dict[str, Any]] = []
        for place in range(rng.choice((1, 1, 2, 2, 2, 3, 4))):
            choice = rng.random()
            if choice < 0.2:
                when.append({"not": self.pattern(kinds)})
            elif choice < 0.35:
                branches = [self.pattern(kinds, f"x{place}") for _ in range(rng.randint(1, 3))]
                if rng.random() < 0.2:
                    branches.append({"not": self.pattern(kinds)})
                when.append({"any": branches})
            else:
                when.append(self.pattern(kinds, f"x{place}"))
        kind = rng.choice(("cause", "note"))
        rule: dict[str, Any] = {"id": f"rule-{number}", "title": "t", "kind": kind, "explain": "e", "when": when}
        rule.update({"note": {"topic": "finding"}} if kind == "note" else {"derive": {"confidence": "high"}})
        if rng.random() < 0.3:
            rule.setdefault("derive", {})["fact"] = {rng.choice(("made", "made2")): self.made(when)}
        return rule

    def made(self, when: list[dict[str, Any]]) -> dict[str, Any]:
        bound = [item["as"] for item in when if "as" in item and "cause" not in item]
        values: dict[str, Any] = {}
        for field, type_ in FIELDS.items():
            if bound and self.rng.random() < 0.4:
                source = field if not field.startswith("maybe") else field.removeprefix("maybe_")
                values[field] = f"{self.rng.choice(bound)}.{source}"
            elif not field.startswith("maybe") and field != "word":
                values[field] = self.value(type_)
        return values

    def fact(self) -> Fact:
        cls = self.rng.choice((AlphaFact, AlphaFact, BetaFact, BetaFact, ManyFact, MadeFact))
        values = {name: self.value(type_) for name, type_ in FIELDS.items()}
        for name in ("maybe_i", "maybe_flag", "maybe_text", "word"):
            if self.rng.random() < 0.4:
                values[name] = None
        return cls(**values)

    def rules(self, most: int) -> tuple[list[Rule], int]:
        """Return the rules that the loader accepts, and how many were written."""
        docs = [self.rule(number) for number in range(self.rng.choice((1, 3, 10, 30, most)))]
        text = json.dumps({"schema": 1, "rules": docs}, ensure_ascii=False)
        book, problems = load_book([("fuzz", text.replace("\x7f", "\\u007f"))], KINDS)
        known = {problem.code for problem in problems}
        unexpected = known - {
            "impossible",
            "never-fires",
            "always-absent",
            "two-unbounded",
            "wrong-type",
            "unused-kind",
            "negation-cycle",
            "alias-not-always-matched",
            "too-many-branches",
        }
        if unexpected:
            raise AssertionError([problem.headline for problem in problems if problem.code in unexpected])
        return list(book.rules), len(docs)


def check_once(rng: random.Random, most_rules: int = 200, most_facts: int = 20) -> tuple[int, int, int]:
    """Compare the three on one random book; return how many rules were written, accepted, and fired."""
    generator = Generator(rng)
    rules, written = generator.rules(most_rules)
    engine = Engine(rules, KINDS, backend="durable")
    plain = Engine(rules, KINDS, backend="matcher")
    fired = 0
    for _ in range(2):
        facts = [generator.fact() for _ in range(rng.randint(0, most_facts))]
        got, expected = engine.infer(facts), plain.infer(facts)
        assert got == expected, (rules, facts)
        if not got.warnings:
            firings, derived = model(rules, facts, KINDS)
            told = {
                (one.rule_id, tuple(f"{alias}={place_of(fact, facts)}" for alias, fact in one.facts))
                for one in got.firings
            }
            assert told == firings, (rules, facts)
            assert {text_of(fact) for fact in got.derived} == derived, (rules, facts)
        fired += len(got.firings)
    return written, len(rules), fired


def main() -> None:
    seconds = float(os.environ.get("OOMADVISOR_FUZZ_SECONDS", "60"))
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(2**32)
    end, rounds, totals = time.monotonic() + seconds, 0, [0, 0, 0]
    while time.monotonic() < end:
        try:
            totals = [a + b for a, b in zip(totals, check_once(random.Random(seed + rounds)), strict=True)]
        except BaseException:
            print(f"seed {seed + rounds}", file=sys.stderr)
            raise
        rounds += 1
    print(
        f"fuzz: {rounds} books from seed {seed}, {totals[0]} rules written, {totals[1]} used, {totals[2]} firings, 0 mismatches"
    )


if __name__ == "__main__":
    main()
