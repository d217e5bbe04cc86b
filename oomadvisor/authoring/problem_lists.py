"""What is wrong with rule files: for people, for programs and for GitHub's annotations."""

import json
from collections.abc import Sequence

from oomadvisor.rulebook.errors import Problem

SCHEMA = "oomadvisor/rule-problems/1"


def as_text(problems: Sequence[Problem], rules: int) -> str:
    """Return errors, then warnings, each with its line and a caret, and a line of totals."""
    errors = [problem for problem in problems if problem.severity == "error"]
    warnings = [problem for problem in problems if problem.severity == "warning"]
    totals = f"{_count(rules, 'sound rule')}, {_count(len(errors), 'error')}, {_count(len(warnings), 'warning')}"
    return "".join(f"{line}\n" for line in (*(problem.render() for problem in (*errors, *warnings)), totals))


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def as_json(problems: Sequence[Problem], rules: int) -> str:
    """Return the problems as one JSON document; ``line`` and ``column`` count from 1 (0: the file as a whole)."""
    document = {
        "schema": SCHEMA,
        "rules": rules,
        "problems": [
            {
                "file": problem.path,
                "line": problem.line,
                "column": problem.column,
                "severity": problem.severity,
                "code": problem.code,
                "text": problem.text,
                "hint": problem.hint,
            }
            for problem in problems
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def as_github(problems: Sequence[Problem]) -> str:
    """Return a workflow command for each problem: GitHub Actions shows them beside the lines."""
    return "".join(f"{_command(problem)}\n" for problem in problems)


def _command(problem: Problem) -> str:
    place = f"file={_property(problem.path)}"
    if problem.line:
        place += f",line={problem.line},col={problem.column}"
    told = f"{problem.text}; {problem.hint}" if problem.hint else problem.text
    return f"::{problem.severity} {place},title={_property(problem.code)}::{_data(told)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
