"""The box that a long run runs on: zones, reserves, the kernel's functions and what a command asks for."""

from dataclasses import dataclass

from oomadvisor import knowledge
from oomadvisor.infer.arithmetic import family_of
from oomadvisor.kernel.family import Family
from oomadvisor.kernel.zonelist import ZONE_NAMES
from oomadvisor.model import Operation, SystemState
from oomadvisor.model.state import MIN_FREE_KBYTES

LARGEST_PRESENT_PAGES = 1 << 21
SMALLEST_PRESENT_PAGES = 256
LARGEST_MAX_ORDER = 15
DEFAULT_MAX_ORDER = 11


class NoLongRun(ValueError):
    """The long run cannot be made on this report; the text says why."""


@dataclass(frozen=True, slots=True)
class Box:
    """Everything about a box that does not change while it runs. Pages; zones lowest first, empty ones included.

    ``reserve`` is indexed by zone and class zone. ``image_pages`` are the kernel's image and what it reserved at boot,
    in the lowest zone. ``operation`` is what starting a command takes. ``assumed`` says in sentences what is not known
    of the box.
    """

    zone_names: tuple[str, ...]
    present: tuple[int, ...]
    reserve: tuple[tuple[int, ...], ...]
    max_order: int
    image_pages: int
    min_free_kbytes: int
    operation: Operation
    family: Family
    word_bits: int = 32
    assumed: tuple[str, ...] = ()

    @property
    def present_pages(self) -> int:
        """Return the pages of all zones."""
        return sum(self.present)

    @property
    def default_min_free_kbytes(self) -> int:
        """Return the value that the kernel chooses at boot."""
        return self.family.default_min_free_kbytes(self.zone_names, self.present)


def box_of(state: SystemState) -> Box:
    """Return the box of a report. Raises :class:`NoLongRun` when it lacks what a long run needs."""
    family = family_of(state.kernel)
    if family is None or not family.measured:
        raise NoLongRun(f"the exact arithmetic of this kernel ({state.kernel.text}) is not known, only that of 2.6.31")
    if state.swap is not None and (state.swap.total_kb or 0) > 0:
        raise NoLongRun(f"the box has {state.swap.total_kb} kB of swap; the long run is a model of a box without")
    if state.build.numa:
        raise NoLongRun("the box has several memory nodes; the long run is a model of a box with one")
    names = state.build.zone_names
    if not state.zones or any(zone.present_pages is None for zone in state.zones):
        raise NoLongRun("the report does not say how large the zones are (present:)")
    if not set(names) <= set(ZONE_NAMES):
        raise NoLongRun(f"the report has zones of an unknown kind: {', '.join(names)}")
    present = [0] * len(names)
    for zone in state.zones:
        present[zone.index] = zone.present_pages or 0
    if not SMALLEST_PRESENT_PAGES <= sum(present) <= LARGEST_PRESENT_PAGES:
        raise NoLongRun(
            f"the zones have {sum(present)} pages together; from {SMALLEST_PRESENT_PAGES} to {LARGEST_PRESENT_PAGES} "
            "can be run"
        )
    assumed: list[str] = []
    max_order = state.build.max_order
    if max_order is None:
        max_order = DEFAULT_MAX_ORDER
        assumed.append(f"MAX_ORDER is {max_order}: the report has no free lists")
    if max_order > LARGEST_MAX_ORDER:
        raise NoLongRun(f"MAX_ORDER is {max_order}; up to {LARGEST_MAX_ORDER} can be run")
    if (state.build.cpus_seen or 1) > 1:
        assumed.append(f"one CPU instead of {state.build.cpus_seen}: only one set of per-cpu lists")
    return Box(
        zone_names=names,
        present=tuple(present),
        reserve=_reserve(state, names, present, family),
        max_order=max_order,
        image_pages=_image_pages(state, present, assumed),
        min_free_kbytes=_min_free_kbytes(state, names, present, family, assumed),
        operation=_operation(state, assumed),
        family=family,
        word_bits=state.build.word_bits,
        assumed=tuple(assumed),
    )


def _reserve(
    state: SystemState, names: tuple[str, ...], present: list[int], family: Family
) -> tuple[tuple[int, ...], ...]:
    matrix = family.setup_per_zone_lowmem_reserve(present, family.default_ratios(names))
    for zone in state.zones:
        if zone.reserve_pages is not None and len(zone.reserve_pages) == len(names):
            matrix[zone.index] = list(zone.reserve_pages)
    return tuple(tuple(row) for row in matrix)


def _image_pages(state: SystemState, present: list[int], assumed: list[str]) -> int:
    """Return the reserved pages without the page structs, which ``present`` does not count either."""
    memory = state.memory
    lowest = next(pages for pages in present if pages)
    if memory.ram_pages is not None and memory.reserved_pages:
        structs = max(memory.ram_pages - sum(present), 0)
        return min(max(memory.reserved_pages - structs, 0), lowest // 2)
    pages = min(1024, lowest // 8)
    assumed.append(f"the kernel's image takes {pages * state.page_kb} kB: the report does not say how much is reserved")
    return pages


def _min_free_kbytes(
    state: SystemState, names: tuple[str, ...], present: list[int], family: Family, assumed: list[str]
) -> int:
    tunable = state.tunables.get(MIN_FREE_KBYTES)
    if tunable is not None and tunable.low is not None:
        return tunable.low
    assumed.append(f"{MIN_FREE_KBYTES} has the kernel's default: the report does not show it")
    return family.default_min_free_kbytes(names, present)


def _operation(state: SystemState, assumed: list[str]) -> Operation:
    if state.workload is not None and state.workload.creates_process:
        return state.workload
    known = knowledge.operations(state.incident.arch)
    if not known:
        known = knowledge.operations("arm")
        assumed.append("starting a command takes what it takes on ARM: the report does not show the architecture")
    return known["fork+exec"] if "fork+exec" in known else known["fork"]
