"""A unified diff of /etc/sysctl.conf that patch -p1, BusyBox patch and git apply take."""

from collections.abc import Sequence

from oomadvisor.export.change import rolled_back_lines, with_settings
from oomadvisor.export.comments import about_lines, hand_lines, left_lines
from oomadvisor.export.conf import Segment, plain_bytes, read_conf, shown_bytes, without_changes
from oomadvisor.model.plan import Plan

PATH = "etc/sysctl.conf"
CONTEXT = 3
Pairs = Sequence[tuple[tuple[bytes, ...], tuple[bytes, ...]]]


def patch(plan: Plan, conf: bytes | None, name: str, *, rollback: bool = False) -> bytes:
    """Return the patch, empty when there is nothing to change. ``conf`` is the file as it is, None where there is none.

    A rollback leads from the patched file back to what it was before; ``conf`` may then be either of the two.
    Raises InputError, naming ``name``.
    """
    segments = read_conf(conf or b"", name)
    patched = with_settings(segments, plan)
    if rollback:
        came_patched = shown_bytes(segments) != plain_bytes(segments)
        start: Sequence[Segment] = segments if came_patched else patched
        pairs = _pairs(start, without_changes(start))
        head = [*_head(plan, "takes back what oomadvisor changed"), *(f"# {line}" for line in rolled_back_lines(plan))]
        made, gone = False, conf is None
    else:
        pairs = _pairs(segments, patched)
        head = _head(plan, "apply with: patch -p1 -d / < FILE; then: sysctl -p")
        head += [f"# {line}" for line in (*hand_lines(plan), *left_lines(plan))]
        made, gone = conf is None, False
    body = _hunks(pairs)
    # BusyBox patch makes a file of -0,0, and will not where an empty one is; of +1,0 it makes nothing at all.
    body = body.replace(b"@@ -1,0 ", b"@@ -0,0 ", 1) if made else body.replace(b" +1,0 @@", b" +0,0 @@", 1)
    if not body:
        return b""
    names = _names(made=made, gone=gone)
    return "".join(f"{line}\n" for line in (*head, *names)).encode() + body


def _head(plan: Plan, how: str) -> list[str]:
    return [f"# oomadvisor: {how}", *(f"# {line}" for line in about_lines(plan))]


def _names(*, made: bool, gone: bool) -> list[str]:
    """Return the lines that name the file: git wants its own three where a file is made or removed."""
    old = "/dev/null" if made else f"a/{PATH}"
    new = "/dev/null" if gone else f"b/{PATH}"
    mode = ["new file mode 100644"] if made else ["deleted file mode 100644"] if gone else []
    return [f"diff --git a/{PATH} b/{PATH}", *mode, f"--- {old}", f"+++ {new}"]


def _pairs(old: Sequence[Segment], new: Sequence[Segment]) -> Pairs:
    pairs = [(before.shown, after.shown) for before, after in zip(old, new, strict=False)]
    pairs += [((), after.shown) for after in new[len(old) :]]
    return pairs


def _hunks(pairs: Pairs) -> bytes:
    """Return the hunks, with three lines of context where there are as many."""
    rows: list[tuple[bytes, bytes]] = []
    for before, after in pairs:
        rows += _rows(before, after)
    rows = _unended_last(rows)
    changed = [n for n, (sign, _) in enumerate(rows) if sign != b" "]
    result = b""
    at, old_line, new_line = 0, 1, 1
    while changed:
        first = max(changed[0] - CONTEXT, at)
        last = changed[0]
        while changed and changed[0] <= last + 2 * CONTEXT + 1:
            last = changed.pop(0)
        stop = min(last + CONTEXT + 1, len(rows))
        skipped = sum(1 for _ in rows[at:first])
        old_line, new_line = old_line + skipped, new_line + skipped
        hunk = rows[first:stop]
        olds = sum(sign != b"+" for sign, _ in hunk)
        news = sum(sign != b"-" for sign, _ in hunk)
        result += b"@@ -%s +%s @@\n" % (_span(old_line, olds), _span(new_line, news))
        result += b"".join(_row(sign, line) for sign, line in hunk)
        at, old_line, new_line = stop, old_line + olds, new_line + news
    return result


def _rows(before: tuple[bytes, ...], after: tuple[bytes, ...]) -> list[tuple[bytes, bytes]]:
    """Return the lines of one segment with their signs; lines that both have at the end are context."""
    same = 0
    while same < min(len(before), len(after)) and before[-1 - same] == after[-1 - same]:
        same += 1
    kept = before[len(before) - same :]
    rows = [(b"-", line) for line in before[: len(before) - same]]
    rows += [(b"+", line) for line in after[: len(after) - same]]
    return rows + [(b" ", line) for line in kept]


def _unended_last(rows: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Put a line that comes or goes and has no end behind the others: BusyBox patch takes the remark that a line has no
    end at the end of a hunk only. It is the last of its side, so nothing else changes.
    """
    ended = [row for row in rows if row[0] == b" " or row[1].endswith(b"\n")]
    return [*ended, *(row for row in rows if row[0] != b" " and not row[1].endswith(b"\n"))]


def _span(start: int, count: int) -> bytes:
    """Return ``start,count`` of one side of a hunk; a count of 1 is left away."""
    return b"%d" % start if count == 1 else b"%d,%d" % (start, count)


def _row(sign: bytes, line: bytes) -> bytes:
    if line.endswith(b"\n"):
        return sign + line
    return sign + line + b"\n\\ No newline at end of file\n"
