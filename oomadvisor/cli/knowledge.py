"""``oomadvisor knowledge``: the reference on knobs, flags, call sites and features, to list, show and search."""

from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from oomadvisor.cli import options
from oomadvisor.cli.columns import aligned
from oomadvisor.cli.output import Colour, check_target, coloured, columns, to_stderr, write_result

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oomadvisor.knowledge import Version
    from oomadvisor.knowledge.entry import Entry
    from oomadvisor.knowledge.mask import MaskReading


class Topic(str, Enum):
    """What an entry is about."""

    sysctl = "sysctl"
    process = "process"
    boot = "boot"
    mount = "mount"
    build = "build"
    absent = "absent"
    gfp = "gfp"
    call_site = "call-site"
    allocator = "allocator"
    reclaim = "reclaim"
    flash = "flash"
    report = "report"
    measurement = "measurement"


OneTopic = Annotated[
    Topic | None,
    typer.Option(
        "--topic",
        help="Only entries about this: settings by where they are made (sysctl, process, boot, mount, build), what "
        "does not exist in 2.6.31 (absent), gfp flags, call sites, and how things work.",
        show_default=False,
    ),
]
InKernel = Annotated[
    str | None,
    typer.Option(
        "--kernel", metavar="VERSION", help="Only what a kernel of this version can have.", show_default=False
    ),
]
Form = Annotated[options.ExplainFormat, typer.Option("--format", help="The form of the result.")]

knowledge_app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Look up knobs, gfp masks, functions of a backtrace, options, and what does not exist in 2.6.31.",
    epilog="""\b
Examples:
  oomadvisor knowledge show vm.min_free_kbytes
  oomadvisor knowledge show 0x201da
  oomadvisor knowledge search swap nand
""",
)


@knowledge_app.command(
    name="list",
    epilog="""\b
Examples:
  oomadvisor knowledge list
  oomadvisor knowledge list --topic absent
  oomadvisor knowledge list --kernel 2.6.31 --format json
""",
)
def list_entries(
    topic: OneTopic = None,
    kernel: InKernel = None,
    form: Form = options.ExplainFormat.text,
    output: options.Output = None,
    force: options.Force = False,
) -> None:
    """List the entries of the reference: name, topic and title."""
    check_target(output, force=force)
    version = _version(kernel)
    from oomadvisor.knowledge.reference import entries

    _write_list(_picked(entries(), topic, version), form, output, force)


@knowledge_app.command(
    epilog="""\b
Examples:
  oomadvisor knowledge show vm.min_free_kbytes --ram 64
  oomadvisor knowledge show 0x280da
  oomadvisor knowledge show 'GFP_KERNEL|__GFP_ZERO'
  oomadvisor knowledge show get_pgd_slow
  oomadvisor knowledge show compaction --kernel 2.6.35
"""
)
def show(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME...",
            help="A sysctl, a gfp flag or mask, a function of a backtrace, a feature, a boot parameter, a mount or "
            "build option, a line of a report, a measurement.",
            show_default=False,
        ),
    ],
    ram: Annotated[
        int | None,
        typer.Option(
            "--ram",
            min=1,
            max=4096,
            metavar="MB",
            help="Compute defaults for a box with this much RAM.",
            show_default=False,
        ),
    ] = None,
    kernel: Annotated[
        str | None,
        typer.Option(
            "--kernel", metavar="VERSION", help="Say whether a kernel of this version has it.", show_default=False
        ),
    ] = None,
    form: Form = options.ExplainFormat.text,
    output: options.Output = None,
    force: options.Force = False,
    color: options.Color = Colour.auto,
    width: options.Width = None,
) -> None:
    """Show all that is known of one thing: what it is, its default, what a write does, its price, how to undo it.

    A number or names joined by | are read as a gfp mask of 2.6.31. A name can mean several things: then all are shown.
    """
    check_target(output, force=force)
    version = _version(kernel)
    from oomadvisor.knowledge.mask import MaskReading
    from oomadvisor.present.knowledge import knowledge_json, render_entries, render_mask

    found = [_meant(name) for name in names]
    if form is options.ExplainFormat.json:
        from oomadvisor.present.json import dumps

        entries = [entry for one in found if not isinstance(one, MaskReading) for entry in one]
        masks = [one for one in found if isinstance(one, MaskReading)]
        write_result(dumps(knowledge_json(entries, masks, ram_mb=ram)), output, force=force)
        return
    fill, colour = columns(width, output), coloured(color, output)
    parts = [
        render_mask(one, width=fill, colour=colour)
        if isinstance(one, MaskReading)
        else render_entries(one, ram_mb=ram, version=version, width=fill, colour=colour)
        for one in found
    ]
    write_result("\n".join(parts), output, force=force)


@knowledge_app.command(
    epilog="""\b
Examples:
  oomadvisor knowledge search order 2
  oomadvisor knowledge search tmpfs --topic mount
"""
)
def search(
    words: Annotated[
        list[str], typer.Argument(metavar="WORDS...", help="Words that must all occur.", show_default=False)
    ],
    topic: OneTopic = None,
    kernel: InKernel = None,
    form: Form = options.ExplainFormat.text,
    output: options.Output = None,
    force: options.Force = False,
) -> None:
    """Search names, titles and texts. Entries that have the words in their name or title come first."""
    check_target(output, force=force)
    version = _version(kernel)
    from oomadvisor.knowledge.reference import entries
    from oomadvisor.knowledge.reference import search as find

    hits = find(words, _picked(entries(), topic, version))
    if not hits:
        to_stderr(f"Nothing holds {' and '.join(map(repr, words))}; fewer words or parts of words find more.")
    _write_list([hit.entry for hit in hits], form, output, force)


def _write_list(entries: "Iterable[Entry]", form: options.ExplainFormat, output: "options.Output", force: bool) -> None:
    from oomadvisor.present.knowledge import entry_rows, knowledge_json

    found = list(entries)
    if form is options.ExplainFormat.json:
        from oomadvisor.present.json import dumps

        write_result(dumps(knowledge_json(found)), output, force=force)
    else:
        write_result(aligned(entry_rows(found)) if found else "", output, force=force)


def _picked(entries: "Iterable[Entry]", topic: Topic | None, version: "Version | None") -> "list[Entry]":
    return [
        entry
        for entry in entries
        if (topic is None or entry.topic == topic.value) and (version is None or entry.exists_in(version) is not False)
    ]


def _meant(name: str) -> "MaskReading | tuple[Entry, ...]":
    """Return what a name stands for: a mask, or all entries of that name."""
    from oomadvisor.knowledge.mask import mask_value, read_mask

    mask = mask_value(name)
    return read_mask(mask) if mask is not None else _named(name)


def _named(name: str) -> "tuple[Entry, ...]":
    from oomadvisor.knowledge.reference import all_names, named
    from oomadvisor.parse.lines.trace import plain_symbol
    from oomadvisor.present.printable import printable

    found = named(name) or named(plain_symbol(name.split("+")[0]))
    if not found:
        hint = _nearest(name, all_names())
        raise typer.BadParameter(f"nothing is known under {printable(name)!r}; {hint}", param_hint="NAME")
    return found


def _nearest(name: str, known: "tuple[str, ...]") -> str:
    from difflib import get_close_matches

    from oomadvisor.knowledge.reference import spelled

    close = get_close_matches(spelled(name)[:100], known, n=3, cutoff=0.6)
    if close:
        return f"did you mean {' or '.join(map(repr, close))}?"
    return "'oomadvisor knowledge search' looks inside the texts, 'knowledge list' shows all names."


def _version(kernel: str | None) -> "Version | None":
    if kernel is None:
        return None
    from oomadvisor.knowledge.versions import version_tuple
    from oomadvisor.present.printable import printable

    version = version_tuple(kernel)
    if len(version) < 2:
        text = f"{printable(kernel)!r} is no kernel version; one such as 2.6.31 was expected."
        raise typer.BadParameter(text, param_hint="--kernel")
    return version
