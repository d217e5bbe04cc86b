"""Draw the sample in this folder from a full set of vectors: ``python -m tests.vectors.draw DIR``.

All rows of the seed report and all that sit at a boundary are taken, and of the others every n-th in the order of the
file. No time stamp goes into the archives, so that drawing again changes nothing.
"""

import gzip
import json
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent

ONE_IN = {
    "badness": 2,
    "batch": 1,
    "buddy": 2,
    "decision": 4,
    "dirty": 2,
    "gfp": 1,
    "lowmem_reserve": 2,
    "migrate_reserve": 1,
    "minfree_default": 3,
    "overcommit": 2,
    "pcp": 1,
    "scan": 3,
    "slub_order": 1,
    "watermark": 4,
    "wmarks": 4,
}

SEED_ZONES = [24384, 40640, 0]


def always(row: dict[str, object]) -> bool:
    """Return whether a row belongs to the seed report or sits at a boundary."""
    return (
        row.get("kind") in ("seed", "boundary", "boundary2", "bits64", "wrap")
        or str(row.get("note")).startswith("seed")
        or row.get("present") == SEED_ZONES
        or ("priority" in row and int(str(row["id"])) < 26)
    )


def draw(source: Path) -> None:
    """Write the sample of every family, and seed.json."""
    for family, step in ONE_IN.items():
        with gzip.open(source / f"{family}.jsonl.gz", "rt", encoding="utf-8") as lines:
            rows = list(lines)
        taken = [line for number, line in enumerate(rows) if number % step == 0 or always(json.loads(line))]
        packed = gzip.compress("".join(taken).encode(), compresslevel=9, mtime=0)
        (HERE / f"{family}.jsonl.gz").write_bytes(packed)
    shutil.copyfile(source / "seed.json", HERE / "seed.json")


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
