"""Where rules come from: built in, installed packs, the user's folders and configuration, in rising precedence.

::

    builtin  <  installed packs (entry points, by name)  <  ~/.config/oomadvisor/rules  <  OOMADVISOR_RULES  <  --rules

A configuration file, ``~/.config/oomadvisor/config.yaml``, has the last word. No code of a pack is ever run.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from oomadvisor.resources import resource_dir
from oomadvisor.rulebook.book import Pack
from oomadvisor.rulebook.errors import Problem, RuleBookError
from oomadvisor.rulebook.settings import Settings, read_settings

GROUP = "oomadvisor.rules"
RULES_VARIABLE = "OOMADVISOR_RULES"
BUILTIN = "builtin"

MAX_FILES = 1000
MAX_FILE_BYTES = 1 << 20
MAX_PACK_BYTES = 4 << 20


@dataclass(frozen=True)
class Origins:
    """Everything that rules are read from: packs in rising precedence, and what the configuration changes."""

    packs: tuple[Pack, ...]
    settings: Settings | None = None
    config: tuple[str, bytes] | None = field(default=None)


def builtin_pack() -> Pack:
    """Return the rules that come with oomadvisor."""
    folder = resource_dir("rules")
    return Pack(BUILTIN, _files(folder, shown_from=folder.parent), proofs="error")


def folder_pack(folder: str, *, why: str = "") -> Pack:
    """Return the rule files of ``folder`` (or the one file that it is); ``why`` says where the name came from.

    Raises RuleBookError when it cannot be read.
    """
    return Pack(folder, _files(Path(folder), why=why), proofs="warning")


def named_pack(folder: str) -> Pack:
    """Return the rule files of a folder that somebody named just now: they expect some in it.

    Raises RuleBookError when there is none, or when it cannot be read.
    """
    pack = folder_pack(folder)
    if not pack.files:
        text = "no rule files (*.yaml, *.yml) lie in this folder; folders inside it are not looked at"
        raise RuleBookError([_problem(folder, "no-rule-files", text)])
    return pack


def origins(rule_dirs: Sequence[str], environ: Mapping[str, str]) -> Origins:
    """Return all that the user's rules consist of. Raises RuleBookError when a place cannot be read."""
    home = config_home(environ)
    config = _config_file(home / "config.yaml") if home is not None else None
    settings = read_settings(*config) if config is not None else None
    packs = [builtin_pack()]
    packs += installed_packs(settings.without_packs if settings is not None else frozenset())
    if home is not None and (home / "rules").is_dir():
        packs.append(folder_pack(str(home / "rules")))
    for folder in settings.folders if settings is not None else ():
        packs.append(folder_pack(str(_beside(folder, home)), why="named in config.yaml"))
    for folder in environ.get(RULES_VARIABLE, "").split(os.pathsep):
        if folder:
            packs.append(folder_pack(folder, why=f"named in {RULES_VARIABLE}"))
    packs += [named_pack(folder) for folder in rule_dirs]
    return Origins(tuple(packs), settings, config)


def config_home(environ: Mapping[str, str]) -> Path | None:
    """Return the folder of the user's configuration, or None for a user without a home."""
    base = environ.get("XDG_CONFIG_HOME", "")
    if os.path.isabs(base):  # the specification says to ignore one that is not
        return Path(base) / "oomadvisor"
    home = environ.get("HOME", "")
    return Path(home) / ".config" / "oomadvisor" if os.path.isabs(home) else None


def installed_packs(without: frozenset[str] = frozenset()) -> list[Pack]:
    """Return the packs that installed distributions declare, by name.

    An entry point ``name = "package"`` or ``"package:folder"`` names the folder with the rule files. Raises
    RuleBookError for one that names no folder.
    """
    if not any(_declares_packs(folder) for folder in dict.fromkeys(sys.path)):
        return []  # nearly always: asking importlib.metadata takes six times as long
    from importlib.metadata import entry_points

    found = sorted((point.name, point.value) for point in entry_points(group=GROUP))
    return [
        Pack(name, _files(_package_folder(name, value), why=f"installed pack {name}"), proofs="warning")
        for name, value in dict.fromkeys(found)
        if name not in without
    ]


def _declares_packs(folder: str) -> bool:
    try:
        with os.scandir(folder or ".") as entries:
            return any(
                _names_group(entry.path) for entry in entries if entry.name.endswith((".dist-info", ".egg-info"))
            )
    except OSError:
        return False


def _names_group(distribution: str) -> bool:
    try:
        with open(os.path.join(distribution, "entry_points.txt"), "rb") as file:
            return f"[{GROUP}]".encode() in file.read(1 << 20)
    except OSError:
        return False


def _package_folder(name: str, value: str) -> Path:
    """Find the folder of an entry point without importing the package: rules are data."""
    from importlib.util import find_spec

    package, _, folders = (part.strip() for part in value.partition(":"))
    steps = [*package.split(".")[1:], *(folders.split(".") if folders else ())]
    usable = all(step.isidentifier() for step in (package.partition(".")[0], *steps))
    try:
        spec = find_spec(package.partition(".")[0]) if usable else None
    except (ImportError, ValueError):
        spec = None
    for root in (spec.submodule_search_locations or ()) if spec is not None else ():
        folder = Path(root, *steps)
        if folder.is_dir():
            return folder
    text = f"the installed pack {name!r} names {value!r}, and there is no such folder"
    hint = f"uninstall it, or write without_packs: [{name}] into config.yaml"
    raise RuleBookError([_problem(name, "no-such-folder", text, hint)])


def _beside(folder: str, home: Path | None) -> Path:
    path = Path(folder).expanduser()
    return path if path.is_absolute() or home is None else home / path


def _config_file(path: Path) -> tuple[str, bytes] | None:
    try:
        return (str(path), _read(path)) if path.is_file() else None
    except OSError as error:
        raise RuleBookError([_problem(str(path), "unreadable", f"cannot be read: {error.strerror}")]) from error


def _files(folder: Path, *, shown_from: Path | None = None, why: str = "") -> tuple[tuple[str, bytes], ...]:
    """Return the rule files of a folder by name. Raises RuleBookError when the folder is not one that can be read."""
    if not folder.is_file() and not folder.is_dir():
        text = "a folder with rule files (*.yaml) was expected here"
        raise RuleBookError([_problem(str(folder), "no-such-folder", f"{text} ({why})" if why else text)])
    try:
        paths = list(_paths(folder))
        if len(paths) > MAX_FILES:
            text = f"{len(paths)} rule files; a folder may have {MAX_FILES}"
            raise RuleBookError([_problem(str(folder), "too-many-files", text)])
        files = tuple((_name(path, shown_from), _read(path)) for path in paths)
    except OSError as error:
        name = str(error.filename or folder)
        raise RuleBookError([_problem(name, "unreadable", f"cannot be read: {error.strerror}")]) from error
    size = sum(len(content) for _, content in files)
    if size > MAX_PACK_BYTES and len(files) > 1:
        text = f"{size} bytes of rules; a folder may have {MAX_PACK_BYTES}"
        raise RuleBookError([_problem(str(folder), "folder-too-large", text)])
    return files


def _paths(folder: Path) -> Iterator[Path]:
    if folder.is_file():
        yield folder
        return
    yield from sorted(p for p in folder.iterdir() if p.suffix in (".yaml", ".yml") and p.is_file())


def _name(path: Path, shown_from: Path | None) -> str:
    return str(path if shown_from is None else path.relative_to(shown_from))


def _read(path: Path) -> bytes:
    """Return a file's bytes, one more than allowed at most: the loader refuses what is too large."""
    with path.open("rb") as file:
        return file.read(MAX_FILE_BYTES + 1)


def _problem(path: str, code: str, text: str, hint: str = "") -> Problem:
    return Problem(path=path, line=0, column=0, severity="error", code=code, text=text, hint=hint)
