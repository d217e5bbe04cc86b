"""Work of a size that is worth sending: small inputs put together, large ones taken apart."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from oomadvisor.fleet.identity import digest
from oomadvisor.fleet.inputs import Input
from oomadvisor.parse.scan import BEGINNING, Cut

BUNDLE_BYTES = 4 << 20
BUNDLE_INPUTS = 64
ENOUGH_BUNDLES = 64
"""With fewer of them some processes would have nothing to do at the end."""
LARGE_BYTES = 8 << 20
SURVEY_BYTES = 256 << 20
"""So much of a log is looked through for cuts at a time, so that work on its beginning need not wait for its end."""
PACKED = (".gz", ".tgz", ".xz", ".txz", ".bz2", ".zst", ".tzst", ".zip")
PACKED_FACTOR = 10


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch of a large log; ``stop`` is ``None`` for the last one, which knows how many ``lines`` there are."""

    start: Cut
    stop: Cut | None
    lines: int = 0

    @property
    def place(self) -> tuple[int, int | None]:
        """Where it begins and ends, in bytes."""
        return self.start.offset, None if self.stop is None else self.stop.offset


@dataclass(frozen=True, slots=True)
class Bundle:
    """Some whole inputs, or one slice of one."""

    inputs: tuple[Input, ...]
    part: Slice | None = None

    @property
    def name(self) -> str:
        """What its parts are called: the same for the same work, so that work done twice replaces itself."""
        return digest([[one.key for one in self.inputs], None if self.part is None else self.part.place])

    @property
    def weight(self) -> int:
        """About how many bytes of text there are to read."""
        if self.part is None:
            return sum(weight_of(one) for one in self.inputs)
        start, stop = self.part.place
        return (stop if stop is not None else max(self.inputs[0].size or 0, start)) - start


@dataclass(frozen=True, slots=True)
class Search:
    """A large log is to be looked through for cuts, from one on; ``cuts`` are those known so far."""

    input: Input
    start: Cut = BEGINNING

    @property
    def name(self) -> str:
        """What it is called among other work."""
        return f"search-{self.input.key}-{self.start.offset}"

    @property
    def weight(self) -> int:
        """About how many bytes of text there are to look through."""
        return (self.input.size or 0) - self.start.offset


@dataclass(frozen=True, slots=True)
class Cuts:
    """What a search found: the slices of that stretch, and from where to go on (``None``: the log is at its end).

    ``whole``: the log cannot be cut (it is packed, or holds a bundle), so it is one piece of work.
    """

    slices: tuple[Slice, ...] = ()
    go_on: Cut | None = None
    whole: bool = False


Job = Bundle | Search


def weight_of(one: Input) -> int:
    """Return about how many bytes of text an input holds."""
    size = 1 << 20 if one.size is None else one.size
    return size * PACKED_FACTOR if one.name.lower().endswith(PACKED) else size


def jobs_for(inputs: Sequence[Input]) -> Iterator[Job]:
    """Yield the work on ``inputs``: large logs to be searched for cuts, and bundles of the others in their order."""
    most_bytes = min(BUNDLE_BYTES, sum(map(weight_of, inputs)) // ENOUGH_BUNDLES)
    most_inputs = max(min(BUNDLE_INPUTS, len(inputs) // ENOUGH_BUNDLES), 1)
    begun: list[Input] = []
    weight = 0
    for one in inputs:
        large = (one.size or 0) > LARGE_BYTES
        if large and not one.name.lower().endswith((*PACKED, ".tar")):
            yield Search(one)
            continue
        if begun and (weight + weight_of(one) > most_bytes or len(begun) >= most_inputs):
            yield Bundle(tuple(begun))
            begun, weight = [], 0
        begun.append(one)
        weight += weight_of(one)
    if begun:
        yield Bundle(tuple(begun))


def slices_of(start: Cut, cuts: Sequence[Cut], lines: int | None) -> tuple[Slice, ...]:
    """Return the slices between cuts; with ``lines`` given, the log ends behind the last one."""
    places = [start, *cuts]
    between = [Slice(one, other) for one, other in pairwise(places)]
    return tuple(between) if lines is None else (*between, Slice(places[-1], None, lines))
