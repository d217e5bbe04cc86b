"""What the reference says of one thing: a knob, a flag, a call site, a feature that is missing, a way memory works.

An entry is data with a source. Every field is checked when the files are read, and what is not a field is refused.
"""

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from oomadvisor.knowledge.versions import VersionRange, version_tuple

Topic = Literal[
    "sysctl",
    "process",
    "boot",
    "mount",
    "build",
    "absent",
    "gfp",
    "call-site",
    "allocator",
    "reclaim",
    "flash",
    "report",
    "measurement",
]
TOPICS: tuple[Topic, ...] = get_args(Topic)

AFFECTS = {
    "allocator-test": "the allocator's watermark test",
    "reserve": "what is kept for interrupts",
    "reclaim": "what reclaim takes, and when",
    "slab": "the kernel's own caches",
    "write-back": "when dirty pages are written",
    "swap": "swap",
    "overcommit": "whether mmap and fork are refused",
    "oom-choice": "whom the OOM killer chooses",
    "oom-action": "what the OOM killer does",
    "shared-memory": "tmpfs and shared memory",
    "sockets": "memory of sockets and packets",
    "processes": "how many processes and threads there are",
    "address-space": "what a process may map",
    "files": "how many files are open or cached",
    "order": "the size of the blocks that the kernel asks for",
    "zones": "the zones and their sizes",
    "memory-size": "how much memory there is to share out",
    "log": "what is logged",
    "restart": "whether the box comes back by itself",
    "scheduling": "who runs",
    "per-cpu-lists": "the per-cpu lists of single pages",
    "huge-pages": "huge pages",
    "numa": "NUMA machines only",
    "nothing": "nothing that matters here",
}
Computed = Literal["min_free_kbytes", "per_cpu_lists", "threads_max"]
ValueType = Literal["int", "unsigned int", "unsigned long", "list of int", "text", "size", "switch", "call", "build"]


def _is_version(text: str) -> str:
    if not version_tuple(text) or ".".join(map(str, version_tuple(text))) != text:
        raise ValueError(f"a kernel version such as 2.6.35 was expected, not {text!r}")
    return text


def _is_one_line(text: str) -> str:
    if "\n" in text or text != text.strip() or not text:
        raise ValueError("one line of text was expected")
    return text


def _is_prose(text: str) -> str:
    flat = " ".join(text.split())
    if not flat.endswith((".", "?", "!", ")")):
        raise ValueError("whole sentences were expected")
    return flat


def _is_affected(word: str) -> str:
    if word not in AFFECTS:
        raise ValueError(f"one of {', '.join(AFFECTS)} was expected, not {word!r}")
    return word


Affected = Annotated[str, AfterValidator(_is_affected)]
Release = Annotated[str, AfterValidator(_is_version)]
Line = Annotated[str, AfterValidator(_is_one_line), Field(max_length=100)]
Prose = Annotated[str, AfterValidator(_is_prose)]


class Entry(BaseModel):
    """One thing, its title in a line, and what there is to say about it.

    ``aliases``: other words by which people ask for it. ``see``: names of other entries. ``sources``: ids of
    sources.yaml. ``unsure``: what of it stands on general knowledge or weak evidence. ``since`` and ``until``: first
    and last series that have it; for a file of /proc/sys/vm they stand in knobs.yaml.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    topic: Topic
    name: Line
    aliases: tuple[Line, ...] = ()
    title: Line
    text: Prose
    since: Release | None = None
    until: Release | None = None
    unsure: Prose | None = None
    see: tuple[Line, ...] = ()
    sources: Annotated[tuple[Line, ...], Field(min_length=1)]

    @property
    def kernels(self) -> VersionRange:
        """The series that have it."""
        return VersionRange(
            version_tuple(self.since) if self.since else None, version_tuple(self.until) if self.until else None
        )

    def exists_in(self, version: tuple[int, ...]) -> bool | None:
        """Return whether a mainline kernel of ``version`` can have it, None where that is not recorded."""
        return self.kernels.holds(version)


class Setting(Entry):
    """Something that can be set: a sysctl, a control of a process, a boot parameter, a mount or build option.

    ``default`` is that of 2.6.31; ``computed`` names the kernel function behind a default that depends on the box.
    ``accepted``: which values are taken; ``bad_values``: what becomes of others. ``undo``: a command, or what to do.
    ``needs``: build options or hardware.
    """

    topic: Literal["sysctl", "process", "boot", "mount", "build"]
    type: ValueType
    unit: Line | None = None
    default: Line
    computed: Computed | None = None
    accepted: Line
    bad_values: Prose | None = None
    affects: Annotated[tuple[Affected, ...], Field(min_length=1)]
    takes_effect: Prose
    price: Prose
    undo: Line
    needs: Line | None = None


class Absent(Entry):
    """Something that people try on 2.6.31 and that is not there. Without ``since``: never in a mainline kernel."""

    topic: Literal["absent"]
    kind: Literal["knob", "feature"]
    vendor_only: bool = False
    instead: Prose

    def exists_in(self, version: tuple[int, ...]) -> bool | None:
        """Return whether a mainline kernel of ``version`` can have it: what never came in has no first series."""
        if self.vendor_only or self.since is None:
            return False
        return self.kernels.holds(version) is not False


class GfpEntry(Entry):
    """A bit, a composite, or a mask as it is often printed; ``value`` is its number in 2.6.31."""

    topic: Literal["gfp"]
    kind: Literal["bit", "composite", "mask"]
    value: Annotated[int, Field(ge=0, lt=1 << 25)]


class CallSiteEntry(Entry):
    """What there is to say of a call site beyond the line in call-sites.yaml, whose id is its name.

    ``orders``: the block sizes that were seen or follow from the source; empty when they depend on the caller.
    ``symbols``: functions on the way that do not decide by themselves.
    """

    topic: Literal["call-site"]
    orders: tuple[Annotated[int, Field(ge=0, le=12)], ...] = ()
    mask: Line
    symbols: tuple[Line, ...] = ()
    functions: tuple[str, ...] = ()
    avoid: str | None = None


class Fact(Entry):
    """A way the kernel works, what a report says, or a result of our own measurements."""

    topic: Literal["allocator", "reclaim", "flash", "report", "measurement"]


KINDS: dict[Topic, type[Entry]] = {
    **dict.fromkeys(("sysctl", "process", "boot", "mount", "build"), Setting),
    "absent": Absent,
    "gfp": GfpEntry,
    "call-site": CallSiteEntry,
    **dict.fromkeys(("allocator", "reclaim", "flash", "report", "measurement"), Fact),
}
