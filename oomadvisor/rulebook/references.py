"""Whether what a rule names outside the facts exists: tunables, operations, measurements, sources; and its proofs."""

import re
from collections.abc import Callable

from oomadvisor.rulebook.blocks import Path, RuleProblems
from oomadvisor.rulebook.change import Change, OperationChange, SysctlChange
from oomadvisor.rulebook.errors import Severity, did_you_mean, shown
from oomadvisor.rulebook.kernel_range import SERIES, KernelRange, version_text
from oomadvisor.rulebook.rule import Rule
from oomadvisor.rulebook.vocabulary import Tunable, Vocabulary

MEASURED_SERIES = (2, 6, 31)  # whose accepted values are known
_RANGE = re.compile(r"(-?\d+)(?:\.\.(-?\d+)| and more)\b")


def check_references(rule: Rule, vocabulary: Vocabulary, told: RuleProblems) -> None:
    """Tell about changes and measurements that do not exist where the rule applies."""
    block = "fix" if rule.fix is not None else "refute"
    key = "changes" if rule.fix is not None else "replay"
    changes = rule.fix.changes if rule.fix is not None else rule.refute.replay if rule.refute is not None else ()
    for index, change in enumerate(changes):
        _check_change(rule, change, (block, key, index), vocabulary, told)
    measured = rule.fix.measured if rule.fix is not None else rule.refute.measured if rule.refute is not None else ()
    for index, name in enumerate(measured if vocabulary.measured is not None else ()):
        if name not in (vocabulary.measured or ()):
            hint = did_you_mean(name, vocabulary.measured or ())
            told.at(
                (block, "measured", index), "unknown-measurement", f"nothing measured is called {shown(name)}", hint
            )


def check_proofs(rule: Rule, severity: Severity, vocabulary: Vocabulary, told: RuleProblems) -> None:
    """Demand sources, and a test of each sort. With ``error`` each source has to be one that is known by id."""
    tell = told.at if severity == "error" else told.warn_at
    if not rule.sources:
        hint = "say where it is known from: sources: [mm/vmscan.c shrink_slab 2.6.31]"
        tell(("id",), "no-sources", f"{rule.id} cites no source", hint)
    known = vocabulary.sources
    for index, name in enumerate(rule.sources if severity == "error" and known is not None else ()):
        if name not in (known or ()):
            hint = did_you_mean(name, known or ()) or "add it to knowledge/sources.yaml"
            told.at(("sources", index), "unknown-source", f"no source is called {shown(name)}", hint)
    missing = [word for word, fires in (("fires", True), ("does not fire", False)) if not _tested(rule, fires)]
    if missing:
        hint = "add one to tests:; oomadvisor facts REPORT prints facts to paste"
        tell(
            ("tests",) if rule.tests else ("id",),
            "no-test",
            f"no test in which {rule.id} {' or one in which it '.join(missing)}",
            hint,
        )


def _tested(rule: Rule, fires: bool) -> bool:
    return any(case.fires is fires for case in rule.tests)


def _check_change(rule: Rule, change: Change, path: Path, vocabulary: Vocabulary, told: RuleProblems) -> None:
    if isinstance(change, OperationChange) and vocabulary.operations is not None:
        if change.operation not in vocabulary.operations:
            hint = did_you_mean(change.operation, vocabulary.operations)
            told.at(
                (*path, "operation"), "unknown-operation", f"no operation is called {shown(change.operation)}", hint
            )
    elif isinstance(change, SysctlChange) and vocabulary.tunables is not None:
        applies = rule.applies.kernel
        tunable = vocabulary.tunables.get(change.sysctl)
        if tunable is not None:
            _check_tunable(rule, change, tunable, path, told)
            if vocabulary.accepted is not None and (applies is None or applies.contains(MEASURED_SERIES)):
                _check_value(change, vocabulary.accepted, path, told)
        elif change.sysctl.partition(".")[0] in {name.partition(".")[0] for name in vocabulary.tunables}:
            hint = did_you_mean(change.sysctl, sorted(vocabulary.tunables))
            told.at((*path, "sysctl"), "unknown-tunable", f"no kernel has {shown(change.sysctl)}", hint)


def _check_tunable(rule: Rule, change: SysctlChange, tunable: Tunable, path: Path, told: RuleProblems) -> None:
    if tunable.vendor_only:
        text = f"{change.sysctl} is in no mainline kernel, only in vendors' trees"
        told.warn_at((*path, "sysctl"), "vendor-tunable", text, "say in applies: and explain: whose kernel it is")
        return
    applies = rule.applies.kernel
    lacking = [v for v in SERIES if (applies is None or applies.contains(v)) and not tunable.exists_in(v)]
    if lacking:
        lived = f"{change.sysctl} {_lifetime(tunable)}"
        everywhere = applies is not None and not any(applies.contains(v) and tunable.exists_in(v) for v in SERIES)
        where = "none of the kernels that the rule applies to has it" if everywhere else (
            f"the rule applies to {version_text(lacking[0])} too, which does not have it"
        )  # fmt: skip
        hint = "" if everywhere else f'write applies: {{kernel: "{_narrowed(applies, tunable)}"}}'
        tell = told.at if applies is not None else told.warn_at
        tell((*path, "sysctl"), "no-such-tunable", f"{lived}; {where}", hint)


def _check_value(change: SysctlChange, accepted: Callable[[str], str | None], path: Path, told: RuleProblems) -> None:
    """Tell about a literal value that the kernel would refuse."""
    if not isinstance(change.to, int):
        return
    takes = accepted(change.sysctl)
    bounds = _RANGE.match(takes or "")
    if bounds is None:
        return
    if change.to < int(bounds[1]) or (bounds[2] is not None and change.to > int(bounds[2])):
        text = f"{version_text(MEASURED_SERIES)} takes {takes} for {change.sysctl}, not {change.to}"
        told.at((*path, "to"), "out-of-range", text)


def _lifetime(tunable: Tunable) -> str:
    since = f"came with {version_text(tunable.since)}" if tunable.since > SERIES[0] else ""
    until = f"was last in {version_text(tunable.until)}" if tunable.until < SERIES[-1] else ""
    return " and ".join(part for part in (since, until) if part) or "exists in some kernels"


def _narrowed(applies: KernelRange | None, tunable: Tunable) -> str:
    """Return the bounds that a rule needs so that the tunable exists wherever it applies."""
    bounds = [f">={version_text(tunable.since)}"] if tunable.since > SERIES[0] else []
    bounds += [f"<={version_text(tunable.until)}"] if tunable.until < SERIES[-1] else []
    have = applies.split(",") if applies is not None else []
    kept = [part.strip() for part in have if part.strip()[:1] not in {bound[:1] for bound in bounds}]
    return ",".join([*bounds, *kept])
