"""Lines that the kernel prints piece by piece, when another processor printed in between.

Since 4.10 each piece then becomes a record of its own: ``lowmem_reserve[]:``, `` 0``, `` 2868``; ``DMA: ``, ``1*4kB ``,
``(U) ``, ``= 4kB``. The pieces can be told from all other lines, and the free blocks' total and the number of zones
prove what was put together.
"""

from oomadvisor.parse.lineform import Line, compiled

_NODE = r"Node (?P<node>\d{1,4})"
_BEGIN = r"(?:Node \d{1,4} )?[A-Z][A-Za-z0-9_]{1,15}:(?: \d{1,20}\*\d{1,9}kB(?: \([A-Z]{1,8}\))?){0,32}"
_TERM = r"(?:\d{1,20}\*\d{1,9}kB|\([A-Z]{1,8}\))"
_PIECE = rf"{_TERM}(?: {_TERM}){{0,40}}(?: = \d{{1,20}}kB)?|= \d{{1,20}}kB"
_RESERVE = "lowmem_reserve[]:"
_NUMBERS = r"-?\d{1,20}(?: -?\d{1,20}){0,8}"
_NODE_LESS = r"(?!Node )[A-Z][A-Za-z0-9_]{1,15}(?: free:| per-cpu:|:(?: |$))"
MAX_PIECES = 64
#: Lines after which the pieces of a line are given up.
MAX_APART = 200


class Fragments:
    """Collects the pieces of one line at a time."""

    def __init__(self) -> None:
        self._node: Line | None = None
        self._begun: Line | None = None
        self._pieces: list[str] = []

    @property
    def untouched(self) -> bool:
        """Whether no piece has come that a later line could depend on."""
        return self._node is None and self._begun is None and not self._pieces

    @property
    def begun(self) -> bool:
        """Whether a line has begun that may go on."""
        return self._begun is not None

    def take(self, line: Line) -> tuple[list[Line], bool]:
        """Return the lines that are whole now, and whether ``line`` was used up as a piece.

        Only what has a prefix of its own is a piece; without one it is the rest of a broken line, which is another
        matter (``oomadvisor.parse.rejoin``).
        """
        if not line.text:
            return [], False
        if not line.prefixed:
            # Once a second piece has come as a record of its own, other lines are other programs'.
            return ([] if self._pieces else self.flush()), False
        begun = self._begun
        if begun is not None and line.number - begun.number > MAX_APART * (1 + len(self._pieces)):
            self._begun = begun = None
        if compiled(_NODE).fullmatch(line.text):
            done = self.flush()
            self._node = line
            return done, True
        text, known = self._with_node(line)
        if text == _RESERVE or (text[-1] in ":B)" and compiled(_BEGIN).fullmatch(text)):
            done = self.flush()
            self._begun, self._pieces = line._replace(text=text), []
            self._node = None if known else self._node
            return done, True
        if begun is None:
            return [], False
        pattern = _NUMBERS if begun.text == _RESERVE else _PIECE
        if len(self._pieces) >= MAX_PIECES or not compiled(pattern).fullmatch(text):
            return [], False
        self._pieces.append(text)
        return (self.flush() if "=" in text else []), True

    def with_node(self, line: Line) -> Line:
        """Return ``line`` with the node that was printed before it as a piece of its own."""
        text, known = self._with_node(line)
        if known:
            self._node = None
        return line._replace(text=text)

    def flush(self) -> list[Line]:
        """Return what was put together so far as a line."""
        begun, self._begun = self._begun, None
        if begun is None:
            return []
        return [begun._replace(text=" ".join((begun.text, *self._pieces)), pieces=2 + len(self._pieces))]

    def _with_node(self, line: Line) -> tuple[str, bool]:
        node = self._node
        if node is None or line.number - node.number > MAX_APART or not compiled(_NODE_LESS).match(line.text):
            return line.text, False
        return f"{node.text} {line.text}", True
