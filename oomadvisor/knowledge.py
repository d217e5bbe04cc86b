"""Facts about kernels, as data with a source: call sites, operations, knobs, measured rates (the folder knowledge/)."""

from dataclasses import dataclass
from functools import cache
from math import sqrt
from typing import Any

import yaml

from oomadvisor.model import Operation, OperationStep
from oomadvisor.resources import resource_dir


@dataclass(frozen=True, slots=True)
class CallSite:
    """What a function in a backtrace says about the allocation. ``group`` is the word that rules compare."""

    id: str
    group: str
    what: str
    any_of: frozenset[str]
    all_of: frozenset[str]
    operation: str | None
    avoidable: str | None
    source: str


@dataclass(frozen=True, slots=True)
class Knob:
    """A file of /proc/sys/vm. ``since``/``until``: first and last series in which it was seen."""

    name: str
    since: tuple[int, ...]
    until: tuple[int, ...]
    vendor_only: bool
    build: str | None
    in_test: bool
    default: str | None
    range: str | None
    effect: str | None

    def exists_in(self, version: tuple[int, ...]) -> bool:
        """Return whether a mainline kernel of ``version`` can have it (its build options permitting)."""
        if self.vendor_only:
            return False
        return self.since <= version[: len(self.since)] and version[: len(self.until)] <= self.until


@dataclass(frozen=True, slots=True)
class MeasuredRate:
    """A measured result: ``successes`` of ``trials`` (None for a finding that is not a rate)."""

    id: str
    text: str
    state: str
    source: str
    rate_of: str | None
    trials: int | None
    successes: int | None

    def wilson_permille(self) -> tuple[int, int] | None:
        """Return the 95 % Wilson score interval of the rate in permille, rounded outwards.

        >>> MeasuredRate("x", "", "", "", None, 797, 795).wilson_permille()
        (990, 1000)
        """
        if not self.trials or self.successes is None:
            return None
        n, p, z = self.trials, self.successes / self.trials, 1.959964
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return max(int((centre - half) * 1000), 0), min(-int(-(centre + half) * 1000 // 1), 1000)


@cache
def _read(name: str) -> Any:
    text = (resource_dir("knowledge") / f"{name}.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@cache
def call_sites() -> tuple[CallSite, ...]:
    """Return the call sites in the order in which they are tried."""
    return tuple(
        CallSite(
            id=row["id"],
            group=row["group"],
            what=row["what"],
            any_of=frozenset(row["any_of"]),
            all_of=frozenset(row.get("all_of", ())),
            operation=row.get("operation"),
            avoidable=row.get("avoidable"),
            source=row["source"],
        )
        for row in _read("call-sites")["call_sites"]
    )


def call_site_of(symbols: frozenset[str]) -> CallSite | None:
    """Return the first call site that the functions of a backtrace show, or None."""
    return next((site for site in call_sites() if symbols & site.any_of and symbols >= site.all_of), None)


@cache
def operations(arch: str | None) -> dict[str, Operation]:
    """Return what the kernel asks for in each operation on ``arch``; empty for one that is not described."""
    known = _read("operations")
    rows = known["operations"].get(known["same_as"].get(arch, arch), {})
    return {
        name: Operation(
            id=name,
            title=row["title"],
            source=row["source"],
            creates_process=row.get("creates_process", False),
            steps=tuple(
                OperationStep(
                    order=step["order"],
                    gfp_mask=step["gfp"],
                    what=step["what"],
                    source=step["source"],
                    replaces=step.get("replaces", False),
                )
                for step in row["steps"]
            ),
        )
        for name, row in rows.items()
    }


def workload_of(operation: str) -> str | None:
    """Return the operation that a device which was seen doing ``operation`` does all day."""
    workload: str | None = _read("operations")["workload"].get(operation)
    return workload


@cache
def knobs() -> dict[str, Knob]:
    """Return every known vm sysctl by name."""
    return {
        row["name"]: Knob(
            name=row["name"],
            since=version_tuple(row["since"]),
            until=version_tuple(row["until"]),
            vendor_only=row.get("vendor_only", False),
            build=row.get("build"),
            in_test=row.get("in_test", False),
            default=row.get("default_2_6_31"),
            range=row.get("range"),
            effect=row.get("effect"),
        )
        for row in _read("knobs")["knobs"]
    }


@dataclass(frozen=True, slots=True)
class VersionSymbol:
    """A kernel function that exists only since, or only until, a version."""

    name: str
    since: tuple[int, ...] | None
    until: tuple[int, ...] | None


@cache
def version_symbols() -> tuple[VersionSymbol, ...]:
    """Return the functions whose presence in a backtrace narrows the kernel version."""
    return tuple(
        VersionSymbol(
            name=row["name"],
            since=version_tuple(row["since"]) if "since" in row else None,
            until=version_tuple(row["until"]) if "until" in row else None,
        )
        for row in _read("symbols")["symbols"]
    )


@cache
def measured_rates() -> dict[str, MeasuredRate]:
    """Return every measured result by id."""
    return {
        row["id"]: MeasuredRate(
            id=row["id"],
            text=row["text"],
            state=row["state"],
            source=row["source"],
            rate_of=row.get("class"),
            trials=row.get("trials"),
            successes=row.get("successes"),
        )
        for row in _read("evidence")["evidence"]
    }


def measured_ground() -> dict[str, Any]:
    """Return the conditions under which everything was measured: kernel, arch, smp, swap, and ``text`` for people."""
    conditions = _read("evidence")["conditions"]
    return {**conditions["ground"], "text": conditions["text"]}


@cache
def sources() -> dict[str, str]:
    """Return the citations that rules name by id."""
    found: dict[str, str] = _read("sources")["sources"]
    return found


def version_tuple(text: str) -> tuple[int, ...]:
    """Return the leading numbers of a kernel release.

    >>> version_tuple("2.6.31.12-ER1")
    (2, 6, 31, 12)
    """
    numbers: list[int] = []
    for part in text.split("."):
        digits = ""
        for char in part:
            if not (char.isascii() and char.isdigit()):
                break
            digits += char
        if not digits:
            break
        numbers.append(int(digits[:6]))
        if len(digits) != len(part):
            break
    return tuple(numbers)
