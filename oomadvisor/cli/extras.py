"""Commands that need packages beyond the plain installation ask for them, and say how to get them."""

import sys
from importlib.util import find_spec

import typer

PAGE = ("jinja2", "vl_convert")
SERVE = (*PAGE, "starlette", "uvicorn", "python_multipart")
PLOT = ("vl_convert",)
FLEET = ("dask", "distributed", "fsspec", "pyarrow", "zstandard")
FLEET_ASK = ("duckdb", "pyarrow")


def need(modules: tuple[str, ...], what: str, extra: str = "page") -> None:
    """Return when all ``modules`` are installed; else it is wrong usage (exit 2), with the command that cures it."""
    missing = [name for name in modules if not _installed(name)]
    if missing:
        raise typer.BadParameter(
            f"it needs packages that are not installed here ({', '.join(missing)}). To get them: "
            f"pip install 'oomadvisor[{extra}]' (in a checkout: pip install -e '.[{extra}]').",
            param_hint=what,
        )


def _installed(module: str) -> bool:
    if module in sys.modules:
        return sys.modules[module] is not None
    return find_spec(module) is not None
