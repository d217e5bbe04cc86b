"""Masks: names, zones, mobility, slow-path flags."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oomadvisor.kernel.gfp import (
    Alloc,
    MigrateType,
    TaskContext,
    flag_names,
    gfp_zone,
    is_valid_zone_selector,
    migratetype,
    slow_alloc_flags,
)
from oomadvisor.kernel.gfp_bits import bits_of
from oomadvisor.kernel.series import functions_for
from oomadvisor.kernel.watermark import Privileges

PROPERTY = settings(deadline=None, derandomize=True, max_examples=200)


@pytest.mark.parametrize(
    ("mask", "names"),
    [
        (0x0, "GFP_NOWAIT"),
        (0x1, "GFP_DMA"),
        (0x4, "GFP_DMA32"),
        (0x10, "GFP_NOIO"),
        (0x20, "GFP_ATOMIC"),
        (0x21, "GFP_ATOMIC __GFP_DMA"),
        (0x30, "GFP_NOIO __GFP_HIGH"),
        (0x50, "GFP_NOFS"),
        (0xD0, "GFP_KERNEL"),
        (0xD1, "GFP_KERNEL __GFP_DMA"),
        (0x4020, "GFP_ATOMIC __GFP_COMP"),
        (0x40D0, "GFP_KERNEL __GFP_COMP"),
        (0x84D0, "GFP_KERNEL __GFP_REPEAT __GFP_ZERO"),
        (0x12D0, "GFP_KERNEL __GFP_NOWARN __GFP_NORETRY"),
        (0x800D0, "GFP_TEMPORARY"),
        (0x200D0, "GFP_USER"),
        (0x200D2, "GFP_HIGHUSER"),
        (0x200DA, "GFP_HIGHUSER_MOVABLE"),
        (0x201DA, "GFP_HIGHUSER_MOVABLE __GFP_COLD"),
        (0x280DA, "GFP_HIGHUSER_MOVABLE __GFP_ZERO"),
        (0x1201D2, "GFP_HIGHUSER __GFP_COLD 0x100000"),
        (0x2000, "0x2000"),
    ],
)
def test_flag_names(mask: int, names: str) -> None:
    assert flag_names(mask) == tuple(names.split())


@PROPERTY
@given(st.integers(1, (1 << 24) - 1))
def test_the_names_add_up_to_the_mask(mask: int) -> None:
    values = bits_of((2, 6, 31))
    total = 0
    for name in flag_names(mask):
        value = int(name, 16) if name.startswith("0x") else int(values[name])
        assert total & value == 0
        total |= value
    assert total == mask


ALL_ZONES = ("DMA", "DMA32", "Normal", "HighMem", "Movable")


@pytest.mark.parametrize(
    ("selector", "full", "plain"),
    [
        (0x0, "Normal", "Normal"),
        (0x1, "DMA", "Normal"),
        (0x2, "HighMem", "Normal"),
        (0x4, "DMA32", "Normal"),
        (0x8, "Normal", "Normal"),
        (0x9, "DMA", "Normal"),
        (0xA, "Movable", "Movable"),
        (0xC, "DMA32", "Normal"),
    ],
)
def test_zone_of_a_selector(selector: int, full: str, plain: str) -> None:
    """0xffff0 stands for any other bits: they do not matter."""
    assert gfp_zone(selector, ALL_ZONES) == gfp_zone(selector | 0xFFFF0, ALL_ZONES) == full
    assert gfp_zone(selector, ("Normal", "Movable")) == plain
    assert is_valid_zone_selector(selector)


@pytest.mark.parametrize("selector", [0x3, 0x5, 0x6, 0x7, 0xB, 0xD, 0xE, 0xF])
def test_an_invalid_selector_gives_the_lowest_zone(selector: int) -> None:
    assert not is_valid_zone_selector(selector)
    assert gfp_zone(selector, ("DMA", "Normal", "Movable")) == "DMA"
    assert gfp_zone(selector, ("Normal", "Movable")) == "Normal"


def test_mobility() -> None:
    assert migratetype(0xD0) is MigrateType.UNMOVABLE
    assert migratetype(0x800D0) is MigrateType.RECLAIMABLE
    assert migratetype(0x200DA) is MigrateType.MOVABLE
    assert migratetype(0x200DA, mobility_disabled=True) is MigrateType.UNMOVABLE


KERNEL, ATOMIC, NOMEMALLOC = 0xD0, 0x20, 0x10000


@pytest.mark.parametrize(
    ("mask", "context", "flags"),
    [
        (KERNEL, TaskContext(), Alloc.CPUSET),
        (ATOMIC, TaskContext(), Alloc.HIGH | Alloc.HARDER),
        (KERNEL, TaskContext(rt=True), Alloc.CPUSET | Alloc.HARDER),
        (KERNEL, TaskContext(rt=True, in_interrupt=True), Alloc.CPUSET),
        (KERNEL, TaskContext(tif_memdie=True), Alloc.CPUSET | Alloc.NO_WATERMARKS),
        (KERNEL, TaskContext(tif_memdie=True, in_interrupt=True), Alloc.CPUSET),
        (KERNEL | NOMEMALLOC, TaskContext(pf_memalloc=True), Alloc.CPUSET),
    ],
)
def test_slow_path_flags(mask: int, context: TaskContext, flags: Alloc) -> None:
    assert slow_alloc_flags(mask, context) == flags


def test_before_2_6_31_7_an_interrupt_kept_the_real_time_privilege() -> None:
    interrupted = TaskContext(rt=True, in_interrupt=True)
    assert slow_alloc_flags(KERNEL, interrupted, rt_counts_in_interrupt=True) == Alloc.CPUSET | Alloc.HARDER


@pytest.mark.parametrize(
    ("version", "mask", "names"),
    [
        ((2, 6, 14), 0xD2, "GFP_KERNEL __GFP_HIGHMEM"),
        ((2, 6, 15), 0x200D2, "GFP_HIGHUSER"),
        ((2, 6, 18), 0x0, "GFP_NOWAIT"),
        ((2, 6, 23), 0xA00D2, "GFP_HIGHUSER_MOVABLE"),
        ((2, 6, 24), 0x1201D2, "GFP_HIGHUSER_MOVABLE __GFP_COLD"),
        ((2, 6, 32), 0x201DA, "GFP_HIGHUSER_MOVABLE __GFP_COLD"),
        ((3, 10), 0x10200DA, "GFP_HIGHUSER_MOVABLE __GFP_WRITE"),
        ((4, 3), 0x280DA, "GFP_HIGHUSER_MOVABLE __GFP_ZERO"),
        ((4, 4), 0x24200CA, "GFP_HIGHUSER_MOVABLE"),
        ((4, 9), 0x2080020, "GFP_ATOMIC"),
        ((4, 9), 0x26040C0, "GFP_KERNEL __GFP_COMP __GFP_NOTRACK"),
        ((4, 14), 0x14200CA, "GFP_HIGHUSER_MOVABLE"),
        ((4, 19), 0x6200CA, "GFP_HIGHUSER_MOVABLE"),
        ((4, 19), 0x480020, "GFP_ATOMIC"),
        ((5, 10), 0xA20, "GFP_ATOMIC"),
        ((5, 15), 0x1100CCA, "GFP_HIGHUSER_MOVABLE"),
        ((6, 1), 0x140DCA, "GFP_HIGHUSER_MOVABLE __GFP_COMP __GFP_ZERO"),
        ((6, 3), 0x820, "GFP_ATOMIC"),
        ((6, 12), 0x40C00, "GFP_NOIO __GFP_COMP"),
        ((6, 12), 0x2800, "GFP_NOWAIT"),
        ((6, 12), 0x0, "0x0"),
    ],
)
def test_flag_names_by_version(version: tuple[int, ...], mask: int, names: str) -> None:
    family = functions_for(version)
    assert family is not None
    assert family.flag_names(mask) == tuple(names.split())


@PROPERTY
@given(
    st.integers(1, (1 << 28) - 1), st.sampled_from([(2, 6, 12), (2, 6, 24), (3, 10), (4, 4), (4, 18), (5, 14), (6, 18)])
)
def test_the_names_of_every_era_add_up_to_the_mask(mask: int, version: tuple[int, ...]) -> None:
    values = bits_of(version)
    names = flag_names(mask, values)
    assert sum(int(name, 16) if name.startswith("0x") else values[name] for name in names) == mask


@pytest.mark.parametrize(
    ("version", "mask", "order", "context", "privileges"),
    [
        ((2, 6, 32), 0x20, 0, TaskContext(), Privileges(high=True, harder=True)),
        ((2, 6, 32), 0xD0, 0, TaskContext(rt=True), Privileges(harder=True)),
        ((2, 6, 32), 0x10000, 0, TaskContext(), Privileges(harder=True)),
        ((2, 6, 38), 0x10000, 0, TaskContext(), Privileges()),
        ((3, 14), 0x400000, 0, TaskContext(), Privileges(harder=True)),
        ((3, 16), 0x400000, 0, TaskContext(), Privileges()),
        ((3, 10), 0x200DA, 0, TaskContext(), Privileges(cma=True)),
        ((3, 6), 0x200DA, 0, TaskContext(), Privileges()),
        ((4, 4), 0x2000000, 0, TaskContext(), Privileges()),
        ((4, 4), 0x2080020, 0, TaskContext(), Privileges(high=True, harder=True)),
        ((5, 10), 0xCC0, 0, TaskContext(rt=True), Privileges(harder=True)),
        ((6, 3), 0xCC0, 0, TaskContext(rt=True), Privileges(high=True)),
        ((6, 3), 0x800, 0, TaskContext(rt=True), Privileges(harder=True)),
        ((6, 3), 0x800, 2, TaskContext(), Privileges(harder=True, highatomic=True)),
        ((6, 18), 0x800, 2, TaskContext(), Privileges(harder=True)),
        ((6, 18), 0x820, 2, TaskContext(), Privileges(high=True, harder=True, highatomic=True)),
        ((6, 18), 0xCC0, 0, TaskContext(rt=True, in_interrupt=True), Privileges()),
    ],
)
def test_privileges_of_the_slow_path(
    version: tuple[int, ...], mask: int, order: int, context: TaskContext, privileges: Privileges
) -> None:
    family = functions_for(version)
    assert family is not None
    assert family.slow_privileges(mask, order, context) == privileges
