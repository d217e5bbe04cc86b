"""Which arithmetic a kernel has: one family for a known release, several where it is known as a stretch only."""

from dataclasses import replace
from typing import Literal

from oomadvisor.infer.builders import KEPT, builder_of, keeps_its_rules
from oomadvisor.kernel.family import Family
from oomadvisor.kernel.gfp_bits import SINCE as GFP_SINCE
from oomadvisor.kernel.series import FIRST, LAST, functions_for, possible_families
from oomadvisor.model import Incident, KernelRelease

MEASURED_SERIES = (2, 6, 31)
Version = tuple[int, ...]

ORDER_SHIFT_SINCE = (3, 0)
ORDER_SHIFTS = (1, 4)
"""What vm.min_free_order_shift is without a word, and what Android's start scripts set."""


def families_of(release: KernelRelease, incident: Incident | None = None) -> tuple[Family, ...]:
    """Return every arithmetic that the kernel can have, oldest first; empty where none was read.

    2.6.31 is measured, and what its stable releases changed is not in the test: it is one. Of a kernel whose builder
    takes changes over nothing counts as measured; where its own lines are those of a later kernel, it can have the
    arithmetic of that as well. With ``incident`` a family falls away in which the request's mask could not have led to
    the event: an OOM kill needs a mask that may reclaim, and no mask has bits that its kernel does not know.
    """
    if release.version[:3] == MEASURED_SERIES and keeps_its_rules(release.text):
        measured = functions_for(release.version)
        return (measured,) if measured else ()
    if release.version:
        found = _of_builder(release)
    elif release.oldest:
        found = possible_families(max(release.oldest, FIRST), LAST)
    else:
        return ()
    if incident is None or len(found) < 2:
        return found
    return tuple(family for family in found if _fits(family, incident)) or found


def family_of(release: KernelRelease, incident: Incident | None = None) -> Family | None:
    """Return the arithmetic to compute with: the oldest of those that the kernel can have."""
    return next(iter(families_of(release, incident)), None)


def _of_builder(release: KernelRelease) -> tuple[Family, ...]:
    """Return the families of a version, and those that its builder may have made of them."""
    found = [*possible_families(release.version, release.newest)]
    if release.backports and found:
        # Back-ports bring functions over, and leave the bits of the mask as they were.
        masks = found[0]
        found += [
            replace(later, gfp_since=masks.gfp_since, zone_table=masks.zone_table, slow=masks.slow)
            for later in possible_families(release.backports)
        ]
    builder = builder_of(release.text) if release.vendor is not None else None
    if builder is not None and not keeps_its_rules(release.text):
        found = [replace(family, path=None, buddy=None, executable_pages=None, memcg_info_of=None) for family in found]
    if builder is not None and builder.order_shift and release.version >= ORDER_SHIFT_SINCE:
        found = [
            family if family.test.scans else replace(family, test=replace(family.test, order_shift=shift))
            for family in found
            for shift in ORDER_SHIFTS
        ]
    return tuple(dict.fromkeys(found))


def bounds_of_mask(
    incident: Incident, oldest: Version | None, newest: Version | None
) -> tuple[Version | None, Version | None]:
    """Return the oldest and newest kernel whose bits the request's mask can be, None where the mask tells nothing new.

    Only kernels from ``oldest`` to ``newest`` are asked. The bits were renumbered in 4.4, 4.10, 4.18 and 5.1, so that
    the number alone often tells the era.
    """
    starts = [max(since, FIRST) for since, _ in GFP_SINCE]
    eras = []
    for start, following in zip(starts, [*starts[1:], None], strict=True):
        if (newest is not None and start[: len(newest)] > newest) or (
            oldest is not None and following is not None and following <= oldest
        ):
            continue
        family = functions_for(start)
        if family is not None:
            eras.append((start, following, _fits(family, incident)))
    fitting = [place for place, (_, _, fits) in enumerate(eras) if fits]
    if not fitting or len(fitting) == len(eras):
        return None, None
    first, last = fitting[0], fitting[-1]
    following = eras[last][1]
    return (
        eras[first][0] if first > 0 else None,
        _series_before(following) if last < len(eras) - 1 and following is not None else None,
    )


def _series_before(version: Version) -> Version:
    """Return the last series before one that is no x.0.

    >>> _series_before((4, 4)), _series_before((2, 6, 31))
    ((4, 3), (2, 6, 30))
    """
    return (*version[:-1], version[-1] - 1)


def _fits(family: Family, incident: Incident) -> bool:
    mask = incident.request.gfp_mask
    if not mask:
        return True
    bits = family.gfp_bits
    known = 0
    for name, bit in bits.items():
        known |= bit if name.startswith("__") else 0
    if mask & ~known:
        return False
    reclaims = bits.get("__GFP_WAIT") or bits["__GFP_DIRECT_RECLAIM"]
    return incident.kind != "oom" or bool(mask & reclaims)


def certainty(release: KernelRelease) -> Literal["release", "probable", "stretch", "unknown"]:
    """Return how sure the arithmetic is: that of a plain release (or of the example's kernel, whose numbers show it),
    probable for a builder's kernel, one of several where only a stretch is known, or unknown.
    """
    if not release.version:
        return "unknown"
    if release.source == "forms":
        return "stretch"
    return "release" if release.vendor is None or KEPT.match(release.text) else "probable"
