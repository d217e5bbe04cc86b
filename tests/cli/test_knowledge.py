"""``oomadvisor knowledge`` as a user runs it: lists, entries, masks, searches, and what is asked for in vain."""

import json
import subprocess
import sys
from typing import get_args

import pytest

from oomadvisor.cli.exit_codes import ExitCode
from oomadvisor.cli.knowledge import Topic as TopicOption
from oomadvisor.knowledge import sources
from oomadvisor.knowledge.entry import TOPICS, Topic
from oomadvisor.knowledge.reference import entries
from oomadvisor.present.knowledge import render_entries
from tests.cli.conftest import NEUTRAL, ROOT, Here, run, run_once

ESCAPE = "\x1b"


def show(here: Here, *arguments: str) -> str:
    ran = here("knowledge", "show", *arguments)
    assert (ran.code, ran.err) == (0, "")
    return ran.out


def flat(text: str) -> str:
    return " ".join(text.split())


class TestList:
    def test_it_names_every_entry(self) -> None:
        ran = run_once("knowledge", "list")
        assert (ran.code, ran.err) == (0, "")
        lines = ran.out.splitlines()
        assert lines[0].split() == ["name", "topic", "title"]
        assert len(lines) == len(entries()) + 1

    def test_a_topic(self, here: Here) -> None:
        lines = here("knowledge", "list", "--topic", "mount").out.splitlines()[1:]
        assert len(lines) == sum(entry.topic == "mount" for entry in entries())
        assert any(line.startswith("tmpfs size=") for line in lines)

    def test_the_topics_of_the_option_are_those_of_the_entries(self) -> None:
        assert [topic.value for topic in TopicOption] == list(TOPICS) == list(get_args(Topic))

    def test_an_unknown_topic_is_refused_with_those_that_there_are(self, here: Here) -> None:
        ran = here("knowledge", "list", "--topic", "magic")
        assert ran.code == ExitCode.USAGE
        assert "'flash'" in ran.err

    @pytest.mark.parametrize(
        ("kernel", "there", "missing"),
        [
            ("2.6.31", "vm.swappiness", "vm.compact_memory"),
            ("2.6.35", "vm.compact_memory", "vm.watermark_scale_factor"),
            ("4.19.78-rt", "vm.watermark_scale_factor", "vm.scan_unevictable_pages"),
        ],
    )
    def test_a_kernel_filters(self, here: Here, kernel: str, there: str, missing: str) -> None:
        names = [line.split()[0] for line in here("knowledge", "list", "--kernel", kernel).out.splitlines()]
        assert there in names
        assert missing not in names

    @pytest.mark.parametrize("kernel", ["new", "", "6", "\x1b[2J"])
    def test_a_kernel_that_is_none_is_refused(self, here: Here, kernel: str) -> None:
        ran = here("knowledge", "list", "--kernel", kernel)
        assert ran.code == ExitCode.USAGE
        assert "2.6.31 was expected" in flat(ran.err)
        assert ESCAPE not in ran.err

    def test_json_holds_every_field_and_sources_in_words(self) -> None:
        document = json.loads(run_once("knowledge", "list", "--format", "json").out)
        assert document["schema"] == "oomadvisor/knowledge/1"
        assert [entry["name"] for entry in document["entries"]] == [entry.name for entry in entries()]
        for record in document["entries"]:
            assert record["sources"]
            assert all(source["text"] for source in record["sources"])


class TestShow:
    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("vm.min_free_kbytes", ["isqrt(16 × low memory in kB)", "256 MB: 2039", "Undo", "Price", "Sources"]),
            ("dirty_background_bytes", ["the ratio is zeroed all the same"]),
            ("kernel.shmall", ["2097152"]),
            ("oom_adj", ["−17", "inherited over fork"]),
            ("mem", ["mem=SIZE[@START]"]),
            ("memmap=", ["ARM does not know it"]),
            ("tmpfs size", ["half of RAM"]),
            ("CONFIG_FORCE_MAX_ZONEORDER", ["below 80 MB"]),
            ("compaction", ["not in 2.6.31: first in 2.6.35", "Unsure", "Instead"]),
            ("vm.extra_free_kbytes", ["vendors' trees only"]),
            ("vm.swap_token_timeout", ["not in 2.6.31: last in 2.6.19"]),
            ("get_pgd_slow.clone.3", ["exec-page-directory", "fork-page-directory", "Avoid it"]),
            ("unix_stream_sendmsg+0x1f0/0x3a0", ["unix-socket", "2 (16 kB)"]),
            ("__GFP_FS", ["gfp bit, 0x80"]),
            ("thrash", ["pgmajfault up by 100"]),
            ("default-mark", ["16 of 16", "95 % interval"]),
            ("kernel cache pages", ["no memory of the kernel"]),
        ],
    )
    def test_an_entry_tells_what_one_needs(self, here: Here, name: str, words: list[str]) -> None:
        text = flat(show(here, name))
        for word in words:
            assert word in text

    def test_a_mask_is_decoded(self) -> None:
        ran = run_once("knowledge", "show", "0x280da")
        assert (ran.code, ran.err) == (0, "")
        text = flat(ran.out)
        assert text.startswith("0x280da · gfp mask of 2.6.31: GFP_HIGHUSER_MOVABLE | __GFP_ZERO")
        for bit in (
            "__GFP_HIGHMEM",
            "__GFP_MOVABLE",
            "__GFP_WAIT",
            "__GFP_IO",
            "__GFP_FS",
            "__GFP_ZERO",
            "__GFP_HARDWALL",
        ):
            assert bit in text
        assert "Orders 0 to 3" in text

    def test_names_make_a_mask_too(self, here: Here) -> None:
        assert show(here, "GFP_HIGHUSER_MOVABLE|__GFP_ZERO") == show(here, "0x280da") == show(here, "0x280DA")

    def test_a_mask_of_another_kernel_is_not_explained_as_one_of_2_6_31(self, here: Here) -> None:
        text = flat(show(here, "0x24000c0"))
        assert "4.4 to 4.9" in text
        assert "WHAT IT MAY DO" not in text
        masks = json.loads(show(here, "0x24000c0", "--format", "json"))["masks"]
        assert [(mask["of_2_6_31"], mask["ends"], mask["zones"]) for mask in masks] == [(False, None, None)]

    def test_ram_computes_the_default(self, here: Here) -> None:
        text = flat(show(here, "vm.min_free_kbytes", "--ram", "64"))
        assert "64 MB: 1019" in text
        assert "2884" not in text
        (record,) = json.loads(show(here, "kernel.threads-max", "--ram", "64", "--format", "json"))["entries"]
        assert record["computed"] == {"64": "1024"}

    @pytest.mark.parametrize(
        ("name", "kernel", "words"),
        [
            ("vm.compact_memory", "2.6.31", "does not exist"),
            ("vm.compact_memory", "2.6.36", "exists; what stands here is of 2.6.31, and numbers may differ"),
            ("vm.swappiness", "2.6.31.12-ER1", "In 2.6.31.12 exists"),
            ("kernel.panic", "2.6.18", "not recorded"),
        ],
    )
    def test_a_kernel_is_judged(self, here: Here, name: str, kernel: str, words: str) -> None:
        assert words in flat(show(here, name, "--kernel", kernel))

    def test_several_names_make_one_answer(self, here: Here) -> None:
        text = show(here, "vm.swappiness", "0xd0")
        assert "vm.swappiness · sysctl" in text
        assert "0xd0 · gfp mask" in text
        document = json.loads(show(here, "vm.swappiness", "0xd0", "--format", "json"))
        assert [entry["name"] for entry in document["entries"]] == ["vm.swappiness"]
        assert [mask["hex"] for mask in document["masks"]] == ["0xd0"]

    @pytest.mark.parametrize(
        ("name", "hint"),
        [
            ("vm.swapiness", "did you mean 'vm.swappiness'"),
            ("min_fre_kbytes", "'vm.min_free_kbytes'"),
            ("GFP_KERNAL", "'gfp_kernel'"),
            ("unix_stream_sendmesg", "'unix_stream_sendmsg'"),
            ("xyzzy plugh", "knowledge list"),
            ("", "knowledge list"),
            ("x" * 100_000, "knowledge list"),
            ("\x1b[2J", r"\x1b[2J"),
        ],
    )
    def test_an_unknown_name_is_wrong_usage_with_a_hint(self, here: Here, name: str, hint: str) -> None:
        ran = here("knowledge", "show", name)
        assert (ran.code, ran.out) == (ExitCode.USAGE, "")
        assert hint in flat(ran.err)
        assert ESCAPE not in ran.err

    @pytest.mark.parametrize("width", [40, 60, 80, 132])
    def test_no_line_is_wider_than_asked(self, width: int) -> None:
        text = render_entries(entries(), ram_mb=None, version=(2, 6, 31), width=width, colour=False)
        assert max(map(len, text.splitlines())) <= width
        assert not [line for line in text.splitlines() if line != line.rstrip()]

    def test_the_width_of_the_terminal_is_filled(self) -> None:
        ran = run("knowledge", "show", "tmpfs", env={"COLUMNS": "50"})
        assert 40 < max(map(len, ran.out.splitlines())) <= 50

    def test_colour_only_where_it_is_wanted(self, here: Here) -> None:
        plain = show(here, "tmpfs", "0xd0")
        assert ESCAPE not in plain
        assert ESCAPE in show(here, "tmpfs", "0xd0", "--color", "always")
        assert ESCAPE not in show(here, "tmpfs", "--color", "never")

    def test_every_entry_shows_its_title_and_its_sources(self) -> None:
        for entry in entries():
            text = flat(render_entries([entry], ram_mb=256, version=None, width=100, colour=False))
            assert text.startswith(f"{flat(entry.name)} · ")
            assert flat(f"{entry.title}. {entry.text}") in text
            assert text.endswith(flat(sources()[entry.sources[-1]]))


class TestSearch:
    def test_words_that_all_occur(self) -> None:
        ran = run_once("knowledge", "search", "swap", "nand")
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.splitlines()[1].startswith("swap-on-nand")

    def test_a_topic_and_json(self, here: Here) -> None:
        document = json.loads(here("knowledge", "search", "tmpfs", "--topic", "mount", "--format", "json").out)
        assert document["entries"]
        assert {entry["topic"] for entry in document["entries"]} == {"mount"}

    def test_nothing_found_is_said(self, here: Here) -> None:
        ran = here("knowledge", "search", "no-such-word", "tmpfs")
        assert (ran.code, ran.out) == (0, "")
        assert "Nothing holds 'no-such-word' and 'tmpfs'" in ran.err


class TestOutput:
    def test_a_reader_that_goes_away_is_no_error(self) -> None:
        with subprocess.Popen(
            [sys.executable, "-m", "oomadvisor", "knowledge", "list"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=NEUTRAL,
            cwd=ROOT,
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            assert process.stderr.read() == b""
        assert process.returncode == ExitCode.PIPE_CLOSED

    def test_a_file_gets_what_standard_output_would_get(self, here: Here, tmp_path) -> None:  # type: ignore[no-untyped-def]
        target = tmp_path / "entry.txt"
        assert here("knowledge", "show", "tmpfs", "-o", str(target)).code == 0
        assert target.read_text() == show(here, "tmpfs", "--width", "80")
        assert here("knowledge", "show", "tmpfs", "-o", str(target)).code == ExitCode.USAGE

    def test_advise_does_not_read_the_reference(self) -> None:
        """It is many times larger than what an advice needs."""
        code = (
            "import sys; from oomadvisor.cli import main\n"
            "try: main()\n"
            "except SystemExit: pass\n"
            "bad = [m for m in sys.modules if m.startswith('oomadvisor.knowledge.') and m.endswith(('entry', 'reference', 'mask'))]\n"
            "print(bad, file=sys.stderr)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, "advise", "examples/seed-2.6.31-arm-order2.txt"],
            capture_output=True,
            text=True,
            env=NEUTRAL,
            cwd=ROOT,
            timeout=60,
            check=True,
        )
        assert done.stderr.strip().endswith("[]")
