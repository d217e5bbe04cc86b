"""``advise --format html``: the page needs the text of the input beside the advice, so the input is read twice."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from io import TextIOWrapper
from typing import TYPE_CHECKING

from oomadvisor.cli.extras import PAGE, need
from oomadvisor.cli.inputs import Inputs, Picked, Wanted, pick

if TYPE_CHECKING:
    from oomadvisor.model import Advice, Incident
    from oomadvisor.present.charts import Moment

MOST_MOMENTS = 1000
MEMORY_BYTES = 1 << 26
"""What of standard input is kept in memory; more of it goes to a temporary file."""


def page(inputs: Inputs, wanted: Wanted, ask: Callable[[Picked], "Advice"]) -> str:
    """Return the page on the incidents wanted; ``ask`` gives the advice on them.

    :raises typer.BadParameter: the extra ``page`` is not installed.
    """
    need(PAGE, "--format html")
    from oomadvisor.present.charts.draw import warm_up

    warm_up()
    keep_standard_input(inputs)
    picked, moments = pick_with_moments(inputs, wanted)
    advice = ask(picked)
    from oomadvisor.present.html.page import MOST_IN_FULL, render_page

    return render_page(advice, lines_of(advice, MOST_IN_FULL), moments)


def pick_with_moments(inputs: Inputs, wanted: Wanted) -> "tuple[Picked, list[Moment]]":
    """Pick as :func:`pick` does, and return besides what a timeline shows of the first MOST_MOMENTS incidents."""
    from oomadvisor.present.charts import Moment

    moments: list[Moment] = []

    def see(incident: "Incident") -> None:
        if len(moments) < MOST_MOMENTS:
            moments.append(Moment.of(incident))

    return pick(inputs, wanted, see), moments


def keep_standard_input(inputs: Inputs) -> None:
    """Make standard input readable a second time, where it is one of the inputs and a pipe."""
    if "-" not in (inputs.report, inputs.sysctl, *inputs.proc) or sys.stdin is None:
        return
    try:
        os.lseek(sys.stdin.fileno(), 0, os.SEEK_CUR)
    except OSError:
        kept = tempfile.SpooledTemporaryFile(max_size=MEMORY_BYTES)  # noqa: SIM115  (it lives as long as the process)
        shutil.copyfileobj(sys.stdin.buffer, kept)
        kept.seek(0)
        sys.stdin = TextIOWrapper(kept)


def lines_of(advice: "Advice", most: int) -> dict[str, dict[int, str]]:
    """Return the lines that a page on the first ``most`` incidents shows, by file; a file that is gone has none."""
    from oomadvisor.parse import InputError, open_text
    from oomadvisor.present.html.listing import wanted_lines

    wanted: dict[str, set[int]] = {}
    for one in advice.incidents[:most]:
        for file, numbers in wanted_lines(one).items():
            wanted.setdefault(file, set()).update(numbers)
    found: dict[str, dict[int, str]] = {}
    for file, numbers in wanted.items():
        if file == "-":
            sys.stdin.seek(0)
        own = found[file] = {}
        try:
            with open_text(file) as text:
                for number, line in enumerate(text, 1):
                    if number in numbers:
                        own[number] = line.rstrip("\r\n")
                    if number >= max(numbers):
                        break
        except InputError:
            continue
    return found
