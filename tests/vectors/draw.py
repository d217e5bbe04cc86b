"""Draw a sample from a full set of vectors: ``python -m tests.vectors.draw DIR``.

Of 2.6.31's own set, into this folder: all rows of the seed report and all that sit at a boundary, and of the others
every n-th in the order of the file. Of the set of all series (it holds families.json), into tests/vectors-versions:
every n-th row of each file, and the tables without their blanks. No time stamp goes into the archives, so that drawing
again changes nothing.
"""

import gzip
import json
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
VERSIONS = HERE.parent / "vectors-versions"

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


ROWS_TAKEN = {
    "badness": 100,
    "batch": 60,
    "boost": 60,
    "gfpmap": 150,
    "lowmem_reserve": 80,
    "minfree_default": 50,
    "watermark": 330,
    "wmarks": 80,
}


def draw_versions(source: Path) -> None:
    """Write the sample of every series, and the tables."""
    for path in sorted(source.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            rows = list(lines)
        step = max(1, len(rows) // ROWS_TAKEN[path.name.partition("-")[0]])
        taken = [line for number, line in enumerate(rows) if number % step == 0 or '"free_pages":-1,' in line]
        packed = gzip.compress("".join(taken).encode(), compresslevel=9, mtime=0)
        (VERSIONS / path.name).write_bytes(packed)
    for path in sorted(source.glob("*.json")):
        table = json.dumps(json.loads(path.read_text(encoding="utf-8")), separators=(",", ":"))
        (VERSIONS / path.name).write_text(table + "\n", encoding="utf-8")


if __name__ == "__main__":
    full = Path(sys.argv[1])
    (draw_versions if (full / "families.json").exists() else draw)(full)
