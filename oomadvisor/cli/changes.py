"""What the options of ``simulate`` say: changes, sizes, ranges. A refusal names the option and what was expected."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

import typer

from oomadvisor.present.printable import printable

if TYPE_CHECKING:
    from oomadvisor.facts import Assessment
    from oomadvisor.model import SystemState
    from oomadvisor.verify import Resolved

SIZE = re.compile(r"([0-9]{1,12})(k|kB|K|KB|M|MB|G|GB|p|pages?)", re.ASCII)
KB_OF = {"k": 1, "m": 1024, "g": 1024 * 1024}
NUMBERS = re.compile(r"-?[0-9]{1,12}(?:[\s,]+-?[0-9]{1,12})*", re.ASCII)
BLOCKS = re.compile(r"([A-Za-z0-9]{1,12}):([0-9]{1,2})=([0-9]{1,9})", re.ASCII)
RANGE = re.compile(r"([a-z0-9_./\[\]A-Z-]{1,100})=(-?[0-9]{1,10})\.\.(-?[0-9]{1,10})", re.ASCII)
LOWMEM_RESERVE_RATIO = "vm.lowmem_reserve_ratio"
SOURCES = ("tmpfs", "page-cache", "process", "slab")
INT_MIN, INT_MAX = -(2**31), 2**31 - 1


@dataclass(frozen=True)
class Wishes:
    """The changes as they stand on the command line."""

    sets: tuple[str, ...] = ()
    frees: tuple[str, ...] = ()
    gives: tuple[str, ...] = ()
    swap: str | None = None
    realtime: bool = False
    instead: str | None = None
    max_order: int | None = None
    one_zone: bool = False


@dataclass(frozen=True)
class Range:
    """``--sweep NAME=LOW..HIGH``."""

    knob: str
    low: int
    high: int


def resolved_changes(assessment: "Assessment", wishes: Wishes) -> list["Resolved"]:
    """Make every change definite, in the order: sysctls, builds, task, memory. Raises typer.BadParameter."""
    from oomadvisor.model import Change
    from oomadvisor.simulate import AddSwap, FreeBlocks, FreePages, JoinZones, SetMaxOrder, SetOperation, SetRealtime
    from oomadvisor.trial import UnknownOperation, operation_named
    from oomadvisor.verify import Resolved

    page_kb = assessment.state.page_kb
    changes = [_sysctl(assessment, text) for text in wishes.sets]
    if wishes.max_order is not None:
        now = assessment.state.build.max_order
        shown = Change(knob="MAX_ORDER (build)", current=str(now or "unknown"), target=str(wishes.max_order))
        changes.append(Resolved(shown, SetMaxOrder(wishes.max_order)))
    if wishes.one_zone:
        names = ", ".join(zone.name for zone in assessment.snap.zones) if assessment.snap else "unknown"
        changes.append(Resolved(Change(knob="zones (build)", current=names, target="one zone"), JoinZones()))
    if wishes.realtime:
        shown = Change(knob="scheduling", current="normal", target="real-time (SCHED_FIFO)")
        changes.append(Resolved(shown, SetRealtime()))
    if wishes.instead is not None:
        try:
            operation = operation_named(assessment, wishes.instead)
        except UnknownOperation as error:
            raise typer.BadParameter(f"{error}.", param_hint="--instead") from None
        if operation is None:
            raise typer.BadParameter("the report does not tell what was asked for.", param_hint="--instead")
        before = assessment.state.workload
        shown = Change(knob="operation", current=before.title if before else "unknown", target=operation.title)
        changes.append(Resolved(shown, SetOperation(operation)))
    for text in wishes.frees:
        source, pages = _freed(text, page_kb)
        shown = Change(knob=source, target=f"{_size_words(pages * page_kb)} less", target_value=pages, unit="pages")
        changes.append(Resolved(shown, FreePages(source, pages)))
    for text in wishes.gives:
        zone, order, count = _blocks(text)
        target = f"{count} more free of order {order} ({page_kb << order} kB each)"
        shown = Change(knob=f"blocks in {zone}", target=target, target_value=count << order, unit="pages")
        changes.append(Resolved(shown, FreeBlocks("given", zone, order, count)))
    if wishes.swap is not None:
        kb = size_kb(wishes.swap, page_kb, "--swap")
        swap = assessment.state.swap
        have = None if swap is None or swap.total_kb is None else f"{swap.total_kb} kB"
        shown = Change(knob="swap", current=have, target=f"{_size_words(kb)} more", target_value=kb, unit="kB")
        changes.append(Resolved(shown, AddSwap(kb)))
    return changes


def sysctl_values(state: "SystemState", text: str) -> tuple[str, tuple[int, ...]]:
    """Return the sysctl and the numbers that ``--set`` asks for; ``default`` as what it is on this box."""
    from oomadvisor.facts import Assessment
    from oomadvisor.simulate import SetSysctl

    replayed = _sysctl(Assessment(state, None, (), (), (), ()), text).replayed
    assert isinstance(replayed, SetSysctl)
    return replayed.name, replayed.values


def _sysctl(assessment: "Assessment", text: str) -> "Resolved":
    from oomadvisor.rulebook.change import SysctlChange
    from oomadvisor.verify import NotProposable, resolve

    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(
            f"'{printable(text)}' is not NAME=VALUE, as in vm.min_free_kbytes=2039.", param_hint="--set"
        )
    knob = sysctl_name(name, "--set", of_a_zone=False)
    value = value.strip()
    if value != "default" and not NUMBERS.fullmatch(value):
        raise typer.BadParameter(
            f"'{printable(value)}' is no value for {knob}; a number, several, or 'default' was expected.",
            param_hint="--set",
        )
    if value != "default":
        numbers = [int(word) for word in value.replace(",", " ").split()]
        if not all(INT_MIN <= number <= INT_MAX for number in numbers):
            raise typer.BadParameter(f"{printable(value)} does not fit 32 bits, as {knob} must.", param_hint="--set")
        value = " ".join(map(str, numbers))
        entries = len(assessment.state.build.zone_names) - 1 if knob == LOWMEM_RESERVE_RATIO else 1
        if len(numbers) > max(entries, 1):
            raise typer.BadParameter(
                f"{knob} takes {max(entries, 1)} here, not {len(numbers)} numbers.", param_hint="--set"
            )
    try:
        return resolve(assessment, SysctlChange(sysctl=knob, to=value))
    except NotProposable as error:
        raise typer.BadParameter(f"{error}.", param_hint="--set") from None


def sysctl_name(text: str, option: str, *, of_a_zone: bool = True) -> str:
    """Return the name with dots, if there is such a sysctl. ``vm/x`` and the bare ``x`` are understood, too.

    ``of_a_zone``: vm.lowmem_reserve_ratio[DMA], the entry of one zone, is a name as well.
    """
    from oomadvisor import knowledge

    name = text.strip().replace("/", ".")
    known = knowledge.knobs()
    if name not in known and f"vm.{name}" in known:
        name = f"vm.{name}"
    bare, bracket, _ = name.partition("[")
    if bracket and (bare != LOWMEM_RESERVE_RATIO or not of_a_zone):
        raise typer.BadParameter(
            f"'{printable(name)}': only {LOWMEM_RESERVE_RATIO} has an entry for each zone, and it is written as a "
            f"whole, as in {LOWMEM_RESERVE_RATIO}='256 32'.",
            param_hint=option,
        )
    if bare not in known:
        near = get_close_matches(name, known, 1) or get_close_matches(f"vm.{name}", known, 1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise typer.BadParameter(
            f"there is no sysctl '{printable(name)}' in any kernel known here.{hint}", param_hint=option
        )
    return name


def sysctl_range(text: str) -> Range:
    """Return what ``--sweep`` asks for."""
    match = RANGE.fullmatch(text.strip())
    if match is None:
        raise typer.BadParameter(
            f"'{printable(text)}' is not NAME=LOW..HIGH, as in vm.min_free_kbytes=128..16384.", param_hint="--sweep"
        )
    low, high = int(match[2]), int(match[3])
    if not 0 <= low < high <= INT_MAX:
        raise typer.BadParameter(f"{low}..{high} is no range: 0 ≤ LOW < HIGH was expected.", param_hint="--sweep")
    return Range(sysctl_name(match[1], "--sweep"), low, high)


def size_kb(text: str, page_kb: int, option: str) -> int:
    """Return a size such as 16M, 4096k or 300p (pages) in kB."""
    match = SIZE.fullmatch(text.strip())
    if match is None:
        raise typer.BadParameter(
            f"'{printable(text)}' is no size; something like 16M, 4096k or 300p (pages) was expected.",
            param_hint=option,
        )
    unit = match[2][0].lower()
    kb = int(match[1]) * (page_kb if unit == "p" else KB_OF[unit])
    if kb == 0 or kb > INT_MAX:
        raise typer.BadParameter(f"{printable(text)} is out of range.", param_hint=option)
    return kb


def _freed(text: str, page_kb: int) -> tuple[str, int]:
    source, equals, size = text.partition("=")
    if not equals or source not in SOURCES:
        raise typer.BadParameter(
            f"'{printable(text)}' is not SOURCE=SIZE, as in tmpfs=16M; the sources are {', '.join(SOURCES)}.",
            param_hint="--free",
        )
    pages = size_kb(size, page_kb, "--free") // page_kb
    if pages == 0:
        raise typer.BadParameter(f"{printable(size)} is less than a page.", param_hint="--free")
    return source, pages


def _blocks(text: str) -> tuple[str, int, int]:
    match = BLOCKS.fullmatch(text.strip())
    if match is None or int(match[3]) == 0:
        raise typer.BadParameter(
            f"'{printable(text)}' is not ZONE:ORDER=COUNT, as in Normal:2=30.", param_hint="--give"
        )
    return match[1], int(match[2]), int(match[3])


def _size_words(kb: int) -> str:
    return f"{kb // 1024} MB" if kb % 1024 == 0 else f"{kb} kB"
