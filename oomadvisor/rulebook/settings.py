"""A user's configuration: where rules of their own lie, which rules are off, which thresholds differ.

::

    # ~/.config/oomadvisor/config.yaml
    schema: 1
    rules: [/srv/oom-rules]                 # further folders of rule files
    disable: [swappiness]                   # rules that shall not be used
    params:                                 # thresholds
      drop-caches: {file_pages: 512}
    without_packs: [jffs2]                  # installed packs that shall not be used
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from oomadvisor.rulebook.change import Written
from oomadvisor.rulebook.errors import Mark, Problem, Problems, Source, Spot
from oomadvisor.rulebook.rule import Line, Name, RuleId, Value
from oomadvisor.rulebook.shape import read_shape
from oomadvisor.rulebook.yaml_nodes import Listing, Node, Scalar, Table, read_yaml


class Config(Written):
    """The file as written."""

    schema_: Literal[1] = Field(alias="schema")
    rules: tuple[Line, ...] = Field(default=(), max_length=100)
    disable: tuple[RuleId, ...] = Field(default=(), max_length=1000)
    params: dict[RuleId, dict[Name, Value]] = Field(default_factory=dict, max_length=1000)
    without_packs: tuple[Line, ...] = Field(default=(), max_length=100)


@dataclass(frozen=True)
class Settings:
    """What a configuration says: ``folders`` of rules, packs to leave out, and overrides of rules as tables.

    ``problems``: what is wrong with it so far.
    """

    folders: tuple[str, ...] = ()
    without_packs: frozenset[str] = frozenset()
    tables: tuple[Table, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_settings(name: str, content: bytes) -> Settings:
    """Return what the configuration file ``name`` says, as far as it can be read."""
    problems = Problems()
    root = read_yaml(name, content, problems)
    if root is None:
        return Settings(problems=tuple(problems.found))
    if not isinstance(root, Table):
        problems.error(root.source, root.mark, "wrong-type", "a configuration is a mapping", "start it with schema: 1")
        return Settings(problems=tuple(problems.found))
    config = read_shape(Config, root, problems)
    if config is None:
        return Settings(problems=tuple(problems.found))
    return Settings(config.rules, frozenset(config.without_packs), tuple(_overrides(root)))


def _overrides(root: Table) -> Iterator[Table]:
    """Yield one override for each rule that the configuration names, with the places in the configuration."""
    disable = root.entries.get("disable")
    for node in disable.items if isinstance(disable, Listing) else ():
        off = Scalar(False, node.mark, node.source, node.mark)
        yield _override(node.source, node.mark, node, "enabled", off)
    params = root.entries.get("params")
    if isinstance(params, Table):
        for name, node in params.entries.items():
            mark = params.keys[name]
            yield _override(node.source, mark, Scalar(name, mark, node.source, mark), "params", node)


def _override(source: Source, mark: Mark, rule_id: Node, name: str, node: Node) -> Table:
    entries: dict[str, Node] = {"id": rule_id, "override": Scalar(True, mark, source, Spot(0, 0)), name: node}
    return Table(entries, dict.fromkeys(entries, mark), mark, source)
