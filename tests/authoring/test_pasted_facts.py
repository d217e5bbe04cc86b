"""What ``oomadvisor facts`` prints can be pasted into the test of a rule."""

import textwrap
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from oomadvisor.facts import facts_yaml
from oomadvisor.facts.kinds import SlabFact
from oomadvisor.rulebook.errors import Problems
from oomadvisor.rulebook.yaml_nodes import plain_data, read_yaml
from tests.cli.conftest import run

RULE = """\
schema: 1
rules:
  - id: pasted
    title: t
    kind: note
    note: {topic: finding}
    explain: e
    sources: [s]
    when:
      - request: {order: 2, gfp_hex: "0xd0", passes_high: false}
      - zone: {name: DMA, high: fails_in_order_loop, short_pages: 1}
      - memory: {file_lru_pages: 29}
    tests:
      - {name: empty, given: [], fires: false}
      - name: pasted
        fires: true
        given:
"""


def test_the_facts_of_a_report(tmp_path: Path, seed: str) -> None:
    pasted = textwrap.indent(run("facts", seed).out, " " * 10)
    (tmp_path / "x.yaml").write_text(RULE + pasted)
    assert run("rules", "check", str(tmp_path)).out == "1 sound rule, 0 errors, 0 warnings\n"
    assert run("rules", "test", str(tmp_path), "--coverage").code == 0


@given(
    st.text(min_size=1)
    | st.sampled_from(
        ["on", "no", "~", "010", "12:30", "1e5", "=", "- a", "{{x.y}}", "a: b", "#", "'", '"', "\x85", "\u2028"]
    )
)
def test_any_name_comes_back_as_it_was(name: str) -> None:
    fact = SlabFact(name=name, pages=1, objects=-1, object_bytes=0, largest=False)
    problems = Problems()
    node = read_yaml("x", facts_yaml([fact]), problems)
    assert problems.found == []
    assert node is not None
    assert plain_data(node) == ({"slab": fact.values()},)
