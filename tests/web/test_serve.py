"""The local server over HTTP: what it answers, to whom, and within which limits."""

import concurrent.futures
import gzip
import http.client
import json
import os
import re
import time
from html import unescape
from pathlib import Path

import pytest

from oomadvisor.export.dropin import PATH
from oomadvisor.web.ask import FORMS
from tests.cli.conftest import ROOT, run, run_once
from tests.collect.boxes import Box
from tests.web.conftest import Server

DUMP = (ROOT / "tests" / "reports" / "arm-2.6.31.12-proc-dump.txt").read_bytes()
BIG_BYTES = 5 << 20


def hidden(page: str) -> dict[str, str]:
    """The fields that a page sends along with its buttons, as a browser reads them."""
    form = page[page.index('action="export"') : page.index("</form>")]
    return {k: unescape(v) for k, v in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form)}


def big_log(report: str, where: int = 3 << 20) -> bytes:
    """5 MB of a talkative box, with the report in it."""
    line = "[12345.678901] usb 1-1: reset high speed USB device using ehci and address 2\n"
    before = line * (where // len(line))
    after = line * ((BIG_BYTES - where) // len(line))
    return (before + report + after).encode()


def test_the_entrance(server: Server) -> None:
    got = server.send("GET", "/")
    assert got.status == 200
    assert 'action="page"' in got.text
    assert '<textarea id="log" name="log"' in got.text


def test_a_pasted_log_gives_the_page(server: Server, seed_text: str) -> None:
    got = server.form("/page", {"log": seed_text})
    assert got.status == 200
    assert "echo 2039 &gt; /proc/sys/vm/min_free_kbytes" in got.text
    assert got.text.rstrip().endswith("</html>")
    assert hidden(got.text)["log"].split() == seed_text.split()


def test_a_file_gives_the_same_page(server: Server, seed_text: str) -> None:
    pasted = server.form("/page", {"log": seed_text}).text
    for data in (seed_text.encode(), gzip.compress(seed_text.encode())):
        assert server.files("/page", {"file": ("any name", data)}).text == pasted


def test_files_beside_the_log_are_read(server: Server, seed_text: str) -> None:
    files = {"file": ("log", seed_text.encode()), "sysctl": ("s", b"vm.min_free_kbytes = 4161\nvm.swappiness = 60\n")}
    got = server.files("/page", files).text
    assert "4161 → 2039" in got
    assert "sysctl.txt" in got
    assert hidden(got)["sysctl"].startswith("vm.min_free_kbytes = 4161")


def test_the_state_alone_is_enough(server: Server) -> None:
    got = server.files("/page", {"proc": ("dump", DUMP)})
    assert got.status == 200
    assert "proc.txt" in got.text


@pytest.mark.parametrize("form", ["json", "markdown"])
def test_exports_are_those_of_the_command_line(server: Server, seed_text: str, form: str, tmp_path: Path) -> None:
    got = server.form("/export", {"log": seed_text, "form": form})
    assert got.status == 200
    assert got.headers["content-disposition"].startswith("attachment; filename=")
    (tmp_path / "log.txt").write_text(seed_text)
    assert got.text == run("advise", "log.txt", "--format", form, cwd=tmp_path).out


def test_the_exported_page_stands_alone(server: Server, seed_text: str) -> None:
    got = server.form("/export", {"log": seed_text, "form": "html"})
    assert got.headers["content-disposition"] == 'attachment; filename="report.html"'
    assert "<form" not in got.text
    assert "form-action 'none'" in unescape(got.text)


def test_an_exported_patch_applies(server: Server, seed_text: str, tmp_path: Path) -> None:
    import subprocess

    got = server.form("/export", {"log": seed_text, "form": "patch"})
    assert got.status == 200
    done = subprocess.run(["patch", "-p1"], input=got.body, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any("vm.min_free_kbytes = 2039" in path.read_text() for path in written)


CONF = b"# the vendor's\r\nvm.min_free_kbytes = 4160\r\nnet.ipv4.ip_forward=1"


def test_a_patch_is_for_the_file_that_was_given(server: Server, seed_text: str, tmp_path: Path) -> None:
    """The file goes through the page and back, as a browser would send it, with its line ends and its last line."""
    import subprocess

    page = server.files("/page", {"conf": ("sysctl.conf", CONF)}, log=seed_text)
    got = server.form("/export", {**hidden(page.text), "form": "patch"})
    assert got.status == 200
    file = tmp_path / "etc" / "sysctl.conf"
    file.parent.mkdir()
    file.write_bytes(CONF)
    done = subprocess.run(["patch", "--binary", "-p1"], input=got.body, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done
    assert b"\nvm.min_free_kbytes = 2039\r\n" in file.read_bytes()
    assert file.read_bytes().endswith(b"\nnet.ipv4.ip_forward=1")


def test_a_patch_is_for_the_file_of_the_bundle(server: Server, tmp_path: Path) -> None:
    bundle = Box(tmp_path).collect()
    got = server.files("/export", {"file": ("bundle", bundle.encode())}, form="patch")
    assert got.status == 200
    assert "\n-vm.min_free_kbytes = 4160\n" in got.text


def test_the_drop_in_has_the_name_that_it_is_read_under() -> None:
    assert FORMS["dropin"][2] == Path(PATH).name


@pytest.mark.parametrize(
    ("operation", "value", "expected"),
    [
        ("fork+exec", 3967, "passes"),
        ("fork+exec", 3968, "fails"),
        ("exec", 4139, "passes"),
        ("exec", 4140, "fails"),
    ],
)
def test_the_slider_s_question_goes_to_the_simulator(
    server: Server, seed_text: str, operation: str, value: int, expected: str
) -> None:
    got = server.form("/simulate", {"log": seed_text, "operation": operation, "value": str(value)})
    said = json.loads(got.text)
    assert said["min"] == expected
    tried = run_once("simulate", "examples/seed-2.6.31-arm-order2.txt", "--set", f"vm.min_free_kbytes={value}",
                     "--operation", operation, "--format", "json")  # fmt: skip
    assert said["class"] == json.loads(tried.out)["verification"]["class"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\t\n", "\x1b[0m\n"])
def test_the_log_comes_back_as_it_was(server: Server, seed_text: str, end: str) -> None:
    log = end.join(seed_text.splitlines()) + end
    assert hidden(server.form("/page", {"log": log}).text)["log"] == log


def test_a_log_with_several_incidents(server: Server, seed_text: str) -> None:
    log = seed_text + "quiet\n" * 5 + seed_text.replace("myshellscript", "othershell")
    first = server.form("/page", {"log": log}).text
    assert "OOM kill for myshellscript" in first
    assert "Incidents of this log" in first
    second = server.form("/page", {**hidden(first), "incident": "2"})
    assert "OOM kill for othershell" in second.text
    assert server.form("/page", {"log": log, "incident": "3"}).status == 422


def test_of_a_long_log_the_page_keeps_the_incidents_at_their_lines(server: Server, seed_text: str) -> None:
    log = big_log(seed_text)
    number = log[: log.index(b"myshellscript")].count(b"\n") + 1
    got = server.files("/page", {"file": ("kern.log", log)})
    assert f"log.txt:{number} " in got.text
    assert len(got.body) < 2_000_000
    again = server.form("/export", {**hidden(got.text), "form": "json"})
    assert json.loads(again.text)["incidents"][0]["line"] == number


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "nothing was pasted"),
        ({"log": "nothing here"}, "no incident found"),
        ({"log": "x", "incident": "none"}, "a whole number from 1"),
        ({"log": "x", "incident": "0"}, "a whole number from 1"),
        ({"log": "x", "kernel": "y" * 200}, "200 characters are too many"),
        ({"log": "PK\x03\x04"}, "is a zip archive"),
    ],
)
def test_what_cannot_be_answered_is_said(server: Server, fields: dict[str, str], words: str) -> None:
    got = server.form("/page", fields)
    assert got.status == 422
    assert words in unescape(got.text)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "a number was expected"),
        ({"value": "-1"}, "a whole number from 0"),
        ({"value": "99999999999"}, "a whole number from 0"),
        ({"value": "1", "operation": "spawn"}, "is no operation described for arm"),
        ({"value": "1", "ratio": "0"}, "a whole number from 1"),
        ({"value": "1", "operation": "order:60"}, "nothing can be replayed"),
    ],
)
def test_the_slider_gets_its_refusal_as_json(
    server: Server, seed_text: str, fields: dict[str, str], words: str
) -> None:
    got = server.form("/simulate", {"log": seed_text, **fields})
    assert got.status == 422
    assert words in json.loads(got.text)["message"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/page", 405),
        ("GET", "/..%2f..%2fetc%2fpasswd", 404),
        ("GET", "/templates/", 404),
        ("GET", "/page.css", 404),
        ("PUT", "/", 405),
        ("OPTIONS", "/page", 405),
        ("HEAD", "/", 200),
    ],
)
def test_there_is_nothing_else(server: Server, method: str, path: str, status: int) -> None:
    assert server.send(method, path).status == status


def test_every_answer_carries_the_policy(server: Server, seed_text: str) -> None:
    for got in (
        server.send("GET", "/"),
        server.send("GET", "/nothing"),
        server.form("/page", {"log": seed_text}),
        server.form("/export", {"log": seed_text, "form": "json"}),
        server.send("GET", "/", headers={"host": "evil.example"}),
    ):
        assert got.headers["content-security-policy"].startswith("default-src 'none'; script-src 'sha256-")
        assert "frame-ancestors 'none'" in got.headers["content-security-policy"]
        assert "unsafe" not in got.headers["content-security-policy"]
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in got.headers


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "", "127.0.0.1.evil:{port}"]
)
def test_other_names_are_not_answered(server: Server, host: str) -> None:
    assert server.send("GET", "/", headers={"host": host.format(port=server.port)}).status == 421


@pytest.mark.parametrize("host", ["localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}"])
def test_its_own_names_are(server: Server, host: str) -> None:
    assert server.send("GET", "/", headers={"host": host.format(port=server.port)}).status == 200


def test_a_name_that_was_given_is(narrow: Server) -> None:
    for host in ("oom.example", f"oom.example:{narrow.port}"):
        assert narrow.send("GET", "/", headers={"host": host}).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_forms_of_other_pages_are_refused(server: Server, seed_text: str, headers: dict[str, str]) -> None:
    assert server.form("/page", {"log": seed_text}, headers).status == 403


def test_too_much_is_refused_before_it_is_read(narrow: Server) -> None:
    connection = http.client.HTTPConnection(narrow.host, narrow.port, timeout=20)
    connection.putrequest("POST", "/page")
    connection.putheader("content-length", str(1 << 40))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_too_much_is_refused_when_the_length_is_not_said(narrow: Server) -> None:
    connection = http.client.HTTPConnection(narrow.host, narrow.port, timeout=20)
    connection.putrequest("POST", "/page")
    connection.putheader("transfer-encoding", "chunked")
    connection.putheader("content-type", "application/x-www-form-urlencoded")
    connection.endheaders()
    try:
        for _ in range(40):
            connection.send(b"10000\r\n" + b"a" * 0x10000 + b"\r\n")
    except OSError:
        pass  # it hung up, as it may
    else:
        assert connection.getresponse().status == 413
    connection.close()
    assert narrow.send("GET", "/").status == 200


def test_a_request_that_takes_too_long_ends_and_the_next_is_answered(narrow: Server, seed_text: str) -> None:
    """A small .gz that unpacks to gigabytes."""
    squeezed = gzip.compress(b"a b c\n" * (1 << 23), 9)
    bomb = squeezed * 12
    assert len(bomb) < 1 << 20
    began = time.monotonic()
    got = narrow.files("/page", {"file": ("x.gz", bomb)})
    assert got.status in (422, 503)
    assert time.monotonic() - began < 30
    assert narrow.form("/page", {"log": seed_text}).status == 200


def test_nothing_stays_on_disk(server: Server, seed_text: str) -> None:
    server.form("/page", {"log": seed_text})
    server.form("/page", {"log": "nothing"})
    server.files("/page", {"file": ("large", big_log(seed_text))})
    assert list(server.folder.iterdir()) == []


def test_the_workers_end_with_the_server() -> None:
    from tests.web.conftest import started

    for module in ("jinja2", "vl_convert", "starlette", "uvicorn", "python_multipart"):
        pytest.importorskip(module, reason="the extra 'page' is not installed (make page)")
    running = started("--workers", "2")
    server = next(running)
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children")
    if not children.exists():
        pytest.skip("this system does not list the children of a process")
    assert server.send("GET", "/").status == 200
    pids = [int(pid) for pid in children.read_text().split()]
    assert len(pids) >= 2
    with pytest.raises(StopIteration):
        next(running)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and any(Path(f"/proc/{pid}").exists() for pid in pids):
        time.sleep(0.1)
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_fifty_uploads_of_five_megabytes_at_once(server: Server, seed_text: str) -> None:
    log = big_log(seed_text)

    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(50) as many:
        paths = ["/page" if number % 5 == 0 else "/export" for number in range(50)]
        answers = [many.submit(server.files, path, {"file": ("kern.log", log)}, 300, form="json") for path in paths]
        while not all(answer.done() for answer in answers):
            assert server.send("GET", "/", timeout=10).status == 200, "the entrance does not wait for the work"
            time.sleep(0.5)
    assert {answer.result().status for answer in answers} == {200}
    assert all(b"echo 2039" in answer.result().body for answer in answers)
    print(f"50 uploads of 5 MB: {time.monotonic() - began:.1f} s on {os.cpu_count()} processors")
