"""Kernel versions: read from a release string, compared, and as the range in which a thing exists."""

from dataclasses import dataclass

Version = tuple[int, ...]

FIRST_KNOWN: Version = (2, 6, 12)
LAST_KNOWN: Version = (6, 18)


def version_tuple(text: str) -> Version:
    """Return the leading numbers of a kernel release.

    >>> version_tuple("2.6.31.12-ER1")
    (2, 6, 31, 12)
    """
    numbers: list[int] = []
    for part in text.split("."):
        digits = ""
        for char in part:
            if not (char.isascii() and char.isdigit()):
                break
            digits += char
        if not digits:
            break
        numbers.append(int(digits[:6]))
        if len(digits) != len(part):
            break
    return tuple(numbers)


@dataclass(frozen=True, slots=True)
class VersionRange:
    """The series in which a thing was seen first and last; None = not recorded.

    FIRST_KNOWN as the first means that or earlier, LAST_KNOWN as the last means that it was still there.
    """

    since: Version | None
    until: Version | None

    def holds(self, version: Version) -> bool | None:
        """Return whether ``version`` lies inside, None where that is not recorded.

        >>> VersionRange((2, 6, 35), None).holds((2, 6, 31, 12))
        False
        """
        if self.since is not None and version[: len(self.since)] < self.since:
            return None if self.since == FIRST_KNOWN else False
        if self.until is not None and version[: len(self.until)] > self.until:
            return None if self.until == LAST_KNOWN else False
        return None if self.since is None or self.until is None else True
