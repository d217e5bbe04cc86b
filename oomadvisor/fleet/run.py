"""A fleet, from its inputs to its tables: what is to be done, by whom, and what is kept of it."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from oomadvisor.fleet.bundles import Bundle, Cuts, Job, Search, jobs_for, weight_of
from oomadvisor.fleet.dataset import Dataset, parts_of
from oomadvisor.fleet.engine import Died, Engine
from oomadvisor.fleet.identity import digest
from oomadvisor.fleet.inputs import Input, Unlisted
from oomadvisor.fleet.reading import Outcome
from oomadvisor.fleet.work import Done


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: bytes of text (about) done and to do, inputs finished and unreadable, incidents found."""

    done_bytes: int = 0
    all_bytes: int = 0
    inputs: int = 0
    unreadable: int = 0
    incidents: int = 0
    reasons: tuple[tuple[str, str], ...] = ()


@dataclass
class Run:
    """One run over ``inputs`` into ``dataset``. What the ledger holds already is not done again."""

    dataset: Dataset
    inputs: Sequence[Input]
    unlisted: Sequence[Unlisted] = ()
    progress: Progress = Progress()
    _jobs: deque[Job] = field(default_factory=deque)
    _slices: dict[str, list[tuple[int, int | None]]] = field(default_factory=dict)
    _outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    _retried: set[str] = field(default_factory=set)

    def plan(self) -> None:
        """Read the ledger and find out what is left to do. Raises OSError."""
        current = {one.key: one for one in self.inputs}
        finished: set[str] = set()
        total = sum(weight_of(one) for one in current.values())
        self.progress = replace(self.progress, all_bytes=total)
        for bundle, entry in list(self.dataset.entries()):
            keys = entry["inputs"]
            if not keys or any(key not in current for key in keys):
                self.dataset.forget(bundle)  # about the run itself, or about a file that has changed since
                continue
            outcomes = [Outcome(**one) for one in entry["outcomes"]]
            place = entry["slice"]
            if place is None:
                finished |= set(keys)
                self._count(outcomes, sum(weight_of(current[key]) for key in keys))
            else:
                self._slices.setdefault(keys[0], []).append((place[0], place[1]))
                self._outcomes.setdefault(keys[0], []).extend(outcomes)
                self._count(outcomes, 0, inputs=0)
        for key, places in self._slices.items():
            if _is_complete(places):
                finished.add(key)
                self._count((), weight_of(current[key]), inputs=1)
        left = [one for key, one in current.items() if key not in finished]
        # Large logs first, then large bundles: what is done last should be small, so that nobody waits for it.
        self._jobs.extend(sorted(jobs_for(left), key=lambda job: (isinstance(job, Bundle), -job.weight)))

    def go(self, engine: Engine, tell: Callable[[Progress], None]) -> None:
        """Do all that is left, and write the tables. Raises EngineLostError and OSError; what was done stays done."""
        tell(self.progress)
        while self._jobs or engine.busy:
            while self._jobs and engine.room > 0:
                engine.submit(self._jobs.popleft())
            job, answer = engine.next()
            if isinstance(answer, Died):
                self._give_up(job, answer.reason)
            elif isinstance(job, Search) and isinstance(answer, Cuts):
                self._go_on(job, answer)
            elif isinstance(job, Bundle) and isinstance(answer, Done):
                self._keep(job, answer)
            tell(self.progress)
        self._close()

    def _keep(self, bundle: Bundle, done: Done) -> None:
        place = None if bundle.part is None else bundle.part.place
        keys = [one.key for one in bundle.inputs]
        self.dataset.keep(bundle.name, done.parts, _entry(keys, place, done.outcomes))
        if place is None:
            self._count(done.outcomes, bundle.weight)
        else:
            self._outcomes.setdefault(keys[0], []).extend(done.outcomes)
            places = self._slices.setdefault(keys[0], [])
            places.append(place)
            self._count(done.outcomes, bundle.weight, inputs=int(_is_complete(places)))

    def _go_on(self, search: Search, cuts: Cuts) -> None:
        """Put the slices that a search found in the line, the first ones, and the rest of the search before them."""
        key = search.input.key
        if cuts.whole:
            self._jobs.append(Bundle((search.input,)))
            return
        known = set(self._slices.get(key, ()))
        for part in reversed(cuts.slices):
            if part.place in known:
                self._count((), Bundle((search.input,), part).weight, inputs=0)
            else:
                self._jobs.appendleft(Bundle((search.input,), part))
        if cuts.go_on is not None:
            self._jobs.appendleft(Search(search.input, cuts.go_on))

    def _give_up(self, job: Job, reason: str) -> None:
        """Try the inputs of a bundle one by one; the one that no process survives is unreadable."""
        if isinstance(job, Search):
            self._jobs.append(Bundle((job.input,)))
        elif len(job.inputs) > 1:
            self._jobs.extend(Bundle((one,)) for one in job.inputs)
        else:
            (one,) = job.inputs
            outcome = Outcome(one.name, size=one.size, state="unreadable", reason=reason)
            rows = {"inputs": [outcome.row()]} if job.part is None else {}
            self._keep(job, Done(parts_of(job.name, 0, rows), (outcome,)))

    def _count(self, outcomes: Iterable[Outcome], weight: int, *, inputs: int | None = None) -> None:
        outcomes = list(outcomes)
        bad = [one for one in outcomes if one.state != "finished"]
        known = self.progress
        self.progress = replace(
            known,
            done_bytes=min(known.done_bytes + weight, known.all_bytes),
            inputs=known.inputs + (len(outcomes) if inputs is None else inputs),
            unreadable=known.unreadable + len(bad),
            incidents=known.incidents + sum(one.incidents for one in outcomes),
            reasons=(*known.reasons, *((one.input, one.reason or "") for one in bad))[:5],
        )

    def _close(self) -> None:
        """Write the rows of what no bundle tells alone: the logs that were cut, and what could not be listed."""
        rows = [outcome.row() for outcome in map(_together, self._outcomes.values())]
        unlisted = [Outcome(one.name, "folder", state="unreadable", reason=one.reason) for one in self.unlisted]
        self._count(unlisted, 0)
        rows += [one.row() for one in unlisted]
        name = digest(["about the run"])
        parts = parts_of(name, 0, {"inputs": sorted(rows, key=lambda row: str(row["input"]))})
        self.dataset.keep(name, parts, _entry([], None, ()))
        self.dataset.end()


def _entry(keys: Sequence[str], place: tuple[int, int | None] | None, outcomes: Iterable[Outcome]) -> dict[str, Any]:
    return {"inputs": list(keys), "slice": place, "outcomes": [asdict(one) for one in outcomes]}


def _is_complete(places: Iterable[tuple[int, int | None]]) -> bool:
    """Return whether slices follow each other from the beginning of a log to its end."""
    at: int | None = 0
    for start, stop in sorted(places, key=lambda place: place[0]):
        if start != at:
            return False
        at = stop
    return at is None


def _together(outcomes: Sequence[Outcome]) -> Outcome:
    """Return what became of a log from what became of its slices."""
    bad = [one for one in outcomes if one.state != "finished"]
    odd = next((one.reason for one in (*bad, *outcomes) if one.reason is not None), None)
    return replace(
        outcomes[0],
        lines=max(one.lines for one in outcomes),
        incidents=sum(one.incidents for one in outcomes),
        seconds=sum(one.seconds for one in outcomes),
        state="unreadable" if bad else "finished",
        reason=odd,
    )
