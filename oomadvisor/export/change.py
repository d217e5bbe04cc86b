"""A sysctl.conf with the settings of a plan in it: changed where it has them, and one block for those that are new."""

from collections.abc import Iterator, Sequence

from oomadvisor.export.comments import about_lines, comments, hand_lines, setting_lines
from oomadvisor.export.conf import (
    BEGIN,
    END,
    NEW,
    NOTE,
    OFF,
    OFF_UNENDED,
    UNENDED,
    WAS,
    WAS_UNENDED,
    Segment,
    assignment,
    line_end,
    plain_bytes,
    split_end,
)
from oomadvisor.handlers import handler_of
from oomadvisor.model.plan import Plan, Setting


def with_settings(segments: Sequence[Segment], plan: Plan) -> list[Segment]:
    """Return the segments with the plan's settings, and nothing of an earlier plan; one for one, and one more at the
    end where a block is new.

    An assignment of the same sysctl keeps its place, spelling and trailing comment; of several all are changed, so that
    none undoes another. One that holds the value already is left alone. A later write that would zero a setting
    (dirty_ratio after dirty_bytes) is put out of force.
    """
    end = line_end(plain_bytes(segments))
    wanted = {setting.name: setting for setting in plan.settings}
    zeroed = {handler_of(name).zeroes: name for name in wanted}
    last = {found.name: n for n, one in enumerate(segments) if (found := assignment(one.plain or b"")) is not None}
    result: list[Segment] = []
    for number, segment in enumerate(segments):
        found = None if segment.plain is None else assignment(segment.plain)
        if segment.plain is None:
            result.append(Segment(None, ()))
        elif found is not None and found.name in wanted:
            setting = wanted[found.name]
            notes = list(setting_lines(plan, setting)) if last[found.name] == number else []
            result.append(_changed(segment.plain, setting, notes, end))
        elif found is not None and found.name in zeroed:
            result.append(_put_out(segment.plain, zeroed[found.name], end))
        else:
            result.append(Segment(segment.plain, (segment.plain,)))
    new = [setting for setting in plan.settings if setting.name not in last]
    hands = list(hand_lines(plan))
    if new or hands:
        place = next((n for n, one in enumerate(segments) if one.begins_block), len(result))
        result[place:] = _with_block(result[place:], result[:place], plan, new, hands, end)
        _give_line_end(result, place, end)
    return result


def _with_block(
    rest: Sequence[Segment],
    above: Sequence[Segment],
    plan: Plan,
    new: Sequence[Setting],
    hands: Sequence[str],
    end: bytes,
) -> list[Segment]:
    shown = next((one.shown[-1] for one in reversed(above) if one.shown), b"\n")
    remark = b"" if shown.endswith(b"\n") else UNENDED
    lines = [BEGIN + b"settings that were not here before, and what to do by hand" + remark + end]
    lines += [NOTE + line.encode() + end for line in about_lines(plan)]
    for setting in new:
        lines += [NOTE + line.encode() + end for line in setting_lines(plan, setting)]
        lines.append(NEW + setting.name.encode() + end)
        lines.append(f"{setting.name} = {setting.value}".encode() + end)
    lines += [NOTE + line.encode() + end for line in hands]
    lines.append(END + b"settings" + end)
    return [Segment(None, tuple(lines)), *rest[1:]]


def _give_line_end(segments: list[Segment], place: int, end: bytes) -> None:
    """End the line above the block, if it has no end."""
    above = next((n for n in range(place - 1, -1, -1) if segments[n].shown), None)
    if above is not None and not segments[above].shown[-1].endswith(b"\n"):
        *before, unended = segments[above].shown
        segments[above] = Segment(segments[above].plain, (*before, unended + end))


def _changed(plain: bytes, setting: Setting, notes: Sequence[str], end: bytes) -> Segment:
    found = assignment(plain)
    assert found is not None
    if b" ".join(found.value.split()) == setting.value.encode():
        return Segment(plain, (plain,))
    text, own_end = split_end(plain)
    above = [NOTE + line.encode() + end for line in notes]
    line = found.with_value(setting.value)
    # Whatever is written here ends its line: BusyBox patch does not know lines that have no end.
    if not own_end:
        return Segment(plain, (*above, WAS_UNENDED + text + end, line + end))
    return Segment(plain, (*above, WAS + text + end, line))


def _put_out(plain: bytes, by: str, end: bytes) -> Segment:
    text, own_end = split_end(plain)
    note = NOTE + f"the next line would set {by} to 0, so it is out of force".encode() + end
    return Segment(plain, (note, OFF + text + own_end if own_end else OFF_UNENDED + text + end))


def rolled_back_lines(plan: Plan) -> Iterator[str]:
    """Yield what a person must undo by hand: the way back of each fix that is not a sysctl."""
    for step in plan.steps:
        if step.by_hand and step.undo:
            yield from comments(f"by hand: to undo {step.id}: {step.undo}")
