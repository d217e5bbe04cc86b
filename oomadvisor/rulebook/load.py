"""Rule files to a checked rule book: every error of all files at once, each at its line and column."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from oomadvisor.rulebook.book import Pack, RuleBook
from oomadvisor.rulebook.check import check_rule
from oomadvisor.rulebook.crosscheck import CheckedRule, check_together
from oomadvisor.rulebook.errors import Mark, Problem, Problems, RuleBookError, Source, Spot, did_you_mean, shown
from oomadvisor.rulebook.kinds import Fact, Kinds, fields_of
from oomadvisor.rulebook.shape import FileHead, read_shape
from oomadvisor.rulebook.yaml_nodes import Listing, Node, Scalar, Table, read_yaml

RULES_MAX = 2000


class Written(NamedTuple):
    """A rule as it stands in a file, and in which pack."""

    pack: str
    table: Table


def load_book(
    files: Sequence[tuple[str, str | bytes]], kinds: Kinds, *, scopes: Mapping[str, type[Fact]] | None = None
) -> tuple[RuleBook, list[Problem]]:
    """Return the rules of ``files`` (name, content) and what is wrong with them; see :func:`load_packs`."""
    return load_packs([Pack("", files)], kinds, scopes=scopes)


def load_packs(
    packs: Sequence[Pack], kinds: Kinds, *, scopes: Mapping[str, type[Fact]] | None = None
) -> tuple[RuleBook, list[Problem]]:
    """Return the rules of ``packs``, later ones taking precedence, and the problems by place.

    A rule that cannot be checked is left out of the book, so that a book can be shown in spite of errors; to *use* it,
    demand that no problem is an error (:func:`require`). ``scopes`` are further names that templates of fixes and
    refutations may use, with their fields. Raises ``KindError`` when a scope has fields that cannot be declared.
    """
    problems = Problems()
    names = {name: fields_of(cls) for name, cls in (scopes or {}).items()}
    written: dict[str, Written] = {}
    for pack in packs:
        for file, content in pack.files:
            for table in _rules_of(file, content, problems):
                _add(pack.name, table, written, problems)
    checked: list[CheckedRule] = []
    for rule_id, (pack_name, table) in written.items():
        found = check_rule(table, kinds, names, problems)
        if found is not None and found.rule.id == rule_id:
            checked.append(replace(found, rule=replace(found.rule, pack=pack_name)))
    checked = check_together(checked, kinds, problems)
    places = {file: number for number, file in enumerate(name for pack in packs for name, _ in pack.files)}
    ordered = sorted(problems.found, key=lambda one: (places.get(one.path, 0), one.line, one.column))
    return RuleBook(tuple(one.rule for one in checked)), ordered


def require(loaded: tuple[RuleBook, list[Problem]]) -> RuleBook:
    """Return the book of ``loaded``. Raises :class:`RuleBookError` when one of its problems is an error."""
    book, problems = loaded
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise RuleBookError(errors)
    return book


def _rules_of(file: str, content: str | bytes, problems: Problems) -> list[Table]:
    before = problems.errors
    root = read_yaml(file, content, problems)
    if root is None:
        if problems.errors == before:
            problems.error(Source(file), Spot(0, 0), "empty-file", "the file is empty", "start it with schema: 1")
        return []
    if not isinstance(root, Table):
        problems.error(root.source, root.mark, "wrong-type", "a rule file is a mapping", "start it with schema: 1")
        return []
    head = {name: node for name, node in root.entries.items() if name != "rules"}
    read_shape(FileHead, Table(head, root.keys, root.mark, root.source), problems)
    rules = root.entries.get("rules")
    if not isinstance(rules, Listing):
        if rules is not None:
            problems.error(rules.source, rules.mark, "wrong-type", "rules takes a list", "write - id: …")
        return []
    if len(rules.items) > RULES_MAX:
        text = f"{len(rules.items)} rules in one file; {RULES_MAX} are possible"
        problems.error(rules.source, rules.items[RULES_MAX].mark, "too-many-rules", text, "split the file by theme")
    tables: list[Table] = []
    for item in rules.items[:RULES_MAX]:
        if isinstance(item, Table):
            tables.append(item)
        else:
            problems.error(item.source, item.mark, "wrong-type", "a rule is a mapping", "write - id: …")
    return tables


def _add(pack: str, table: Table, written: dict[str, Written], problems: Problems) -> None:
    node = table.entries.get("id")
    rule_id = node.value if isinstance(node, Scalar) else None
    if node is None or not isinstance(rule_id, str):
        # Only to have the missing or odd id told with everything else that is wrong with the rule.
        written[f"\0{len(written)}"] = Written(pack, table)
        return
    override = table.entries.get("override")
    overrides = isinstance(override, Scalar) and override.value is True
    earlier = written.get(rule_id)
    if earlier is None and overrides:
        hint = did_you_mean(rule_id, (known for known in written if known[0] != "\0"))
        problems.error(
            node.source, node.mark, "nothing-to-override", f"no earlier rule is called {shown(rule_id)}", hint
        )
    elif earlier is None:
        written[rule_id] = Written(pack, table)
    elif overrides:
        written[rule_id] = Written(pack, _merged(earlier.table, table))
    else:
        there = earlier.table.entries["id"]
        text = f"the id {shown(rule_id)} is taken: {there.source.name}:{there.mark.line + 1}"
        problems.error(node.source, node.mark, "duplicate-id", text, "choose another, or say override: true")


def _merged(base: Table, over: Table) -> Table:
    """Return ``base`` with the fields that ``over`` gives. ``params`` are replaced one by one, all else as a whole."""
    entries: dict[str, Node] = dict(base.entries)
    keys: dict[str, Mark] = dict(base.keys)
    for name, node in over.entries.items():
        if name in ("id", "override"):
            continue
        old = entries.get(name)
        if name == "params" and isinstance(old, Table) and isinstance(node, Table):
            node = Table({**old.entries, **node.entries}, {**old.keys, **node.keys}, node.mark, node.source)
        entries[name] = node
        keys[name] = over.keys[name]
    return Table(entries, keys, base.mark, base.source)
