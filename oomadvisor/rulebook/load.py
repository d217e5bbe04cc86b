"""Rule files to a checked rule book: every error of all files at once, each at its line and column."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from oomadvisor.rulebook.book import Pack, RuleBook
from oomadvisor.rulebook.check import check_rule
from oomadvisor.rulebook.crosscheck import CheckedRule, Lost, check_together
from oomadvisor.rulebook.errors import (
    Mark,
    Problem,
    Problems,
    RuleBookError,
    Severity,
    Source,
    Spot,
    did_you_mean,
    shown,
)
from oomadvisor.rulebook.kinds import Fact, Kinds, fields_of
from oomadvisor.rulebook.settings import Settings
from oomadvisor.rulebook.shape import FileHead, read_shape
from oomadvisor.rulebook.vocabulary import Vocabulary
from oomadvisor.rulebook.yaml_nodes import Listing, Node, Scalar, Table, is_bad, read_yaml

RULES_MAX = 2000


class Written(NamedTuple):
    """A rule as it stands in a file, in which pack, and by what it was changed since (pack, ``file:line``)."""

    pack: Pack
    table: Table
    changed_by: tuple[tuple[str, str], ...] = ()

    @property
    def proofs(self) -> Severity | None:
        """What a missing source or test is. A user's override is never held to the standard of the pack below it."""
        return "warning" if self.changed_by and self.pack.proofs == "error" else self.pack.proofs


def load_book(
    files: Sequence[tuple[str, str | bytes]],
    kinds: Kinds,
    *,
    scopes: Mapping[str, type[Fact]] | None = None,
    vocabulary: Vocabulary = Vocabulary(),  # noqa: B008 - frozen
) -> tuple[RuleBook, list[Problem]]:
    """Return the rules of ``files`` (name, content) and what is wrong with them; see :func:`load_packs`."""
    return load_packs([Pack("", files)], kinds, scopes=scopes, vocabulary=vocabulary)


def load_packs(
    packs: Sequence[Pack],
    kinds: Kinds,
    *,
    scopes: Mapping[str, type[Fact]] | None = None,
    vocabulary: Vocabulary = Vocabulary(),  # noqa: B008 - frozen
    settings: Settings | None = None,
) -> tuple[RuleBook, list[Problem]]:
    """Return the rules of ``packs``, later ones taking precedence, and the problems by place.

    A rule that cannot be checked is left out of the book, so that a book can be shown in spite of errors; to *use* it,
    demand that no problem is an error (:func:`require`). ``scopes`` are further names that templates of fixes and
    refutations may use, with their fields; ``vocabulary`` is what rules may name besides. ``settings``: what a user's
    configuration changes, over all packs. Raises ``KindError`` when a scope has fields that cannot be declared.
    """
    problems = Problems()
    if settings is not None:
        problems.found.extend(settings.problems)
        problems.errors += len(settings.problems)
    names = {name: fields_of(cls) for name, cls in (scopes or {}).items()}
    written: dict[str, Written] = {}
    lost = Lost()
    for pack in packs:
        for file, content in pack.files:
            tables = _rules_of(file, content, problems)
            if tables is None:
                lost.everything = True
            for table in tables or ():
                _add(pack, table, written, problems, lost)
    for table in settings.tables if settings is not None else ():
        _add(Pack(table.source.name, ()), table, written, problems, lost)
    checked: list[CheckedRule] = []
    for rule_id, one in written.items():
        found = check_rule(one.table, kinds, names, problems, vocabulary, one.proofs)
        if found is not None and found.rule.id == rule_id:
            rule = replace(found.rule, pack=one.pack.name, changed_by=one.changed_by)
            checked.append(replace(found, rule=rule))
        else:
            lost.add(one.table)
    checked = check_together(checked, kinds, problems, lost)
    places = {file: number for number, file in enumerate(name for pack in packs for name, _ in pack.files)}
    ordered = sorted(problems.found, key=lambda one: (places.get(one.path, len(places)), one.line, one.column))
    return RuleBook(tuple(one.rule for one in checked)), ordered


def require(loaded: tuple[RuleBook, list[Problem]]) -> RuleBook:
    """Return the book of ``loaded``. Raises :class:`RuleBookError` when one of its problems is an error."""
    book, problems = loaded
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise RuleBookError(errors)
    return book


def _rules_of(file: str, content: str | bytes, problems: Problems) -> list[Table] | None:
    """Return the rules of a file, or None when it is not known which rules it would have."""
    before = problems.errors
    root = read_yaml(file, content, problems)
    if root is None:
        if problems.errors == before:
            problems.error(Source(file), Spot(0, 0), "empty-file", "the file is empty", "start it with schema: 1")
        return None
    if not isinstance(root, Table):
        problems.error(root.source, root.mark, "wrong-type", "a rule file is a mapping", "start it with schema: 1")
        return None
    head = {name: node for name, node in root.entries.items() if name != "rules"}
    read_shape(FileHead, Table(head, root.keys, root.mark, root.source), problems)
    rules = root.entries.get("rules")
    if not isinstance(rules, Listing):
        if rules is not None and not is_bad(rules):
            problems.error(rules.source, rules.mark, "wrong-type", "rules takes a list", "write - id: …")
        return None
    if len(rules.items) > RULES_MAX:
        text = f"{len(rules.items)} rules in one file; {RULES_MAX} are possible"
        problems.error(rules.source, rules.items[RULES_MAX].mark, "too-many-rules", text, "split the file by theme")
        return None
    tables: list[Table] = []
    for item in rules.items:
        if isinstance(item, Table):
            tables.append(item)
        elif not is_bad(item):
            problems.error(item.source, item.mark, "wrong-type", "a rule is a mapping", "write - id: …")
    return tables


def _add(pack: Pack, table: Table, written: dict[str, Written], problems: Problems, lost: Lost) -> None:
    node = table.entries.get("id")
    rule_id = node.value if isinstance(node, Scalar) else None
    if node is None or not isinstance(rule_id, str):
        # Only to have the missing or odd id told with everything else that is wrong with the rule.
        written[f"\0{len(written)}"] = Written(pack, table)
        return
    override = table.entries.get("override")
    overrides = isinstance(override, Scalar) and override.value is True
    if isinstance(override, Scalar) and isinstance(override.value, str):
        text = f"override takes true or false, not the text {shown(override.value)}"
        problems.error(override.source, override.mark, "wrong-type", text)
        overrides = True
    earlier = written.get(rule_id)
    if earlier is None and overrides:
        if not lost.everything:
            hint = did_you_mean(rule_id, (known for known in written if known[0] != "\0"))
            text = f"no earlier rule is called {shown(rule_id)}"
            problems.error(node.source, node.mark, "nothing-to-override", text, hint)
    elif earlier is None:
        written[rule_id] = Written(pack, table)
    elif overrides:
        place = (pack.name, f"{node.source.name}:{table.mark.line + 1}")
        merged = _merged(earlier.table, table, problems)
        written[rule_id] = Written(earlier.pack, merged, (*earlier.changed_by, place))
    else:
        there = earlier.table.entries["id"]
        text = f"the id {shown(rule_id)} is taken: {there.source.name}:{there.mark.line + 1}"
        problems.error(node.source, node.mark, "duplicate-id", text, "choose another, or say override: true")


def _merged(base: Table, over: Table, problems: Problems) -> Table:
    """Return ``base`` with the fields that ``over`` gives. ``params`` are replaced one by one, all else as a whole."""
    entries: dict[str, Node] = dict(base.entries)
    keys: dict[str, Mark] = dict(base.keys)
    for name, node in over.entries.items():
        if name in ("id", "override"):
            continue
        old = entries.get(name)
        if name == "params" and isinstance(node, Table):
            node = _merged_params(old if isinstance(old, Table) else None, node, over, problems)
        entries[name] = node
        keys[name] = over.keys[name]
    return Table(entries, keys, base.mark, base.source)


def _merged_params(old: Table | None, new: Table, over: Table, problems: Problems) -> Table:
    known = old.entries if old is not None else {}
    # An override that brings conditions or texts of its own may bring parameters for them.
    if over.entries.keys() <= {"id", "override", "params", "enabled", "title", "tests"}:
        for name in [name for name in new.entries if name not in known]:
            hint = did_you_mean(name, known) or "the rule has none"
            problems.error(
                new.source, new.keys[name], "unknown-param", f"the rule has no parameter {shown(name)}", hint
            )
        new = Table({n: v for n, v in new.entries.items() if n in known}, new.keys, new.mark, new.source)
    keys = {**(old.keys if old is not None else {}), **new.keys}
    return Table({**known, **new.entries}, keys, new.mark, new.source)
