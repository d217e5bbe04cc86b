"""/proc/mounts, the output of mount and df, and /proc/swaps."""

import re
from collections.abc import Sequence

from oomadvisor.model import Mount, SwapDevice
from oomadvisor.parse.procfiles.notes import Notes, NumberedLine

_FSTAB = re.compile(r"\s*(?P<device>\S+)\s+(?P<path>\S+)\s+(?P<fstype>[\w.\-]+)\s+(?P<options>\S+)\s+\d+\s+\d+\s*")
_MOUNT = re.compile(r"\s*(?P<device>\S+) on (?P<path>.{1,400}?) type (?P<fstype>[\w.\-]+) \((?P<options>[^()]*)\)\s*")
_DF = re.compile(
    r"\s*(?P<device>\S+)\s+(?P<size>\d{1,15})\s+(?P<used>\d{1,15})\s+-?\d{1,15}\s+\d{1,3}%\s+(?P<path>\S.*?)\s*"
)
_DF_HEAD = re.compile(r"\s*Filesystem\s+(?P<unit>1[Kk](?:B|iB)?-blocks|1024-blocks)\s+Used\s.*")
_SIZE = re.compile(r"size=(?P<number>\d{1,15})(?P<unit>[kKmMgG]?)")
_UNIT_KB = {"k": 1, "m": 1 << 10, "g": 1 << 20}
_SWAP = re.compile(
    r"\s*(?P<path>\S.{0,300}?)\s+(?:partition|file)\s+(?P<size>\d{1,15})\s+(?P<used>\d{1,15})\s+-?\d{1,6}\s*"
)
_MAX_ROWS = 5_000


def read_mounts(lines: Sequence[NumberedLine], notes: Notes) -> tuple[Mount, ...]:
    """Return the mounts. A row of df knows what is used, but not the file system's type."""
    mounts: list[Mount] = []
    for number, text in lines[:_MAX_ROWS]:
        row = text[:4_000]
        if match := (_FSTAB.fullmatch(row) or _MOUNT.fullmatch(row)):
            options = tuple(match.group("options").split(","))
            mounts.append(
                Mount(
                    device=_plain(match.group("device")),
                    path=_plain(match.group("path")),
                    fstype=match.group("fstype"),
                    options=options,
                    size_kb=_size_kb(options),
                    line=number,
                )
            )
        elif match := _DF.fullmatch(row):
            device = match.group("device")
            fstype = device if device in ("tmpfs", "ramfs", "devtmpfs", "rootfs") else ""
            size, used = int(match.group("size")), int(match.group("used"))
            mounts.append(
                Mount(device=device, path=match.group("path"), fstype=fstype, size_kb=size, used_kb=used, line=number)
            )
        elif row.strip() and not _DF_HEAD.fullmatch(row):
            notes.unreadable((number, text), "DEVICE PATH TYPE OPTIONS 0 0, or a row of df")
    return tuple(mounts)


def _size_kb(options: tuple[str, ...]) -> int | None:
    for option in options:
        match = _SIZE.fullmatch(option)
        if match is not None:
            number, unit = int(match.group("number")), match.group("unit").lower()
            return number * _UNIT_KB[unit] if unit else number >> 10
    return None


def _plain(text: str) -> str:
    """Return a path with the kernel's octal escapes undone."""
    return re.sub(r"\\([0-3][0-7]{2})", lambda match: chr(int(match.group(1), 8)), text)


def read_swaps(lines: Sequence[NumberedLine], notes: Notes) -> tuple[SwapDevice, ...]:
    """Return the swap devices; an empty tuple means that the file was there and listed none."""
    swaps: list[SwapDevice] = []
    for number, text in lines[:_MAX_ROWS]:
        match = _SWAP.fullmatch(text[:1_000])
        if match is not None:
            swaps.append(
                SwapDevice(
                    path=_plain(match.group("path")),
                    size_kb=int(match.group("size")),
                    used_kb=int(match.group("used")),
                    line=number,
                )
            )
        elif text.strip() and not text.lstrip().startswith("Filename"):
            notes.unreadable((number, text), "PATH TYPE SIZE USED PRIORITY")
    return tuple(swaps)
