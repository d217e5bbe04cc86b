"""The results of rule tests for people, for programs and for CI servers."""

import json
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree

from oomadvisor.authoring.trial import Session, Trial

SCHEMA = "oomadvisor/rule-tests/1"


def as_text(session: Session, *, coverage: bool) -> str:
    """Return the tests that did not pass, the rules without tests when ``coverage``, and a line of totals."""
    lines = [line for trial in session.trials if trial.status != "passed" for line in _told(trial)]
    if coverage:
        lines += [f"{one.place}: {one.rule} has no {' and no '.join(one.missing)} test" for one in session.uncovered]
        lines += [] if session.uncovered else ["every rule has a positive and a negative test"]
    return "".join(f"{line}\n" for line in (*lines, totals(session.trials)))


def totals(trials: Sequence[Trial]) -> str:
    """Return how many tests passed, failed and could not be run."""
    count = {status: sum(trial.status == status for trial in trials) for status in ("passed", "failed", "error")}
    unusable = f", {count['error']} could not be run" if count["error"] else ""
    tests = "1 test" if len(trials) == 1 else f"{len(trials)} tests"
    return f"{tests}: {count['passed']} passed, {count['failed']} failed{unusable}"


def _told(trial: Trial) -> Iterator[str]:
    yield f"{trial.place}: {trial.status}: {trial.rule}: {trial.name}"
    yield from (f"    {reason}" for reason in trial.reasons)


def as_json(session: Session) -> str:
    """Return all tests, and the rules that lack some, as one JSON document."""
    document = {
        "schema": SCHEMA,
        "tests": [
            {
                "rule": trial.rule,
                "name": trial.name,
                "place": trial.place,
                "status": trial.status,
                "fires": trial.fires,
                "reasons": list(trial.reasons),
            }
            for trial in session.trials
        ],
        "uncovered": [
            {"rule": one.rule, "place": one.place, "missing": list(one.missing)} for one in session.uncovered
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def as_junit(session: Session) -> str:
    """Return the tests as the XML that CI servers read: a suite for each file, a class for each rule."""
    root = ElementTree.Element("testsuites", name="oomadvisor rules test")
    suites: dict[str, list[Trial]] = {}
    for trial in session.trials:
        suites.setdefault(trial.place.rpartition(":")[0], []).append(trial)
    for file, trials in suites.items():
        suite = ElementTree.SubElement(root, "testsuite", {"name": _xml(file), **_counts(trials)})
        for trial in trials:
            _file, _, line = trial.place.rpartition(":")
            attributes = {"classname": trial.rule, "name": _xml(trial.name), "file": _xml(file), "line": line}
            case = ElementTree.SubElement(suite, "testcase", attributes)
            if trial.status != "passed":
                tag = "failure" if trial.status == "failed" else "error"
                ElementTree.SubElement(case, tag, message=_xml(trial.reasons[0])).text = _xml("\n".join(trial.reasons))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _counts(trials: Sequence[Trial]) -> dict[str, str]:
    failures, errors = (str(sum(trial.status == status for trial in trials)) for status in ("failed", "error"))
    return {"tests": str(len(trials)), "failures": failures, "errors": errors}


def _xml(text: str) -> str:
    # XML 1.0 has no way to write control characters and lone surrogates.
    return "".join(char if char.isprintable() or char == "\n" else "\ufffd" for char in text)
