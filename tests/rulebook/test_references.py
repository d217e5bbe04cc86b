"""Tunables, operations, measurements, sources: what a rule names has to exist where the rule applies."""

import pytest

from oomadvisor.knowledge import Knob
from oomadvisor.rulebook.book import Pack
from oomadvisor.rulebook.load import load_packs
from oomadvisor.rulebook.vocabulary import Vocabulary
from tests.rulebook.toy import KINDS


def knob(name: str, since: tuple[int, ...], until: tuple[int, ...], vendor: bool = False) -> Knob:
    return Knob(name, since, until, vendor, in_test=False)


KNOBS = {
    one.name: one
    for one in (
        knob("vm.always", (2, 6, 12), (6, 18)),
        knob("vm.late", (2, 6, 35), (6, 18)),
        knob("vm.early", (2, 6, 12), (3, 4)),
        knob("vm.vendor", (3, 18), (3, 18), vendor=True),
    )
}
ACCEPTED = {"vm.always": "0..100 (acts as 5 at least)", "vm.late": "1 and more", "vm.early": "any int"}
VOCABULARY = Vocabulary(
    tunables=KNOBS, accepted=ACCEPTED.get, operations={"vfork+exec"}, measured={"seen"}, sources={"known"}
)
RULE = """\
schema: 1
rules:
  - id: x
    title: t
    kind: fix
    applies: {APPLIES}
    when: [{request: {}}]
    explain: e
    sources: [SOURCE]
    fix: {kind: sysctl, repairs: cause, cost: none, risk: low, undo: u, measured: [MEASURED], changes: [CHANGE]}
    tests: [TESTS]
"""
TESTS = "{name: a, given: [], fires: false}, {name: b, given: [{request: {}}], fires: true}"


def problems_of(
    change: str = "{sysctl: vm.always, to: 1}",
    applies: str = "",
    measured: str = "seen",
    source: str = "known",
    tests: str = TESTS,
    proofs: str = "error",
) -> list[tuple[str, str, str]]:
    text = RULE.replace("APPLIES", applies).replace("CHANGE", change).replace("MEASURED", measured)
    text = text.replace("SOURCE", source).replace("TESTS", tests)
    pack = Pack("p", [("x.yaml", text)], proofs="error" if proofs == "error" else "warning")
    _, problems = load_packs([pack], KINDS, vocabulary=VOCABULARY)
    lines = text.splitlines()
    # What stands at the place that the problem points at.
    return [(p.severity, p.code, lines[p.line - 1][p.column - 1 :][:12]) for p in problems]


def test_what_exists_passes() -> None:
    assert problems_of() == []


@pytest.mark.parametrize(
    ("change", "applies", "severity", "code", "at"),
    [
        ("{sysctl: vm.alwais, to: 1}", "", "error", "unknown-tunable", "vm.alwais, t"),
        ("{sysctl: net.core.somaxconn, to: 1}", "", None, "", ""),
        ("{sysctl: vm.late, to: 1}", "", "warning", "no-such-tunable", "vm.late, to:"),
        ("{sysctl: vm.late, to: 1}", 'kernel: "<4.4"', "error", "no-such-tunable", "vm.late, to:"),
        ("{sysctl: vm.late, to: 1}", 'kernel: "<2.6.30"', "error", "no-such-tunable", "vm.late, to:"),
        ("{sysctl: vm.late, to: 1}", 'kernel: ">=2.6.35"', None, "", ""),
        ("{sysctl: vm.early, to: 1}", 'kernel: ">=3.0"', "error", "no-such-tunable", "vm.early, to"),
        ("{sysctl: vm.early, to: -5}", 'kernel: "<=3.4"', None, "", ""),
        ("{sysctl: vm.vendor, to: 1}", "", "warning", "vendor-tunable", "vm.vendor, t"),
        ("{sysctl: vm.always, to: 101}", "", "error", "out-of-range", "101}], tests"[:4] + "]}"),
        ("{sysctl: vm.always, to: -1}", "", "error", "out-of-range", "-1}]}"),
        ("{sysctl: vm.always, to: 100}", "", None, "", ""),
        ("{sysctl: vm.always, to: 200}", 'kernel: ">=5.8"', None, "", ""),  # not known of this kernel
        ("{operation: vfork+exec}", "", None, "", ""),
        ("{operation: vfork}", "", "error", "unknown-operation", "vfork}]}"),
    ],
)
def test_a_change(change: str, applies: str, severity: str | None, code: str, at: str) -> None:
    found = problems_of(change, applies)
    if severity is None:
        assert found == []
    else:
        assert [(one[0], one[1]) for one in found] == [(severity, code)]
        assert found[0][2].startswith(at[:4])


@pytest.mark.parametrize(
    ("applies", "hint"),
    [
        ('kernel: "<4.4"', '>=2.6.35,<4.4"'),
        ('kernel: ">=2.6.20,<4.4"', '>=2.6.35,<4.4"'),
        ('kernel: ">=2.6.20"', '>=2.6.35"'),
    ],
)
def test_the_hint_is_a_range_in_which_the_tunable_exists(applies: str, hint: str) -> None:
    text = RULE.replace("CHANGE", "{sysctl: vm.late, to: 1}").replace("APPLIES", applies).replace("TESTS", "")
    _, (problem,) = load_packs([Pack("p", [("x.yaml", text)])], KINDS, vocabulary=Vocabulary(tunables=KNOBS))
    assert problem.hint == f'write applies: {{kernel: "{hint}}}'
    mended = text.replace(applies, f'kernel: "{hint}')
    assert load_packs([Pack("p", [("x.yaml", mended)])], KINDS, vocabulary=Vocabulary(tunables=KNOBS))[1] == []


def test_measurements_and_sources() -> None:
    assert problems_of(measured="sean") == [("error", "unknown-measurement", "sean], chang")]
    assert problems_of(source="knwon") == [("error", "unknown-source", "knwon]")]
    # Only the built-in rules have to cite by id.
    assert problems_of(source="a book", proofs="warning") == []


@pytest.mark.parametrize("severity", ["error", "warning"])
def test_proofs(severity: str) -> None:
    negative, positive = TESTS.split(", {name: b", 1)[0], "{name: b" + TESTS.split(", {name: b", 1)[1]
    assert problems_of(source="", proofs=severity) == [(severity, "no-sources", "x")]
    assert problems_of(tests="", proofs=severity) == [(severity, "no-test", "x")]
    for one in (negative, positive):
        ((got, code, _),) = problems_of(tests=one, proofs=severity)
        assert (got, code) == (severity, "no-test")


def test_an_override_is_not_held_to_the_standard_of_the_pack_below() -> None:
    base = Pack("builtin", [("b.yaml", RULE.replace("TESTS", TESTS).replace("SOURCE", "known").replace("MEASURED", "seen").replace("CHANGE", "{sysctl: vm.always, to: 1}").replace("APPLIES", ""))], proofs="error")  # fmt: skip
    over = Pack(
        "o",
        [("o.yaml", "schema: 1\nrules:\n  - {id: x, override: true, tests: [], sources: [mine]}\n")],
        proofs="warning",
    )
    book, problems = load_packs([base, over], KINDS, vocabulary=VOCABULARY)
    assert [(p.severity, p.code) for p in problems] == [("warning", "no-test")]
    assert book["x"].changed_by == (("o", "o.yaml:3"),)
    assert book["x"].pack == "builtin"
