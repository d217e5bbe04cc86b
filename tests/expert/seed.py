"""The seed report through the whole pipeline, once for all tests."""

from functools import cache
from pathlib import Path

from oomadvisor.advise import advise
from oomadvisor.book import load_book
from oomadvisor.infer import build_state
from oomadvisor.model import Incident, IncidentAdvice, SystemState
from oomadvisor.parse import read_incidents

SEED = Path(__file__).parents[2] / "examples" / "seed-2.6.31-arm-order2.txt"


def seed_lines() -> list[str]:
    return SEED.read_text(encoding="utf-8").splitlines(keepends=True)


@cache
def seed_incident() -> Incident:
    (incident,) = read_incidents(seed_lines(), file="seed.txt")
    return incident


@cache
def seed_state() -> SystemState:
    return build_state(seed_incident())


@cache
def seed_advice() -> IncidentAdvice:
    return advise(seed_state(), load_book())


def incident_of(lines: list[str]) -> Incident:
    (incident,) = read_incidents(lines, file="seed.txt")
    return incident
