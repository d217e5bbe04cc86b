"""The local server as a user starts it: a process of its own, spoken to over HTTP."""

import http.client
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.cli.conftest import NEUTRAL, ROOT, SEED

NEEDED = ("jinja2", "vl_convert", "starlette", "uvicorn", "python_multipart")
BOUNDARY = "a-boundary-that-no-log-holds"


@dataclass(frozen=True)
class Reply:
    """What came back: status, headers in lower case, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True)
class Server:
    """A running server. ``pid`` is that of its main process, ``folder`` the one for its temporary files."""

    host: str
    port: int
    pid: int
    folder: Path

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/"

    def send(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None, timeout: float = 60
    ) -> Reply:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def form(self, path: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Reply:
        """Send fields as a browser sends a form."""
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return self.send("POST", path, urlencode(fields).encode(), {**kind, **(headers or {})})

    def files(self, path: str, files: Mapping[str, tuple[str, bytes]], timeout: float = 60, **fields: str) -> Reply:
        """Send files as a browser does, each with the name that it has at home, and fields beside them."""
        parts = [(f'name="{field}"', text.encode()) for field, text in fields.items()]
        parts += [(f'name="{field}"; filename="{name}"', data) for field, (name, data) in files.items()]
        body = b"".join(
            f"--{BOUNDARY}\r\ncontent-disposition: form-data; {name}\r\n\r\n".encode() + data + b"\r\n"
            for name, data in parts
        )
        kind = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
        return self.send("POST", path, body + f"--{BOUNDARY}--\r\n".encode(), kind, timeout)


def started(*options: str) -> Iterator[Server]:
    """Start a server on a free port, and end it."""
    command = [sys.executable, "-m", "oomadvisor", "serve", "--port", "0", *options]
    folder = Path(tempfile.mkdtemp(prefix="test-of-serve-"))
    env = {**NEUTRAL, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, cwd=ROOT)
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        said = process.stdout.readline().decode()
        address = re.search(r"http://([\w.\[\]:]+):(\d+)/", said)
        assert address, said + process.stderr.read().decode()
        yield Server(address[1], int(address[2]), process.pid, folder)
    finally:
        process.terminate()
        errors = process.communicate(timeout=30)[1].decode()
        shutil.rmtree(folder)
    assert "Traceback" not in errors, errors


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A server with the limits that it has by default."""
    for module in NEEDED:
        pytest.importorskip(module, reason="the extra 'page' is not installed (make page)")
    yield from started("--workers", "2")


@pytest.fixture(scope="session")
def narrow() -> Iterator[Server]:
    """A server that takes little, and gives up soon."""
    for module in NEEDED:
        pytest.importorskip(module, reason="the extra 'page' is not installed (make page)")
    yield from started("--workers", "1", "--seconds", "3", "--max-mb", "1", "--name", "oom.example")


@pytest.fixture(scope="session")
def seed_text() -> str:
    return Path(SEED).read_text(encoding="utf-8")
