"""The forms to look at, from the command line: the page, single pictures, and what is said where the extra is missing."""

import gzip
import re
import struct
from pathlib import Path

import pytest

from oomadvisor.cli.exit_codes import ExitCode
from tests.cli.conftest import ROOT, run, run_once

PAGE_MODULES = ("jinja2", "vl_convert", "starlette", "uvicorn", "python_multipart")
PICTURES = ("memory", "blocks", "ladder", "fixes", "rates", "sweep")


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """An environment in which nothing of the extra 'page' can be imported."""
    blocked = "".join(f"sys.modules[{name!r}] = None\n" for name in PAGE_MODULES)
    (tmp_path / "sitecustomize.py").write_text(f"import sys\n{blocked}")
    return {"PYTHONPATH": f"{tmp_path}:{ROOT}"}


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [
        (("advise", "{seed}", "--format", "html"), "jinja2, vl_convert"),
        (("plot", "{seed}", "ladder"), "vl_convert"),
        (("serve",), "jinja2, vl_convert, starlette, uvicorn, python_multipart"),
    ],
)
def test_without_the_extra_it_is_asked_for(
    bare: dict[str, str], seed: str, arguments: tuple[str, ...], missing: str
) -> None:
    ran = run(*(argument.format(seed=seed) for argument in arguments), env=bare)
    assert (ran.code, ran.out) == (ExitCode.USAGE, "")
    said = " ".join(ran.err.split())
    assert missing in said
    assert "pip install 'oomadvisor[page]'" in said


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_without_the_extra_everything_else_is_as_before(bare: dict[str, str], seed: str, form: str) -> None:
    assert run("advise", seed, "--format", form, env=bare) == run_once("advise", seed, "--format", form)


@pytest.mark.parametrize(
    "arguments",
    [
        ("plot", "{seed}", "ladder", "-o", "x.gif"),
        ("plot", "{seed}", "portrait"),
        ("plot", "{seed}", "ladder", "--operation", "exec"),
        ("plot", "{seed}"),
    ],
)
def test_wrong_usage(seed: str, arguments: tuple[str, ...]) -> None:
    ran = run(*(argument.format(seed=seed) for argument in arguments))
    assert (ran.code, ran.out) == (ExitCode.USAGE, "")


def needs_page() -> None:
    for module in ("jinja2", "vl_convert"):
        pytest.importorskip(module, reason="the extra 'page' is not installed (make page)")


def test_the_page_is_written_whole(seed: str, tmp_path: Path) -> None:
    needs_page()
    target = tmp_path / "report.html"
    assert run("advise", seed, "--format", "html", "-o", str(target)).code == 0
    assert run("advise", seed, "--format", "html", "-o", str(target)).code == ExitCode.USAGE
    assert target.read_text().rstrip().endswith("</html>")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_standard_input_has_its_lines_in_the_page_too(seed: str) -> None:
    needs_page()
    report = (ROOT / seed).read_bytes()
    piped = run("advise", "-", "--format", "html", stdin=report)
    assert piped.code == 0
    assert "DMA: 2358*4kB" in piped.out
    named = run("advise", seed, "--format", "html")
    anchors = re.compile(r'id="i1-0-\d+"')
    assert anchors.findall(piped.out) == anchors.findall(named.out)


def test_files_beside_the_report_are_cited(seed: str, tmp_path: Path) -> None:
    needs_page()
    sysctl = tmp_path / "sysctl.txt"
    sysctl.write_text("kernel.x = 1\nvm.min_free_kbytes = 4161\n")
    packed = tmp_path / "kern.log.gz"
    packed.write_bytes(gzip.compress((ROOT / seed).read_bytes()))
    ran = run("advise", str(packed), "--sysctl", str(sysctl), "--format", "html")
    assert ran.code == 0
    assert f"<h3>{sysctl}</h3>" in ran.out
    assert re.search(r'<a class="source" href="#i1-1-2"[^>]*>4161</a>', ran.out)


def test_several_incidents_have_a_timeline(three_incidents: Path) -> None:
    needs_page()
    first = run("advise", str(three_incidents), "--format", "html").out
    assert "Incidents of this log" in first
    assert first.count("<article") == 1
    assert run("advise", str(three_incidents), "--format", "html", "--all").out.count("<article") == 3
    second = run("advise", str(three_incidents), "--format", "html", "--incident", "3").out
    assert "OOM kill for othershell" in second


@pytest.mark.parametrize("picture", PICTURES)
def test_every_picture_as_svg_and_png(seed: str, tmp_path: Path, picture: str) -> None:
    needs_page()
    drawn = run("plot", seed, picture)
    assert drawn.code == 0
    assert drawn.out.startswith("<svg ")
    target = tmp_path / "x.png"
    assert run("plot", seed, picture, "-o", str(target)).code == 0
    data = target.read_bytes()
    assert data.startswith(b"\x89PNG\r\n")
    width, height = struct.unpack(">II", data[16:24])
    assert width > 600
    assert height > 300


def test_a_sweep_of_another_operation(seed: str) -> None:
    needs_page()
    assert (
        "exec of a program passes at MIN up to 4139 and at HIGH up to 2763."
        in run("plot", seed, "sweep", "--operation", "exec").out
    )
    assert run("plot", seed, "sweep", "--operation", "spawn").code == ExitCode.USAGE


def test_a_timeline_needs_two_incidents(seed: str, three_incidents: Path) -> None:
    needs_page()
    alone = run("plot", seed, "timeline")
    assert (alone.code, alone.out) == (ExitCode.UNUSABLE, "")
    assert "one incident only" in alone.err
    several = run("plot", str(three_incidents), "timeline")
    assert "2 × OOM kill, 1 × Page allocation failure" in several.out


def test_what_a_report_lacks_cannot_be_drawn(tmp_path: Path) -> None:
    needs_page()
    log = tmp_path / "short.log"
    log.write_text("Out of memory: Killed process 1 (sh).\n")
    for picture in PICTURES:
        ran = run("plot", str(log), picture)
        assert (ran.code, ran.out) == (ExitCode.UNUSABLE, "")
        assert f"lacks the numbers that the picture '{picture}' shows" in ran.err


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    import socket

    for module in PAGE_MODULES:
        pytest.importorskip(module, reason="the extra 'page' is not installed (make page)")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = run("serve", "--port", str(taken.getsockname()[1]), cwd=tmp_path, env={"PYTHONPATH": str(ROOT)})
    assert (ran.code, ran.out) == (ExitCode.USAGE, "")
    assert "cannot be listened on" in ran.err
