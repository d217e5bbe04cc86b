"""Backtraces of all architectures.

A frame keeps what the kernel prints; x86 marks frames that it only found lying on the stack with ``? ``, and the mark
stays in ``Frame.raw``, because such a frame may be a left-over of an earlier call.
"""

import re

from oomadvisor.model import Frame
from oomadvisor.parse.draft import MAX_FRAMES, Draft
from oomadvisor.parse.lineform import Line, LineForm, Variant
from oomadvisor.parse.lines.head import read_nothing

#: What GCC and Clang append to the names of copies that they made of a function.
_SUFFIX = re.compile(r"(?:\.(?:clone|isra|constprop|part|cold|llvm|lto_priv|localalias|cfi|\d+))+$")
_SYMBOL = r"[A-Za-z_.$][\w.$]{0,127}"
_ADDRESS = r"[0-9a-f]{8,16}"


def plain_symbol(symbol: str) -> str:
    """Return the name in the source: without compiler suffixes, and without PowerPC's leading dot.

    >>> plain_symbol("mm_init.clone.43"), plain_symbol(".show_stack"), plain_symbol("foo.isra.0.cold.28")
    ('mm_init', 'show_stack', 'foo')
    """
    return _SUFFIX.sub("", symbol.lstrip(".")) or symbol


def _push(draft: Draft, symbol: str, raw: str, line: Line) -> None:
    draft.at("backtrace", line.number)
    if len(draft.frames) >= MAX_FRAMES:
        draft.drop("frames")
        return
    draft.frames.append(Frame(symbol=plain_symbol(symbol), raw=raw, line=line.number))


def read_frame(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Read one frame of a trace with one function per line."""
    unsure = "? " if match.group("unsure") else ""
    _push(draft, match.group("symbol"), unsure + match.group("raw"), line)


def read_arm_frame(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Read ``(callee) from (caller)``: the callee is the caller of the line above, unless a line was lost."""
    callee, caller = match.group("callee"), match.group("caller")
    last = draft.frames[-1].symbol if draft.frames else None
    if plain_symbol(callee.partition("+")[0]) != last:
        _push(draft, callee.partition("+")[0], callee, line)
    _push(draft, caller.partition("+")[0], caller, line)


def read_bare_frame(draft: Draft, match: re.Match[str], line: Line) -> None:
    """Read a frame of a kernel without symbols: the addresses stand in for the names."""
    callee, caller = f"0x{match.group('callee')}", f"0x{match.group('caller')}"
    if not draft.frames:
        _push(draft, callee, callee, line)
    _push(draft, caller, caller, line)


_OFFSET = r"\+0x[0-9a-f]{1,8}(?:/0x[0-9a-f]{1,8})?"

FORMS: tuple[LineForm, ...] = (
    LineForm(
        "backtrace-arm",
        ("] (",),
        rf"\[<{_ADDRESS}>\] \((?P<callee>{_SYMBOL}(?:{_OFFSET})?)(?: \[\w+\])?\) from "
        rf"\[<{_ADDRESS}>\] \((?P<caller>{_SYMBOL}(?:{_OFFSET})?)(?: \[\w+\])?\)",
        read_arm_frame,
        partial=rf"\[<{_ADDRESS}>\] \((?P<callee>{_SYMBOL}(?:{_OFFSET})?)[^<]{{0,40}}(?:<[^()]{{0,17}}>?\]?)?"
        rf"(?: \((?P<caller>[^()]{{0,160}}))?",
        until=(5, 17),
    ),
    LineForm(
        "backtrace-arm-short",
        (" from ",),
        rf"(?P<callee>{_SYMBOL}) from (?P<caller>{_SYMBOL}{_OFFSET})(?: \[\w+\])?",
        read_arm_frame,
        since=(5, 18),
    ),
    LineForm(
        "backtrace-arm-no-symbols",
        ("Function entered at",),
        rf"Function entered at \[<(?P<callee>{_ADDRESS})>\] from \[<(?P<caller>{_ADDRESS})>\]",
        read_bare_frame,
    ),
    LineForm(
        "backtrace",
        ("+0x", "[<"),
        rf"(?:<[A-Z#]{{2,6}}> )?(?P<paren>\((?=\[))?(?:{_ADDRESS}: )?(?:\[<?{_ADDRESS}>?\] ){{0,2}}(?P<unsure>\? )?"
        rf"(?P<raw>(?P<symbol>{_SYMBOL}){_OFFSET})(?(paren)\))(?: \[[\w ]{{1,64}}\])?(?: \((?:unreliable|[A-Z]+)\))?"
        r"(?: <[A-Z/]{2,6}>)?",
        read_frame,
        partial=rf"(?:\((?=\[))?\[<{_ADDRESS}>\](?: \?)?(?: {_SYMBOL}(?:\+[0-9a-fx/]{{0,20}})?)?",
        grows=False,
        variants=(Variant("backtrace-ppc64", r"^\[c[0-9a-f]{15}\] \["),),
    ),
    LineForm(
        "backtrace-head",
        ("trace:", "Trace:", "Stack :", "TASK>", "IRQ>", "=====", "Stack:"),
        r"(?:Back|Call ?)[Tt]race: ?.{0,60}|Stack ?:.{0,200}|</?(?:TASK|IRQ|NMI|SOFTIRQ)>|={10,80}",
        read_nothing,
    ),
    LineForm(
        "registers",
        ("r", "R", "E", "Code:", "0", "f", "Exception"),
        r"(?:r\d{1,2}:[0-9a-f]{8} ?)+|(?:[ER][A-Z0-9]{1,2}: .{0,200})|Code: .{0,300}|Exception stack\(.{0,60}|"
        r"(?:[0-9a-f]{4}: )?[0-9a-f]{8,16}(?: [0-9a-f]{8,16}){0,11}",
        read_nothing,
        variants=(Variant("registers-x86_64", r"^RIP: "), Variant("registers-i386", r"^EIP: ")),
    ),
)
