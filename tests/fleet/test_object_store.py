"""Logs in an object store that is slow, cuts connections and answers 503: moto's server behind a line with faults."""

import contextlib
import http.client
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from tests.cli.conftest import SEED
from tests.fleet.runs import fleet, tables

pytest.importorskip("distributed")
pytest.importorskip("pyarrow")
pytest.importorskip("s3fs")
boto3 = pytest.importorskip("boto3")
server = pytest.importorskip("moto.server")

OBJECTS = 4
PADDING = b"nothing happens here, line after line of it, all day long\n" * 20_000
KEYS = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing", "AWS_DEFAULT_REGION": "us-east-1"}


class BadLine(BaseHTTPRequestHandler):
    """Hands requests on; of the objects' contents some are refused with 503, some cut off, some late."""

    protocol_version = "HTTP/1.1"
    behind: ClassVar[int]
    faults: ClassVar[dict[str, int]]
    asked: ClassVar[int] = 0

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        away = http.client.HTTPConnection("127.0.0.1", self.behind, timeout=30)
        away.request(self.command, self.path, body, dict(self.headers))
        answer = away.getresponse()
        data = answer.read()
        away.close()
        fault = None
        if self.command == "GET" and ".log" in self.path:
            BadLine.asked += 1
            fault = {1: "503", 2: "cut", 4: "late", 5: "cut", 8: "503", 9: "cut"}.get(BadLine.asked)
            if fault is not None:
                self.faults[fault] = self.faults.get(fault, 0) + 1
        if fault == "503":
            answer.status, data = 503, b"<Error><Code>SlowDown</Code></Error>"
        if fault == "late":
            time.sleep(1.5)
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "connection", "transfer-encoding", "date", "server"):
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(data))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(data[: len(data) // 2] if fault == "cut" else data)
        if fault == "cut":
            self.close_connection = True

    do_GET = do_HEAD = do_PUT = do_POST = _pass_on

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@contextlib.contextmanager
def serving(store: ThreadingHTTPServer) -> Iterator[int]:
    threading.Thread(target=store.serve_forever, daemon=True).start()
    try:
        yield store.server_address[1]
    finally:
        store.shutdown()
        store.server_close()


@pytest.fixture
def bucket() -> Iterator[str]:
    """The address of a store with some logs in its bucket ``fleet``, over a bad line."""
    store = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    store.start()
    try:
        port = store.get_host_and_port()[1]
        client = boto3.client(
            "s3", endpoint_url=f"http://127.0.0.1:{port}", aws_access_key_id="a", aws_secret_access_key="b",
            region_name="us-east-1",
        )  # fmt: skip
        client.create_bucket(Bucket="fleet")
        for number in range(OBJECTS):
            report = SEED.read_bytes().replace(b"39992", b"%d" % (39000 + number))
            client.put_object(Bucket="fleet", Key=f"north/1.{number}/a.log", Body=PADDING + report)
        BadLine.behind, BadLine.faults, BadLine.asked = port, {}, 0
        with serving(ThreadingHTTPServer(("127.0.0.1", 0), BadLine)) as line:
            yield f"http://127.0.0.1:{line}"
    finally:
        store.stop()


@pytest.mark.filterwarnings("ignore")
def test_a_store_with_faults(bucket: str, tmp_path: Path) -> None:
    environment = {**KEYS, "AWS_ENDPOINT_URL": bucket}
    out = tmp_path / "out"
    fleet(["s3://fleet/north"], out, "--workers", "0", "--label", "{fw}/*.log", env=environment)
    found = tables(out)
    rows = [json.loads(row) for row in found["incidents"]]
    assert sorted(row["input"] for row in rows) == [f"s3://fleet/north/1.{n}/a.log" for n in range(OBJECTS)]
    assert [dict(row["labels"])["fw"] for row in rows] == [row["input"].split("/")[4] for row in rows]
    assert all(row["line"] == 20_001 and row["offset"] == len(PADDING) for row in rows)
    assert all(json.loads(row)["state"] == "finished" for row in found["inputs"])
    assert set(BadLine.faults) == {"503", "cut", "late"}
    text = fleet(["s3://no-such-bucket/x"], tmp_path / "other", "--workers", "0", env=environment, code=2)
    assert "s3://no-such-bucket/x" in text.replace("\n", "")
