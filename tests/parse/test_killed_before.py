"""What an earlier report of the same boot killed is known to the later ones, as far as it matters to them."""

from oomadvisor.advise import advise
from oomadvisor.book import load_book
from oomadvisor.infer import build_state
from oomadvisor.model import Incident
from oomadvisor.parse import read_incidents
from oomadvisor.parse.machine import KILLS_REMEMBERED
from tests.expert import later

RULES = {"killed-before-and-still-there", "killed-before-and-given-back"}


def reports(*pids: int, banner: bool = False) -> list[Incident]:
    """A report for each number, in which the process of that number is killed; the task table has app, process 300."""
    head, *body = later.report()
    lines = [head]
    for pid in pids:
        kill = body[-1].replace("process 300", f"process {pid}")
        lines += [*([head] if banner else []), *body[:-1], kill]
    return list(read_incidents(lines, file="kern.log"))


def rules_of(incident: Incident) -> set[str]:
    return {cause.rule for cause in advise(build_state(incident), load_book(())).causes} & RULES


def test_a_victim_that_is_still_in_the_table_is_told() -> None:
    first, second = reports(300, 300)
    assert (first.killed_before, rules_of(first)) == ((), set())
    (kill,) = second.killed_before
    assert (kill.pid, kill.name, kill.line) == (300, "app", first.last_line)
    assert rules_of(second) == {"killed-before-and-still-there"}


def test_a_victim_that_has_gone_is_not() -> None:
    _, second = reports(77, 300)
    assert [kill.pid for kill in second.killed_before] == [77]
    assert rules_of(second) == set()


def test_a_boot_ends_it() -> None:
    assert [incident.killed_before for incident in reports(300, 300, banner=True)] == [(), ()]


def test_only_the_last_few_are_remembered() -> None:
    *_, last = reports(*range(1000, 1000 + 2 * KILLS_REMEMBERED))
    assert [kill.pid for kill in last.killed_before] == list(range(999 + KILLS_REMEMBERED, 999 + 2 * KILLS_REMEMBERED))
