"""The way of the data runs one way: no room imports a room to its right (CONTRIBUTING.md, layout)."""

import ast
from pathlib import Path

import pytest

import oomadvisor

PACKAGE = Path(oomadvisor.__file__).parent

# Left to right. A module may import its own room and those before it.
ROOMS = (
    ("__init__",),
    ("model",),
    ("kernel",),
    ("resources", "knowledge"),
    ("handlers",),
    ("parse",),
    ("infer",),
    ("simulate",),
    ("rulebook",),
    ("longrun",),
    ("facts",),
    ("packs",),
    ("book_cache",),
    ("book", "evidence", "summary"),
    ("verify",),
    ("rank", "trial"),
    ("advise",),
    ("plan",),
    ("comparison", "authoring"),
    ("fleet",),
    ("present", "export", "collect"),
    ("web",),
    ("cli",),
    ("__main__",),
)
RANK = {room: position for position, group in enumerate(ROOMS) for room in group}

MODULES = sorted(p for p in PACKAGE.rglob("*.py") if "_data" not in p.parts)


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Return the rooms that a module imports when it runs (imports for type checking alone do not count)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "oomadvisor":
            parts = node.module.split(".")
            found |= {parts[1]} if len(parts) > 1 else {a.name for a in node.names if a.name in RANK}
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("oomadvisor.")}
    return found


def test_every_room_has_its_place() -> None:
    assert {room_of(path) for path in MODULES} <= set(RANK)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_room_imports_one_to_its_right(path: Path) -> None:
    own = room_of(path)
    wrong = {room for room in imports(path) if RANK[room] > RANK[own]}
    assert not wrong, f"{own} imports {sorted(wrong)}"


def test_the_kernel_is_pure() -> None:
    for path in (PACKAGE / "kernel").glob("*.py"):
        names = {
            name.name.split(".")[0]
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import)
            for name in node.names
        }
        assert not names & {"os", "sys", "time", "datetime", "pathlib", "io", "socket", "random"}, path
