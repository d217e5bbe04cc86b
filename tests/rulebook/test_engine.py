"""durable-rules behind the adapter: each way to make it fail that a rule file or a fact could reach.

The numbers are those of docs/engine.md: crashes, hangs and wrong answers (A3), and limits (A4).
"""

import importlib
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from oomadvisor.rulebook import engine as engine_module
from oomadvisor.rulebook.cases import given_facts
from oomadvisor.rulebook.engine import REMEDY, Backend, Engine, EngineUnavailableError, default_warnings, engine_name
from oomadvisor.rulebook.inference import Firing
from oomadvisor.rulebook.kinds import INT_MAX, CauseFact, Fact
from oomadvisor.rulebook.rule import Case
from tests.rulebook.books import cause, fired, note, rules_of
from tests.rulebook.toy import KINDS, PressureFact, RequestFact, SlabFact, SwapFact, TaskFact, ZoneFact

pytestmark = pytest.mark.skipif(
    not engine_name().startswith("durable-rules"), reason="durable-rules does not load here"
)


def zone(name: str = "DMA", free: int = 97, **more: object) -> ZoneFact:
    return ZoneFact(name=name, free_pages=free, **more)  # type: ignore[arg-type]


@pytest.fixture(params=["durable", "matcher"])
def backend(request: pytest.FixtureRequest) -> Backend:
    return request.param  # type: ignore[no-any-return]


def test_a_firing_names_the_facts_that_prove_it(backend: Backend) -> None:
    rules = rules_of(
        note("r", "request: {order: {ge: 1}}", "{zone: {name: DMA}, as: dma}", "not: {swap: {free_kb: {gt: 0}}}")
    )
    request, dma, normal = RequestFact(order=2), zone(), zone("Normal")
    assert Engine(rules, KINDS, backend=backend).run([request, normal, dma]) == [
        Firing("r", (("request", request), ("dma", dma)), ("swap with free_kb > 0",))
    ]


def test_of_several_branches_that_hold_the_first_is_told(backend: Backend) -> None:
    rules = rules_of(note("r", "zone: {}", "any: [not: {swap: {}}, not: {request: {}}]"))
    (firing,) = Engine(rules, KINDS, backend=backend).run([zone()])
    assert firing.absent == ("swap",)
    (firing,) = Engine(rules, KINDS, backend=backend).run([zone(), SwapFact()])
    assert firing.absent == ("request",)


def test_derived_facts_are_told_and_feed_other_rules(backend: Backend) -> None:
    made = "    derive: {fact: {pressure: {zone: zone.name, level: 3, grave: true}}}\n"
    rules = rules_of(
        note("a", "zone: {}", more=made),
        note("b", "pressure: {level: {ge: 2}, grave: true}"),
        cause("c", "pressure: {zone: DMA}"),
    )
    result = Engine(rules, KINDS, backend=backend).infer([zone(), zone(free=1), zone("Normal")])
    assert result.derived == (
        CauseFact(name="c", confidence="high", role="decides"),
        PressureFact(zone="DMA", level=3, grave=True),
        PressureFact(zone="Normal", level=3, grave=True),
    )
    assert [firing.rule_id for firing in result.firings] == ["a", "a", "a", "b", "b", "c"]
    assert result.warnings == ()


def test_the_order_of_firings_is_that_of_rules_and_facts(backend: Backend) -> None:
    rules = rules_of(note("b", "zone: {}"), note("a", "zone: {}"))
    facts = [zone(name) for name in ("c", "a", "b")]
    got = Engine(rules, KINDS, backend=backend).run(facts)
    assert [(one.rule_id, one.facts[0][1].values()["name"]) for one in got] == [
        ("b", "c"), ("b", "a"), ("b", "b"), ("a", "c"), ("a", "a"), ("a", "b")
    ]  # fmt: skip


def test_only_some_rules_may_take_part(backend: Backend) -> None:
    rules = rules_of(cause("a", "zone: {}"), note("b", "cause: {name: a}"), note("c", "zone: {}"))
    engine = Engine(rules, KINDS, backend=backend)
    assert [one.rule_id for one in engine.run([zone()], only={"b", "c"})] == ["c"]
    assert [one.rule_id for one in engine.run([zone()])] == ["a", "b", "c"]


def test_one_fact_does_not_stand_for_two(backend: Backend) -> None:
    rules = rules_of(note("r", "{zone: {}, as: a}", "{zone: {}, as: b}"))
    assert fired(rules, [zone()], backend) == []
    assert fired(rules, [zone(), zone()], backend) == ["r", "r"]


# A3: crashes


def test_no_1_2_25_no_arithmetic_can_be_written_and_extreme_numbers_compare_right(backend: Backend) -> None:
    values = (-INT_MAX + 1, -1, 0, 2**53, 2**53 + 1, 10**18 + 1, INT_MAX - 1, INT_MAX)
    rules = rules_of(*(note(f"r{op}-{n}", f"zone: {{free_pages: {{{op}: {value}}}}}") for op in ("lt", "eq", "ge") for n, value in enumerate(values)))  # fmt: skip
    for fact_value in (-INT_MAX, *values):
        expected = [f"rlt-{n}" for n, v in enumerate(values) if fact_value < v]
        expected += [f"req-{n}" for n, v in enumerate(values) if fact_value == v]
        expected += [f"rge-{n}" for n, v in enumerate(values) if fact_value >= v]
        assert fired(rules, [zone(free=fact_value)], backend) == expected


def run_apart(script: str) -> None:
    """Run in a process of its own, with freed and fresh memory filled, so that a wrong read does not go unseen."""
    env = {**os.environ, "MALLOC_PERTURB_": "165", "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_no_4_5_6_11_sessions_without_firings_and_abandoned_ones_can_be_dropped() -> None:
    run_apart("""
from tests.rulebook.books import note, rules_of
from tests.rulebook.toy import KINDS, SwapFact, ZoneFact
from oomadvisor.rulebook.engine import Engine

class Stop(Exception):
    pass

class Broken(ZoneFact):
    def values(self):
        raise Stop

engine = Engine(rules_of(note("r", "zone: {name: A}", more="    derive: {fact: {pressure: {zone: a, level: 1}}}\\n"),
                         note("s", "pressure: {}"), note("t", "not: {swap: {}}", "zone: {name: B}")), KINDS, backend="durable")
fact = ZoneFact(name="A", free_pages=1)
for number in range(1200):
    assert engine.run([]) == engine.run([ZoneFact(name="C", free_pages=1)]) == []
for number in range(1200):
    try:
        engine.infer([fact, Broken(name="A", free_pages=2)])
        raise SystemExit("not reached")
    except Stop:
        pass
    assert [one.rule_id for one in engine.run([fact])] == ["r", "s"]
del engine
""")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_many_engines_come_and_go() -> None:
    run_apart("""
from pathlib import Path
from tests.rulebook.books import note, rules_of
from tests.rulebook.toy import KINDS, ZoneFact
from oomadvisor.rulebook.engine import Engine

rules = rules_of(*(note(f"r{n}", f"zone: {{free_pages: {{ge: {n}}}}}") for n in range(50)))
def resident_kb():
    # Not ru_maxrss: a process inherits that from the one that started it.
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0])
def once():
    assert len(Engine(rules, KINDS, backend="durable").run([ZoneFact(name="A", free_pages=100)])) == 50
for _ in range(30):
    once()
before = resident_kb()
for _ in range(300):
    once()
grown = resident_kb() - before
assert grown < 10_000, grown
""")


def test_no_4_to_9_only_the_safe_calls_are_used() -> None:
    source = Path(engine_module.__file__).read_text()
    assert set(re.findall(r"_durable\.(\w+)", source)) == {
        "create_ruleset",
        "assert_fact",
        "start_action_for_state",
        "complete_and_start_action",
        "delete_state",
        "delete_ruleset",
    }
    room = Path(engine_module.__file__).parent
    assert [file.name for file in room.glob("*.py") if "import durable" in file.read_text()] == ["engine.py"]


def test_no_9_no_thread_is_started() -> None:
    before = threading.active_count()
    fired(rules_of(note("r", "zone: {}")), [zone()])
    assert threading.active_count() == before


def test_no_10_300_rules_with_one_condition(backend: Backend) -> None:
    rules = rules_of(*(note(f"r{n}", "zone: {name: DMA}") for n in range(300)))
    assert fired(rules, [zone()], backend) == [f"r{n}" for n in range(300)]


def test_no_12_600_different_conditions_on_a_field(backend: Backend) -> None:
    rules = rules_of(*(note(f"r{n}", f"zone: {{free_pages: {n}}}") for n in range(600)))
    assert fired(rules, [zone(free=599)], backend) == ["r599"]


def test_a4_200_conditions_true_of_one_fact_at_once(backend: Backend) -> None:
    rules = rules_of(*(note(f"r{n}", f"zone: {{free_pages: {{ge: {n}}}}}") for n in range(200)))
    assert len(fired(rules, [zone(free=1000)], backend)) == 200


def test_a4_100_different_absences(backend: Backend) -> None:
    rules = rules_of(*(note(f"r{n}", f"not: {{zone: {{free_pages: {n}}}}}") for n in range(100)))
    assert len(fired(rules, [zone(free=5)], backend)) == 99


def test_a4_eight_patterns_and_150_rules_of_them(backend: Backend) -> None:
    items = [f"{{zone: {{name: n{n}}}, as: z{n}}}" for n in range(8)]
    rules = rules_of(*(note(f"r{n}", *items) for n in range(150)))
    assert len(fired(rules, [zone(f"n{n}") for n in range(8)], backend)) == 150


# A3: hangs and wrong answers


def test_no_13_a_pattern_without_conditions_fires_once_a_fact(backend: Backend) -> None:
    assert fired(rules_of(note("r", "zone: {}")), [zone(), zone(), SwapFact()], backend) == ["r", "r"]


def test_no_14_a_comparison_with_a_missing_field_does_not_hold(backend: Backend) -> None:
    rules = rules_of(note("r", "zone: {free_pages: {gt: {field: min_pages}}}"), note("s", "zone: {name: DMA}"))
    incomplete: list[dict[str, int | bool | str]] = [{"free_pages": 5}, {"min_pages": 5}, {}]
    for given in ({"name": "DMA", **values} for values in incomplete):
        facts = given_facts(Case(name="n", fires=True, given=({"zone": given},)), KINDS)
        assert fired(rules, facts, backend) == ["s"]
    assert fired(rules, [zone(free=5, min_pages=4)], backend) == ["r", "s"]


def test_no_23_all_fields_of_a_pattern_count(backend: Backend) -> None:
    rules = rules_of(note("r", "zone: {name: DMA, free_pages: 1, eligible: true}"))
    assert fired(rules, [zone(free=1), zone(free=2), zone("Normal", 1), zone(free=1, eligible=False)], backend) == ["r"]


def test_no_26_27_long_texts(backend: Backend) -> None:
    rules = rules_of(note("empty", 'zone: {name: ""}'), note("long", f"zone: {{name: {'x' * 1024}}}"))
    assert fired(rules, [zone("x" * 65_536), zone("x" * 65_537), zone("x" * 1024)], backend) == ["long"] * 3
    assert fired(rules, [zone("x" * 1023), zone("")], backend) == ["empty"]


def test_no_29_texts_that_look_like_values(backend: Backend) -> None:
    rules = rules_of(
        note("text", 'zone: {name: "5"}'),
        note("truth", 'zone: {name: "true"}'),
        note("number", "zone: {free_pages: 5}"),
    )
    assert fired(rules, [zone("5", 5), zone("true", 5), zone("5", 1)], backend) == [
        "text",
        "text",
        "truth",
        "number",
        "number",
    ]


def test_no_29_equal_facts_are_two_facts(backend: Backend) -> None:
    assert fired(rules_of(note("r", "task: {name: java}")), [TaskFact(name="java")] * 3, backend) == ["r"] * 3


def test_no_31_a_fact_that_fits_two_branches_fires_once(backend: Backend) -> None:
    rules = rules_of(
        note("r", "any: [zone: {name: DMA}, zone: {free_pages: 97}]"),
        note("s", "zone: {name: {one_of: [DMA, DMA, Normal]}}"),
    )
    assert fired(rules, [zone()], backend) == ["r", "s"]


def test_no_32_a_fact_taken_for_another_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    durable = importlib.import_module("durable_rules_engine")

    class Forgetful:
        """The extension, which takes every fact for one that it has seen, until the third try."""

        def __getattr__(self, name: str) -> object:
            return getattr(durable, name)

        def assert_fact(self, handle: int, fact: str) -> tuple[int, int]:
            told.append(fact)
            if '"fid": 0' in fact and '"salt": 1' not in fact:
                return 2, 0
            return durable.assert_fact(handle, fact)  # type: ignore[no-any-return]

    monkeypatch.setattr(engine_module, "_durable", Forgetful())
    assert fired(rules_of(note("r", "zone: {}")), [zone()]) == ["r"]
    assert sum('"fid": 0' in fact for fact in told) == 3


def test_no_34_nothing_holds_for_a_missing_value(backend: Backend) -> None:
    conditions = ["5", "{ne: 5}", "{lt: 5}", "{ge: -5}", "{one_of: [1, 5]}"]
    rules = rules_of(*(note(f"r{n}", f"zone: {{fill_permille: {text}}}") for n, text in enumerate(conditions)))
    assert fired(rules, [zone()], backend) == []
    assert fired(rules, [zone(fill_permille=1)], backend) == ["r1", "r2", "r3", "r4"]


@pytest.mark.parametrize(
    "text",
    [
        "ä",
        "日本",
        "😀",
        'q"uote',
        "back\\slash",
        "{}",
        "$m",
        "a b",
        " a",
        "it's",
        "tab\t",
        "%s",
        "\ufffd",
        "null",
        "\u2028",
        "x" * 1024,
        "😀" * 1024,
    ],
)
def test_any_text_equals_itself_and_nothing_else(text: str, backend: Backend) -> None:
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t").replace("\u2028", "\\L") + '"'
    rules = rules_of(note("same", f"zone: {{name: {quoted}}}"), note("other", f"zone: {{name: {{ne: {quoted}}}}}"))
    assert fired(rules, [zone(text)], backend) == ["same"]
    assert fired(rules, [zone(text[:-1])], backend) == ["other"]


def test_same_fact_comparisons_of_every_type(backend: Backend) -> None:
    rules = rules_of(
        note("eq", "zone: {free_pages: {field: min_pages}}"),
        note("ne", "zone: {free_pages: {ne: {field: min_pages}}}"),
        note("le", "zone: {free_pages: {le: {field: min_pages}}}"),
        note("text", "zone: {name: {field: label}}"),
        note("other", "zone: {name: {ne: {field: label}}}"),
    )
    assert fired(rules, [zone("a", 5, min_pages=5, label="a")], backend) == ["eq", "le", "text"]
    assert fired(rules, [zone("a", 5, min_pages=6, label="b")], backend) == ["ne", "le", "other"]


# limits, backends, threads


def test_a_rule_that_fits_too_many_combinations_is_left_out_with_a_warning(backend: Backend) -> None:
    rules = rules_of(note("big", *(f"{{zone: {{}}, as: z{n}}}" for n in range(8))), note("small", "zone: {name: z1}"))
    result = Engine(rules, KINDS, backend=backend).infer([zone(f"z{n}") for n in range(60)])
    assert [firing.rule_id for firing in result.firings] == ["small"]
    assert result.warnings == ("rule big fits too many combinations of facts and was left out",)


def test_combinations_that_cannot_come_about_do_not_count(backend: Backend) -> None:
    rules = rules_of(note("r", *(f"{{zone: {{name: z{n}}}, as: z{n}}}" for n in range(8))))
    assert fired(rules, [zone(f"z{n}") for n in range(60)], backend) == ["r"]


def test_combinations_of_derived_facts_count_too(backend: Backend) -> None:
    made = "    derive: {fact: {pressure: {zone: zone.name, level: 1}}}\n"
    rules = rules_of(
        note("a", "zone: {}", more=made),
        note("big", *(f"{{pressure: {{}}, as: p{n}}}" for n in range(4))),
        note("b", "pressure: {zone: z1}"),
    )
    result = Engine(rules, KINDS, backend=backend).infer([zone(f"z{n}") for n in range(30)])
    assert {firing.rule_id for firing in result.firings} == {"a", "b"}
    assert len(result.warnings) == 1


def test_too_many_derived_facts_end_the_deriving(backend: Backend) -> None:
    made = "    derive: {fact: {pressure: {zone: slab.name, level: slab.pages}}}\n"
    rules = rules_of(note("a", "slab: {}", more=made), note("b", "pressure: {}"))
    result = Engine(rules, KINDS, backend=backend).infer([SlabFact(name="s", pages=n) for n in range(2001)])
    assert result.warnings == ("rules derive more than 2000 facts; the rest is left out",)
    assert len(result.firings) == 2001


def test_threads_may_share_an_engine() -> None:
    engine = Engine(rules_of(note("r", "zone: {}"), note("s", "not: {zone: {name: a}}")), KINDS, backend="durable")
    wrong: list[object] = []

    def work(name: str) -> None:
        facts: list[Fact] = [zone(name)] * 3
        expected = ["r"] * 3 + ([] if name == "a" else ["s"])
        wrong.extend(got for _ in range(100) if (got := [one.rule_id for one in engine.run(facts)]) != expected)

    threads = [threading.Thread(target=work, args=("ab"[n % 2],)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_default_backend_is_named() -> None:
    assert engine_name() == "durable-rules 2.0.28"
    assert default_warnings() == ()
    engine = Engine([], KINDS)
    assert (engine.backend, engine.warnings) == ("durable", ())
    assert engine.run([zone()]) == []


def test_without_the_extension_the_matcher_serves_and_says_how_to_mend_it() -> None:
    run_apart("""
import sys
sys.modules["durable_rules_engine"] = None
from oomadvisor.rulebook.engine import *
from tests.rulebook.books import note, rules_of
from tests.rulebook.toy import KINDS, ZoneFact
engine = Engine(rules_of(note("r", "zone: {}")), KINDS)
assert engine.backend == "matcher"
assert len(engine.warnings) == 1
assert 'CPPFLAGS="-DPyEval_CallObject=PyObject_CallObject" pip install --no-cache-dir --force-reinstall durable-rules' in engine.warnings[0]
assert "\\n" not in engine.warnings[0]
assert engine_name().startswith("plain matcher, because durable-rules does not load")
assert [one.rule_id for one in engine.run([ZoneFact(name="a", free_pages=1)])] == ["r"]
try:
    Engine([], KINDS, backend="durable")
except EngineUnavailableError as error:
    assert REMEDY in str(error)
else:
    raise SystemExit("no error")
""")
    assert "PyEval_CallObject" in REMEDY
    assert issubclass(EngineUnavailableError, RuntimeError)
