"""A mix from a YAML file, with every error at its line and column; the built-in one from the knowledge files."""

from typing import Literal

from pydantic import Field

from oomadvisor.longrun.mix import Mix, Written
from oomadvisor.resources import resource_dir
from oomadvisor.rulebook.errors import Problems, RuleBookError, Source, Spot
from oomadvisor.rulebook.shape import read_shape
from oomadvisor.rulebook.yaml_nodes import Table, read_yaml

BUILT_IN = "mix.yaml"


class MixFile(Written):
    """A mix file: ``schema: 1`` and the mix."""

    schema_: Literal[1] = Field(alias="schema")
    mix: Mix


def read_mix(name: str, content: str | bytes) -> Mix:
    """Return the mix that the file ``name`` holds.

    Raises :class:`~oomadvisor.rulebook.errors.RuleBookError` with every problem at its place.
    """
    problems = Problems()
    root = read_yaml(name, content, problems)
    if root is None and not problems.errors:
        problems.error(Source(name), Spot(0, 0), "empty-file", "the file is empty", "start it with schema: 1")
    if root is not None and not isinstance(root, Table):
        problems.error(root.source, root.mark, "wrong-type", "a mix file is a mapping", "start it with schema: 1")
    read = read_shape(MixFile, root, problems) if isinstance(root, Table) else None
    if read is None or problems.errors:
        raise RuleBookError(problems.found)
    return read.mix


def default_mix() -> Mix:
    """Return the built-in mix, modelled on a measured load; its ``source`` says which."""
    return read_mix(BUILT_IN, (resource_dir("knowledge") / BUILT_IN).read_bytes())
