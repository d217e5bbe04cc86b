"""Templates: what the filters write, what happens to missing and hostile values, and that nothing else can be said."""

import time

import pytest

from oomadvisor.rulebook.names import Names
from oomadvisor.rulebook.template import FILTERS, RENDERED_MAX, THIN, faults, grouped, render, render_command
from tests.rulebook.toy import KINDS, RequestFact, SwapFact, TaskFact, ZoneFact


def zone(**values: object) -> ZoneFact:
    return ZoneFact(**{"name": "DMA", "free_pages": 97, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("place", "pages", "text"),
    [
        ("{{zone.free_pages}}", 9998, "9998"),
        ("{{zone.free_pages|n}}", 9998, f"9{THIN}998"),
        ("{{zone.free_pages|n}}", 998, "998"),
        ("{{zone.free_pages|n}}", -1234567, f"-1{THIN}234{THIN}567"),
        ("{{zone.free_pages|kb}}", 4282, f"17{THIN}128 kB"),
        ("{{zone.free_pages|kb}}", 0, "0 kB"),
        ("{{zone.free_pages|mb}}", 26500, "103.5 MB"),
        ("{{zone.free_pages|mb}}", 1024, "4.0 MB"),
        ("{{zone.free_pages|mb}}", -128, "-0.5 MB"),
        ("{{zone.free_pages|mb_from_kb}}", 105984, "103.5 MB"),
        ("{{zone.free_pages|percent}}", 660, "66 %"),
        ("{{zone.free_pages|percent}}", 66, "6.6 %"),
        ("{{zone.free_pages|percent}}", 5, "0.5 %"),
        ("{{zone.free_pages|percent}}", -5, "-0.5 %"),
        ("{{zone.free_pages|percent}}", 1000, "100 %"),
        ("{{zone.free_pages|blocks}}", 2, "16 kB"),
        ("{{zone.free_pages|blocks}}", -1, "unknown"),
        ("{{zone.free_pages|blocks}}", 2**62, "unknown"),
        ("{{zone.free_pages|plural:page:pages}}", 1, "1 page"),
        ("{{zone.free_pages|plural:page:pages}}", 1500, f"1{THIN}500 pages"),
        ("{{ zone.free_pages | n }}", 5, "5"),
        ("a {{zone.free_pages}} b {{zone.name}} c", 5, "a 5 b DMA c"),
        ("no place } } {", 5, "no place } } {"),
        ("{{zone.eligible}}", 5, "yes"),
    ],
)
def test_what_is_written(place: str, pages: int, text: str) -> None:
    assert render(place, {"zone": zone(free_pages=pages)}) == text


def test_the_page_size_of_the_report_counts() -> None:
    facts = {"zone": zone(free_pages=2)}
    assert render("{{zone.free_pages|kb}} {{zone.free_pages|blocks}}", facts, page_kb=16) == "32 kB 64 kB"


def test_what_is_missing_is_unknown() -> None:
    facts = {"zone": zone(), "request": RequestFact(order=2)}
    text = "{{zone.fill_permille|percent}}, {{request.comm}}, {{swap.free_kb|n}}, {{params.x}}, {{zone.nothing}}"
    assert render(text, facts) == "unknown, unknown, unknown, unknown, unknown"


def test_parameters() -> None:
    assert (
        render("{{params.low|n}} {{params.on}} {{params.name}}", {}, {"low": 1000, "on": False, "name": "x"})
        == f"1{THIN}000 no x"
    )


def test_what_a_log_says_is_not_read_as_a_template() -> None:
    assert render("{{zone.name}}", {"zone": zone(name="{{zone.free_pages}}")}) == "{{zone.free_pages}}"


def test_terminal_escapes_and_line_breaks_of_a_log_do_not_get_through() -> None:
    assert render("{{zone.name}}", {"zone": zone(name="a\x1b[31m\nb\u202e")}) == "a\ufffd[31m\ufffdb\ufffd"


@pytest.mark.parametrize("name", ["$(reboot)", "a; reboot", "`reboot`", "a'b", "x\nreboot", "-rf", ""])
def test_a_name_in_a_log_cannot_become_a_command(name: str) -> None:
    import shlex

    written = render_command("du -s {{zone.name}} {{zone.free_pages}}", {"zone": zone(name=name)})
    assert shlex.split(written) == ["du", "-s", name.replace("\n", "\ufffd"), "97"]


def test_a_plain_name_in_a_command_stays_as_it_is() -> None:
    assert render_command("du {{zone.name}}", {"zone": zone(name="/var/log")}) == "du /var/log"


def test_the_result_is_bounded() -> None:
    text = "{{zone.name}}" * 1000
    assert len(render(text, {"zone": zone(name="x" * 1024)})) == RENDERED_MAX
    assert len(render("y" * 100_000, {})) == RENDERED_MAX


@pytest.mark.parametrize(
    "text",
    ["{{" * 10_000, "{{a.b|" + " " * 19_000 + "|}}", "{{" + "a" * 19_000, "{{" + " " * 19_000 + "}}", "{" * 20_000],
)
def test_hostile_templates_are_checked_quickly(text: str) -> None:
    started = time.perf_counter()
    list(faults(text, Names({})))
    render(text, {})
    assert time.perf_counter() - started < 1


def test_only_declared_names_can_be_read() -> None:
    names = Names({"zone": KINDS["zone"].fields})
    for inside in ("zone.__class__", "zone.key", "zone.origin", "zone.values", "zone.model_fields", "self.x"):
        assert [fault.code for fault in faults(f"{{{{{inside}}}}}", names)] in (["unknown-field"], ["unknown-alias"]), (
            inside
        )
        assert render(f"{{{{{inside}}}}}", {"zone": zone(key="k")}) == "unknown"


def test_every_filter_takes_every_number() -> None:
    for filter_ in [*FILTERS, "plural:a:b"]:
        for number in (0, 1, -1, 2**63 - 1, -(2**63) + 1):
            assert render(f"{{{{swap.free_kb|{filter_}}}}}", {"swap": SwapFact(free_kb=number)})


def test_grouping() -> None:
    assert [grouped(n) for n in (0, 999, 1000, 10_000)] == ["0", "999", f"1{THIN}000", f"10{THIN}000"]


def test_texts_are_written_as_they_are() -> None:
    assert render("{{task.name}}", {"task": TaskFact(name="jäva")}) == "jäva"
