"""Boxes for the tests of fleets: the seed, and others made of it, small enough to try every value."""

from hypothesis import strategies as st

from oomadvisor.facts import Assessment, assess
from oomadvisor.kernel.series import functions_for
from oomadvisor.model import Incident, Marks, Operation, SystemState, Tunable, Zone
from oomadvisor.model.state import LOWMEM_RESERVE_RATIO, MIN_FREE_KBYTES
from tests.expert.seed import seed_state
from tests.simulate.boxes import ARM
from tests.simulate.boxes import operation as single

FUNCTIONS = functions_for((2, 6, 31))
NAMES = ("DMA", "Normal", "Movable")


def small_state(
    blocks: tuple[tuple[int, ...], tuple[int, ...]],
    present: tuple[int, int],
    min_free_kb: int,
    *,
    ratio: int = 256,
    operation: str = "fork+exec",
    kind: str = "oom",
    reclaimable: int = 0,
) -> SystemState:
    """Return the seed's request on two small zones (DMA, Normal): marks and reserves as 2.6.31 computes them."""
    assert FUNCTIONS is not None
    whole = (*present, 0)
    marks = FUNCTIONS.setup_per_zone_wmarks(NAMES, whole, min_free_kb, bits=32)
    reserves = FUNCTIONS.setup_per_zone_lowmem_reserve(whole, (ratio, 32))
    seed = seed_state()
    zones = tuple(
        Zone(
            name=NAMES[index],
            index=index,
            present_pages=present[index],
            free_pages=sum(count << order for order, count in enumerate(blocks[index])),
            free_blocks=blocks[index],
            marks=Marks(min=marks[index].min, low=marks[index].low, high=marks[index].high),
            reserve_pages=tuple(reserves[index]),
        )
        for index in (0, 1)
    )
    counters = seed.incident.counters
    assert counters is not None
    counters = counters.model_copy(update={"free": sum(zone.free_pages or 0 for zone in zones)})
    incident: Incident = seed.incident.model_copy(update={"kind": kind, "zones": zones, "counters": counters})
    tunables = {
        MIN_FREE_KBYTES: known(MIN_FREE_KBYTES, min_free_kb, 2039),
        f"{LOWMEM_RESERVE_RATIO}[DMA]": known(f"{LOWMEM_RESERVE_RATIO}[DMA]", ratio, 256),
    }
    return seed.model_copy(
        update={
            "incident": incident,
            "zones": zones,
            "tunables": tunables,
            "workload": doing(operation),
            "memory": seed.memory.model_copy(update={"file_lru_pages": reclaimable}),
        }
    )


def doing(operation: str) -> Operation:
    """Return an operation of ARM, or ``order-3``: one block that no operation of the architecture asks for."""
    return single(3) if operation == "order-3" else ARM[operation]


def known(name: str, value: int, default: int) -> Tunable:
    return Tunable(name=name, low=value, high=value, source="observed", basis="test", default=default)


def seed_set_to(min_free_kb: int, kind: str = "oom") -> SystemState:
    """Return the seed's memory on a box with another vm.min_free_kbytes."""
    seed = seed_state()
    assert FUNCTIONS is not None
    present = tuple(next((z.present_pages or 0 for z in seed.zones if z.name == name), 0) for name in NAMES)
    marks = FUNCTIONS.setup_per_zone_wmarks(NAMES, present, min_free_kb, bits=32)
    zones = tuple(
        zone.model_copy(
            update={"marks": Marks(min=marks[zone.index].min, low=marks[zone.index].low, high=marks[zone.index].high)}
        )
        for zone in seed.zones
    )
    tunables = {**seed.tunables, MIN_FREE_KBYTES: known(MIN_FREE_KBYTES, min_free_kb, 2039)}
    incident = seed.incident.model_copy(update={"kind": kind, "zones": zones})
    return seed.model_copy(update={"incident": incident, "zones": zones, "tunables": tunables})


@st.composite
def small_boxes(draw: st.DrawFn) -> Assessment:
    """Boxes of some dozens of pages, with a setting that is not too large for them."""
    blocks = tuple(tuple(draw(st.integers(0, 12 >> order)) for order in range(4)) + (0,) * 7 for _ in NAMES[:2])
    used = tuple(draw(st.integers(0, 40)) for _ in NAMES[:2])
    present = tuple(
        max(sum(count << order for order, count in enumerate(lists)) + more, 1)
        for lists, more in zip(blocks, used, strict=True)
    )
    state = small_state(
        (blocks[0], blocks[1]),
        (present[0], present[1]),
        draw(st.integers(0, 200)),
        ratio=draw(st.sampled_from((1, 2, 8, 256))),
        operation=draw(st.sampled_from((*sorted(ARM), "order-3"))),
        kind=draw(st.sampled_from(("oom", "oom", "mem-info"))),
        reclaimable=draw(st.sampled_from((0, 0, 500))),
    )
    return assess(state)
