"""The YAML files of ``knowledge/``, each read once. tests/knowledge checks their shape."""

from functools import cache
from typing import Any

import yaml

from oomadvisor.resources import resource_dir


@cache
def read(name: str) -> Any:
    """Return the content of ``knowledge/<name>.yaml``."""
    text = (resource_dir("knowledge") / f"{name}.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@cache
def sources() -> dict[str, str]:
    """Return the citations that rules and entries name by id."""
    found: dict[str, str] = read("sources")["sources"]
    return found
