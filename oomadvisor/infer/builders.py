"""Who builds kernels that are no plain release, told by the name, and what they are known to have changed.

A distribution takes changes of later series over as a rule, so that its version says little about single functions. A
board's kernel or a private build has a name of its own and mostly the allocator of its version.
"""

import re
from typing import NamedTuple


class Builder(NamedTuple):
    """``mark``: a regular expression that its release names match. ``backports``: it takes over changes as a rule.

    ``order_shift``: its kernels of 3.0 to 4.3 have vm.min_free_order_shift (seen in trees of 3.2, 3.5 and 3.18), by
    which the mark falls from order to order: 1 halves it as mainline does, and what devices set is another value.
    """

    mark: str
    name: str
    backports: bool = True
    order_shift: bool = False


BUILDERS: tuple[Builder, ...] = (
    Builder(r"-next-\d{8}", "linux-next, the series to come"),
    Builder(r"-mm\d|-mmotm", "the mm tree, with the memory management to come"),
    Builder(r"uek", "Oracle Linux (UEK)"),
    Builder(r"[.-]el\d|\.cki\b", "Red Hat or a rebuild of it"),
    Builder(r"\.EL\w*$|\d\.EL(smp|hugemem|largesmp)?\b", "Red Hat or a rebuild of it"),
    Builder(r"\.fc\d", "Fedora"),
    Builder(r"\.amzn\d", "Amazon Linux"),
    Builder(r"\.(cm|azl)\d", "Azure Linux"),
    Builder(r"microsoft-standard|-WSL2?", "Microsoft (WSL)"),
    Builder(r"-pve", "Proxmox"),
    Builder(r"android|-gki|-perf(-|\+|$)|-lineage|-cyanogenmod|-mt\d{4}|-ab\d{5,}", "Android", order_shift=True),
    Builder(
        r"-(generic|server|lowlatency|azure|aws|gcp|gke|gkeop|oracle|ibm|kvm|oem|raspi\d?|snapdragon|virtual|powerpc\w*)"
        r"(-\w+)*$",
        "Ubuntu",
    ),
    Builder(
        r"\+deb\d|bpo|-\d+-(\w+-)*(amd64|686|586|486|armmp|armel|armhf|arm64|mx5|versatile|marvell|kirkwood)", "Debian"
    ),
    Builder(r"-(amd64|686|686-pae|armmp|armmp-lpae|arm64|rt-amd64|cloud-amd64)$", "Debian"),
    Builder(r"-(xen|default|desktop|pae|preempt|smp|bigsmp)$|\.\d+-(default|xen|desktop|pae|azure|rt)$", "SUSE"),
    Builder(r"-v(6|7|7l|8|8-16k)\+|-rpi(-|\d|$)|\+rpt", "Raspberry Pi"),
    Builder(r"-arch\d|-zen\d|-hardened\d|-lts$|-ARCH", "Arch Linux"),
    Builder(r"-MANJARO", "Manjaro"),
    Builder(r"-gentoo", "Gentoo", backports=False),
    Builder(r"-valve\d", "SteamOS"),
    Builder(r"-cos$|-coreos|-flatcar|-talos|-linuxkit|-boot2docker|-rancher", "a container host"),
    Builder(r"grsec|-pax", "grsecurity"),
    Builder(r"-ck\d|-pf\d|-xanmod|-liquorix|-bfs", "a patched tree"),
    Builder(
        r"-rt\d|-tegra|[-.]imx|-yocto|-openwrt|-lab126|-rockchip|-sunxi|-meson|-xilinx|-ti\b|-ti-|-davinci|-omap|"
        r"-at91|-bcm|-brcm|-mx\d\d|-ezx|-synology|-qnap|-QNAP|-nas",
        "a board's kernel",
        backports=False,
    ),
)
"""Those who ship kernels with changes of their own; the first mark that fits decides."""

UNKNOWN = Builder("", "an unknown builder", backports=False)

PLAIN = re.compile(r"\d+(\.\d+){1,3}(-rc\d+)?\+?")
KEPT = re.compile(r"2\.6\.31(\.\d+)?-.*lab126", re.IGNORECASE)
"""The kernel of the example report: that it kept the rules of its version, its own numbers show."""


def builder_of(release: str) -> Builder | None:
    """Return who built a kernel of this name, None for a plain release of mainline or stable, or no release at all.

    >>> builder_of("3.10.0-514.el7.x86_64").name, builder_of("2.6.38-rc6"), builder_of("4.9.1-acme").name
    ('Red Hat or a rebuild of it', None, 'an unknown builder')
    """
    name = release.split()[0] if release.split() else release
    if PLAIN.fullmatch(name):
        return None
    known = next((builder for builder in BUILDERS if re.search(builder.mark, name, re.IGNORECASE)), None)
    return known or (UNKNOWN if re.match(r"\d+(\.\d+)+", name) else None)


def vendor_of(release: str) -> str | None:
    """Return the name of who built it, None for a plain release."""
    builder = builder_of(release)
    return None if builder is None else builder.name


def keeps_its_rules(release: str) -> bool:
    """Return whether a kernel of this name may be taken for one of its version, functions that were run included."""
    builder = builder_of(release)
    return builder is None or not builder.backports or KEPT.match(release) is not None
