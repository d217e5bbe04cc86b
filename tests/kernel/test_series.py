"""Which family answers for which kernel."""

import pytest

from oomadvisor.kernel.gfp import Alloc, TaskContext
from oomadvisor.kernel.series import functions_for


@pytest.mark.parametrize(
    ("version", "reserve_blocks", "executable_pages", "restart_recomputes", "memcg_info_of"),
    [
        ((2, 6, 31), None, "not anonymous", False, "current"),
        ((2, 6, 31, 1), None, "not anonymous", False, "current"),
        ((2, 6, 31, 2), 2, "not anonymous", False, "current"),
        ((2, 6, 31, 5), 2, "not anonymous", False, "current"),
        ((2, 6, 31, 6), 2, "on a file list", False, "current"),
        ((2, 6, 31, 7), 2, "on a file list", True, "current"),
        ((2, 6, 31, 10), 2, "on a file list", True, "victim"),
        ((2, 6, 31, 14), 2, "on a file list", True, "victim"),
    ],
)
def test_stable_releases(
    version: tuple[int, ...],
    reserve_blocks: int | None,
    executable_pages: str,
    restart_recomputes: bool,
    memcg_info_of: str,
) -> None:
    family = functions_for(version)
    assert family is not None
    assert family.max_reserve_blocks == reserve_blocks
    assert family.executable_pages == executable_pages
    assert family.path_rules.restart_recomputes is restart_recomputes
    assert family.memcg_info_of == memcg_info_of
    interrupted = family.slow_alloc_flags(0xD0, TaskContext(rt=True, in_interrupt=True))
    assert bool(interrupted & Alloc.HARDER) is not restart_recomputes


@pytest.mark.parametrize("version", [(), (2, 6), (2, 6, 30), (2, 6, 31, 15), (2, 6, 31, 12, 1), (2, 6, 32), (4, 19)])
def test_other_kernels_have_no_exact_arithmetic_yet(version: tuple[int, ...]) -> None:
    assert functions_for(version) is None
