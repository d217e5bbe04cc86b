"""Measures the page and the local server: ``python -m bench.page``; needs the extra ``page``.

Aims: the page of the seed in less than 2 s and 1.5 MB; from a warm server the first byte of it in less than 300 ms.
"""

import http.client
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

from bench.speed import ADVISOR, SEED, interleaved

RUNS = 9


def page() -> None:
    """The page as a file, and one picture, as whole processes."""
    with tempfile.TemporaryDirectory(prefix="oomadvisor-bench-") as folder:
        target = Path(folder) / "report.html"
        commands = {
            "advise SEED": [*ADVISOR, "advise", str(SEED)],
            "advise SEED, html": [*ADVISOR, "advise", str(SEED), "--format", "html", "-o", str(target), "--force"],
            "plot SEED ladder": [*ADVISOR, "plot", str(SEED), "ladder"],
        }
        print(f"Whole process, median of {RUNS}")
        for name, one in interleaved(commands, RUNS).items():
            print(f"  {name:34}{one.seconds * 1000:8.0f} ms{one.peak_mb:8.0f} MB")
        print(f"  {'size of the page':34}{target.stat().st_size / 1000:8.0f} kB")


def served() -> None:
    """The same page from a warm server: first byte of the body, and all of it."""
    command = [sys.executable, "-m", "oomadvisor", "serve", "--port", "0", "--workers", "1"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert server.stdout is not None
    address = re.search(rb"http://([\d.]+):(\d+)/", server.stdout.readline())
    assert address is not None
    host, port = address[1].decode(), int(address[2])
    form = urlencode({"log": SEED.read_text(encoding="utf-8")})
    kind = {"content-type": "application/x-www-form-urlencoded"}
    firsts, wholes = [], []
    for _ in range(RUNS + 2):
        connection = http.client.HTTPConnection(host, port, timeout=60)
        begin = time.perf_counter()
        connection.request("POST", "/page", form, kind)
        answer = connection.getresponse()
        answer.read(1)
        firsts.append(time.perf_counter() - begin)
        answer.read()
        wholes.append(time.perf_counter() - begin)
        connection.close()
    server.terminate()
    server.wait()
    print(f"\nA warm server, median of {RUNS}")
    print(f"  {'first byte':34}{median(firsts[2:]) * 1000:8.0f} ms")
    print(f"  {'whole page':34}{median(wholes[2:]) * 1000:8.0f} ms")


if __name__ == "__main__":
    page()
    served()
