"""The bundle of ``oomadvisor collect`` inside a log: picked up while the log is searched for incidents, in one pass."""

from oomadvisor.model import ProcState
from oomadvisor.parse.proc import read_proc_lines

BEGIN, DONE = b"#oomadvisor bundle ", b"#oomadvisor done"
MAX_BYTES = 16 << 20
"""A bundle of a small box is 100 kB, most of it the log. What lies beyond this is not kept."""
MAX_SEAM = 4096


class BundleCatcher:
    """Keeps the last bundle of a text that comes in blocks. Memory is bounded by MAX_BYTES."""

    def __init__(self) -> None:
        self._seam = b""
        self._first_line = 1
        self._kept: list[bytes] | None = None
        self._size = 0
        self._open = False

    @property
    def begun(self) -> bool:
        """Whether a bundle has begun in what was fed so far."""
        return self._kept is not None

    def feed(self, block: bytes, line: int, *, marked: bool = True) -> None:
        """Take the next block, which begins in the line of that number. ``marked``: a bundle may begin within it."""
        across = self._seam + block[: len(BEGIN)]
        if (marked and BEGIN in block) or BEGIN in across:
            text = self._seam + block
            begin = text.rfind(b"\n", 0, text.rfind(BEGIN)) + 1
            self._first_line = line + text.count(b"\n", 0, begin)
            self._kept, self._size, self._open = [], 0, True
            self._keep(text[begin:])
        elif self._open:
            self._keep(block)
        # The unfinished last line: a marker may be cut by the end of a block.
        end = block.rfind(b"\n") + 1
        self._seam = block[end:][-MAX_SEAM:] if end else (self._seam + block)[-MAX_SEAM:]

    def _keep(self, text: bytes) -> None:
        assert self._kept is not None
        done = text.find(DONE)
        if done >= 0:
            end = text.find(b"\n", done)
            text = text if end < 0 else text[: end + 1]
            self._open = False
        self._kept.append(text[: MAX_BYTES - self._size])
        self._size += len(self._kept[-1])

    def proc(self, file: str) -> ProcState | None:
        """Return what the bundle says of the box, None when there was none."""
        if self._kept is None:
            return None
        lines = b"".join(self._kept).decode("utf-8", "replace").split("\n")
        return read_proc_lines(lines if lines[-1] else lines[:-1], file=file, start=self._first_line)
