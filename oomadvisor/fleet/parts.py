"""Rows to Parquet and to the disk: a part is written whole or not at all."""

import io
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from oomadvisor.fleet.rows import Row
from oomadvisor.fleet.schema import TABLES

SUFFIX = ".parquet"
_LEAST, _MOST = -(1 << 63), (1 << 63) - 1


def part_bytes(table: str, rows: Sequence[Row]) -> bytes:
    """Return ``rows`` of ``table`` as one Parquet file. The same rows give the same bytes."""
    schema = TABLES[table]
    columns = [pa.array([_held(row[field.name], field) for row in rows], type=field.type) for field in schema]
    sink = io.BytesIO()
    parquet.write_table(pa.Table.from_arrays(columns, schema=schema), sink, compression="zstd")
    return sink.getvalue()


def write_whole(data: bytes, target: Path) -> None:
    """Write a file by way of a temporary one beside it, so that nobody ever sees half of it. Raises OSError."""
    part = target.with_name(f".{target.name[:200]}.{os.getpid()}.part")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def _held(value: Any, field: pa.Field) -> Any:
    """Return what a column can hold: a number that a damaged line blew up beyond 64 bits is not known."""
    if pa.types.is_int64(field.type) and value is not None and not _LEAST <= value <= _MOST:
        return None if field.nullable else max(_LEAST, min(_MOST, value))
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    return value
