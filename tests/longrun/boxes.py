"""Small boxes and mixes for the tests of the long run, given and drawn by hypothesis."""

from collections.abc import Sequence

from hypothesis import settings
from hypothesis import strategies as st

from oomadvisor import knowledge
from oomadvisor.kernel.series import functions_for
from oomadvisor.longrun import Box, Mix, default_mix
from oomadvisor.longrun.livezone import LiveZone
from oomadvisor.longrun.workload import Workload

PROPERTY = settings(deadline=None, derandomize=True, max_examples=100)
FEW = settings(deadline=None, derandomize=True, max_examples=10)
SLOW_PROPERTY = settings(deadline=None, derandomize=True, max_examples=25)
HOUR_US = 3_600_000_000
NAMES = ("DMA", "Normal", "Movable")


def box(
    present: tuple[int, ...] = (1536, 2560, 0),
    *,
    max_order: int = 7,
    image: int = 100,
    min_free_kbytes: int | None = None,
    names: tuple[str, ...] = NAMES,
) -> Box:
    """Return a small ARM box of 2.6.31.12 (16 MB unless said otherwise)."""
    family = functions_for((2, 6, 31, 12))
    assert family is not None
    reserve = family.setup_per_zone_lowmem_reserve(present, family.default_ratios(names))
    value = family.default_min_free_kbytes(names, present) if min_free_kbytes is None else min_free_kbytes
    return Box(
        zone_names=names,
        present=present,
        reserve=tuple(map(tuple, reserve)),
        max_order=max_order,
        image_pages=image,
        min_free_kbytes=value,
        operation=knowledge.operations("arm")["fork+exec"],
        family=family,
    )


def mix(**parts: dict[str, object]) -> Mix:
    """Return a mix for a small box: the built-in one with everything smaller, and ``parts`` changed."""
    whole = default_mix().model_dump()
    small: dict[str, dict[str, object]] = {
        "commands": {"per_hour": 60, "most_at_once": 12, "anon_pages": {"min": 1, "max": 8}},
        "programs": {"count": 3, "text_kb": 64, "read_percent": 60},
        "files": {"count": 5, "size_kb": 64, "read_kb": 32, "write_kb": 16},
        "tmpfs": {"initial_kb": 64, "growth_kb_per_hour": 400, "logs": 2, "log_kb": 64, "log_growth_kb_per_hour": 200},
        "pipes": {"most": 10},
        "slab": {"initial_kb": 100, "growth_kb_per_hour": 20, "reclaimable_growth_kb_per_hour": 20},
    }
    for name, change in (*small.items(), *parts.items()):
        if name != "residents":
            whole[name] = {**whole[name], **change}
    whole["residents"] = parts.get("residents", SMALL_RESIDENTS)
    return Mix.model_validate(whole)


SMALL_RESIDENTS = (
    {"name": "large", "count": 1, "address_space_kb": 2048, "touched_at_start_percent": 100},
    {
        "name": "daemon",
        "count": 2,
        "address_space_kb": 1024,
        "touches_per_hour": 40,
        "pages_per_touch": 8,
        "text_pages_per_touch": 2,
        "releases_per_hour": 10,
        "pages_per_release": 16,
    },
)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    """Draw a box of 2 to 12 MB in one zone or two, with or without mobility grouping."""
    dma = draw(st.integers(300, 1500))
    normal = draw(st.integers(0, 1500))
    names = draw(st.sampled_from([NAMES, ("DMA", "Normal", "HighMem", "Movable")]))
    present = (dma, normal, 0) if len(names) == 3 else (dma, normal, draw(st.integers(0, 500)), 0)
    return box(
        present,
        names=names,
        max_order=draw(st.integers(4, 9)),
        image=draw(st.integers(1, 120)),
        min_free_kbytes=draw(st.integers(0, sum(present))),
    )


@st.composite
def mixes(draw: st.DrawFn) -> Mix:
    """Draw a mix in which anything may be absent or far too much for a small box."""
    rate = st.integers(0, 250)
    return mix(
        commands={"per_hour": draw(rate), "most_at_once": draw(st.integers(1, 30))},
        files={
            "reads_per_hour": draw(rate),
            "writes_per_hour": draw(rate),
            "written_kept_seconds": draw(st.integers(0, 900)),
        },
        tmpfs={
            "growth_kb_per_hour": draw(st.integers(0, 6000)),
            "logs": draw(st.integers(0, 3)),
            "log_growth_kb_per_hour": draw(st.integers(0, 3000)),
        },
        pipes={"most": draw(st.integers(0, 20)), "opened_per_hour": draw(rate)},
        slab={
            "growth_kb_per_hour": draw(st.integers(0, 800)),
            "reclaimable_growth_kb_per_hour": draw(st.integers(0, 800)),
        },
        residents=SMALL_RESIDENTS[: draw(st.integers(0, 2))],
    )


def owners(load: Workload) -> list[int]:
    """Return every page frame that somebody has, the kernel's image aside."""
    frames: list[int] = [*load.kernel, *load.kept_objects, *load.tmpfs, *load.files.place]
    for pages in (*load.logs, *load.pipes):
        frames += pages
    for process in load.processes.values():
        frames += [*process.tables, *process.objects, *process.anon.values()]
        for first, order in process.blocks:
            frames += range(first, first + (1 << order))
    return frames


def free_frames(zones: Sequence[LiveZone]) -> list[int]:
    """Return every page frame on buddy and per-cpu lists."""
    frames: list[int] = []
    for zone in zones:
        frames += [page.pfn for page in zone.pcp.pages]
        for order, _, pfns in zone.buddy.free_lists:
            for first in pfns:
                frames += range(first, first + (1 << order))
    return frames
