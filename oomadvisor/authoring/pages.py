"""One Markdown page for each rule, and an index."""

from collections.abc import Iterable, Mapping
from textwrap import wrap

from oomadvisor.authoring.rule_words import applies_in_words, sections, state_in_words
from oomadvisor.rulebook.rule import Rule

MARK = "<!-- written by: oomadvisor rules docs -->"
INDEX = "README.md"


def pages(rules: Iterable[Rule], citations: Mapping[str, str]) -> dict[str, str]:
    """Return the text of every page by file name."""
    listed = list(rules)
    return {INDEX: _index(listed), **{f"{rule.id}.md": page(rule, citations) for rule in listed}}


def page(rule: Rule, citations: Mapping[str, str]) -> str:
    """Return the page of one rule."""
    lines = [
        f"# {rule.id}",
        MARK,
        "",
        _escaped(rule.title),
        "",
        f"{rule.kind} · {_escaped(applies_in_words(rule))} · {_home(rule)}",
    ]
    for section in sections(rule, citations):
        lines += ["", f"## {section.heading}", ""]
        start = "* " if section.bullets else ""
        lines += [f"{start}{_code(line) if section.code else _escaped(line)}" for line in section.lines]
    return "\n".join(lines) + "\n"


def show(rule: Rule, citations: Mapping[str, str], width: int) -> str:
    """Return the same for a terminal of ``width`` columns."""
    state = state_in_words(rule)
    lines = [
        rule.id,
        f"  {rule.title}",
        f"  {rule.kind}; applies to {applies_in_words(rule)}; {rule.pack}, {rule.place}",
    ]
    lines += [f"  {state}"] if state else []
    for section in sections(rule, citations):
        lines += ["", section.heading.upper()]
        for line in section.lines:
            lines += wrap(
                line, max(width, 40), initial_indent="  ", subsequent_indent="    " if section.bullets else "  "
            )
    return "\n".join(lines) + "\n"


def _index(rules: list[Rule]) -> str:
    lines = ["# The rules", MARK, ""]
    for kind, heading in (("cause", "Causes"), ("fix", "Fixes"), ("refutation", "Judged advice"), ("note", "Notes")):
        of_kind = [rule for rule in rules if rule.kind == kind]
        if of_kind:
            lines += [f"## {heading}", "", "| rule | says | applies to |", "|---|---|---|"]
            lines += [
                f"| [{rule.id}]({rule.id}.md) | {_cell(rule.title)} | {_cell(applies_in_words(rule))} |"
                for rule in of_kind
            ]
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _home(rule: Rule) -> str:
    # Without the line: pages shall not change whenever a rule above is edited.
    return f"`{rule.place.rpartition(':')[0]}`"


def _escaped(text: str) -> str:
    return "".join(f"\\{char}" if char in "<*`[\\" else char for char in text)


def _code(text: str) -> str:
    fence = "`" if "`" not in text else "``"
    return f"{fence}{text}{fence}"


def _cell(text: str) -> str:
    return _escaped(text).replace("|", "\\|")
