"""Measures what 200 rules cost at start-up: read and checked, and from the cache.

``python -m bench.rules`` prints medians of fresh processes; the aim is 40 ms from the cache.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from oomadvisor.book import load_book

RULES = Path(__file__).parent.parent / "rules"
WANTED = 200
RUNS = 15
MEASURE = """
import gc, os, sys, time
gc.set_threshold(50_000)  # as the command does
from oomadvisor.advise import advise
from oomadvisor.book import book_for_advice
begin = time.perf_counter()
book = book_for_advice(sys.argv[1:], os.environ)
print((time.perf_counter() - begin) * 1000, len(book))
"""


def more_rules(folder: Path, number: int) -> None:
    """Write ``number`` rules into ``folder``: the built-in ones again, under other ids."""
    texts = [path.read_text() for path in sorted(RULES.glob("*.yaml"))]
    rules = [rule for text in texts for rule in re.split(r"(?m)^(?=  - id: )", text)[1:]]
    copies = [
        re.sub(r"(?m)^  - id: (.*)$", rf"  - id: \1-copy{turn}", rule, count=1)
        for turn in range(number // len(rules) + 1)
        for rule in rules
    ]
    for start in range(0, number, 20):
        (folder / f"{start}.yaml").write_text("schema: 1\nrules:\n" + "".join(copies[start : min(start + 20, number)]))


def load(folder: str, cache: str) -> tuple[float, int]:
    """Load the book in a process of its own; return milliseconds and the number of rules."""
    env = {**os.environ, "XDG_CACHE_HOME": cache, "XDG_CONFIG_HOME": "/nonexistent"}
    done = subprocess.run([sys.executable, "-c", MEASURE, folder], env=env, capture_output=True, text=True, check=True)
    milliseconds, rules = done.stdout.split()
    return float(milliseconds), int(rules)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="oomadvisor-bench-") as base:
        folder, cache = Path(base, "rules"), Path(base, "cache")
        folder.mkdir()
        cache.mkdir()
        more_rules(folder, WANTED - len(load_book()))
        checked = [load(str(folder), "/nonexistent/cache") for _ in range(RUNS)]
        load(str(folder), str(cache))
        kept = [load(str(folder), str(cache)) for _ in range(RUNS)]
    print(f"{kept[0][1]} rules, median of {RUNS} fresh processes (aim: 40 ms from the cache)")
    for name, runs in (("read and checked", checked), ("from the cache", kept)):
        times = [milliseconds for milliseconds, _ in runs]
        print(f"  {name:20}{median(times):8.1f} ms  ({min(times):.1f} to {max(times):.1f})")


if __name__ == "__main__":
    main()
