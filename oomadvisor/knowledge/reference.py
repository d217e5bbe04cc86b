"""The reference: every entry of ``knowledge/reference/``, and what follows from the files that an advice reads.

Only ``oomadvisor knowledge`` reads it: it is many times larger than what an advice needs.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import ValidationError

from oomadvisor.knowledge.callsites import call_sites
from oomadvisor.knowledge.entry import KINDS, TOPICS, Entry
from oomadvisor.knowledge.evidence import measured_ground, measured_rates
from oomadvisor.knowledge.files import read
from oomadvisor.knowledge.knobs import knobs
from oomadvisor.resources import resource_dir


@cache
def entries() -> tuple[Entry, ...]:
    """Return every entry, by topic, and within a topic in the sequence of its files.

    :raises ValueError: an entry is not of the shape that its topic has; the text names file, entry and field.
    """
    names = sorted(path.stem for path in (resource_dir("knowledge") / "reference").glob("*.yaml"))
    found = [entry for name in names for entry in _of_file(f"reference/{name}")]
    found += _measurements()
    return tuple(sorted(found, key=lambda entry: TOPICS.index(entry.topic)))


def _of_file(name: str) -> Iterator[Entry]:
    content = read(name)
    topic = content["topic"]
    for row in content["entries"]:
        # Strict about JSON's types: a YAML list is a tuple of ours, but a number is no text and 1 is not true.
        text = json.dumps({"topic": topic, **row, **_joined(topic, row)})
        try:
            yield KINDS[topic].model_validate_json(text)
        except ValidationError as error:
            raise ValueError(f"knowledge/{name}.yaml: {row.get('name')}: {error}") from error


def _joined(topic: str, row: dict[str, Any]) -> dict[str, Any]:
    """Return what the files of the pipeline know of an entry, so that nothing stands in two places."""
    knob = knobs().get(row["name"])
    if knob is not None:
        bounds = {"since": ".".join(map(str, knob.since)), "until": ".".join(map(str, knob.until))}
        return {**bounds, "vendor_only": True} if knob.vendor_only else bounds
    site = next((s for s in call_sites() if s.id == row["name"]), None) if topic == "call-site" else None
    if site is not None:
        title = f"{site.what[0].upper()}{site.what[1:]}"
        return {"title": title, "functions": sorted(site.any_of), "avoid": site.avoidable}
    return {}


def _measurements() -> Iterator[Entry]:
    ground = measured_ground()["text"]
    for rate in measured_rates().values():
        interval = rate.wilson_permille()
        share = ""
        if interval is not None:
            low, high = (f"{permille // 10}.{permille % 10}" for permille in interval)
            share = f"{rate.successes} of {rate.trials} (95 % interval {low} to {high} %): "
        text = f"{share}{rate.text}. Made on: {rate.state}. Ground: {ground}."
        title = f"Measured: {rate.successes} of {rate.trials}" if interval is not None else "Measured"
        yield KINDS["measurement"](
            topic="measurement",
            name=rate.id,
            title=f"{title}, {rate.source}",
            text=text,
            since="2.6.31",
            until="2.6.31",
            sources=("device-runs",),
        )


def spelled(name: str) -> str:
    """Return a name as it is compared: /proc/sys paths and CONFIG_ are written in many ways.

    >>> spelled("/proc/sys/vm/Swappiness"), spelled("CONFIG_SLUB"), spelled("mem=64M")
    ('vm.swappiness', 'slub', 'mem')
    """
    flat = name.strip().casefold()
    for prefix in ("/proc/sys/", "proc/sys/"):
        flat = flat.removeprefix(prefix)
    if not flat.startswith("/"):
        flat = flat.replace("/", ".")
    return flat.removeprefix("config_").split("=")[0]


@cache
def _by_spelling() -> dict[str, tuple[Entry, ...]]:
    found: dict[str, list[Entry]] = {}
    for entry in entries():
        for word in dict.fromkeys(map(spelled, (entry.name, *entry.aliases, *_functions(entry)))):
            found.setdefault(word, []).append(entry)
    return {word: tuple(of) for word, of in found.items()}


def _functions(entry: Entry) -> tuple[str, ...]:
    """Return the functions of a call site, which are names for it too."""
    return (*getattr(entry, "functions", ()), *getattr(entry, "symbols", ()))


def named(name: str) -> tuple[Entry, ...]:
    """Return the entries that are called ``name``: by name or alias, by a function, or by the last part of a sysctl.

    Several when the name means several things (``panic`` is a sysctl and a boot parameter); none when it is unknown.
    """
    word = spelled(name)
    exact = _by_spelling().get(word, ())
    tails = tuple(
        entry
        for entry in entries()
        if entry.name.count(".") and entry.name.casefold().rpartition(".")[2] == word and entry not in exact
    )
    return (*exact, *tails)


def all_names() -> tuple[str, ...]:
    """Return every word under which something is found, for guessing what a misspelt one meant."""
    tails = (entry.name.rpartition(".")[2] for entry in entries() if "." in entry.name)
    return tuple(dict.fromkeys((*_by_spelling(), *(tail.casefold() for tail in tails))))


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry that holds all words of a search; a lower ``rank`` is a better place (name, title, text)."""

    entry: Entry
    rank: int


def search(words: Sequence[str], among: Iterable[Entry]) -> tuple[Hit, ...]:
    """Return the entries that hold every word somewhere, those first that hold them in their name or title."""
    wanted = [word.casefold() for word in words]
    hits = []
    for entry in among:
        name = " ".join((entry.name, *entry.aliases, *_functions(entry))).casefold()
        title = f"{name} {entry.title.casefold()}"
        whole = f"{title} {' '.join(_texts(entry.model_dump(mode='json'))).casefold()}"
        for rank, place in enumerate((name, title, whole)):
            if all(word in place for word in wanted):
                hits.append(Hit(entry, rank))
                break
    return tuple(sorted(hits, key=lambda hit: hit.rank))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _texts(part)
