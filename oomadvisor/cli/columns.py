"""Lists for the terminal: aligned columns, plain, the same when piped."""

from collections.abc import Collection, Sequence

from oomadvisor.present.printable import printable


def aligned(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> str:
    """Return ``rows`` as lines with aligned columns, those numbered in ``right`` to the right.

    >>> print(aligned([("n", "name"), ("10", "a")], right={0}), end="")
     n  name
    10  a
    """
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "".join(
        "  ".join(
            cell.rjust(width) if n in right else cell.ljust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        + "\n"
        for row in cells
    )
