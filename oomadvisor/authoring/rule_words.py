"""A rule in words, section by section: for the terminal, for Markdown pages and as a JSON record."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from oomadvisor.rulebook.change import (
    FreeChange,
    LargestPassing,
    OperationChange,
    SysctlChange,
    TaskChange,
    Unsimulated,
)
from oomadvisor.rulebook.condition import AnyOf, Compare, Item, OneOf, Pattern, in_words
from oomadvisor.rulebook.kinds import Scalar
from oomadvisor.rulebook.rule import Rule


@dataclass(frozen=True)
class Section:
    """A heading with paragraphs, or with a list when ``bullets``. ``code``: the lines are to be read to the letter."""

    heading: str
    lines: tuple[str, ...]
    bullets: bool = True
    code: bool = False


def applies_in_words(rule: Rule) -> str:
    """Return where a rule applies: ``kernel <4.4 arm, without HIGHMEM``, or ``all``."""
    parts = [f"kernel {rule.applies.kernel}"] if rule.applies.kernel else []
    parts += [" or ".join(rule.applies.arch)] if rule.applies.arch else []
    parts += [f"{'with' if has else 'without'} {name.upper()}" for name, has in rule.applies.build.items()]
    return ", ".join(parts) or "all"


def state_in_words(rule: Rule) -> str:
    """Return by what a rule was changed or switched off, or nothing."""
    if not rule.changed_by:
        return "" if rule.enabled else "disabled"
    by = ", ".join(place for _, place in rule.changed_by)
    return f"changed by {by}" if rule.enabled else f"disabled by {by}"


def sections(rule: Rule, citations: Mapping[str, str]) -> Iterator[Section]:
    """Yield what there is to say about ``rule``; ``citations`` holds the sources that rules cite by id."""
    yield Section("When", tuple(map(_item, rule.when)), code=True)
    if rule.params:
        yield Section(
            "Parameters", tuple(f"{name} = {_value(value)}" for name, value in rule.params.items()), code=True
        )
    if rule.derives:
        made = (
            f"{one.kind}: " + ", ".join(f"{name} = {_derived(value)}" for name, value in one.values)
            for one in rule.derives
        )
        yield Section("Concludes", tuple(made), code=True)
    yield from _fix(rule)
    if rule.refute is not None:
        yield Section("Is about this advice", (_line(rule.refute.advice),), bullets=False)
        yield Section("Judges it", (rule.refute.judged,), bullets=False)
        if rule.refute.replay:
            yield Section("Replays", tuple(map(change_in_words, rule.refute.replay)))
    if rule.note is not None:
        yield Section("Tells", (rule.note.topic,), bullets=False)
    yield Section("Says", (_line(rule.explain),), bullets=False)
    if rule.sources:
        yield Section("Sources", tuple(citations.get(source, source) for source in rule.sources))
    if rule.tests:
        tests = (f"{'fires' if case.fires else 'does not fire'}: {_line(case.name)}" for case in rule.tests)
        yield Section("Tests", tuple(tests))


def _fix(rule: Rule) -> Iterator[Section]:
    fix = rule.fix
    if fix is None:
        return
    worth = f"repairs the {fix.repairs}" if fix.repairs != "containment" else "contains the damage"
    yield Section("Does", (f"{fix.kind} fix, {worth}; cost {fix.cost}, risk {fix.risk}",), bullets=False)
    for heading, lines in (
        ("Changes", tuple(map(change_in_words, fix.changes))),
        ("Commands", tuple(map(_line, fix.commands))),
    ):
        if lines:
            yield Section(heading, lines, code=heading == "Commands")
    for heading, text in (("Price", fix.price), ("Risk", fix.risk_text), ("Undo", fix.undo)):
        if text is not None:
            yield Section(heading, (_line(text),), bullets=False)
    if fix.conflicts_with:
        yield Section("Conflicts with", fix.conflicts_with)


def change_in_words(change: Any) -> str:
    """Return a change as a rule writes it, in words."""
    if isinstance(change, SysctlChange):
        to = change.to
        if isinstance(to, LargestPassing):
            cap = f", at most {to.at_most}" if to.at_most is not None else ""
            return (
                f"{change.sysctl} to the largest value at which the {to.operation} passes {to.largest_passing.upper()} "
                f"in {to.zones.replace('-', ' ')}{cap}"
            )
        return f"{change.sysctl} to {'its default' if to == 'default' else to}"
    if isinstance(change, FreeChange):
        return f"give back {change.free.mb} MB of {change.free.source}"
    if isinstance(change, OperationChange):
        return f"do it by {change.operation}"
    if isinstance(change, TaskChange):
        return f"let the task run {change.task}"
    assert isinstance(change, Unsimulated)
    return f"not simulated: {_line(change.unsimulated)}"


def record(rule: Rule) -> dict[str, Any]:
    """Return ``rule`` as JSON values: everything that its file and those that change it say."""
    found: dict[str, Any] = {
        **summary(rule),
        "status": rule.status,
        "tags": list(rule.tags),
        "when": [_item(item) for item in rule.when],
        "params": dict(rule.params),
        "explain": rule.explain,
        "sources": list(rule.sources),
        "tests": [case.model_dump(mode="json", exclude_none=True) for case in rule.tests],
    }
    for name in ("derive", "fix", "refute", "note"):
        block = getattr(rule, name)
        if block is not None:
            found[name] = block.model_dump(mode="json", exclude_none=True)
    return found


def summary(rule: Rule) -> dict[str, Any]:
    """Return what a list says about ``rule``."""
    return {
        "id": rule.id,
        "kind": rule.kind,
        "title": rule.title,
        "kernel": str(rule.applies.kernel) if rule.applies.kernel else None,
        "arch": list(rule.applies.arch),
        "build": dict(rule.applies.build),
        "enabled": rule.enabled,
        "pack": rule.pack,
        "place": rule.place,
        "changed_by": [{"pack": pack, "place": place} for pack, place in rule.changed_by],
    }


def _item(item: Item) -> str:
    if isinstance(item, AnyOf):
        return "any of: " + "; or ".join(_item(branch) for branch in item.branches)
    told = in_words(item) if isinstance(item, Pattern) else f"no {in_words(item)}"
    named = [test.param for test in item.tests if isinstance(test, Compare) and test.param]
    named += [name for test in item.tests if isinstance(test, OneOf) for name in test.params if name]
    called = f", called {item.alias}" if isinstance(item, Pattern) and item.alias != item.kind else ""
    return (
        told + called + (f" ({'parameter' if len(named) == 1 else 'parameters'} {', '.join(named)})" if named else "")
    )


def _derived(value: Any) -> str:
    return _value(value) if isinstance(value, int | str) else f"{value.alias}.{value.field}"


def _value(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _line(text: str) -> str:
    return " ".join(text.split())
