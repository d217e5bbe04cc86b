"""Text of unknown origin, made safe to show: task names are chosen by whoever runs the task."""

THIN_SPACE = "\u202f"


def printable(text: str) -> str:
    """Return ``text`` with every character that a terminal could act on written as an escape.

    The thin space between groups of digits stays.

    >>> printable("a\\x1b[2Jb\\n")
    'a\\\\x1b[2Jb\\\\n'
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c == THIN_SPACE else c.encode("unicode_escape").decode("ascii") for c in text
    )
