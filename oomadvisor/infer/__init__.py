"""From one incident and what was given beside it to a SystemState: what follows from the numbers, and how it follows.

Everything here is an interval or carries its reason; nothing is guessed. The kernel's own formulas are inverted
(marks → min_free_kbytes, reserves → lowmem_reserve_ratio, per-cpu limits → percpu_pagelist_fraction).
"""

from oomadvisor.infer.state import build_state, state_from_proc

__all__ = ["build_state", "state_from_proc"]
