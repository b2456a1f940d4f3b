"""Tables that leave as files: JSON, CSV by RFC 4180, Parquet."""

import io
from typing import Final

import orjson
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

MEDIA_TYPES: Final = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}


def written(table: pa.Table, kind: str) -> bytes:
    """Return a table as a file of one of MEDIA_TYPES; JSON is a list of rows. Raises KeyError for another kind."""
    return {"json": _as_json, "csv": _as_csv, "parquet": _as_parquet}[kind](table)


def _as_json(table: pa.Table) -> bytes:
    return orjson.dumps(table.to_pylist())


def _as_csv(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pacsv.write_csv(table, out, pacsv.WriteOptions(quoting_style="needed"))
    return out.getvalue()


def _as_parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd")
    return out.getvalue()
