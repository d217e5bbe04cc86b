"""Which arithmetic a kernel has: one family for a known release, several where it is known as a stretch only."""

import re

from oomadvisor.kernel.family import Family
from oomadvisor.kernel.series import FIRST, LAST, functions_for, possible_families
from oomadvisor.model import Incident, KernelRelease

MEASURED_SERIES = (2, 6, 31)

VENDORS: tuple[tuple[str, str], ...] = (
    (r"[.-]el\d", "Red Hat or a rebuild of it"),
    (r"\.fc\d", "Fedora"),
    (r"\.amzn\d", "Amazon Linux"),
    (r"android|-gki", "Android"),
    (r"-next-\d{8}", "linux-next, the series to come"),
    (r"-(generic|server|lowlatency|azure|aws|gcp|raspi|virtual|powerpc\w*)\b", "Ubuntu"),
    (r"-(xen|default|desktop|pae)$|\.\d-default", "SUSE"),
    (r"-arch\d", "Arch Linux"),
    (r"-(amd64|686|armmp|rpi\d?|arm64)\b|\+deb\d|bpo", "Debian"),
    (r"gentoo", "Gentoo"),
    (r"grsec", "grsecurity"),
    (r"-(rt|ck|zen|tegra|imx|yocto|openwrt|lab126)", "a patched tree"),
)
"""Marks in a release name of those who ship kernels with changes of their own, and who that is."""

PLAIN = re.compile(r"\d+(\.\d+){1,3}(-rc\d+)?\+?")


def vendor_of(text: str) -> str | None:
    """Return who built a kernel of this name, None for a plain release of mainline or stable.

    >>> vendor_of("3.10.0-514.el7.x86_64"), vendor_of("2.6.38-rc6"), vendor_of("4.9.1-acme")
    ('Red Hat or a rebuild of it', None, 'an unknown builder')
    """
    name = text.split()[0] if text.split() else text
    if PLAIN.fullmatch(name):
        return None
    known = next((who for mark, who in VENDORS if re.search(mark, name, re.IGNORECASE)), None)
    return known or ("an unknown builder" if re.match(r"\d+(\.\d+)+", name) else None)


def families_of(release: KernelRelease, incident: Incident | None = None) -> tuple[Family, ...]:
    """Return every arithmetic that the kernel can have, oldest first; empty where none was read.

    2.6.31 is measured, and what its stable releases changed is not in the test: it is one. With ``incident`` a family
    falls away in which the request's mask could not have led to the event: an OOM kill needs a mask that may reclaim,
    and no mask has bits that its kernel does not know.
    """
    if release.version[:3] == MEASURED_SERIES:
        measured = functions_for(release.version)
        return (measured,) if measured else ()
    if release.version:
        found = possible_families(release.version, release.newest)
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
